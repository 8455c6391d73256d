#!/bin/bash
# The judge of the estimates is itself on trial: what it's told here is made up, right and wrong.
# shellcheck source=../accuracy/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../accuracy/lib.bash"
need_tools jq

# What a program says, n seconds' worth of it: two sites, of 90 % and 9.1 % of the bytes, and one of 0.9 %.
told() {
	jq -n -c --argjson s "$1" --argjson n "$2" '{mono_ns: ($s * 1e9), rate: 0, mallocs: (111 * $n + 50), total_alloc: (10010 * $n),
		wrong: 0, by: "func", sites: [{key: "main.a", objects: (90 * $n), bytes: (9000 * $n)},
		{key: "main.b", objects: (20 * $n), bytes: (910 * $n)}, {key: "main.c", objects: $n, bytes: (90 * $n)}]}'
}
told 99 0 > "$T/before"
told 100 10000 > "$T/from"
told 110 110000 > "$T/to"
told 112 130000 > "$T/after"

# What gallop says if it's right to the object; $1 changes it.
said() {
	jq -n -c '{meta: {from_mono_ns: 100e9, to_mono_ns: 110e9}, loss: {total: 0},
		cost: {budget: 0.02, predicted: 0.01, hits: 20000, windows: 20},
		alloc: {objects: 11100000, bytes: 1001000000, sites: [
		{objects: 9000000, bytes: 900000000, objects_ci95: 100000, bytes_ci95: 10000000, stack: [{func: "main.a", line: 3}]},
		{objects: 2000000, bytes: 91000000, objects_ci95: 100000, bytes_ci95: 5000000, stack: [{func: "main.b", line: 4}]},
		{objects: 7, bytes: 112, objects_ci95: 0, bytes_ci95: 0, stack: []}]}} | '"$1" > "$T/said"
}

# judged WHAT CHANGE FILTER WANT: WANT is what FILTER finds in the judgement.
judged() {
	said "$2"
	judge "$T/said" '{"program":"alt","sampler":"windows","version":"1.27","seed":1,"mode":"auto"}' > "$T/judged"
	is "$1" "$(jq -c "$3" "$T/judged")" "$4"
}

judged "what is right" . '[.objects.equal, .bytes.equal, (.sites[] | .key, .covered, .objects.covered)]' \
	'[true,true,"main.a",true,true,"main.b",true,true]'
judged "too many bytes" '.alloc.sites[0].bytes = 913e6' '[.sites[] | .covered, .objects.covered]' '[false,true,true,true]'
judged "within its interval" '.alloc.sites[0].bytes = 909e6' '[.sites[].covered]' '[true,true]'
judged "too few objects" '.alloc.sites[1].objects = 18e5' '[.sites[] | .covered, .objects.covered]' '[true,true,true,false]'
judged "no interval" '.alloc.sites[1].bytes_ci95 = null' '[.sites[].covered]' '[true,null]'
judged "exact, and so it must be" 'del(.alloc.sites[].bytes_ci95) | .alloc.sites[0].bytes = 905e6' '[.sites[].covered]' '[false,true]'
judged "a site that was not seen" 'del(.alloc.sites[1])' '[.sites[].covered]' '[true,false]'
judged "another leaf" '.alloc.sites[1].stack[0].func = "main.d"' '[.sites[].covered]' '[true,false]'
judged "one site in two parts" '.alloc.sites[1] *= {bytes: 45500000} | .alloc.sites += [.alloc.sites[1]]' \
	'.sites[1] | [.got, .ci, .covered]' '[91000000,10000000,true]'
judged "... of which one isn't known" '.alloc.sites += [.alloc.sites[1] | .bytes = 0 | .bytes_ci95 = null]' \
	'.sites[1] | [.got, .ci, .covered]' '[91000000,null,null]'
judged "other totals" '.alloc.objects *= 0.999 | .alloc.bytes *= 0.99' '[.objects.equal, .bytes.equal]' '[false,false]'
judged "longer edges: by the clock" '.meta.from_mono_ns = 99.5e9 | .meta.to_mono_ns = 111e9' \
	'[.edge, .objects.truth, .sites[0].truth, .objects.equal, .bytes.equal, .sites[0].covered]' \
	'[1.5,12765000,1035000000,true,true,false]'
judged "... and what is right then" '.meta.from_mono_ns = 99.5e9 | .meta.to_mono_ns = 111e9 | .alloc.objects *= 1.15 |
	.alloc.bytes *= 1.15 | .alloc.sites[].bytes *= 1.15 | .alloc.sites[].objects *= 1.15' \
	'[.objects.equal, .bytes.equal, (.sites[] | .covered, .objects.covered)]' '[true,true,true,true,true,true]'

# --- the table ---------------------------------------------------------------------------------------------------------

# runs N COVERED [CHANGE]: N runs with three sites each, of which COVERED runs cover their second.
runs() {
	jq -n -c '{objects: {equal: true}, bytes: {equal: true}} as $t | range('"$1"') | . as $i
		| {program: "req", sampler: "windows", version: "1.27", seed: $i, mode: "auto", wrong: 0, hits: 12000, windows: 9} + $t
		+ {sites: [("a", "b", "c") | {key: ., share: 0.2, truth: 100, got: (if . == "b" and $i >= '"$2"' then 130 else 100 end), ci: 5}
		| .covered = (.got == 100) | .objects = {covered: true}]} | '"${3:-.}" > "$T/runs"
}
said_of_runs() { is "$1" "$(results "$T/runs" "$2")" "$3"; }

for case in "10 9" "10 10" "3 0" "50 45"; do
	read -r n k <<< "$case"
	is "binomial: of $n, 90 % each, at most $k" "$(jq -n "$(< "$accuracy/table.jq") at_most($k; $n; 0.9) * 1e6 | round")" \
		"$(awk -v n="$n" -v k="$k" 'function c(n, k,  r, i) { r = 1; for (i = 1; i <= k; i++) r *= (n - k + i) / i; return r }
			BEGIN { for (i = 0; i <= k; i++) s += c(n, i) * 0.9 ^ i * 0.1 ^ (n - i); printf "%.0f", s * 1e6 }')"
done
is "binomial: of 100, 93 % or more" "$(jq -n "$(< "$accuracy/table.jq") least(100; 0.93)")" 84
runs 50 50
said_of_runs "all covered: nothing to say" 'faults, site_faults, width_faults' ''
runs 50 40
said_of_runs "140 of 150 intervals: could be" faults ''
said_of_runs "40 of 50 of one site: no luck" site_faults 'req, windows, Go 1.27: b: covered in 40 of 50 runs'
runs 50 20
matches "120 of 150 intervals: no luck" "$(results "$T/runs" faults)" '^of 150 intervals 120 cover the truth'
runs 50 20 'select(.seed >= 20) | .sites[1].covered = null'
said_of_runs "what has no interval isn't counted" 'faults, site_faults' ''
runs 1 1 '.sites[0].ci = 12'
matches "wide, after so many hits" "$(results "$T/runs" width_faults)" ': a has 20 % .* half-width of 12 %$'
runs 1 1 '.sites[0].ci = 12 | .hits = 9000'
said_of_runs "wide, but after too few hits" width_faults ''
runs 1 1 '.wrong = 3 | .bytes.equal = false'
is "a program that was harmed; other totals" "$(results "$T/runs" faults | wc -l)" 2
runs 2 2 '.mode = "exact" | .sites[].ci = 0'
said_of_runs "exact" faults ''
runs 2 1 '.mode = "exact" | .sites[].ci = 0'
is "exact, but it isn't" "$(results "$T/runs" faults | grep -c 'seed 1: exact, but')" 1
runs 20 20 '.sites |= [.[0] + {share: 0.6}, .[1] + {share: 0.39}]'
matches "the share of one of two is that of the other" "$(results "$T/runs" table)" ' 20/20 100 % '
done_testing
