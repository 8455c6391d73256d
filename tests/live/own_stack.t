#!/bin/bash
# No BPF program of gallop's may have a stack for each CPU: at a uprobe it can be preempted by itself, and a torn stack is
# an oops of the kernel's. Linux 6.13 and later give one to each that isn't kept from it (bpf/maps.bpf.h, keep_own_stack).
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop

O=${O:-build}
case $O in /*) driver=$O ;; *) driver=$top/$O ;; esac
driver=$driver/tests/live/own_stack_test
make -s -C "$top" "O=$O" "${driver#"$top/"}" >&2 || { echo "Bail out! cannot build"; exit 99; }
why=$("$driver")
[ $? != 77 ] || skip_all "$why"

# Everything that is loaded by a command on the waiting program.
looks_at() {
	local name=$1 ids
	shift
	start_program "$exe" -wait || fail "$name: the program is ready" "$(cat "$T/program.err")"
	start_gallop "$@" -p "$program" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	mapfile -t ids < <(bpf_ids "$tracer" | sed -n 's/^prog //p')
	succeeds "$name: programs are loaded" test ${#ids[@]} -gt 3
	nothing "$name: none has a stack for each CPU" "$driver" "${ids[@]}"
	stop "$tracer" > /dev/null
	echo go >&"$program_in"
	end_program
}

exe=$(go_program 1.27 stripped crowd) || skip_all "$(tail -n 1 "$T/build.err")"
looks_at exact record --mode exact --op 'main.(*thread).leaf' -o "$T/e.gallop"
looks_at auto record -o "$T/a.gallop"
looks_at "op in windows" op -f 'main.(*thread).leaf'
done_testing
