// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"
)

// The ledger: what was done at each site. Sites report each operation right after it, with the number of
// entries that the map has now. Nothing here is allocated: it would be measured with the maps.

// A site is a function and the map type that the runtime is told there.
type site struct {
	Func     string `json:"func"`
	Type     string `json:"type"`
	Makes    int    `json:"makes"` // calls of the runtime: maps on the stack have none
	Assigns  int    `json:"assigns"`
	Deletes  int    `json:"deletes"`
	Clears   int    `json:"clears"`
	Drains   int    `json:"drains"`
	Removed  int    `json:"entries_removed"`
	Growths  int    `json:"growths"`
	Rehashes int    `json:"rehashes"`
	Unclear  bool   `json:"rehashes_unclear"` // tombstones may have been pruned
}

// A life is what is known of one map.
type life struct {
	kept    interface{} // so that no other map gets its address
	entries int
	run     int // entries when the last thing done was not a delete
	deleted bool
}

// A view is a map as seen from one site.
type view struct {
	*site
	*life
	header unsafe.Pointer // nil: not to be looked at
	tables tables
}

var (
	mu      sync.Mutex
	sites   [128]site
	sitesNr int
	lives   [1024]life
	livesNr int
	open    int // views that are not done
	goMinor = minorVersion()
)

func minorVersion() int {
	minor, _, _ := strings.Cut(strings.TrimPrefix(runtime.Version(), "go1."), ".")
	minor, _, _ = strings.Cut(minor, " ") // of an experiment
	n, err := strconv.Atoi(strings.TrimRight(minor, "-X:abcdefghijklmnopqrstuvwxyz"))
	if err != nil {
		panic("unknown version " + runtime.Version())
	}
	return n
}

// At says that the function that calls it will do things with this map. A nil map stands for one that
// must not escape.
//
//go:noinline
func at(m interface{}) view { return viewOf(caller(), m, reflect.TypeOf(m).String()) }

// AtShared is for generic functions: before Go 1.21 these tell the runtime the type of their shape.
//
//go:noinline
func atShared(m interface{}, shape string) view {
	if goMinor >= 21 {
		shape = reflect.TypeOf(m).String()
	}
	return viewOf(caller(), m, shape)
}

// Caller names the function that called the one that calls this.
func caller() string {
	pc, _, _, _ := runtime.Caller(2)
	return runtime.FuncForPC(pc).Name()
}

func viewOf(function string, m interface{}, typ string) view {
	mu.Lock()
	defer mu.Unlock()
	open++
	v := view{site: siteOf(function, typ), header: reflect.ValueOf(m).UnsafePointer()}
	v.life = lifeOf(m, v.header)
	if v.header != nil {
		v.tables = look(v.header)
	}
	return v
}

func siteOf(function, typ string) *site {
	for i := range sites[:sitesNr] {
		if s := &sites[i]; s.Func == function && s.Type == typ {
			return s
		}
	}
	s := &sites[sitesNr]
	sitesNr++
	s.Func, s.Type = function, typ
	return s
}

func lifeOf(m interface{}, header unsafe.Pointer) *life {
	for i := range lives[:livesNr] {
		if header != nil && reflect.ValueOf(lives[i].kept).UnsafePointer() == header {
			return &lives[i]
		}
	}
	l := &lives[livesNr]
	livesNr++
	*l = life{kept: m, entries: reflect.ValueOf(m).Len()}
	l.run = l.entries
	return l
}

// Forget lets go of all maps.
func forget() {
	lives = [1024]life{}
	livesNr = 0
}

func (v *view) made() {
	mu.Lock()
	v.Makes++
	mu.Unlock()
}

func (v *view) assigned(entries int) {
	mu.Lock()
	v.Assigns++
	v.entries, v.run = entries, entries
	v.Unclear = v.Unclear || swiss && v.deleted
	if !swiss {
		v.grown()
	}
	mu.Unlock()
}

func (v *view) deletedTo(entries int) {
	mu.Lock()
	v.Deletes++
	v.deleted = true
	v.Removed += v.entries - entries
	if entries == 0 && v.entries > 0 && v.run >= 2 {
		v.Drains++
	}
	v.entries = entries
	mu.Unlock()
}

func (v *view) clearedTo(entries int) {
	mu.Lock()
	v.Clears++
	v.Removed += v.entries - entries
	v.entries, v.run = entries, entries
	mu.Unlock()
}

// Done ends a view.
func (v *view) done() {
	mu.Lock()
	v.grown()
	open--
	mu.Unlock()
}

// Grown counts what happened to the tables since the last look. Of a classic map that must be after each
// assignment, as only one step can be seen; of a Swiss one any number can, and looking takes longer.
func (v *view) grown() {
	if v.header == nil {
		return
	}
	now := look(v.header)
	v.Growths += v.tables.grownTo(&now)
	if v.tables.rehashedTo(&now) {
		v.Rehashes++
	}
	v.tables = now
}
