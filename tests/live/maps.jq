# How gallop's view of maps ($g[0], JSON) disagrees with what tests/go/maptruth says of itself ($t[0]). Each
# function gives strings, one for each difference; nothing if all is equal.
#
#   jq -nr --slurpfile t TRUTH --slurpfile g JSON "$(< maps.jq) calls_differ"
#
# For tests/go/mapcases $t[0] is what that program said at its end.

def g: $g[0].maps;
def t: $t[0];

def differ($what; $got; $want):
	if $got == $want then empty else "\($what): gallop has \($got), the program says \($want)" end;

# --- what was done --------------------------------------------------------------------------------

# The program's own function: below it there may only be package reflect, which it called.
def ours: [.stack[].func | select(startswith("reflect.") | not)][0] // "none";
def place($func): "\(.type) at \($func)";
def summed($fields): reduce .[] as $s ({}; reduce $fields[] as $f (.; .[$f] += $s[$f]));

def calls: ["makes", "assigns", "deletes", "clears", "drains", "entries_removed"];
def theirs($fields): g.sites | group_by(place(ours)) | map({key: .[0] | place(ours), value: summed($fields)}) | from_entries;
def told: INDEX(t.sites[]; place(.func));
def differs($fields):
	theirs($fields + ["unsettled"]) as $got | told as $want
	| $want | to_entries[] | .key as $place | $fields[] as $f
	| ($got[$place][$f] // 0) as $n | ($got[$place].unsettled // 0) as $open
	# What the last deletion from a map on a goroutine's stack did is seen by no one: that much may be missing.
	| if ($f == "drains" or $f == "entries_removed") and $open > 0 and ($place | endswith("main.onStack"))
	     and $n <= $want[$place][$f] and $n + $open >= $want[$place][$f] then empty
	  else differ("\($f) of \($place)"; $n; $want[$place][$f]) end;

def calls_differ: differs(calls);
def growths_differ: differs(["growths"]);
def rehashes_differ:
	theirs(["rehashes"]) as $got
	| told | to_entries[] | select(.value.rehashes_unclear | not)
	| differ("rehashes of \(.key)"; $got[.key].rehashes // 0; .value.rehashes);

# At the program's functions there is nothing that it doesn't know of.
def others:
	told as $want | (t.sites | map(.func)) as $funcs
	# Up to Go 1.23 a sync.Map has such maps inside.
	| g.sites[] | select(.type != "map[interface {}]*sync.entry") | ours as $func | select(any($funcs[]; . == $func) and $want[place($func)] == null)
	| "\(place($func)): \(del(.stack))";

def totals_differ:
	(calls + ["growths", "rehashes"])[] as $f | differ("\($f) of all"; g[$f]; [g.sites[][$f]] | add);

# --- what is held ---------------------------------------------------------------------------------

# Maps of one kind are not equal, as hashes are random: what they hold together is what was measured.
def kind: "maps of \(.type) with \(.entries) of \(.entries_max) entries";
def within($what; $got; $want; $percent):
	if ($got - $want | fabs) <= $want * $percent / 100 then empty
	else "\($what): gallop has \($got), the program says \($want), more than \($percent) % apart" end;
def held_differs:
	(g.list | group_by(kind) | map({key: .[0] | kind, value: {maps: length, bytes: map(.bytes) | add}}) | from_entries) as $got
	| t.held[] | kind as $kind
	| differ("number of \($kind)"; $got[$kind].maps // 0; .maps),
	  within("bytes of \($kind), \(.what)"; $got[$kind].bytes // 0; .bytes * .maps; 2);

# Where they were made, and where those were emptied that were.
def held_elsewhere:
	({"map[int]main.kept": "main.keepInts", "map[string]*main.keptUser": "main.keepUsers",
	  "map[main.keptArray]int": "main.keepArrays"}) as $made
	| ([t.held[].type] | unique[]) as $type | g.list[] | select(.type == $type)
	| differ("made: \(kind)"; .made.stack[0].func; $made[$type]),
	  (select(.entries == 0) | .emptied.stack[0].func | select(. != "main.clearKept" and . != "main.drainKept")
	   | "emptied at \(.)");

# --- patterns -------------------------------------------------------------------------------------

def patterned($patterns): g.sites[] | select(.pattern as $p | any($patterns[]; . == $p));

def bad_missing($patterns):
	t.site as $site
	| if any(patterned($patterns); .advice != null and any(.stack[]; .func == $site)) then empty
	  else "no \($patterns | join(" or ")) with advice at \($site), but:",
	       (g.sites[] | select(.pattern != null) | "\(.pattern) at \([.stack[].func][0:3]): \(.advice)") end;
# That a table is reused is said, and is no advice.
def advised: g.sites[] | select(.advice != null and .pattern != "clear and refill") | "\(.pattern) at \([.stack[].func][0:3]): \(.advice)";
