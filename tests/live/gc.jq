# How gallop's view of garbage collection ($g[0], JSON) disagrees with what tests/go/gctruth says of itself
# ($t[0]). Each function gives strings, one for each difference; nothing if all is equal.
#
#   jq -nr --slurpfile t TRUTH --slurpfile g JSON "$(< gc.jq) cycles_differ"
#
# In busy mode ($b[0]) the program says when it called what instead.

def g: $g[0].gc;
def t: $t[0];
def old: t.go | test("^go1\\.(19|2[01])($|\\.)");	# the runtime doesn't hand its own times on
def total(f): [.[] | f] | add // 0;
def grown(f): (t.after | f) - (t.before | f);

def differ($what; $got; $want):
	if $got == $want then empty else "\($what): gallop has \($got), the program says \($want)" end;
def within($what; $got; $want; $percent):
	if ($got - $want | fabs) <= $want * $percent / 100 then empty
	else "\($what): gallop has \($got), the program says \($want), more than \($percent) % apart" end;

# --- cycles ---------------------------------------------------------------------------------------

def cycles_differ:
	differ("numbers of the cycles"; [g.list[].n]; [range(t.before.num_gc; t.after.num_gc) + 1]),
	differ("number of cycles"; g.cycles; grown(.num_gc)),
	differ("forced cycles"; g.forced; grown(.num_forced)),
	differ("left out"; g.summary.cycles_left_out; 0),
	(g.list[] | select(.start_ns == null) | "cycle \(.n) has no beginning");

# Since Go 1.22 to the nanosecond. Before, gallop and the runtime look at the clock one after the other, and the scheduler can
# put anything in between: many pauses may differ by any time on a busy machine, but not all.
def seen: .sweep_pause_ns + .mark_pause_ns;
def old_pauses_differ:
	[g.list[] | (.pause_ns - seen | fabs) / .pause_ns] | sort | .[length / 4 | floor] as $off
	| select($off > 0.05) | "three quarters of the pauses are off by more than \($off * 100) %";
def pauses_differ:
	(INDEX(g.list[]; .n | tostring)) as $cycle
	| (t.pauses[] | differ("pause of cycle \(.number)"; $cycle["\(.number)"].pause_ns; .ns)),
	  differ("pauses"; t.pauses | length; grown(.num_gc)),
	  if old then old_pauses_differ, differ("sum of all pauses"; g.pause_total_ns; g.list | total(seen))
	  else (g.list[] | differ("pauses of cycle \(.n) as seen"; seen; .pause_ns)),
	       differ("sum of all pauses"; g.pause_total_ns; grown(.pause_total_ns)),
	       differ("sum of the GC's stops"; [g.stops[] | select(.gc)] | total(.end_ns - .start_ns); grown(.pause_total_ns))
	  end;

def has_func($prefix): any(.stack[]; .func | startswith($prefix));

# The trigger of each cycle, the function of the program that it was started from, and its goroutine.
def triggers_differ:
	t.phases[] as $p | g.list[] | select(.n > $p.from and .n <= $p.to)
	| "cycle \(.n) of '\($p.name)'" as $what
	| differ("trigger of \($what)"; .trigger; $p.trigger),
	  (if has_func($p.func) then empty else "\($what) is not from '\($p.func)' but \([.stack[].func])" end),
	  (if $p.goids == null or any($p.goids[] == .goid; .) then empty
	   else "\($what) is of goroutine \(.goid), not \($p.goids)" end);

# What is said of a cycle agrees with itself.
def cycles_odd:
	(g.list[] | select((.start_ns < .mark_start_ns and .mark_start_ns <= .mark_end_ns and .mark_end_ns < .end_ns
		and .mark_ns == .mark_end_ns - .mark_start_ns
		and .heap_marked > 0 and .heap_start > 0 and .cpu_fraction >= 0 and .cpu_fraction <= 1) | not)
	 | "cycle \(.n): \(del(.stack))"),
	# The share of the CPU time since the cycle before; the program says how many Ps there are.
	(g.list | sort_by(.n) | range(1; length) as $i | .[$i] as $c | (($c.end_ns - .[$i - 1].end_ns) * t.procs) as $all
	 | ([($c.pause_ns * t.procs + $c.assist_ns + $c.dedicated_ns + $c.fractional_ns) / $all, 1] | min) as $share
	 | select($c.cpu_share == null or ($c.cpu_share - $share | fabs) > 0.000001)
	 | "cycle \($c.n): CPU share \($c.cpu_share), by its own times \($share)"),
	(g.list | sort_by(.n) | range(1; length) as $i | select(.[$i - 1].end_ns > .[$i].start_ns)
	 | "cycle \(.[$i].n) began before the one before it had ended"),
	differ("marking"; g.summary.mark_ns; g.list | total(.mark_ns));

# Live heap when it starts, what survives, and the goal: the program keeps 12 MB, and says what its goal was.
def kept_bytes: 524287 * 24;

# What the runtime prints of each cycle (GODEBUG=gctrace=1), in whole MiB: "4->4->1 MB, 5 MB goal". The first is read
# just before the stop, while others may still allocate: two refills of a span's size are let pass.
def refills: 2 * 65536;
def mib: . / 1048576 | floor;
def gctrace_differs:
	(INDEX($r[]; .n | tostring)) as $traced
	| g.list[] | "\(.n)" as $n | $traced[$n] as $r
	| if $r == null then "cycle \($n) is not in the runtime's trace" else
		(if $r.start >= (.heap_start - refills | mib) and $r.start <= (.heap_start + refills | mib) then empty
		 else "heap at the start of cycle \($n): gallop has \(.heap_start), the runtime says \($r.start) MiB" end),
		differ("heap at the end of cycle \($n), MiB"; .heap_end | mib; $r.end),
		differ("marked in cycle \($n), MiB"; .heap_marked | mib; $r.marked),
		(select(.heap_goal != null) | differ("goal of cycle \($n), MiB"; .heap_goal | mib; $r.goal)) end;

def heap_odd:
	(g.list[] | select(.heap_marked < kept_bytes) | "cycle \(.n) marked \(.heap_marked), less than is kept"),
	gctrace_differs,
	(t.phases[] | select(.name == "limit alone") as $p | g.list[] | select(.n > $p.from and .n <= $p.to)
	 | select(.heap_goal == null or .heap_goal > 4 * kept_bytes) | "cycle \(.n), goal by the limit: \(.heap_goal)"),
	(t.phases[] | select(.name == "here" or .name == "there") as $p | g.list[] | select(.n > $p.from and .n <= $p.to)
	 | select(.heap_goal != null) | "cycle \(.n) has a goal without a limit and with GOGC=off: \(.heap_goal)"),
	(t.phases[] | select(.name == "assist") as $p | g.list[] | select(.n > $p.from + 1 and .n < $p.to) as $c
	 | (g.list[] | select(.n == $c.n - 1)) as $before
	 | select($c.heap_goal > $before.heap_marked * 1.1 + 1000000 or $c.heap_goal < $before.heap_marked)
	 | "cycle \($c.n): GOGC=10 and \($before.heap_marked) marked, but the goal \($c.heap_goal)");

# --- stops ----------------------------------------------------------------------------------------

def ours: [.stack[].func | select(startswith("main."))][0] // "none of the program";
def tally(f): group_by(f) | map({key: (.[0] | f), value: length}) | from_entries;

# Every stop that isn't the collector's: its reason and who asked, as often as the program did.
def stops_differ:
	([g.stops[] | select(.gc | not)] | tally("\(.reason) by \(ours)")) as $got
	| (t.stops | map(select(.count > 0)) | group_by("\(.reason) by \(.func)")
	   | map({key: "\(.[0].reason) by \(.[0].func)", value: total(.count)}) | from_entries) as $want
	| ($got + $want | keys_unsorted[]) | differ("stops for '\(.)'"; $got[.] // 0; $want[.] // 0);

def gc_stops_differ:
	differ("the GC's stops"; [g.stops[] | select(.gc)] | length; grown(.gc_stops)),
	(g.stops[] | select(.gc != (.reason | startswith("GC "))) | "gc: \(.gc) for '\(.reason)'"),
	(g.list[] as $c
	 | [g.stops[] | select(.gc and .start_ns >= $c.start_ns and .end_ns <= $c.end_ns)] | sort_by(.start_ns)
	 | if .[0].reason == "GC sweep termination" and length >= 2
	      and all(.[1:][]; .reason == "GC mark termination")
	      and (.[0] | .end_ns - .start_ns) == $c.sweep_pause_ns
	      and (.[1:] | total(.end_ns - .start_ns)) == $c.mark_pause_ns then empty
	   else "the stops of cycle \($c.n): \(map(del(.stack)))" end),
	differ("left out"; g.summary.stops_left_out; 0);

# Some restart the world and go on marking: those that look for leaks do, always.
def restarts_missing:
	t.phases[] | select(.name == "leaks") as $p | g.list[] | select(.n > $p.from and .n <= $p.to) as $c
	| [g.stops[] | select(.reason == "GC mark termination" and .start_ns >= $c.start_ns and .end_ns <= $c.end_ns)]
	| select(length < 2) | "cycle \($c.n) of 'leaks' has \(length) mark terminations";

# Only one at a time, and they take the time that they are said to.
def stops_alone:
	(g.stops[] | select((.start_ns < .end_ns and .stopped_ns == .end_ns - .start_ns) | not) | "times of \(del(.stack))"),
	(g.stops[] | select(.stopping_ns > .stopped_ns) | "stopping of \(del(.stack))"),
	(g.stops | sort_by(.start_ns) | range(1; length) as $i | select(.[$i - 1].end_ns > .[$i].start_ns)
	 | "two at once: \(.[$i - 1:$i + 1] | map(del(.stack)))");

def stops_odd:
	stops_alone,
	(if t.go | test("^go1\\.(19|2[012])($|\\.)") then empty
	 else g.stops[] | select(.stopping_ns == null) | "no time of stopping in \(del(.stack))" end);

# --- assists --------------------------------------------------------------------------------------

# /cpu/classes/gc/mark/assist is, cycle by cycle, what the runtime has in memory at the end of each.
def assists_differ:
	(if t.after.assist_ns == null then empty
	 else within("assist time of all cycles"; g.list | total(.assist_ns); grown(.assist_ns); 0.01),
	      within("assist time of all stacks"; g.assists | total(.ns); grown(.assist_ns); 10) end),
	within("assist time of all stacks, of what the cycles say"; g.assists | total(.ns); g.list | total(.assist_ns); 10),
	differ("sum of the assists"; g.assist_ns; g.assists | total(.ns)),
	differ("sum of the cycles' assists"; g.summary.runtime_assist_ns; g.list | total(.assist_ns)),
	(t.burners[] as $f | select(all(g.assists[]; has_func($f) | not)) | "no assist from '\($f)'"),
	([g.assists[] | select(any((t.burners + t.others)[] as $f | has_func($f); .) | not)]
	 | select(total(.ns) > (g.assists | total(.ns)) / 100) | "assists from elsewhere: \(map([.ns, .stack[].func]))");

# --- sums -----------------------------------------------------------------------------------------

def check_differs:
	g.check | differ("check.known"; .known; true), differ("check.exact"; .exact; old | not),
	differ("check.runtime_cycles"; .runtime_cycles; grown(.num_gc)),
	differ("check.gallop_cycles"; .gallop_cycles; grown(.num_gc)),
	differ("check.runtime_pause_ns"; .runtime_pause_ns; grown(.pause_total_ns)),
	if old then differ("check.gallop_pause_ns"; .gallop_pause_ns; g.list | total(seen))
	else differ("check.gallop_pause_ns"; .gallop_pause_ns; grown(.pause_total_ns)) end;

# The value at a percentile, as anyone would find it in a sorted list (nearest rank).
def at($percent): sort | .[[((length * $percent / 100) | ceil) - 1, 0] | max];

def pauses_of($p; $what; $values):
	$p | differ("\($what): count"; .count; $values | length), differ("\($what): total"; .total_ns; $values | add),
	differ("\($what): max"; .max_ns; $values | max),
	differ("\($what): average"; .avg_ns; $values | add / length | floor),
	(if .percentiles_exact then differ("\($what): p50"; .p50_ns; $values | at(50)), differ("\($what): p90"; .p90_ns; $values | at(90)),
	                            differ("\($what): p99"; .p99_ns; $values | at(99))
	 else "\($what): the percentiles are not exact" end);

def summary_differs:
	pauses_of(g.summary.pauses; "GC pauses"; [g.stops[] | select(.gc) | .end_ns - .start_ns]),
	(g.summary.reasons[] as $r | pauses_of($r; $r.reason; [g.stops[] | select(.reason == $r.reason) | .end_ns - .start_ns])),
	differ("reasons"; [g.summary.reasons[].reason] | sort; [g.stops[].reason] | unique),
	differ("stops"; g.summary.stops_total; g.stops | length),
	differ("time stopped"; g.summary.stopped_ns; g.stops | total(.end_ns - .start_ns)),
	differ("pauses in the histogram"; g.summary.histogram | total(.count); [g.stops[] | select(.gc)] | length),
	(g.summary.histogram[] as $h | differ("pauses of \($h.from_ns) to \($h.to_ns) ns"; $h.count;
		[g.stops[] | select(.gc) | .end_ns - .start_ns | select(. >= $h.from_ns and . < $h.to_ns)] | length)),
	differ("forced cycles by their callers"; g.summary.forced_by | map({key: "\(.trigger) by \(ours)", value: .cycles})
		| group_by(.key) | map({key: .[0].key, value: total(.value)}) | from_entries;
		[t.phases[] | select(.trigger == "runtime.GC" or .trigger == "debug.FreeOSMemory")
		 | {key: "\(.trigger) by \(.func)", value: (.to - .from)}] | from_entries),
	differ("stops by who asked"; g.summary.stopped_by | map({key: "\(.reason) by \(ours)", value: .stops})
		| group_by(.key) | map({key: .[0].key, value: total(.value)}) | from_entries;
		g.stops | tally("\(.reason) by \(ours)"));

# With stacks that could not be read to their end, if it is those.
def lost:
	($g[0].loss | to_entries[] | select(.value != 0) | "\(.key): \(.value)"),
	(if $g[0].loss.stack_unreadable == 0 then empty
	 else $g[0] | .. | objects | select(.truncated? == true) | "cut: \([.stack[].func])" end);

# --- the same, differently written ------------------------------------------------------------------

# $l: the lines of -f jsonl, and $g of the same recording.
def lines_differ:
	# A recording has a line of maps, too.
	[$l[] | select(.type != "maps")] as $l
	| differ("first line"; $l[0].type; "meta"), differ("last lines"; $l[-2:] | map(.type); ["summary", "loss"]),
	differ("cycles"; [$l[] | select(.type == "gc_cycle") | del(.type, .ts_ns)]; g.list),
	differ("stops"; [$l[] | select(.type == "stop") | del(.type, .ts_ns)]; g.stops),
	differ("types"; [$l[1:-2][].type] | unique; ["gc_cycle", "stop"]),
	differ("order"; [$l[1:-2][].ts_ns]; [$l[1:-2][].ts_ns] | sort);

# $c[0]: collapsed stacks as [{stack, value}], against a list of {ns, stack}.
def collapsed_differs($list):
	differ("sum of the collapsed stacks"; $c[0] | total(.value); $list | total(.ns)),
	differ("leaves of the collapsed stacks"; $c[0] | map({key: (.stack / ";")[-1], value}) | group_by(.key)
		| map({key: .[0].key, value: total(.value)}) | from_entries;
		$list | map(select(.ns > 0) | {key: .stack[0].func, value: .ns}) | group_by(.key)
		| map({key: .[0].key, value: total(.value)}) | from_entries);

# $x[0]: the trace. Slices nest on their thread, times are whole nanoseconds, and all is there.
def slices: [$x[0] | (.traceEvents? // .)[] | select(.ph == "X")];
def ns: . * 1000 | round;
def trace_odd:
	(slices | group_by([.pid, .tid])[] | map({name, from: (.ts | ns), to: (.ts + .dur | ns)}) | sort_by([.from, -.to])
	 | reduce .[] as $s ({open: [], odd: []};
		.open |= map(select(.to > $s.from))
		| if .open == [] or .open[-1].to >= $s.to then . else .odd += ["'\($s.name)' at \($s.from) overlaps '\(.open[-1].name)'"] end
		| .open += [$s])
	 | .odd[]),
	([$x[0] | (.traceEvents? // .)[] | select(.ph == "C") | .args | keys[]] | unique
	 | if length == 0 then "no counters" else empty end),
	([$x[0] | (.traceEvents? // .)[] | select((.ph | IN("X", "C", "M", "i", "I")) | not) | .ph] | unique
	 | select(length > 0) | "events of kind \(.)"),
	((slices | map({key: "\(.dur | ns)", value: true}) | from_entries) as $lengths
	 | [g.stops[] | select($lengths["\(.end_ns - .start_ns)"] | not) | del(.stack)]
	 | select(length > 0) | "\(length) stops are not in the trace, such as \(.[0])");

# --- busy mode ------------------------------------------------------------------------------------

# Every stop lies within a call that asked for one, no call has two, and none is left out between the first
# and the last that were seen. That is so whenever gallop came and went.
def busy_stops_differ:
	[g.stops[] | select(.gc | not)] as $stops
	| [$b[0].calls[] | select(.func == "main.dumpStacks")] as $calls
	| ($stops[] as $s | select(all($calls[]; .from_ns > $s.start_ns or .to_ns < $s.end_ns or ($s | ours) != .func))
	   | "no call for \($s | del(.stack)) by \($s | ours)"),
	  (if $stops == [] then empty else
	     differ("calls in between"; $stops | length;
	            [$calls[] | select(.to_ns > $stops[0].start_ns and .from_ns < $stops[-1].end_ns)] | length) end);

def busy_cycles_differ:
	(INDEX($b[0].pauses[]; .number | tostring)) as $truth
	| (g.list[] | differ("pause of cycle \(.n)"; .pause_ns; $truth["\(.n)"].ns)),
	  (g.list[] | select(.start_ns and seen != .pause_ns and ($b[0].go | test("^go1\\.(19|2[01])($|\\.)") | not)) | "cycle \(.n): \(seen) seen of \(.pause_ns)"),
	  (if g.list == [] then empty else
	   differ("cycles in between"; [g.list[].n]; [g.list[].n] | [range(.[0]; .[-1] + 1)]) end),
	  (g.list[1:][] | select(.start_ns == null) | "cycle \(.n) has no beginning"),
	  (g.list[] | select(.start_ns) as $c
	   | select(all($b[0].calls[]; .func != "main.collectHere" or .from_ns > $c.start_ns or .to_ns < $c.end_ns))
	   | "no call for cycle \(.n)"),
	  (g.check | differ("check.known"; .known; true), differ("check of the cycles"; .gallop_cycles; .runtime_cycles),
	   # What belongs to a cycle that had begun before is in neither sum.
	   differ("check of the runtime's pauses"; .runtime_pause_ns; g.list | map(select(.start_ns)) | total(.pause_ns)),
	   if .exact then differ("check of gallop's pauses"; .gallop_pause_ns; .runtime_pause_ns) else empty end);
