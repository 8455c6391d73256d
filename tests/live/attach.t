#!/bin/bash
# timeout: 600
# However gallop is attached, and whenever, it counts exactly: by uprobe_multi and by perf uprobes, from
# the first instruction and to a running process, alone and two at a time. Of what doesn't depend on Go's version, with
# the oldest and the newest: matrix.t has them all.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

# The recording $1 against $T/truth.
compare() {
	if ! succeeds "$2: the recording is readable" to_json "$1" "$T/json"; then return; fi
	nothing "$2: objects of each phase" differences objects_differ
	nothing "$2: bytes of a phase without tiny objects" differences bytes_differ
	nothing "$2: counts at each ReadMemStats" differences marks_differ
	nothing "$2: stacks of the sites" differences stacks_differ
	nothing "$2: objects, bytes and types of the sites" differences sites_differ
	nothing "$2: the check line" differences check_differs
	nothing "$2: nothing lost" differences lost
}

# Let the waiting program run its phases and end; what it says is in $T/truth.
run_phases() {
	local line
	: > "$T/truth"
	echo go >&"$program_in"
	for _ in 1 2; do
		IFS= read -r -t "$limit" -u "$program_out" line && echo "$line" >> "$T/truth"
	done
}

from_start() {
	local name="go $1, $2, from the start"
	timeout "$limit" "$gallop" record --mode exact --attach "$2" -o "$T/r.gallop" -- "$exe" > "$T/truth" 2> "$T/gallop.err"
	is "$name: status" $? 0
	compare "$T/r.gallop" "$name"
	is "$name: the method it says" "$(jq -r .meta.attach "$T/json")" "$3"
}

to_running() {
	local name="go $1, $2, to a running process"
	start_program "$exe" -wait || fail "$name: the program is ready" "$(cat "$T/program.err")"
	succeeds "$name: not probed before" not probed "$program"
	start_gallop record --mode exact --attach "$2" -p "$program" -o "$T/p.gallop" ||
		fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	succeeds "$name: probed" probed "$program"
	run_phases
	end_program
	is "$name: the program's status" $? 0
	wait_exit "$tracer"
	is "$name: gallop's status" $? 0
	compare "$T/p.gallop" "$name"
	is "$name: the program's result" "$(jq -r 'select(.checksum).checksum' "$T/truth")" "$want"
}

two_at_once() {
	local name="go $1, two at once" first
	start_program "$exe" -wait
	start_gallop record --mode exact --attach multi -p "$program" -o "$T/a.gallop" || fail "$name: first" "$(cat "$T/gallop.err")"
	first=$tracer
	start_gallop record --mode exact --attach perf -p "$program" -o "$T/b.gallop" || fail "$name: second" "$(cat "$T/gallop.err")"
	run_phases
	stop "$tracer"
	is "$name: the second detaches" $? 0
	succeeds "$name: the first stays attached" probed "$program"
	end_program
	wait_exit "$first"
	is "$name: the first's status" $? 0
	compare "$T/a.gallop" "$name, the first"
	compare "$T/b.gallop" "$name, the second"
}

# What happens before it attaches and after it detached is none of its business.
in_between() {
	local name="go $1, detached midway" before
	start_program "$exe" -wait
	start_gallop record --mode exact -p "$program" -o "$T/d.gallop" || fail "$name: ready" "$(cat "$T/gallop.err")"
	stop "$tracer"
	is "$name: gallop's status" $? 0
	succeeds "$name: not probed any more" unprobed "$program"
	run_phases
	end_program
	is "$name: the program's status" $? 0
	is "$name: the program's result" "$(jq -r 'select(.checksum).checksum' "$T/truth")" "$want"
	to_json "$T/d.gallop" "$T/json"
	before=$(jq '.alloc.objects' "$T/json")
	succeeds "$name: hardly anything counted" [ "$before" -lt 100 ]
	is "$name: why it ended" "$(jq -r .meta.end_reason "$T/json")" signal
}

# A program that starts itself anew begins to count anew: what it says then is not held against what it said before.
compared() { "$gallop" report "$1" -f json | jq -e .check.known > /dev/null; }
execs_itself() {
	local name="go $1, execs itself" exit_exe
	exit_exe=$(go_program "$1" plain exit) || { fail "$name: build" "$(cat "$T/build.err")"; return; }
	start_program "$exit_exe" wait exec "$exit_exe" wait status 3 || fail "$name: the program is ready"
	start_gallop record --mode exact -d 0.1 -p "$program" -o "$T/e.gallop" || fail "$name: ready" "$(cat "$T/gallop.err")"
	until_true compared "$T/e.gallop" || fail "$name: an interval is written"
	echo go >&"$program_in"
	wait_exit "$tracer"
	is "$name: gallop's status" $? 0
	echo go >&"$program_in"
	wait_exit "$program"
	is "$name: the program's status" $? 3
	succeeds "$name: readable" to_json "$T/e.gallop" "$T/json"
	is "$name: why it ended" "$(jq -r .meta.end_reason "$T/json")" "target executed another program"
	nothing "$name: the check line" differences check_differs
	nothing "$name: the GC's check line" jq -r '.gc.check | select(.runtime_cycles != .gallop_cycles)' "$T/json"
}

# What the README says is enough, as a user without anything else.
few_capabilities() {
	local name="go $1, three capabilities"
	start_program "$exe" -wait || fail "$name: the program is ready"
	install -m 755 "$gallop" "$T/gallop"
	install -d -m 777 "$T/nobody"
	gallop=$T/few start_gallop record --mode exact -p "$program" -o "$T/nobody/c.gallop" ||
		fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	run_phases
	end_program
	wait_exit "$tracer"
	is "$name: gallop's status" $? 0
	compare "$T/nobody/c.gallop" "$name"
	succeeds "$name: the counters are found" jq -e .check.known "$T/json"
}
cat > "$T/few" << 'END'
#!/bin/sh
caps=+bpf,+perfmon,+sys_ptrace
exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps $caps --ambient-caps $caps "${0%/*}/gallop" "$@"
END
chmod 755 "$T/few"

for version in ${GALLOP_TEST_GO:-1.19 1.27}; do
	if ! exe=$(go_program "$version" plain truth); then
		skip "go $version" "$(tail -n 1 "$T/build.err")"
		continue
	fi
	want=$(timeout "$limit" "$exe" | jq -r 'select(.checksum).checksum')
	from_start "$version" multi uprobe_multi
	from_start "$version" perf perf
	to_running "$version" multi
	to_running "$version" perf
	two_at_once "$version"
	in_between "$version"
	execs_itself "$version"
	few_capabilities "$version"
done
done_testing
