#!/bin/bash
# timeout: 1800
# Garbage collection as gallop shows it, against a program that starts a cycle in every way and stops the
# world for every reason there is, and knows what the runtime counted: cycles, pauses (to the nanosecond
# where the runtime hands its own times on), triggers, reasons, callers and assists.
#
# GALLOP_TEST_GO chooses less than all versions.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

versions=${GALLOP_TEST_GO:-$("$top/tools/go-toolchain" list)}

# differing FILTER [NAME FILE]...: how the JSON in $T/json (and files that the filter knows by other names)
# disagrees with what the program said.
differing() {
	local filter=$1 name
	declare -A file=([l]=/dev/null [x]=/dev/null [c]=/dev/null)
	shift
	while [ $# -gt 0 ]; do file[$1]=$2; shift 2; done
	for name in "${!file[@]}"; do set -- "$@" --slurpfile "$name" "${file[$name]}"; done
	jq -nr --slurpfile t "$T/truth" --slurpfile b "$T/truth" --slurpfile g "$T/json" --slurpfile r "$T/traced" "$@" \
		"$(< "$here/gc.jq") $filter" | head -n 40
}

# What the runtime says of each cycle on standard error, in $T/traced: see GODEBUG in Go's package runtime.
export GODEBUG=gctrace=1
take_gctrace() {
	jq -nR 'inputs | capture("^gc (?<n>[0-9]+) @.* (?<start>[0-9]+)->(?<end>[0-9]+)->(?<marked>[0-9]+) MB, (?<goal>[0-9]+) MB goal")
		| map_values(tonumber)' "$1" > "$T/traced"
}

# All of it, of one run.
compare() {
	[ -s "$T/truth" ] || { fail "$1: the program knows what it did" "$(cat "$T/gallop.err" "$T/program.err")"; return; }
	is "$1: the program's result is the same" "$(jq -r .checksum "$T/truth")" "$want"
	succeeds "$1: gallop says something" jq -e .gc "$T/json" || return
	nothing "$1: numbers of the cycles" differing cycles_differ
	nothing "$1: pauses" differing pauses_differ
	nothing "$1: triggers, callers and goroutines of the cycles" differing triggers_differ
	nothing "$1: times of the cycles" differing cycles_odd
	nothing "$1: heap and goal of the cycles" differing heap_odd
	nothing "$1: reasons and callers of the other stops" differing stops_differ
	nothing "$1: stops of each cycle" differing gc_stops_differ
	nothing "$1: cycles that marked more than once" differing restarts_missing
	nothing "$1: times of the stops" differing stops_odd
	nothing "$1: assists" differing assists_differ
	nothing "$1: the check line" differing check_differs
	nothing "$1: the summary" differing summary_differs
	nothing "$1: nothing lost" differing lost
}

from_start() {
	local name="go $1 $2, from the start"
	rm -f "$T/truth" "$T/json"
	timeout "$limit" "$gallop" gc -q -f json -o "$T/json" -- "$exe" > "$T/truth" 2> "$T/gallop.err"
	is "$name: status" "$? $(grep -vE '^(gc [0-9]|GC forced)' "$T/gallop.err")" "0 "
	take_gctrace "$T/gallop.err"
	compare "$name"
}

# What it collected before is none of gallop's business.
to_running() {
	local name="go $1 $2, to a running process"
	watch_work "$name" gc "$exe" -wait
	take_gctrace "$T/program.err"
	compare "$name"
}

# Attached and detached in the middle of whatever the program does, for some cycles or for a moment:
# what is shown is right.
in_the_middle() {
	local name="go $1, in the middle" line n
	start_program "$exe" -busy || fail "$name: the program is ready" "$(cat "$T/program.err")"
	for n in 1 2 3 4 5 6 7 8 9 10; do
		start_gallop gc -f json -o "$T/json.$n" -p "$program" ||
			fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
		if [ "$n" -le 5 ]; then
			echo more >&"$program_in"
			wait_line "$program_out" '^more' || fail "$name: the program goes on"
		fi
		stop "$tracer"
		is "$name: gallop's status, $n" $? 0
	done
	succeeds "$name: not probed any more" unprobed "$program"
	echo enough >&"$program_in"
	while IFS= read -r -t "$limit" -u "$program_out" line && [[ $line != '{'* ]]; do :; done
	echo "$line" > "$T/truth"
	wait_exit "$program"
	is "$name: the program's status" $? 0
	for n in 1 2 3 4 5 6 7 8 9 10; do
		mv "$T/json.$n" "$T/json"
		[ "$n" -gt 5 ] ||
			succeeds "$name: cycles and stops, $n" jq -e '.gc | .cycles >= 5 and (.stops | length) >= 50' "$T/json"
		nothing "$name: stops, $n" differing busy_stops_differ
		nothing "$name: cycles, $n" differing busy_cycles_differ
		nothing "$name: times of the stops, $n" differing stops_alone
		nothing "$name: nothing lost, $n" differing lost
	done
}

# The same recording in every form.
written_differently() {
	local name="go $1, recorded"
	rm -f "$T/truth" "$T/json"
	timeout "$limit" "$gallop" record --mode exact -q -o "$T/r.gallop" -- "$exe" > "$T/truth" 2> "$T/gallop.err"
	is "$name: status" "$?" 0
	take_gctrace "$T/gallop.err"
	report "$name: JSON" json "$T/json" || return
	compare "$name"
	report "$name: lines of JSON" jsonl "$T/jsonl" &&
		nothing "$name: lines of JSON" differing lines_differ l "$T/jsonl"
	report "$name: a trace" trace "$T/trace" &&
		nothing "$name: the trace" differing trace_odd x "$T/trace"
	report "$name: collapsed assists" collapsed "$T/assists" --value assist &&
		nothing "$name: collapsed assists" collapsed_differing "$T/assists" g.assists
	report "$name: collapsed stops" collapsed "$T/stw" --value stw &&
		nothing "$name: collapsed stops" collapsed_differing "$T/stw" 'g.stops | map(.ns = .end_ns - .start_ns)'
}

# report WHAT FORMAT FILE OPTIONS...
report() { succeeds "$1" timeout "$limit" "$gallop" report "$T/r.gallop" -f "$2" -o "$3" "${@:4}" && [ -s "$3" ]; }

# Frames divided by semicolons, one blank, a number: nothing else.
collapsed_differing() {
	grep -vE '^[^ ;][^;]*(;[^;]+)* [1-9][0-9]*$' "$1"
	sed -E 's/^(.*) ([0-9]+)$/\1\t\2/' "$1" |
		jq -Rn '[inputs / "\t" | {stack: .[0], value: .[1] | tonumber}]' > "$1.json"
	differing "collapsed_differs($2)" c "$1.json"
}

for version in $versions; do
	for mode in plain stripped; do
		if ! exe=$(go_program "$version" "$mode" gctruth); then
			skip "go $version $mode" "$(tail -n 1 "$T/build.err")"
			continue
		fi
		: "${want:=$(timeout "$limit" "$exe" | jq -r .checksum)}"
		case $mode in
		plain) from_start "$version" "$mode" ;;
		stripped) to_running "$version" "$mode" ;;
		esac
	done
done
for version in ${GALLOP_TEST_GO:-1.19 1.23 1.27}; do
	exe=$(go_program "$version" plain gctruth) || continue
	in_the_middle "$version"
	# How it is written is the same for every Go; before 1.22 the runtime says less.
	[[ $version == 1.23 ]] || written_differently "$version"
done
done_testing
