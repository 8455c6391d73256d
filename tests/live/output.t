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
load=$(go_program "$version" plain load)
small=$(go_program "$version" plain exit)
export LC_ALL=C

nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
report() { timeout "$limit" "$gallop" report "$T/r.gallop" "$@"; }
json() { jq -r "$1" "$T/json"; }

cp "$built" "$T/app"
timeout "$limit" "$gallop" record --mode exact -q -o "$T/r.gallop" -- "$T/app" > "$T/truth" 2> "$T/gallop.err" ||
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
	succeeds "text: all rows" report --top 0 -o "$T/all.txt"
	succeeds "text: all rows are more" [ "$(wc -l < "$T/all.txt")" -gt $(($(wc -l < "$T/text") + 100)) ]
	succeeds "text: with stacks" report --stacks --top 3 -o "$T/stacks.txt"
	matches "text: with stacks, their root" "$(< "$T/stacks.txt")" 'runtime\.main'
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

# What completion offers for -p, however long it takes: the limit that it sets itself isn't ours to meet.
pids_completed() {
	mkdir -p "$T/bin"
	ln -sf "$(realpath "$gallop")" "$T/bin/gallop"
	printf '#!/bin/sh\nshift\nexec "$@"\n' > "$T/bin/timeout"
	chmod +x "$T/bin/timeout"
	# shellcheck disable=SC2016 # another bash's
	PATH=$T/bin:$PATH bash -c '
		. <(gallop completion bash)
		COMP_WORDS=(gallop top -p "") COMP_CWORD=3
		_gallop
		echo " ${COMPREPLY[*]} "'
}

live_output() {
	local block
	start_program "$demo"
	timeout "$limit" "$gallop" top --mode exact -p "$program" --batch -d 0.3 -n 3 > "$T/top" 2> "$T/err"
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
	matches "completion: its pid" "$(pids_completed)" " $program "
	timeout "$limit" "$gallop" list --json > "$T/list.json" 2> "$T/err"
	is "list --json: the process" "$(jq -c ".[] | select(.pid == $program) | [.stripped, .main]" "$T/list.json")" \
		'[true,"gallop.test/demo"]'

	timeout "$limit" "$gallop" doctor -p "$program" > "$T/doctor" 2> "$T/err"
	is "doctor: status" $? 0
	matches "doctor: the Go version" "$(< "$T/doctor")" "Go version +go1\."
	matches "doctor: allocations" "$(< "$T/doctor")" "allocations +exact: [0-9]+ probes"

	timeout "$limit" "$gallop" record --mode exact -q -p "$program" --duration 500ms -o "$T/short.gallop"
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
	nobody timeout "$limit" "$T/gallop" record --mode exact --dry-run -- "$T/app" > "$T/plan" 2> "$T/err"
	is "dry run: status, by nobody" $? 0
	matches "dry run: the probe of mallocgc" "$(< "$T/plan")" "0x[0-9a-f]+ +0x[0-9a-f]+ +runtime\.mallocgc"
	nobody timeout "$limit" "$T/gallop" doctor --dry-run "$T/app" > "$T/plan2" 2> "$T/err"
	is "dry run: doctor's status, by nobody" $? 0
	matches "dry run: doctor's plan" "$(< "$T/plan2")" "runtime\.mallocgc"
	succeeds "dry run: it ran nothing" [ ! -s "$T/err" ]
}

# --- options of a live session -----------------------------------------------------------------------

# of NAME FILTER: of the recording $T/NAME.gallop as JSON.
of() { "$gallop" report "$T/$1.gallop" -f json --runtime-frames | jq -r "$2"; }

losses() {
	timeout "$limit" "$gallop" record --mode exact -q --max-sites 1 -o "$T/few.gallop" -- "$small" status 0
	is "--max-sites 1: status" $? 0
	succeeds "--max-sites 1: what has no place is lost" [ "$(of few .loss.sites_full)" -gt 0 ]
	is "--max-sites 1: and yet counted" "$(of few '.alloc.objects == .check.gallop_objects')" true
	timeout "$limit" "$gallop" record --mode exact -q --strict --max-sites 1 -o "$T/few.gallop" -- "$small" status 0
	is "--strict: something was lost" $? 6
	timeout "$limit" "$gallop" record --mode exact -q --strict --max-sites 1 -o "$T/few.gallop" -- "$small" status 3
	is "--strict: a failure of the command is told before" $? 3
	timeout "$limit" "$gallop" record --mode exact -q --strict -o "$T/all.gallop" -- "$small" status 0
	is "--strict: nothing was lost" $? 0
	"$gallop" report --strict "$T/few.gallop" > "$T/out"
	is "report --strict: something was lost" $? 6
	report --strict > "$T/out"
	is "report --strict: nothing was lost" $? 0
	"$gallop" gc --strict "$T/few.gallop" > "$T/out"
	is "gc --strict: something was lost" $? 6
}

sizes_and_depths() {
	local began=$SECONDS
	timeout "$limit" "$gallop" record --mode exact --max-size 300K -d 0.1 -p "$program" -o "$T/size.gallop" 2> "$T/err"
	is "--max-size: status" $? 0
	matches "--max-size: says so" "$(< "$T/err")" "recording ends here: .*size\.gallop"
	succeeds "--max-size: the file is not larger" [ "$(stat -c %s "$T/size.gallop")" -le $((300 * 1024)) ]
	succeeds "--max-size: there is something in it" [ "$(of size .alloc.objects)" -gt 0 ]
	succeeds "--max-size: it did not wait for the end" [ $((SECONDS - began)) -lt "$limit" ]

	timeout "$limit" "$gallop" record --mode exact -q --goroutines --stack-depth 4 --duration 1s -p "$program" -o "$T/deep.gallop"
	is "--goroutines --stack-depth: status" $? 0
	# The runtime allocates for itself too, on no goroutine.
	is "--goroutines: every site of the program's is of one" \
		"$(of deep '[.alloc.sites[] | select(any(.stack[]; .func | startswith("main.")) and .goid == null)] | length')" 0
	succeeds "--goroutines: several of them" [ "$(of deep '[.alloc.sites[].goid] | unique | length')" -gt 2 ]
	is "--stack-depth: no stack is deeper" \
		"$(of deep '[.alloc.sites[].stack | map(select(.inlined | not)) | length] | max')" 4
	succeeds "--stack-depth: a stack that was cut says so" [ "$(of deep '[.alloc.sites[] | select(.truncated)] | length')" -gt 0 ]
}

spans() {
	local whole head tail
	timeout "$limit" "$gallop" record --mode exact -q -d 0.2 --duration 1500ms -p "$program" -o "$T/span.gallop"
	is "--from and --to: status" $? 0
	whole=$(of span .alloc.objects)
	head=$("$gallop" report "$T/span.gallop" --json --to 700ms | jq .alloc.objects)
	tail=$("$gallop" report "$T/span.gallop" --json --from 700ms | jq .alloc.objects)
	is "--from and --to: two parts are the whole" $((head + tail)) "$whole"
	succeeds "--from and --to: both parts have something" [ "$head" -gt 0 -a "$tail" -gt 0 ]
	is "--from and --to: shorter" \
		"$("$gallop" report "$T/span.gallop" --json --from 400ms --to 1s | jq '.meta.duration_ns | . > 3e8 and . < 1e9')" true
	timeout "$limit" "$gallop" gc -q --duration 300ms --stacks --runtime-frames -p "$program" -o "$T/gc.txt"
	is "gc --duration: status" $? 0
	matches "gc --duration: the summary" "$(< "$T/gc.txt")" "check: "
}

summaries() { [ "$(grep -c '^gallop: allocations of' "$T/gallop.err")" = "$1" ]; }

snapshots() {
	start_gallop record --mode exact -p "$program" -o "$T/usr1.gallop" || fail "SIGUSR1: gallop is ready" "$(< "$T/gallop.err")"
	kill -USR1 "$tracer"
	succeeds "SIGUSR1: a summary" until_true summaries 1
	kill -USR1 "$tracer"
	succeeds "SIGUSR1: another" until_true summaries 2
	stop "$tracer"
	is "SIGUSR1: status" $? 0
	succeeds "SIGUSR1: one more at the end" summaries 3
	is "SIGUSR1: it recorded on" "$(of usr1 .meta.end_reason)" signal
}

# A result that can't be written leaves nothing, and what was made goes with a failure.
no_leftovers() {
	mkdir "$T/dir"
	timeout "$limit" "$gallop" gc -q -o "$T/dir/out.jsonl" -- /bin/true 2> "$T/err"
	is "gc of no Go program: status" $? 3
	timeout "$limit" "$gallop" gc -q -o "$T/dir/out.json" -- "$T/nothing" 2> "$T/err"
	is "gc of no command: status" $? 127
	is "gc that fails: nothing is left" "$(ls -A "$T/dir")" ""
	# shellcheck disable=SC2016 # the command's own
	timeout "$limit" "$gallop" gc -q -o "$T/dir/out.json" -- "$small" exec /bin/sh -c 'ls -l /proc/$$/fd' > "$T/fds"
	succeeds "gc: the command did run" grep -qF "$T/fds" "$T/fds"
	is "gc: its file is not the command's" "$(grep -cF "$T/dir" "$T/fds")" 0
	is "gc: what is left" "$(ls -A "$T/dir")" out.json
}

options() {
	start_program "$load" -goroutines 3 -rate 200
	losses
	sizes_and_depths
	spans
	snapshots
	no_leftovers
	exec {program_in}>&-
	wait_exit "$program"
	is "options: the program's status" $? 0
}

json_output
collapsed_output bytes
collapsed_output objects
text_output
places
live_output
dry_run
options
done_testing
