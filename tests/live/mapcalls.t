#!/bin/bash
# alone
# timeout: 600
# Assignments to maps as windows estimate them, against a program that counts its own: intervals cover the truth, a
# least number is no more than it, and who hardly uses maps has a number however dense the loop beside it is.
#
# Seconds of a run: MAPCALLS_SECONDS; more where they have too few windows for numbers.
# shellcheck source=../accuracy/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../accuracy/lib.bash"
need_root
need_gallop
need_tools jq

seconds=${MAPCALLS_SECONDS:-20}

# judge JSON: what was told of each site, and what the program has counted meanwhile: at least, and at most.
judge() {
	jq -n -c --slurpfile told <(cat "$T/before" "$T/from" "$T/to" "$T/after") --slurpfile g "$1" '
		[range(4) as $i | $told[0].sites[$i].key as $key
		 | ($g[0].maps.sites | map(select(.stack[0].func == $key))) as $got
		 | {key: $key, least: ($told[2].sites[$i].objects - $told[1].sites[$i].objects),
			most: ($told[3].sites[$i].objects - $told[0].sites[$i].objects),
			calls: $got[0].assigns, ci95: $got[0].assigns_ci95, at_least: $got[0].assigns_at_least,
			sites: ($got | length)}]'
}

# recorded SAMPLER VERSION SECONDS
recorded() {
	local sampler=$1 version=$2 seconds=$3 exe ok=0
	exe=$(go_program "$version" "${build_mode[$sampler]}" samptruth) || return
	rm -f "$T/a.gallop" "$T/a.json" "$T/json"
	start_program "$exe" maps || return
	truth "$T/before"
	if start_gallop record -q -p "$program" -o "$T/a.gallop" --budget 40; then
		truth "$T/from" && pass_time "$seconds" && truth "$T/to" && ok=1
		stop "$tracer" || ok=0
		truth "$T/after" || ok=0
	fi
	end_program || ok=0
	[ "$ok" = 1 ] && timeout "$limit" "$gallop" report "$T/a.gallop" -f json -o "$T/a.json" && judge "$T/a.json" > "$T/json"
}

# Few windows may have met none of what is rare.
numbers='.[1:] | map(select(.sites > 0)) | length > 0 and all(.calls != null and .ci95 > 0)'

judged() { jq -e "$1" "$T/json" > /dev/null; }

while read -r sampler version; do
	what="$sampler, Go $version"
	if ! "$top/tools/go-toolchain" root "$version" > /dev/null 2>&1; then
		skip "$what" "no Go $version"
		continue
	fi
	grow "$seconds" "$numbers" recorded "$sampler" "$version"
	if [ ! -s "$T/json" ]; then
		fail "$what: recorded" "$(cat "$T/gallop.err" "$T/program.err")"
		continue
	fi
	pass "$what: recorded"
	jq -r '.[] | "# \(.key): \(.calls) +- \(.ci95), at least \(.at_least); truth \(.least) to \(.most)"' "$T/json"
	succeeds "$what: a loop has a least number only, and no more than there were" judged \
		'.[0] | .calls == null and .at_least > 0 and .at_least <= .most'
	succeeds "$what: others have numbers" judged "$numbers"
	# A dozen of them is judged at once: of 95 % intervals one or another wouldn't.
	succeeds "$what: twice the intervals cover what the program counts" judged \
		'all(.[1:][] | select(.sites > 0); .calls + 2 * .ci95 >= .least and .calls - 2 * .ci95 <= .most)'
done <<- 'END'
	windows 1.27
	runtime 1.27
	windows 1.19
	runtime 1.19
END
done_testing
