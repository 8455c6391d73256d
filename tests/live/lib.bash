# shellcheck shell=bash
# What the live tests share: TAP, a private directory, Go programs, gallop in the background.
#
# Rules: nothing sleeps for luck, things are waited for by handshake with a limit; only processes that
# were started here are signalled, by pid; everything that may hang is under `timeout`.

set -o pipefail
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
top=$(cd "$here/../.." && pwd)
gallop=${GALLOP:-$top/build/gallop}
T=$(mktemp -d "${TMPDIR:-/tmp}/gallop-test.XXXXXX")
chmod 755 "$T"	# some tests change to another user
limit=${GALLOP_TEST_LIMIT:-60}	# seconds for anything that is waited for

mkfifo "$T/pause"
exec {_pause}<> "$T/pause"
_nr=0 _failed=0
_pids=()

_cleanup() {
	local pid
	for pid in "${_pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$T"
}
trap _cleanup EXIT
trap 'exit 1' INT TERM

# --- TAP -----------------------------------------------------------------------------------------

pass() { _nr=$((_nr + 1)); echo "ok $_nr - $1"; }

# fail WHAT [TEXT]: the text explains it.
fail() {
	_nr=$((_nr + 1)) _failed=$((_failed + 1))
	echo "not ok $_nr - $1"
	[ $# -lt 2 ] || head -c 4000 <<< "$2" | sed 's/^/# /'
}

skip() { _nr=$((_nr + 1)); echo "ok $_nr - $1 # SKIP $2"; }

skip_all() { echo "1..0 # SKIP $1"; exit 0; }

# is WHAT GOT WANT
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:  $2"$'\n'"want: $3"; fi
}

# matches WHAT GOT REGEX
matches() {
	if [[ $2 =~ $3 ]]; then pass "$1"; else fail "$1" "got:  $2"$'\n'"want: $3"; fi
}

# succeeds WHAT COMMAND...: its output is shown if it fails.
succeeds() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then pass "$what"; else fail "$what" "status $?: $out"; fi
}

# nothing WHAT COMMAND...: it must succeed and print nothing, such as a list of differences.
nothing() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1) && [ -z "$out" ]; then pass "$what"; else fail "$what" "$out"; fi
}

done_testing() {
	echo "1..$_nr"
	exit $((_failed > 0))
}

# --- what is needed --------------------------------------------------------------------------------

need_root() { [ "$(id -u)" = 0 ] || skip_all "needs root"; }

need_gallop() { [ -x "$gallop" ] || { echo "no gallop at '$gallop'" >&2; exit 1; }; }

need_tools() {
	local t
	for t in "$@"; do command -v "$t" > /dev/null || { echo "'$t' is missing" >&2; exit 1; }; done
}

# go_program VERSION MODE NAME: the path of a program of tests/go; fails, with the reason in
# $T/build.err, if there's no such toolchain here. What doesn't compile is no reason to skip: it ends
# the whole test, also from within $(...).
go_program() {
	"$top/tools/go-toolchain" root "$1" > /dev/null 2> "$T/build.err" || return
	"$top/tools/go-build" "$1" "$2" "$top/tests/go/$3" 2> "$T/build.err" && return
	cat "$T/build.err" >&2
	kill -TERM $$
	return 1
}

# --- processes ---------------------------------------------------------------------------------------

# A pid to be killed at the end, whatever happens.
ours() { _pids+=("$1"); }

# wait_line FD REGEX: read lines from a descriptor until one matches.
wait_line() {
	local line end=$((SECONDS + limit))
	while [ $SECONDS -lt $end ] && IFS= read -r -t "$limit" -u "$1" line; do
		[[ $line =~ $2 ]] && return 0
	done
	return 1
}

# wait_exit PID: the exit status of a child of this shell; 255 if it had to be killed.
wait_exit() {
	if timeout "$limit" tail -s 0.05 --pid="$1" -f /dev/null; then
		wait "$1"
	else
		{ echo "process $1 does not end:"; grep -i -e state -e sig "/proc/$1/status"; cat "/proc/$1"/task/*/stack; } >&2
		kill -KILL "$1"
		wait "$1"
		return 255
	fi
}

# start_program COMMAND...: run it in the background with its standard input held open by us and its
# output at hand: sets program (pid), program_in, program_out (descriptors). Returns when it printed
# a line "ready".
start_program() {
	local fifo=$T/fifo.$((++_fifos))
	mkfifo "$fifo.in" "$fifo.out"
	"$@" < "$fifo.in" > "$fifo.out" 2> "$T/program.err" {program_in}>&- {program_out}<&- &
	program=$!
	ours $program
	exec {program_in}>&- {program_out}<&-
	exec {program_in}> "$fifo.in" {program_out}< "$fifo.out"
	wait_line "$program_out" '^ready'
}
_fifos=0
exec {program_in}> /dev/null {program_out}< /dev/null

# start_gallop ARGS...: gallop in the background, talk in $T/gallop.err; sets tracer (pid). Returns
# when its probes count.
start_gallop() {
	local fd fifo=$T/fifo.$((++_fifos))
	mkfifo "$fifo"
	exec {fd}<> "$fifo"
	# It must not keep the program's input open.
	"$gallop" "$@" --ready-fd "$fd" > "$T/gallop.out" 2> "$T/gallop.err" < /dev/null \
		{program_in}>&- {program_out}<&- &
	tracer=$!
	ours $tracer
	wait_ready "$fd" "$tracer"
	local rc=$?
	exec {fd}>&-
	return $rc
}

# Wait for "ready" or the end of the process, whatever comes first. A read that times out may have taken
# a part of the line.
wait_ready() {
	local part line='' end=$((SECONDS + limit))
	while [ $SECONDS -lt $end ]; do
		if IFS= read -r -t 0.2 -u "$1" part; then [ "$line$part" = ready ]; return; fi
		line+=$part
		kill -0 "$2" 2> /dev/null || return 1
	done
	return 1
}

# stop PID: ask it to end; its exit status.
stop() { kill -INT "$1" 2> /dev/null; wait_exit "$1"; }

# The program's input ends, and so does it; its exit status.
end_program() {
	exec {program_in}>&-
	wait_exit "$program"
}

# tell LINE: the program (tests/go/life) does it; what it says is in $said.
# shellcheck disable=SC2034 # for who asks
tell() {
	echo "$1" >&"$program_in"
	said=
	IFS= read -r -t "$limit" -u "$program_out" said
	[ "$(jq .ok <<< "$said")" = true ] || fail "the program does: $1" "$said"
}

# watch_work NAME VIEW COMMAND...: the view, with view_options, of a program that waits before its work, and after
# it until its input ends. What the program says of it is in $T/truth, what gallop says in $T/json.
view_options=()
watch_work() {
	local name=$1 view=$2 line every=()
	[ "$view" != maps ] || every=(--mode exact)
	rm -f "$T/truth" "$T/json"
	start_program "${@:3}" || fail "$name: the program is ready" "$(cat "$T/program.err")"
	start_gallop "$view" "${every[@]}" "${view_options[@]}" --format json -o "$T/json" -p "$program" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	echo go >&"$program_in"
	IFS= read -r -t "$limit" -u "$program_out" line && echo "$line" > "$T/truth"
	stop "$tracer"
	is "$name: gallop's status" $? 0
	end_program
	is "$name: the program's status" $? 0
}

# to_json RECORDING FILE: the recording as JSON, and in FILE.runtime with the frames of the runtime.
to_json() {
	timeout "$limit" "$gallop" report "$1" -f json -o "$2" &&
		timeout "$limit" "$gallop" report "$1" -f json --runtime-frames -o "$2.runtime"
}

# differences FILTER: how the recording in $T/json disagrees with what the program said in $T/truth.
differences() {
	jq -nr --slurpfile t "$T/truth" --slurpfile g "$T/json" --slurpfile r "$T/json.runtime" "$(< "$here/truth.jq") $1" | head -n 40
}

# map_differences FILTER: how the view of maps in $T/json disagrees with what the program said in $T/truth.
map_differences() {
	jq -nr --slurpfile t "$T/truth" --slurpfile g "$T/json" "$(< "$here/maps.jq") $1" | head -n 40
}

# op_differences FILTER [BENCH]: how the operations in $T/json disagree with what the program said in $T/truth, and
# with what package testing said.
op_differences() {
	jq -nr --slurpfile t "$T/truth" --slurpfile g "$T/json" --slurpfile b "${2:-/dev/null}" "$(< "$here/op.jq") $1" | head -n 40
}

# --- one run --------------------------------------------------------------------------------------

# run ARGS...: gallop to its end; sets status, out and err.
run() {
	timeout -k 5 "$limit" "$gallop" "$@" > "$T/out" 2> "$T/err" < /dev/null
	status=$?
	out=$(< "$T/out") err=$(< "$T/err")
}

# refused WHAT STATUS REGEX: the last run said one line (and perhaps a hint) and nothing else.
refused() {
	local talk
	talk=$(grep -v -e '^hint: ' -e '^Try ' "$T/err")
	if [ "$status" = "$2" ] && [[ $talk =~ ^gallop(\ [a-z]+)?:\ [^$'\n']*$ ]] && [[ $talk =~ $3 ]] && [ -z "$out" ]; then
		pass "$1"
	else
		fail "$1" "status $status, not $2, or not one line with '$3':"$'\n'"$err"$'\n'"$out"
	fi
}

# --- what is attached --------------------------------------------------------------------------------

# probed PID: does the code of this process differ from its file's? A probe is a breakpoint in it. The
# path must be the executable's, unchanged since.
probed() {
	local range perms offset path from to
	while read -r range perms offset _ _ path; do
		[[ $perms == r-x* && $path == /* ]] || continue
		from=$((0x${range%-*})) to=$((0x${range#*-}))
		cmp -s -n $((to - from)) \
			<(dd if="/proc/$1/mem" bs=4096 iflag=skip_bytes,count_bytes skip=$from count=$((to - from)) 2> /dev/null) \
			<(dd if="/proc/$1/exe" bs=4096 iflag=skip_bytes,count_bytes skip=$((0x$offset)) count=$((to - from)) 2> /dev/null)
		return $((! $?))
	done < "/proc/$1/maps"
	return 2
}

# Not probed any more, soon: the kernel takes links down behind the back of a process that dies.
unprobed() { until_true not probed "$1"; }
not() { ! "$@"; }

# until_true COMMAND...: again and again, until it succeeds or too much time has passed.
until_true() {
	local end=$((SECONDS + limit))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		IFS= read -r -t 0.02 -u "$_pause"	# nothing ever comes: give way
	done
	return 0
}

# grow SECONDS ENOUGH COMMAND...: COMMAND with so many seconds, and with two and four times as many where what it leaves in
# $T/json isn't ENOUGH (a condition of jq) yet. How many windows a second has is the machine's affair, not the test's.
grow() {
	local seconds=$1 enough=$2 factor
	for factor in 1 2 4; do
		local limit=$((limit * factor))
		"${@:3}" $((seconds * factor))
		! jq -e "$enough" "$T/json" > /dev/null 2>&1 || return 0
	done
}

# The BPF programs and maps that a process holds, as "prog ID" and "map ID".
bpf_ids() { sed -n 's/^\(prog\|map\)_id:[[:space:]]*\([0-9]*\)$/\1 \2/p' "/proc/$1"/fdinfo/* | sort -u; }

# Are all of these (lines of bpf_ids) gone?
bpf_gone() {
	local kind id
	while read -r kind id; do
		[ -z "$kind" ] || ! bpftool "$kind" show id "$id" > /dev/null 2>&1 || return 1
	done <<< "$1"
}
