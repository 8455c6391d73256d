#!/usr/bin/env zsh
# complete.zsh DIR < LINES: what an interactive zsh offers at the end of each line, with completion functions of
# DIR: a word a line, and behind a tab what is said of it; then a line "END".
#
# zsh completes only while a line is edited, so there is one in a terminal of its own. What is offered is seen where
# it is handed over, in compadd.
zmodload zsh/zpty
limit=${GALLOP_TEST_LIMIT:-60}
dir=$(mktemp -d)
mkfifo $dir/offers
cat > $dir/setup <<-'END'
	autoload -U compinit && compinit -u -D
	compadd() {
		local -a hits about
		local at=${@[(i)-[a-zA-Z0-9]#d]}
		# These look matches up, and add none.
		if [[ " ${@[1,(i)(-|--)]}" == *' '-[AOD]* ]]; then
			builtin compadd "$@"
			return
		fi
		builtin compadd -O hits "$@"
		((at >= $#)) || about=("${(@P)@[at+1]}")
		for ((at = 1; at <= $#hits; at++)); do print -r -- $hits[at]$'\t'$about[at] >&9; done
		builtin compadd "$@"
	}
	offer() {
		_main_complete
		print END >&9
		compstate[insert]='' compstate[list]=''
	}
	setopt extended_glob
	zle -C offer complete-word offer
	bindkey '^I' offer
END
zpty terminal zsh -f -i
zpty -w terminal "fpath=(${(q)1} \$fpath); source $dir/setup; exec 9> $dir/offers"
exec 8< $dir/offers
while IFS= read -r line; do
	zpty -w -n terminal $'\025'$line$'\t'
	while IFS= read -t $limit -r offer <&8; do
		print -r -- $offer
		[[ $offer != END ]] || break
	done
done
zpty -d terminal
rm -r $dir
