#!/bin/bash
# timeout: 300
# A difference of two recordings is what the program says that it is: of one that does the same with more allocations,
# by call and in total, exactly where all is counted; where it is estimated, two runs that are alike pass for alike.
#
# GALLOP_TEST_GO chooses other versions.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq

# record NAME OPTIONS... -- PROGRAM ARGS...: into $T/NAME.gallop, what the program says into $T/NAME.truth.
record() {
	local name=$1
	shift
	timeout "$limit" "$gallop" record -q -o "$T/$name.gallop" "$@" > "$T/$name.truth" 2> "$T/gallop.err"
	is "$name: recorded" "$? $(< "$T/gallop.err")" "0 "
}

# compare NAME BEFORE AFTER OPTIONS...: the difference as JSON in $T/json; sets status, out and err.
compare() {
	local before=$2 after=$3
	run diff "$T/$before.gallop" "$T/$after.gallop" "${@:4}" -f json
	cp "$T/out" "$T/json"
	out=
}

# total MEASURE: its three numbers, to the sixth digit.
total() { jq -c ".diff.totals.$1 | [.before, .after, .change | . * 1e6 | round]" "$T/json"; }

# truth NAME MEMBER: what the program says.
truth() { jq ".$2" "$T/$1.truth"; }

# says MEMBER BEFORE AFTER: what both programs say, as total() does.
says() { jq -cs "[.[0].$1, .[1].$1, .[1].$1 - .[0].$1 | . * 1e6 | round]" "$T/$2.truth" "$T/$3.truth"; }

exact() {
	local name="go $1" calls_after
	record "once" --mode exact --op main.handle -- "$2" 1000
	record "twice" --mode exact --op main.handle -- "$2" -twice 1500
	record "moved" --mode exact --op main.handle -- "$3" -twice 1500

	compare "$name" once twice --per op:handle
	is "$name: by call: status" "$status $err" "0 "
	is "$name: by call: bytes" "$(total alloc_space)" "$(says bytes once twice)"
	is "$name: by call: objects" "$(total alloc_objects)" "$(says objects once twice)"
	is "$name: by call: the site that is new" \
		"$(jq -c '[.diff.sites[] | select(.alloc_objects.change == 1) | .before, .after.stack[0].func]' "$T/json")" '[null,"main.copyOf"]'
	is "$name: by call: no other site has changed by an object" \
		"$(jq '[.diff.sites[] | select(.alloc_objects.change > 0.5)] | length' "$T/json")" 1

	compare "$name" once twice --per total
	is "$name: in total: cycles" "$(total cycles)" "$(says cycles once twice)"
	is "$name: in total: deletes" "$(total deletes)" "$(says calls once twice)"
	case $1 in 1.1* | 1.21) ;; *) is "$name: in total: pauses" "$(total pause)" "$(says pause once twice)" ;; esac
	# A call assigns once, or also the copy.
	calls_after=$(truth twice calls)
	is "$name: in total: assigns at the place" \
		"$(jq -c '[.diff.maps[] | select((.before // .after).stack[0].func == "main.handle") | .assigns.change] | add' "$T/json")" \
		"$((2 * calls_after - $(truth once calls)))"

	# Another build, in which all lines are others.
	compare "$name" twice moved --per op:handle
	is "$name: lines that moved: not the same build" "$(jq .diff.same_build "$T/json")" false
	is "$name: lines that moved: all sites are matched" \
		"$(jq -c '[.diff.sites[] | select(.before == null or .after == null)]' "$T/json")" '[]'
	is "$name: lines that moved: they have" \
		"$(jq -c '[.diff.sites[] | select(.alloc_objects.before >= 1) | .after.stack[0].line - .before.stack[0].line] | unique' "$T/json")" '[25]'
	is "$name: lines that moved: nothing else has" "$(total alloc_objects)" "$(says objects twice moved)"

	# For CI.
	run diff "$T/once.gallop" "$T/twice.gallop" --per op:handle --fail-if 'alloc_space>+5%' --fail-if 'alloc_objects>+10'
	is "$name: --fail-if: status" $status 1
	matches "$name: --fail-if: what failed" "$err" "failed: alloc_space>\+5%: "
	matches "$name: --fail-if: whose fault it is" "$err" "main.copyOf"
	is "$name: --fail-if: what didn't isn't told" "$(grep -c alloc_objects <<< "$err")" 0
	run diff "$T/twice.gallop" "$T/moved.gallop" --per op:handle --fail-if 'alloc_objects>+1%' --fail-if 'alloc_objects<-1%'
	is "$name: --fail-if: nothing has changed" "$status $err" "0 "

	# Two columns.
	run diff "$T/once.gallop" "$T/twice.gallop" --per op:handle -f collapsed --value objects
	is "$name: collapsed: each line has two counts" "$(grep -cvE '^[^ ].*[^ ] [0-9]+ [0-9]+$' <<< "$out")" 0
	is "$name: collapsed: of as many calls" "$(grep 'main.copyOf' <<< "$out")" "main.handle;main.copyOf 0 $calls_after"
	is "$name: collapsed: sorted" "$(LC_ALL=C sort <<< "$out")" "$out"
}

# site FUNC FILTER: of the one row of a function.
site() { jq "[.diff.sites[] | select((.before // .after).stack[0].func == \"$1\") | .alloc_space] | if length == 1 then .[0] | $2 else . end" "$T/json"; }

# The work is given, so totals are known; where it is done is estimated from the runtime's samples.
estimated() {
	local name="go $1, auto" copied ci95
	record "first" -- "$2" -sleep 1ms 60000
	record "second" -- "$2" -sleep 1ms 60000
	record "more" -- "$2" -twice -sleep 1ms 60000

	compare "$name" first second --per total --fail-if 'alloc_space>+5%' --fail-if 'alloc_objects>+5%'
	is "$name: two runs that are alike pass for alike" "$status $err" "0 "
	is "$name: a site has its interval, which holds no change" \
		"$(site main.newOrder '.change_ci95 > 0 and (.change | fabs) < 3 * .change_ci95')" true
	"$gallop" report "$T/first.gallop" -f json > "$T/first.json"
	is "$name: a site is what it is in a report" "$(site main.newOrder .before)" \
		"$(jq '[.alloc.sites[] | select(.stack[0].func == "main.newOrder") | .bytes] | add' "$T/first.json")"

	compare "$name" first more --per total --fail-if 'alloc_objects>+40%' --fail-if 'alloc_objects>+60%'
	is "$name: half as many objects more: status" "$status" 1
	matches "$name: half as many objects more: the first limit" "$err" "failed: alloc_objects>\+40%: "
	is "$name: half as many objects more: the second one is kept" "$(grep -c '60%' <<< "$err")" 0
	copied=$(jq -s '60000 * (.[1].bytes - .[0].bytes)' "$T/first.truth" "$T/more.truth")
	# It may have escaped before, so how sure the change is nobody can tell; how sure its size is is known.
	"$gallop" report "$T/more.gallop" -f json > "$T/more.json"
	ci95=$(jq '[.alloc.sites[] | select(.stack[0].func == "main.copyOf") | .bytes_ci95] | add' "$T/more.json")
	is "$name: the site that is new is as large as the program says, by its interval" \
		"$(site main.copyOf ".before == 0 and .change_ci95 == null and (.change - $copied | fabs) < 3 * $ci95")" true
}

# What can't be compared is refused, and says why.
refusals() {
	run diff "$T/once.gallop"
	refused "one recording" 2 "two recordings are needed: BEFORE AFTER"
	run diff "$T/once.gallop" "$T/twice.gallop" "$T/once.gallop"
	refused "three recordings" 2 "BEFORE AFTER only"
	run diff "$T/once.gallop" "$T/nothing.gallop"
	refused "no such file" 1 "nothing.gallop"
	run diff "$T/once.gallop" "$T/first.gallop" --per op:main.handle
	refused "no operations on one side" 1 "first.gallop.: no operations were measured"
	run diff "$T/once.gallop" "$T/twice.gallop" --per op:main.other
	refused "another operation" 1 "no such operation was measured"
	matches "another operation: those that were" "$err" "it has main.handle"
	run diff "$T/once.gallop" "$T/twice.gallop" --per minute
	refused "--per" 2 "takes second, total or op:FUNC"
	run diff "$T/once.gallop" "$T/twice.gallop" --fail-if 'alloc_spce>+5%'
	refused "--fail-if with a typo" 2 "no such measure"
	matches "--fail-if with a typo: the grammar" "$err" "hint: MEASURE>CHANGE"
	run diff "$T/once.gallop" "$T/twice.gallop" --fail-if 'op_time>+5%'
	refused "--fail-if of what isn't known" 1 "can't be judged"
	run diff "$T/once.gallop" "$T/twice.gallop" --json -f text
	refused "--json and another format" 2 "contradict each other"
	run diff "$T/once.gallop" "$T/twice.gallop" -f jsonl
	refused "a format that it has not" 2 "no format jsonl"
	run diff "$T/once.gallop" "$T/twice.gallop" -o "$T/once.gallop"
	refused "-o over a recording" 2 "is the name of a recording"
	run diff "$T/once.gallop" "$T/twice.gallop" --strict
	is "--strict: nothing was lost" "$status" 0
	run diff "$T/once.gallop" "$T/twice.gallop" -o "$T/diff.folded"
	is "-o: the suffix chooses" "$status $out $(grep -c ';main.copyOf 0 ' "$T/diff.folded")" "0  1"
}

# A copy of the program in a module of its own, in which lines have moved.
move_lines() {
	mkdir -p "$T/moved/difftruth"
	cp "$top/tests/go/go.mod" "$T/moved/"
	{ sed -n '1,/^package/p' "$top/tests/go/difftruth/main.go"
		yes '//' | head -n 25
		sed '1,/^package/d' "$top/tests/go/difftruth/main.go"; } > "$T/moved/difftruth/main.go"
}

move_lines
for version in ${GALLOP_TEST_GO:-1.27}; do
	if ! exe=$(go_program "$version" plain difftruth); then
		skip "go $version" "$(tail -n 1 "$T/build.err")"
		continue
	fi
	moved=$("$top/tools/go-build" "$version" plain "$T/moved/difftruth") || { fail "go $version: it can be built"; continue; }
	exact "$version" "$exe" "$moved"
	sampled=$("$top/tools/go-build" "$version" pprof "$top/tests/go/difftruth") && estimated "$version" "$sampled"
	refusals
done
done_testing
