#!/bin/bash
# alone
# timeout: 900
# Estimates against programs that know the truth: few and short runs, of what tests/accuracy/run does in full.
# Totals must be equal, and intervals must cover the truth so often that 93 % is believable.
#
# ACCURACY_MODE, ACCURACY_BUDGET (percent; of a short run, so that there are enough windows) and ACCURACY_SECONDS choose.
# shellcheck source=../accuracy/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../accuracy/lib.bash"
need_root
need_gallop
need_tools jq

mode=${ACCURACY_MODE:-auto}
# At least 8 windows make an interval: of 6 seconds 6 to 10 were seen.
seconds=${ACCURACY_SECONDS:-6}
options=(--budget "${ACCURACY_BUDGET:-20}")
[ "$mode" != exact ] || options=()
: > "$T/runs"

# once NAME SAMPLER VERSION SECONDS: what it's judged to be, in $T/json.
once() {
	rm -f "$T/json"
	accuracy_run "$T/json" "$1" "$2" "$3" 1 "$mode" "$4" "${options[@]}"
}

while read -r name sampler version; do
	what="$name, $sampler, Go $version"
	if ! "$top/tools/go-toolchain" root "$version" > /dev/null 2>&1; then
		skip "$what" "no Go $version"
	elif grow "$seconds" '.sites | any(.covered != null)' once "$name" "$sampler" "$version" && [ -s "$T/json" ]; then
		pass "$what: recorded"
		cat "$T/json" >> "$T/runs"
	else
		fail "$what: recorded" "$(cat "$T/gallop.err" "$T/program.err")"
	fi
done <<- 'END'
	alt windows 1.27
	req windows 1.27
	ts windows 1.23
	large windows 1.23
	power windows 1.27
	alt runtime 1.23
	req runtime 1.27
	power runtime 1.23
	append runtime 1.27
END

results "$T/runs" table | sed 's/^/# /'
# A sampler that isn't what the run is for would make the rest meaningless.
is "the runtime takes samples where it's to" "$(jq -s -c 'map(select((.rate > 0) != (.sampler == "runtime")) | .program)' "$T/runs")" '[]'
nothing "totals, objects as they were, intervals" results "$T/runs" faults
nothing "half-widths after 10,000 hits" results "$T/runs" width_faults
for sampler in runtime windows; do
	succeeds "there are intervals: $sampler" jq -s -e "$(< "$accuracy/table.jq")
		map(select(.sampler == \"$sampler\")) | with_interval | length >= 10" "$T/runs"
done
done_testing
