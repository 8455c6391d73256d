#!/bin/bash
# timeout: 300
# What can happen to a target while it is watched, and to gallop: the target is stopped, frozen, deleted, many threads or
# goroutines, the parent of others, or gone and its pid another's; gallop has no room on the disk, too few files, or a
# recording that somebody else has locked. What was counted is right, and what can't be done is said. failure.t
# has how targets end and how gallop is killed, top.t the terminal that vanishes, stress.t full tables.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq sqlite3

version=${GALLOP_TEST_GO:-1.27}
exe=$(go_program "$version" plain life) || skip_all "$(tail -n 1 "$T/build.err")"

begin() { start_program "$@" || fail "the program is ready" "$(cat "$T/program.err")"; }
watch() {
	start_gallop record -q -p "$program" -o "$T/r.gallop" "$@" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
}

# counted N [END]: by now gallop has seen so many objects of main.allocate, and lost nothing.
counted() {
	stop "$tracer"
	is "$name: gallop's status" $? 0
	succeeds "$name: not probed any more" unprobed "$program"
	recorded "$@"
}

recorded() {
	to_json "$T/r.gallop" "$T/json"
	is "$name: objects" "$(jq '[.alloc.sites[] | select(.stack[0].func == "main.allocate") | .objects] | add' "$T/json")" "$1"
	is "$name: nothing lost" "$(jq .loss.total "$T/json")" 0
	is "$name: why it ended" "$(jq -r .meta.end_reason "$T/json")" "${2:-signal}"
}

# --- stopped and frozen ------------------------------------------------------------------------------

# It need not run for probes to come and go; that it doesn't is said.
is_state() { [[ $(sed -n 's/^State:[[:space:]]*//p' "/proc/$program/status") == $1* ]]; }
stopped() {
	name="stopped"
	kill -STOP "$program"
	until_true is_state T
	watch --mode exact
	kill -CONT "$program"
	tell "allocate 1000"
	kill -STOP "$program"
	until_true is_state T
	counted 1000
	matches "$name: it is said" "$(jq -r '.meta.notes[]' "$T/json")" 'was stopped when gallop came'
	kill -CONT "$program"
}

# The freezer of the unified hierarchy needs no controller; where that isn't mounted it can be had.
cgroup_root() {
	awk '$3 == "cgroup2" && $4 ~ /^rw/ { print $2; exit }' /proc/mounts
}
is_frozen() { grep -q "^frozen $1" "$group/cgroup.events"; }
frozen() {
	local root
	name="frozen"
	root=$(cgroup_root)
	if [ -z "$root" ]; then
		root=$T/cgroup
		mkdir "$root"
		mount -t cgroup2 none "$root" 2> /dev/null || { skip "$name" "no cgroup v2 can be mounted here"; return; }
	fi
	group=$root/gallop-test.$$
	if ! mkdir "$group" 2> /dev/null || [ ! -e "$group/cgroup.freeze" ]; then
		skip "$name" "no freezer in '$root'"
	else
		echo "$program" > "$group/cgroup.procs"
		echo 1 > "$group/cgroup.freeze"
		until_true is_frozen 1
		watch --mode exact
		echo 0 > "$group/cgroup.freeze"
		tell "allocate 1000"
		echo 1 > "$group/cgroup.freeze"
		until_true is_frozen 1
		counted 1000
		echo 0 > "$group/cgroup.freeze"
		echo "$program" > "$root/cgroup.procs"
	fi
	rmdir "$group" 2> /dev/null
	[ "$root" != "$T/cgroup" ] || umount "$root"
}

# --- many, and others ----------------------------------------------------------------------------------

crowds() {
	name="10,000 goroutines and 1,000 threads"
	watch --mode exact
	tell "goroutines 10000"
	tell "threads 1000"
	counted 110000
}

# They are of the same file, so they have the same code; but what they do isn't this process's.
children() {
	name="children"
	watch --mode exact
	tell "children 5 $exe child 1000"
	tell "allocate 1000"
	counted 1000
}

replaced() {
	local other
	name="replaced on disk"
	other=$(go_program 1.19 plain life) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	cp "$exe" "$T/program"
	cp "$other" "$T/new"
	begin "$T/program"
	mv "$T/new" "$T/program"
	watch --mode exact
	tell "allocate 1000"
	rm "$T/program"
	tell "allocate 1000"
	counted 2000
	matches "$name: the version is that of what runs" "$(jq -r .meta.go_version "$T/json")" "^go$version"
	end_program
}

# While gallop sleeps the target ends, and another process of the same file gets its pid.
reused_pid() {
	local pid tries=0 in out
	name="its pid is another's"
	begin "$exe"
	pid=$program
	watch --mode exact
	tell "allocate 1000"
	kill -STOP "$tracer"
	end_program
	exec {program_out}<&-
	mkfifo "$T/again.in" "$T/again.out"
	exec {in}<> "$T/again.in" {out}<> "$T/again.out"
	program=0
	while [ "$program" != "$pid" ] && [ $((tries++)) -lt 2000 ]; do
		wait "$program" 2> /dev/null
		echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid
		# A shell that has not got it ends at once.
		([ "$BASHPID" = "$pid" ] && exec "$exe" < "$T/again.in" > "$T/again.out" {in}>&- {out}>&-) &
		program=$!
	done
	ours "$program"
	is "$name: it is" "$program" "$pid"
	program_in=$in program_out=$out
	wait_line "$program_out" '^ready'
	tell "allocate 500"
	kill -CONT "$tracer"
	wait_exit "$tracer"
	is "$name: gallop's status" $? 0
	recorded 1000 "target exited"
	succeeds "$name: the other isn't probed" not probed "$program"
	end_program
}

# --- gallop's own troubles -------------------------------------------------------------------------------

few_files() {
	local how hard
	name="few files"
	for how in multi perf; do
		for hard in 12 40 90; do
			(ulimit -n $hard && run record --mode exact --attach $how -p "$program" -o "$T/few.gallop" &&
				refused "$name: $how, $hard" 1 'files must be open at once, and the limit is'
				exit $_failed) || _failed=1
			_nr=$((_nr + 1))
		done
	done
	matches "$name: a hint" "$err$(cat "$T/err")" 'hint: .*ulimit -n'
	succeeds "$name: no recording is left" [ ! -e "$T/few.gallop" ]
	succeeds "$name: not probed" unprobed "$program"
	# The soft limit is gallop's own to raise, and not what a command that it starts gets.
	(ulimit -Sn 32 && run record --mode exact --attach perf -q -o "$T/r.gallop" -- "$exe" child 1000 && exit "$status")
	is "$name: a soft limit is raised" $? 0
	recorded 1000 "target exited"
	inherited
}

# What whoever started gallop has left open counts, too: of the numbers below the limit only so many are free.
inherited() {
	local free fd
	for free in 12 25 45; do
		(ulimit -n 128 && for ((fd = 3; fd < 128 - free; fd++)); do
			[ -e "/proc/$BASHPID/fd/$fd" ] || eval "exec $fd< /dev/null"
		done
			run record --mode exact -o "$T/few.gallop" -- "$exe" child 1000
			refused "$name: $free left" 1 'must be open at once, and the limit is 128, of which [0-9]+ are taken'
			matches "$name: $free left: a hint" "$err" 'hint: .*ulimit -n'
			run doctor
			matches "$name: $free left: doctor" "$status $out" '^1 .*NO  open files .* are taken; .*ulimit -n'
			exit "$_failed") || _failed=1
		_nr=$((_nr + 3))
	done
}

# --- and what a recording is written to
small_disk() {
	mkdir -p "$T/small"
	mount -t tmpfs -o size=1M none "$T/small" || return
	# It must not outlive this test, whatever happens.
	trap 'umount "$T/small" 2> /dev/null; _cleanup' EXIT
}

# What was written can be read, and how much isn't in it, also where somebody else has taken the last byte.
disk_full() {
	name="the disk is full"
	small_disk || { skip "$name" "no tmpfs can be mounted here"; return; }
	start_gallop record --mode exact -q -d 100ms -p "$program" -o "$T/small/r.gallop" ||
		fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	tell "allocate 1000"
	until_true written 1000
	kill -STOP "$tracer"
	dd if=/dev/zero of="$T/small/rest" bs=4k 2> /dev/null
	tell "stacks 2000 30"
	kill -CONT "$tracer"
	wait_exit "$tracer"
	is "$name: gallop's status" $? 1
	matches "$name: it is said" "$(cat "$T/gallop.err")" 'gallop: cannot write .*: no space left on device'$'\n''hint: '
	succeeds "$name: not probed any more" unprobed "$program"
	succeeds "$name: it can be read" to_json "$T/small/r.gallop" "$T/json"
	is "$name: why it ended" "$(jq -r .meta.end_reason "$T/json")" "the disk was full"
	succeeds "$name: what isn't in it is counted" jq -e '.loss.not_recorded >= 2000' "$T/json"
	nothing "$name: written and lost is all" jq -r '.check | select(.gallop_objects != .runtime_objects) | tojson' "$T/json"
	is "$name: sites and lost are all" "$(jq '[.alloc.sites[].objects] | add' "$T/json")" "$(jq .alloc.objects "$T/json")"
	matches "$name: in text, too" "$(timeout "$limit" "$gallop" report "$T/small/r.gallop")" \
		'objects in no site: the recording was full \(not_recorded\)'
	umount "$T/small"
}

# written N: objects in the recording, by intervals that are over.
written() {
	[ "$(sqlite3 -cmd '.timeout 10000' "${2:-$T/small/r.gallop}" 'SELECT total(objects) >= '"$1"' FROM interval' 2> /dev/null)" = 1 ]
}

# A database shell that is left open with a transaction: as soon as it ends all is written, and until then all is kept.
locked() {
	local shell
	name="locked by another program"
	watch --mode exact -d 100ms
	tell "allocate 1000"
	until_true written 1000 "$T/r.gallop"
	mkfifo "$T/shell.in" "$T/shell.out"
	sqlite3 "$T/r.gallop" < "$T/shell.in" > "$T/shell.out" 2>&1 &
	ours $!
	exec {shell}> "$T/shell.in"
	printf '%s\n' '.timeout 60000' 'BEGIN EXCLUSIVE;' "SELECT 'mine';" >&"$shell"
	IFS= read -r -t "$limit" < "$T/shell.out"
	tell "allocate 1000"
	succeeds "$name: it is said" until_true grep -q "is locked by another program" "$T/gallop.err"
	tell "allocate 1000"
	echo 'COMMIT;' >&"$shell"
	exec {shell}>&-
	succeeds "$name: all is written later" until_true written 3000 "$T/r.gallop"
	counted 3000
	matches "$name: the recording says so" "$(jq -r '.meta.notes[]' "$T/json")" 'had locked the recording'
}

begin "$exe"
stopped
frozen
crowds
children
few_files
disk_full
locked
end_program
is "the program's status" $? 0
replaced
reused_pid
done_testing
