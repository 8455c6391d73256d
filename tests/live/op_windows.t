#!/bin/bash
# alone
# timeout: 600
# Operations in windows, of a program that knows its functions: what every call allocates is told exactly, a mixture within
# its interval, calls are all counted where the budget allows it; what is too long to be measured is counted as cut; the
# budget is kept; the program is not harmed, and a kill -9 leaves nothing behind.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

read -ra versions <<< "${GALLOP_TEST_GO:-1.19 1.27}"

op() { jq -c --arg f "main.$1" ".ops[] | select(.func == \$f) | $2" "$T/json"; }

# differences_of_windows FUNC...: "FUNC: WHAT" for each that is not as the program says.
differences_of_windows() {
	jq -rn --slurpfile t "$T/truth" --slurpfile g "$T/json" '
		$ARGS.positional[] as $f
		| [$t[0].ops[] | select(.func == $f)] as $said | [$g[0].ops[] | select(.func == $f)] as $got
		| if ($said | length) != 1 then "\($f): the program says \($said | length) of it"
		  elif ($got | length) != 1 then "\($f): gallop says \($got | length) of it"
		  else $said[0] as $o | $got[0] | .allocs_per_op as $n
		| (select(.measured < 3 or .windows < 3) | "\(.func): \(.measured) measured in \(.windows) windows"),
		  (select(.measured > 0 and $o.equal)
		   | select([$n.mean, $n.p50, $n.p99, $n.max] != [$o.objects, $o.objects, $o.objects, $o.objects])
		   | "\(.func): \($n), the program says \($o.objects)"),
		  (select($o.entries == $o.calls and .calls != $o.calls) | "\(.func): \(.calls) calls, the program says \($o.calls)"),
		  (select($o.entries != $o.calls and .calls != null) | "\(.func) recurses: \(.calls) calls"),
		  (select(.cut > 0) | "\(.func): \(.cut) cut"),
		  (select(.begun != .measured + .panics + .goexits + .cut) | "\(.func): \(.begun) begun")
		  end' --args "$@"
}

# worked NAME EXE OPTION... SECONDS: what the program did in so many seconds, in $T/truth, and what gallop saw of it, in $T/json.
worked() { watch_work "$1" op "${@:2:$#-2}" -time "${*: -1}s"; }

# With room for everything: all of it is to be right.
all_functions() {
	local name="go $1" functions=(main.{none,one,three,hundred,recursing,blocking,mixture,mending}) f
	view_options=(-q --budget 100)
	for f in "${functions[@]}" main.panicking; do view_options+=(-f "$f"); done
	grow 6 '.ops | all(.windows >= 3 and .measured + .panics >= 3)' worked "$name" "$2" -pause 20ms
	[ -s "$T/truth" ] || { fail "$name: the program says what it did" "$(cat "$T/program.err" "$T/gallop.err")"; return; }
	nothing "$name: calls and allocations" differences_of_windows "${functions[@]}"
	is "$name: mode" "$(jq -r .meta.mode "$T/json")" auto
	is "$name: nothing given up" "$(jq -r .cost.off "$T/json")" ""
	succeeds "$name: panics" [ "$(op panicking '.panics > 0 and .allocs_per_op.max == 4')" = true ]
	is "$name: nothing lost" "$(jq .loss.total "$T/json")" 0
	is "$name: nothing is left attached" "$(jq -r .meta.end_reason "$T/json")" signal
}

many_windows='.ops[0] | .windows > 8 and .measured > 300'

# One call in ten allocates more than all others do. Twice the half-width is four times the deviation: chance has no part in it.
mixture() {
	local name="go $1, a mixture"
	view_options=(-q --budget 100 -f main.mixture)
	grow 5 "$many_windows" worked "$name" "$2" -only main.mixture -pause 0
	succeeds "$name: many windows, none of it cut" jq -e "($many_windows) and .ops[0].cut == 0" "$T/json"
	succeeds "$name: its mean is in the interval: $(op mixture .allocs_per_op)" \
		[ "$(op mixture '.allocs_per_op | .mean_ci95 != null and .mean_ci95 > 0 and (.mean - 7 | fabs) <= 2 * .mean_ci95')" = true ]
}

# As many small calls as large ones, but windows see many more of the small ones: each counts for the calls of its time.
phases() {
	local name="go $1, phases" truth
	view_options=(-q --budget 100 -f main.phases)
	grow 14 "$many_windows" worked "$name" "$2" -only main.phases -pause 1ms
	truth=$(jq '.ops[] | select(.func == "main.phases").objects' "$T/truth")
	succeeds "$name: many windows, none of it cut" jq -e "($many_windows) and .ops[0].cut == 0" "$T/json"
	succeeds "$name: its mean is in the interval: $(op phases .allocs_per_op), $truth" \
		[ "$(op phases ".allocs_per_op | .mean_ci95 != null and .mean_ci95 > 0 and (.mean - $truth | fabs) <= 2 * .mean_ci95")" = true ]
	# The sum of those measured by their number is half of it.
	succeeds "$name: it is no mean of those measured" \
		[ "$(op phases '.allocs_per_op.mean * .begun > 1.4 * ([.sites[].objects] | add)')" = true ]
}

# The same in a recording, which says what it is of, and what it cost.
recorded() {
	local name="go $1, recorded" line
	rm -f "$T/x.gallop" "$T/json" "$T/truth"
	start_program "$2" -pause 20ms -time 5s || fail "$name: the program is ready"
	start_gallop record -q --budget 100 --op main.three --op main.hundred --op main.recursing -o "$T/x.gallop" -p "$program" ||
		fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	echo go >&"$program_in"
	IFS= read -r -t "$limit" -u "$program_out" line && echo "$line" > "$T/truth"
	stop "$tracer"
	is "$name: status" $? 0
	end_program
	run op "$T/x.gallop" --format json -o "$T/json"
	is "$name: it is read" "$status $err" "0 "
	nothing "$name: calls and allocations" differences_of_windows main.three main.hundred main.recursing
	succeeds "$name: windows, and what they cost" jq -e '.sampling == null and .cost.windows > 2 and .cost.budget == 1' "$T/json"
	succeeds "$name: as many of them as it cost" \
		[ "$(op hundred '.windows > 2 and .allocs_per_op.mean == 100')" = true ]
	run report "$T/x.gallop"
	matches "$name: report shows them" "$out" 'main.hundred: [0-9,]+ calls began'
	matches "$name: ... and what it doesn't tell" "$out" 'in windows of operations; how much there was in all is not known'
	matches "$name: ... and what to do about it" "$out" 'note: .*--mode exact records both'
	run report "$T/x.gallop" --from 1s --to 3s
	is "$name: what a part cost isn't known" "$(grep -c '^cost: ' <<< "$out")" 0
}

# Three seconds each, on 60 goroutines: each window admits some, and none of them ends in time.
too_long() {
	local name="go $1, too long"
	view_options=(-q --budget 100 -f main.long)
	watch_work "$name" op "$2" -only main.long -goroutines 60 -time 5s
	succeeds "$name: they are cut" [ "$(op long '.cut > 0 and .measured == 0 and .begun == .cut and .allocs_per_op == null')" = true ]
	is "$name: all calls are counted" "$(op long .calls)" "$(jq '.ops[] | select(.func == "main.long").calls' "$T/truth")"
	is "$name: nothing lost" "$(jq .loss.total "$T/json")" 0
}

# within FUNC SECONDS
within() { run op -q -p "$program" -f "$1" --duration "$2s" -o "$T/json" --format json; }

# Nothing but calls, as fast as can be: what is always on is given up, and windows go on.
budget() {
	local name="go $1, budget"
	start_program "$2" -pause 0 -only main.mixture || fail "$name: the program is ready"
	echo go >&"$program_in"
	grow 32 '.ops[0] | .windows >= 3 and .measured > 100' within main.mixture
	is "$name: status" "$status $err" "0 "
	succeeds "$name: kept" jq -e '.cost.predicted <= 0.021 and .cost.predicted_now <= 0.021' "$T/json"
	succeeds "$name: calls are given up, and said" jq -e '.cost.off | test("calls of operations for [0-9]+ s")' "$T/json"
	is "$name: then their number isn't told" "$(op mixture .calls)" null
	succeeds "$name: windows go on" [ "$(op mixture '.windows >= 3 and .measured > 100 and .cut == 0')" = true ]
	# No window has more hits than it may: 12,000 and what comes between the last and the end, and 20,000 of calls.
	succeeds "$name: hits are bounded" jq -e '.cost.hits < .cost.windows * 16000 + 20000' "$T/json"
	succeeds "$name: nothing is left attached" unprobed "$program"
	end_program
	is "$name: the program's status" $? 0
}

# One that is called all the time isn't counted any more; one that is rare is, all the time.
frequent() {
	local name="go $1, a frequent one"
	start_program "$2" -pause 0 || fail "$name: the program is ready"
	echo go >&"$program_in"
	run op -q -p "$program" -f main.one -f main.long --duration 8s -o "$T/json" --format json
	is "$name: status" "$status $err" "0 "
	succeeds "$name: it is given up, and said" jq -e '.cost.off | test("calls of 1 of 2 operations for up to [0-9]+ s")' "$T/json"
	is "$name: its calls aren't told" "$(op one .calls)" null
	succeeds "$name: those of the rare one are: $(op long .calls)" [ "$(op long '.calls >= 2 and .calls <= 4')" = true ]
	run op -q -p "$program" -f main.one -f main.long --duration 3s
	is "$name: said once" "$(grep -c 'not all calls were counted' <<< "$out")" 1
	end_program
	is "$name: the program's status" $? 0
}

killed() {
	local name="go $1, killed" round bad=0
	start_program "$2" -pause 1ms || fail "$name: the program is ready"
	echo go >&"$program_in"
	for ((round = 0; round < 5; round++)); do
		start_gallop op -q --budget 100 -f main.three -f main.one -p "$program" --format json -o "$T/json" || bad=$((bad + 1))
		IFS= read -r -t "0.$((RANDOM % 9))" -u "$_pause"	# a moment that nothing decides
		kill -KILL "$tracer"
		wait_exit "$tracer" 2> /dev/null
		unprobed "$program" || bad=$((bad + 1))
	done
	is "$name: rounds that left something" $bad 0
	end_program
	is "$name: the program's status" $? 0
}

for version in "${versions[@]}"; do
	exe=$(go_program "$version" plain opwindows) || { skip "go $version" "$(tail -n 1 "$T/build.err")"; continue; }
	all_functions "$version" "$exe"
	last=$version last_exe=$exe
done
if [ -n "${last:-}" ]; then
	mixture "$last" "$last_exe"
	phases "$last" "$last_exe"
	recorded "$last" "$last_exe"
	too_long "$last" "$last_exe"
	budget "$last" "$last_exe"
	frequent "$last" "$last_exe"
	killed "$last" "$last_exe"
	run op -q --attach perf -f main.one --format json -o "$T/json" -- "$last_exe"
	refused "perf uprobes" 5 "windows"
	matches "perf uprobes: hint" "$err" "--mode exact"
fi
done_testing
