#!/bin/bash
# timeout: 1800
# Every Go version: what gallop says of operations is equal to what a program says that knows them, of functions of
# every form, called and left in every way: calls, allocations and bytes, as sums and as distributions, panics and
# goroutine exits, time; and to what Go's own benchmarks say of the same functions. From the program's first instruction
# on, and attached to it.
#
# GALLOP_TEST_GO and GALLOP_TEST_MODES choose less or more.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

versions=${GALLOP_TEST_GO:-$("$top/tools/go-toolchain" list)}

# look_for NAME GROUP: the functions of the group become what is watched.
look_for() {
	local func
	view_options=(--mode exact)
	timeout "$limit" "$exe" "$2" > "$T/alone" 2> "$T/program.err" || { fail "$1: the program alone" "$(< "$T/program.err")"; return 1; }
	while IFS= read -r func; do view_options+=(-f "$func"); done < <(jq -r '.ops[].func' "$T/alone")
}

compare() {
	[ -s "$T/truth" ] || { fail "$1: the program knows what it did" "$(cat "$T/gallop.err" "$T/program.err")"; return 1; }
	succeeds "$1: gallop says something" jq -e '.ops | length > 0' "$T/json" || return
	nothing "$1: calls, and how they ended" op_differences calls_differ
	nothing "$1: objects" op_differences objects_differ
	nothing "$1: bytes" op_differences bytes_differ
	nothing "$1: distributions" op_differences distributions_differ
	nothing "$1: sites" op_differences sites_differ
	nothing "$1: times" op_differences times_differ
	nothing "$1: the collector's part" op_differences collector_differs
	nothing "$1: nothing lost" op_differences lost
}

from_start() {
	local name="go $1 $2, $3, from the start"
	look_for "$name" "$3" || return
	rm -f "$T/truth" "$T/json"
	timeout "$limit" "$gallop" op -q "${view_options[@]}" --format json -o "$T/json" -- "$exe" "$3" > "$T/truth" 2> "$T/gallop.err"
	is "$name: status" "$? $(< "$T/gallop.err")" "0 "
	compare "$name" || return
	case $3 in
	shapes | ways)
		timeout "$limit" "$exe" -bench "$3" > "$T/benchmarks" 2> "$T/program.err"
		is "$name: benchmarks" "$? $(< "$T/program.err")" "0 "
		nothing "$name: package testing" op_differences benchmarks_differ "$T/benchmarks"
		;;
	esac
}

to_running() {
	local name="go $1 $2, $3, to a running process"
	look_for "$name" "$3" || return
	watch_work "$name" op "$exe" -wait "$3"
	compare "$name"
}

# Attached and detached again while all functions are called all the time.
in_the_middle() {
	local name="go $1, in the middle" func n line
	view_options=(--mode exact)
	for func in one locking recursing ping pong mending panicking sometimes panicsAgain mendsAgain fallsThrough fallsHalfway; do
		view_options+=(-f "main.$func")
	done
	start_program "$exe" -busy || fail "$name: the program is ready" "$(cat "$T/program.err")"
	for n in 1 2 3 4 5; do
		start_gallop op "${view_options[@]}" --format json -o "$T/json.$n" -p "$program" --duration "$((n * 50))ms" ||
			fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
		wait_exit "$tracer"
		is "$name: gallop's status, $n" $? 0
	done
	succeeds "$name: not probed any more" unprobed "$program"
	end_program
	is "$name: the program's status" $? 0
	IFS= read -r -t "$limit" -u "$program_out" line && echo "$line" > "$T/truth"
	for n in 1 2 3 4 5; do
		mv "$T/json.$n" "$T/json"
		nothing "$name: all calls are whole, $n" op_differences busy_differs
		nothing "$name: sites, $n" op_differences sites_differ
		nothing "$name: nothing lost, $n" op_differences lost
	done
}

# Of those that differ by version only, the oldest and the newest are attached to.
attaches() {
	case $2,$1 in
	endings,* | goroutines,* | *,1.19 | *,1.27) return 0 ;;
	esac
	[ -n "${GALLOP_TEST_GO:-}" ]
}

for version in $versions; do
	for mode in ${GALLOP_TEST_MODES:-plain}; do
		if ! exe=$(go_program "$version" "$mode" optruth); then
			skip "go $version $mode" "$(tail -n 1 "$T/build.err")"
			continue
		fi
		for group in shapes ways endings goroutines collector; do
			from_start "$version" "$mode" "$group"
			if attaches "$version" "$group"; then to_running "$version" "$mode" "$group"; fi
		done
	done
done
for version in ${GALLOP_TEST_GO:-1.19 1.23 1.27}; do
	exe=$(go_program "$version" plain optruth) || continue
	in_the_middle "$version"
done
# 200,000 calls that differ: their number has no part in how distributions are made, and each costs its traps.
for version in ${GALLOP_TEST_GO:-1.19 1.27}; do
	exe=$(go_program "$version" plain optruth) || continue
	to_running "$version" plain spread
done
done_testing
