#!/bin/bash
# timeout: 900
# Profiles for pprof: every go tool pprof reads them; what they add up to is what the JSON says; and they are, stack by
# stack, those that a program's own runtime/pprof writes of the same allocations. Files for speedscope, by the rules of
# its format. Prints TAP.
#
# GALLOP_TEST_GO chooses less than all versions.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq awk

versions=${GALLOP_TEST_GO:-$("$top/tools/go-toolchain" list)}
oldest=${versions%%[ $'\n']*} newest=${versions##*[ $'\n']}
cache=${GALLOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gallop}
export LC_ALL=C

# pprof_of VERSION ARGS...: nothing is fetched. From Go 1.25 on the tool is built when it is first used.
pprof_of() {
	local goroot
	goroot=$("$top/tools/go-toolchain" root "$1") || return
	env -i PATH="$PATH" HOME="$cache/go-home" TMPDIR="$T" GOROOT="$goroot" GOENV=off GOTOOLCHAIN=local \
		GOFLAGS=-trimpath GOPROXY=off GOSUMDB=off GOCACHE="$cache/go-cache" GOPATH="$cache/go-path" CGO_ENABLED=0 \
		timeout 500 "$goroot/bin/go" tool pprof "${@:2}"
}

# Which of these are there without building them, and the newest: the code that reads is much the same in all.
readers() {
	local v
	for v in $versions; do
		if [ "$v" = "$newest" ] || compgen -G "$("$top/tools/go-toolchain" root "$v")/pkg/tool/*/pprof" > "$T/tools"; then
			echo "$v"
		fi
	done
}
# The one to look at content with: it is there at once.
reader=$(readers | grep -vx "$newest" | tail -n 1)
reader=${reader:-$newest}

# raw FILE: all of it, as pprof prints it, for which it is asked once.
raw() {
	[ "$1.raw" -nt "$1" ] || pprof_of "$reader" -raw "$1" > "$1.raw"
	cat "$1.raw"
}

# flat FILE [ONLY]: its stacks and values in the lines of pprof.awk, sorted.
flat() { raw "$1" | awk -v only="${2:-}" -f "$here/pprof.awk" | sort; }

# sums FILE: of each value, all samples.
sums() { flat "$1" | awk -F '\t' '{ for (i = 2; i <= NF; i++) sum[i] += $i; n = NF } END { for (i = 2; i <= n; i++) printf "%s%d", (i > 2 ? " " : ""), sum[i] }'; }

types() { raw "$1" | sed -n '/^Samples:/{n;p;}'; }

report() { timeout "$limit" "$gallop" report "$T/r.gallop" "$@" 2> "$T/err"; }

# --- readers -----------------------------------------------------------------------------------------

# reads VERSION FILE REPORT...: each has something to say, and nothing to complain about.
reads() {
	local report
	for report in "${@:3}"; do
		if pprof_of "$1" "-$report" "$2" > "$T/said" 2> "$T/complaints" && [ -s "$T/said" ] && [ ! -s "$T/complaints" ]; then
			pass "go $1: pprof -$report ${2##*/}"
		else
			fail "go $1: pprof -$report ${2##*/}" "$(cat "$T/complaints" "$T/said")"
		fi
	done
}

readable() {
	local v file
	for v in $(readers); do reads "$v" "$T/alloc.pb.gz" raw top traces tags comments; done
	for file in heap maps gc op; do reads "$reader" "$T/$file.pb.gz" top traces comments; done
}

# --- what is in them ----------------------------------------------------------------------------------

record_all() {
	local exe
	exe=$(go_program "$newest" plain truth) || skip_all "$(tail -n 1 "$T/build.err")"
	# Maps are looked at where an interval ends, and the program may be over within a second.
	timeout "$limit" "$gallop" record --mode exact --goroutines -d 100ms -q -o "$T/r.gallop" -- "$exe" > "$T/truth" 2> "$T/err" ||
		fail "recorded" "$(cat "$T/err")"
	report -f json -o "$T/json"
	report -o "$T/alloc.pb.gz"
	report --value assigns -o "$T/maps.pb.gz"
	report --value stw -o "$T/gc.pb.gz"
	report -o "$T/all.speedscope.json" || fail "report: all are written" "$(cat "$T/err")"
}

json() { jq -r "$1" "$T/json"; }

add_up() {
	is "allocations: the types" "$(types "$T/alloc.pb.gz")" "alloc_objects/count alloc_space/bytes[dflt]"
	is "allocations: add up" "$(sums "$T/alloc.pb.gz")" "$(json '.alloc | "\(.objects) \(.bytes)"')"
	is "maps: the types" "$(types "$T/maps.pb.gz")" \
		"map_assign/count[dflt] map_delete/count map_clear/count map_growth/count map_retained/bytes"
	is "maps: add up" "$(sums "$T/maps.pb.gz")" \
		"$(json '.maps | [.assigns, .deletes, .clears, .growths, ([.sites[].retained_bytes] | add)] | join(" ")')"
	is "gc: the types" "$(types "$T/gc.pb.gz")" "pauses/count pause/nanoseconds[dflt] assists/count assist/nanoseconds"
	is "gc: add up" "$(sums "$T/gc.pb.gz")" \
		"$(json '.gc | [.summary.stops_total, .summary.stopped_ns, .summary.assists_total, .assist_ns] | join(" ")')"
}

# The same by type and by goroutine, and what the reader is told beside the numbers.
labels() {
	local by comments
	for by in type goroutine; do
		pprof_of "$reader" -tags -unit=B "$T/alloc.pb.gz" > "$T/tags" 2> "$T/err"
		matches "labels: $by" "$(cat "$T/tags")" "(^|[[:space:]])$by: Total"
	done
	is "labels: every type" "$(raw "$T/alloc.pb.gz" | grep -o 'type:\[.*\]' | sort -u)" \
		"$(json '.alloc.sites[] | "type:[\(.type)]"' | sort -u)"
	comments=$(pprof_of "$reader" -comments "$T/alloc.pb.gz")
	matches "comments: who, and how" "$comments" "gallop [0-9.]+: allocations of truth[^ ]* \(pid [0-9]+\), go1[^ ]*, exact"
	matches "comments: losses" "$comments" "lost:  nothing"
	matches "comments: the check" "$comments" "check: runtime counted [0-9,]+ objects, gallop [0-9,]+: 100.000 %"
	matches "comments: why there is nothing in use" "$comments" "in use: not known: "
	matches "the executable and its build id" "$(raw "$T/alloc.pb.gz" | tail -n 1)" \
		"^1: 0x0/0x0/0x0 $(json .meta.exe) $(json .meta.build_id) \[FN\]\[FL\]\[LN\]\[IN\]"
}

# --- compared with the program's own -------------------------------------------------------------------

# Two profiles of the program's; what is in the second and wasn't in the first.
grown() {
	awk -F '\t' 'NR == FNR { objects[$1] = $2; bytes[$1] = $3; next }
		$2 != objects[$1] { printf "%s\t%d\t%d\n", $1, $2 - objects[$1], $3 - bytes[$1] }' "$1" "$2"
}

own() {
	local name="go $1, its own profile" exe
	exe=$(go_program "$1" stripped proftruth) || { skip "$name" "$(tail -n 1 "$T/build.err")"; return; }
	rm -rf "$T/dir"
	mkdir "$T/dir"
	start_program "$exe" "$T/dir" || fail "$name: starts" "$(cat "$T/program.err")"
	start_gallop record --mode exact -q -p "$program" -o "$T/own.gallop" || fail "$name: gallop is ready" "$(cat "$T/gallop.err")"
	echo >&"$program_in"
	wait_line "$program_out" '^ready' || fail "$name: the program answers"
	run heap -p "$program" -o "$T/heap.pb.gz"
	is "$name: heap" "$status$err" 0
	stop "$tracer"
	is "$name: gallop's status" $? 0
	end_program
	run report "$T/own.gallop" -o "$T/own.pb.gz"
	is "$name: report" "$status$err" 0

	for n in 0 1; do flat "$T/dir/$n.pb.gz" main.work > "$T/own.$n"; done
	grown "$T/own.0" "$T/own.1" > "$T/want"
	nothing "$name: what was traced" diff "$T/want" <(flat "$T/own.pb.gz" main.work | awk -F '\t' '$2 { print $1 "\t" $2 "\t" $3 }')
	succeeds "$name: that is something" [ "$(wc -l < "$T/want")" -ge 15 ]
	matches "$name: inlined frames are in it" "$(cut -f 1 "$T/want")" 'main\.inner:[0-9]+;main\.outer:[0-9]+;main\.inlined:'
	matches "$name: which are lines of one place in the code" "$(raw "$T/own.pb.gz" | grep -A 2 'M=1 main\.inner ')" \
		$'M=1 main\\.inner [^\n]*\n +main\\.outer [^\n]*\n +main\\.inlined '
	# Stacks of the runtime's own have no root, of which only gallop says so.
	nothing "$name: all that is in use" diff <(flat "$T/dir/1.pb.gz" | grep -v systemstack) <(flat "$T/heap.pb.gz" | grep -v systemstack)
	is "$name: the types" "$(types "$T/heap.pb.gz")" "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes[dflt]"
	pprof_of "$reader" -raw -base "$T/dir/1.pb.gz" "$T/heap.pb.gz" > "$T/base" 2> "$T/err"
	is "$name: pprof takes one from the other, and nothing is left" "$? $(awk -f "$here/pprof.awk" "$T/base" |
		awk -F '\t' '{ o += $2; b += $3; u += $4; v += $5 } END { print o + 0, b + 0, u + 0, v + 0 }')" "0 0 0 0 0"
}

# --- speedscope ---------------------------------------------------------------------------------------

# What the schema of speedscope 1.25 asks for, and what its numbers must be to each other.
# shellcheck disable=SC2016 # jq's own
speedscope_differs='
	(if ."$schema" != "https://www.speedscope.app/file-format-schema.json" then "schema" else empty end),
	(if .exporter | test("^gallop@[0-9.]+$") then empty else "exporter" end),
	(if .activeProfileIndex < (.profiles | length) then empty else "active" end),
	(.shared.frames | length) as $frames |
	(.shared.frames[] | select((.name | type) != "string" or .name == "") | "a frame without a name"),
	(.profiles[]
	 | .name as $name
	 | (if .type == "sampled" then empty else "\($name): type" end),
	   (if .unit | IN("bytes", "none", "nanoseconds") then empty else "\($name): unit" end),
	   (if (.samples | length) == (.weights | length) then empty else "\($name): weights" end),
	   (if .startValue == 0 and .endValue == (.weights | add // 0) then empty else "\($name): endValue" end),
	   (if all(.samples[][]; . >= 0 and . < $frames and . == floor) then empty else "\($name): frames" end))'

speedscope() {
	nothing "speedscope: by its rules" jq -r "$speedscope_differs" "$T/all.speedscope.json"
	is "speedscope: values" "$(jq -r '[.profiles[] | select(.name | test("^((Bytes|Objects) allocated \\(|Map|Time of)")) | .endValue] | map(tostring) | join(" ")' "$T/all.speedscope.json")" \
		"$(json '[.alloc.bytes, .alloc.objects, .gc.summary.stopped_ns, .maps.assigns, .maps.deletes, .maps.clears, .maps.growths] | map(tostring) | join(" ")')"
	is "speedscope: says how sure it is" "$(jq -r '[.profiles[0].name, (.name | test("exact, .*lost: nothing"))] | join(" ")' "$T/all.speedscope.json")" \
		"Bytes allocated (exact) true"
}

# --- commands ----------------------------------------------------------------------------------------

# A running process, as long as it takes; each command has what it looks at.
commands() {
	local demo
	demo=$(go_program "$newest" stripped demo)
	start_program "$demo" || fail "demo starts" "$(cat "$T/program.err")"
	run op -q --mode exact -p "$program" -f main.newOrder --duration 300ms -o "$T/op.pb.gz"
	is "op: status" "$status$err" 0
	is "op: types" "$(types "$T/op.pb.gz")" "alloc_objects/count alloc_space/bytes[dflt]"
	is "op: all of it is the operation's" "$(raw "$T/op.pb.gz" | grep -o 'op:\[[^]]*\]' | sort -u)" 'op:[main.newOrder]'
	matches "op: how many" "$(pprof_of "$reader" -comments "$T/op.pb.gz")" 'op main\.newOrder: [0-9,]+ calls began'
	run gc -q -p "$program" --duration 300ms -o "$T/live-gc.pb.gz"
	is "gc: status" "$status$err" 0
	is "gc: types" "$(types "$T/live-gc.pb.gz")" "pauses/count pause/nanoseconds[dflt] assists/count assist/nanoseconds"
	run maps -q --mode exact -p "$program" --duration 300ms -f speedscope
	nothing "maps: speedscope, by its rules" jq -r "$speedscope_differs" "$T/out"
	matches "maps: what is shown" "$(jq -r '.profiles[.activeProfileIndex].name' "$T/out")" '^Map assigns \(exact\)$'
	run heap -p "$program" -f pprof
	refused "heap: there is none" 5 "keeps no memory profile"
	kill "$program"
}

record_all
for v in $(printf '%s\n' "$oldest" "$newest" | uniq); do own "$v"; done
commands
readable
add_up
labels
speedscope
done_testing
