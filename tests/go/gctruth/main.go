// SPDX-License-Identifier: BSD-2-Clause

// Gctruth is a program that knows its garbage collections, and every other stop of its world.
//
// It starts a cycle in every way there is and stops the world for every reason that a program can
// give, each a known number of times from a function of its own, and prints as one line of JSON what a
// tracer that saw all of it must have seen. What it expects is not assumed: the runtime's own counters
// (MemStats, and the histograms of pauses in runtime/metrics) must agree, or the program fails.
//
//	gctruth [-wait]	with -wait it collects a little, prints "ready", waits for a line, and counts
//			from there on; after the result it waits for the end of its input
//	gctruth -busy	collects and stops without end; prints "ready", and for each line "more" that it
//			reads a line "more" some cycles later; at the end of input, or when it reads
//			anything else, it says when it called what, and the pauses
//	gctruth -rounds	prints "ready"; for each line it reads, which is a GOGC, it does the same work full of
//			garbage, and prints how many nanoseconds that took
//	gctruth -spin	prints "ready"; for each line it reads, which is a number of seconds, it does nothing but
//			collect, and prints what the runtime counted
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

const noLimit = math.MaxInt64

// A phase is a span of cycles, From < number <= To, all of them started for the same reason.
type phase struct {
	Name    string   `json:"name"`
	Trigger string   `json:"trigger"`
	Func    string   `json:"func"`  // must be on the stack of whoever started them
	Goids   []uint64 `json:"goids"` // of these goroutines; none: any
	From    uint32   `json:"from"`
	To      uint32   `json:"to"`
}

// Stops of the world, without those of the garbage collector. Reason is what newer runtimes call it.
type stops struct {
	Reason string `json:"reason"`
	Func   string `json:"func"`
	Count  uint64 `json:"count"`
}

type pause struct {
	Number uint32 `json:"number"`
	NS     uint64 `json:"ns"`
}

// Counts are what the runtime says about all its cycles and stops so far.
type counts struct {
	NumGC      uint32  `json:"num_gc"`
	NumForced  uint32  `json:"num_forced"`
	PauseTotal uint64  `json:"pause_total_ns"`
	GCStops    *uint64 `json:"gc_stops"`
	OtherStops *uint64 `json:"other_stops"` // since Go 1.22
	Assist     *uint64 `json:"assist_ns"`   // since Go 1.20
}

type result struct {
	Go       string   `json:"go"`
	Checksum string   `json:"checksum"`
	Procs    int      `json:"procs"`
	Before   counts   `json:"before"`
	After    counts   `json:"after"`
	Phases   []phase  `json:"phases"`
	Pauses   []pause  `json:"pauses"`
	Stops    []stops  `json:"stops"`
	Burners  []string `json:"burners"` // what was made to assist
	Others   []string `json:"others"`  // what else allocates much, and may have assisted
}

var (
	out      result
	checksum uint64
	goMinor  = minorVersion()
	failed   bool
)

func complain(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "gctruth: "+format+"\n", args...)
	failed = true
}

func minorVersion() int {
	v := strings.TrimPrefix(runtime.Version(), "go1.")
	n := 0
	for n < len(v) && v[n] >= '0' && v[n] <= '9' {
		n++
	}
	minor, err := strconv.Atoi(v[:n])
	if err != nil {
		panic("unknown version " + runtime.Version())
	}
	return minor
}

// --- what the runtime says --------------------------------------------------------------------------

// Look reads MemStats, one more stop of the world, and takes the pauses of the cycles since the last look.
//
//go:noinline
func look() counts {
	var m runtime.MemStats
	stopped("read mem stats", "main.look", 1)
	runtime.ReadMemStats(&m)
	if m.NumGC-lookedAt > uint32(len(m.PauseNs)) {
		complain("%d cycles between two looks", m.NumGC-lookedAt)
	}
	for ; lookedAt < m.NumGC; lookedAt++ {
		out.Pauses = append(out.Pauses, pause{lookedAt + 1, m.PauseNs[lookedAt%256]})
	}
	c := counts{NumGC: m.NumGC, NumForced: m.NumForcedGC, PauseTotal: m.PauseTotalNs}
	if goMinor >= 22 {
		c.GCStops = histogram("/sched/pauses/total/gc:seconds")
		c.OtherStops = histogram("/sched/pauses/total/other:seconds")
	} else {
		c.GCStops = histogram("/gc/pauses:seconds")
	}
	c.Assist = seconds("/cpu/classes/gc/mark/assist:cpu-seconds")
	return c
}

var lookedAt uint32

func metric(name string) metrics.Value {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value
}

// How many values a histogram holds; nil if this runtime hasn't got it.
func histogram(name string) *uint64 {
	v := metric(name)
	if v.Kind() != metrics.KindFloat64Histogram {
		return nil
	}
	sum := new(uint64)
	for _, n := range v.Float64Histogram().Counts {
		*sum += n
	}
	return sum
}

func seconds(name string) *uint64 {
	v := metric(name)
	if v.Kind() != metrics.KindFloat64 {
		return nil
	}
	ns := uint64(math.Round(v.Float64() * 1e9))
	return &ns
}

// --- what was done ----------------------------------------------------------------------------------

func stopped(reason, fn string, n uint64) {
	for i := range out.Stops {
		if s := &out.Stops[i]; s.Reason == reason && s.Func == fn {
			s.Count += n
			return
		}
	}
	out.Stops = append(out.Stops, stops{reason, fn, n})
}

// Quiet ends collecting: when it returns no cycle is under way, and none will start by itself. The limit
// stays until the last cycle has ended, for its goal is what it is at the end.
func quiet() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(noLimit)
}

// Collecting runs one phase. All the cycles that work starts must be of the one kind.
func collecting(name, trigger, fn string, atLeast uint32, work func() []uint64) {
	before := look()
	p := phase{Name: name, Trigger: trigger, Func: fn, From: before.NumGC}
	p.Goids = work()
	quiet()
	after := look()
	p.To = after.NumGC
	out.Phases = append(out.Phases, p)
	forced := after.NumForced - before.NumForced
	switch trigger {
	case "runtime.GC", "debug.FreeOSMemory":
		if forced != p.To-p.From {
			complain("'%s': %d of %d cycles were forced", name, forced, p.To-p.From)
		}
	default:
		if forced != 0 {
			complain("'%s': %d cycles were forced", name, forced)
		}
	}
	if p.To-p.From < atLeast {
		complain("'%s': %d cycles, not even %d", name, p.To-p.From, atLeast)
	}
}

// Expect holds the runtime's counters against what this program believes to have done.
func expect() {
	var known uint64
	for _, s := range out.Stops {
		known += s.Count
	}
	known-- // the first look itself: the counters are of after it
	if out.After.OtherStops != nil && *out.After.OtherStops-*out.Before.OtherStops != known {
		complain("the runtime knows %d other stops, this program %d", *out.After.OtherStops-*out.Before.OtherStops, known)
	}
	var forced uint32
	at := out.Before.NumGC
	for _, p := range out.Phases {
		if p.From != at {
			complain("cycles of no phase before '%s'", p.Name)
		}
		at = p.To
		if p.Trigger == "runtime.GC" || p.Trigger == "debug.FreeOSMemory" {
			forced += p.To - p.From
		}
	}
	if at != out.After.NumGC || forced != out.After.NumForced-out.Before.NumForced {
		complain("cycles to %d, %d forced; the phases say to %d, %d forced", out.After.NumGC,
			out.After.NumForced-out.Before.NumForced, at, forced)
	}
	var sum uint64
	for _, p := range out.Pauses {
		sum += p.NS
	}
	if sum != out.After.PauseTotal-out.Before.PauseTotal {
		complain("PauseNs adds up to %d, PauseTotalNs grew by %d", sum, out.After.PauseTotal-out.Before.PauseTotal)
	}
}

func everything() {
	out.Pauses, out.Stops, out.Phases = nil, nil, nil
	out.Before = look()
	growing()
	asking()
	mixing()
	limited()
	timed()
	stopping()
	assisting()
	out.After = look()
	expect()
	out.Burners = []string{"main.burnLittle", "main.burnMuch"}
	out.Others = []string{"main.grow", "main.crowd"}
	out.Go = runtime.Version()
	out.Procs = runtime.GOMAXPROCS(0)
	out.Checksum = fmt.Sprintf("%016x", checksum)
}

// Some cycles, stops and assists that are nobody's business.
func before() {
	collectHere()
	readStats()
	dumpStacks()
	assisting()
	look()
}

func main() {
	wait := flag.Bool("wait", false, "count from a line that is read, exit at the end of input")
	busyMode := flag.Bool("busy", false, "collect and stop until a line is read")
	roundsMode := flag.Bool("rounds", false, "for each line that is read do some work and time it")
	spinMode := flag.Bool("spin", false, "collect for as many seconds as each line says")
	flag.Parse()
	stdin := bufio.NewReader(os.Stdin)
	quiet()
	if *spinMode {
		spin(stdin)
		return
	}
	kept = keep()

	switch {
	case *busyMode:
		busy(stdin)
		return
	case *roundsMode:
		rounds(stdin)
		return
	case *wait:
		before()
		checksum = 0
		fmt.Println("ready")
		if _, err := stdin.ReadString('\n'); err != nil {
			os.Exit(1)
		}
	}
	everything()
	if failed {
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(&out); err != nil {
		os.Exit(1)
	}
	if *wait {
		stdin.ReadString('\n')
	}
	runtime.KeepAlive(kept)
}
