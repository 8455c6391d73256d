#!/bin/bash
# timeout: 600
# The live heap that gallop reads from a process's memory is, stack by stack, what the process's own runtime/pprof
# writes for the same GC cycle; every Go of the matrix, in stripped and position-independent binaries too. What
# keeps no profile is told so. Prints TAP.
#
# GALLOP_TEST_GO chooses less than all versions.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_gallop
need_tools jq awk sqlite3

versions=${GALLOP_TEST_GO:-$("$top/tools/go-toolchain" list)}

# gallop's view of it in the lines of heap.awk, but for the number of buckets.
flat='.heap.sites[] | select(.alloc_samples > 0) |
	"\(.inuse_samples) \(.alloc_samples) \(.inuse_objects) \(.inuse_bytes) \(.alloc_objects) \(.alloc_bytes) " +
	([.stack[] | "\(.func):\(.line)"] | join(";"))'

# compare NAME PROFILE JSON RATE [FUNCTION [COUNTS]]: of all stacks, or of those with a function in them. Samples are equal, and what they stand for too, but for the last digit of an
# exponential function: Go and C round it each their way.
compare() {
	awk -v rate="$4" -f "$here/heap.awk" "$2" | grep -e "${5:-}" | LC_ALL=C sort -k 8 > "$T/want"
	jq -r "$flat" "$3" | grep -e "${5:-}" | LC_ALL=C sort -k 7 > "$T/got"
	nothing "$1: stacks and samples" diff <(cut -d ' ' -f 1,2,8- "$T/want") <(cut -d ' ' -f 1,2,7- "$T/got")
	# shellcheck disable=SC2016 # awk's own variables
	nothing "$1: objects and bytes" awk '
		NR == FNR { split($0, w, " "); for (i = 1; i <= 7; i++) want[FNR, i] = w[i]; next }
		{
			for (i = 1; i <= 6; i++) {
				d = want[FNR, i] - $i
				if (d > want[FNR, 7] || -d > want[FNR, 7])
					print "line " FNR ", column " i ": " want[FNR, i] ", gallop " $i
			}
		}' "$T/want" "$T/got"
	matches "$1: there is something to compare" "$(wc -l < "$T/want") $(grep -c 'main\.deep' "$T/want")" "${6:-^[1-9][0-9]+ [1-9]}"
}

# look NAME PROFILE RATE: of $program.
look() {
	run heap -p "$program" -f json
	is "$1: status" "$status$err" 0
	compare "$1" "$T/dir/$2" "$T/out" "$3"
	is "$1: rate, known" "$(jq -c '.heap | [.rate, .known, .why_not, .unsettled]' "$T/out")" "[$3,true,null,0]"
}

say() { echo "$1" >&"$program_in"; wait_line "$program_out" '^ready' || fail "$name: the program answers"; }

try() {
	local name="go $1 $2 $3" exe
	if ! exe=$(go_program "$1" "$2" heaptruth); then
		skip "$name" "$(tail -n 1 "$T/build.err")"
		return
	fi
	rm -rf "$T/dir"
	mkdir "$T/dir"
	start_program "$exe" "$3" "$T/dir" || fail "$name: starts" "$(cat "$T/program.err")"
	look "$name, runtime.GC" 1 "$3"
	say cycle
	look "$name, a cycle of its own" 2 "$3"
	end_program
}

# Before the first collection a profile has everything so far: runtime/pprof's, and ours.
before_gc() {
	local name="go $1, before the first cycle" exe
	exe=$(go_program "$1" plain heaptruth) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	rm -rf "$T/dir"
	mkdir "$T/dir"
	start_program "$exe" 1 "$T/dir" none || fail "$name: starts" "$(cat "$T/program.err")"
	run heap -p "$program" -f json
	is "$name: it is said" "$(jq -c '.heap | [.before_gc, .cycle, .sites[0].inuse_objects > 0]' "$T/out")" '[true,0,true]'
	mv "$T/out" "$T/before"
	say go
	# Until it was written the program has allocated a little more, but not there.
	compare "$name" <(sed '/^# runtime.MemStats/,$d' "$T/dir/0") "$T/before" 1 main.work
	end_program
}

# What only runtime.GC() needs isn't in a program that never calls it.
without_gc_calls() {
	local name="go $1 $2, no runtime.GC" exe
	exe=$(go_program "$1" "$2" heapnogc) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	start_program "$exe" "$T/profile" || fail "$name: starts" "$(cat "$T/program.err")"
	run heap -p "$program" -f json
	is "$name: status" "$status$err" 0
	compare "$name" "$T/profile" "$T/out" 1 '' '^[1-9]'
	succeeds "$name: what it keeps" jq -e 'any(.heap.sites[]; .inuse_objects == 4000 and .stack[0].func == "main.keep")' "$T/out"
	end_program
}

# What grows is seen by looking twice, without and with a recording.
growth() {
	local name="go $1, growth" exe before
	exe=$(go_program "$1" stripped heaptruth) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	rm -rf "$T/dir"
	mkdir "$T/dir"
	start_program "$exe" 1 "$T/dir" || fail "$name: starts" "$(cat "$T/program.err")"
	run heap -p "$program" -f json
	before=$(jq '.heap.inuse_bytes' "$T/out")
	"$gallop" heap -p "$program" -n 1000000 -d 100ms > "$T/lines" 2> "$T/heap.err" < /dev/null {program_in}>&- {program_out}<&- &
	tracer=$!
	ours $tracer
	until_true grep -q ' in use' "$T/lines" || fail "$name: a line for each look" "$(cat "$T/heap.err")"
	say gc
	until_true grep -q 'cycle 2:.* in use (+' "$T/lines" || fail "$name: a line of what has grown" "$(cat "$T/lines")"
	stop "$tracer"
	is "$name: Ctrl-C ends it well" $? 0
	matches "$name: the summary" "$(cat "$T/lines")" 'Growth of what is in use.*main\.list'
	run heap -p "$program" -f json
	succeeds "$name: it has grown" [ "$(jq '.heap.inuse_bytes' "$T/out")" -gt "$before" ]
	run heap -p "$program" -f collapsed --value inuse_objects
	is "$name: collapsed stacks add up" "$(awk '{ sum += $NF } END { print sum }' "$T/out")" \
		"$("$gallop" heap -p "$program" -f json | jq '.heap.inuse_objects')"
	end_program
	run heap -p "$program"
	refused "$name: a process that has ended" 3 'no process|ended'
}

# A recording has what runtime/pprof says at its end, and what has grown from its beginning.
recorded() {
	local name="go $1, recorded" exe
	[ "$(id -u)" = 0 ] || { skip "$name" "needs root"; return; }
	exe=$(go_program "$1" stripped heaptruth) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	rm -rf "$T/dir"
	mkdir "$T/dir"
	start_program "$exe" 1 "$T/dir" || fail "$name: starts" "$(cat "$T/program.err")"
	start_gallop record -q -d 100ms -p "$program" -o "$T/h.gallop" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	until_true has_looked || fail "$name: it was looked at"
	say gc
	stop "$tracer"
	is "$name: gallop's status" $? 0
	"$gallop" heap "$T/h.gallop" -f json -o "$T/recorded"
	compare "$name" "$T/dir/2" "$T/recorded" 1
	succeeds "$name: what has grown" jq -e '.heap | .looks >= 2 and .grown_bytes > 1000000 and .first_mono_ns < .last_mono_ns' "$T/recorded"
	matches "$name: report has it" "$("$gallop" report "$T/h.gallop")" 'Live heap.*In use by.*Growth of what is in use'
	end_program
}
has_looked() { [ "$(sqlite3 "$T/h.gallop" 'SELECT count(*) FROM heap_look' 2> /dev/null)" -ge 1 ] 2> /dev/null; }

# A program that takes no more samples has those of before: looks go on.
turned_off() {
	local name="go $1, turned off" exe looks
	exe=$(go_program "$1" stripped heaptruth) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	rm -rf "$T/dir"
	mkdir "$T/dir"
	start_program "$exe" 1 "$T/dir" || fail "$name: starts" "$(cat "$T/program.err")"
	timeout "$limit" "$gallop" heap -q -p "$program" -n 4 -d 1s > "$T/looks" 2> "$T/looks.err" &
	looks=$!
	until_true [ -s "$T/looks" ] || fail "$name: it was looked at" "$(cat "$T/looks.err")"
	say off
	wait "$looks"
	is "$name: status" $? 0
	is "$name: nothing to say" "$(< "$T/looks.err")" ""
	matches "$name: it is shown" "$(< "$T/looks")" 'In use by'
	end_program
}

# Without a profile there is one line, and what to do.
nothing_there() {
	local name="go $1, no profile" exe
	exe=$(go_program "$1" stripped heaptruth) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	rm -rf "$T/dir"
	mkdir "$T/dir"
	start_program "$exe" 1 "$T/dir" || fail "$name: starts" "$(cat "$T/program.err")"
	say off
	run heap -p "$program"
	refused "$name: rate 0" 5 'keeps no memory profile: runtime.MemProfileRate is 0'
	matches "$name: rate 0, a hint" "$err" 'hint: .*gallop record'
	end_program
	exe=$(go_program "$1" stripped load)
	start_program "$exe" || fail "$name: load starts" "$(cat "$T/program.err")"
	run heap -p "$program"
	refused "$name: not linked" 5 "keeps no memory profile: nothing in it reads one"
	matches "$name: not linked, a hint" "$err" 'hint: import net/http/pprof'
	end_program
}

for v in $versions; do try "$v" stripped 1; done
for v in $versions; do
	for mode in plain stripped pie; do without_gc_calls "$v" "$mode"; done
done
for v in ${GALLOP_TEST_GO:-1.19 1.23 1.24 1.27}; do
	try "$v" plain 524288
	try "$v" piestripped 4096
done
for v in ${GALLOP_TEST_GO:-1.19 1.27}; do
	before_gc "$v"
	growth "$v"
	nothing_there "$v"
	turned_off "$v"
done
recorded 1.27
done_testing
