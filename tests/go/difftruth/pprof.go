// SPDX-License-Identifier: BSD-2-Clause

//go:build pprof

package main

import (
	"os"
	"runtime/pprof"
)

// The runtime takes samples of what is allocated where something can ask for them.
func init() {
	if len(os.Args) > 100 {
		pprof.Lookup("allocs").WriteTo(os.Stdout, 1)
	}
}
