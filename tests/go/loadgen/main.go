// SPDX-License-Identifier: BSD-2-Clause

// Loadgen puts a server on this machine under load, and says how it fares.
//
//	loadgen [-conns N] [-rate N] etcd|nats|http HOST:PORT
//	loadgen free N			prints N ports that nobody listens on
//
// Without -rate it is a closed loop: each connection asks again as soon as it is answered. With it, requests are due by
// the clock, and a request's latency is from when it was due: a server that stalls is charged for all that waited.
//
// It connects, retrying for ten seconds, prints "ready", and goes on until its input ends. Each line of its input makes
// it say what has happened since the line before:
//
//	{"seconds":N,"ops":N,"errors":N,"p50_us":N,"p99_us":N}
//
// Latencies are those of a histogram, whose buckets are 3 % wide.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// What speaks to a server over one connection: one request, answered.
type client interface{ ask(n int) error }

const (
	buckets = 600
	width   = 1.03
)

// A bucket has latencies from width^n microseconds on.
type histogram [buckets]uint64

func bucket(d time.Duration) int {
	n := int(math.Log(float64(d)/1e3) / math.Log(width))
	if n < 0 {
		return 0
	}
	if n >= buckets {
		return buckets - 1
	}
	return n
}

func (h *histogram) quantile(q float64) float64 {
	total, seen := uint64(0), uint64(0)
	for _, n := range h {
		total += n
	}
	for i, n := range h {
		seen += n
		if total > 0 && float64(seen) >= q*float64(total) {
			return math.Pow(width, float64(i)+0.5)
		}
	}
	return 0
}

type worker struct {
	client
	latencies histogram
	errors    uint64
	_         [64]byte
}

func (w *worker) one(n int, due time.Time) {
	if err := w.ask(n); err != nil {
		if atomic.AddUint64(&w.errors, 1) == 1 {
			fmt.Fprintln(os.Stderr, "loadgen:", err)
		}
		time.Sleep(time.Millisecond)
		return
	}
	atomic.AddUint64(&w.latencies[bucket(time.Since(due))], 1)
}

func (w *worker) closed(first, step int) {
	for n := first; ; n += step {
		w.one(n, time.Now())
	}
}

func (w *worker) open(first, step int, began time.Time, rate float64) {
	for n := first; ; n += step {
		due := began.Add(time.Duration(float64(n) / rate * 1e9))
		time.Sleep(time.Until(due))
		w.one(n, due)
	}
}

// What the workers have counted since the last time.
type tally struct {
	workers []*worker
	before  histogram
	errors  uint64
	since   time.Time
}

func (t *tally) tell() {
	var all, now histogram
	errors, ops := uint64(0), uint64(0)
	for _, w := range t.workers {
		errors += atomic.LoadUint64(&w.errors)
		for i := range all {
			all[i] += atomic.LoadUint64(&w.latencies[i])
		}
	}
	for i := range all {
		now[i] = all[i] - t.before[i]
		ops += now[i]
	}
	fmt.Printf("{\"seconds\":%.4f,\"ops\":%d,\"errors\":%d,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
		time.Since(t.since).Seconds(), ops, errors-t.errors, now.quantile(0.5), now.quantile(0.99))
	t.before, t.errors, t.since = all, errors, time.Now()
}

func dial(address string) (net.Conn, error) {
	end := time.Now().Add(10 * time.Second)
	for {
		c, err := net.Dial("tcp", address)
		if err == nil || time.Now().After(end) {
			return c, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func free(n int) error {
	for i := 0; i < n; i++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		fmt.Println(l.Addr().(*net.TCPAddr).Port)
	}
	return nil
}

func connect(kind, address string, n int) (client, error) {
	conn, err := dial(address)
	if err != nil {
		return nil, err
	}
	var c client
	switch kind {
	case "etcd":
		c = newEtcd(conn, address)
	case "http":
		c = newHTTP(conn, address)
	case "nats":
		c, err = newNats(conn, n)
	default:
		err = fmt.Errorf("no kind of server '%s'", kind)
	}
	return c, err
}

func load(kind, address string, conns int, rate float64) error {
	t := tally{since: time.Now()}
	for i := 0; i < conns; i++ {
		c, err := connect(kind, address, i)
		if err != nil {
			return err
		}
		t.workers = append(t.workers, &worker{client: c})
	}
	began := time.Now()
	for i, w := range t.workers {
		if rate > 0 {
			go w.open(i, conns, began, rate)
		} else {
			go w.closed(i, conns)
		}
	}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		t.tell()
	}
	return nil
}

func run() error {
	conns := flag.Int("conns", 8, "connections")
	rate := flag.Float64("rate", 0, "requests per second, of all connections together; 0 is a closed loop")
	flag.Parse()
	if flag.NArg() != 2 || *conns < 1 {
		return fmt.Errorf("usage: loadgen [-conns N] [-rate N] etcd|nats|http HOST:PORT, or loadgen free N")
	}
	if flag.Arg(0) == "free" {
		n, err := strconv.Atoi(flag.Arg(1))
		if err != nil {
			return err
		}
		return free(n)
	}
	return load(flag.Arg(0), flag.Arg(1), *conns, *rate)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}
