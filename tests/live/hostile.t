#!/bin/bash
# timeout: 300
# A program whose functions, files, types and module are called what harms a terminal, a page, JSON or a list of lines:
# no output is harmed. What is shown in a terminal is what gallop sends to it, byte by byte.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools python3 tmux

newest=${GALLOP_TEST_GO:-1.27}
newest=${newest##* }
names() { python3 "$here/hostile.py" "$@"; }

# --- the program -------------------------------------------------------------------------------------

mkdir -p "$T/src/hostile"
cp "$top/tests/go/go.mod" "$T/src"
cp "$top/tests/go/hostile/main.go" "$T/src/hostile"
names long > "$T/src/hostile/long.go"
"$top/tools/go-toolchain" root "$newest" > /dev/null 2> "$T/err" || skip_all "$(tail -n 1 "$T/err")"
built=$("$top/tools/go-build" "$newest" plain "$T/src/hostile") || { fail "built"; done_testing; }

# Also the file and the process are called so.
exe=$T/$'\e]0;OWNED\a\nOWNED <b> \xff'
names patch "$built" "$exe" || { fail "patched"; done_testing; }
chmod 755 "$exe"
start_program "$exe" || { fail "it runs" "$(cat -v "$T/program.err")"; done_testing; }

# --- what is shown -----------------------------------------------------------------------------------

# show KIND NAME COMMAND...: what it prints is to be of this kind, and what it says is to be text.
shown=()
show() {
	timeout -k 5 "$limit" "$gallop" "${@:3}" > "$T/$2" 2> "$T/$2.err" < /dev/null ||
		fail "$2" "status $?: $(cat -v "$T/$2.err")"
	shown+=("$1:$T/$2" "text:$T/$2.err")
}

# refuse NAME COMMAND...: what is said to words that are wrong has them in it.
refuse() {
	timeout -k 5 "$limit" "$gallop" "${@:2}" > "$T/refused-$1" 2>&1 < /dev/null && fail "$1: it is refused"
	grep -q OWNED "$T/refused-$1" || fail "$1: it says what" "$(cat -v "$T/refused-$1")"
	shown+=("text:$T/refused-$1")
}

pid=$program
for r in a b; do
	show text "record-$r" record -p "$pid" --mode exact --op main.work --duration 0.5s -o "$T/$r.gallop"
done
# The names are there, or nothing would be tested.
show json json report "$T/a.gallop" -f json
for words in 'OWNED.*99999999' '</script>' "$(printf 'L%.0s' {1..200})"; do
	succeeds "in it: ${words:0:20}" grep -q "$words" "$T/json"
done

show text text report "$T/a.gallop"
show text stacks report "$T/a.gallop" --stacks --runtime-frames
show folded collapsed report "$T/a.gallop" -f collapsed
show jsonl jsonl report "$T/a.gallop" -f jsonl
show json trace report "$T/a.gallop" -f trace
show html html report "$T/a.gallop" -f html
show gzip pprof report "$T/a.gallop" -f pprof
show json speedscope report "$T/a.gallop" -f speedscope
show tabs bench report "$T/a.gallop" -f bench
for f in text:text json:json html:html folded:collapsed; do
	show "${f%:*}" "diff-${f#*:}" diff "$T/a.gallop" "$T/b.gallop" -f "${f#*:}"
done
show text list list
show text doctor doctor -p "$pid"
show text dry-run record -p "$pid" --dry-run
show text gc gc -p "$pid" --duration 0.5s
show text maps maps -p "$pid" --duration 0.5s
show text heap heap -p "$pid" --duration 0.5s
show text op op -p "$pid" -f 'main.*' --mode exact --duration 0.5s
show text batch top -p "$pid" --batch --iterations 1 --delay 0.5

refuse a-command "$exe"
refuse a-file report "$exe.not"
refuse a-second-file report "$T/a.gallop" "$exe"
refuse a-format report "$T/a.gallop" -f "$exe"
refuse a-number record -p "$exe"
refuse a-function op -p "$pid" -f "$exe"
refuse a-limit diff "$T/a.gallop" "$T/b.gallop" --fail-if "$exe"
nothing "none is harmed: $((${#shown[@]})) outputs" names check "${shown[@]}"

# --- in a terminal -------------------------------------------------------------------------------------

tm() { tmux -u -S "$T/tmux" -f /dev/null "$@"; }
trap 'tm kill-server 2> /dev/null; _cleanup' EXIT
on_screen() { tm capture-pane -p -t view | grep -q "$1"; }
# tab KEYS WORDS: what it shows then.
tab() {
	tm send-keys -t view "$1"
	succeeds "top: $1 shows $2" until_true on_screen "$2"
}

# All that comes to the terminal goes to a file, too. A pane that is there first misses nothing of it.
tm new-session -d -s view -x 150 -y 50 "exec cat"
tm pipe-pane -t view "exec cat > $T/sent"
tm respawn-pane -k -t view "env LC_ALL=C.UTF-8 $gallop top -p $pid --delay 0.5 2> $T/top.err"
tab 1 FUNCTION
tab 2 OWNED
tab 3 OWNED
tab 5 probe
tab 1 FUNCTION
tab Enter 'main\.'
# A title that is set, a control of one byte, a mark that turns the text: its own are none of these.
LC_ALL=C grep -aoP '\x1b\]|[\x80-\xff]OWNED|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]' "$T/sent" > "$T/found"
is "top: it sends no escapes of the names" "$(cat -v "$T/found")" ""
tm kill-server

kill "$pid"
done_testing
