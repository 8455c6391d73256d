#!/bin/bash
# timeout: 900
# The counters read from a process's memory against its own runtime.MemStats: every Go of the matrix, at rest and
# running. How it is built moves addresses only: every mode with the oldest and the newest Go, and the most different
# one with the others. Prints TAP.
#
#	tests/live/memstats.t		V="1.19 1.27" and M="plain pie" choose versions and modes
#
# Where the process may be looked at (root, or CAP_SYS_PTRACE, or its own user with ptrace_scope 0).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
O=${O:-build}
versions=${V:-$("$top/tools/go-toolchain" list)}
all_modes='plain stripped pie cgo cgopiestripped' few_modes='cgopiestripped'
n=0 failed=0

report() {
	n=$((n + 1))
	case $1 in
	0) echo "ok $n - $2" ;;
	77) echo "ok $n - $2 # SKIP $3" ;;
	*) echo "not ok $n - $2"; failed=1 ;;
	esac
}

make -s -C "$top" "O=$O" "$O/tests/live/memstats_test" >&2 || { echo "Bail out! cannot build"; exit 99; }
case $O in /*) driver=$O ;; *) driver=$top/$O ;; esac
driver=$driver/tests/live/memstats_test

# In a container maps and stat name different devices for the executable: overlayfs does that.
overlay() {
	local driver=$1 exe=$2 tmp status
	tmp=$(mktemp -d)
	# shellcheck disable=SC2016 # its own arguments
	unshare -m bash -c '
		mount -t tmpfs tmpfs "$1" && cd "$1" && mkdir lower upper work merged && cp "$3" lower/ &&
		mount -t overlay overlay -o lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work merged ||
			exit 77
		"$2" rest "$1/merged/${3##*/}"' overlay "$tmp" "$driver" "$exe" 2>&1
	status=$?
	rmdir "$tmp"
	return $status
}

for v in $versions; do
	modes=$few_modes
	[[ $v != "${versions%%[[:space:]]*}" && $v != "${versions##*[[:space:]]}" ]] || modes=$all_modes
	for mode in ${M:-$modes}; do
		exe=
		dir=$("$top/tools/go-fixtures" -v "$v" -m "$mode" memtotals | tail -n 1) &&
			exe=$dir/$v/$mode/memtotals
		for how in rest run; do
			if [ ! -x "$exe" ]; then
				# What doesn't compile is no reason to skip.
				"$top/tools/go-toolchain" root "$v" > /dev/null 2>&1
				report $(($? ? 77 : 1)) "memstats $v $mode $how" "no Go $v to build it with"
				continue
			fi
			said=$("$driver" "$how" "$exe" 2>&1)
			status=$?
			echo "# ${said//$'\n'/$'\n'# }"
			report $status "memstats $v $mode $how"
		done
	done
done
if [ -x "$exe" ]; then
	said=$(overlay "$driver" "$exe")
	status=$?
	echo "# ${said//$'\n'/$'\n'# }"
	report $status "memstats $v $mode on overlayfs" "cannot mount an overlayfs here"
fi
echo "1..$n"
exit $failed
