#!/bin/bash
# timeout: 1800
# Every Go version: what gallop says of maps is equal to what a program says
# that knows what it does to them: calls, entries and growths, by function and type, from its first
# instruction on and when attached; and the memory of those that are there, within 2 % of what it measured.
#
# GALLOP_TEST_GO and GALLOP_TEST_MODES choose less or more: plain and cgo differ in nothing that matters here.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

versions=${GALLOP_TEST_GO:-$("$top/tools/go-toolchain" list)}
modes=${GALLOP_TEST_MODES:-stripped pie noswissmap}

differing() {
	jq -nr --slurpfile t "$T/truth" --slurpfile g "$T/json" "$(< "$here/maps.jq") $1" | head -n 40
}

# What was done, however it was looked at.
compare() {
	[ -s "$T/truth" ] || { fail "$1: the program knows what it did" "$(cat "$T/gallop.err" "$T/program.err")"; return 1; }
	succeeds "$1: gallop says something" jq -e '.maps.sites | length > 0' "$T/json" || return
	nothing "$1: calls and entries" differing calls_differ
	nothing "$1: growths" differing growths_differ
	nothing "$1: rehashes" differing rehashes_differ
	nothing "$1: no other types" differing others
	nothing "$1: totals" differing totals_differ
}

from_start() {
	local name="go $1 $2, from the start"
	rm -f "$T/truth" "$T/json" "$T/r.gallop"
	timeout "$limit" "$gallop" record -q -o "$T/r.gallop" -- "$exe" > "$T/truth" 2> "$T/gallop.err"
	is "$name: status" "$?" 0
	to_json "$T/r.gallop" "$T/json" 2>> "$T/gallop.err"
	compare "$name"
}

# The program keeps its maps until gallop has looked at them for the last time.
to_running() {
	local name="go $1 $2, to a running process" line
	rm -f "$T/truth" "$T/json"
	start_program "$exe" -wait || fail "$name: the program is ready" "$(cat "$T/program.err")"
	start_gallop maps -f json -o "$T/json" -p "$program" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	echo go >&"$program_in"
	IFS= read -r -t "$limit" -u "$program_out" line && echo "$line" > "$T/truth"
	stop "$tracer"
	is "$name: gallop's status" $? 0
	echo end >&"$program_in"
	wait_exit "$program"
	is "$name: the program's status" $? 0
	compare "$name" || return
	nothing "$name: bytes of the maps that are there" differing held_differs
	nothing "$name: where those were made and emptied" differing held_elsewhere
}

for version in $versions; do
	for mode in $modes; do
		[[ $mode != noswissmap || $version =~ ^1\.2[45]$ ]] || continue
		if ! exe=$(go_program "$version" "$mode" maptruth); then
			skip "go $version $mode" "$(tail -n 1 "$T/build.err")"
			continue
		fi
		case $mode in pie | cgo) ;; *) to_running "$version" "$mode" ;; esac
		case $mode in stripped) ;; *) from_start "$version" "$mode" ;; esac
	done
done
done_testing
