# Of runs that were judged (judge.jq): functions over an array of them.
#
#   jq -rs "$(< table.jq) table" RESULTS

def median: sort | length as $n | if $n == 0 then null
	elif $n % 2 == 1 then .[($n - 1) / 2] else (.[$n / 2 - 1] + .[$n / 2]) / 2 end;
def mean: if length == 0 then null else add / length end;

# Shares add up to one: of two sites, the second says what the first does.
def independent: if length == 2 and (map(.share) | add) > 0.98 then [min_by(.share)] else . end;

# Sites with an interval, of all runs.
def with_interval: [.[] | .sites | independent[] | select(.covered != null)];

def choose($n; $k): (($n + 1) | lgamma) - (($k + 1) | lgamma) - (($n - $k + 1) | lgamma);

# How likely it is that of n no more than k are covered, if each is with probability p.
def at_most($k; $n; $p): [range(0; $k + 1) | choose($n; .) + . * ($p | log) + ($n - .) * (1 - $p | log) | exp] | add // 0
	| if . > 1 then 1 else . end;

# The least number that is no surprise: less than that happens once in a thousand times.
def least($n; $p): first(range(0; $n + 1) | select(at_most(.; $n; $p) > 0.001)) // 0;

def error: if .truth == 0 then 0 else (.got - .truth) / .truth end;

# By site, over runs: how often it's covered, and how far off it is on average.
def by_site: [.[].sites[]] | group_by(.key) | map({key: .[0].key, n: (map(select(.covered != null)) | length),
	covered: (map(select(.covered)) | length), bias: (map(error) | mean)});

def widths($share): [.[].sites[] | select(.share > $share and .ci != null and .got > 0) | .ci / .got];

def row: {program: .[0].program, sampler: .[0].sampler, version: .[0].version, runs: length,
	unequal: (map(select(.objects.equal and .bytes.equal | not)) | length),
	n: (with_interval | length), covered: (with_interval | map(select(.covered)) | length),
	none: ([.[].sites[] | select(.covered == null)] | length),
	error: ([.[].sites[] | error | fabs] | mean),
	worst: (by_site | max_by(.bias | fabs)),
	least_site: (by_site | map(select(.n > 0)) | min_by(.covered / .n)),
	width: (widths(0.1) | median), hits: (map(.hits // 0) | median), windows: (map(.windows // 0) | median)};

def pad($n): tostring | . + (" " * ([$n - length, 0] | max) // "");
def lpad($n): tostring | (" " * ([$n - length, 0] | max) // "") + .;
def percent: if . == null then "-" else . * 1000 | round / 10 | "\(.) %" end;
def ratio($k; $n): if $n == 0 then "-" else "\($k)/\($n) \($k / $n | percent)" end;

def line: "\(.program | pad(8)) \(.sampler | pad(8)) \(.version | pad(5)) \(.runs | lpad(4)) \(.unequal | lpad(7)) \(
	ratio(.covered; .n) | lpad(17)) \(.least_site | if . == null then "-" else ratio(.covered; .n) end | lpad(13)) \(
	.none | lpad(5)) \(.error | percent | lpad(8)) \(.worst.bias | percent | lpad(8)) \(
	.width | percent | lpad(8)) \(.hits | round | lpad(8)) \(.windows | round | lpad(7))  \(.worst.key // "")";

def table: "program  sampler  Go    runs unequal  covered by their   worst site  none    error    worst    width     hits windows  site of",
	"                            totals   intervals                               mean     bias   > 10 %                    worst bias",
	(group_by([.program, .sampler, .version])[] | row | line);

# What must be true, of all runs together: a line for each that is not.
def run_name: "\(.program), \(.sampler), Go \(.version), seed \(.seed)";
def faults:
	(.[] | select(.wrong != 0) | "\(run_name): the program found \(.wrong) of its objects changed"),
	(.[] | select(.objects.equal and .bytes.equal | not) | "\(run_name): totals: objects \(.objects | tojson), bytes \(.bytes | tojson)"),
	(.[] | select(.mode == "exact") | . as $r | .sites[] | select(.covered != true or .ci != 0 or .objects.covered != true)
	 | "\($r | run_name): exact, but \(tojson)"),
	(with_interval as $s | ($s | length) as $n | ($s | map(select(.covered)) | length) as $k
	 | least($n; 0.93) as $least | select($k < $least)
	 | "of \($n) intervals \($k) cover the truth; of 93 % it would be \($least) or more, but once in a thousand times");

# The same site in independent runs: one of as many as are tested here may be unlucky.
def site_faults: [group_by([.program, .sampler, .version])[] | {run: .[0], site: (by_site[] | select(.n > 0))}] as $all
	| ($all | length) as $tests | $all[] | .site as $s
	| select(at_most($s.covered; $s.n; 0.93) < 0.01 / $tests)
	| "\(.run.program), \(.run.sampler), Go \(.run.version): \($s.key): covered in \($s.covered) of \($s.n) runs";

# Half-widths after as many hits as are promised for.
def width_faults: .[] | select((.hits // 0) >= 10000) | . as $r | .sites[]
	| select(.share > 0.1 and .ci != null and .ci > .got / 10)
	| "\($r | run_name): \(.key) has \(.share | percent) of the bytes, and after \($r.hits) hits a half-width of \(.ci / .got | percent)";
