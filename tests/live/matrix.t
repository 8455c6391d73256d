#!/bin/bash
# timeout: 1800
# Every Go version: what gallop records of a program that knows what it allocates is equal to what the program says. Not
# nearly: equal. The oldest and the newest in every way a binary is built, the others plain and in all ways at once.
#
# GALLOP_TEST_GO and GALLOP_TEST_MODES choose others.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

versions=${GALLOP_TEST_GO:-$("$top/tools/go-toolchain" list)}
all_modes='plain stripped pie cgo' few_modes='plain cgopiestripped'

try() {
	local name="go $1 $2" exe rc want
	if ! exe=$(go_program "$1" "$2" truth); then
		skip "$name" "$(tail -n 1 "$T/build.err")"
		return
	fi
	want=$(timeout "$limit" "$exe" | jq -r 'select(.checksum).checksum')
	rm -f "$T"/truth "$T"/json "$T"/r.gallop
	timeout "$limit" "$gallop" record --mode exact -o "$T/r.gallop" -- "$exe" > "$T/truth" 2> "$T/gallop.err"
	rc=$?
	if [ $rc != 0 ] || ! to_json "$T/r.gallop" "$T/json" 2>> "$T/gallop.err"; then
		fail "$name: recorded" "status $rc: $(tail -n 20 "$T/gallop.err")"
		return
	fi
	is "$name: the program's result is the same" "$(jq -r 'select(.checksum).checksum' "$T/truth")" "$want"
	nothing "$name: objects of each phase" differences objects_differ
	nothing "$name: bytes of a phase without tiny objects" differences bytes_differ
	nothing "$name: counts at each ReadMemStats" differences marks_differ
	nothing "$name: objects and bytes of each size class" differences sizes_differ
	nothing "$name: stacks of the sites" differences stacks_differ
	nothing "$name: objects, bytes and types of the sites" differences sites_differ
	nothing "$name: the check line" differences check_differs
	nothing "$name: nothing lost" differences lost
}

for version in $versions; do
	modes=$few_modes
	[[ $version != "${versions%%[[:space:]]*}" && $version != "${versions##*[[:space:]]}" ]] || modes=$all_modes
	for mode in ${GALLOP_TEST_MODES:-$modes}; do try "$version" "$mode"; done
done
done_testing
