// SPDX-License-Identifier: BSD-2-Clause

// Opserver is an HTTP server that puts itself under load, and counts what its handler is asked.
//
// Clients in the same process send a number of requests over connections that are kept alive; some ask for a path
// whose handler panics, as net/http allows, which ends their connection. It prints as JSON how many requests and
// connections there were.
//
//	opserver [-wait]	with -wait it prints "ready" and begins when it reads a line; after the result it waits
//				for the end of its input
//	opserver -bench		prints what package testing says of the handler
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

type line struct {
	Name  string `json:"name"`
	Price int    `json:"price"`
}

type order struct {
	ID    int            `json:"id"`
	Lines []*line        `json:"lines"`
	Stock map[string]int `json:"stock"`
	Note  string         `json:"note"`
}

type handler struct {
	requests, aborted uint64
}

// ServeHTTP does what services do: it reads a query, fills a map, builds text and encodes JSON.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	atomic.AddUint64(&h.requests, 1)
	id, err := strconv.Atoi(r.URL.Query().Get("id"))
	if err != nil {
		http.Error(w, "no id", http.StatusBadRequest)
		return
	}
	if r.URL.Path == "/abort" {
		atomic.AddUint64(&h.aborted, 1)
		panic(http.ErrAbortHandler)
	}
	o := order{ID: id, Stock: map[string]int{}}
	var note strings.Builder
	for i := 0; i < 10; i++ {
		name := "item " + strconv.Itoa(1000+i)
		o.Lines = append(o.Lines, &line{name, i})
		o.Stock[name] = i
		note.WriteString(name)
	}
	o.Note = note.String()
	body, err := json.Marshal(&o)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err = w.Write(body); err != nil {
		fmt.Fprintln(os.Stderr, "opserver:", err)
	}
}

// --- load -------------------------------------------------------------------------------------------

const (
	clients    = 4
	perClient  = 500
	abortEvery = 50
)

type server struct {
	http.Server
	handler     handler
	url         string
	connections uint64
	closed      uint64
}

func (s *server) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		atomic.AddUint64(&s.connections, 1)
	case http.StateClosed:
		atomic.AddUint64(&s.closed, 1)
	}
}

func start() (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://" + l.Addr().String()}
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) })
	s.ConnState = s.count
	go s.Serve(l)
	return s, nil
}

// Ask for something; only a request to be aborted may fail.
func (s *server) ask(client *http.Client, path string, id int) error {
	resp, err := client.Get(s.url + path + "?id=" + strconv.Itoa(id))
	if path == "/abort" {
		if err == nil {
			resp.Body.Close()
			return fmt.Errorf("'%s' was answered", path)
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), `{"id":`+strconv.Itoa(id)+`,`)) {
		err = fmt.Errorf("answer %d: '%s'", resp.StatusCode, body)
	}
	return err
}

func (s *server) client() (err error) {
	client := http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for i := 1; i <= perClient && err == nil; i++ {
		path := "/order"
		if i%abortEvery == 0 {
			path = "/abort"
		}
		err = s.ask(&client, path, i)
	}
	return err
}

// Load returns when all connections are closed, and nothing serves them any more.
func (s *server) load() error {
	before := runtime.NumGoroutine()
	errs := make(chan error, clients)
	var all sync.WaitGroup
	all.Add(clients)
	for i := 0; i < clients; i++ {
		go func() {
			defer all.Done()
			if err := s.client(); err != nil {
				errs <- err
			}
		}()
	}
	all.Wait()
	for atomic.LoadUint64(&s.closed) < atomic.LoadUint64(&s.connections) || runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// --- benchmark --------------------------------------------------------------------------------------

// A recorder has room for all that the handler writes, as a connection has.
func newRecorder() *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.Body.Grow(4096)
	return w
}

func bench() map[string]interface{} {
	testing.Init()
	h := &handler{}
	if err := flag.Set("test.benchtime", "2000x"); err != nil {
		panic(err)
	}
	r := testing.Benchmark(func(b *testing.B) {
		requests := make([]*http.Request, b.N)
		recorders := make([]*httptest.ResponseRecorder, b.N)
		for i := range requests {
			requests[i] = &http.Request{Method: "GET", URL: &url.URL{Path: "/order", RawQuery: "id=" + strconv.Itoa(i)}}
			recorders[i] = newRecorder()
		}
		b.ResetTimer()
		for i := range requests {
			h.ServeHTTP(recorders[i], requests[i])
		}
	})
	return map[string]interface{}{"go": runtime.Version(), "allocs_per_op": r.AllocsPerOp(), "bytes_per_op": r.AllocedBytesPerOp()}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "opserver:", err)
		os.Exit(1)
	}
}

func main() {
	wait := flag.Bool("wait", false, "print 'ready' and begin at a line that is read, end at the end of input")
	benchMode := flag.Bool("bench", false, "measure the handler with package testing")
	flag.Parse()
	if *benchMode {
		fail(json.NewEncoder(os.Stdout).Encode(bench()))
		return
	}
	stdin := bufio.NewReader(os.Stdin)
	s, err := start()
	fail(err)
	if *wait {
		fmt.Println("ready")
		_, err = stdin.ReadString('\n')
		fail(err)
	}
	fail(s.load())
	fail(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"go":          runtime.Version(),
		"requests":    s.handler.requests,
		"aborted":     s.handler.aborted,
		"connections": s.connections,
	}))
	if *wait {
		stdin.ReadString('\n')
	}
}
