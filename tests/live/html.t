#!/bin/bash
# timeout: 600
# The HTML flame graph, in a browser: what it shows after real clicks, keys and drags is what the JSON of the same
# recording says; names stay text, whatever they are.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
# shellcheck source=browser.bash source-path=SCRIPTDIR
. "$(dirname "$0")/browser.bash"
need_root
need_gallop
need_tools jq curl sqlite3 chromium chromedriver base64

demo=$(go_program "${GALLOP_TEST_GO:-1.24}" stripped demo) || skip_all "$(tail -n 1 "$T/build.err")"
export LC_ALL=C
O=${O:-build}

make -s -C "$top" "O=$O" "$O/tests/live/html_stacks" >&2 || { echo "Bail out! cannot build"; exit 99; }
case $O in /*) stacks=$O ;; *) stacks=$top/$O ;; esac
stacks=$stacks/tests/live/html_stacks

report() { timeout "$limit" "$gallop" report "$@"; }
json() { jq -r "$1" "$T/json"; }

record_demo() {
	start_program "$demo"
	timeout "$limit" "$gallop" record -q -p "$program" --mode exact -d 0.3 --duration 3s -o "$T/r.gallop" ||
		fail "recorded" "$(< "$T/err")"
	kill "$program"
	report "$T/r.gallop" -f json -o "$T/json"
	succeeds "made" report "$T/r.gallop" -o "$T/page.html"
}

# Of the status: the name, and the whole number behind the rounded one.
shown_name() { text_of status | sed 's/^[^:]*: \(.*\), total .*/\1/'; }
shown_total() { text_of status | sed 's/.*, total [^;]*(\([0-9,]*\) B).*/\1/; s/,//g'; }
shown_objects() { text_of status | sed 's/.*, total \([0-9,]*\), .*/\1/; s/,//g'; }
matched_total() { text_of matched | sed 's/.*(\([0-9,]*\) B).*/\1/; s/,//g'; }

# data FILTER: of what is in a page.
data() { sed -n '/<script type="application\/json"/,/<\/script>/p' "$T/page.html" | sed '1d;$d' | jq -r "$1"; }

# The names of what stands leftmost in rows 1 and 2: the largest child of all, and the largest of that.
largest='def by(f): group_by(f) | map({name: .[0] | f, sum: map(.bytes) | add, sites: .}) | max_by(.sum);
	(.alloc.sites | map(. + {path: (([.stack[].func] | reverse) + [.type])}) | by(.path[0])) as $one |
	($one.sites | by(.path[1]))'

totals() {
	browse "$T/page.html"
	is "it loads nothing" "$(js 'performance.getEntriesByType("resource").length')" 0
	is "all: bytes" "$(shown_total)" "$(json .alloc.bytes)"
	matches "the footer: losses" "$(text_of footer)" "lost:  nothing"
	matches "the footer: the check" "$(text_of footer)" "check: runtime counted"
	matches "the target" "$(text_of target)" "^demo.*pid $program.*go1.*exact"
	js 'document.getElementById("value").value = [...document.getElementById("value").options].findIndex(o => o.text == "Objects allocated"),
		document.getElementById("value").dispatchEvent(new Event("change"))' > "$T/out"
	is "all: objects" "$(shown_objects)" "$(json .alloc.objects)"
}

zoom() {
	browse "$T/page.html"
	click icicle
	is "icicle: pressed" "$(js 'document.getElementById("icicle").getAttribute("aria-pressed")')" true
	click flame 10 45
	is "a click: the frame's name" "$(shown_name)" "$(json "$largest.name")"
	is "a click: its bytes" "$(shown_total)" "$(json "$largest.sum")"
	keys 0
	is "0: all again" "$(shown_name) $(shown_total)" "all $(json .alloc.bytes)"
	pointer flame 'move($x + 10; $y + 45)'
	matches "the pointer: what is below it" "$(text_of tip)" "$(json "$largest.sum" | sed ':a; s/\B[0-9]\{3\}\>/,&/; ta') B"
	keys yl
	is "no types, lines: as much" "$(shown_total)" "$(json .alloc.bytes)"
}

found='[.alloc.sites[] | select(any(.stack[].func, .type; test("rebuild|order$"; "i")))] | map(.bytes) | add'

search() {
	browse "$T/page.html"
	keys /
	keys 'Rebuild|order$'
	is "search: what matches, each byte once" "$(matched_total)" "$(json "$found")"
	keys $'\xee\x80\x87'	# Enter
	matches "search: Enter shows one" "$(shown_name)" '[Rr]ebuild|[Oo]rder$'
	keys $'\xee\x80\x8c'	# Escape
	is "Escape: no search" "$(js 'document.getElementById("matched").hidden')" true
	click search
	keys '['
	is "search: no regular expression" "$(js 'document.getElementById("search").className')" bad
}

table() {
	browse "$T/page.html"
	click table
	is "table: the function with most of its own" "$(js 'document.querySelector("#tbody td.name").textContent')" \
		"$(json '.alloc.functions | max_by(.flat_bytes).func')"
	is "table: all of them" "$(js 'document.querySelectorAll("#tbody tr").length')" \
		"$(json '[.alloc.functions[].func] | unique | length')"
	js 'document.querySelector("[data-by=total]").click()' > "$T/out"
	is "table: by total" "$(js 'document.querySelector("#tbody td.name").textContent' | jq -R --slurpfile j "$T/json" \
		'. as $name | $j[0].alloc.functions | (map(.cum_bytes) | max) - (.[] | select(.func == $name).cum_bytes)')" 0
}

# Over the first three parts of the time, and back.
timeline() {
	local nr to_ms
	browse "$T/page.html"
	nr=$(data '.slices | length')
	succeeds "time: there are parts" [ "$nr" -ge 4 ]
	is "time: parts are the whole" "$(data '[.slices[].values.bytes | [.[range(1; length; 2)]] | add] | add')" "$(json .alloc.bytes)"
	to_ms=$(data '.slices[2].to_ns / 1e6 | round')
	pointer strip "move(\$x + 3; \$y + 20), down, move(\$x + 40; \$y + 20),
		move(\$x + ($(data '(.slices[2].to_ns + .slices[2].from_ns) / 2 / .about.duration_ns') * \$w | floor); \$y + 30), up"
	is "time: a drag shows what was then" "$(shown_total)" "$(report "$T/r.gallop" -f json --to "${to_ms}ms" | jq .alloc.bytes)"
	matches "time: it says so" "$(text_of strip-note)" "^Shown: 0 s to "
	keys $'\xee\x80\x8c'
	is "time: Escape shows all of it" "$(shown_total)" "$(json .alloc.bytes)"
}

evil='</script><img src=x onerror="window.pwned=1"><b>&amp;'

names() {
	cp "$T/r.gallop" "$T/evil.gallop"
	sqlite3 "$T/evil.gallop" "UPDATE function SET name = '$evil' WHERE name = 'main.newOrder';
		UPDATE function SET file = '$evil' WHERE name = 'main.encodeOrder'; UPDATE type SET name = '<script>window.pwned=1</script>' WHERE name = 'main.Item';
		UPDATE meta SET value = '$evil' WHERE key IN ('comm', 'exe', 'go_version');"
	succeeds "a name that would be HTML: made" report "$T/evil.gallop" -o "$T/evil.html"
	is "a name that would be HTML: is in no line as it is" "$(grep -c '<img' "$T/evil.html")" 0
	browse "$T/evil.html"
	is "a name that would be HTML: bytes" "$(shown_total)" "$(json .alloc.bytes)"
	matches "a name that would be HTML: is text in the title" "$(text_of target)" "^</script><img src=x"
	keys /
	keys '^</script>'
	succeeds "a name that would be HTML: is found" [ "$(matched_total)" -gt 0 ]
	keys $'\xee\x80\x87'
	is "a name that would be HTML: is text" "$(shown_name)" "$evil"
	click table
	is "a name that would be HTML: is text in the table" "$(js 'document.querySelector("#tbody td.name").textContent')" "$evil"
	pointer flame 'move($x + 10; $y + 10)'
	is "a name that would be HTML: made nothing" "$(js 'window.pwned + " " + document.images.length + " " + document.scripts.length')" \
		"undefined 0 2"
	is "no other script runs" "$(js '(() => { const b = document.createElement("b"); b.setAttribute("onclick", "window.pwned=1");
		document.body.append(b); b.click(); return String(window.pwned); })()')" undefined
}

# --- pages of data that no program makes at will ----------------------------------------------------

# page_of DATA: the page of a recording with other data in it.
page_of() {
	{
		sed '/<script type="application\/json"/q' "$T/page.html"
		echo "$1"
		sed '1,/<script type="application\/json"/d' "$T/page.html" | sed -n '/^<\/script>/,$p'
	} > "$T/made.html"
	browse "$T/made.html"
}

about='{"target": "made", "exe": "", "version": "", "when": "", "duration_ns": 4000000000, "sampled": false, "lost": 0, "complete": true, "lines": ""}'
no_gc='"gc": {"cycles": [], "stops": [], "cycles_left_out": 0, "stops_left_out": 0}'
bytes='"key": "bytes", "name": "Bytes allocated", "unit": "B", "of": "allocations", "flow": true, "first": true'

# main.f calls main.g, and allocates objects of 30 types, whose names are before those of functions. A type's sum is one more
# than its number.
few_frames() {
	local n
	page_of "$(jq -nc --argjson about "$about" "{about: \$about, values: [{$bytes, cells: [0, 100, 0, (range(30) | (1, . + 1, 0))]}], slices: [], $no_gc,
		nodes: [0, 1, 1, 2, 2, 3], sites: [3, 0, (range(30) | (2, .))], frames: [30, 33, 1, 0, 31, 33, 2, 0, 32, 33, 3, 0],
		strings: ([range(30) | \"T\\(.)\"] + [\"main.main\", \"main.f\", \"main.g\", \"main.go\"])}")"
	click table
	is "few frames, many types: a function has its own alone" \
		"$(js '[...document.querySelectorAll("#tbody tr")].map(tr => tr.cells[4].textContent + " " + tr.cells[2].textContent).sort().join("; ")')" \
		"main.f 565 B; main.g 100 B; main.main 565 B"
	for n in 0 7 20 29; do
		keys /
		js "document.getElementById('search').value = '^T$n\$', document.getElementById('search').dispatchEvent(new Event('input'))" > "$T/out"
		matches "few frames, many types: T$n is a frame" "$(text_of matched)" "Matched: $([ $n = 0 ] && echo 101 || echo $((n + 1))) B,.* in [12] frame"
	done
	nothing "few frames, many types: no complaint" console
}

# 10 s after, 1 s before: 1000 B +- 100 B are 100 B +- 10 B a second.
difference() {
	page_of "$(jq -nc --argjson about "$about" "{about: (\$about | .sampled = true), before: \$about, values: [{$bytes, cells: [0, 1000, 100], before: [0, 200]}],
		diff: {before_over: 1, after_over: 10, per: \"a second\", before_name: \"a\", after_name: \"b\"}, slices: [], $no_gc,
		nodes: [0, 1], sites: [1, 1], frames: [0, 2, 1, 0], strings: [\"main.main\", \"T\", \"main.go\"]}")"
	keys /
	keys $'main\xee\x80\x87'
	matches "a difference: an interval is of the same time as its value" "$(text_of status)" "total 100 B a second.* interval: [+]-10 B a second"
}

# A stop of the world and a heap whose mark is its largest, but nothing that happened.
idle() {
	page_of "$(jq -nc --argjson about "$about" "{about: \$about, values: [{$bytes, cells: []}], gc: {cycles: [[0, 1000000000, 100, 0, 900, 0, 0, 0, \"heap\"]], stops: [],
		cycles_left_out: 0, stops_left_out: 0}, slices: [range(4) | {from_ns: (. * 1e9), to_ns: ((. + 1) * 1e9), values: {bytes: []}}],
		nodes: [], sites: [], frames: [], strings: []}")"
	matches "idle: says so" "$(text_of strip-note)" "^No filter by time: nothing in it happened"
	matches "idle: the strip has room for the marked heap" "$(text_of strip-note)" "line: live heap, dashes: its goal, 900 B at most"
	pointer strip 'move($x + 20; $y + 20), down, move($x + 200; $y + 20), up, move($x + 90; $y + 30)'
	keys tiyl0
	nothing "idle: no complaint" console
}

# What a command is about stands first, unless another is asked for.
first_shown() { browse "$T/first.html"; js 'document.getElementById("value").selectedOptions[0].text'; }

first_values() {
	"$gallop" maps "$T/r.gallop" -o "$T/first.html" 2> "$T/err" || fail "maps: a page" "$(< "$T/err")"
	matches "maps: what was done to them is first" "$(first_shown)" "^Map "
	matches "maps: who has a choice of time" "$(text_of strip-note)" "No filter by time: a page that 'gallop report' makes"
	"$gallop" maps "$T/r.gallop" --value bytes -o "$T/first.html" 2> "$T/err" || fail "maps --value: a page" "$(< "$T/err")"
	is "maps --value bytes" "$(first_shown)" "Bytes allocated"
	"$gallop" gc "$T/r.gallop" -o "$T/first.html" 2> "$T/err" || fail "gc: a page" "$(< "$T/err")"
	matches "gc: what it cost is first" "$(first_shown)" "^Time "
	report "$T/r.gallop" -o "$T/first.html" 2> "$T/err" || fail "report: a page" "$(< "$T/err")"
	is "report: bytes are first" "$(first_shown)" "Bytes allocated"
}

# Why there are no parts: too short, or more sites than are read again for each.
no_parts() {
	report "$T/r.gallop" --to 700ms -o "$T/first.html" 2> "$T/err"
	browse "$T/first.html"
	matches "no parts: too short" "$(text_of strip-note)" "No filter by time: parts are 500 ms long at least"
	"$stacks" "$T/many.gallop" 200000 3
	report "$T/many.gallop" -o "$T/first.html" 2> "$T/err"
	browse "$T/first.html"
	matches "no parts: too many sites" "$(text_of strip-note)" "No filter by time: there are too many sites .*--from and --to"
}

# Its reader waits until the whole has been read, and its writer for the reader: in between parts can't be read any more.
failed_part() {
	local reader rc
	"$stacks" "$T/gone.gallop" 20000 5
	mkfifo "$T/fifo"
	report "$T/gone.gallop" -f html -o "$T/fifo" 2> "$T/err" &
	ours $!
	exec {reader}< "$T/fifo"
	: > "$T/gone.gallop"
	cat <&"$reader" > "$T/out"
	exec {reader}<&-
	wait $!
	rc=$?
	is "a part that can't be read: status" "$rc" 1
	matches "a part that can't be read: is told" "$(< "$T/err")" "gone.gallop"
	succeeds "a part that can't be read: isn't told of the output" [ "$(grep -c 'cannot write' "$T/err")" = 0 ]
}

record_demo
browser_start || { fail "a browser" "$(cat "$T/chromedriver.log")"; done_testing; }
totals
zoom
search
table
timeline
nothing "no complaint on the console" console
names
console > "$T/out"	# what was kept from running
few_frames
difference
idle
first_values
no_parts
failed_part
for width in 1280 400; do
	emulate $width 800 dark
	browse "$T/page.html"
	succeeds "$width pixels: nothing is wider" [ "$(js 'document.documentElement.scrollWidth')" -le $width ]
done
browser_stop
done_testing
