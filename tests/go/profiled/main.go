// SPDX-License-Identifier: BSD-2-Clause

// Profiled is a program whose runtime samples its allocations, and which knows how often it did.
//
// It prints "ready" and waits for a line, allocates small objects, and prints {"sampled":N}: how many objects the
// runtime's own profile has got since, by its raw counts. Then it waits for the end of its input.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
)

const objects = 300000

var (
	sink    [64]*[100]byte
	records = make([]runtime.MemProfileRecord, 4096)
)

// Sampled is how many objects the profile has. It is published two collections after the fact.
func sampled() (n int64) {
	for i := 0; i < 3; i++ {
		runtime.GC()
	}
	nr, ok := runtime.MemProfile(records, true)
	if !ok {
		panic("more stacks than expected")
	}
	for _, r := range records[:nr] {
		n += r.AllocObjects
	}
	return n
}

func main() {
	runtime.MemProfileRate = 4096
	input := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	input.ReadString('\n')
	before := sampled()
	for i := 0; i < objects; i++ {
		sink[i%len(sink)] = new([100]byte)
	}
	n := sampled() - before
	fmt.Printf("{\"sampled\":%d}\n", n)
	input.ReadString('\n')
}
