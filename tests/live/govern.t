#!/bin/bash
# alone
# timeout: 900
# Windows open and close under a program at work, keep their limits, and do it no harm; what is always on is given up
# where the budget is too small for it; the runtime's own samples are all seen.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_tools jq

O=${O:-build}
case $O in /*) driver=$O ;; *) driver=$top/$O ;; esac
driver=$driver/tests/live/govern_test
make -s -C "$top" "O=$O" "${driver#"$top/"}" >&2 || { echo "Bail out! cannot build"; exit 99; }
read -ra versions <<< "${GALLOP_TEST_GO:-1.19 1.23 1.27}"
windows=${GALLOP_TEST_WINDOWS:-12}

# What the driver says on its last line, of so many windows.
drive() { timeout -k 5 "$((limit * 5))" "$driver" "$@" 2> "$T/driver.err" > "$T/driver.out" && tail -n 1 "$T/driver.out" > "$T/json"; }

says() { succeeds "$1" jq -e "$2" "$T/json"; }

under_load() {
	local version=$1 exe=$2 name="go $1" result
	start_program "$exe" -goroutines 3 || fail "$name: the program is ready"
	succeeds "$name: every sample makes sense and lies in its window" drive "$program" "$windows" 1
	cat "$T/driver.err" >&2
	says "$name: windows end, but for one at the end" ".windows >= $windows and .whole >= .windows - 1"
	says "$name: both stages tell something" '.refills > 0 and .mallocs > 0 and .maps > 0'
	says "$name: nothing is lost" '.losses == 0'
	# What comes between a window's last hit and its end depends on the scheduler; without an end it is 10,000 times as much.
	says "$name: the limits of hits hold" '.refill_hits_max < 1200 and .exact_hits_max < 2000'
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

for version in "${versions[@]}"; do
	if ! exe=$(go_program "$version" plain load); then
		skip "go $version" "$(tail -n 1 "$T/build.err")"
		continue
	fi
	under_load "$version" "$exe"
	profiled "$version" "$(go_program "$version" plain profiled)"
done
done_testing
