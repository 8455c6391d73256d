#!/bin/bash
# The command line, as far as it needs no root and no Go program: usage errors, where results go, installation.
# What is recorded comes from the fuzzer's corpus. Help, manual and completion: help.t.
# shellcheck source=../live/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../live/lib.bash"
need_gallop
need_tools jq sqlite3 script make

export LC_ALL=C TERM=xterm
unset NO_COLOR
cp "$top/tests/fuzz/corpus/recording/full" "$T/r.gallop"
cp "$top/tests/fuzz/corpus/recording/gc" "$T/gc.gallop"
cp "$top/tests/fuzz/corpus/recording/heap" "$T/heap.gallop"
cp "$top/tests/fuzz/corpus/recording/ops" "$T/ops.gallop"
cd "$T" || exit 1

# left WHAT FILE...: the directory holds these files and nothing else.
left() { is "$1: what is left" "$(ls -A dir)" "$(printf '%s\n' "${@:2}")"; }

# --- usage -------------------------------------------------------------------------------------------

usage() {
	local regex args
	while IFS='|' read -r regex args; do
		# shellcheck disable=SC2086 # words
		run $args
		refused "usage: gallop $args" 2 "$regex"
	done <<-'END'
		'nothing' is not a command|nothing
		no target given|top
		no target given|gc
		no target given|maps
		no RECORDING given|report
		not a PID|gc -p 0
		from is for a recording|gc -p 1 --from 1
		to is for a recording|gc --to 1 -- app
		duration is for a live process|gc gc.gallop --duration 1
		attach is for a live process|gc gc.gallop --attach perf
		stack-depth is for a live process|gc gc.gallop --stack-depth 3
		ready-fd is for a live process|gc gc.gallop --ready-fd 3
		dry-run is for a live process|gc gc.gallop --dry-run
		from is for a recording|maps -p 1 --from 1
		to is for a recording|maps --to 1 -- app
		duration is for a live process|maps r.gallop --duration 1
		dry-run is for a live process|maps r.gallop --dry-run
		not both|maps r.gallop -p 1
		of maps only|maps -p 1 -f collapsed --value bytes
		of maps only|maps r.gallop -o a.folded --value objects
		of maps only|maps r.gallop -f collapsed --value stw
		for stacks, not for text|maps r.gallop --value assist
		no format trace: text, collapsed, json, |maps -p 1 -f trace
		no format bench|maps r.gallop -f bench
		no format bench: text, collapsed, json, jsonl, trace, |gc -p 1 -f bench
		no format bench|gc gc.gallop -o a.bench
		no format html: text, collapsed, json, bench, pprof, speedscope|op -p 1 -f main.f --format html
		gc looks at no maps|gc -p 1 --value clears
		gc looks at no maps|gc gc.gallop -f collapsed --value retained
		takes one of: bytes objects|top -p 1 --value clears
		name of a recording|maps -p 1 -o a.gallop
		no target given|heap
		not both|heap r.gallop -p 1
		no format trace|heap -p 1 -f trace
		no format bench|heap r.gallop -o a.bench
		takes one of: inuse_bytes|heap -p 1 --value bytes
		from is for a recording|heap -p 1 --from 1
		delay is for a live process|heap r.gallop -d 1
		iterations is for a live process|heap r.gallop -n 2
		at least 100ms|heap -p 1 -d 1ms
		--json and -f text|heap -p 1 --json -f text
		gc doesn't look at the heap|gc -p 1 --value inuse_bytes
		maps doesn't look at the heap|maps r.gallop -f collapsed --value alloc_objects
		--json and -f text|maps r.gallop --json -f text
		not both|gc gc.gallop -p 1
		traces no allocations|gc -p 1 -f collapsed
		traces no allocations|gc -p 1 -o a.folded --value objects
		for stacks, not for text|report r.gallop --value assist
		for stacks, not for json|report r.gallop --json --value stw
		for stacks, not for text|gc -p 1 --value stw
		of maps only|maps -p 1 -f pprof --value bytes
		traces no allocations|gc -p 1 -o a.pb.gz --value bytes
		not with --no-allocs|op -p 1 -f main.f --no-allocs -o a.speedscope.json
		gc looks at no maps|gc -p 1 -f speedscope --value growths
		takes one of: bytes objects|top -p 1 --value stw
		--json and -f text|report r.gallop --json -f text
		--json and -f jsonl|gc -p 1 --json -f jsonl
		unknown format 'xml'|report r.gallop -f xml
		suffix '.xml'|report r.gallop -o a.xml
		suffix '.trace'|gc -p 1 -o a.trace
		name of a recording|report r.gallop -o a.gallop -f json
		name of a recording|gc -p 1 -o a.gallop
		no file to record to|record -p 1
	END
	run report r.gallop -o a.xml
	matches "an unknown suffix: the formats are named" "$err" 'hint: .*text .*collapsed .*json .*jsonl .*trace'
	run report r.gallop --json -f json
	is "--json and -f json agree" $status 0
	run report r.gallop --value stw -f collapsed
	is "--value stw is for collapsed" $status 0
	run top --batch -d 1 -n 5 -p 4194304
	refused "top --batch is an option" 3 4194304
}

not_recordings() {
	printf 'no recording\n' > text
	: > empty
	sqlite3 other.db 'CREATE TABLE meta(x)'
	for file in nothing text empty other.db . /dev/null; do
		run report "$file"
		refused "report $file" 1 "$file"
		run gc "$file" -o dir.json
		refused "gc $file" 1 "$file"
	done
	is "none left a file" "$(ls -d dir.json* 2> /dev/null)" ""
	local esc=$'\e]0;title\a'
	cp r.gallop "$esc.gallop"
	sqlite3 "$esc.gallop" "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET name = '$esc', sql = 'CREATE $esc'"
	run report "$esc.gallop"
	refused "a recording with escapes in its names" 1 .
	is "no escape reaches the terminal" "$(tr -d '\n -~' < "$T/err" | od -An -c)" ""
}

# --- where results go --------------------------------------------------------------------------------

results() {
	rm -rf dir && mkdir dir
	"$gallop" report r.gallop -f json > want.json
	"$gallop" report r.gallop > want.txt
	echo old > dir/real.json
	chmod 640 dir/real.json
	ln -s real.json dir/link.json
	run report r.gallop -o dir/link.json
	is "through a link: status" $status 0
	is "through a link: it is still one" "$(readlink dir/link.json)" real.json
	succeeds "through a link: its target is written" cmp want.json dir/real.json
	is "through a link: its target's mode" "$(stat -c %a dir/real.json)" 640
	left "through a link" link.json real.json
	rm dir/real.json
	run report r.gallop -o dir/link.json
	succeeds "through a link to nothing" cmp want.json dir/real.json
	(umask 0 && "$gallop" report r.gallop -o dir/new.json)
	is "a new file: mode" "$(stat -c %a dir/new.json)" 600

	{ echo first; "$gallop" report r.gallop -o /dev/stdout; echo last; } > all.txt
	succeeds "/dev/stdout: what is before and after stays" cmp all.txt <(echo first; cat want.txt; echo last)
	"$gallop" report r.gallop -f json -o /dev/fd/7 7> seven.json
	succeeds "/dev/fd/7" cmp want.json seven.json
	"$gallop" report r.gallop -o >(cat > dir/sub)
	until_true cmp -s want.txt dir/sub
	succeeds "a process: written to as it is" cmp want.txt dir/sub
	mkfifo dir/fifo.what
	cat dir/fifo.what > fifo.txt &
	"$gallop" report r.gallop -o dir/fifo.what
	wait $!
	succeeds "a fifo: text, whatever its name" cmp want.txt fifo.txt
	succeeds "a fifo: stays one" [ -p dir/fifo.what ]
	for file in out.log out.txt out .out; do
		run report r.gallop -o "dir/$file"
		succeeds "-o $file is text" cmp want.txt "dir/$file"
	done
}

# What isn't text is for files, pipes and other programs.
profiles() {
	local args
	rm -rf dir && mkdir dir
	run report r.gallop -o dir/a.pb.gz
	is "a profile: status" "$status$err" 0
	succeeds "a profile: gzip" gzip -t dir/a.pb.gz
	run report r.gallop -f pprof
	succeeds "a profile: the same into a pipe, and each time" cmp dir/a.pb.gz "$T/out"
	run report r.gallop -o dir/a.speedscope.json
	is "speedscope: by the longer suffix" "$status$err $(jq -r '.exporter | test("^gallop@")' dir/a.speedscope.json)" "0 true"
	for args in "report r.gallop -f pprof" "report r.gallop -f pprof -o -" "report r.gallop -f pprof -o /dev/tty" "heap -p 1 -f pprof" "gc gc.gallop -f pprof -o /dev/stdout"; do
		script -qec "'$gallop' $args" typescript < /dev/null > "$T/out"
		is "a profile on a terminal, $args: status" $? 2
		matches "a profile on a terminal, $args: what to do" "$(tr -d '\r' < "$T/out")" $'^gallop[^\n]*: .* binary: .* terminal\nhint: -o FILE\\.pb\\.gz'
	done
	run report r.gallop -f pprof --value inuse_bytes
	refused "a profile of a heap that isn't known" 1 "live heap is not known"
	run heap heap.gallop -o dir/heap.pb.gz
	is "heap: a profile of it" "$status$err" 0
}

refusals() {
	rm -rf dir && mkdir dir
	cp gc.gallop dir/recording
	ln -s recording dir/link
	for file in recording link; do
		run report r.gallop -f json -o "dir/$file"
		refused "onto a recording, by $file" 1 "dir/$file.*recording"
		run gc dir/recording -o "dir/$file"
		refused "onto the recording itself, by $file" 1 "dir/$file.*recording"
	done
	succeeds "onto a recording: it is as it was" cmp gc.gallop dir/recording
	left "onto a recording" link recording

	rm dir/*
	for format in text jsonl json; do
		run gc -p 4194304 -f $format -o dir/out
		refused "gc of no process, $format" 3 4194304
		run gc -f $format -o dir/out -- ./nothing
		refused "gc of no command, $format" 127 nothing
		run gc r.nothing -f $format -o dir/out
		refused "gc of no recording, $format" 1 r.nothing
		left "gc that fails, $format"
		run gc -p $$ -f $format -o no/such/dir
		refused "gc to no directory, $format" 1 no/such/dir
	done
}

broken_streams() {
	for args in "report r.gallop" "report r.gallop -f json" "gc gc.gallop" "gc gc.gallop -f jsonl" "maps r.gallop" help man "help op" "op --help" "man op"; do
		# shellcheck disable=SC2086 # words
		timeout "$limit" "$gallop" $args > /dev/full 2> "$T/err"
		status=$? out=''
		refused "$args: a full disk" 1 "standard output"
		# shellcheck disable=SC2086
		timeout "$limit" "$gallop" $args >&- 2> "$T/err"
		status=$?
		refused "$args: standard output is closed" 1 "standard output"
	done
	run report r.gallop -o /dev/full
	refused "-o to a full disk" 1 /dev/full
	"$gallop" report r.gallop -f json -o closed.json <&- >&- 2>&-
	is "-o with all streams closed: status" $? 0
	succeeds "-o with all streams closed: the file" cmp want.json closed.json
}

color() {
	on_terminal() { script -qec "$*" /dev/null < /dev/null | grep -c $'\e'; }
	succeeds "colour on a terminal" [ "$(on_terminal "'$gallop' report r.gallop")" -gt 0 ]
	is "NO_COLOR: none" "$(NO_COLOR=1 on_terminal "'$gallop' report r.gallop")" 0
	succeeds "NO_COLOR, empty: colour" [ "$(NO_COLOR='' on_terminal "'$gallop' report r.gallop")" -gt 0 ]
	is "TERM=dumb: none" "$(TERM=dumb on_terminal "'$gallop' report r.gallop")" 0
	is "into a pipe: none" "$("$gallop" report r.gallop | grep -c $'\e')" 0
	is "gc: into a pipe, none" "$("$gallop" gc gc.gallop | grep -c $'\e')" 0
}

gc_options() {
	run gc gc.gallop
	local short=$out
	run gc gc.gallop --stacks
	is "gc --stacks: status" $status 0
	succeeds "gc --stacks: says more" [ "${#out}" -gt "${#short}" ]
	run gc gc.gallop --runtime-frames
	is "gc --runtime-frames: status" $status 0
}

# Results of operations, where none were measured: not a file without results.
bench_options() {
	local file
	for file in r.gallop gc.gallop; do
		run report $file -f bench -o a.bench
		refused "report $file -f bench: not measured" 1 'no operations were measured'
		matches "report $file -f bench: a hint" "$err" 'hint: .*gallop record --op'
		succeeds "report $file -f bench: no file is left" [ ! -e a.bench ]
	done
	run report ops.gallop -f bench
	is "report -f bench: status" "$status$err" 0
	matches "report -f bench: results" "$out" $'\nBenchmark'
}

# Recordings in which no map was looked at: said in words, and no stacks that would count nothing.
maps_options() {
	run maps r.gallop
	is "maps: status" $status 0
	matches "maps: not looked at" "$out" 'gallop: maps of .*not known: maps were not looked at.*lost:'
	run maps r.gallop --json
	is "maps --json: null, not 0" "$(jq -c '.maps | [.known, .clears, .held_bytes, .sites]' <<< "$out")" '[false,null,null,[]]'
	for value in assigns deletes clears retained growths; do
		for command in maps report; do
			run $command r.gallop -f collapsed --value $value
			refused "$command --value $value: not looked at" 1 'maps were not looked at'
			matches "$command --value $value: a hint" "$err" 'hint: .*gallop maps'
		done
	done
	run maps r.gallop -o a.folded --value clears
	refused "maps -o: not looked at" 1 'maps were not looked at'
	succeeds "maps -o: no file is left" [ ! -e a.folded ]
	run maps -p 4194304
	refused "maps of no process" 3 4194304
	# Assigns and deletes aren't counted in every mode: unless they are asked for, what was counted is drawn.
	cp "$top/tests/fuzz/corpus/recording/maps" m.gallop
	sqlite3 m.gallop 'UPDATE map_watch SET every_operation = 0'
	run maps m.gallop -f collapsed --value growths
	is "maps, assigns not counted: growths" "$status $err" "0 "
	value=$out
	run maps m.gallop -f collapsed
	is "maps, assigns not counted: growths are drawn" "$status $err $out" "0  $value"
	run maps m.gallop -o m.pb.gz
	is "maps, assigns not counted: a profile" "$status $err" "0 "
	run maps m.gallop -f speedscope
	is "maps, assigns not counted: what is shown first" \
		"$(jq -r '.profiles[.activeProfileIndex].name' <<< "$out")" "Map growths (exact, lost: 7)"
	run maps m.gallop -f collapsed --value assigns
	refused "maps, assigns not counted: asked for" 1 'were not counted'
}

# Of operations in windows allocations are known inside of them only, and how sure a mean is may not be.
diff_options() {
	local format
	cp "$top/tests/fuzz/corpus/recording/ops" ops.gallop
	for format in collapsed html; do
		run diff ops.gallop ops.gallop -f $format
		refused "diff -f $format: what isn't known" 1 'alloc_space is not known .*in operations only'
	done
	run diff ops.gallop ops.gallop --per op:handle -f collapsed
	is "diff -f collapsed: what is" "$status $err" "0 "
	run diff ops.gallop ops.gallop --per op:handle -f html --value stw
	refused "diff -f html: what is of all calls" 1 'stw is of all calls'
	run diff ops.gallop ops.gallop --per op:handle --fail-if 'alloc_space<+1%'
	is "diff --fail-if: what can't be judged isn't kept" $status 1
	matches "diff --fail-if: what can't be judged is told" "$err" 'not judged: .*alloc_space<\+1%: 168 B -> 168 B per call of '
	run diff ops.gallop ops.gallop --per op:handle --fail-if 'alloc_space>+1%'
	is "diff --fail-if: what is kept" $status 0
	run man diff
	matches "man diff: what 1 says" "$out" 'is broken, or that it can.t be.judged'
}

# Recordings whose heap nobody looked at.
heap_options() {
	local value
	run heap r.gallop
	refused "heap: not looked at" 1 'the live heap is not known: it was not looked at'
	matches "heap: a hint" "$err" 'hint: .*gallop heap'
	for value in inuse_bytes inuse_objects alloc_bytes alloc_objects; do
		run report r.gallop -f collapsed --value $value
		refused "report --value $value: not looked at" 1 'the live heap is not known'
	done
	run heap r.gallop -o a.folded
	refused "heap -o: not looked at" 1 'the live heap is not known'
	succeeds "heap -o: no file is left" [ ! -e a.folded ]
	run heap heap.gallop
	is "heap of a recording: status" $status 0
	matches "heap of a recording" "$out" 'In use by bytes, all 3.*Growth of what is in use.*main\.\(\*Cache\)\.Put'
	run heap heap.gallop --to 1
	matches "heap --to: one look" "$out" 'as of GC cycle 41'
	run heap heap.gallop -f collapsed --value alloc_objects
	is "heap: collapsed" "$(grep -c . <<< "$out") $(grep -o 'main.(.*' <<< "$out")" '5 main.(*Cache).Put 4000'
	run report heap.gallop -f collapsed --value alloc_objects
	is "heap: report's are the same" "$out" "$("$gallop" heap heap.gallop -f collapsed --value alloc_objects)"
	run heap -p 4194304
	refused "heap of no process" 3 4194304
	run heap -p $$
	refused "heap of what isn't Go" 3 'not a Go'
}

# --- installation ------------------------------------------------------------------------------------

installation() {
	local make=(make -s -C "$top" "DESTDIR=$T/root" PREFIX=/opt/g)
	# Other flags would build all of it again; those of a make above us are passed on.
	[ -n "${MAKEFLAGS:-}" ] || make+=("O=$(realpath --relative-to="$top" "${gallop%/gallop}")")
	local root=root/opt/g
	mkdir pages && "$gallop" man --directory pages
	succeeds "make install" "${make[@]}" install
	is "make install: where" "$(cd root && find . -type f -printf '%m %P\n' | sort -k 2)" "$(sort -k 2 <<-END
		755 opt/g/bin/gallop
		$(find pages -type f -printf '644 opt/g/share/man/man1/%P\n')
		644 opt/g/share/bash-completion/completions/gallop
		644 opt/g/share/zsh/site-functions/_gallop
		644 opt/g/share/fish/vendor_completions.d/gallop.fish
	END
	)"
	succeeds "make install: the program" cmp "$gallop" $root/bin/gallop
	succeeds "make install: the manual" diff -r pages $root/share/man/man1
	succeeds "make install: completion" bash -n $root/share/bash-completion/completions/gallop
	succeeds "make uninstall" "${make[@]}" uninstall
	is "make uninstall: nothing is left" "$(find root -type f)" ""
}

usage
not_recordings
results
profiles
refusals
broken_streams
color
gc_options
bench_options
maps_options
diff_options
heap_options
installation
done_testing
