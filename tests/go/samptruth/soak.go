// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"sync/atomic"
	"time"
)

// --- soak: a load that changes: one mode after the other, and pauses ---------------------------------------------------

var soakOrder = []string{"req", "burst", "", "power", "phase", "append", "alt", "", "large", "ts", "loop"}

// What a mode found wrong is added to a worker that does nothing else.
func startSoak(r *run) {
	total := r.worker()
	go func() {
		for at := int(r.seed); !r.stopped(); at++ {
			soakOne(r, soakOrder[at%len(soakOrder)], total)
		}
	}()
}

func soakOne(r *run, name string, total *worker) {
	part := &run{seed: r.seed, rate: r.rate, seconds: time.Second}
	for i := range modes {
		if modes[i].name == name {
			part.keys = modes[i].keys()
			modes[i].start(part)
		}
	}
	time.Sleep(r.seconds)
	atomic.StoreInt32(&part.stop, 1)
	part.wg.Wait()
	for _, w := range part.workers {
		atomic.AddUint64(&total.wrong, w.wrong)
	}
}
