#!/bin/bash
# timeout: 600
# What gallop may do, when: with the few capabilities that the README names it works, and each that is missing is named; once it
# is attached the others are gone, in every thread; what it starts has none of them, and no file that its user may
# not read is read with them. Files are for who called sudo and nobody else, and never in the place of another user's.
#
# A user without a name stands for all who aren't root. Capabilities come to him by his session (ambient ones), as not every
# file system keeps those of files; where this one does, also by the file.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq setpriv setcap

version=${GALLOP_TEST_GO:-1.27}
load=$(go_program "$version" plain load) || skip_all "$(tail -n 1 "$T/build.err")"
exit_exe=$(go_program "$version" plain exit)

user=64321 other=64322	# nobody's
bpf=39 sys_ptrace=19 sys_admin=21
enough=+bpf,+perfmon,+sys_ptrace,+dac_read_search
root=$gallop
install -m 755 "$gallop" "$T/bin"
install -m 755 "$load" "$T/load"
install -m 755 "$exit_exe" "$T/exit"
exe=$T/exit
install -d -m 777 "$T/dir"

# as_user CAPS: from here on gallop is run by the user, with these ("" for none).
as_user() {
	printf '#!/bin/sh\nexec setpriv --reuid %s --regid %s --clear-groups --inh-caps=-all%s --ambient-caps=-all%s %s "$@"\n' \
		$user $user "${1:+,$1}" "${1:+,$1}" "${2:-$T/bin}" > "$T/as-user"
	chmod 755 "$T/as-user"
	gallop=$T/as-user
}
as_root() { gallop=$root; }
# bounded SET: gallop is run by root with these of its capabilities (setpriv --bounding-set).
bounded() {
	printf '#!/bin/sh\nexec setpriv --bounding-set=%s %s "$@"\n' "$1" "$root" > "$T/bounded"
	chmod 755 "$T/bounded"
	gallop=$T/bounded
}

# status_of PID|PID/task/TID KEY
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
has() { (((0x$1 >> $2) & 1)); }
sums() { local mask=0 bit; for bit in "$@"; do mask=$((mask | 1 << bit)); done; printf '%016x' "$mask"; }
multi=0
timeout "$limit" "$gallop" doctor > "$T/doctor" && grep -q 'ok  uprobe_multi links' "$T/doctor" && multi=1

# --- what is left once it is attached -----------------------------------------------------------------

# kept WANT: what is wrong with the capabilities of a thread of the tracer that runs: those that are permitted are WANT
# ("some": not known which), none is inherited, none can come back, and of what only root has next to none is there.
kept() {
	local task prm cap
	for task in "/proc/$tracer/task"/*; do
		task=$tracer/task/${task##*/}
		prm=$(status_of "$task" CapPrm)
		[ "$1" = some ] || [ "$prm" = "$1" ] || echo "permitted: $prm, not $1"
		[ "$(status_of "$task" CapInh)$(status_of "$task" CapAmb)" = "$(sums)$(sums)" ] || echo "to inherit"
		[ "$(status_of "$task" NoNewPrivs)" = 1 ] || echo "new privileges"
		for cap in 2 7 12 16 17 25; do	# reading any file, users, networks, raw I/O, modules, time
			! has "$prm" "$cap" || echo "$cap"
		done
	done
}

# Windows are attached and detached, and tables read, with what is left.
windows() { "$root" report "$1" -f json > "$T/json" 2> /dev/null && jq -e '.cost.windows > 0' "$T/json" > /dev/null; }
# works_on NAME RECORDING WINDOWS: 0 where none can be waited for.
works_on() {
	local name=$1 rec=$2
	[ "$3" = 0 ] || succeeds "$name: windows" until_true windows "$rec"
	stop "$tracer"
	is "$name: status" $? 0
	succeeds "$name: readable" "$root" report "$rec" -f json -o "$T/report.json"
	succeeds "$name: it counted" jq -e '.alloc.objects > 0' "$T/report.json"
	[ "$3" = 0 ] || is "$name: no window failed" "$(jq .cost.failed_windows "$T/report.json")" 0
	rm -f "$T/report.json"
}

# $1: what to call it; gallop is the user's.
user_attaches() {
	local name=$1 want=some
	[ $multi = 0 ] || want=$(sums $sys_ptrace)
	start_gallop gc -p "$program" || fail "$name: ready" "$(cat "$T/gallop.err")"
	nothing "$name: what it keeps" kept "$want"
	stop "$tracer"
	is "$name: status" $? 0
	run heap -p "$program"
	matches "$name: heap can look" "$status $err$out" 'memory profile'
}

user_traces() {
	local want=some
	[ $multi = 0 ] || want=$(sums $sys_ptrace)
	start_gallop record -q -d 0.2 --budget 50 -p "$program" -o "$T/dir/u.gallop" || fail "a user: ready" "$(cat "$T/gallop.err")"
	nothing "a user, auto: what it keeps" kept "$want"
	works_on "a user, auto" "$T/dir/u.gallop" $multi
	is "the recording is the user's, and nobody else's" "$(stat -c '%u %a' "$T/dir/u.gallop")" "$user 600"
}

# Its priority when windows are closed needs a capability that is gone by then.
comes_first() {
	local stat nice policy task
	for task in "/proc/$tracer/task"/*; do
		stat=$(< "$task/stat")
		read -r -a stat <<< "${stat##*) }"
		nice=${stat[16]} policy=${stat[38]}
		[ "$policy" != 1 ] && [ "$nice" != -20 ] || return 0
	done
	return 1
}

# What the threads have that have CAP_SYS_ADMIN.
with_admin() {
	local task prm
	for task in "/proc/$tracer/task"/*; do
		prm=$(status_of "$tracer/task/${task##*/}" CapPrm)
		! has "$prm" $sys_admin || echo "$prm"
	done
}

root_traces() {
	export SUDO_UID=$user SUDO_GID=$other
	install -d -o $user -m 700 "$T/home"
	start_gallop record -q -d 0.2 --budget 50 -p "$program" -o "$T/home/r.gallop" || fail "root: ready" "$(cat "$T/gallop.err")"
	nothing "root, auto: what it keeps" kept some
	[ $multi = 0 ] || succeeds "root, auto: not CAP_BPF" not has "$(status_of "$tracer" CapPrm)" $bpf
	if [ $multi = 1 ] && has "$(status_of $$ CapEff)" $sys_admin; then
		is "root, auto: CAP_SYS_ADMIN is one thread's, which has no other" "$(with_admin)" "$(sums $sys_admin)"
	fi
	! has "$(status_of $$ CapEff)" 23 || [ $multi = 0 ] || succeeds "root, auto: comes first" until_true comes_first
	is "root: as doctor says" "$(names "$(status_of "$tracer" CapPrm)")" "$(sed -n 's/.*kept in auto mode *\(.*\), once .*/\1/p' "$T/doctor")"
	works_on "root, auto" "$T/home/r.gallop" 0
	is "root: the recording is for who called sudo" "$(stat -c '%u %g %a' "$T/home/r.gallop")" "$user $other 600"
	start_gallop record -q --mode exact -p "$program" -o "$T/home/r.gallop" || fail "root, exact: ready" "$(cat "$T/gallop.err")"
	nothing "root, exact: what it keeps" kept some
	[ $multi = 0 ] || succeeds "root, exact: not CAP_SYS_ADMIN" not has "$(status_of "$tracer" CapPrm)" 21
	is "root, exact: as doctor says" "$(names "$(status_of "$tracer" CapPrm)")" "$(sed -n 's/.*kept in exact mode *\(.*\), once .*/\1/p' "$T/doctor")"
	stop "$tracer"
	is "root, exact: status" $? 0
	unset SUDO_UID SUDO_GID
}
names() {
	local list
	list=$(capsh --decode="$1" | sed 's/.*=//' | tr a-z, 'A-Z\n')
	sed -e ':a;N;$!ba;s/\n/, /g' -e 's/\(.*\), /\1 and /' <<< "$list"
}

# --- root without CAP_SYS_PTRACE, as in a container: it may look into what has no more than itself -------

counted() {
	is "$1: status" "$status" 0
	succeeds "$1: it counted" jq -e '.alloc.objects > 1000' <("$root" report "$2" -f json)
}

without_ptrace() {
	local rec=$T/home/p.gallop set mode
	for set in -all,+bpf,+perfmon,+dac_override,+sys_admin -sys_ptrace; do
		bounded $set
		for mode in auto exact; do
			# It works until its input ends.
			timeout -k 5 "$limit" "$gallop" record -q --mode $mode -o "$rec" -- "$load" -goroutines 1 < <(sleep 1) > "$T/out" 2> "$T/err"
			status=$?
			counted "root with $set, a command, $mode" "$rec"
		done
	done
	start_program setpriv --bounding-set=-sys_ptrace "$load" -goroutines 1 || fail "a program without CAP_SYS_PTRACE is ready"
	for mode in auto exact; do
		run record -q --mode $mode --duration 1.5s -o "$rec" -p "$program"
		counted "root with $set, a process, $mode" "$rec"
		is "root with $set, a process, $mode: why it ended" "$("$root" report "$rec" -f json | jq -r .meta.end_reason)" duration
	done
	run heap -p "$program"
	matches "root with $set: heap can look" "$status $err$out" 'memory profile'
	end_program > /dev/null
	as_root
}

# --- what is missing ---------------------------------------------------------------------------------

# lacks NAME CAPS ARGS...: with these capabilities it is refused, and CAP_NAME said to be the reason.
lacks() {
	local name=$1
	as_user "$2"
	run "${@:3}"
	as_root
	[ "$3" != doctor ] || out=''	# it tells of this machine first
	refused "without CAP_$name: $3 is refused" 4 "missing: [A-Z_ ,a-z]*CAP_$name"
	matches "without CAP_$name: what to do" "$err" "hint: run as root, or grant [A-Z_ ,a-z]*CAP_${name}[^:]*: 'sudo setcap "
	as_user "$2"
	run doctor
	as_root
	matches "without CAP_$name: doctor says so" "$out" "(NO|--)  CAP_$name +missing: "
}

missing() {
	local rec=$T/dir/m.gallop hidden
	lacks BPF +perfmon,+sys_ptrace,+dac_read_search record -p "$program" -o "$rec"
	lacks PERFMON +bpf,+sys_ptrace,+dac_read_search record -p "$program" -o "$rec"
	lacks SYS_PTRACE +bpf,+perfmon,+dac_read_search record -p "$program" -o "$rec"
	lacks SYS_PTRACE "" heap -p "$program"
	lacks SYS_PTRACE +dac_read_search doctor -p "$program"
	if [ "$multi" = 1 ]; then
		as_user $enough
		run record --attach perf --duration 0.1s -q -p "$program" -o "$rec"
		as_root
		# Kernels of before July 2025 let it.
		[ "$status" = 0 ] || refused "perf uprobes: CAP_SYS_ADMIN" 4 'missing: CAP_SYS_ADMIN'
	fi
	# An executable that only root may read.
	hidden=$program
	chmod 711 "$T/load"
	lacks DAC_READ_SEARCH +bpf,+perfmon,+sys_ptrace record -p "$hidden" -o "$rec"
	as_user $enough
	start_gallop record -q -p "$hidden" -o "$rec" || fail "with CAP_DAC_READ_SEARCH: ready" "$(cat "$T/gallop.err")"
	stop "$tracer"
	is "with CAP_DAC_READ_SEARCH: status" $? 0
	run list
	matches "with CAP_DAC_READ_SEARCH: it is listed" "$out" " $hidden +load "
	as_root
	chmod 755 "$T/load"
	rm -f "$rec"
}

# --- who may not read a file doesn't with gallop --------------------------------------------------------

files() {
	install -m 700 "$exe" "$T/secret"
	install -m 600 "$T/home/r.gallop" "$T/secret.gallop"
	as_user $enough
	run doctor "$T/secret"
	out=''	# of this machine
	refused "an executable that the user may not read" 4 "secret': Permission denied"
	run doctor --dry-run "$T/secret"
	refused "... nor its plan" 4 "secret': Permission denied"
	run report "$T/secret.gallop"
	succeeds "a recording that the user may not read" [ "$status" != 0 -a -z "$out" ]
	matches "... why" "$err" '[Pp]ermission denied|unable to open'
	run report "$T/secret.gallop" -o "$T/no.json"
	succeeds "where the user may not write, nothing is written" [ "$status" != 0 -a ! -e "$T/no.json" ]
	as_root
}

# --- a command that is started -------------------------------------------------------------------------

command_caps() {
	# shellcheck disable=SC2016 # it is for the other shell
	local script='grep -E "^(CapInh|CapPrm|CapAmb|NoNewPrivs|Uid)" /proc/self/status > $0'
	as_user $enough
	run record -q -o "$T/dir/c.gallop" -- "$exe" exec /bin/sh -c "$script" "$T/dir/user"
	as_root
	is "a user's command: status" $status 0
	is "a user's command: none of gallop's capabilities" "$(tr -s '\t\n' '  ' < "$T/dir/user")" \
		"Uid: $user $user $user $user CapInh: $(sums) CapPrm: $(sums) CapAmb: $(sums) NoNewPrivs: 0 "
	run record -q -o "$T/dir/c.gallop" -- "$exe" exec /bin/sh -c "$script" "$T/dir/root"
	is "root's command: status" $status 0
	is "root's command is root's" "$(sed -n 's/^CapPrm:\t//p;s/^Uid:\t//p' "$T/dir/root" | tr '\n\t' '  ')" "0 0 0 0 $(status_of $$ CapPrm) "
}

# --- whose the files are -------------------------------------------------------------------------------

owners() {
	local rec=$T/home/r.gallop id
	SUDO_UID=$user SUDO_GID=$other run report "$rec" -o "$T/home/o.json"
	is "a result is for who called sudo" "$(stat -c '%u %g %a' "$T/home/o.json")" "$user $other 600"
	chmod 640 "$T/home/o.json"
	chown $other:$user "$T/home/o.json"
	SUDO_UID=$user SUDO_GID=$other run report "$rec" -o "$T/home/o.json"
	is "who has a file keeps it" "$(stat -c '%u %g %a' "$T/home/o.json")" "$other $user 640"
	for id in '' -1 4294967295 99999999999999999999 12x ' 12' 0x10 +5 root; do
		rm -f "$T/home/o.json"
		SUDO_UID=$id SUDO_GID=$other run report "$rec" -o "$T/home/o.json"
		is "SUDO_UID '$id' is nobody" "$status $(stat -c '%u %g %a' "$T/home/o.json")" "0 0 0 600"
	done
	rm -f "$T/home/o.json"
	SUDO_UID=$user run report "$rec" -o "$T/home/o.json"
	is "SUDO_UID alone is nobody" "$(stat -c '%u %g %a' "$T/home/o.json")" "0 0 600"
	ln -sfn "$T/home/new.json" "$T/home/link.json"
	SUDO_UID=$user SUDO_GID=$other run report "$rec" -o "$T/home/link.json"
	is "through a link to nothing" "$(stat -c '%u %g %a' "$T/home/new.json")" "$user $other 600"
}

# refuses NAME PATH: no result, no recording there; in a directory where everybody writes.
refuses() {
	if [[ $2 != *.gallop ]]; then
		run report "$T/home/r.gallop" -f json -o "$2"
		refused "$1: no result" 4 'in a directory that everybody writes to'
	fi
	run record -q -o "$2" -- "$exe" status 0
	succeeds "$1: no recording" [ "$status" != 0 ]
}

# Names that another user has taken: his files, and links and pipes that lead elsewhere.
others() {
	local dir=$T/tmp
	install -d -m 1777 "$dir"
	echo precious > "$T/precious"
	setpriv --reuid $other --regid $other --clear-groups sh -c "
		cd $dir && ln -s $T/home to-home && ln -s $T/precious link.json && ln -s $T/nothing new.json && mkfifo fifo.json && echo his > his.json"
	install -o $other "$T/home/r.gallop" "$dir/his.gallop"
	for name in link.json new.json fifo.json his.json his.gallop; do refuses "another user's $name" "$dir/$name"; done
	ln -s "$dir/to-home" "$T/own-link"
	for name in "$dir/to-home" "$T/own-link"; do
		for file in x.json x.gallop; do refuses "by another user's link, ${name#"$T/"}/$file" "$name/$file"; done
	done
	is "... nothing is made there, either" "$(find "$T/home" -name "x.*")" ""
	is "what his link leads to is as it was" "$(< "$T/precious")" precious
	succeeds "... and nothing is made" [ ! -e "$T/nothing" ]
	is "his file is as it was" "$(< "$dir/his.json")" his
	succeeds "his recording is as it was" cmp "$T/home/r.gallop" "$dir/his.gallop"
	is "nothing is left there" "$(cd "$dir" && echo * .[!.]*)" 'fifo.json his.gallop his.json link.json new.json to-home .[!.]*'
	ln -s "$T/dir/own.json" "$dir/own.json"
	run report "$T/home/r.gallop" -o "$dir/own.json"
	is "a link of one's own" "$status" 0
	SUDO_UID=$other SUDO_GID=$other run report "$T/home/r.gallop" -o "$dir/his.json"
	is "a file of who called sudo" "$status $(stat -c '%u' "$dir/his.json")" "0 $other"
	SUDO_UID=$other SUDO_GID=$other run record -q -o "$dir/his.gallop" -- "$exe" status 0
	is "a recording of who called sudo" "$status $(stat -c '%u %a' "$dir/his.gallop")" "0 $other 600"
}

start_program "$T/load" -goroutines 1 || fail "the program is ready"
as_user $enough
user_attaches "a user's session"
user_traces
install -m 755 "$root" "$T/with-caps"
if setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=ep "$T/with-caps" 2> "$T/setcap.err"; then
	as_user "" "$T/with-caps"
	run version
	# Mounted nosuid, they are of no use.
	if [ "$status" = 0 ]; then user_attaches "a file's"; fi
fi
as_root
root_traces
missing
end_program > /dev/null
without_ptrace
files
command_caps
owners
others
done_testing
