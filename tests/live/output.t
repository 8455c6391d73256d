#!/bin/bash
# timeout: 300
# What gallop prints, of a real recording: each format by its own rules, the same numbers in all, and
# none of it needs root or the executable once it is recorded.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq setpriv

version=${GALLOP_TEST_GO:-1.24}
built=$(go_program "$version" plain truth) || skip_all "$(tail -n 1 "$T/build.err")"
demo=$(go_program "$version" stripped demo)
export LC_ALL=C

nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
report() { timeout "$limit" "$gallop" report "$T/r.gallop" "$@"; }
json() { jq -r "$1" "$T/json"; }

cp "$built" "$T/app"
timeout "$limit" "$gallop" record -q -o "$T/r.gallop" -- "$T/app" > "$T/truth" 2> "$T/gallop.err" ||
	fail "recorded" "$(cat "$T/gallop.err")"
rm "$T/app"

# --- JSON --------------------------------------------------------------------------------------------

json_output() {
	succeeds "json: made" report -f json -o "$T/json"
	is "json: schema" "$(json .schema)" gallop/1
	is "json: the target" "$(json '.meta | "\(.mode) \(.comm) \(.exe)"')" "exact app $T/app"
	is "json: Go version" "$(json .meta.go_version)" "$(jq -r 'select(.go).go' "$T/truth")"
	succeeds "json: there is something in it" jq -e '.alloc.objects > 50000 and .alloc.bytes > 1000000' "$T/json"
	for part in sites types sizes; do
		is "json: $part sum up" "$(json "[.alloc.${part}[] | [.objects, .bytes]] | transpose | map(add) | join(\" \")")" \
			"$(json '[.alloc.objects, .alloc.bytes] | join(" ")')"
	done
	nothing "json: sites are complete" json '.alloc.sites[] | select((.type | type != "string") or .type == "" or
		.objects < 1 or .stack == [] or ([.stack[] | select(.func == "" or .file == "" or (.line | type != "number") or
		(.inlined | type != "boolean"))] != [])) | tojson'
	is "json: sites are sorted by bytes" "$(json '[.alloc.sites[].bytes] | . == (sort | reverse)')" true
	is "json: runtime frames at the leaf are cut" \
		"$(json '[.alloc.sites[] | select(any(.stack[]; .func | startswith("main."))) |
			select(.stack[0].func | startswith("runtime."))] | length')" 0
	succeeds "json: with runtime frames" report -f json --runtime-frames -o "$T/json.runtime"
	is "json: with runtime frames, every leaf is the probed function" \
		"$(jq '[.alloc.sites[] | select(.stack[0].func | startswith("runtime.mallocgc") | not)] | length' "$T/json.runtime")" 0
	succeeds "json: with runtime frames, stacks have their root" \
		jq -e '[.alloc.sites[].stack[-1].func] | index("runtime.goexit") != null' "$T/json.runtime"
	is "json: with runtime frames, the same total" "$(jq .alloc.bytes "$T/json.runtime")" "$(json .alloc.bytes)"
	is "json: nothing lost" "$(json .loss.total)" 0
	succeeds "json: the check is known and equal" jq -e '.check | .known and .runtime_objects == .gallop_objects' "$T/json"
}

# --- collapsed ---------------------------------------------------------------------------------------

collapsed_output() {
	local value=$1 f=$T/$1.folded
	succeeds "collapsed, $value: made" report -f collapsed --value "$value" -o "$f"
	succeeds "collapsed, $value: there are lines" [ "$(wc -l < "$f")" -gt 100 ]
	# Frames between semicolons, without blanks at their ends; one blank; a whole number.
	is "collapsed, $value: every line" \
		"$(grep -cvE '^[^; ]([^;]*[^; ])?(;[^; ]([^;]*[^; ])?)* [1-9][0-9]*$' "$f")" 0
	is "collapsed, $value: no blanks in a row, no control characters" "$(grep -c -e '  ' -e '[[:cntrl:]]' "$f")" 0
	is "collapsed, $value: no leaf that ends like a second count" "$(grep -cE '[ ][0-9.]+ [0-9]+$' "$f")" 0
	succeeds "collapsed, $value: sorted by bytes" sort -c "$f"
	is "collapsed, $value: each stack once" "$(sed 's/ [0-9]*$//' "$f" | sort | uniq -d | wc -l)" 0
	is "collapsed, $value: sums up" "$(awk '{ n += $NF } END { printf "%d", n }' "$f")" "$(json .alloc."$value")"
	succeeds "collapsed, $value: root first" grep -q '^runtime\.main;main\.main;' "$f"
	succeeds "collapsed, $value: a stack that was cut says so" grep -q '^\[truncated\];main\.(\*worker)\.deep;' "$f"
	succeeds "collapsed, $value: generic code" grep -qF 'main.newGeneric[...] ' "$f"
}

# --- text --------------------------------------------------------------------------------------------

text_output() {
	local text
	succeeds "text: made" report -o "$T/text"
	text=$(< "$T/text")
	matches "text: the target, its Go and the mode" "$text" "app .*go1\..*exact"
	matches "text: the total" "$text" "$(sed ':a; s/\B[0-9]\{3\}\>/,&/; ta' <<< "$(json .alloc.objects)") objects"
	matches "text: what was lost" "$text" $'\nlost: '
	matches "text: ends with the check" "$(tail -n 1 "$T/text")" \
		"^check: runtime counted ([0-9,]+) objects, gallop ([0-9,]+): 100\.000 %"
	is "text: the check's numbers are equal" "${BASH_REMATCH[1]:-none}" "${BASH_REMATCH[2]:-}"
	matches "text: a site with type and place" "$text" 'main\.[^ ]+ +[a-z]+\.go:[0-9]+'
	is "text: no escape codes in a file" "$(grep -c $'\033' "$T/text")" 0
	is "text: lines fit" "$(awk 'length > 200' "$T/text" | wc -l)" 0
	succeeds "text: all rows" report --top 0 -o "$T/text.all"
	succeeds "text: all rows are more" [ "$(wc -l < "$T/text.all")" -gt $(($(wc -l < "$T/text") + 100)) ]
	succeeds "text: with stacks" report --stacks --top 3 -o "$T/text.stacks"
	matches "text: with stacks, their root" "$(< "$T/text.stacks")" 'runtime\.main'
}

# --- anywhere ----------------------------------------------------------------------------------------

places() {
	cp "$gallop" "$T/gallop"
	chmod 644 "$T/r.gallop"
	nobody timeout "$limit" "$T/gallop" report "$T/r.gallop" -f json > "$T/json.nobody" 2> "$T/err"
	is "report: by nobody, without the executable: status" $? 0
	succeeds "report: by nobody: the same" cmp "$T/json" "$T/json.nobody"
	succeeds "report: the suffix chooses the format" report -o "$T/by-suffix.json"
	succeeds "report: the suffix chooses: json" cmp "$T/json" "$T/by-suffix.json"
	succeeds "report: the suffix chooses the format" report --value objects -o "$T/by-suffix.folded"
	succeeds "report: the suffix chooses: collapsed" cmp "$T/objects.folded" "$T/by-suffix.folded"
	report -f json -o - > "$T/stdout" 2> "$T/err"
	succeeds "report: '-' is standard output" cmp "$T/json" "$T/stdout"
	is "report: says nothing else" "$(< "$T/err")" ""
	report -f json 2> /dev/null | head -c 100 > "$T/head"
	is "report: into a closed pipe ends quietly" "$(wc -c < "$T/head")" 100
}

# --- a running process -------------------------------------------------------------------------------

live_output() {
	local block
	start_program "$demo"
	timeout "$limit" "$gallop" top -p "$program" --batch -d 0.3 -n 3 > "$T/top" 2> "$T/err"
	is "top: status" $? 0
	is "top: three blocks" "$(grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]+' "$T/top")" 3
	is "top: a header in each" "$(grep -c 'ALLOC/S.*FUNCTION' "$T/top")" 3
	is "top: a footer in each" "$(grep -c '^lost: ' "$T/top")" 3
	is "top: no escape codes" "$(grep -c $'\033' "$T/top")" 0
	for block in 'main\.newOrder' 'main\.\(\*Index\)\.Rebuild' 'main\.\(\*Journal\)\.Write'; do
		succeeds "top: the demo's ${block//\\/}" grep -qE "$block" "$T/top"
	done

	timeout "$limit" "$gallop" list > "$T/list" 2> "$T/err"
	is "list: status" $? 0
	matches "list: the process" "$(grep -w "^ *$program" "$T/list")" "demo.*go1\..*stripped.*exact"
	timeout "$limit" "$gallop" list --json > "$T/list.json" 2> "$T/err"
	is "list --json: the process" "$(jq -c ".[] | select(.pid == $program) | [.stripped, .main]" "$T/list.json")" \
		'[true,"gallop.test/demo"]'

	timeout "$limit" "$gallop" doctor -p "$program" > "$T/doctor" 2> "$T/err"
	is "doctor: status" $? 0
	matches "doctor: the Go version" "$(< "$T/doctor")" "Go version +go1\."
	matches "doctor: allocations" "$(< "$T/doctor")" "allocations +exact: [0-9]+ probes"

	timeout "$limit" "$gallop" record -q -p "$program" --duration 500ms -o "$T/short.gallop"
	is "record --duration: status" $? 0
	"$gallop" report "$T/short.gallop" -f json -o "$T/short.json"
	succeeds "record --duration: as long as that" jq -e \
		'.meta | .end_reason == "duration" and .duration_ns >= 500e6 and .duration_ns < 2e9' "$T/short.json"
	succeeds "record --duration: nothing is left attached" unprobed "$program"
	kill "$program"
}

dry_run() {
	chmod 755 "$T"
	cp "$built" "$T/app"
	nobody timeout "$limit" "$T/gallop" record --dry-run -- "$T/app" > "$T/plan" 2> "$T/err"
	is "dry run: status, by nobody" $? 0
	matches "dry run: the probe of mallocgc" "$(< "$T/plan")" "0x[0-9a-f]+ +0x[0-9a-f]+ +runtime\.mallocgc"
	nobody timeout "$limit" "$T/gallop" doctor --dry-run "$T/app" > "$T/plan2" 2> "$T/err"
	is "dry run: doctor's status, by nobody" $? 0
	matches "dry run: doctor's plan" "$(< "$T/plan2")" "runtime\.mallocgc"
	succeeds "dry run: it ran nothing" [ ! -s "$T/err" ]
}

json_output
collapsed_output bytes
collapsed_output objects
text_output
places
live_output
dry_run
done_testing
