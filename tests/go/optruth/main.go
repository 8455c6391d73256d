// SPDX-License-Identifier: BSD-2-Clause

// Optruth is a program that knows what each call of its functions allocates, and how it ends.
//
// It calls functions of every form in every way, and prints as one line of JSON what a tracer that measures them
// as operations must say: how many calls returned, panicked or left with their goroutine, and what those allocated.
// What it expects is not assumed: MemStats must agree, or the program fails.
//
//	optruth [-wait] GROUP	calls the functions of a group; with -wait it prints "ready" and begins when it
//				reads a line, and after the truth it waits for the end of its input
//	optruth -bench GROUP	what package testing says of them
//	optruth -busy		calls functions on several goroutines without end; prints "ready", and at the end of
//				input how many objects a call of each allocates
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// The functions of a group can be traced at once.
type group struct {
	procs  int
	phases []phase
	before func() // what begins before the tracer comes
}

var groups = map[string]group{
	"shapes":     {procs: 1, phases: shapes},
	"ways":       {procs: 1, phases: ways},
	"endings":    {procs: 1, phases: endings},
	"goroutines": {procs: 4, phases: goroutines, before: beginEarly},
	"collector":  {procs: 1, phases: collector},
	"spread":     {procs: 1, phases: spread},
}

var complaints int

func complain(format string, args ...interface{}) {
	complaints++
	fmt.Fprintf(os.Stderr, "optruth: "+format+"\n", args...)
}

func say(ops interface{}) {
	if err := json.NewEncoder(os.Stdout).Encode(map[string]interface{}{"go": runtime.Version(), "ops": ops}); err != nil {
		os.Exit(1)
	}
}

func main() {
	wait := flag.Bool("wait", false, "print 'ready' and begin at a line that is read, end at the end of input")
	bench := flag.Bool("bench", false, "measure the functions with package testing")
	busyMode := flag.Bool("busy", false, "call functions until the end of input")
	flag.Parse()
	stdin := bufio.NewReader(os.Stdin)
	if *busyMode {
		say(beBusy(stdin))
		return
	}
	g, ok := groups[flag.Arg(0)]
	if !ok || flag.NArg() != 1 {
		fmt.Fprintf(os.Stderr, "optruth: no group '%s'\n", flag.Arg(0))
		os.Exit(2)
	}
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(g.procs)
	warm()
	if g.before != nil {
		attached = *wait
		g.before()
	}
	if *wait {
		fmt.Println("ready")
		if _, err := stdin.ReadString('\n'); err != nil {
			os.Exit(1)
		}
	}
	var result interface{}
	if *bench {
		result = benchmarks(g.phases)
	} else {
		for i := range g.phases {
			g.phases[i].do()
		}
		result = truth()
	}
	if complaints > 0 {
		os.Exit(1)
	}
	say(result)
	if *wait {
		stdin.ReadString('\n')
	}
}
