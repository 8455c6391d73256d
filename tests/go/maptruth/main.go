// SPDX-License-Identifier: BSD-2-Clause

// Maptruth is a program that knows what it does to its maps.
//
// It makes, fills, clears and drains maps of every kind in every way, and prints as JSON what a tracer that
// saw all of it must have seen: for each function and map type how many calls, entries and growths (read
// from the maps themselves), and the maps that are still there, with the memory that each was measured to
// take.
//
// With -wait it prints "ready" first and begins when it reads a line; after the truth it waits, with those
// maps, for another.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
)

var complaints int

func complain(format string, args ...interface{}) {
	complaints++
	fmt.Fprintf(os.Stderr, "maptruth: "+format+"\n", args...)
}

var runs = []struct {
	run func(n int)
	n   []int
}{
	{int32Keys, []int{1, 8, 9, 14, 15, 100, 500, 896, 897, 2000}},
	{int64Keys, []int{8, 100000}},
	{uint64Keys, []int{2, 8, 9, 700}},
	{pointerKeys, []int{5, 300, 1500}},
	{structKeys, []int{1, 8, 9, 400}},
	{interfaceKeys, []int{4, 300}},
	{nanKeys, []int{30}},
	{arrayKeys, []int{8, 300}},
	{wideValues, []int{8, 300}},
	{byteKeys, []int{20, 200}},
	{generics, []int{90, 1200}},
	{literal, []int{0, 0}},
	{copied, []int{8, 1000}},
	{onStack, []int{8, 6}},
	{onStackSized, []int{100, 50}},
	{byReflect, []int{5, 200}},
	{byReflectSlow, []int{5, 200}},
	{byMany, []int{8, 20000}},
	{appended, []int{100}},
	{nilMap, []int{0}},
	{clearNil, []int{0}},
	{clearNaN, []int{8, 100}},
	{churned, []int{20000}},
	{shortLived, []int{300}},
	{syncMap, []int{2, 700}},
	{together, []int{500}},
}

func everything() []held {
	ret := hold()
	for _, r := range runs {
		for _, n := range r.n {
			r.run(n)
		}
	}
	escaped = nil
	forget()
	heapBytes() // what isn't held is gone
	return ret
}

func check() {
	if open != 0 {
		complain("%d views are not done", open)
	}
	for _, s := range sites[:sitesNr] {
		if s.Drains > s.Deletes || s.Growths > s.Assigns {
			complain("more than can be: %+v", s)
		}
	}
}

func main() {
	wait := flag.Bool("wait", false, "print 'ready' and begin at a line that is read, end at another")
	flag.Parse()
	stdin := bufio.NewReader(os.Stdin)
	if *wait {
		fmt.Println("ready")
		if _, err := stdin.ReadString('\n'); err != nil {
			os.Exit(1)
		}
	}
	maps := everything()
	check()
	if complaints > 0 {
		os.Exit(1)
	}
	err := json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"go":    runtime.Version(),
		"swiss": swiss,
		"sites": sites[:sitesNr],
		"held":  maps,
	})
	if err != nil {
		os.Exit(1)
	}
	if *wait {
		stdin.ReadString('\n')
	}
	runtime.KeepAlive(heldMaps)
}
