#!/bin/bash
# Help, the manual and shell completion: made from one table, and each as its reader meets it - help in 80 columns,
# pages that mandoc has nothing to say of, completion as a real bash, zsh and fish offer it.
# shellcheck source=../live/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../live/lib.bash"
need_gallop
need_tools mandoc shellcheck zsh fish

export LC_ALL=C TERM=xterm
cd "$T" || exit 1
mkdir bin pages work zsh
ln -s "$(realpath "$gallop")" bin/gallop
PATH=$T/bin:$PATH
commands=$(gallop help | sed -n '/^Usage/,/^Examples/s/^  \([a-z][a-z]*\)  .*/\1/p')

declare -A options # of a command, one a line, as its help tells them

# --- help and the manual -----------------------------------------------------------------------------

# Options of a command, one a line: as each place tells them.
in_table() { sed -n 's/^\t{ "\([a-z-]*\)", .*OPTION_.*/\1/p' "$top/user/cmd/options.c" | sort -u; }
in_help() { sed -n 's/^  *\(-., \)\{0,1\}--\([a-z][a-z-]*\).*/\2/p' "help.$1" | grep -vxe help -e usage; }
in_man() {
	awk '/^\.SH/ { on = $2 == "OPTIONS" } on && /^\\fB/' "pages/gallop-$1.1" |
		sed -n 's/\\-/-/g; s/.*\\fB--\([a-z-]*\)\\fR.*/\1/p' | grep -vxe help -e usage
}

# The example command lines of a help.
examples_of() { sed -n '/^Examples:/,/^$/s/^  \([^ ]\)/\1/p' "$1"; }

documentation() {
	local c page all=''
	matches "help: lists the commands" "$commands" $'list\ndoctor\n.*record\n.*report'
	gallop help > help.txt
	succeeds "man --directory" gallop man --directory pages
	is "man --directory: a page each" "$(ls pages)" "$(sort <<< "gallop.1"$'\n'"gallop-${commands//$'\n'/.1$'\n'gallop-}.1")"
	for c in $commands; do
		gallop "$c" --help > "help.$c"
		options[$c]=$(in_help "$c")
		all+=${options[$c]}$'\n'
		is "options of $c: the manual's as in its help" "$(in_man "$c")" "${options[$c]}"
		is "help $c: as $c --help" "$(gallop help "$c")" "$(< "help.$c")"
		is "man $c: the page of it" "$(gallop man "$c")" "$(< "pages/gallop-$c.1")"
		succeeds "help $c: has examples" [ -n "$(examples_of "help.$c")" ]
	done
	is "options: the table's, all of them" "$(sort -u <<< "$all" | grep .)" "$(in_table)"
	is "options: each has its group" "$(grep -l 'More options' help.*)" ""
	is "help: in 80 columns" "$(grep -nE '^.{80}' help.*)" ""
	for page in pages/*; do
		nothing "$page: mandoc has nothing to say" mandoc -Tlint "$page"
	done
	for c in EXAMPLES 'EXIT STATUS' ENVIRONMENT FILES 'SEE ALSO'; do
		is "man: each page has $c" "$(grep -L "^\.SH $c" pages/*)" ""
	done
	is "man: what is to be seen, too, is there" "$(sed -n 's/^\.BR \([^ ]*\) (1).*/\1/p' pages/* | sed 's/\\-/-/g' |
		sort -u | while read -r page; do [ -e "pages/$page.1" ] || echo "$page"; done)" ""
	is "man: the same every time" "$(gallop man)" "$(< pages/gallop.1)"
	is "man gallop: the page that is called so" "$(gallop man gallop)" "$(< pages/gallop.1)"
	is "help gallop: help" "$(gallop help gallop)" "$(< help.txt)"
	run help nothing
	refused "help nothing" 2 "'nothing'"
	run man nothing
	refused "man nothing" 2 "'nothing'"
	run man --directory no/such
	refused "man --directory: there is none" 1 no/such
	run man op --directory pages
	refused "man --directory: no command" 2 "all pages"
}

# What is shown as an example must be one that is understood, whatever then becomes of it.
examples() {
	local line seen=0
	cp "$top/tests/fuzz/corpus/recording/full" work/app.gallop
	while IFS= read -r line; do
		seen=$((seen + 1))
		line=${line#sudo }
		line=${line%%|*}
		line=${line//1234/4194304}
		(cd work && timeout "$limit" bash -c "$line" > ../out 2> ../err < /dev/null)
		case $? in
		127) matches "example: $line" "$(< err)" "'./server'" ;; # which isn't here
		2 | 1[23]?) fail "example: $line" "$(< err)" ;;
		*) pass "example: $line" ;;
		esac
	done < <(for c in txt $commands; do examples_of "help.$c"; done)
	succeeds "examples: there are" [ $seen -gt 20 ]
}

typos() {
	local want args
	while IFS='|' read -r want args; do
		# shellcheck disable=SC2086 # words
		run $args
		refused "gallop $args: a usage error" 2 .
		matches "gallop $args: a hint" "$err" "$want"
	done <<-'END'
		did you mean report\?|reprot
		did you mean report\?|rep
		did you mean top\?|tpo -p 1
		did you mean doctor\?|help docter
		did you mean heap\?|man haep
		did you mean --pid\?|top --pdi 1
		did you mean --budget\?|record -p 1 --bugdet=3
		did you mean --mode\?|op -f --no --modee exact
		'gallop op --help' lists|op --unheard-of
		--format bench|op r.gallop -f bench
	END
	run nothing
	is "nothing near, nothing guessed" "$err" "gallop: 'nothing' is not a command"$'\n'"hint: 'gallop help' lists them"
	run top --pi 4194304
	refused "an option cut short is one" 3 4194304
	run op -f --bugdet -p 4194304
	refused "an option's argument isn't one" 3 4194304
	run "$(printf 'x%.0s' {1..70000})"
	is "a word without end: status" $status 2
	run top "--$(printf 'x%.0s' {1..70000})"
	is "an option without end: status" $status 2
	run top $'--p\e[31mid'
	is "no escape reaches the terminal" "$(tr -d '\n -~' < "$T/err")" ""
	run
	is "gallop alone: help" "$out" "$(< help.txt)"
}

# --- completion --------------------------------------------------------------------------------------

# Each: lines of words to be completed -> what is offered, a word a line, with what is said of it behind a tab; "END".
offers_bash() {
	bash --norc -c '
		. ../completion.bash
		while IFS= read -r line; do
			read -ra COMP_WORDS <<< "${line//=/ = }"
			[[ $line != *[\ =] ]] || COMP_WORDS+=("")
			[[ $line != *= ]] || unset "COMP_WORDS[-1]"
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			_gallop 2> /dev/null	# compopt is for what is typed
			printf "%s\n" "${COMPREPLY[@]}" END
		done'
}
offers_zsh() { timeout -k 5 $((limit * 2)) zsh -f "$here/complete.zsh" "$T/zsh"; }
# shellcheck disable=SC2016 # fish's own
offers_fish() {
	fish --no-config -c 'source ../completion.fish
		while read -l line; complete -C $line; echo END; end'
}

# "NR WORD" of any order, NR a number of a line in the file lines -> the words of each, sorted, in a line.
by_line() {
	sort -u -k 1,1n -k 2 | awk -v lines="$nr" '
		{ words[$1] = words[$1] " " $2 }
		END { for (i = 1; i <= lines; i++) print substr(words[i], 2) }'
}

# What a shell offers, by_line. It shows words in its own way: with a slash behind a directory, with what is before
# them in the same word; those that end lines are kept in offers.SHELL as they are.
ask() {
	(cd work && "offers_$1" < ../lines | tr -d '\r') > "offers.$1"
	awk -F '\t' 'BEGIN { nr = 1 } /^END$/ { nr++; next }
		NF { sub(/^--[a-z-]*=/, "", $1); sub(/\/$/, "", $1); sub(/.*\//, "", $1); print nr, $1 }' "offers.$1" | by_line
}

# wanted LINE WORDS: asked when all are known.
nr=0
wanted() {
	local word
	nr=$((nr + 1))
	printf '%s\n' "$1" >> lines
	for word in $2; do echo "$nr $word" >> wanted; done
}

# As the manual of a command has it: "NAME VALUES" of its options with a choice; its formats.
choices_of() {
	sed 's/\\-/-/g' "pages/gallop-$1.1" |
		awk '/^\\fB.*--/ { sub(/.*--/, ""); sub(/\\fR.*/, ""); name = $0 }
			/^One of: / { sub(/^One of: /, ""); on = 1; values = "" }
			on { values = values " " $0; on = !sub(/\.$/, "", values); if (!on) print name values }'
}
formats_of() { awk '/^\.SH/ { on = $2 == "FORMATS" } on && /^\\fB/ { gsub(/\\f[BR]/, ""); print $1 }' "pages/gallop-$1.1"; }

collect_lines() {
	local c name values
	rm -f lines wanted
	wanted "gallop " "$commands"
	wanted "gallop help " "$commands"
	wanted "gallop man " "$commands"
	wanted "gallop completion " "bash zsh fish"
	for c in $commands; do
		wanted "gallop $c --" "${options[$c]:+--${options[$c]//$'\n'/ --}} --help"
		while read -r name values; do
			wanted "gallop $c --$name " "$values"
		done < <(choices_of "$c")
		values=$(formats_of "$c")
		[ -z "$values" ] || wanted "gallop $c --format " "$values"
		[[ $'\n'${options[$c]}$'\n' != *$'\npid\n'* ]] || wanted "gallop $c --pid " "17 4242 9999999"
	done
	wanted "gallop record -p " "17 4242 9999999"
	wanted "gallop op --mode=" "auto exact"
	wanted "gallop op --mode=e" exact
	wanted "gallop heap -f c" collapsed
	wanted "gallop report " "a.gallop dir"
	wanted "gallop gc " "a.gallop dir"
	wanted "gallop report dir/" b.gallop
	wanted "gallop record -o " "a.gallop dir"
	wanted "gallop report -o a" "a.folded a.json"
	wanted "gallop report --output=a.j" a.json
	wanted "gallop record --duration " ""
	wanted "gallop man --directory " dir
	wanted "gallop doctor a.x" "a.xml"
	wanted "gallop record -p 17 -- gallop-te" "gallop-tested"
	wanted "gallop record -p 17 -- gallop-tested a.x" "a.xml"
}

# What a hostile list of processes would do in a shell that evaluates what it completes.
hostile_list() {
	mkdir -p fake
	cat > fake/gallop <<-'END'
		#!/bin/bash
		[ "$*" = list ] || exit 1
		echo "    PID  NAME             GO          SYMBOLS   CONTAINER     TRACEABLE          MAIN PACKAGE"
		echo "     17  plain            go1.27.4    yes       -             exact, 17 probes   a/b"
		echo '   4242  $(touch pwned)   go1.27.4    yes       `touch pwned` exact, 17 probes   ;touch pwned;'
		echo "9999999  a:b'\\\"]*?       go1.27.4    yes       -             exact, 17 probes   -"
		echo "gallop: 17 other processes could not be looked at" >&2
	END
	chmod +x fake/gallop
}

completion() {
	local shell i want got
	for shell in bash zsh fish; do gallop completion "$shell" > "completion.$shell"; done
	run completion tcsh
	refused "completion tcsh" 2 tcsh
	nothing "bash: shellcheck has nothing to say" shellcheck -s bash completion.bash
	cp completion.zsh zsh/_gallop
	hostile_list
	mkdir -p work/dir
	rm -f work/*.*
	touch work/{a.gallop,a.json,a.folded,a.xml,dir/b.gallop,dir/b.c}
	printf '#!/bin/sh\n' > bin/gallop-tested
	chmod +x bin/gallop-tested
	collect_lines
	mapfile -t lines < lines
	mapfile -t want < <(by_line < wanted)
	for shell in bash zsh fish; do
		mapfile -t got < <(PATH=$T/fake:$PATH ask "$shell")
		# Only bash shows what begins with a dash with the commands.
		[ $shell != bash ] || got[0]=$(tr ' ' '\n' <<< "${got[0]}" | grep -v ^- | xargs)
		for i in "${!lines[@]}"; do is "$shell: '${lines[i]}'" "${got[i]}" "${want[i]}"; done
	done
	is "what a process is called is run by no shell" "$(find . -name pwned)" ""
	matches "fish: what an option does" "$(< offers.fish)" $'--pid\tthe process to look at'
	matches "zsh: what an option does" "$(< offers.zsh)" $'--pid\t--pid +-- the process to look at'
	matches "zsh: which process" "$(< offers.zsh)" $'17\t17 +-- plain go1.27.4'
	matches "fish: which process" "$(< offers.fish)" $'17\tplain go1.27.4'
}

documentation
examples
typos
completion
done_testing
