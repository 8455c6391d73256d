// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"math"
	"sync/atomic"
	"time"
)

type (
	o32 struct {
		head
		room [16]byte
	}
	o48 struct {
		head
		room [32]byte
	}
	o64 struct {
		head
		room [48]byte
	}
	o96 struct {
		head
		room [80]byte
	}
	o128 struct {
		head
		room [112]byte
	}
	o256 struct {
		head
		room [240]byte
	}
	o1024 struct {
		head
		room [1008 - 8]byte // from Go 1.22 on there are 8 bytes before such an object
	}
)

// --- alt: two sites, strictly in turn: whatever looks at each n-th object sees one of them, if n is even ------------

//go:noinline
func alt0(w *worker) { w.keep(0, &new(o64).head, 64) }

//go:noinline
func alt1(w *worker) { w.keep(1, &new(o64).head, 64) }

func startAlt(r *run) {
	w := r.worker()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for !r.stopped() {
			alt0(w)
			alt1(w)
		}
	}()
}

// --- ts: a tight loop beside a goroutine that allocates a thousandth as often ---------------------------------------

//go:noinline
func ts0(w *worker) { w.keep(0, &new(o64).head, 64) }

//go:noinline
func ts1(w *worker) { w.keep(1, &new(o64).head, 64) }

// Its share of the bytes is over 1 %.
//
//go:noinline
func ts2(w *worker) { w.keep(2, &new(o1024).head, 1024) }

func startTightSlow(r *run) {
	tight, slow := r.worker(), r.worker()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for !r.stopped() {
			ts0(tight)
		}
	}()
	// By the tight loop's count, so that the ratio holds on each machine.
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for due := uint64(1000); !r.stopped(); {
			spin(10000)
			for now := atomic.LoadUint64(&tight.counts[0].objects); due <= now && !r.stopped(); due += 1000 {
				ts1(slow)
				ts2(slow)
				spin(1000)
			}
		}
	}()
}

// --- tt: two tight loops, of which one does three times as much between its objects ----------------------------------

//go:noinline
func tt0(w *worker) { w.keep(0, &new(o48).head, 48) }

//go:noinline
func tt1(w *worker) { w.keep(1, &new(o48).head, 48) }

func startTwoTight(r *run) {
	fast, slower := r.worker(), r.worker()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for !r.stopped() {
			tt0(fast)
		}
	}()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for !r.stopped() {
			tt1(slower)
			spin(40)
		}
	}()
}

// --- phase: each second other sites, and other rates ------------------------------------------------------------------

//go:noinline
func phase0(w *worker) { w.keep(0, &new(o64).head, 64) }

//go:noinline
func phase1(w *worker) { w.keep(1, &new(o64).head, 64) }

//go:noinline
func phase2(w *worker) { w.keep(2, &new(o128).head, 128) }

//go:noinline
func phase3(w *worker) { w.keep(3, &new(o128).head, 128) }

// How often each site is met, and how long is computed before the next round.
var phases = []struct {
	times [4]int
	work  int
}{
	{[4]int{10, 1, 4, 1}, 200},
	{[4]int{1, 8, 1, 4}, 2000},
	{[4]int{4, 1, 10, 1}, 500},
	{[4]int{1, 4, 1, 8}, 5000},
}

func startPhases(r *run) {
	w := r.worker()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for at := int(r.seed); !r.stopped(); at++ {
			p := &phases[at%len(phases)]
			for end := time.Now().Add(r.seconds); time.Now().Before(end) && !r.stopped(); spin(p.work) {
				each(p.times[0], phase0, w)
				each(p.times[1], phase1, w)
				each(p.times[2], phase2, w)
				each(p.times[3], phase3, w)
			}
		}
	}()
}

func each(n int, site func(*worker), w *worker) {
	for i := 0; i < n; i++ {
		site(w)
	}
}

// --- large: rare buffers of 1 MiB among millions of small objects -----------------------------------------------------

//go:noinline
func large0(w *worker) { w.keep(0, &new(o64).head, 64) }

//go:noinline
func large1(w *worker) { w.keep(1, &new(o128).head, 128) }

type buffer struct {
	head
	room [1<<20 - 16]byte
}

//go:noinline
func large2(w *worker) { w.keep(2, &new(buffer).head, 1<<20) }

func startLarge(r *run) {
	small, big := r.worker(), r.worker()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for !r.stopped() {
			large0(small)
			large0(small)
			large1(small)
		}
	}()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for !r.stopped() {
			time.Sleep(5*time.Millisecond + time.Duration(big.next()%1e7))
			large2(big)
		}
	}()
}

// --- append: one stack, many size classes ------------------------------------------------------------------------------

// What append made room for in w.grown, if it did.
func (w *worker) grew(site int, before, now []uint64) []uint64 {
	if cap(now) != cap(before) {
		c := &w.counts[site]
		c.objects++
		c.bytes += uint64(cap(now)) * 8
	}
	return now
}

//go:noinline
func append0(w *worker, s []uint64, v uint64) []uint64 { return w.grew(0, s, append(s, v)) }

//go:noinline
func append1(w *worker, s []uint64, v uint64) []uint64 { return w.grew(1, s, append(s, v, v)) }

//go:noinline
func append2(w *worker, s []uint64, v uint64) []uint64 { return w.grew(2, s, append(s, v, v, v)) }

//go:noinline
func append3(w *worker, s []uint64, v uint64) []uint64 { return w.grew(3, s, append(s, v)) }

//go:noinline
func append4(w *worker, s []uint64, v uint64) []uint64 { return w.grew(4, s, append(s, v, v)) }

//go:noinline
func append5(w *worker, s []uint64, v uint64) []uint64 { return w.grew(5, s, append(s, v, v, v)) }

func startAppend(r *run) {
	grow := [...]func(*worker, []uint64, uint64) []uint64{append0, append1, append2, append3, append4, append5}
	w := r.worker()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for !r.stopped() {
			s := w.first[:0]
			f := grow[w.next()%uint64(len(grow))]
			// From two words, which are at hand, to 4,096: as many of each size.
			for end := int(math.Exp2(1 + 11*float64(w.next()>>11)/(1<<53))); len(s) < end; {
				s = f(w, s, w.next())
			}
			for i := 1; i < len(s); i++ {
				if s[i] == 0 {
					w.wrong++
				}
			}
		}
	}()
}

// --- burst: nearly idle, then a thousand times as much for a tenth of a second ------------------------------------------

//go:noinline
func burst0(w *worker) { w.keep(0, &new(o64).head, 64) }

//go:noinline
func burst1(w *worker) { w.keep(1, &new(o128).head, 128) }

//go:noinline
func burst2(w *worker) { w.keep(2, &new(o64).head, 64) }

func burst(w *worker, n int) {
	for i := 0; i < n; i++ {
		burst1(w)
		burst2(w)
		spin(100)
	}
}

func startBurst(r *run) {
	w := r.worker()
	rate := r.rate
	if rate <= 0 {
		rate = 1
	}
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for !r.stopped() {
			pause := time.Duration(float64(time.Second) / float64(rate) * (0.5 + float64(w.next()>>11)/(1<<53)))
			for end := time.Now().Add(pause); time.Now().Before(end) && !r.stopped(); {
				burst0(w)
				time.Sleep(500 * time.Microsecond)
			}
			for began := time.Now(); time.Since(began) < 100*time.Millisecond && !r.stopped(); {
				before := time.Now()
				burst(w, 100)
				w.bursts += uint64(time.Since(before))
			}
		}
	}()
}

// --- loop: nothing but an allocation --------------------------------------------------------------------------------

//go:noinline
func loop0(w *worker) { w.keep(0, new(head), 16) }

func startLoop(r *run) {
	w := r.worker()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for !r.stopped() {
			loop0(w)
		}
	}()
}
