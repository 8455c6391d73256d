#!/bin/bash
# timeout: 900
# A live HTTP server under load: what gallop says of its handler is what Go's benchmark says of the same handler, and
# functions of net/http are called once for each request and each connection. Handlers that panic are told.
#
# GALLOP_TEST_GO chooses less than all versions.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

versions=${GALLOP_TEST_GO:-$("$top/tools/go-toolchain" list)}
handler='main.(*handler).ServeHTTP'
view_options=(--mode exact -f "$handler" -f net/http.HandlerFunc.ServeHTTP -f 'net/http.(*conn).serve')

# op FUNC FILTER: of what gallop says of this function.
op() { jq -r --arg f "$1" ".ops[] | select(.func == \$f) | $2" "$T/json"; }
truth() { jq -r "$1" "$T/truth"; }
calls() { op "$1" '"\(.calls) and \(.panics) that panicked, \(.goexits + .open + .began_before) others"'; }

# near WHAT GOT WANT BOUND
near() {
	if jq -ne "$2 - $3 | fabs <= $4" > /dev/null; then pass "$1"; else fail "$1" "got:  $2"$'\n'"want: $3, or $4 from that"; fi
}

compare() {
	local answered aborted allocs bytes
	answered=$(truth '.requests - .aborted') aborted=$(truth .aborted)
	succeeds "$1: the server was asked" [ "$answered" -ge 1000 -a "$aborted" -ge 10 ]
	is "$1: calls of the handler" "$(calls "$handler")" "$answered and $aborted that panicked, 0 others"
	is "$1: calls of what calls it" "$(calls net/http.HandlerFunc.ServeHTTP)" "$answered and $aborted that panicked, 0 others"
	is "$1: connections" "$(calls 'net/http.(*conn).serve')" "$(truth .connections) and 0 that panicked, 0 others"
	is "$1: nothing lost" "$(jq .loss.total "$T/json")" 0

	timeout "$limit" "$exe" -bench > "$T/bench"
	allocs=$(jq .allocs_per_op "$T/bench") bytes=$(jq .bytes_per_op "$T/bench")
	is "$1: allocs/op of most calls are the benchmark's" "$(op "$handler" .allocs_per_op.p50)" "$allocs"
	# Some find a pool empty that the collector has emptied.
	near "$1: so are those of all" "$(op "$handler" .allocs_per_op.mean)" "$allocs" 1
	near "$1: B/op are the benchmark's" "$(op "$handler" .bytes_per_op.mean)" "$bytes" "$bytes / 100"
}

for version in $versions; do
	name="go $version"
	if ! exe=$(go_program "$version" stripped opserver); then
		skip "$name" "$(tail -n 1 "$T/build.err")"
		continue
	fi
	watch_work "$name" op "$exe" -wait
	if [ -s "$T/truth" ]; then compare "$name"; else fail "$name: the server was asked" "$(< "$T/program.err")"; fi
done
done_testing
