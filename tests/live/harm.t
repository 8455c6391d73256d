#!/bin/bash
# timeout: 1200
# Gallop comes and goes under a program whose stacks grow and move and whose garbage is collected, and
# never changes one of its results, whatever else runs meanwhile. GALLOP_TEST_ROUNDS says how often, 100 times by default,
# and HARM_MODES in which modes, taken in turn: exact, and auto, maps, gc and op as well (make rounds).
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

rounds=${GALLOP_TEST_ROUNDS:-100}
read -ra versions <<< "${GALLOP_TEST_GO:-1.19 1.22 1.25 1.27}"

read -ra modes <<< "${HARM_MODES:-exact}"

# mode NR: the command line of that round.
mode() {
	case ${modes[$1 % ${#modes[@]}]} in
	exact) command=(record --mode exact -d 100ms -o "$T/h.gallop") ;;
	auto) command=(record --budget 20 -d 100ms -o "$T/h.gallop") ;;
	maps) command=(maps --mode exact -o "$T/h.txt") ;;
	gc) command=(gc -o "$T/h.txt") ;;
	op) command=(op --mode exact -f main.piece -o "$T/h.txt") ;;
	esac
}

now_us() { echo "${EPOCHREALTIME/[^0-9]/}"; }

# median WHAT FILE: of so many microseconds, one a line.
median() {
	sort -n "$2" | awk -v what="$1" '{ v[NR] = $1 } END { if (NR)
		printf "# %s: median %.0f ms, 90 %% within %.0f ms (%d)\n", what, v[int((NR + 1) / 2)] / 1e3, v[int((NR * 9 + 9) / 10)] / 1e3, NR }'
}

# By perf uprobes in some rounds only: to detach those takes the kernel seconds. Every tenth round ends
# with a kill -9.
one_round() {
	local how=multi began command
	mode "$1"
	# Windows need the other.
	[ $(($1 % 8)) != 3 ] || [[ ${command[*]} == *--budget* ]] || how=perf
	began=$(now_us)
	start_gallop "${command[@]}" -q --attach $how -p "$program" || return 1
	echo $(($(now_us) - began)) >> "$T/attach.$how"
	if [ $(($1 % 10)) = 7 ]; then
		kill -KILL "$tracer"
		wait_exit "$tracer" 2> /dev/null
		[ $? = 137 ]
	else
		began=$(now_us)
		stop "$tracer" || return 1
		echo $(($(now_us) - began)) >> "$T/detach.$how"
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

medians() {
	local how
	for how in multi perf; do
		[ ! -s "$T/attach.$how" ] || median "from the command to counting, $how" "$T/attach.$how"
		[ ! -s "$T/detach.$how" ] || median "from Ctrl-C to its end, $how" "$T/detach.$how"
	done
}

for version in "${versions[@]}"; do harm "$version" $((rounds / ${#versions[@]})); done
medians
done_testing
