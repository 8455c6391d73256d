#!/bin/bash
# mostly waits
# timeout: 900
# A long run under a load that changes: gallop doesn't grow, keeps its budget all the time, loses nothing that it
# doesn't say, and the program isn't harmed. `make soak` does an hour of it.
#
# SOAK_SECONDS (300), SOAK_MODE (auto), SOAK_SAMPLERS ("runtime windows": half the time each) and SOAK_GO (1.27) choose.
# shellcheck source=../accuracy/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../accuracy/lib.bash"
need_root
need_gallop
need_tools jq

version=${SOAK_GO:-1.27}
mode=${SOAK_MODE:-auto}
read -ra samplers <<< "${SOAK_SAMPLERS:-runtime windows}"
seconds=$((${SOAK_SECONDS:-300} / ${#samplers[@]}))
span=30	# of this many seconds each must keep the budget
[ $seconds -ge $((2 * span)) ] || { echo "soak: $seconds seconds are too few" >&2; exit 1; }

rss_kib() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }
size_of() { cat "$@" 2> /dev/null | wc -c; }

# The program has eleven phases; all of them come in the first fifth.
phase_seconds() { awk -v s=$seconds 'BEGIN { p = s / 5 / 11.5; print p < 5 ? p : 5 }'; }

# Every two seconds: second, memory in KiB, size of the recording.
watch_growth() {
	local began=$SECONDS
	while [ $((SECONDS - began)) -lt $seconds ] && kill -0 "$program" && kill -0 "$tracer"; do
		echo "$((SECONDS - began)) $(rss_kib "$tracer") $(size_of "$T"/s.gallop*)"
		pass_time 2
	done 2> /dev/null
}

# The most in the last fifth over the most in the second: at the start tables and caches fill.
growth() {
	awk -v end=$seconds '{ n = int($1 * 5 / end) } n == 1 && $2 > early { early = $2 } n >= 4 && $2 > late { late = $2 }
		END { if (!early || !late) exit 1; print late - early }' "$T/growth"
}

# Bytes of the recording per second, from the second fifth on.
file_growth() {
	awk -v end=$seconds '$1 * 5 >= end && !from { from = $1; size = $3 } { to = $1; last = $3 }
		END { if (to <= from) exit 1; printf "%.0f\n", (last - size) / (to - from) }' "$T/growth"
}

# FROM TO of each whole span of the recording; what is left over belongs to the last one.
spans() {
	local from
	for ((from = 0; from + 2 * span <= seconds; from += span)); do echo "$from $((from + span))"; done
	echo "$from $seconds"
}

# over_budget: spans in which it cost more than it may.
over_budget() {
	local from to since
	while read -r from to; do
		since=()	# the whole recording's beginning is no time that --from would take
		[ "$from" = 0 ] || since=(--from "${from}s")
		timeout "$limit" "$gallop" report "$T/s.gallop" -f json "${since[@]}" --to "${to}s" -o "$T/span.json" || return
		jq -r --arg span "$from-$to s" '.cost | if (.predicted | type) != "number" or (.budget | type) != "number"
			then "\($span): cost isn'\''t known: \(tojson)"
			elif .predicted > .budget then "\($span): \(.predicted) of \(.budget)" else empty end' "$T/span.json"
	done < <(spans)
}

# The same totals as the runtime's; what the edges, and the program between its answers, may add is measured.
judge_totals() {
	judge "$T/s.json" "{\"program\":\"soak\",\"mode\":\"$mode\"}" | jq -r '.objects, .bytes | select(.equal | not) | tojson'
}

soak() {
	local sampler=$1 exe what="$1"
	exe=$(go_program "$version" "${build_mode[$sampler]}" samptruth) || { skip "$what" "$(tail -n 1 "$T/build.err")"; return; }
	rm -f "$T"/s.*
	start_program "$exe" -seconds "$(phase_seconds)" soak || fail "$what: the program is ready" "$(cat "$T/program.err")"
	truth "$T/before"
	start_gallop record -q --mode "$mode" -p "$program" -o "$T/s.gallop" || { fail "$what: gallop is ready" "$(cat "$T/gallop.err")"; return; }
	truth "$T/from" || fail "$what: the program answers"
	watch_growth > "$T/growth"
	truth "$T/to" || fail "$what: the program answers at the end"
	stop "$tracer"
	is "$what: gallop's status" $? 0
	truth "$T/after"
	end_program
	is "$what: the program's status" $? 0
	is "$what: objects that the program found changed" "$(jq .wrong "$T/to")" 0
	echo "# memory, KiB: $(awk 'NR % 10 == 1 { printf "%s ", $2 }' "$T/growth"); file, bytes a second: $(file_growth)"
	# A little is the allocator's: pages that it has and gives to nobody.
	succeeds "$what: memory does not grow: $(growth) KiB" test "$(growth)" -le 2048
	succeeds "$what: the recording grows slowly: $(file_growth) bytes a second" test "$(file_growth)" -le 200000
	succeeds "$what: it can be read" timeout "$limit" "$gallop" report "$T/s.gallop" -f json -o "$T/s.json"
	nothing "$what: totals are the runtime's" judge_totals
	nothing "$what: what is lost is shown, and adds up" jq -r '.loss | select((del(.total) | add) != .total) | tojson' "$T/s.json"
	echo "# lost: $(jq .loss.total "$T/s.json"), cost: $(jq -c .cost "$T/s.json")"
	[ "$mode" = exact ] || nothing "$what: within the budget in each $span seconds" over_budget
}

for sampler in "${samplers[@]}"; do soak "$sampler"; done
done_testing
