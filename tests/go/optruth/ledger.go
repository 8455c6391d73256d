// SPDX-License-Identifier: BSD-2-Clause

package main

import "sort"

// The ledger: what a tracer must say of the calls of each function, where a call inside another one of the same
// function on the same goroutine is part of that.

// An op is what all calls of one function came to.
type op struct {
	Func        string `json:"func"`
	Calls       uint64 `json:"calls"` // that returned
	Panics      uint64 `json:"panics"`
	Goexits     uint64 `json:"goexits"`
	Open        uint64 `json:"open"`         // that are under way at the end
	BeganBefore uint64 `json:"began_before"` // the tracer came, and returned since
	Objects     uint64 `json:"objects"`      // of those that returned
	Bytes       uint64 `json:"bytes"`
	Unended     uint64 `json:"unended_objects"` // of those that did not
	Tiny        bool   `json:"tiny"`            // only the sum of the bytes is known
	Blocks      bool   `json:"blocks"`          // so the runtime may allocate something, too
	OfObjects   *stat  `json:"of_objects"`
	OfBytes     *stat  `json:"of_bytes"` // unless tiny

	// In nanoseconds: of the bodies alone, and of the calls with all around them; 0: not measured.
	InnerNS  uint64 `json:"inner_ns"`
	OuterNS  uint64 `json:"outer_ns"`
	PauseNS  uint64 `json:"pause_ns"`
	AssistNS uint64 `json:"assist_ns"`

	objects, bytes distribution
}

// A distribution is how many calls have a value.
type distribution map[uint64]uint64

type stat struct {
	P50 uint64 `json:"p50"`
	P90 uint64 `json:"p90"`
	P99 uint64 `json:"p99"`
	Max uint64 `json:"max"`
}

var ledger []*op

func opNamed(name string) *op {
	for _, o := range ledger {
		if o.Func == name {
			return o
		}
	}
	o := &op{Func: name, objects: distribution{}, bytes: distribution{}}
	ledger = append(ledger, o)
	return o
}

// At finds the value of a rank, from 1 up.
func (d distribution) at(rank uint64) uint64 {
	values := make([]uint64, 0, len(d))
	for v := range d {
		values = append(values, v)
	}
	sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
	for _, v := range values {
		if rank <= d[v] {
			return v
		}
		rank -= d[v]
	}
	return 0
}

func (d distribution) stat(n uint64) *stat {
	percentile := func(p uint64) uint64 { return d.at((n*p + 99) / 100) }
	return &stat{percentile(50), percentile(90), percentile(99), d.at(n)}
}

func truth() []*op {
	for _, o := range ledger {
		o.OfObjects = o.objects.stat(o.Calls)
		if !o.Tiny {
			o.OfBytes = o.bytes.stat(o.Calls)
		}
	}
	return ledger
}

type ending int

const (
	returns ending = iota
	panics
	leaves // with its goroutine
	stays  // until the end
	early  // returns too, but may have begun before the tracer came
)

func (o *op) ended(how ending, objects, bytes uint64) {
	if how == early && !attached {
		how = returns
	}
	switch how {
	case returns:
		o.Calls++
		o.Objects += objects
		o.Bytes += bytes
		o.objects[objects]++
		o.bytes[bytes]++
		return
	case panics:
		o.Panics++
	case leaves:
		o.Goexits++
	case stays:
		o.Open++
	case early:
		o.BeganBefore++
		return
	}
	o.Unended += objects
}
