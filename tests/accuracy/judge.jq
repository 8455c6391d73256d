# Hold what gallop says of tests/go/samptruth against what that program says: one run, one object.
#
#   jq -n -c --slurpfile told FOUR_TRUTHS --slurpfile g JSON --argjson what '{...}' -f judge.jq
#
# The program was asked before gallop was started, when it was ready, before it was stopped and when it had ended. What
# it had allocated at gallop's own beginning and end is in between: by the clock.
#
# Judged are the sites with over 1 % of the bytes. A site is covered if its interval, and what the edges may add,
# reaches the truth.

# At a time between two answers.
def at($t; $a; $b):
	(if $b.mono_ns > $a.mono_ns then ($t - $a.mono_ns) / ($b.mono_ns - $a.mono_ns) else 0 end
	 | if . < 0 then 0 elif . > 1 then 1 else . end) as $x
	| def mix($from; $to): $from + $x * ($to - $from);
	{mallocs: mix($a.mallocs; $b.mallocs), total_alloc: mix($a.total_alloc; $b.total_alloc),
	 sites: [range($b.sites | length) | {key: $b.sites[.].key, objects: mix($a.sites[.].objects; $b.sites[.].objects),
		bytes: mix($a.sites[.].bytes; $b.sites[.].bytes)}]};

($g[0]) as $g | $told[3] as $last
# Exact tracing slows the program so much that the clock tells nothing of the time around it.
| ($what.mode == "exact") as $exact
| (if $exact then $told[1] else at($g.meta.from_mono_ns; $told[0]; $told[1]) end) as $a
| (if $exact then $told[2] else at($g.meta.to_mono_ns; $told[2]; $told[3]) end) as $b

# How far the program's rate may be from its mean between two answers.
| ({burst: 15, soak: 15, phase: 4, large: 4}[$what.program] // (if $exact then 1.5 else 0.25 end)) as $swing
| (($g.meta.to_mono_ns - $g.meta.from_mono_ns) / 1e9) as $seconds
| ((($told[1].mono_ns - $g.meta.from_mono_ns | fabs) + ($told[2].mono_ns - $g.meta.to_mono_ns | fabs)) / 1e9) as $edge
| ($swing * $edge / $seconds + 0.001) as $slack

| def key: .stack as $s | {
	func: $s[0].func,
	line: "\($s[0].func):\($s[0].line)",
	lines: "\($s[0].func):\($s[0].line) \($s[1].func // ""):\($s[1].line // "")"}[$last.by];

# Half-widths of sites that are told apart by more than the program does (a type, a stack): at worst they add up.
def widths(f): map(f) | if any(. == null) then null else add end;

# 0 without a field: exact.
def ci(f): if has(f) then .[f] else 0 end;

def judged($got; $ci; $truth):
	($got - $truth | fabs) as $off
	| {truth: $truth, got: $got, ci: $ci,
	   covered: (if $ci == null then null else $off <= $ci + $slack * $truth end)};

# Counts only grow: what gallop's beginning and end had is between the answers around them, whatever the clock says.
def total($got; $truth; $member; $few):
	{truth: $truth, got: $got,
	 least: ($told[2][$member] - $told[1][$member]), most: ($told[3][$member] - $told[0][$member])}
	| .equal = ($got >= .least - $few and $got <= .most + $few);

([$g.alloc.sites[] | select(.stack | length > 0)]
 | reduce .[] as $s ({}; ($s | key) as $k | .[$k] += [$s])) as $got
| [range($b.sites | length) | {key: $b.sites[.].key, objects: ($b.sites[.].objects - $a.sites[.].objects),
	bytes: ($b.sites[.].bytes - $a.sites[.].bytes)}] as $truth
| ([$truth[].bytes] | add) as $bytes

# A site that gallop doesn't have is one of which it says that there was none, exactly: unless it had too few windows to say
# anything of any site.
| any($g.alloc.sites[]; ci("bytes_ci95") != null) as $knows
| def absent($s): if $s == [] and $knows then 0 else null end;

$what + {
	$seconds, $edge, rate: $last.rate, wrong: $last.wrong,
	lost: $g.loss.total,
	budget: $g.cost.budget, predicted: $g.cost.predicted, hits: ($g.cost.kept_hits // $g.cost.hits), windows: $g.cost.windows,
	objects: total($g.alloc.objects; $b.mallocs - $a.mallocs; "mallocs"; 2000),
	bytes: total($g.alloc.bytes; $b.total_alloc - $a.total_alloc; "total_alloc"; 2000000),
	sites: [$truth[] | select(.bytes > $bytes / 100) | ($got[.key] // []) as $s
		| {key, share: (.bytes / $bytes)}
		  + judged($s | map(.bytes) | add // 0; $s | widths(ci("bytes_ci95")) // absent($s); .bytes)
		  + {objects: judged($s | map(.objects) | add // 0;
			$s | widths(ci("objects_ci95")) // absent($s); .objects)}]
}
