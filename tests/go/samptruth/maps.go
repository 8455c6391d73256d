// SPDX-License-Identifier: BSD-2-Clause

package main

import "time"

// --- maps: assignments, by goroutines that windows slow down by very different factors. Only the last one allocates.

const mapKeys = 64

func (w *worker) assigned(site int) { w.counts[site].objects++ }

// Does nothing else.
//
//go:noinline
func maps0(w *worker, m map[uint64]uint64, key uint64) {
	m[key%mapKeys] = key
	w.assigned(0)
}

// Computes for some tens of microseconds in between.
//
//go:noinline
func maps1(w *worker, m map[uint64]uint32, key uint64) {
	m[key%mapKeys] = uint32(key)
	w.assigned(1)
}

// A few together, and then it waits for the clock.
//
//go:noinline
func maps2(w *worker, m map[uint32]uint32, key uint64) {
	m[uint32(key%mapKeys)] = uint32(key)
	w.assigned(2)
}

//go:noinline
func maps3(w *worker, m map[uint32]*head, key uint64) {
	h := &new(o64).head
	h.check = key
	m[uint32(key%mapKeys)] = h
	w.assigned(3)
}

func (r *run) worksUntilStopped(work func(w *worker)) {
	w := r.worker()
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		work(w)
	}()
}

func startMaps(r *run) {
	r.worksUntilStopped(func(w *worker) {
		m := make(map[uint64]uint64, mapKeys)
		for key := uint64(0); !r.stopped(); key++ {
			maps0(w, m, key)
		}
	})
	r.worksUntilStopped(func(w *worker) {
		m := make(map[uint64]uint32, mapKeys)
		for key := uint64(0); !r.stopped(); key++ {
			maps1(w, m, key)
			spin(40000)
		}
	})
	r.worksUntilStopped(func(w *worker) {
		m := make(map[uint32]uint32, mapKeys)
		for key := uint64(0); !r.stopped(); time.Sleep(2 * time.Millisecond) {
			for last := key + 8; key < last; key++ {
				maps2(w, m, key)
			}
		}
	})
	r.worksUntilStopped(func(w *worker) {
		m := make(map[uint32]*head, mapKeys)
		for key := uint64(0); !r.stopped(); key++ {
			maps3(w, m, key)
			time.Sleep(200 * time.Microsecond)
		}
	})
}
