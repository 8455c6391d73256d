# shellcheck shell=sh
# What runs within a kernel under test, by busybox. Nothing is judged here: each run leaves what the program said
# (NAME.truth), the recording (NAME.gallop), gallop's talk (NAME.err) and its status (NAME.rc). The machine is emulated
# and slow: work is measured in objects, not in time.

limit=300	# seconds for anything

# recorded NAME GALLOP-OPTIONS... -- COMMAND...
recorded() {
	name=$1
	shift
	echo "  $name"
	timeout -k 5 $limit gallop record -o "/out/$name.gallop" "$@" > "/out/$name.truth" 2> "/out/$name.err"
	echo $? > "/out/$name.rc"
}

doctor() { gallop doctor > /out/doctor 2>&1; }

# Every event of the whole program, with the best way to attach that there is.
exact() {
	for version in 1.19 1.23 1.27; do
		recorded "exact-$version" --mode exact -- "/crowd-$version" -threads 8 -each 200
	done
}

# The other way, where there are two.
perf() { recorded perf --mode exact --attach perf -- /crowd-1.27 -threads 8 -each 200; }

# Many threads on one CPU, where one is preempted within a BPF program that others then run.
crowd() {
	recorded crowd --mode exact -- /crowd-1.27 -threads 32 -each "${1:-250}" -cpu 0
}

# Where each instruction is one that an interrupt can come before.
crowd_small() { crowd 20; }

# Within the budget.
auto() { recorded auto -- /crowd-1.27 -threads 4 -each 1000; }

# Calls of a function: each thread makes one, in which it makes all of its objects.
op() { recorded op --mode exact --op 'main.(*thread).leaf' -- /crowd-1.27 -threads 8 -each 200; }

# To a process that runs.
running() {
	mkfifo /tmp/in /tmp/ready
	/crowd-1.23 -threads 8 -each 200 -wait < /tmp/in > /out/running.truth &
	program=$!
	exec 3> /tmp/in 4<> /tmp/ready
	until grep -q ready /out/running.truth || ! kill -0 $program; do usleep 20000; done
	echo "  running"
	timeout -k 5 $limit gallop record --mode exact -p $program --ready-fd 4 -o /out/running.gallop 2> /out/running.err 3>&- &
	tracer=$!
	# shellcheck disable=SC3045 # busybox can
	read -r -t $limit _ <&4
	echo >&3
	until grep -q final /out/running.truth || ! kill -0 $program; do usleep 20000; done
	exec 3>&-
	wait $program
	wait $tracer
	echo $? > /out/running.rc
	sed -i /^ready/d /out/running.truth
}
