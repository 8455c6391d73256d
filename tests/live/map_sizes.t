#!/bin/bash
# Tables of the kernel's have the sizes that they are asked for, and one size doesn't cost another: stacks of samples
# have their room however many sites there may be.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq bpftool

# Leaves in $T/sizes, by their names, how many entries the maps of a recording of the waiting program can have.
sizes() {
	local name=$1 id
	shift
	start_program "$exe" wait status 0 || fail "$name: the program is ready" "$(cat "$T/program.err")"
	start_gallop record "$@" -p "$program" -o "$T/r.gallop" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	for id in $(bpf_ids "$tracer" | sed -n 's/^map //p'); do bpftool map show id "$id" -j; done |
		jq -s 'map({key: .name, value: .max_entries}) | from_entries' > "$T/sizes"
	stop "$tracer" > /dev/null
	end_program
}
size() { jq ".$1" "$T/sizes"; }

exe=$(go_program "${GALLOP_TEST_GO:-1.27}" plain exit) || skip_all "$(tail -n 1 "$T/build.err")"
for mode in auto exact; do
	sizes $mode --mode $mode
	stacks=$(size stacks) sites=$(size sites)
	succeeds "$mode: both tables are found" test "$stacks" -gt 0 -a "$sites" -gt 0
	sizes "$mode, --max-sites" --mode $mode --max-sites $((sites + 7000))
	is "$mode: --max-sites is the size of the sites" "$(size sites)" $((sites + 7000))
	is "$mode: and as many more stacks" "$(size stacks)" $((stacks + 7000))
done
done_testing
