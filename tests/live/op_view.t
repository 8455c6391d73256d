#!/bin/bash
# timeout: 600
# What gallop op shows, of functions that a program knows: the same numbers in every form, in Go's benchmark format,
# side by side, from a recording; and what it refuses to measure, with the reason and what to do.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

version=${GALLOP_TEST_GO:-1.24}
exe=$(go_program "$version" plain optruth) || skip_all "$(tail -n 1 "$T/build.err")"
export LC_ALL=C
cd "$T" || exit 1	# --compare writes files where it runs

# look WHAT GROUP ARGS...: gallop op, of a group of the program; what that says is in $T/truth.
look() {
	timeout "$limit" "$gallop" op --mode exact "${@:3}" -- "$exe" "$2" > "$T/truth" 2> "$T/err"
	is "$1: status" "$? $(grep -v ': wrote op-' "$T/err")" "0 "
}

# truth FUNC FILTER
truth() { jq -r --arg f "$1" ".ops[] | select(.func == \$f) | $2" "$T/truth"; }

# --- formats -----------------------------------------------------------------------------------------

text() {
	local text
	look "text" shapes -q -f main.three -f main.uneven -f main.conditional -o "$T/out.text"
	text=$(< "$T/out.text")
	matches "text: calls" "$text" "main\.three: $(truth main.three .calls) calls in "
	matches "text: allocations, all alike" "$text" $'\nallocs/op +3\.00 +3 +3 +3 +3\n'
	matches "text: bytes" "$text" $'\nB/op +1,952\.00 +1,952 +1,952 +1,952 +1,952\n'
	matches "text: allocations that differ" "$text" \
		$'\nallocs/op +50\.00 '"+$(truth main.uneven '.of_objects | "\(.p50) +\(.p90) +\(.p99) +\(.max)"')"$'\n'
	matches "text: a third" "$text" $'\nallocs/op +0\.34 +0 +1 +1 +1\n'
	matches "text: the world stopped" "$text" $'\nGC: world stopped [0-9.]+ [a-z]+/op .*mark assists '
	matches "text: a site with its share" "$text" '1,024\.00 +52\.5 % +1\.00 +uint8 +main\.three \(shapes\.go:[0-9]+\)'
	matches "text: what is not counted" "$text" "goroutines that"
	matches "text: nothing lost" "$text" $'\nlost: +nothing\n'
	is "text: lines fit" "$(awk 'length > 100' "$T/out.text" | wc -l)" 0

	look "text, endings" endings -q -f main.sometimes -f main.leaving -o "$T/out.text"
	text=$(< "$T/out.text")
	matches "text: panics" "$text" "not matched[^"$'\n'"]*: $(truth main.sometimes .panics) panicked"
	matches "text: goroutines that exited" "$text" "not matched[^"$'\n'"]*: $(truth main.leaving .goexits) goroutines exited"
}

# parse_bench FILE: Go's benchmark format as its specification has it, as "NAME ITERATIONS ALLOCS BYTES" a line. Whatever
# is neither a result, configuration nor a comment is an error.
parse_bench() {
	awk '
	function bad(why) { print FILENAME ":" FNR ": " why ": " $0; exit 1 }
	/^Benchmark/ {
		if ($1 !~ /^Benchmark[^a-z]/) bad("no name")
		if ($2 !~ /^[1-9][0-9]*$/) bad("no iterations")
		if (NF < 4 || NF % 2) bad("not pairs of value and unit")
		split("", value)
		for (i = 3; i < NF; i += 2) {
			if ($i !~ /^[0-9]+(\.[0-9]+)?$/) bad("no number")
			if ($(i + 1) in value) bad("the same unit again")
			value[$(i + 1)] = $i
		}
		if (!("ns/op" in value)) bad("no time")
		print substr($1, 10), $2, value["allocs/op"], value["B/op"]
		next
	}
	/^[a-z][^ \t:A-Z]*:( |$)/ || /^#/ || /^[ \t]*$/ { next }
	{ bad("what is this") }' "$1"
}

# As the program would be benchmarked; the first letter of a benchmark's name can't be a small one.
expected() {
	jq -r '.ops[] | select(.func == ("main.three", "main.conditional")) |
		"\(.func | sub("^m"; "M")) \(.calls) \(.objects / .calls * 1e6 | round) \(.bytes / .calls * 1e6 | round)"' "$T/truth" | sort
}
# The same from what was written, all intervals together.
measured() {
	parse_bench "$1" > "$T/parsed" || { cat "$T/parsed"; return 1; }
	awk '{ n[$1] += $2; allocs[$1] += $2 * $3; bytes[$1] += $2 * $4 }
		END { for (f in n) printf "%s %d %.0f %.0f\n", f, n[f], allocs[f] / n[f] * 1e6, bytes[f] / n[f] * 1e6 }' "$T/parsed" | sort
}
bench() {
	local functions=(-f main.three -f main.conditional -d 1m) iterations
	look "bench" shapes -q "${functions[@]}" -o "$T/out.bench"
	is "bench: results" "$(measured "$T/out.bench")" "$(expected)"
	matches "bench: configuration" "$(< "$T/out.bench")" $'^goos: linux\ngoarch: amd64\n'
	look "bench, by its suffix" shapes -q "${functions[@]}" -o "$T/out.txt"
	is "bench: results, by the suffix" "$(measured "$T/out.txt")" "$(expected)"
	look "bench, by name" shapes -q "${functions[@]}" --format bench -o "$T/out"
	is "bench: results, by name" "$(measured "$T/out")" "$(expected)"
	# What is left at the end, if it is less than half an interval, is no result.
	look "bench, of a long time" spread -q -f main.spreadBytes -d 200ms -o "$T/long.bench"
	succeeds "bench: a result for each interval" [ "$(grep -c ^Benchmark "$T/long.bench")" -gt 1 ]
	iterations=$(parse_bench "$T/long.bench" | awk '{ n += $2 } END { print n }')
	succeeds "bench: no iteration is in two intervals" [ "$iterations" -le "$(truth main.spreadBytes .calls)" ]
	succeeds "bench: most are in one" [ $((iterations * 2)) -ge "$(truth main.spreadBytes .calls)" ]
}

collapsed() {
	look "collapsed" shapes -q -f main.recursing -o "$T/out.folded"
	is "collapsed: bytes" "$(awk '{ n += $NF } END { print n }' "$T/out.folded")" "$(truth main.recursing .bytes)"
	is "collapsed: from the function on" "$(grep -cvE '^main\.recursing(;main\.recursing)* [1-9][0-9]*$' "$T/out.folded")" 0
	is "collapsed: a stack for each depth" "$(wc -l < "$T/out.folded")" 11
	look "collapsed, objects" shapes -q -f main.recursing --value objects -o "$T/out.folded"
	is "collapsed: objects" "$(awk '{ n += $NF } END { print n }' "$T/out.folded")" "$(truth main.recursing .objects)"
}

compare() {
	local text
	look "compare" shapes -q --compare 'many=main.hundred,few=main.three' -o "$T/out.text"
	text=$(< "$T/out.text")
	matches "compare: the first" "$text" $'\nmany +main\.hundred +20 +100\.00 '
	matches "compare: the second" "$text" $'\nfew +main\.three +100 +3\.00 +1,952\.00 '
	matches "compare: the collector" "$text" $'\nGC of the whole run: [0-9]+ cycles? \([0-9.]+/s\)'
	is "compare: the bytes of the first" "$(awk '{ n += $NF } END { print n }' op-many.folded)" "$(truth main.hundred .bytes)"
	is "compare: the bytes of the second" "$(awk '{ n += $NF } END { print n }' op-few.folded)" "$(truth main.three .bytes)"
	look "compare, JSON" shapes -q --compare 'many=main.hundred,few=main.three' --folded "$T/x-" -o "$T/out.json"
	is "compare: labels" "$(jq -r '.ops[] | "\(.label)=\(.func)"' "$T/out.json" | paste -sd ' ')" "many=main.hundred few=main.three"
	succeeds "compare: files by --folded" [ -s "$T/x-many.folded" -a -s "$T/x-few.folded" ]
}

# Measured while it was recorded, and shown later.
recorded() {
	local f filters=(calls objects bytes distributions sites)
	timeout "$limit" "$gallop" record --mode exact -q --op main.three --op main.tiny --op main.ping --op main.uneven -d 0.1 \
		-o "$T/r.gallop" -- "$exe" shapes > "$T/all" 2> "$T/err"
	is "recorded: status" "$? $(< "$T/err")" "0 "
	jq -c '.ops |= map(select(.func == ("main.three", "main.tiny", "main.ping", "main.uneven")))' "$T/all" > "$T/truth"
	for f in op report; do
		timeout "$limit" "$gallop" $f "$T/r.gallop" --json -o "$T/json" 2> "$T/err"
		is "recorded, $f: status" "$? $(< "$T/err")" "0 "
		for filter in "${filters[@]}"; do nothing "recorded, $f: $filter" op_differences "${filter}_differ"; done
	done
}

calls_only() {
	look "--no-allocs" shapes -q --no-allocs -f main.hundred -o "$T/out.json"
	is "--no-allocs: calls and time" "$(jq '.ops[0] | .calls == 20 and .ns_per_op.mean > 0' "$T/out.json")" true
	is "--no-allocs: no allocations are told" "$(jq -c '.ops[0] | [.allocs_per_op, .bytes_per_op, .objects, .sites]' "$T/out.json")" \
		'[null,null,null,[]]'
	run op --mode exact --no-allocs -f main.hundred --dry-run -- "$exe" shapes
	is "--no-allocs: none are probed" "$status $(grep -c '^on_malloc' <<< "$out")" "0 0"
}

others() {
	run op --mode exact --strict -q -f main.none -o "$T/out.json" -- "$exe" shapes
	is "--strict: nothing is lost" "$status $err" "0 "
	run op --mode exact -q -f main.none -o "$T/out.json" -- "$exe" nothing
	is "the command's exit status" "$status" 2
	run op --mode exact -q -f 'main.p?ng' -f 'main.c*al' -o "$T/out.json" -- "$exe" shapes
	is "globs" "$status $(jq -r '.ops[].func' "$T/out.json" | sort | paste -sd ' ')" "0 main.conditional main.ping main.pong"
	run op --mode exact -q -f ways.notThere -f generic -o "$T/out.json" -- "$exe" ways
	is "one of two isn't there" "$status" 1
	run op --mode exact -q -f generic -o "$T/out.json" -- "$exe" ways
	is "the end of a name, for all shapes of a generic function" "$status $(jq '[.ops[].calls] | add' "$T/out.json")" "0 150"
	run op --mode exact -q -f inlinedToo -o "$T/out.json" -- "$exe" ways
	matches "a function that is inlined, too: a note" "$(jq -r '.meta.notes[]' "$T/out.json")" \
		"main\.inlinedToo is also inlined into 1 function"
	start_program "$exe" -wait shapes
	run op --mode exact -q -f main.none -p "$program" --duration 300ms -o "$T/out.json"
	is "--duration: status" "$status $err" "0 "
	is "--duration: none ended" "$(jq -c '.ops[0] | [.calls, .allocs_per_op, .ns_per_op]' "$T/out.json")" '[0,null,null]'
	succeeds "--duration: not probed any more" unprobed "$program"
	end_program
}

# --- what can't be measured --------------------------------------------------------------------------

# refuse WHAT STATUS REGEX HINT ARGS...: HINT may be empty, then there may be one or not.
refuse() {
	run op --mode exact "${@:5}" -o "$T/none.json" -- "$exe" ways
	refused "$1" "$2" "$3"
	[ -z "$4" ] || matches "$1: hint" "$(sed -n 's/^hint: //p' "$T/err")" "$4"
}
refusals() {
	refuse "no such function" 1 "no function is named 'main.nothingHere'" '' -f main.nothingHere
	refuse "no such function, but another" 1 "'main.manyExit'" 'main\.manyExits' -f main.manyExit
	refuse "inlined everywhere" 1 "'main.inlinedAlways' is inlined .*main\.callsInlined" 'go:noinline' -f main.inlinedAlways
	refuse "ambiguous" 2 "'grow' could be any of [0-9]+ functions: .*\.grow" 'more of its name' -f grow
	refuse "a glob that matches nothing" 1 "'main.zz\*'" '' -f 'main.zz*'
	refuse "assembly" 2 "'runtime\.memmove'.*assembly" '' -f runtime.memmove
	refuse "no frame" 2 "'main.leaf'.*frame" '' -f main.leaf
	refuse "never returns" 2 "'main.never'.*never returns" '' -f main.never
	refuse "no function" 2 "no function" '--compare' -q
	refuse "a label for several" 2 "'A' is one name for" '' --compare 'A=main.many*'
	refuse "a label twice" 2 "'A' is there twice" '' --compare 'A=main.huge,A=main.first'
	refuse "no label" 2 "LABEL=FUNC" '' --compare main.huge
	refuse "too many" 2 "at most 32 can be measured" '' -f 'runtime.*'
	run op -f main.one "$T/r.gallop"
	refused "a function of a recording" 2 "recording"
	run op --mode exact -q -f main.one -o "$T/none.json" -- /bin/true
	refused "no Go program" 3 "/bin/true"
	succeeds "nothing was written" [ ! -e "$T/none.json" ]
}

text
bench
collapsed
compare
recorded
calls_only
others
refusals
done_testing
