// SPDX-License-Identifier: BSD-2-Clause

// Hostile allocates in functions, files and types whose names tests/live/hostile.py writes over: those in capitals end
// in underscores, which makes room. It says "ready", works until its input ends, and collects its garbage now and then.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

var (
	sink any
	kept []any
)

func init() { runtime.MemProfileRate = 1024 }

// An object and a map of a type, and one whose name has the tag, which may be any text.
//
//go:noinline
func allocate[T any]() {
	var tagged struct {
		V T `a tag: TAG_____________________________________________`
	}
	sink = new(T)
	sink = &tagged
	m := map[int]*T{}
	for i := 0; i < 20; i++ {
		m[i] = new(T)
	}
	sink = m
	if len(kept) < 1000 {
		kept = append(kept, new([4]T))
	}
}

type inner struct{ p *int }

type ESCAPE__________________________________________ struct{ a inner }
type MARKUP__________________________________________ struct{ a, b inner }
type NEWLINE_________________________________________ struct{ a, b, c inner }
type UNICODE_________________________________________ struct{ a, b, c, d inner }
type QUOTES__________________________________________ struct{ a, b, c, d, e inner }

func work() {
	escape_FUNC_____________________________________()
	markup_FUNC_____________________________________()
	newline_FUNC____________________________________()
	unicode_FUNC____________________________________()
	quotes_FUNC_____________________________________()
	long()
	runtime.GC()
}

func main() {
	runtime.MemProfile(nil, false) // so that the runtime keeps a profile of the heap
	done := make(chan bool)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(done)
	}()
	fmt.Println("ready")
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
			work()
		}
	}
}

//go:noinline
func escape_FUNC_____________________________________() {
//line /src/ESCAPE_FILE___________________________________.go:10
	allocate[ESCAPE__________________________________________]()
}

//go:noinline
func markup_FUNC_____________________________________() {
//line /src/MARKUP_FILE___________________________________.go:10
	allocate[MARKUP__________________________________________]()
}

//go:noinline
func newline_FUNC____________________________________() {
//line /src/NEWLINE_FILE__________________________________.go:10
	allocate[NEWLINE_________________________________________]()
}

//go:noinline
func unicode_FUNC____________________________________() {
//line /src/UNICODE_FILE__________________________________.go:10
	allocate[UNICODE_________________________________________]()
}

//go:noinline
func quotes_FUNC_____________________________________() {
//line /src/QUOTES_FILE___________________________________.go:10
	allocate[QUOTES__________________________________________]()
}
