// SPDX-License-Identifier: BSD-2-Clause

// Exit allocates a known number of objects, then ends in the way it is told:
//
//	exit status N    exits with N
//	exit signal N    is killed by signal N
//	exit exec FILE [ARG...]    becomes another program
//	exit wait HOW...           prints "ready" and waits for a line first
//	exit [wait] hold HOW...    waits for a line between the two
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

const objects = 1000

type thing struct {
	next *thing
}

var list *thing

//go:noinline
func allocate() {
	list = &thing{list}
}

func main() {
	in := bufio.NewReader(os.Stdin)
	if os.Args[1] == "wait" {
		os.Args = os.Args[1:]
		fmt.Println("ready")
		in.ReadString('\n')
	}
	for i := 0; i < objects; i++ {
		allocate()
	}
	if os.Args[1] == "hold" {
		os.Args = os.Args[1:]
		in.ReadString('\n')
	}
	var err error
	n := 0
	how := os.Args[1]
	if how != "exec" {
		n, err = strconv.Atoi(os.Args[2])
	}
	switch {
	case err != nil:
	case how == "status":
		os.Exit(n)
	case how == "signal":
		err = syscall.Kill(os.Getpid(), syscall.Signal(n))
		select {}
	case how == "exec":
		err = syscall.Exec(os.Args[2], os.Args[2:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "exit:", err)
	os.Exit(99)
}
