// SPDX-License-Identifier: BSD-2-Clause

// Mapcases does with maps what programs do every day, each thing in a bad way and in a mended one:
//
//	mapcases [-wait] NAME bad|good
//
// With -wait it prints "ready" and begins when it reads a line. When its work is done it prints, as JSON,
// the function at which the pattern must be seen, and waits for a line before it ends.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"
)

type session struct {
	user string
	seen int
}

// A form of a case, and the function that shows it; none for what is as it should be.
type form struct {
	run  func()
	site string
}

var cases = map[string]map[string]form{
	"purge":   {"bad": {purgeBad, "main.(*cache).purge"}, "good": {purgeGood, ""}},
	"scratch": {"bad": {scratchBad, "main.handleAnew"}, "good": {scratchGood, ""}},
	"set":     {"bad": {setBad, "main.unsizedSet"}, "good": {setGood, ""}},
	"shards":  {"bad": {shardsBad, "main.emptyOneByOne"}, "good": {shardsGood, ""}},
	"retain":  {"bad": {retainBad, "main.(*index).reset"}, "good": {retainGood, ""}},
	"session": {"bad": {sessionBad, "main.logOutAll"}, "good": {sessionGood, ""}},
	"none":    {"bad": {none, ""}, "good": {none, ""}},
}

var total int // so that nothing is for nothing

// Afterwards something small goes on for as long as it takes to see that nothing more will come.
func afterwards(work func(i int)) {
	for i := 0; i < 64; i++ {
		work(i)
		time.Sleep(50 * time.Millisecond)
	}
}

// --- purge: a cache whose old entries are deleted ---

type cache struct{ entries map[int]session }

func (c *cache) fill() {
	c.entries = make(map[int]session, 100000)
	for i := 0; i < 100000; i++ {
		c.entries[i] = session{"user", i}
	}
}

//go:noinline
func (c *cache) purge() {
	for k, s := range c.entries {
		if s.seen%100 != 0 {
			delete(c.entries, k)
		}
	}
}

//go:noinline
func (c *cache) rebuild() {
	rest := make(map[int]session, len(c.entries)/100)
	for k, s := range c.entries {
		if s.seen%100 == 0 {
			rest[k] = s
		}
	}
	c.entries = rest
}

func (c *cache) touch(i int) {
	c.entries[i*100] = session{"user", i * 100}
	total += len(c.entries)
}

func purgeBad() {
	c := &cache{}
	c.fill()
	c.purge()
	afterwards(c.touch)
}

func purgeGood() {
	c := &cache{}
	c.fill()
	c.rebuild()
	afterwards(c.touch)
}

// --- scratch: a map that a request needs for a moment ---

func note(m map[string]int) {
	for _, key := range keys[:500] {
		m[key]++
	}
	scratch = m
	total += len(m)
}

var (
	keys    = makeKeys(5000)
	scratch map[string]int // a request may keep it
)

func makeKeys(n int) (ret []string) {
	for i := 0; i < n; i++ {
		ret = append(ret, fmt.Sprint("key ", i))
	}
	return ret
}

//go:noinline
func handleAnew() { note(map[string]int{}) }

//go:noinline
func handleAgain(m map[string]int) {
	for k := range m {
		delete(m, k)
	}
	note(m)
}

func scratchBad() {
	for i := 0; i < 300; i++ {
		handleAnew()
	}
}

func scratchGood() {
	m := make(map[string]int, 500)
	for i := 0; i < 300; i++ {
		handleAgain(m)
	}
}

// --- set: what is known is collected anew in each tick ---

var known map[string]bool

//go:noinline
func unsizedSet() {
	set := make(map[string]bool)
	for _, key := range keys {
		set[key] = true
	}
	known = set
}

//go:noinline
func sizedSet() {
	set := make(map[string]bool, len(keys))
	for _, key := range keys {
		set[key] = true
	}
	known = set
}

func setBad() {
	for i := 0; i < 40; i++ {
		unsizedSet()
	}
}

func setGood() {
	for i := 0; i < 40; i++ {
		sizedSet()
	}
}

// --- shards: a map in parts, which are emptied in turn ---

type shards [16]map[int]session

func newShards() (ret shards) {
	for i := range ret {
		ret[i] = make(map[int]session, 800)
	}
	return ret
}

//go:noinline
func emptyOneByOne(m map[int]session) {
	for k, _ := range m {
		delete(m, k)
	}
}

//go:noinline
func emptyAtOnce(m map[int]session) { clearShard(m) }

func (s *shards) refill(round int) {
	for i := 0; i < 700*len(s); i++ {
		s[i%len(s)][i] = session{"user", round}
	}
}

func (s *shards) rounds(empty func(map[int]session)) {
	for round := 0; round < 10; round++ {
		s.refill(round)
		for _, m := range s {
			empty(m)
		}
	}
	s.refill(10)
}

func shardsBad() {
	s := newShards()
	s.rounds(emptyOneByOne)
}

func shardsGood() {
	s := newShards()
	s.rounds(emptyAtOnce)
}

// --- retain: much once, little ever after ---

type index struct{ words map[int]int }

func (x *index) fill(n int) {
	for i := 0; i < n; i++ {
		x.words[i] = i
	}
	total += len(x.words)
}

//go:noinline
func (x *index) reset() {
	for k := range x.words {
		delete(x.words, k)
	}
}

//go:noinline
func (x *index) replace() { x.words = make(map[int]int, 100) }

// The last 100 entries are all that is there while nothing is reset any more.
func (x *index) use(reset func()) {
	x.fill(200000)
	for i := 0; i < 50; i++ {
		reset()
		x.fill(100)
	}
	afterwards(func(i int) { x.words[i]++ })
}

var words *index // stays

func newIndex() *index {
	words = &index{words: make(map[int]int, 200000)}
	return words
}

func retainBad() {
	x := newIndex()
	x.use(x.reset)
}

// Cleared as before, but a table that has become too large is given up.
func retainGood() {
	x := newIndex()
	x.use(func() {
		if len(x.words) > 1000 {
			x.replace()
		} else {
			x.reset()
		}
	})
}

// --- session: a sync.Map that all are thrown out of ---

type sessions struct{ *sync.Map }

func newSessions() *sessions { return &sessions{new(sync.Map)} }

func (s *sessions) logIn() {
	for i := 0; i < 1000; i++ {
		s.Store(i, &session{"user", i})
	}
}

//go:noinline
func logOutAll(s *sessions) {
	s.Range(func(k, _ interface{}) bool {
		s.Delete(k)
		return true
	})
}

//go:noinline
func startAnew(s *sessions) { s.reset() }

func sessionBad() {
	s := newSessions()
	for i := 0; i < 30; i++ {
		s.logIn()
		logOutAll(s)
	}
}

func sessionGood() {
	s := newSessions()
	for i := 0; i < 30; i++ {
		s.logIn()
		startAnew(s)
	}
}

// --- none: nothing to say ---

// Entries are looked up, replaced, deleted and added again, in maps of the size that they need.
func none() {
	stock := make(map[string]int, len(keys))
	for i, key := range keys {
		stock[key] = i
	}
	open := make(map[int]session, 1)
	for round := 0; round < 20; round++ {
		for i, key := range keys {
			total += stock[key]
			switch i % 10 {
			case 0:
				stock[key] = round
			case 1:
				delete(stock, key)
				stock[key] = i
			}
		}
		for i := 0; i < 100; i++ { // from none to one and back
			open[i] = session{"user", i}
			delete(open, i)
		}
		report(map[string]int{"stock": len(stock), "open": len(open)})
	}
	inFlight(make(map[int]session, 20))
	afterwards(func(i int) { stock[keys[i]]++ })
}

// Requests come, and each goes when its answer is there: that the map is empty in the end is no loop that clears it.
func inFlight(m map[int]session) {
	for round := 0; round < 20; round++ {
		for i := 0; i < 20; i++ {
			m[i] = session{"user", i}
		}
		for i := 0; i < 20; i++ {
			answered(m, i)
		}
	}
}

//go:noinline
func answered(m map[int]session, i int) {
	total += len(m)
	delete(m, i)
}

//go:noinline
func report(m map[string]int) {
	for _, n := range m {
		total += n
	}
}

func usage() {
	var names []string
	for name := range cases {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintln(os.Stderr, "usage: mapcases [-wait] NAME bad|good, NAME one of", names)
	os.Exit(2)
}

func main() {
	wait := flag.Bool("wait", false, "print 'ready' and begin at a line that is read")
	flag.Parse()
	f, ok := cases[flag.Arg(0)][flag.Arg(1)]
	if !ok {
		usage()
	}
	stdin := bufio.NewReader(os.Stdin)
	if *wait {
		fmt.Println("ready")
		if _, err := stdin.ReadString('\n'); err != nil {
			os.Exit(1)
		}
	}
	f.run()
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"done": true, "case": flag.Arg(0), "form": flag.Arg(1), "site": f.site, "total": total,
	})
	stdin.ReadString('\n')
}
