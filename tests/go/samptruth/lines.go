// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"runtime"
	"sort"
	"strconv"
	"time"
)

// Sites that differ by line. Each such function says where it begins if it is called with -1: its case n is 2 (n + 1)
// lines after that.

func here() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

func lineKey(name string, first, n int) string { return name + ":" + strconv.Itoa(first+2*(n+1)) }

// --- req: a server's requests, of 300 objects from 40 sites in an order that is always the same ---------------------

const (
	requestSites   = 40
	requestObjects = 300
	requestWorkers = 64
	requestRate    = 500 // per second
	requestWork    = 600 // between two objects
)

func requestKeys() []string {
	keys := make([]string, requestSites)
	for i := range keys {
		keys[i] = lineKey("main.requestLeaf", requestLeaf(nil, -1), i)
	}
	return keys
}

func request(w *worker) {
	for i := 0; i < requestObjects; i++ {
		requestLeaf(w, i*requestSites/requestObjects)
		spin(requestWork)
	}
}

// Requests come by the clock, however long they take.
func startRequests(r *run) {
	rate := r.rate
	if rate <= 0 {
		rate = requestRate
	}
	requests := make(chan struct{}, 1<<16)
	for i := 0; i < requestWorkers; i++ {
		w := r.worker()
		r.wg.Add(1)
		go func() {
			defer r.wg.Done()
			for range requests {
				request(w)
			}
		}()
	}
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		defer close(requests)
		began, sent := time.Now(), 0
		for !r.stopped() {
			for due := int(time.Since(began).Seconds() * float64(rate)); sent < due; sent++ {
				requests <- struct{}{}
			}
			time.Sleep(time.Millisecond)
		}
	}()
}

// --- power: 2,000 sites, whose shares fall with their rank ------------------------------------------------------------

const (
	powerWays  = 50
	powerLeafs = 40
	powerSites = powerWays * powerLeafs
)

func powerKeys() []string {
	way, leaf := powerWay(nil, 0, -1), powerLeaf(nil, 0, -1)
	keys := make([]string, powerSites)
	for i := range keys {
		keys[i] = lineKey("main.powerLeaf", leaf, i%powerLeafs) + " " + lineKey("main.powerWay", way, i/powerLeafs)
	}
	return keys
}

// The site of rank n has a share of 1/n; which one that is depends on the seed.
func powerTable(w *worker) (sites []int, upTo []float64) {
	total := 0.0
	for i := 0; i < powerSites; i++ {
		sites = append(sites, i)
		total += 1 / float64(i+1)
		upTo = append(upTo, total)
	}
	for i := powerSites - 1; i > 0; i-- {
		j := int(w.next() % uint64(i+1))
		sites[i], sites[j] = sites[j], sites[i]
	}
	return sites, upTo
}

func startPower(r *run) {
	w := r.worker()
	sites, upTo := powerTable(w)
	// What is drawn, and in which order, is settled before: a search takes longer than an allocation.
	drawn := make([]uint16, 1<<18)
	for i := range drawn {
		at := sort.SearchFloat64s(upTo, upTo[powerSites-1]*float64(w.next()>>11)/(1<<53))
		drawn[i] = uint16(sites[at])
	}
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for at := 0; !r.stopped(); at++ {
			site := int(drawn[at%len(drawn)])
			powerWay(w, site, site/powerLeafs)
		}
	}()
}

//go:noinline
func requestLeaf(w *worker, at int) int {
	switch at {
	case -1:
		return here()
	case 0:
		w.keep(0, &new(o64).head, 64)
	case 1:
		w.keep(1, &new(o48).head, 48)
	case 2:
		w.keep(2, &new(o96).head, 96)
	case 3:
		w.keep(3, &new(o128).head, 128)
	case 4:
		w.keep(4, &new(o256).head, 256)
	case 5:
		w.keep(5, &new(o64).head, 64)
	case 6:
		w.keep(6, &new(o48).head, 48)
	case 7:
		w.keep(7, &new(o96).head, 96)
	case 8:
		w.keep(8, &new(o128).head, 128)
	case 9:
		w.keep(9, &new(o256).head, 256)
	case 10:
		w.keep(10, &new(o64).head, 64)
	case 11:
		w.keep(11, &new(o48).head, 48)
	case 12:
		w.keep(12, &new(o96).head, 96)
	case 13:
		w.keep(13, &new(o128).head, 128)
	case 14:
		w.keep(14, &new(o256).head, 256)
	case 15:
		w.keep(15, &new(o64).head, 64)
	case 16:
		w.keep(16, &new(o48).head, 48)
	case 17:
		w.keep(17, &new(o96).head, 96)
	case 18:
		w.keep(18, &new(o128).head, 128)
	case 19:
		w.keep(19, &new(o256).head, 256)
	case 20:
		w.keep(20, &new(o64).head, 64)
	case 21:
		w.keep(21, &new(o48).head, 48)
	case 22:
		w.keep(22, &new(o96).head, 96)
	case 23:
		w.keep(23, &new(o128).head, 128)
	case 24:
		w.keep(24, &new(o256).head, 256)
	case 25:
		w.keep(25, &new(o64).head, 64)
	case 26:
		w.keep(26, &new(o48).head, 48)
	case 27:
		w.keep(27, &new(o96).head, 96)
	case 28:
		w.keep(28, &new(o128).head, 128)
	case 29:
		w.keep(29, &new(o256).head, 256)
	case 30:
		w.keep(30, &new(o64).head, 64)
	case 31:
		w.keep(31, &new(o48).head, 48)
	case 32:
		w.keep(32, &new(o96).head, 96)
	case 33:
		w.keep(33, &new(o128).head, 128)
	case 34:
		w.keep(34, &new(o256).head, 256)
	case 35:
		w.keep(35, &new(o64).head, 64)
	case 36:
		w.keep(36, &new(o48).head, 48)
	case 37:
		w.keep(37, &new(o96).head, 96)
	case 38:
		w.keep(38, &new(o128).head, 128)
	case 39:
		w.keep(39, &new(o256).head, 256)
	}
	return 0
}

//go:noinline
func powerLeaf(w *worker, site, at int) int {
	switch at {
	case -1:
		return here()
	case 0:
		w.keep(site, new(head), 16)
	case 1:
		w.keep(site, &new(o32).head, 32)
	case 2:
		w.keep(site, &new(o48).head, 48)
	case 3:
		w.keep(site, &new(o64).head, 64)
	case 4:
		w.keep(site, &new(o96).head, 96)
	case 5:
		w.keep(site, &new(o128).head, 128)
	case 6:
		w.keep(site, &new(o256).head, 256)
	case 7:
		w.keep(site, &new(o1024).head, 1024)
	case 8:
		w.keep(site, new(head), 16)
	case 9:
		w.keep(site, &new(o32).head, 32)
	case 10:
		w.keep(site, &new(o48).head, 48)
	case 11:
		w.keep(site, &new(o64).head, 64)
	case 12:
		w.keep(site, &new(o96).head, 96)
	case 13:
		w.keep(site, &new(o128).head, 128)
	case 14:
		w.keep(site, &new(o256).head, 256)
	case 15:
		w.keep(site, &new(o1024).head, 1024)
	case 16:
		w.keep(site, new(head), 16)
	case 17:
		w.keep(site, &new(o32).head, 32)
	case 18:
		w.keep(site, &new(o48).head, 48)
	case 19:
		w.keep(site, &new(o64).head, 64)
	case 20:
		w.keep(site, &new(o96).head, 96)
	case 21:
		w.keep(site, &new(o128).head, 128)
	case 22:
		w.keep(site, &new(o256).head, 256)
	case 23:
		w.keep(site, &new(o1024).head, 1024)
	case 24:
		w.keep(site, new(head), 16)
	case 25:
		w.keep(site, &new(o32).head, 32)
	case 26:
		w.keep(site, &new(o48).head, 48)
	case 27:
		w.keep(site, &new(o64).head, 64)
	case 28:
		w.keep(site, &new(o96).head, 96)
	case 29:
		w.keep(site, &new(o128).head, 128)
	case 30:
		w.keep(site, &new(o256).head, 256)
	case 31:
		w.keep(site, &new(o1024).head, 1024)
	case 32:
		w.keep(site, new(head), 16)
	case 33:
		w.keep(site, &new(o32).head, 32)
	case 34:
		w.keep(site, &new(o48).head, 48)
	case 35:
		w.keep(site, &new(o64).head, 64)
	case 36:
		w.keep(site, &new(o96).head, 96)
	case 37:
		w.keep(site, &new(o128).head, 128)
	case 38:
		w.keep(site, &new(o256).head, 256)
	case 39:
		w.keep(site, &new(o1024).head, 1024)
	}
	return 0
}

//go:noinline
func powerWay(w *worker, site, way int) int {
	switch way {
	case -1:
		return here()
	case 0:
		powerLeaf(w, site, site%powerLeafs)
	case 1:
		powerLeaf(w, site, site%powerLeafs)
	case 2:
		powerLeaf(w, site, site%powerLeafs)
	case 3:
		powerLeaf(w, site, site%powerLeafs)
	case 4:
		powerLeaf(w, site, site%powerLeafs)
	case 5:
		powerLeaf(w, site, site%powerLeafs)
	case 6:
		powerLeaf(w, site, site%powerLeafs)
	case 7:
		powerLeaf(w, site, site%powerLeafs)
	case 8:
		powerLeaf(w, site, site%powerLeafs)
	case 9:
		powerLeaf(w, site, site%powerLeafs)
	case 10:
		powerLeaf(w, site, site%powerLeafs)
	case 11:
		powerLeaf(w, site, site%powerLeafs)
	case 12:
		powerLeaf(w, site, site%powerLeafs)
	case 13:
		powerLeaf(w, site, site%powerLeafs)
	case 14:
		powerLeaf(w, site, site%powerLeafs)
	case 15:
		powerLeaf(w, site, site%powerLeafs)
	case 16:
		powerLeaf(w, site, site%powerLeafs)
	case 17:
		powerLeaf(w, site, site%powerLeafs)
	case 18:
		powerLeaf(w, site, site%powerLeafs)
	case 19:
		powerLeaf(w, site, site%powerLeafs)
	case 20:
		powerLeaf(w, site, site%powerLeafs)
	case 21:
		powerLeaf(w, site, site%powerLeafs)
	case 22:
		powerLeaf(w, site, site%powerLeafs)
	case 23:
		powerLeaf(w, site, site%powerLeafs)
	case 24:
		powerLeaf(w, site, site%powerLeafs)
	case 25:
		powerLeaf(w, site, site%powerLeafs)
	case 26:
		powerLeaf(w, site, site%powerLeafs)
	case 27:
		powerLeaf(w, site, site%powerLeafs)
	case 28:
		powerLeaf(w, site, site%powerLeafs)
	case 29:
		powerLeaf(w, site, site%powerLeafs)
	case 30:
		powerLeaf(w, site, site%powerLeafs)
	case 31:
		powerLeaf(w, site, site%powerLeafs)
	case 32:
		powerLeaf(w, site, site%powerLeafs)
	case 33:
		powerLeaf(w, site, site%powerLeafs)
	case 34:
		powerLeaf(w, site, site%powerLeafs)
	case 35:
		powerLeaf(w, site, site%powerLeafs)
	case 36:
		powerLeaf(w, site, site%powerLeafs)
	case 37:
		powerLeaf(w, site, site%powerLeafs)
	case 38:
		powerLeaf(w, site, site%powerLeafs)
	case 39:
		powerLeaf(w, site, site%powerLeafs)
	case 40:
		powerLeaf(w, site, site%powerLeafs)
	case 41:
		powerLeaf(w, site, site%powerLeafs)
	case 42:
		powerLeaf(w, site, site%powerLeafs)
	case 43:
		powerLeaf(w, site, site%powerLeafs)
	case 44:
		powerLeaf(w, site, site%powerLeafs)
	case 45:
		powerLeaf(w, site, site%powerLeafs)
	case 46:
		powerLeaf(w, site, site%powerLeafs)
	case 47:
		powerLeaf(w, site, site%powerLeafs)
	case 48:
		powerLeaf(w, site, site%powerLeafs)
	case 49:
		powerLeaf(w, site, site%powerLeafs)
	}
	return 0
}
