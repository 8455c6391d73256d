#!/bin/bash
# All processes of one file as one target (-x): what is counted is the sum of what each of them knows it has made, also of
# those that come, go, or become another program meanwhile; of no others. What can't be told of many is refused.
#
# GALLOP_TEST_GO and GALLOP_TEST_MODES choose other builds.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq sqlite3

versions=${GALLOP_TEST_GO:-1.19 1.23 1.27}
newest=${versions##* }

# --- many programs ---------------------------------------------------------------------------------------

# begin_all N COMMAND...: so many of them; each ready, with its pid, what it reads from, and what it has said.
# Their inputs are opened once all of them are there, so that none holds another's open.
pids=() inputs=() said=()
begin_all() {
	local i fd nr=$1 at=${#pids[@]}
	shift
	for ((i = at; i < at + nr; i++)); do
		mkfifo "$T/in.$i"
		"$@" < "$T/in.$i" > "$T/said.$i" 2>&1 &
		pids[i]=$!
		ours $!
	done
	for ((i = at; i < at + nr; i++)); do
		exec {fd}> "$T/in.$i"
		inputs[i]=$fd said[i]=0
	done
	for ((i = at; i < at + nr; i++)); do until_true has_said "$i" 1 || fail "program $i is ready" "$(cat "$T/said.$i")"; done
}
has_said() { [ "$(wc -l < "$T/said.$1")" -ge "$2" ]; }

# order I LINE: it shall do that; await I: it has done all that it was told.
order() { echo "$2" >&"${inputs[$1]}"; ((++said[$1])); }
await() { until_true has_said "$1" $((said[$1] + 1)) || fail "program $1 does what it is told" "$(cat "$T/said.$1")"; }
await_all() { local i; for i in "$@"; do await "$i"; done; }
made() { tail -n 1 "$T/said.$1" | jq .objects; }
close_input() {
	local fd=${inputs[$1]}
	exec {fd}>&-
}
end() {
	close_input "$1"
	unset "inputs[$1]"
	wait_exit "${pids[$1]}"
}
end_all() {
	local i
	for i in "${!inputs[@]}"; do close_input "$i"; done
	for i in "${!pids[@]}"; do wait_exit "${pids[i]}"; done
	rm -f "$T"/in.* "$T"/said.*
	pids=() inputs=() said=()
}

# watch EXE ARGS...: gallop must not hold their inputs open.
watch() {
	local fd close=
	for fd in "${inputs[@]}"; do close+=" $fd>&-"; done
	eval 'start_gallop record -q -x "$1" --mode exact -o "$T/r.gallop" "${@:2}"' "$close" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
}
unwatch() {
	stop "$tracer"
	is "$name: gallop's status" $? 0
	to_json "$T/r.gallop" "$T/json"
}

# counted OBJECTS: by main.allocate, of all of them; and both runtimes and gallop agree, each object of each.
counted() {
	is "$name: objects" "$(jq '[.alloc.sites[] | select(.stack[0].func == "main.allocate") | .objects] | add' "$T/json")" "$1"
	is "$name: nothing lost" "$(jq .loss.total "$T/json")" 0
	is "$name: the check" "$(jq -c '.check | [.known, .gallop_objects]' "$T/json")" "$(jq -c '.check | [true, .runtime_objects]' "$T/json")"
}
# What was not looked at isn't shown as nothing.
fails_with() {
	run "${@:3}"
	is "$1: status" $status 1
	matches "$1: why" "$err$out" "$2"
}
note() { jq -r '.meta.notes[]' "$T/json"; }

# --- 64 of them, under load --------------------------------------------------------------------------------

crowd() {
	local exe i sum=0 ended=5 parent=7 rest=()
	name="go $1 $2, 64 processes"
	exe=$(go_program "$1" "$2" life) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	begin_all 64 "$exe"
	watch "$exe"
	for i in "${!pids[@]}"; do order "$i" "allocate 2000"; order "$i" "goroutines 50"; done
	await_all "${!pids[@]}"
	sum=$(made $ended)
	end $ended
	is "$name: one ends, status" $? 0
	# Five come, and go.
	order $parent "children 5 $exe child 1000"
	for i in "${!inputs[@]}"; do order "$i" "allocate 1000"; rest+=("$i"); done
	await_all "${rest[@]}"
	unwatch
	for i in "${rest[@]}"; do sum=$((sum + $(made "$i"))); done
	counted $((sum + 5000))
	is "$name: nothing of the collector" "$(jq -c '.gc | [keys, .check.known]' "$T/json")" '[["check"],false]'
	is "$name: nor in lines" "$("$GALLOP" report "$T/r.gallop" -f jsonl | jq -c 'select(.type == "summary") | [keys, .check.known]')" '[["check","type"],false]'
	is "$name: from before to" "$(jq '.check.from_mono_ns < .check.to_mono_ns' "$T/json")" true
	fails_with "$name: gc" 'stops and GC cycles are not known' gc "$T/r.gallop"
	fails_with "$name: stops" 'stops and GC cycles are not known' report "$T/r.gallop" -f collapsed --value stw
	fails_with "$name: a timeline" 'stops and GC cycles are not known' report "$T/r.gallop" -f trace
	fails_with "$name: a limit of cycles" 'the collector was not looked at' diff "$T/r.gallop" "$T/r.gallop" --fail-if 'cycles>+1%'
	# Wherever each has it loaded, it is one place.
	is "$name: one site" "$(jq '[.alloc.sites[] | select(.stack[0].func == "main.allocate") | .stack] | unique | length' "$T/json")" 3
	is "$name: its type" "$(jq -c '[.alloc.sites[] | select(.stack[0].func == "main.allocate") | .type] | unique' "$T/json")" '["main.thing"]'
	is "$name: pids" "$(jq '.meta.pids | length' "$T/json")" 69
	nothing "$name: all pids" comm -13 <(jq '.meta.pids[]' "$T/json" | sort) <(printf '%s\n' "${pids[@]}" | sort)
	matches "$name: they came" "$(note)" '5 processes began meanwhile and are counted from their first object'
	matches "$name: they went" "$(note)" "6 processes have exited and are counted until then: "
	for i in 0 63; do succeeds "$name: process $i is not probed any more" unprobed "${pids[i]}"; done
	end_all
}

# --- how they end --------------------------------------------------------------------------------------------

ask() { sqlite3 -cmd '.timeout 10000' "$T/r.gallop" "$1"; }
recorded_objects() { [ "$(ask "SELECT total(objects) FROM sites WHERE function = 'main.allocate'")" = "$1.0" ]; }
intervals() { [ "$(last_interval)" -ge "$1" ]; }
last_interval() { ask 'SELECT ifnull(max(id), 0) FROM interval'; }
intervals_pass() { until_true intervals $(($(last_interval) + $1)); }

# Each makes 1,000 objects. What another program makes, executed by one of them or of a copy of the file, is none of theirs;
# what the same file makes, executed once more, is.
lives() {
	local exe other i
	name="how they end"
	exe=$(go_program "$newest" pie exit) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	other=$(go_program "$newest" plain life)
	cp "$exe" "$T/copy"
	begin_all 1 "$exe" wait hold status 7
	begin_all 1 "$exe" wait hold exec "$other" child 1000
	begin_all 1 "$exe" wait hold exec "$exe" status 3
	begin_all 1 "$exe" wait hold signal 9
	begin_all 1 "$exe" wait hold status 0
	begin_all 1 "$T/copy" wait hold status 0
	watch "$exe" -d 100ms
	for i in "${!pids[@]}"; do order "$i" go; done
	succeeds "$name: 5,000 objects" until_true recorded_objects 5000
	intervals_pass 3
	for i in 0 1 2 3; do order "$i" end; done
	for i in 0 1 2 3; do wait_exit "${pids[i]}"; echo $?; done > "$T/statuses" 2> /dev/null
	is "$name: their statuses" "$(xargs < "$T/statuses")" '7 0 3 137'
	succeeds "$name: 6,000 objects" until_true recorded_objects 6000
	# The last one of the file: gallop ends, too.
	order 4 end
	wait_exit "$tracer"
	is "$name: gallop's status" $? 0
	to_json "$T/r.gallop" "$T/json"
	counted 6000
	is "$name: why it ended" "$(jq -r .meta.end_reason "$T/json")" "target exited"
	is "$name: pids" "$(jq -c '.meta.pids | sort' "$T/json")" "$(printf '%s\n' "${pids[@]:0:5}" | jq -sc sort)"
	matches "$name: of two lives" "$(note)" "2 processes have executed something, and are counted until then: "
	matches "$name: of exits" "$(note)" "4 processes have exited and are counted until then: "
	matches "$name: of the check" "$(note)" "3 processes ended without an exit: their check ends before it: "
	end_all
}

# One is killed before its runtime's count was read: the other's alone isn't that of all.
killed() {
	local exe
	name="killed unread"
	exe=$(go_program "$newest" pie life) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	begin_all 2 "$exe"
	watch "$exe" -d 1h --strict
	for i in 0 1; do order $i "allocate 1000"; done
	await_all 0 1
	kill -KILL "${pids[0]}"
	wait "${pids[0]}" 2> /dev/null
	stop "$tracer"
	is "$name: gallop's status" $? 6
	to_json "$T/r.gallop" "$T/json"
	is "$name: the check is known" "$(jq .check.known "$T/json")" false
	matches "$name: why not" "$(jq -r .check.why_not "$T/json")" '^of 1 of 2 processes, which have [1-9][0-9]* % of the objects, the runtime.s count was not read$'
	matches "$name: which" "$(note)" "1 process isn't in the check, its runtime's count was not read: ${pids[0]}"
	unset 'pids[0]'
	end_all
}

# executing FILE PID...: they have been started, and are there when they have executed it.
executing() {
	local pid
	for pid in "${@:2}"; do
		while kill -0 "$pid" && ! [ "/proc/$pid/exe" -ef "$1" ]; do IFS= read -r -t 0.02 -u "$_pause"; done
	done
}

# They allocate all the time, also while gallop comes and goes: no count and no check is off by more than its readings.
busy() {
	local exe i
	name=busy
	exe=$(go_program "$newest" stripped demo) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	for i in 0 1 2 3 4 5 6 7; do "$exe" > /dev/null 2>&1 & pids[i]=$!; ours $!; done
	executing "$exe" "${pids[@]}"
	watch "$exe" --strict -d 200ms
	intervals_pass 3
	kill -KILL "${pids[0]}"
	"$exe" > /dev/null 2>&1 & pids[8]=$!
	ours $!
	intervals_pass 3
	unwatch
	is "$name: nothing lost" "$(jq .loss.total "$T/json")" 0
	matches "$name: one came" "$(note)" "1 process began meanwhile and is counted from its first object: ${pids[8]}"
	matches "$name: one was killed" "$(note)" "1 process ended without an exit: its check ends before it: ${pids[0]}"
	kill "${pids[@]:1}"
	wait "${pids[@]}" 2> /dev/null
	pids=()
}

# More than there is room for, one after the other: what isn't counted is lost, and said; the rest is right.
full() {
	local exe i nr
	name="1,201 processes"
	exe=$(go_program "$newest" pie life) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	begin_all 1 "$exe"
	watch "$exe"
	for i in 1 2 3 4 5 6; do order 0 "children 200 $exe child 100"; done
	order 0 "allocate 1000"
	await 0
	unwatch
	nr=$(jq '.meta.pids | length' "$T/json")
	is "$name: how many are counted" "$((nr > 1000 && nr <= 1024))" 1
	is "$name: objects" "$(jq '[.alloc.sites[] | select(.stack[0].func == "main.allocate") | .objects] | add' "$T/json")" $((1000 + (nr - 1) * 100))
	is "$name: lost" "$(jq ".loss.processes_full > (1201 - $nr) * 100 and .loss.total == .loss.processes_full" "$T/json")" true
	is "$name: the check" "$(jq -c '.check | [.known, .gallop_objects]' "$T/json")" "$(jq -c '.check | [true, .runtime_objects]' "$T/json")"
	end_all
}

# All of it by perf uprobes: as on kernels without uprobe_multi links.
perf_uprobes() {
	local exe i
	name="perf uprobes"
	exe=$(go_program "$newest" piestripped life) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	begin_all 4 "$exe"
	watch "$exe" --attach perf
	order 0 "children 2 $exe child 1000"
	for i in 1 2 3; do order "$i" "allocate 1000"; done
	await_all 0 1 2 3
	unwatch
	counted 5000
	succeeds "$name: not probed any more" unprobed "${pids[0]}"
	end_all
}

# Two containers of an image: the same file, in two file systems.
images() {
	local exe i
	name="two file systems"
	exe=$(go_program "$newest" plain life) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	mkdir "$T/lower"
	cp "$exe" "$T/lower/program"
	for i in 1 2; do
		mkdir "$T/root$i"
		mount -t overlay none "$T/root$i" -o "lowerdir=$T/lower:$T/root$i" 2> /dev/null || { skip "$name" "no overlayfs"; return; }
	done
	begin_all 1 "$T/root1/program"
	begin_all 1 "$T/root2/program"
	watch "$T/root1/program"
	for i in 0 1; do order $i "allocate 1000"; done
	await_all 0 1
	unwatch
	counted 2000
	matches "$name: it is said" "$(note)" '1 process more executed the file, and is counted too: '
	end_all
	umount "$T/root1" "$T/root2"
}

# --- what can't be told of many ------------------------------------------------------------------------------------

refusals() {
	local exe i pid=()
	name=refused
	exe=$(go_program "$newest" plain life) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	begin_all 1 "$exe"
	try() { run record -o "$T/no.gallop" -x "$exe" "${@:4}"; refused "$name: $1" "$2" "$3"; }
	try "auto mode" 2 'allocations are counted, not sampled'
	matches "$name: what to do" "$err" 'hint: --mode exact: '
	try "and a pid" 2 'either -x PATH or -p PID, not both' --mode exact -p $$
	try "and a container" 2 'either -x PATH or -c CONTAINER, not both' --mode exact -c 1234
	try "and a command" 2 'either -x PATH or a command, not both' --mode exact -- true
	try goroutines 2 'tells goroutines of one process' --mode exact --goroutines
	try operations 2 'measures calls of one process' --mode exact --op main.allocate
	cp "$exe" "$T/idle"
	run record -o "$T/no.gallop" --mode exact -x "$T/idle"
	refused "$name: that nobody executes" 3 "no process executes '.*/idle'"
	run record -o "$T/no.gallop" --mode exact -x "$T/nothing"
	refused "$name: that isn't there" 3 "cannot look at '.*/nothing': No such file"
	run record -o "$T/no.gallop" --mode exact -x "$T"
	refused "$name: a directory" 2 'is no executable'
	run record -o "$T/no.gallop" --mode exact -x /proc/$$/exe
	refused "$name: that isn't Go's" 3 'not a Go'
	cp "$(command -v sleep)" "$T/sleep"
	for ((i = 0; i < 257; i++)); do "$T/sleep" 1000 & pid+=($!); ours $!; done
	executing "$T/sleep" "${pid[@]}"
	run record -o "$T/no.gallop" --mode exact -x "$T/sleep"
	refused "$name: too many" 1 "257 processes execute '.*/sleep': 256 are the most"
	kill "${pid[@]}"
	wait "${pid[@]}" 2> /dev/null
	for i in gc maps op heap; do
		run $i -x "$exe"
		is "$name: $i, status" $status 2
	done
	succeeds "$name: nothing was written" test ! -e "$T/no.gallop"
	succeeds "$name: not probed" unprobed "${pids[0]}"
	end_all
}

for version in $versions; do
	for mode in ${GALLOP_TEST_MODES:-plain piestripped}; do crowd "$version" "$mode"; done
done
lives
killed
busy
full
perf_uprobes
images
refusals
done_testing
