#!/bin/bash
# timeout: 1800
# Maps read from a process's memory against what the process says of them: what they hold, and which are there;
# every Go of the matrix, and the classic maps of 1.24 and 1.25. Prints TAP.
#
# GALLOP_TEST_GO chooses less than all versions. Maps have up to 1000000 entries in the newest Go of each kind of
# map, and 100000 in the others: GALLOP_TEST_MAPS says another number for all.
# Where the process may be looked at (root, or CAP_SYS_PTRACE, or its own user with ptrace_scope 0).
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"

O=${O:-build}
versions=${GALLOP_TEST_GO:-$("$top/tools/go-toolchain" list)}

make -s -C "$top" "O=$O" "$O/tests/live/maps_test" >&2 || { echo "Bail out! cannot build"; exit 99; }
case $O in /*) driver=$O ;; *) driver=$top/$O ;; esac
driver=$driver/tests/live/maps_test

# check VERSION MODE HOW ARG
check() {
	local exe said what="maps $1 $2 $3"
	if ! exe=$(go_program "$1" "$2" mapheap); then
		skip "$what" "no Go $1 to build it with"
	elif said=$("$driver" "$3" "$exe" "$4" 2>&1); then
		echo "# ${said//$'\n'/$'\n'# }"
		pass "$what"
	else
		fail "$what" "$said"
	fi
}

for v in $versions; do
	max=100000
	[[ $v != 1.23 && $v != 1.27 ]] || max=1000000
	max=${GALLOP_TEST_MAPS:-$max}
	check "$v" plain sizes "$max"
	check "$v" plain lives 40
	check "$v" cgopiestripped lives 20
	case $v in
	1.24 | 1.25)
		check "$v" noswissmap sizes "$max"
		check "$v" noswissmap lives 40
		;;
	esac
done
done_testing
