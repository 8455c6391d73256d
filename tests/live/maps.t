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

# What was done, however it was looked at.
compare() {
	[ -s "$T/truth" ] || { fail "$1: the program knows what it did" "$(cat "$T/gallop.err" "$T/program.err")"; return 1; }
	succeeds "$1: gallop says something" jq -e '.maps.sites | length > 0' "$T/json" || return
	nothing "$1: calls and entries" map_differences calls_differ
	nothing "$1: growths" map_differences growths_differ
	nothing "$1: rehashes" map_differences rehashes_differ
	nothing "$1: no other types" map_differences others
	nothing "$1: totals" map_differences totals_differ
}

from_start() {
	local name="go $1 $2, from the start"
	rm -f "$T/truth" "$T/json" "$T/r.gallop"
	timeout "$limit" "$gallop" record --mode exact -q -o "$T/r.gallop" -- "$exe" > "$T/truth" 2> "$T/gallop.err"
	is "$name: status" "$?" 0
	to_json "$T/r.gallop" "$T/json" 2>> "$T/gallop.err"
	compare "$name"
}

# The program keeps its maps until gallop has looked at them for the last time.
to_running() {
	local name="go $1 $2, to a running process"
	watch_work "$name" maps "$exe" -wait
	compare "$name" || return
	nothing "$name: bytes of the maps that are there" map_differences held_differs
	nothing "$name: where those were made and emptied" map_differences held_elsewhere
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
