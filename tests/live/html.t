#!/bin/bash
# timeout: 300
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

record_demo
browser_start || { fail "a browser" "$(cat "$T/chromedriver.log")"; done_testing; }
totals
zoom
search
table
timeline
nothing "no complaint on the console" console
names
for width in 1280 400; do
	emulate $width 800 dark
	browse "$T/page.html"
	succeeds "$width pixels: nothing is wider" [ "$(js 'document.documentElement.scrollWidth')" -le $width ]
done
browser_stop
done_testing
