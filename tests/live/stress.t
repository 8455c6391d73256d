#!/bin/bash
# timeout: 300
# Each table and buffer made too small, or filled, on purpose: what finds no room is counted, by the name of its loss, and
# shown as text, as JSON, in top and in the recording; and it is all that is lost: what is there and what is lost is
# what the program says it has done.
#
# With STRESS_ALL=1 (make stress) also those that take a minute to fill.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq sqlite3

# Most is asked of the recordings: as JSON, with all of their stacks, they would be hundreds of megabytes.
version=${GALLOP_TEST_GO:-1.27}
exe=$(go_program "$version" plain life) || skip_all "$(tail -n 1 "$T/build.err")"

# begin ARGS...: a program, and a recording of it.
begin() {
	start_program "$exe" || fail "$name: the program is ready" "$(cat "$T/program.err")"
	start_gallop record --mode exact -q -p "$program" -o "$T/r.gallop" "$@" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
}

finish() {
	stop "$tracer"
	is "$name: gallop's status" $? 0
	end_program
	is "$name: the program's status" $? 0
	succeeds "$name: the recording is readable" timeout "$limit" "$gallop" report "$T/r.gallop" -o "$T/text"
}

sql() { sqlite3 "$T/r.gallop" "$1"; }
lost() { sql "SELECT total(count) FROM losses WHERE key = '$1'" | cut -d . -f 1; }
at() { sql "SELECT CAST(total(objects) AS INTEGER) FROM sites WHERE $1"; }

# loses KEY WORDS [JSON]: in the recording, as text, and as JSON.
loses() {
	local nr shown
	nr=$(lost "$1")
	succeeds "$name: $1 in the recording" [ "$nr" -gt 0 ]
	shown=$(sed -n "s/^  *\([0-9,]*\)  $2 ($1)\$/\1/p" "$T/text")
	is "$name: $1 in text" "${shown//,/}" "$nr"
	[ $# -lt 3 ] || is "$name: $1 in JSON" "$(jq ".loss.$1" "$3")" "$nr"
}

# only KEYS: nothing else is lost.
only() {
	is "$name: all that is lost" \
		"$(sql "SELECT group_concat(key, ' ') FROM (SELECT key FROM losses WHERE count > 0 ORDER BY key)")" "$1"
}

# What the sites have, with what has none, is the total, and that is the runtime's.
adds_up() {
	is "$name: in sites or lost, all that is counted" $(($(at 1) + $(lost sites_full))) "$(sql 'SELECT sum(objects) FROM interval')"
	is "$name: which is what the runtime has counted" "$(sql 'SELECT gallop_objects FROM runtime_check')" \
		"$(sql 'SELECT runtime_objects FROM runtime_check')"
}

# --- the ring ------------------------------------------------------------------------------------------

# Gallop sleeps, and so does not empty it: 8 MiB hold some 8,900 stacks of 112 frames.
ring_full() {
	name="ring"
	begin
	kill -STOP "$tracer"
	tell "stacks 12000 110"
	tell "gc 10"
	kill -CONT "$tracer"
	finish
	timeout "$limit" "$gallop" gc "$T/r.gallop" -f json -o "$T/json"
	loses stack_lost "objects whose stack found no room" "$T/json"
	loses stop_lost "stops of the world that were not kept" "$T/json"
	loses cycle_lost "GC cycles that were not sent" "$T/json"
	is "$name: without a stack are the lost ones" "$(at "function = '[stack lost]'")" "$(lost stack_lost)"
	is "$name: counted and lost are the program's" "$(at "type = 'main.thing'")" 12000
	is "$name: all of these have one, or none" "$(at "type = 'main.thing' AND function IN ('main.allocate', '[stack lost]')")" 12000
	is "$name: counted and lost are all GC cycles" $(($(sql 'SELECT count(*) FROM cycle') + $(lost cycle_lost))) "$(jq .gc <<< "$said")"
	is "$name: the runtime's are told, too" "$(sql 'SELECT runtime_cycles FROM gc_check')" "$(jq .gc <<< "$said")"
	adds_up
}

# --- tables ----------------------------------------------------------------------------------------------

sites_full() {
	name="table of sites"
	begin --max-sites 300
	tell "stacks 2000 11"
	finish
	timeout "$limit" "$gallop" report "$T/r.gallop" -f json -o "$T/json"
	loses sites_full "objects in no site: the table of sites was full" "$T/json"
	only sites_full
	is "$name: so many have no site in JSON" "$(jq '[.alloc.sites[] | select(.stack[0].func == "[lost]") | .objects] | add' "$T/json")" \
		"$(lost sites_full)"
	adds_up
}

# 65,537 with one site: half of those of maps, which doctor tells, and as many of stops and assists. Each stop of the
# world has a stack.
stacks_full() {
	name="table of stacks"
	begin --no-maps --max-sites 1
	tell "stops 70000 17"
	finish
	loses stop_stack_lost "stops of the world whose stack found no room"
	only "sites_full stop_stack_lost"
	is "$name: all stops are there" "$(sql "SELECT count(*) FROM stop WHERE reason_name = 'all goroutines stack trace'")" 70000
	is "$name: without a stack are the lost ones" "$(sql "SELECT count(*) FROM stop WHERE stack IS NULL")" "$(lost stop_stack_lost)"
	adds_up
}

map_sites_full() {
	local ops
	name="table of map sites"
	begin
	tell "maps 34000 17"
	finish
	loses map_sites_full "map operations in no site: their table was full"
	only map_sites_full
	ops=$(sql 'SELECT sum(assigns + makes + deletes + clears) FROM map_op')
	succeeds "$name: the table was full: $ops" [ "$ops" -lt 34000 ]
	# The program has some maps of its own when it answers.
	succeeds "$name: counted and lost are all" [ $((ops + $(lost map_sites_full))) -ge 34000 ]
	succeeds "$name: ... and no more" [ $((ops + $(lost map_sites_full))) -lt 34200 ]
	adds_up
}

# --- the views --------------------------------------------------------------------------------------------

# Top says it as it goes.
top_tells() {
	name="top"
	start_program "$exe"
	start_gallop top --mode exact --batch -d 100ms --max-sites 10 -p "$program" || fail "$name: ready" "$(cat "$T/gallop.err")"
	tell "stacks 500 20"
	succeeds "$name: what is lost" until_true grep -q 'objects in no site: the table of sites was full (sites_full)' "$T/gallop.out"
	stop "$tracer"
	is "$name: status" $? 0
	end_program
}

ring_full
sites_full
top_tells
if [ "${STRESS_ALL:-0}" != 0 ]; then
	stacks_full
	map_sites_full
fi
done_testing
