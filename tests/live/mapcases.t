#!/bin/bash
# timeout: 1800
# What programs do with maps every day: gallop finds the pattern of the bad form, at its function and with
# advice, and doesn't find it in the mended one. A program that does nothing wrong gets no advice.
#
# GALLOP_TEST_GO chooses other versions. What is waited for takes its time: by default the oldest and the newest of
# each kind of map.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

versions=${GALLOP_TEST_GO:-1.19 1.23 1.24 1.27}

# Case and patterns: of those one must be told of the bad form, and nothing of the good one.
cases=(
	'purge ["thinned out"]'
	'scratch ["make again"]'
	'set ["make again", "grown without a hint"]'
	'shards ["delete loop"]'
	'retain ["clear and retain"]'
	'session ["range and delete"]'
)

# look NAME CASE FORM: run it under gallop; what it says in $T/json, the program's last line in $T/truth.
look() {
	watch_work "$1" maps "$exe" -wait "$2" "$3"
	succeeds "$1: gallop says something" jq -e '.maps.sites | length > 0' "$T/json"
}

for version in $versions; do
	for mode in plain noswissmap; do
		[[ $mode != noswissmap || $version =~ ^1\.2[45]$ ]] || continue
		if ! exe=$(go_program "$version" "$mode" mapcases); then
			skip "go $version $mode" "$(tail -n 1 "$T/build.err")"
			continue
		fi
		name="go $version $mode"
		for case in "${cases[@]}"; do
			read -r what patterns <<< "$case"
			look "$name, $what, bad" "$what" bad && nothing "$name, $what, bad: found" map_differences "bad_missing($patterns)"
			look "$name, $what, good" "$what" good && nothing "$name, $what, good: no advice" map_differences advised
		done
		look "$name, none" none good && nothing "$name, none: no advice" map_differences advised
	done
done
done_testing
