// SPDX-License-Identifier: BSD-2-Clause

// Samptruth allocates in patterns that mislead samplers, and counts what each of its sites has allocated: the truth
// that an estimate is held against, while it goes on.
//
//	samptruth [-seed N] [-rate N] [-seconds N] MODE
//
// It prints "ready" and works until its input ends. For each line "truth FILE" of its input it writes what it has
// allocated so far to FILE, as one line of JSON, and prints "done":
//
//	{"mono_ns":N,"rate":N,"mallocs":N,"total_alloc":N,"gc":N,"burst_ns":N,"wrong":N,"by":"func","sites":[{"key":...,"objects":N,"bytes":N}]}
//
// Of the mode maps, objects are assignments to maps. rate is runtime.MemProfileRate, mallocs and total_alloc are runtime.MemStats; bytes are those of the slots. A site is
// found in a stack by its leaf, "main.alt0", or by its line too where by is "line", and by the
// line that called it where by is "lines": "main.powerLeaf:12 main.powerWay:34". burst_ns is for how long there were
// bursts. wrong counts objects that did not hold what was put into them.
//
// Built with the tag pprof it has net/http/pprof, as most servers do, and the runtime takes samples; built without,
// the linker finds no use of runtime.MemProfile and turns them off.
//
// Each counter is written by one goroutine and read by another without a lock: a reader may be a few objects behind,
// and the work isn't slowed. It must compile with Go 1.19.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A mode has sites, and starts goroutines that work until stopped() says so.
type mode struct {
	name  string
	by    string // what tells its sites apart: "func", "line" or "lines"
	keys  func() []string
	start func(r *run)
}

var modes = []mode{
	{"alt", "func", named("main.alt", 2), startAlt},
	{"ts", "func", named("main.ts", 3), startTightSlow},
	{"tt", "func", named("main.tt", 2), startTwoTight},
	{"phase", "func", named("main.phase", 4), startPhases},
	{"req", "line", requestKeys, startRequests},
	{"large", "func", named("main.large", 3), startLarge},
	{"power", "lines", powerKeys, startPower},
	{"append", "func", named("main.append", 6), startAppend},
	{"burst", "func", named("main.burst", 3), startBurst},
	{"loop", "func", named("main.loop", 1), startLoop},
	{"maps", "func", named("main.maps", 4), startMaps},
}

func named(prefix string, n int) func() []string {
	return func() []string {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = prefix + strconv.Itoa(i)
		}
		return keys
	}
}

// A run of a mode. Its workers add up to its counts.
type run struct {
	keys    []string
	workers []*worker
	seed    uint64
	rate    int           // of requests, bursts: the mode's own; 0 is its default
	seconds time.Duration // of a phase
	stop    int32
	wg      sync.WaitGroup
}

func (r *run) stopped() bool { return atomic.LoadInt32(&r.stop) != 0 }

type count struct{ objects, bytes uint64 }

// What one goroutine works with. It keeps its last objects, and looks at each once more before it lets it go.
type worker struct {
	run    *run
	counts []count
	ring   [64]*head
	seq    uint64
	wrong  uint64
	bursts uint64 // nanoseconds
	random uint64
	first  [2]uint64
	_      [64]byte // of the next one's cache line
}

func (r *run) worker() *worker {
	w := &worker{run: r, counts: make([]count, len(r.keys)), random: (r.seed+uint64(len(r.workers))*7919)*0x9e3779b97f4a7c15 | 1}
	for i := range w.ring {
		w.ring[i] = &head{check: sum(uint64(i))}
	}
	w.seq = uint64(len(w.ring))
	r.workers = append(r.workers, w)
	return w
}

// Objects begin with this. They have pointers, so that the collector looks at them.
type head struct {
	link  *head
	check uint64
}

func sum(seq uint64) uint64 { return seq * 0x9e3779b97f4a7c15 }

// Keep takes an object of a site, of this many bytes, in place of its oldest.
func (w *worker) keep(site int, h *head, bytes uint64) {
	at := w.seq % uint64(len(w.ring))
	if old := w.ring[at]; old.check != sum(w.seq-uint64(len(w.ring))) {
		w.wrong++
	}
	h.check = sum(w.seq)
	w.ring[at] = h
	w.seq++
	c := &w.counts[site]
	c.objects++
	c.bytes += bytes
}

// Xorshift64*; the library's would do, and costs more than some of what is measured here.
func (w *worker) next() uint64 {
	w.random ^= w.random >> 12
	w.random ^= w.random << 25
	w.random ^= w.random >> 27
	return w.random * 0x2545f4914f6cdd1d
}

var spun uint64

// Spin computes for about n times a nanosecond.
//
//go:noinline
func spin(n int) {
	x := uint64(n)
	for i := 0; i < n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	atomic.StoreUint64(&spun, x)
}

// The answers, made without an allocation.
type teller struct {
	stats  runtime.MemStats
	counts []count
	text   []byte
}

func monotonic() uint64 {
	var ts syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&ts)), 0)
	return uint64(ts.Sec)*1e9 + uint64(ts.Nsec)
}

func (t *teller) number(name string, v uint64) {
	t.text = append(t.text, name...)
	t.text = strconv.AppendUint(t.text, v, 10)
}

func (t *teller) tell(m *mode, r *run) []byte {
	var wrong, bursts uint64
	now := monotonic()
	runtime.ReadMemStats(&t.stats)
	for i := range t.counts {
		t.counts[i] = count{}
	}
	for _, w := range r.workers {
		wrong += atomic.LoadUint64(&w.wrong)
		bursts += atomic.LoadUint64(&w.bursts)
		for i := range w.counts {
			t.counts[i].objects += atomic.LoadUint64(&w.counts[i].objects)
			t.counts[i].bytes += atomic.LoadUint64(&w.counts[i].bytes)
		}
	}
	t.text = t.text[:0]
	t.number(`{"mono_ns":`, now)
	t.number(`,"rate":`, uint64(runtime.MemProfileRate))
	t.number(`,"mallocs":`, t.stats.Mallocs)
	t.number(`,"total_alloc":`, t.stats.TotalAlloc)
	t.number(`,"gc":`, uint64(t.stats.NumGC))
	t.number(`,"burst_ns":`, bursts)
	t.number(`,"wrong":`, wrong)
	t.text = append(append(append(t.text, `,"by":"`...), m.by...), `","sites":[`...)
	for i, key := range r.keys {
		if i > 0 {
			t.text = append(t.text, ',')
		}
		t.text = append(append(append(t.text, `{"key":"`...), key...), '"')
		t.number(`,"objects":`, t.counts[i].objects)
		t.number(`,"bytes":`, t.counts[i].bytes)
		t.text = append(t.text, '}')
	}
	t.text = append(t.text, "]}\n"...)
	return t.text
}

func answer(m *mode, r *run) {
	t := teller{counts: make([]count, len(r.keys)), text: make([]byte, 0, 1<<20)}
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) != 2 || words[0] != "truth" {
			fmt.Println("what?")
			continue
		}
		if err := os.WriteFile(words[1], t.tell(m, r), 0o644); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("done")
	}
}

// Garbage is collected every 64 MiB, not every 4: more than a thousand collections a second are no usual program.
var ballast = make([]byte, 64<<20)

// It takes several of the others in turn.
func init() {
	modes = append(modes, mode{"soak", "func", func() []string { return nil }, startSoak})
}

func main() {
	seed := flag.Uint64("seed", 1, "of what is random")
	rate := flag.Int("rate", 0, "requests per second (req), bursts per second (burst); 0 is the mode's own")
	seconds := flag.Float64("seconds", 1, "length of a phase (phase, soak)")
	flag.Parse()
	for i := range modes {
		m := &modes[i]
		if flag.NArg() != 1 || m.name != flag.Arg(0) {
			continue
		}
		r := &run{seed: *seed, rate: *rate, seconds: time.Duration(*seconds * 1e9), keys: m.keys()}
		m.start(r)
		answer(m, r)
		runtime.KeepAlive(ballast)
		return
	}
	fmt.Fprintln(os.Stderr, "usage: samptruth [-seed N] [-rate N] [-seconds N] alt|ts|tt|phase|req|large|power|append|burst|loop|maps|soak")
	os.Exit(2)
}
