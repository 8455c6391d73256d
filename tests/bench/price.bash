# shellcheck shell=bash
# shellcheck disable=SC2154 # what the live tests' helpers set
# For price.bench: servers, load, and slots in which something is traced or not.

slot=${PRICE_SLOT:-3}
tick=$(getconf CLK_TCK)
# etcd waits for the disk with every write: measured is etcd, not the disk.
data=$(mktemp -d /dev/shm/gallop-bench.XXXXXX)
trap 'rm -rf "$data"; _cleanup' EXIT

pairs_of() { if [ "$1" = auto ] || [ "$1" = nothing ]; then echo "${PRICE_PAIRS:-7}"; else echo 3; fi; }
pass_time() { IFS= read -r -t "$1" -u "$_pause"; true; }
now() { cut -d ' ' -f 1 /proc/uptime; }
cpu_seconds() { sed 's/.*) //' "/proc/$1/stat" | awk -v t="$tick" '{ print ($12 + $13) / t }'; }
peak_mb() { awk '$1 == "VmHWM:" { print $2 * 1024 / 1e6 }' "/proc/$1/status"; }
skipped() { echo "price.bench: $1: $(tail -n 1 "$T/build.err")" >&2; }

# --- servers -------------------------------------------------------------------------------------------------------------

# debian_exe PACKAGE PATH: installed, or where tools/install-deps has unpacked it.
debian_exe() {
	local dir
	for dir in "" "${GALLOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gallop}/debian/$1"; do
		[ ! -x "$dir$2" ] || { echo "$dir$2"; return; }
	done
	echo "'$1' is missing: run 'tools/install-deps bench'" > "$T/build.err"
	return 1
}

server_exe() {
	case $1 in
	etcd) debian_exe etcd-server /usr/bin/etcd ;;
	nats) debian_exe nats-server /usr/sbin/nats-server ;;
	plain) go_program "$version" plain plainserver ;;
	esac
}

# In a subshell, which becomes the server.
run_server() {
	case $1 in
	etcd) exec "$server_file" --data-dir "$data/etcd" --log-level error --listen-client-urls "http://$2" \
		--advertise-client-urls "http://$2" --listen-peer-urls "http://127.0.0.1:$3" ;;
	nats) exec "$server_file" -a 127.0.0.1 -p "${2#*:}" -l "$T/nats.log" ;;
	plain) exec "$server_file" "$2" ;;
	esac
}

# start_server NAME: sets server (pid), server_file and address. Whether it listens is found out by who connects.
start_server() {
	local ports
	load=$(go_program "$version" plain loadgen) && server_file=$(server_exe "$1") || return
	mapfile -t ports < <("$load" free 2)
	address=127.0.0.1:${ports[0]}
	# Of the pipe that nothing comes through, which doesn't end either.
	run_server "$1" "$address" "${ports[1]}" <&"$_pause" > "$T/server.out" 2> "$T/server.err" &
	server=$!
	ours $server
	until_true runs_file $server "$server_file"
}

# The shell's child may still be the shell.
runs_file() { [ "/proc/$1/exe" -ef "$2" ]; }

stop_server() {
	kill -TERM "$server"
	wait_exit "$server" > /dev/null
	rm -rf "${data:?}"/*
}

# --- what traces -----------------------------------------------------------------------------------------------------------

# Each sets tracer when its probes count, and stop_tracer ends it.
trace_auto() { start_gallop record -q --mode auto -p "$1" -o "$data/t.gallop"; }
trace_exact() { start_gallop record -q --mode exact -p "$1" -o "$data/t.gallop"; }
trace_nothing() { tracer=''; }

# The obvious one-liner, and from Go 1.24 on the functions that mallocgc hands on to. A stripped program has no function
# that it would know.
trace_bpftrace() {
	bpftrace -e "uprobe:$2:runtime.mallocgc* { @[ustack] = sum(reg(\"ax\")); } END { clear(@); }" -p "$1" \
		> "$T/bpftrace.out" 2> "$T/bpftrace.err" < /dev/null {program_in}>&- {program_out}<&- &
	tracer=$!
	ours $tracer
	until_true probed "$1"
}

stop_tracer() {
	[ -z "$tracer" ] || stop "$tracer" || return
	rm -f "$data/t.gallop"
}

own_begin() {
	[ "$1" = auto ] || return 0
	own_since=$(now) own_cpu=$(cpu_seconds "$tracer")
}

own_end() {
	[ "$1" = auto ] || return 0
	calc "($(cpu_seconds "$tracer") - $own_cpu) / ($(now) - $own_since) * 100" >> "$T/own_cpu"
	echo >> "$T/own_cpu"
	peak_mb "$tracer" >> "$T/own_rss"
}

# --- slots -------------------------------------------------------------------------------------------------------------------
#
# A slot's figures are a line {"ops":N,"cpu":N,"p50":N,"p99":N} in $T/off or $T/on: the n-th of each belong together. ops
# is per second; cpu is the target's CPU time for each of them, which other load on the machine hardly changes.

begin_load_slot() {
	echo mark >&"$program_in"
	IFS= read -r -t "$limit" -u "$program_out" _
}

# ... CPU: seconds that the target has taken.
end_load_slot() {
	local line
	echo mark >&"$program_in"
	IFS= read -r -t "$limit" -u "$program_out" line &&
		jq -e -c --argjson cpu "$1" 'select(.errors == 0 and .ops > 0)
			| {ops: (.ops / .seconds), cpu: ($cpu / .ops), p50: .p50_us, p99: .p99_us}' <<< "$line"
}

tell_truth() {
	echo "truth $1" >&"$program_in"
	wait_line "$program_out" '^done$'
}

begin_work_slot() { tell_truth "$data/from"; }

# Of bursts what counts is how fast they are, not how many came.
end_work_slot() {
	tell_truth "$data/to" &&
		jq -n -c --argjson cpu "$1" --slurpfile a "$data/from" --slurpfile b "$data/to" '$a[0] as $a | $b[0] as $b
			| ($b.mallocs - $a.mallocs) as $objects
			| {ops: ($objects * 1e9 / (($b.burst_ns - $a.burst_ns) as $n
			| if $n > 0 then $n else $b.mono_ns - $a.mono_ns end)), cpu: ($cpu / $objects), p50: 0, p99: 0}'
}

# one_slot KIND PID
one_slot() {
	local before
	"begin_$1_slot" && before=$(cpu_seconds "$2") && pass_time "$slot" && "end_$1_slot" "$(calc "$(cpu_seconds "$2") - $before")"
}

# KIND WAY PID FILE
off_slot() { one_slot "$1" "$3" >> "$T/off"; }
on_slot() { "trace_$2" "$3" "$4" && own_begin "$2" && one_slot "$1" "$3" >> "$T/on" && own_end "$2" && stop_tracer; }

# pairs KIND WAY PID FILE N: which of a pair comes first changes.
pairs() {
	local i
	rm -f "$T/on" "$T/off" "$T/own_cpu" "$T/own_rss"
	pass_time 2	# until caches are warm
	for ((i = 0; i < $5; i++)); do
		if ((i % 2)); then
			on_slot "${@:1:4}" && off_slot "${@:1:4}" || return
		else
			off_slot "${@:1:4}" && on_slot "${@:1:4}" || return
		fi
	done
}

# measure_server WAY NAME CONNECTIONS RATE PAIRS
measure_server() {
	local kind=$2 rc
	[ "$kind" != plain ] || kind=http
	start_program "$load" -conns "$3" -rate "$4" "$kind" "$address" || return
	pairs load "$1" "$server" "$server_file" "$5"
	rc=$?
	end_program && return $rc
}

# measure_program WAY MODE PAIRS
measure_program() {
	local exe rc
	exe=$(go_program "$version" plain samptruth) || return
	start_program "$exe" -rate 4 "$2" || return
	pairs work "$1" "$program" "$exe" "$3"
	rc=$?
	end_program && return $rc
}

# --- figures -----------------------------------------------------------------------------------------------------------------

ratios() { jq -n --slurpfile off "$T/off" --slurpfile on "$T/on" --arg f "$1" 'range($on | length) | $on[.][$f] / $off[.][$f]'; }
side() { jq ".$2" "$T/$1" | median; }
quartiles() { sort -n | awk '{ v[NR] = $1 } END { printf "%.3f-%.3f", v[int((NR + 3) / 4)], v[int((3 * NR + 3) / 4)] }'; }
