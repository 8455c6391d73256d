# A profile as 'go tool pprof -raw' prints it, as lines of
#
#   STACK<tab>VALUE<tab>VALUE...
#
# stacks leaf first, "func:line;func:line", with all samples of a stack as one; sorted by whoever reads it.
#
# -v only=PREFIX: stacks with a function in them whose name begins so.

# Go's own spelling of what a generic function was made for differs between its tables.
function plain(name,	from) {
	from = index(name, "[")
	if (from < 2) return name
	match(name, /.*\]/)
	return substr(name, 1, from - 1) "[...]" substr(name, RLENGTH + 1)
}

# "name file:line:column s=start()", or without the column before Go 1.23: the name, which may have blanks, and the line.
function frame(text,	n, word, where) {
	n = split(text, word, " ")
	split(word[n - 1], where, ":")
	sub(/ [^ ]+ [^ ]+$/, "", text)
	return plain(text) ":" where[2]
}

/^Samples:/ { part = "types"; next }
/^Locations/ { part = "locations"; next }
/^Mappings/ { part = ""; next }
part == "types" { nr = NF; part = "samples"; next }

# "VALUE VALUE: LOCATION LOCATION"; lines of labels have no blank behind their colon.
part == "samples" && /^ *-?[0-9].*: ([0-9 ]*)$/ {
	split($0, half, ":")
	n = split(half[1], v, " ")
	samples++
	ids[samples] = half[2]
	for (i = 1; i <= n; i++)
		value[samples, i] = v[i]
}

part == "locations" && /^ *[0-9]+: 0x/ {
	id = $1 + 0
	text = $0
	sub(/^ *[0-9]+: 0x[0-9a-f]+ (M=[0-9]+ )?(\[F\] )?/, "", text)
	at[id] = frame(text)
	next
}
part == "locations" {
	sub(/^ */, "")
	at[id] = at[id] ";" frame($0)
}

END {
	for (s = 1; s <= samples; s++) {
		n = split(ids[s], id_of, " ")
		stack = ""
		for (i = 1; i <= n; i++)
			stack = stack (i > 1 ? ";" : "") at[id_of[i]]
		if (only != "" && index(";" stack, ";" only) == 0)
			continue
		seen[stack] = 1
		for (i = 1; i <= nr; i++)
			sum[stack, i] += value[s, i]
	}
	for (stack in seen) {
		line = stack
		for (i = 1; i <= nr; i++)
			line = line sprintf("\t%d", sum[stack, i])
		print line
	}
}
