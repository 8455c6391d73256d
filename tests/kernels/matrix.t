#!/bin/bash
# timeout: 1800
# gallop on other kernels than this one: Debian's, booted in an emulated machine, with Go programs that know what they
# allocate. Counted and lost equal the truth everywhere, whatever the kernel lacks and however it preempts.
#
# GALLOP is a static one, and GALLOP_ARM64 one for arm64. KERNELS_ROWS chooses less than all rows, by their names, KERNELS_PARTS less than all parts of
# each; KERNELS_LIMIT is how many seconds a machine may take.
# shellcheck source=../live/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../live/lib.bash"
kernels=$here
need_gallop
need_tools jq busybox cpio

# name (-arm64: of that machine), Debian suite, parts of guest.sh, options of the kernel's command line
rows=(
	"5.10 bullseye doctor,exact"
	"6.1 bookworm doctor,exact,crowd,auto,running"
	"6.12-voluntary trixie doctor,exact,perf,auto,running preempt=voluntary"
	"6.12-full trixie doctor,exact,perf,crowd,auto preempt=full"
	"newest trixie-backports doctor,exact,perf,crowd,auto,running"
	"newest-arm64 trixie-backports doctor,exact,auto,running,op"
)

wanted() { [[ " ${KERNELS_ROWS:-$1} " == *" $1 "* ]]; }

for entry in "${rows[@]}"; do
	case ${entry%% *} in
	*-arm64) emulator=qemu-system-aarch64 ;;
	*) emulator=qemu-system-x86_64 ;;
	esac
	! wanted "${entry%% *}" || need_tools $emulator
done

# What doctor says of them where probes are attached so.
declare -A links=(
	[perf]='-- +uprobe_multi links +needs Linux 6.6: perf uprobes are used, auto mode has no windows'
	[uprobe_multi]='ok +uprobe_multi links +yes'
)

# How their kernels preempt, asked for or by default: the newest has no voluntary one.
declare -A preempts=([6.1]=voluntary [6.12-voluntary]=voluntary [6.12-full]=full [newest]=lazy
	[newest-arm64]=static)

# crowd_differences RUN FILTER
crowd_differences() {
	jq -nr --slurpfile t "$dir/$1.truth" --slurpfile g "$dir/$1.json" --slurpfile r <(echo null) \
		"$(< "$top/tests/live/truth.jq") $(< "$kernels/crowd.jq") $2" | head -n 20
}

talk_of() { tail -n 20 "$dir/$1.err"; }

# A run that must have been recorded, as the part RUN of this row.
check_run() {
	local name="$row, $1"
	is "$name: gallop's status" "$(cat "$dir/$1.rc")" 0
	if ! timeout "$limit" "$gallop" report "$dir/$1.gallop" -f json -o "$dir/$1.json" 2> "$T/err"; then
		fail "$name: the recording is readable" "$(cat "$T/err"; talk_of "$1")"
		return 1
	fi
}

# The best way to attach that this row's kernel has, or what the part RUN asked for.
attach_of() {
	case $row,$1 in
	6.1,* | *,perf) echo perf ;;
	*) echo uprobe_multi ;;
	esac
}

check_exact() {
	check_run "$1" || return
	is "$row, $1: how it was attached" "$(jq -r .meta.attach "$dir/$1.json")" "$(attach_of "$1")"
	nothing "$row, $1: the check line" crowd_differences "$1" check_differs
	nothing "$row, $1: objects of the phase" crowd_differences "$1" objects_differ
	if [ "$row,$1" = newest-arm64,exact-1.19 ]; then
		# Its runtime leaves frame pointers wrong when it moves a stack.
		nothing "$row, $1: objects, whose stacks may be cut" crowd_differences "$1" cut_objects_differ
	else
		nothing "$row, $1: stacks and objects" crowd_differences "$1" crowd_objects_differ
		nothing "$row, $1: stacks and assigns" crowd_differences "$1" crowd_assigns_differ
	fi
	echo "# $row, $1: $(jq -r '"\(.meta.attach), \(.alloc.objects) objects, lost: \(.loss | with_entries(select(.value > 0)) | tojson)"' "$dir/$1.json")"
}

check_auto() {
	check_run auto || return
	nothing "$row, auto: the total is the runtime's" crowd_differences auto total_differs
	[ "$(attach_of auto)" = uprobe_multi ] ||
		matches "$row, auto: that there are no windows" "$(jq -r '.meta.notes[]' "$dir/auto.json")" 'windows need uprobe_multi'
}

check_op() {
	check_exact op || return
	nothing "$row, op: calls, and what was made in them" crowd_differences op ops_differ
}

# What the kernel lacks is said, and is the reason that is given.
check_refused() {
	matches "$row, doctor: what is missing" "$(cat "$dir/doctor")" 'NO +attach cookies +needs Linux 5.15'
	for version in 1.19 1.23 1.27; do
		is "$row, $version: the status" "$(cat "$dir/exact-$version.rc")" 5
		matches "$row, $version: the reason" "$(talk_of "exact-$version")" 'too old: it has no BPF attach cookies'
	done
}

check_part() {
	[ -e "$dir/$1.dmesg" ] || { fail "$row, $1: was run"; return; }
	nothing "$row, $1: no complaint of the kernel's" cat "$dir/$1.dmesg"
	case $1 in
	doctor) matches "$row, doctor: the links" "$(cat "$dir/doctor")" "${links[$(attach_of doctor)]}" ;;
	exact) for version in 1.19 1.23 1.27; do check_exact "exact-$version"; done ;;
	auto) check_auto ;;
	op) check_op ;;
	*) check_exact "$1" ;;
	esac
}

check_row() {
	local part
	sed 's/^/# /' "$dir/kernel" "$dir/doctor" 2> /dev/null
	if [ "$row" = 5.10 ]; then check_refused; return; fi
	matches "$row: how it preempts" "$(cat "$dir/kernel")" "\\(${preempts[$row]}\\)"
	[[ $row != *-arm64 || $parts != *doctor* ]] ||
		matches "$row, doctor: the machine" "$(cat "$dir/doctor")" '-- +machine +arm64: tested in an emulator'
	for part in ${parts//,/ }; do check_part "$part"; done
}

# There as a whole or not at all: the next row takes what is there.
make_initrd() {
	local of=$gallop
	[ "$1" = amd64 ] || of=${GALLOP_ARM64:?}
	"$kernels/initrd" "$of" "$T/initrd-$1.part" "$1" && mv "$T/initrd-$1.part" "$T/initrd-$1"
}

try() {
	local row=$1 suite=$2 parts=${KERNELS_PARTS:-$3} dir=$T/$1 arch=amd64 vmlinuz
	shift 3
	[[ $row != *-arm64 ]] || arch=arm64
	vmlinuz=$("$top/tools/debian-kernel" image "$suite" $arch) || { fail "$row: a kernel of $suite"; return; }
	[ -e "$T/initrd-$arch" ] || make_initrd $arch || { fail "$row: an initial file system"; return; }
	BOOT_ARCH=$arch BOOT_LIMIT=${KERNELS_LIMIT:-600} "$kernels/boot" "$vmlinuz" "$T/initrd-$arch" "$dir" "$parts" "$@" 2> "$T/boot.err" ||
		fail "$row: runs to its end" "$(cat "$T/boot.err"; tail -c 2000 "$dir/console")"
	check_row
}

for entry in "${rows[@]}"; do
	name=${entry%% *}
	# shellcheck disable=SC2086 # fields
	! wanted "$name" || try $entry
done
done_testing
