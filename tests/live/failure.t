#!/bin/bash
# timeout: 600
# Whatever goes wrong - the target ends, becomes another program, is no Go program, is somebody else's;
# gallop is killed; files are not what they should be - gallop says so in a line, with the right exit
# status, leaves nothing attached, and what was recorded so far can be read.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq setpriv sqlite3 bpftool

version=${GALLOP_TEST_GO:-1.24}
exe=$(go_program "$version" plain exit) || skip_all "$(tail -n 1 "$T/build.err")"
load=$(go_program "$version" plain load)

readable() { succeeds "$1: the recording is readable" to_json "$2" "$T/json"; }
of_recording() { jq -r "$1" "$T/json"; }

# Objects of the function that allocates 1000 times.
allocated() { of_recording '[.alloc.sites[] | select(.stack[0].func == "main.allocate") | .objects] | add'; }

# --- how the target ends -----------------------------------------------------------------------------

child_status() {
	local n
	for n in 0 1 7 126 255; do
		run record --mode exact -q -o "$T/s.gallop" -- "$exe" status $n
		is "the command's exit status: $n" $status $n
	done
	readable "a command that failed" "$T/s.gallop"
	is "a command that failed: all was counted" "$(allocated)" 1000
	is "a command that failed: why it ended" "$(of_recording .meta.end_reason)" "target exited"
	for n in 9 15; do
		run record --mode exact -q -o "$T/s.gallop" -- "$exe" signal $n
		is "the command is killed by signal $n" $status $((128 + n))
		readable "killed by signal $n" "$T/s.gallop"
		is "killed by signal $n: all was counted" "$(allocated)" 1000
	done
}

child_execs() {
	run record --mode exact -q -o "$T/x.gallop" -- "$exe" exec /bin/sh -c 'exit 5'
	is "the command becomes another program: its status" $status 5
	readable "the command becomes another program" "$T/x.gallop"
	is "the command becomes another program: all before was counted" "$(allocated)" 1000
}

child_cannot() {
	run record -q -o "$T/c.gallop" -- "$T/nothing"
	refused "no such command: 127" 127 "nothing"
	run record -q -o "$T/c.gallop" -- /etc/passwd
	refused "a command that can't be executed: 126" 126 "/etc/passwd"
	run record -q -o "$T/c.gallop" -- /bin/true
	refused "a command that isn't a Go program: 3" 3 "/bin/true"
	printf '#!/bin/sh\necho ran\n' > "$T/script"
	chmod +x "$T/script"
	run record -q -o "$T/c.gallop" -- "$T/script"
	refused "a command that is a script: 3" 3 "script"
	if [ "$(uname -m)" = x86_64 ]; then
		run record -q -o "$T/c.gallop" -- "$(go_program "$version" arm64 exit)"
		refused "a program for another machine: 5" 5 "for arm64, and this gallop is for x86-64"
	fi
	succeeds "none of these left a recording" [ ! -e "$T/c.gallop" ]
}

target_exits() {
	start_program "$load"
	start_gallop record -q -p "$program" -o "$T/e.gallop"
	exec {program_in}>&-
	wait_exit "$program"
	is "the target exits: its status" $? 0
	wait_exit "$tracer"
	is "the target exits: gallop's status" $? 0
	readable "the target exits" "$T/e.gallop"
	is "the target exits: why it ended" "$(of_recording .meta.end_reason)" "target exited"
	succeeds "the target exits: it was recorded" [ "$(of_recording .alloc.objects)" -gt 0 ]
}

target_killed() {
	start_program "$load"
	start_gallop record -q -p "$program" -o "$T/k.gallop"
	kill -KILL "$program"
	wait_exit "$tracer"
	is "the target is killed: gallop's status" $? 0
	readable "the target is killed" "$T/k.gallop"
	is "the target is killed: why it ended" "$(of_recording .meta.end_reason)" "target exited"
}

# --- gallop killed -----------------------------------------------------------------------------------

recorded_something() {
	"$gallop" report "$1" -f json 2> /dev/null | jq -e '.alloc.objects > 0' > /dev/null
}

# A connection that drops sends more than one SIGHUP; under nohup none of them counts.
hung_up() {
	start_program "$load"
	start_gallop record -q -p "$program" -o "$T/h.gallop"
	kill -HUP "$tracer"
	kill -HUP "$tracer" 2> /dev/null
	wait_exit "$tracer"
	is "hung up: gallop's status" $? 0
	readable "hung up" "$T/h.gallop"
	is "hung up: why it ended" "$(of_recording .meta.end_reason)" signal
	trap '' HUP
	start_gallop record -q -d 0.2 -p "$program" -o "$T/nohup.gallop"
	trap - HUP
	kill -HUP "$tracer"
	succeeds "nohup: it goes on" until_true recorded_something "$T/nohup.gallop"
	stop "$tracer"
	is "nohup: gallop's status" $? 0
	exec {program_in}>&-
	wait_exit "$program"
	is "hung up: the target's status" $? 0
}

# By perf uprobes in exact mode only: in auto mode single places come and go, and the kernel leaves the breakpoint of one behind
# whose owner is killed meanwhile ("leaking uprobe"; README, Limits).
gallop_killed() {
	local how=$1 ids result mode=auto
	[ "$how" != perf ] || mode=exact
	start_program "$load" -goroutines 2
	start_gallop record -q --mode $mode --attach "$how" -p "$program" -d 0.2 -o "$T/9-$how.gallop"
	succeeds "gallop killed, $how: probed before" probed "$program"
	succeeds "gallop killed, $how: an interval is readable while it records" \
		until_true recorded_something "$T/9-$how.gallop"
	ids=$(bpf_ids "$tracer")
	matches "gallop killed, $how: it had programs" "$ids" "prog"
	kill -KILL "$tracer"
	wait_exit "$tracer" 2> /dev/null
	readable "gallop killed, $how" "$T/9-$how.gallop"
	succeeds "gallop killed, $how: what was recorded is there" [ "$(of_recording .alloc.objects)" -gt 0 ]
	# Its own end it could not write.
	is "gallop killed, $how: it has no end" "$(of_recording .meta.end_reason)" ""
	succeeds "gallop killed, $how: no probe is left" unprobed "$program"
	succeeds "gallop killed, $how: no program or map is left" until_true bpf_gone "$ids"
	exec {program_in}>&-
	IFS= read -r -t "$limit" -u "$program_out" result
	wait_exit "$program"
	is "gallop killed, $how: the target's status" $? 0
	is "gallop killed, $how: the target's results" "$(jq .wrong <<< "$result")" 0
}

# --- not a target ------------------------------------------------------------------------------------

no_target() {
	local pid zombie
	sleep 1000 &
	pid=$!
	ours $pid
	run record -p $pid -o "$T/n.gallop"
	refused "not a Go program" 3 "$pid|sleep"
	run doctor -p $pid
	is "not a Go program: doctor's status" $status 3
	kill $pid
	wait $pid 2> /dev/null
	run record -p $pid -o "$T/n.gallop"
	refused "a pid that is gone" 3 "$pid"
	run top --batch -n 1 -p $pid
	refused "a pid that is gone: top" 3 "$pid"
	# A child that ends when its parent has become one that waits for no child.
	mkfifo "$T/zombie" "$T/end"
	sh -c 'read -r _ < "$1" & echo $!; exec sleep 1000' sh "$T/end" > "$T/zombie" &
	pid=$!
	ours $pid
	read -r zombie < "$T/zombie"
	until_true grep -q sleep "/proc/$pid/comm"
	echo > "$T/end"
	until_true grep -q '^State:.Z' "/proc/$zombie/status"
	run record -p "$zombie" -o "$T/n.gallop"
	refused "a zombie" 3 zombie
	run record -p 2 -o "$T/n.gallop"
	refused "a kernel thread" 3 kernel
	succeeds "none of these left a recording" [ ! -e "$T/n.gallop" ]
}

# --- privileges --------------------------------------------------------------------------------------

nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

privileges() {
	cp "$gallop" "$T/gallop"
	cp "$load" "$T/load"
	mkdir -m 777 "$T/open"
	start_program "$load"
	nobody timeout "$limit" "$T/gallop" record -p "$program" -o "$T/open/p.gallop" > "$T/out" 2> "$T/err"
	status=$? out=$(< "$T/out") err=$(< "$T/err")
	refused "without privileges, somebody else's process" 4 "."
	matches "without privileges: a hint" "$err" $'\nhint: '
	nobody timeout "$limit" "$T/gallop" record -o "$T/open/p.gallop" -- "$T/load" > "$T/out" 2> "$T/err" < /dev/null
	status=$? out='' err=$(< "$T/err")
	refused "without privileges, a command" 4 "."
	matches "without privileges, a command: a hint" "$err" $'\nhint: '
	exec {program_in}>&-
	wait_exit "$program"

	start_program setpriv --reuid=65534 --regid=65534 --clear-groups "$T/load"
	start_gallop record -q -p "$program" -o "$T/u.gallop"
	exec {program_in}>&-
	wait_exit "$program"
	is "root records another user's process: the target's status" $? 0
	wait_exit "$tracer"
	is "root records another user's process: gallop's status" $? 0
	readable "root records another user's process" "$T/u.gallop"
	succeeds "root records another user's process: objects" [ "$(of_recording .alloc.objects)" -gt 0 ]
}

# --- files -------------------------------------------------------------------------------------------

# put_bytes FILE OFFSET ESCAPES
put_bytes() { printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

bad_files() {
	local good=$T/s.gallop i size rc bad=''
	run report "$T/nothing.gallop"
	refused "no such recording" 1 "nothing.gallop"
	echo "this is no recording" > "$T/text"
	run report "$T/text"
	refused "a text file" 1 "text"
	: > "$T/empty"
	run report "$T/empty"
	refused "an empty file" 1 "empty"
	run report "$T"
	refused "a directory" 1 "."
	run report /dev/zero
	refused "a device" 1 "zero"
	sqlite3 "$T/other.db" 'CREATE TABLE meta(x); INSERT INTO meta VALUES(1)'
	run report "$T/other.db"
	refused "another program's database" 1 "other.db"
	cp "$good" "$T/newer"
	put_bytes "$T/newer" 60 '\0177\0000\0000\0000'	# SQLite's user_version
	run report "$T/newer"
	refused "a newer recording" 1 "newer"
	size=$(stat -c %s "$good")
	head -c $((size / 2)) "$good" > "$T/half"
	run report "$T/half"
	refused "half a recording" 1 "half"
	# Whatever byte is wrong: an error in one line, or a report.
	for ((i = 1; i <= 40; i++)); do
		cp "$good" "$T/damaged"
		put_bytes "$T/damaged" $((size * i / 41)) '\0377\0000\0377\0177\0001\0200'
		run report "$T/damaged" -f json
		rc=$status
		{ [ $rc = 0 ] && jq -e .alloc.objects "$T/out" > /dev/null; } ||
			{ [ $rc = 1 ] && [ "$(grep -c . "$T/err")" -le 2 ]; } || bad+="byte $((size * i / 41)): status $rc: $err"$'\n'
	done
	is "a damaged recording, 40 times: an error or a report" "$bad" ""

	echo precious > "$T/precious"
	run record -q -o "$T/precious" -- "$exe" status 0
	refused "a file that isn't a recording is not overwritten" 1 "precious"
	is "a file that isn't a recording is as it was" "$(< "$T/precious")" precious
	run record -q -o "$T/no/such/dir" -- "$exe" status 0
	refused "no such directory to write to" 1 "no/such/dir"
	cp "$good" "$T/again.gallop"
	run record -q -o "$T/again.gallop" -- "$exe" status 3
	is "a recording is replaced" $status 3
	timeout "$limit" "$gallop" report "$good" -f json > /dev/full 2> "$T/err"
	is "a full disk: report's status" $? 1
}

# --- the command line --------------------------------------------------------------------------------

usage() {
	local args
	while read -r args; do
		# shellcheck disable=SC2086 # words
		run $args
		succeeds "usage: gallop $args" [ $status = 2 -a -n "$err" -a -z "$out" ]
	done <<-END
		record -p 1
		record -o $T/u.gallop
		record -p 1 -o $T/u.gallop -- /bin/true
		record -p 0 -o $T/u.gallop
		record -p x -o $T/u.gallop
		record -p 1 -o $T/u.gallop --mode vague
		record -p 1 -o $T/u.gallop --attach somehow
		record -p 1 -o $T/u.gallop --duration never
		record --no-such-option
		record -o $T/u.gallop --
		report
		report $T/s.gallop $T/s.gallop
		report $T/s.gallop -f no-such-format
		report $T/s.gallop --value weight
		top
		no-such-command
	END
}

child_status
child_execs
child_cannot
target_exits
target_killed
hung_up
gallop_killed multi
gallop_killed perf
no_target
privileges
bad_files
usage
done_testing
