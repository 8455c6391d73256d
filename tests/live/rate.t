#!/bin/bash
# alone
# timeout: 300
# A program that changes its runtime.MemProfileRate while gallop is attached, both ways: the runtime's samples tell where
# it allocates while there are any, windows while there are none; what it has allocated in each of its phases is right,
# and that it changed is said. Prints TAP.
#
# GALLOP_TEST_GO chooses less than all versions.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq sqlite3

sql() { sqlite3 -cmd ".timeout 10000" "$T/r.gallop" "$1" 2> /dev/null; }

# has_more WHAT NR: so much more evidence than when it was noted last.
note() { noted=$(sql "SELECT count(*) FROM interval") samples=$(sql "SELECT sum(samples) FROM sampled") units=$(with_hits); }
with_hits() { sql "SELECT count(DISTINCT unit) FROM unit_hit"; }
has_samples() { [ "$(sql "SELECT total(samples) >= ${samples:-0} + 2000 FROM sampled")" = 1 ]; }
has_windows() { [ "$(($(with_hits) - units))" -ge 12 ]; }
# No more windows that look at allocations: of so many intervals that the last ones were open before.
has_intervals() { [ "$(($(sql "SELECT count(*) FROM interval") - noted))" -ge 20 ]; }

# change RATE PHASE
change() {
	note
	echo "$1 $2" >&"$program_in"
	wait_line "$program_out" '^changed' || fail "$name: the program answers"
}

# Sites that aren't as the program says, but for what their intervals allow: 5 % and what falls between two readings of the
# rate more.
# shellcheck disable=SC2016 # jq's own variables
differences='
	$t[0] as $truth | $truth | to_entries[] | . as $want |
	([$g[0].alloc.sites[] | select(.stack[0].func == $want.key)] |
		{objects: (map(.objects) | add // 0), ci95: (map(.objects_ci95 // 1e12) | add // 0)}) as $got |
	(($got.objects - $want.value) | fabs) as $off |
	select($want.value == 0 or $got.objects == 0 or $got.ci95 > 0.5 * $want.value or $off > 1.5 * $got.ci95 + 0.05 * $want.value + 30000) |
	"\($want.key): \($want.value), gallop \($got.objects) +- \($got.ci95)"'

# try NAME VERSION RATES...: of the three phases.
try() {
	local exe line i name=$1
	exe=$(go_program "$2" stripped rates) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	rm -f "$T/r.gallop" "$T/truth"
	samples=0 units=0 noted=0
	start_program "$exe" "$3" || fail "$name: starts" "$(cat "$T/program.err")"
	start_gallop record -q -d 100ms --budget 20 -p "$program" -o "$T/r.gallop" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	for i in 0 1 2; do
		[ $i = 0 ] || change "${*:3 + i:1}" $i
		if [ "${*:3 + i:1}" = 0 ]; then
			until_true has_windows || fail "$name, phase $i: windows are opened" "$(sql 'SELECT * FROM meta')"
		else
			until_true has_samples || fail "$name, phase $i: samples are seen" "$(sql 'SELECT * FROM meta')"
			# From one that was open already on there are no others.
			until_true has_intervals || fail "$name, phase $i: intervals go on" "$(sql 'SELECT * FROM meta')"
			note
			until_true has_intervals || fail "$name, phase $i: ... and on" "$(sql 'SELECT * FROM meta')"
			is "$name, phase $i: no windows for allocations" "$(with_hits)" "$units"
		fi
	done
	exec {program_in}>&-
	IFS= read -r -t "$limit" -u "$program_out" line && echo "$line" > "$T/truth"
	wait_exit "$program"
	is "$name: the program's status" $? 0
	wait_exit "$tracer"
	is "$name: gallop's status" $? 0
	"$gallop" report "$T/r.gallop" -f json -o "$T/json"
	nothing "$name: what it has allocated" jq -nr --slurpfile t "$T/truth" --slurpfile g "$T/json" "$differences"
	is "$name: both changes are said" "$(jq '[.meta.notes[] | select(startswith("runtime.MemProfileRate has changed"))] | length' "$T/json")" 2
	matches "$name: in text, too" "$("$gallop" report "$T/r.gallop")" 'runtime.MemProfileRate has changed from'
}

for v in ${GALLOP_TEST_GO:-1.23 1.27}; do
	try "go $v, samples, none, samples" "$v" 4096 0 8192
	# The other way round nothing depends on Go's version.
	[ "$v" = 1.23 ] || try "go $v, none, samples, none" "$v" 0 4096 0
done
done_testing
