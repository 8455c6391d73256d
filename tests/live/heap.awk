# A heap profile of runtime/pprof in text (debug=1) as lines of
#
#   SAMPLES_IN_USE SAMPLES_ALLOCATED OBJECTS_IN_USE BYTES_IN_USE OBJECTS_ALLOCATED BYTES_ALLOCATED BUCKETS STACK
#
# one for each stack that has any, stacks leaf first: "func:line;func:line". What samples stand for is computed as
# runtime/pprof does for its other format (protomem.go, scaleHeapSample), for each bucket.
#
# -v rate=N

function scaled(n, bytes) {
	return rate <= 1 || !n ? n : int(n / (1 - exp(-bytes / n / rate)))
}

function scaled_bytes(n, bytes) {
	return rate <= 1 || !n ? bytes : int(bytes / (1 - exp(-bytes / n / rate)))
}

# Go's own spelling of what a generic function was made for differs between its tables.
function plain(name,	from) {
	from = index(name, "[")
	if (!from) return name
	match(name, /.*\]/)
	return substr(name, 1, from - 1) "[...]" substr(name, RLENGTH + 1)
}

function flush() {
	if (header && (counts[1] || counts[3])) {
		use[stack] += counts[1]
		all[stack] += counts[3]
		use_objects[stack] += scaled(counts[1], counts[2])
		use_bytes[stack] += scaled_bytes(counts[1], counts[2])
		all_objects[stack] += scaled(counts[3], counts[4])
		all_bytes[stack] += scaled_bytes(counts[3], counts[4])
		buckets[stack]++
	}
	header = 0
	stack = ""
}

/^[0-9]+: [0-9]+ \[[0-9]+: [0-9]+\] @/ {
	flush()
	header = 1
	line = $0
	sub(/ @.*/, "", line)
	gsub(/[^0-9]+/, " ", line)
	split(line, counts, " ")
	next
}
/^#\t0x/ {
	n = split($0, cell, "\t")
	name = cell[3]
	sub(/\+0x[0-9a-f]+$/, "", name)
	where = cell[n]
	sub(/.*:/, "", where)
	stack = stack (stack == "" ? "" : ";") plain(name) ":" where
	next
}
/^$/ { flush() }
/^# runtime.MemStats/ { flush(); exit }
END {
	flush()
	for (s in buckets)
		printf "%d %d %d %d %d %d %d %s\n", use[s], all[s], use_objects[s], use_bytes[s],
			all_objects[s], all_bytes[s], buckets[s], s
}
