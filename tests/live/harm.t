#!/bin/bash
# timeout: 1200
# Gallop comes and goes under a program whose stacks grow and move and whose garbage is collected, and
# never changes one of its results, whatever else runs meanwhile. GALLOP_TEST_ROUNDS says how often, 200 times by default.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

rounds=${GALLOP_TEST_ROUNDS:-200}
read -ra versions <<< "${GALLOP_TEST_GO:-1.19 1.22 1.25 1.27}"

# By perf uprobes in some rounds only: to detach those takes the kernel seconds. Every tenth round ends
# with a kill -9.
one_round() {
	local how=multi
	[ $(($1 % 8)) != 3 ] || how=perf
	start_gallop record --mode exact -q --attach $how -p "$program" -d 0.1 -o "$T/h.gallop" || return 1
	if [ $(($1 % 10)) = 7 ]; then
		kill -KILL "$tracer"
		wait_exit "$tracer" 2> /dev/null
		[ $? = 137 ]
	else
		stop "$tracer"
	fi
}

harm() {
	local version=$1 n=$2 exe round result bad=0
	local name="go $version, $n rounds"
	if ! exe=$(go_program "$version" plain load); then
		skip "$name" "$(tail -n 1 "$T/build.err")"
		return
	fi
	start_program "$exe" -goroutines 3 || fail "$name: the program is ready"
	for ((round = 0; round < n; round++)); do
		one_round $round || { bad=$((bad + 1)); cat "$T/gallop.err" >&2; }
		kill -0 "$program" 2> /dev/null || break
	done
	is "$name: all rounds done, the program alive" "$round" "$n"
	is "$name: rounds in which gallop failed" $bad 0
	succeeds "$name: nothing is left attached" unprobed "$program"
	exec {program_in}>&-
	IFS= read -r -t "$limit" -u "$program_out" result
	wait_exit "$program"
	is "$name: the program's status" $? 0
	is "$name: wrong results" "$(jq .wrong <<< "$result")" 0
	succeeds "$name: it worked and collected garbage" jq -e '.pieces > 1000 and .gc > 10' <<< "$result"
	[ ! -s "$T/program.err" ] || fail "$name: it complained" "$(cat "$T/program.err")"
}

for version in "${versions[@]}"; do harm "$version" $((rounds / ${#versions[@]})); done
done_testing
