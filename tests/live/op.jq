# How gallop's view of operations ($g[0], JSON) disagrees with what tests/go/optruth says of its functions ($t[0]).
# Each function gives strings, one for each difference; nothing if all is equal.
#
#   jq -nr --slurpfile t TRUTH --slurpfile g JSON "$(< op.jq) calls_differ"
#
# What package testing says of the same functions is $b[0].

def t: $t[0];
def new: t.go | test("^go1\\.(19|2[01])($|\\.)") | not;	# the runtime hands its own times on

def total(f): [.[] | f] | add // 0;
def differ($what; $got; $want):
	if $got == $want then empty else "\($what): gallop has \($got), the program says \($want)" end;
def within($what; $got; $want; $percent):
	if ($got - $want | fabs) <= $want * $percent / 100 then empty
	else "\($what): gallop has \($got), the program says \($want), more than \($percent) % apart" end;

# Of a generic function gallop has one for each shape of its type arguments, which stacks don't tell.
def name: .func | sub("\\[go\\.shape\\..*\\]"; "[...]");
def named($func): [$g[0].ops[] | select(name == $func)];

def functions_differ:
	differ("functions"; [$g[0].ops[] | name] | unique; [t.ops[].func] | unique);

# --- calls ----------------------------------------------------------------------------------------

def calls_differ:
	functions_differ,
	(t.ops[] as $o | named($o.func) as $got
	 | ("calls", "panics", "goexits", "open", "began_before") as $field
	 | differ("\($field) of \($o.func)"; $got | total(.[$field]); $o[$field])),
	($g[0].ops[] | differ("unmatched of \(.func)"; .unmatched; .panics + .goexits),
	               differ("begun of \(.func)"; .begun; .calls + .unmatched + .open));

# --- objects and bytes ----------------------------------------------------------------------------

# Of all that returned; a mean has six decimals, which is enough to tell the sum.
def summed($stat): total(if .[$stat] == null then 0 else .[$stat].mean * .calls end) | round;

# While a function waits the runtime may allocate what it needs for that: of such a function only nodes are known.
def theirs($o): [.[].sites[] | select($o.blocks and .type != "main.node")] | total(.objects);

def objects_differ:
	t.ops[] as $o | named($o.func) as $got | ($got | theirs($o)) as $theirs
	| differ("objects of all calls of \($o.func)"; ($got | total(.objects)) - $theirs; $o.objects + $o.unended_objects),
	  if $o.blocks then empty
	  else differ("objects of the calls of \($o.func) that returned"; $got | summed("allocs_per_op"); $o.objects) end;

# Slots, as in TotalAlloc: of tiny objects those that open a block of 16.
def bytes_differ:
	t.ops[] as $o | select($o.blocks | not) | named($o.func) as $got
	| differ("bytes of the calls of \($o.func)"; $got | summed("bytes_per_op"); $o.bytes);

# Exact below 256, and the largest always.
def stat_differs($what; $got; $want):
	("p50", "p90", "p99") as $p
	| if $want[$p] < 256 then differ("\($p) of \($what)"; $got[$p]; $want[$p])
	  else within("\($p) of \($what)"; $got[$p]; $want[$p]; 1) end,
	differ("max of \($what)"; $got.max; $want.max);

def distributions_differ:
	t.ops[] as $o | select($o.calls > 0 and ($o.blocks | not)) | named($o.func)[]
	| stat_differs("allocs/op of \($o.func)"; .allocs_per_op; $o.of_objects),
	  (select($o.of_bytes) | stat_differs("B/op of \($o.func)"; .bytes_per_op; $o.of_bytes));

# --- sites ----------------------------------------------------------------------------------------

# All in it add up to it, and each stack ends with the function.
def sites_differ:
	$g[0].ops[]
	| differ("objects of the sites of \(.func)"; .sites | total(.objects); .objects),
	  differ("bytes of the sites of \(.func)"; .sites | total(.bytes); .bytes),
	  (name as $func | .sites[] | select(.stack[-1].func != $func)
	   | "a site of \($func) is not inside it: \([.stack[].func])"),
	  (.func as $func | .sites | group_by([.type, .stack])[] | select(length > 1)
	   | "\(length) sites of \($func) are the same: \(.[0] | [.type, .stack[].func])");

# --- time -----------------------------------------------------------------------------------------

# A call takes longer than what is inside it, and less than what is around it.
def times_differ:
	($g[0].ops[] | select(.calls > 0) | .ns_per_op as $ns
	 | select(($ns.p50 <= $ns.p90 and $ns.p90 <= $ns.p99 and $ns.p99 <= $ns.max and $ns.mean <= $ns.max) | not)
	 | "ns/op of \(.func): \($ns)"),
	(t.ops[] as $o | select($o.outer_ns > 0) | named($o.func)[0] | (.ns_per_op.mean * .calls) as $ns
	 | select($ns < $o.inner_ns or $ns > $o.outer_ns)
	 | "time of \($o.func): gallop has \($ns), the program says \($o.inner_ns) to \($o.outer_ns)");

# What the collector took from them: all pauses of the cycles that a function asked for, and its own assists. Before
# Go 1.22 the runtime doesn't hand its own times on: pauses as short as these can't be held against its sum.
def asked($func): any(.stack[]; .func == $func);
def collector_differs:
	t.ops[] as $o | named($o.func)[0] as $got | $g[0].gc as $gc
	| (select($o.pause_ns > 0)
	   | differ("pauses in \($o.func)"; $got.pause_ns;
	            [$gc.list[] | select(asked($o.func))] | total(.sweep_pause_ns + .mark_pause_ns)),
	     (select(new) | differ("pauses in \($o.func), by the runtime"; $got.pause_ns; $o.pause_ns))),
	  (select($o.assist_ns > 0)
	   | differ("assists of \($o.func)"; $got.assist_ns; [$gc.assists[] | select(asked($o.func))] | total(.ns)),
	     within("assists of \($o.func), by the runtime"; $got.assist_ns; $o.assist_ns; 10));

# --- package testing ------------------------------------------------------------------------------

# Its means are rounded down, and of other calls of the same function.
def benchmarks_differ:
	$b[0].ops[] as $o | named($o.func) as $got | ($got | total(.calls)) as $calls
	| (($got | summed("allocs_per_op")) / $calls) as $allocs | (($got | summed("bytes_per_op")) / $calls) as $bytes
	| (select($got[0].allocs_per_op | .p50 == .max) | ("allocs_per_op", "allocs_per_run") as $field
	   | differ("allocs/op of \($o.func)"; $allocs | floor; $o[$field])),
	  (select($allocs - $o.allocs_per_op | fabs > 1)
	   | "allocs/op of \($o.func): gallop has \($allocs), the benchmark \($o.allocs_per_op)"),
	  (select($bytes - $o.bytes_per_op | fabs > 16)
	   | "B/op of \($o.func): gallop has \($bytes), the benchmark \($o.bytes_per_op)");

# --- in the middle ---------------------------------------------------------------------------------

# Of functions that are called all the time, whenever gallop came and went: no call is counted that it didn't see all
# of. On each goroutine one can be under way.
def busy_differs:
	functions_differ,
	(t.ops[] as $o | named($o.func)[] | .allocs_per_op as $n
	 # Where the runtime has allocated, too, as it does for defers while it panics, only most are known.
	 | (if all(.sites[]; .type == "main.node") then ["mean", "p50", "p90", "p99", "max"] else ["p50"] end) as $known
	 | (select(.calls > 0) | $known[] as $k | differ("\($k) of allocs/op of \($o.func)"; $n[$k]; $o.objects)),
	   (select(.calls > 0 and ($o.returns | not)) | "\(.calls) calls of \($o.func) returned"),
	   (select(.calls == 0 and $o.returns) | "no call of \($o.func) returned"),
	   (select(.panics == 0 and ($o.returns | not)) | "no call of \($o.func) panicked"),
	   (select(.panics > 0 and ($o.func | IN("main.sometimes", "main.panicking", "main.panicsAgain", "main.fallsThrough") | not))
	    | "\(.panics) calls of \($o.func) panicked"),
	   (select(.goexits > 0) | "\(.goexits) calls of \($o.func) left with their goroutine"),
	   (select(.open > 4 or .began_before > 4) | "\($o.func): \(.open) open, \(.began_before) begun before"),
	   differ("begun of \($o.func)"; .begun; .calls + .unmatched + .open));

def lost: $g[0].loss | to_entries[] | select(.value != 0) | "\(.key): \(.value)";
