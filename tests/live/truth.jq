# How a recording of tests/go/truth (as JSON, $g[0]; with --runtime-frames, $r[0]) disagrees with what
# that program says ($t[0], and the last word $t[1]). Each function gives strings, one for each
# difference; nothing if all is equal.
#
#   jq -nr --slurpfile t TRUTH --slurpfile g JSON --slurpfile r JSON "$(< truth.jq) sites_differ"

def g: $g[0];
def t: $t[0];
def final: $t[1].final;

# The program numbers its calls of ReadMemStats from its start; a tracer that attached to it later has
# seen only those since then.
def mark($n): [g.marks[] | select(.reason == "ReadMemStats")][$n - t.at_ready];

def differ($what; $got; $want):
	if $got == $want then empty else "\($what): gallop has \($got), the program says \($want)" end;

# --- objects and bytes between two marks ----------------------------------------------------------

def grown($p; f): (mark($p.to) | f) - (mark($p.from) | f);

def objects_differ: t.phases[] | differ("objects of phase '\(.name)'"; grown(.; .gallop_objects); .mallocs);

# TotalAlloc is comparable where there are no tiny objects: those count 16 bytes for each block they
# share, but gallop counts the bytes that were asked for.
def bytes_differ:
	t.phases[] | select(.no_tiny) | differ("bytes of phase '\(.name)'"; grown(.; .gallop_bytes); .total_alloc);

# At every mark both have counted the same: since the first instruction, or since the first mark that
# an attached tracer saw.
def marks_differ:
	[g.marks[] | select(.reason == "ReadMemStats")] as $marks
	| (if t.at_ready > 0 then $marks[0] else {runtime_objects: 0, gallop_objects: 0} end) as $zero
	| differ("number of marks"; $marks | length; final.mark + 1 - t.at_ready),
	  ($marks | to_entries[]
	   | differ("mark \(.key)"; .value.gallop_objects - $zero.gallop_objects;
	            .value.runtime_objects - $zero.runtime_objects));

# --- the whole run, by size class -----------------------------------------------------------------

def by_slot($kind): [g.alloc.sizes[] | select(.kind == $kind)];
def of_slot($size): [by_slot("small")[] | select(.slot_size == $size) | .objects] | add // 0;
def tiny: by_slot("tiny")[0] // {objects: 0, bytes: 0};

# A block of tiny objects is one of the runtime's objects of 16 bytes. What is in no way tiny: the
# number of these blocks is then known, and must be able to hold them.
def tiny_blocks: ([final.by_size[] | select(.size == 16) | .mallocs] | add) - of_slot(16);

def sizes_differ:
	differ("objects after the program's last word"; g.alloc.objects; mark(final.mark).gallop_objects),
	(final.by_size[] | select(.size != 16) | differ("objects of \(.size) bytes"; of_slot(.size); .mallocs)),
	(if tiny_blocks * 16 < tiny.bytes or tiny_blocks > tiny.objects or tiny.objects == 0
	 then "\(tiny.objects) tiny objects of \(tiny.bytes) bytes in \(tiny_blocks) blocks" else empty end),
	differ("bytes of the whole run"; g.alloc.bytes - tiny.bytes + 16 * tiny_blocks; final.total_alloc),
	differ("bytes of all sizes"; [g.alloc.sizes[].bytes] | add; g.alloc.bytes),
	differ("objects of all sizes"; [g.alloc.sizes[].objects] | add; g.alloc.objects);

# --- sites ----------------------------------------------------------------------------------------

# A walk ends after 128 calls, some of them the runtime's, which are not shown: of deeper stacks the
# first 110 frames must be equal and the cut must be said.
def deep: 128;
def seen: 110;

def frames: map("\(.func) \(.file):\(.line)\(if .inlined then " [inlined]" else "" end)");
def rootless: if .[-1].func == "runtime.goexit" then .[:-1] else . end;
def key: frames | if length > deep then .[:seen] + ["..."] else . end | join("\n");
def cut_key: if .truncated then .stack | frames | .[:seen] + ["..."] | join("\n") else .stack | key end;

def type_is($want):
	if $want == "" then . == "(no pointers)"
	elif $want | endswith("*") then startswith($want[:-1])
	else . == $want end;

def same_type: map({type, objects, bytes}) | group_by(.type)
	| map({type: .[0].type, objects: (map(.objects) | add), bytes: (map(.bytes) | add)});

def by_stack(f): group_by(f) | map({key: (.[0] | f), value: same_type}) | from_entries;

def told: t.sites | map(.stack |= rootless) | by_stack(.stack | key);

# What the runtime allocates for its own needs while it allocates for the program (a sudog to wait with,
# a goroutine for the collector) is no object of the site: mallocgc is below mallocgc in the stack. Nor
# is what it needs for the statement: a panic's or defer's record.
def is_runtime: startswith("runtime.") or startswith("internal/runtime/");
def leaf_nr: . as $f | first(range(0; length), length | select($f[.].func // "" | is_runtime | not));
def mallocs_nr: [.[] | .func | startswith("runtime.mallocgc")] as $m
	| [range(0; length) | select($m[.] and (. == 0 or ($m[. - 1] | not)))] | length;
def nested: [$r[0].alloc.sites[] | (.stack | leaf_nr) as $n
	| select($n > 0 and $n < (.stack | length) and (.stack[:$n] | mallocs_nr) > 1)
	| .stack |= (.[$n:] | rootless)];

def recorded: ([g.alloc.sites[]] + [nested[] | .objects *= -1 | .bytes *= -1])
	| map(select(.stack[0].file | endswith("truth/sites.go"))) | by_stack(cut_key)
	| map_values(map(select(.objects != 0 or .bytes != 0) | select(.type != "runtime._defer" and .type != "runtime._panic")))
	| with_entries(select(.value != []));

# In short: the leaf and the depth.
def short: split("\n") | "\(.[0]) (\(length) frames)";
def nearest($key; $keys): ($key | split("\n")) as $a
	| [$keys[] | . as $k | split("\n") | select(.[0] == $a[0]) | . as $b
	   | first(range(0; [$a, $b] | map(length) | max) | select($a[.] != $b[.])) as $i
	   | {$i, text: "there: \($b[$i])\n   not: \($a[$i])"}]
	| if length == 0 then "no such leaf" else "differs at frame \(max_by(.i).i): \(max_by(.i).text)" end;

# The stacks of both; then types, objects and bytes of each stack.
def stacks_differ:
	told as $told | recorded as $rec
	| ($told | keys[] | select($rec[.] == null)
	   | "not recorded: \(short)\n  \(nearest(.; $rec | keys - ($told | keys)))"),
	  ($rec | keys[] | select($told[.] == null) | "recorded, but never allocated: \(short)");

# For a type that isn't told exactly, all that fits counts together.
def sites_differ:
	told as $told | recorded as $rec
	| ($told | keys[] | select($rec[.] != null)) as $key
	| ($told[$key][] | . as $want | [$rec[$key][] | select(.type | type_is($want.type))] as $got
	   | if $got == [] then "\($key | short): no '\($want.type)', but \($rec[$key] | map(.type))"
	     else differ("\($key | short), '\($want.type)', objects"; $got | map(.objects) | add; $want.objects),
	          differ("\($key | short), '\($want.type)', bytes"; $got | map(.bytes) | add; $want.bytes) end),
	  ($rec[$key][] | .type as $type
	   | select([$told[$key][] | .type as $w | select($type | type_is($w))] == [])
	   | "\($key | short): '\($type)' was never allocated there");

# --- the check and the losses -----------------------------------------------------------------------

def check_differs:
	g.check | if .known then
		(.runtime_objects - .gallop_objects) as $d
		| if ($d | if . < 0 then -. else . end) <= .slack then empty
		  else "check: \(.gallop_objects) of \(.runtime_objects), slack \(.slack)" end
	else "check: not known: \(.why_not)" end;

def lost: g.loss | to_entries[] | select(.value != 0) | "lost \(.key): \(.value)";
