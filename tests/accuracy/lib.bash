# shellcheck shell=bash
# One run of tests/go/samptruth under gallop, judged. On top of the live tests' helpers.
# shellcheck source=../live/lib.bash source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.bash"
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
gallop=${GALLOP:-$top/build/gallop}
accuracy=$top/tests/accuracy

# Two samplers: the runtime's own, or windows where the program is built so that it takes no samples.
declare -A build_mode=([runtime]=pprof [windows]=plain)

# A sample for each 512 KiB: of requests there must be more, or none would be met at some sites. In windows a hit costs a
# request that is as busy as a server's: more of them than this would never be over.
declare -A request_rate=([runtime]=2000 [windows]=500)

# truth FILE: what the program has allocated so far.
truth() {
	rm -f "$1"
	echo "truth $1" >&"$program_in"
	wait_line "$program_out" '^done$'
}

# Nothing ever comes through this pipe: give way for so many seconds.
pass_time() {
	IFS= read -r -t "$1" -u "$_pause"
	true
}

# accuracy_run FILE PROGRAM SAMPLER VERSION SEED MODE SECONDS [OPTION...]: appends a line to FILE. OPTIONs are gallop's.
accuracy_run() {
	local file=$1 name=$2 sampler=$3 version=$4 seed=$5 mode=$6 seconds=$7 exe ok=0 rate=0
	exe=$(go_program "$version" "${build_mode[$sampler]}" samptruth) || return
	rm -f "$T/a.gallop" "$T/a.json"
	[ "$name" != req ] || rate=${request_rate[$sampler]}
	start_program "$exe" -seed "$seed" -rate "$rate" "$name" || return
	truth "$T/before"
	if start_gallop record -q --mode "$mode" -p "$program" -o "$T/a.gallop" "${@:8}"; then
		truth "$T/from" && pass_time "$seconds" && truth "$T/to" && ok=1
		stop "$tracer" || ok=0
		truth "$T/after" || ok=0
	fi
	end_program || ok=0
	[ $ok = 1 ] && timeout "$limit" "$gallop" report "$T/a.gallop" -f json -o "$T/a.json" &&
		judge "$T/a.json" \
			"$(jq -n -c --arg p "$name" --arg s "$sampler" --arg v "$version" --argjson n "$seed" --arg m "$mode" \
				'{program: $p, sampler: $s, version: $v, seed: $n, mode: $m}')" >> "$file"
}

# judge JSON WHAT: by the truths in $T/before, from, to and after.
judge() {
	jq -n -c --slurpfile told <(cat "$T/before" "$T/from" "$T/to" "$T/after") --slurpfile g "$1" --argjson what "$2" \
		-f "$accuracy/judge.jq"
}

# results FILE FUNCTION: of table.jq, over the runs in FILE.
results() { jq -rs "$(< "$accuracy/table.jq") $2" "$1"; }
