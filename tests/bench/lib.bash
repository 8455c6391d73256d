# shellcheck shell=bash
# For the benchmarks, on top of the live tests' helpers: rows of the table.
# shellcheck source=../live/lib.bash source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.bash"
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/tests/bench
gallop=${GALLOP:-$top/build/gallop}
rounds=${BENCH_ROUNDS:-5}
_kept=0

# row WHAT RESULT [VALUE at-most|at-least BOUND PROMISE]: a line of the table; VALUE is held against BOUND.
row() {
	local result=$2
	if [ $# -gt 2 ] && ! awk -v v="$3" -v how="$4" -v b="$5" \
		'BEGIN { kept = how == "at-most" ? (v <= b) : (v >= b); exit !kept }'; then
		result+=" NOT KEPT"
		_kept=1
	fi
	printf '%s\t%s\t%s\n' "$1" "$result" "${6:-}"
}

# format FORMAT VALUE...
format() {
	# shellcheck disable=SC2059 # that's the point
	printf "$@"
}

# Exit status: were all promises kept?
end_bench() { exit $_kept; }

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

calc() { awk "BEGIN { printf \"%.6g\", $1 }"; }
