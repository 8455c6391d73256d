// SPDX-License-Identifier: BSD-2-Clause

// Truth is a program that knows what it allocates.
//
// It allocates in every way the Go runtime has, and prints, as JSON on two lines, what a tracer that
// saw all of it must have seen: runtime.MemStats around marked phases, and for each site how many
// objects of what type and size, with the stack that runtime.Callers gave at the very site.
//
// The counts per site are not assumed: before the phases each site is run alone with the garbage
// collector off and held against MemStats; the program fails if this Go version allocates differently
// from what its table says.
//
// With -wait it prints "ready" when that is done, waits for a line, and counts from there on; after
// the results it waits for the end of its input. That is for a tracer that attaches to it.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

const (
	concurrent = 8   // goroutines of a phase
	maxDepth   = 400 // frames of a stack that are looked at
	maxPlaces  = 512 // (site, stack) pairs of one worker
	maxPCs     = 32768
)

// A worker runs sites and counts them. Its fields are where what is allocated goes, so that nothing
// can stay on the stack; it never allocates itself. One goroutine at a time uses it.
type worker struct {
	last   int // what at() returned
	sum    uint64
	places [maxPlaces]place
	pcs    [maxPCs]uintptr
	pcsNr  int
	sink
}

// A place is a site as reached through one stack.
type place struct {
	placeKey
	pcs   []uintptr // in worker.pcs
	count uint64
	bytes uint64 // where a site has no fixed size: what its operations said
}

type placeKey struct {
	site string
	hash uint64 // of pcs
}

var (
	boot       worker // of the main goroutine
	workers    [concurrent]worker
	goMinor    = minorVersion()
	marks      int // calls of ReadMemStats so far
	checkFails int
)

// At counts one operation of the site that calls it, by its stack. Sites call it on the very line
// that allocates: w.last, w.node = w.at("new"), new(node).
//
//go:noinline
func (w *worker) at(site string) int {
	var pcs [maxDepth]uintptr
	w.place(site, pcs[:runtime.Callers(2, pcs[:])]).count++
	return w.last + 1
}

// Full counts one operation if the slice an append is about to extend is full.
//
//go:noinline
func (w *worker) full(site string, length, capacity, elem int) int {
	if length == capacity {
		var pcs [maxDepth]uintptr
		p := w.place(site, pcs[:runtime.Callers(2, pcs[:])])
		p.count++
		w.growing = p
		w.growingElem = elem
	}
	return w.last + 1
}

// Grown completes a full(): only now the new capacity is known.
func (w *worker) grown(capacity int, scan bool) {
	if w.growing != nil {
		w.growing.bytes += slot(uintptr(capacity*w.growingElem), scan)
		w.growing = nil
	}
}

func (w *worker) place(site string, pcs []uintptr) *place {
	hash := uint64(14695981039346656037)
	for _, pc := range pcs {
		hash = (hash ^ uint64(pc)) * 1099511628211
	}
	for i := hash % maxPlaces; ; i = (i + 1) % maxPlaces {
		p := &w.places[i]
		if p.site == "" {
			p.site, p.hash = site, hash
			p.pcs = w.pcs[w.pcsNr : w.pcsNr+copy(w.pcs[w.pcsNr:], pcs)]
			w.pcsNr += len(p.pcs)
			if len(p.pcs) != len(pcs) {
				panic("no room for the stacks")
			}
			return p
		}
		if p.hash == hash && p.site == site {
			return p
		}
	}
}

// Mix makes the result depend on v. What is summed never depends on addresses or on timing.
func (w *worker) mix(v int) { w.sum = (w.sum ^ uint64(v)) * 1099511628211 }

func (w *worker) forget() {
	for i := range w.places {
		w.places[i].count = 0
		w.places[i].bytes = 0
	}
}

// readMemStats is the only caller of runtime.ReadMemStats, so marks can be found by number.
func readMemStats(m *runtime.MemStats) int {
	runtime.ReadMemStats(m)
	marks++
	return marks - 1
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

// Calibrate holds what each operation counts against MemStats, each alone.
func calibrate() {
	const times = 50
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for n := range ops {
		o := &ops[n]
		o.run(&boot, 0) // anything that is made only once
		var made, counted total
		ok := false
		// What the runtime allocates on its own in between is no fault of the site: a few tries.
		for try := 0; try < 5 && !ok; try++ {
			made, counted = measure(o, times)
			o.tiny = counted.tiny > 0
			ok = made.objects == counted.objects && (o.tiny || made.bytes == counted.bytes)
			if o.loose {
				ok = made.objects >= counted.objects && counted.objects > 0
			}
		}
		if !ok {
			fmt.Fprintf(os.Stderr, "truth: '%s': made %d objects, %d bytes, but counts %d, %d\n",
				o.name, made.objects, made.bytes, counted.objects, counted.bytes)
			checkFails++
		}
	}
}

type total struct {
	objects, bytes, tiny uint64
}

func measure(o *op, times int) (made, counted total) {
	var before, after runtime.MemStats
	was := boot.counted()
	readMemStats(&before)
	for i := 0; i < times; i++ {
		o.run(&boot, i)
	}
	readMemStats(&after)
	is := boot.counted()
	return total{after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc, 0},
		total{is.objects - was.objects, is.bytes - was.bytes, is.tiny - was.tiny}
}

// Counted is all that the worker counted so far.
func (w *worker) counted() (ret total) {
	for i := range w.places {
		p := &w.places[i]
		if p.count == 0 {
			continue
		}
		ret.bytes += p.bytes
		for _, o := range siteNamed(p.site).objects {
			ret.objects += p.count
			ret.bytes += p.count * o.bytes()
			if o.tiny() {
				ret.tiny += p.count
			}
		}
	}
	return ret
}

// CheckInlined makes sure that the compiler did inline what is meant to be.
func checkInlined() {
	for i := range boot.places {
		if p := &boot.places[i]; p.site == "inlined twice" {
			if f := framesOf(p.pcs); f[0].Inlined && f[1].Inlined && !f[2].Inlined {
				return
			}
		}
	}
	fmt.Fprintln(os.Stderr, "truth: what should be inlined is not")
	checkFails++
}

// A phase is a span of work between two calls of ReadMemStats, all of whose goroutines are joined.
type phase struct {
	Name       string  `json:"name"`
	From       int     `json:"from"` // numbers of the calls, from 0
	To         int     `json:"to"`
	NoTiny     bool    `json:"no_tiny"` // nothing in it is a tiny object: bytes are comparable
	Mallocs    uint64  `json:"mallocs"`
	TotalAlloc uint64  `json:"total_alloc"`
	NumGC      uint32  `json:"num_gc"`
	BySize     []class `json:"by_size"`
}

type class struct {
	Size    uint32 `json:"size"`
	Mallocs uint64 `json:"mallocs"`
}

func runPhase(name string, noTiny bool, work func(w *worker)) phase {
	var before, after runtime.MemStats
	var wg sync.WaitGroup
	from := readMemStats(&before)
	wg.Add(concurrent)
	for i := range workers {
		w := &workers[i]
		go func() {
			work(w)
			wg.Done()
		}()
	}
	wg.Wait()
	p := phase{Name: name, From: from, To: readMemStats(&after), NoTiny: noTiny}
	p.Mallocs = after.Mallocs - before.Mallocs
	p.TotalAlloc = after.TotalAlloc - before.TotalAlloc
	p.NumGC = after.NumGC - before.NumGC
	for i, c := range after.BySize {
		if n := c.Mallocs - before.BySize[i].Mallocs; n > 0 {
			p.BySize = append(p.BySize, class{c.Size, n})
		}
	}
	return p
}

// Steady runs the sites that make no tiny objects, and collects garbage in between.
func steady(w *worker) {
	for round := 0; round < 10; round++ {
		for i := range ops {
			if o := &ops[i]; !o.tiny && !o.loose {
				o.run(w, round)
			}
		}
		if w == &workers[0] {
			runtime.GC()
		}
	}
}

func everything(w *worker) {
	for round := 0; round < 4; round++ {
		for i := range ops {
			ops[i].run(w, round)
		}
		churn(w, round)
	}
}

type frame struct {
	Func    string `json:"func"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Inlined bool   `json:"inlined"`
}

// A seen site: what gallop must show for this stack and type.
type seen struct {
	Site    string  `json:"site"`
	Type    string  `json:"type"` // "" if the runtime is told none; a trailing * stands for any rest
	Objects uint64  `json:"objects"`
	Bytes   uint64  `json:"bytes"`
	Tiny    bool    `json:"tiny"` // then bytes are what was asked for
	Stack   []frame `json:"stack"`
}

func framesOf(pcs []uintptr) []frame {
	var ret []frame
	for frames := runtime.CallersFrames(pcs); ; {
		f, more := frames.Next()
		ret = append(ret, frame{f.Function, f.File, f.Line, f.Func == nil})
		if !more {
			return ret
		}
	}
}

// Collect merges what the workers counted through the same return addresses. Two entries can still
// look alike, where a line has two instructions that allocate.
func collect() (ret []*seen) {
	merged := map[placeKey]*place{}
	all := []*worker{&boot}
	for i := range workers {
		all = append(all, &workers[i])
	}
	for _, w := range all {
		for i := range w.places {
			p := &w.places[i]
			if p.count == 0 {
				continue
			}
			if same := merged[p.placeKey]; same != nil {
				same.count += p.count
				same.bytes += p.bytes
			} else {
				merged[p.placeKey] = p
			}
		}
	}
	for _, p := range merged {
		stack := framesOf(p.pcs)
		for _, o := range siteNamed(p.site).objects {
			ret = append(ret, &seen{p.site, o.typ, p.count, p.bytes + p.count*o.bytes(), o.tiny(), stack})
		}
	}
	return ret
}

// The last word: MemStats, after which the program allocates nothing any more until it exits.
func final(buf []byte, m *runtime.MemStats) {
	debug.SetGCPercent(-1)
	mark := readMemStats(m)
	field := func(name string, v uint64) {
		buf = append(buf, name...)
		buf = strconv.AppendUint(buf, v, 10)
	}
	field(`{"final":{"mark":`, uint64(mark))
	field(`,"mallocs":`, m.Mallocs)
	field(`,"total_alloc":`, m.TotalAlloc)
	for i := 1; i < len(m.BySize); i++ {
		if i == 1 {
			buf = append(buf, `,"by_size":[`...)
		} else {
			buf = append(buf, ',')
		}
		field(`{"size":`, uint64(m.BySize[i].Size))
		field(`,"mallocs":`, m.BySize[i].Mallocs)
		buf = append(buf, '}')
	}
	buf = append(buf, "]}}\n"...)
	if _, err := syscall.Write(1, buf); err != nil {
		os.Exit(1)
	}
}

func main() {
	wait := flag.Bool("wait", false, "print 'ready', wait for a line, count from there, exit at the end of input")
	flag.Parse()
	buf := make([]byte, 0, 1<<16)
	last := new(runtime.MemStats)
	stdin := bufio.NewReader(os.Stdin)

	boot.call = reflect.ValueOf(boot.reflected)
	for i := range workers {
		workers[i].call = reflect.ValueOf(workers[i].reflected)
	}
	calibrate()
	checkInlined()
	if checkFails > 0 {
		os.Exit(1)
	}
	boot.sum = 0
	var atReady int
	if *wait {
		boot.forget()
		fmt.Println("ready")
		atReady = marks
		if _, err := stdin.ReadString('\n'); err != nil {
			os.Exit(1)
		}
	}
	debug.SetGCPercent(20)
	phases := []phase{
		runPhase("steady", true, steady),
		runPhase("everything", false, everything),
	}
	for i := range workers {
		boot.mix(int(workers[i].sum))
	}
	err := json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"go":       runtime.Version(),
		"at_ready": atReady,
		"phases":   phases,
		"sites":    collect(),
		"checksum": strconv.FormatUint(boot.sum, 16),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "truth:", err)
		os.Exit(1)
	}
	final(buf, last)
	if *wait {
		_, _ = stdin.ReadString('\n')
	}
	os.Exit(0)
}
