#!/bin/bash
# alone
# timeout: 900
# Windows open and close under a program at work, keep their limits, and do it no harm; what is always on is given up
# where the budget is too small for it; the runtime's own samples are all seen.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

O=${O:-build}
case $O in /*) driver=$O ;; *) driver=$top/$O ;; esac
driver=$driver/tests/live/govern_test
make -s -C "$top" "O=$O" "${driver#"$top/"}" >&2 || { echo "Bail out! cannot build"; exit 99; }
read -ra versions <<< "${GALLOP_TEST_GO:-1.19 1.27}"
windows=${GALLOP_TEST_WINDOWS:-12}

# What the driver says on its last line, of so many windows.
drive() { timeout -k 5 "$((limit * 5))" "$driver" "$@" 2> "$T/driver.err" > "$T/driver.out" && tail -n 1 "$T/driver.out" > "$T/json"; }

says() { succeeds "$1" jq -e "$2" "$T/json"; }

under_load() {
	local version=$1 exe=$2 name="go $1" result
	start_program "$exe" -goroutines 3 || fail "$name: the program is ready"
	succeeds "$name: every sample makes sense and lies in its window" drive "$program" "$windows" 4
	cat "$T/driver.err" >&2
	says "$name: windows end, but for one at the end" ".windows >= $windows and .whole >= .windows - 1"
	says "$name: both stages tell something" '.refills > 0 and .mallocs > 0 and .maps > 0'
	says "$name: nothing is lost" '.losses == 0'
	# What comes between a window's last hit and its end depends on the scheduler; without an end it is 10,000 times as much.
	says "$name: the limits of hits hold" '.refill_hits_max < 1200 and .exact_hits_max < 2000'
	# While probes are put in and taken out the kernel waits, for so long on any machine: where traps are cheap more fit in.
	says "$name: what is hit outside of them is a part" '.outside_hits_max * .ns_per_hit < 25000000'
	says "$name: it was measured here" '.calibrated and .lost == 0 and .failed == 0'
	says "$name: it says what it costs" '.ns_per_hit > 50 and .predicted > 0 and .off == ""'
	succeeds "$name: with next to no budget" drive "$program" off 0.0002
	says "$name: what is always on is given up, and said" '.off | test("(maps|assists) for [0-9]+ s")'
	says "$name: ... before it has cost much" '.hits < 30000'
	succeeds "$name: nothing is left attached" unprobed "$program"
	exec {program_in}>&-
	IFS= read -r -t "$limit" -u "$program_out" result
	wait_exit "$program"
	is "$name: the program's status" $? 0
	is "$name: wrong results" "$(jq .wrong <<< "$result")" 0
}

# The runtime counts its samples itself.
profiled() {
	local version=$1 exe=$2 name="go $1, profiled" truth in out
	start_program "$exe" || fail "$name: the program is ready"
	mkfifo "$T/in.$version" "$T/out.$version"
	"$driver" "$program" input 1 profiled < "$T/in.$version" > "$T/out.$version" 2> "$T/driver.err" {program_in}>&- {program_out}<&- &
	tracer=$!
	ours $tracer
	exec {in}> "$T/in.$version" {out}< "$T/out.$version"
	wait_line "$out" '^ready' || fail "$name: the driver is ready" "$(cat "$T/driver.err")"
	echo go >&"$program_in"
	IFS= read -r -t "$limit" -u "$program_out" truth
	exec {in}>&-
	IFS= read -r -t "$limit" -u "$out" _json && echo "$_json" > "$T/json"
	exec {out}<&-
	wait_exit "$tracer"
	is "$name: every sample makes sense" $? 0
	end_program
	is "$name: the program's status" $? 0
	# Around its work the program makes a few more, such as buffers.
	says "$name: every sample of the runtime's is seen" ".profile >= $(jq .sampled <<< "$truth") and .profile <= $(jq .sampled <<< "$truth") + 30"
	says "$name: there are thousands" '.profile > 3000 and .losses == 0'
}

# Nothing but cycles: stops and cycles one by one are given up, and given back; how many there were is known all the same.
collecting() {
	local name="go $1, collecting" truth
	start_program "$(go_program "$1" plain gctruth)" -spin || fail "$name: the program is ready"
	start_gallop record --budget 2 -q -o "$T/r.gallop" -p "$program" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	echo 35 >&"$program_in"
	IFS= read -r -t "$limit" -u "$program_out" truth
	stop "$tracer"
	is "$name: gallop's status" $? 0
	end_program
	succeeds "$name: it is read again" timeout "$limit" "$gallop" report "$T/r.gallop" -f json -o "$T/json"
	says "$name: it costs no more than it may" '.cost.calibrated and .cost.predicted <= .cost.budget and .cost.predicted_now <= .cost.budget'
	says "$name: they are given up, and said" '.gc.check.off_ns > 5e9 and (.cost.off | test("stops and cycles one by one for [0-9]+ s"))'
	says "$name: some are seen, not all" '(.gc.list | length) > 100 and .gc.unseen_cycles > 100'
	is "$name: how many there were, and how long they took" "$(jq -c '.gc | {cycles, pause_total_ns}' "$T/json")" "$truth"
	is "$name: ... as the check has it" "$(jq -c '.gc.check | {cycles: .runtime_cycles, pause_total_ns: .runtime_pause_ns}' "$T/json")" "$truth"
	# A cycle is seen from its beginning to its end, or its beginning isn't known: none is made of two.
	says "$name: no cycle is made of parts of others" '[.gc.list[] | select(.mark_ns > 1e9)] == []'
	timeout "$limit" "$gallop" report "$T/r.gallop" > "$T/out"
	matches "$name: no check fails" "$(grep -A 2 '^GC check' "$T/out")" 'one by one [0-9,]+ were seen'
}

# Two at work on one process: each says so.
together() {
	local name="go $1, two tracers" first
	start_program "$2" -goroutines 1 || fail "$name: the program is ready"
	start_gallop record -q -o "$T/a.gallop" -p "$program" || fail "$name: the first is ready" "$(cat "$T/gallop.err")"
	first=$tracer
	start_gallop record --mode exact -q -o "$T/b.gallop" --duration 12s -p "$program" || fail "$name: the second is ready" "$(cat "$T/gallop.err")"
	wait_exit "$tracer"
	is "$name: the second's status" $? 0
	stop "$first"
	is "$name: the first's status" $? 0
	end_program
	rm -f "$T/json"	# of what was before
	timeout "$limit" "$gallop" report "$T/a.gallop" -f json -o "$T/json"
	if [ "$(uname -r | cut -d. -f1)" -gt 6 ] || [[ $(uname -r) =~ ^6\.([89]|[1-9][0-9])\. ]]; then
		says "$name: the first sees the second's probes" '.cost.other_probes > 0'
		matches "$name: ... and says so" "$(timeout "$limit" "$gallop" report "$T/a.gallop")" 'another tracer is attached to this process'
		matches "$name: the second says so from the beginning" "$(timeout "$limit" "$gallop" report "$T/b.gallop")" 'another tracer is attached to this process'
	else
		skip "$name" "this kernel doesn't tell which process a link is for"
	fi
	start_program "$2" -goroutines 1 || fail "$name: the program is ready again"
	start_gallop record -q -o "$T/c.gallop" -p "$program" || fail "$name: one alone is ready" "$(cat "$T/gallop.err")"
	stop "$tracer"
	end_program
	rm -f "$T/json"
	timeout "$limit" "$gallop" report "$T/c.gallop" -f json -o "$T/json"
	says "$name: one alone is none" '.cost.other_probes == 0'
}

for version in "${versions[@]}"; do
	if ! exe=$(go_program "$version" plain load); then
		skip "go $version" "$(tail -n 1 "$T/build.err")"
		continue
	fi
	under_load "$version" "$exe"
	profiled "$version" "$(go_program "$version" plain profiled)"
	collecting "$version"
done
[ -z "${exe:-}" ] || together "$version" "$exe"
done_testing
