#!/bin/bash
# The live view in a real terminal (tmux): key scripts and the screens that they must lead to, at three sizes, and
# every way out of it.
#
# Numbers are masked, all else on a screen is compared as it is. Nothing is waited for by time: a screen is looked at
# until it is as it should be, with a limit. After a wanted change: GALLOP_GOLDEN_UPDATE=1 writes the screens anew.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools tmux jq

newest=${GALLOP_TEST_GO:-1.27}
newest=${newest##* }
golden=$top/tests/golden

# --- the terminal ------------------------------------------------------------------------------------

# A server of its own, which ends with the test; each terminal has another one, as one that is told to end may still
# be there when the next is wanted.
servers=0
tm() { tmux -u -S "$T/tmux.$servers" -f "$T/tmux.conf" "$@"; }
trap 'tm kill-server 2> /dev/null; _cleanup' EXIT
printf '%s\n' 'set -g default-terminal screen-256color' 'set -g status off' > "$T/tmux.conf"

pass_time() { IFS= read -r -t "$1" -u "$_pause"; }

screen() { tm capture-pane -p -t view; }
keys() { tm send-keys -t view "$@"; }

# waits REGEX: until the screen matches; fails at the limit.
waits() {
	local end=$((SECONDS + limit))
	while [ $SECONDS -lt $end ]; do
		[[ $(screen) =~ $1 ]] && return 0
		pass_time 0.05
	done
	return 1
}

# shows WHAT REGEX: what is shown in the end is reported if it doesn't come.
shows() { if waits "$2"; then pass "$1"; else fail "$1" "no '$2' in"$'\n'"$(screen)"; fi; }

# A shell in a terminal of so many columns and rows; what is set in its environment comes behind that.
open_terminal() {
	tm kill-server 2> /dev/null
	servers=$((servers + 1))
	env -u NO_COLOR LC_ALL=C.UTF-8 "${@:3}" \
		tmux -u -S "$T/tmux.$servers" -f "$T/tmux.conf" new-session -d -s view -x "$1" -y "$2" "bash --norc --noprofile -i"
	waits '[#$]' || { fail "a shell in tmux" "$(screen 2>&1)"; exit 1; }
	keys "stty -g > $T/stty" Enter
}

# gallop top in that shell; its pid comes to $T/view.pid, its status to $T/status.
run_top() {
	rm -f "$T/status" "$T/view.pid"
	printf '#!/bin/sh\necho $$ > %s\nexec %s top "$@" 2> %s\n' "$T/view.pid" "$gallop" "$T/top.err" > "$T/top.sh"
	keys "clear; sh $T/top.sh $*; echo \$? > $T/status" Enter
}

view_pid() { cat "$T/view.pid"; }

# The status of the last one; nothing at the limit.
status() { filled "$T/status" && cat "$T/status"; }

# filled FILE: it has something in it, within the limit.
filled() {
	local end=$((SECONDS + limit))
	until [ -s "$1" ]; do
		[ "$SECONDS" -lt "$end" ] || return 1
		pass_time 0.05
	done
	return 0 # not what waiting for time returned
}

# ended WHAT STATUS REGEX: the terminal is as it was before, and this is on it.
ended() {
	is "$1: status" "$(status)" "$2"
	is "$1: the first screen, the cursor" "$(tm display -p -t view '#{alternate_on} #{cursor_flag}')" "0 1"
	rm -f "$T/stty.after"
	keys "" "stty -g > $T/stty.after" Enter
	succeeds "$1: the shell goes on" filled "$T/stty.after"
	is "$1: the terminal's modes" "$(cat "$T/stty.after")" "$(cat "$T/stty")"
	[ -z "$3" ] || shows "$1: the summary" "$3"
}

# Numbers with their units, bars and runs of blanks are what differs from run to run.
masked() {
	LC_ALL=C.UTF-8 sed -E 's/^(alloc|heap|GC) .*/\1 #/; s/[0-9][0-9.,]*( (B|KiB|MiB|GiB|ns|us|ms|s|min|%))?/#/g
		s/ +/ /g; s/ $//; s/#-#-# #:#:# [A-Z]+$/CLOCK/'
}

# like WHAT NAME: the screen is the golden one.
like() {
	local end=$((SECONDS + limit))
	local file=$golden/$2.txt
	if [ -n "${GALLOP_GOLDEN_UPDATE:-}" ]; then
		screen | masked > "$file"
	fi
	while [ $SECONDS -lt $end ]; do
		screen | masked > "$T/masked"
		cmp -s "$T/masked" "$file" && pass "$1" && return
		pass_time 0.1
	done
	fail "$1" "$(diff "$T/masked" "$file")"
}

# --- screens ------------------------------------------------------------------------------------------

# Filtered to what every interval has, in the order of names, which doesn't depend on numbers.
sites_at() {
	local size=$1x$2
	open_terminal "$1" "$2"
	run_top --mode exact -p "$program"
	shows "$size: numbers come" '/s, [0-9,]+ objects/s'
	keys f '^main.newOrder' Enter
	shows "$size: the filter is told" 'filtered: .main.newOrder'
	keys c
	shows "$size: cumulative" 'since the start, '
	keys '<'
	[ "$1" -lt 110 ] || keys '<' # past the types
	shows "$size: sorted by the function" 'FUNCTION \(FILE:LINE\)\*'
	like "$size: sites" "top-sites-$size"
	keys Enter
	shows "$size: a tree" 'who calls: '
	shows "$size: to its root" 'runtime.main'
	keys i
	shows "$size: the other way round" 'what it calls that allocates: '
	keys Escape
	shows "$size: back" '\[1 Sites\]'
}

tabs_at() {
	local size=$1x$2
	keys f Enter
	keys 2
	shows "$size: types" '\[2 Types/sizes\].*SHARE +TYPE.*main.Item'
	keys 2
	shows "$size: size classes" 'SIZE CLASS.*32 B'
	keys 3
	shows "$size: maps" '\[3 Maps\].*ASSIGN/S +DELETE/S.*PATTERN.*delete loop'
	keys 4
	shows "$size: the collector" '\[4 GC\].*CYCLE\* +LIVE.*heap goal'
	keys 4
	shows "$size: its report" 'GC: .* by reason|Pauses|stops of the world|Stops'
	keys 5
	shows "$size: probes" '\[5 Probes\].*mode +exact.*attached'
	keys Tab
	shows "$size: and round" '\[1 Sites\]'
	keys '?'
	shows "$size: help" 'tabs: Sites, Types, Maps, GC, Probes'
	keys q
}

keys_do() {
	open_terminal 80 24
	run_top --mode exact -p "$program"
	shows "keys: numbers" '/s, [0-9,]+ objects/s'
	keys p
	shows "keys: paused" 'PAUSED'
	keys p
	keys n
	shows "keys: by objects" 'OBJS/S\*'
	keys r
	shows "keys: reversed" 'OBJS/S\^'
	keys / 'no such thing' Enter
	shows "keys: nothing is found" "no row matches 'no such thing'"
	keys / '(' Enter
	shows "keys: no pattern" "'\('"
	keys d
	shows "keys: no mark" 'there is no mark'
	keys m
	shows "keys: marked" 'marked: '
	keys d
	shows "keys: changes" 'CHANGE/S\* .*change since the mark|change since the mark.*CHANGE/S\*'
	keys d z
	shows "keys: a baseline" 'since the baseline, '
	keys Z c
	shows "keys: the interval again" ' last [0-9]'
	keys -
	shows "keys: shorter intervals" 'an interval is 500 ms'
	keys s "$T/saved.json" Enter
	shows "keys: saved" 'saved all since the start as json'
	succeeds "keys: what was saved" jq -e '.alloc.objects > 0 and (.alloc.sites | length > 5)' "$T/saved.json"
	keys s /dev/null Enter
	shows "keys: a device isn't a file" "not saved: '/dev/null'"
	keys s "$T/x.nothing" Enter
	shows "keys: an unknown suffix" "not saved: .*no format has"
	keys C
	shows "keys: another theme" 'theme: light'
	tm resize-window -t view -x 120 -y 40
	shows "resize: larger" 'AVG SIZE'
	tm resize-window -t view -x 70 -y 20
	shows "resize: too small" 'needs 80x24: 70x20 is too small'
	tm resize-window -t view -x 80 -y 24
	shows "resize: as before" '\[1 Sites\].*SHARE  FUNCTION'
	keys C-z
	shows "Ctrl-Z: the shell" 'Stopped'
	is "Ctrl-Z: the first screen" "$(tm display -p -t view '#{alternate_on}')" 0
	rm -f "$T/status"
	keys "fg; echo \$? > $T/status" Enter
	shows "fg: the view" '\[1 Sites\]'
	keys '?'
	shows "fg: it reads keys" 'tabs: Sites, Types'
	keys C-c
	ended "Ctrl-C" 0 'lost: +nothing'
}

# --- ways out --------------------------------------------------------------------------------------------

ends_by_signal() {
	local signal=$1 status=$2 summary=$3
	run_top --mode exact -p "$program"
	shows "$signal: numbers" '/s, [0-9,]+ objects/s'
	kill "-$signal" "$(view_pid)"
	ended "$signal" "$status" "$summary"
}

target_exits() {
	start_program "$exe"
	open_terminal 80 24
	run_top --mode exact -p "$program"
	shows "exit: numbers" '/s, [0-9,]+ objects/s'
	kill -TERM "$program"
	shows "exit: it is told" 'target exited; q quits'
	keys 5
	shows "exit: the last numbers can be looked at" '\[5 Probes\].*check:'
	keys p
	shows "exit: nothing to pause" 'nothing to pause'
	keys q
	ended "exit: quit" 0 'lost: +nothing'
	wait "$program" 2> /dev/null
	run_top --mode exact -- "$(go_program "$newest" plain exit)" status 7
	shows "a command: its status" 'target exited \(status 7\); q quits'
	keys C-c
	ended "a command" 7 'lost: +nothing'
}

# gone PID: it ends, within the limit.
gone() {
	local end=$((SECONDS + limit))
	while [ "$SECONDS" -lt "$end" ]; do
		kill -0 "$1" 2> /dev/null || return 0
		pass_time 0.05
	done
	return 1
}

terminal_vanishes() {
	open_terminal 80 24
	run_top -p "$program"
	shows "vanishing: numbers" '/s, [0-9,]+ objects/s'
	local pid
	pid=$(view_pid)
	tm kill-server
	succeeds "vanishing: it ends" gone "$pid"
	# One that ignores hang-ups sees that nobody is there.
	open_terminal 80 24
	keys "trap '' HUP" Enter
	run_top -p "$program"
	shows "vanishing, nohup: numbers" '/s, [0-9,]+ objects/s'
	pid=$(view_pid)
	tm kill-server
	succeeds "vanishing, nohup: it ends" gone "$pid"
	is "vanishing, nohup: status" "$(status)" 0
}

# A command that ignores Ctrl-C, as one of its own may: the first ends the view, which waits for it then; the next us.
second_interrupt() {
	open_terminal 80 24
	keys "trap '' INT" Enter
	run_top --mode exact -- "$exe"
	shows "two interrupts: numbers" '/s, [0-9,]+ objects/s'
	local pid child
	pid=$(view_pid)
	read -r child < "/proc/$pid/task/$pid/children"
	keys C-c
	shows "two interrupts: the first, the summary" 'lost: +nothing'
	keys C-c
	ended "two interrupts" 130
	kill -KILL "$child"
}

# --- terminals of other kinds ----------------------------------------------------------------------------

colours() { tm capture-pane -e -p -t view | grep -c $'\e\\[[0-9;]*[34][0-8]'; }

kinds() {
	open_terminal 80 24 NO_COLOR=1
	run_top --mode exact -p "$program"
	shows "NO_COLOR: numbers" '/s, [0-9,]+ objects/s'
	is "NO_COLOR: none" "$(colours)" 0
	keys q
	ended "NO_COLOR" 0
	run_top --mode exact --theme light -p "$program"
	shows "NO_COLOR, --theme: numbers" '/s, [0-9,]+ objects/s'
	is "NO_COLOR, --theme: none" "$(colours)" 0
	keys q
	ended "NO_COLOR, --theme" 0
	open_terminal 80 24 LC_ALL=C
	run_top --mode exact -p "$program"
	shows "ASCII: a graph" $'\nalloc +.*#'
	is "ASCII: nothing else" "$(screen | LC_ALL=C grep -c -P '[^\x00-\x7f]')" 0
	matches "colours: there are some" "$(colours)" '^[1-9]'
	keys q
	ended "ASCII" 0
	keys "clear; TERM=dumb $gallop top -n 1 --mode exact -p $program" Enter
	shows "TERM=dumb: blocks" 'check: runtime counted'
	keys "clear; $gallop top --once --mode exact -p $program | tail -n 3" Enter
	shows "a pipe: blocks" 'check: '
}

# A terminal that wants delays, which aren't text; one that says it is huge, which isn't believed.
odd_terminals() {
	open_terminal 80 24
	keys "export TERM=vt100" Enter
	run_top --mode exact -p "$program"
	shows "vt100: numbers" '/s, [0-9,]+ objects/s'
	kill -QUIT "$(view_pid)"
	ended "vt100: SIGQUIT" 131
	is "vt100: no delays" "$(screen | grep -c -F "\$<")" 0
	open_terminal 80 24
	keys "stty rows 65535 cols 65535" Enter
	run_top --mode exact -p "$program"
	shows "a huge terminal: it draws" 'main\.' # at columns that this one hasn't
	local kib
	kib=$(awk '/^VmHWM/ { print $2 }' "/proc/$(view_pid)/status")
	succeeds "a huge terminal: $kib KiB are enough" [ "${kib:-400000}" -lt 400000 ]
	keys q
	is "a huge terminal: status" "$(status)" 0
}

# A pattern that would take all memory is refused, one that takes for ever is given up: keys work.
costly_patterns() {
	open_terminal 80 24
	run_top --mode exact -p "$program"
	shows "patterns: numbers" '/s, [0-9,]+ objects/s'
	keys / '((a{1,255}){1,255}){1,255}' Enter
	shows "patterns: refused" 'too many repetitions'
	keys C-c
	ended "patterns" 0 'lost: +nothing'
}

oldest_version() {
	exe=$(go_program 1.19 stripped demo) || { skip "Go 1.19" "not here"; return; }
	start_program "$exe"
	open_terminal 80 24
	run_top -p "$program"
	shows "Go 1.19: numbers" 'go1.19.*/s, [0-9,]+ objects/s'
	keys q
	ended "Go 1.19" 0 'lost: +nothing'
	kill -TERM "$program"
}

exe=$(go_program "$newest" stripped demo) || skip_all "no Go $newest: $(cat "$T/build.err")"
start_program "$exe" || { cat "$T/program.err"; exit 1; }
for size in "80 24" "120 40" "200 60"; do
	# shellcheck disable=SC2086 # two numbers
	sites_at $size
	# What each tab shows at each size is tests/unit/test_tui.c's.
	[ "$size" != "80 24" ] || tabs_at 80 24
	keys q
	ended "$size: quit" 0 'lost: +nothing'
done
keys_do
ends_by_signal TERM 0 'lost: +nothing'
ends_by_signal SEGV 139 ''
terminal_vanishes
kinds
odd_terminals
costly_patterns
second_interrupt
demo=$program
target_exits
kill -TERM "$demo"
oldest_version
done_testing
