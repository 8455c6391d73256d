// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"flag"
	"runtime/debug"
	"testing"
)

// What Go's own measures say of a function.
type benchmark struct {
	Func         string `json:"func"`
	AllocsPerRun uint64 `json:"allocs_per_run"` // both are means, rounded down
	AllocsPerOp  uint64 `json:"allocs_per_op"`
	BytesPerOp   uint64 `json:"bytes_per_op"`
}

// Of the phases that are nothing but a call.
func benchmarks(phases []phase) (ret []benchmark) {
	testing.Init()
	debug.SetGCPercent(100)
	// So many that what the measuring allocates is less than one of anything for each.
	if err := flag.Set("test.benchtime", "10000x"); err != nil {
		complain("%v", err)
	}
	for i := range phases {
		p := &phases[i]
		if len(p.parts) == 1 && p.parts[0].times == 1 && p.parts[0].ends == returns && p.apart == 0 && p.sizes != others {
			ret = append(ret, measure(p))
		}
	}
	return ret
}

func measure(p *phase) benchmark {
	i := 0
	runs := testing.AllocsPerRun(p.runs, func() {
		p.run(i)
		i++
	})
	r := testing.Benchmark(func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			p.run(i)
		}
	})
	return benchmark{p.parts[0].fn, uint64(runs), uint64(r.AllocsPerOp()), uint64(r.AllocedBytesPerOp())}
}
