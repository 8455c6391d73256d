// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unsafe"
)

// After so many nanoseconds without a cycle the runtime starts one (runtime/proc.go, forcegcperiod).
const twoMinutes = 2 * 60 * 1e9

// ForcedPeriod finds the runtime's variable of that value. Since Go 1.23 the linker refuses to name it
// from outside, and a stripped binary has no name for it; but no other word of the initialised data has
// this value, in any version. If one has, nil is returned.
func forcedPeriod() *int64 {
	var found *int64
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer maps.Close()
	exe, _ := os.Readlink("/proc/self/exe")
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uintptr
		f := strings.Fields(lines.Text())
		if len(f) < 6 || f[5] != exe || f[1] != "rw-p" {
			continue
		}
		if _, err := fmt.Sscanf(f[0], "%x-%x", &from, &to); err != nil {
			return nil
		}
		for ; from < to; from += 8 {
			word := *(**int64)(unsafe.Pointer(&from))
			if *word == twoMinutes {
				if found != nil {
					return nil
				}
				found = word
			}
		}
	}
	return found
}
