#!/bin/bash
# Programs in containers, and gallop in one: without an engine, by what engines do. Control groups and files of theirs are
# made by hand; namespaces by unshare.
# shellcheck source=lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
need_root
need_gallop
need_tools jq unshare nsenter

exe=$(go_program "${GALLOP_TEST_GO:-1.27}" plain exit) || skip_all "$(tail -n 1 "$T/build.err")"

# --- what engines make ------------------------------------------------------------------------------

# new_id: as random as theirs.
own=$gallop host=$T/on_host
new_id() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

groups=()
hierarchy=
for dir in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/pids; do
	mkdir "$dir/gallop-test-$$" 2> /dev/null || continue
	if [ -w "$dir/gallop-test-$$/cgroup.procs" ]; then hierarchy=$dir/gallop-test-$$; break; fi
	rmdir "$dir/gallop-test-$$"
done
# The groups can go when the processes are gone.
remove_groups() {
	local i
	for ((i = ${#groups[@]} - 1; i >= 0; i--)); do until_true rmdir "${groups[i]}"; done
	[ -z "$hierarchy" ] || until_true rmdir "$hierarchy"
}
clean_up() {
	local pid
	for pid in "${_pids[@]}"; do kill -KILL "$pid" 2> /dev/null; done
	wait 2> /dev/null
	remove_groups
	_cleanup
}
trap clean_up EXIT

# put_in PATH PID: into this control group. Where none can be made, gallop is shown one: "binds" are made before it starts.
put_in() {
	if [ -z "$hierarchy" ]; then
		echo "0::/$1" > "$T/cgroup.$2"
		echo "[ ! -d /proc/$2 ] || mount --bind '$T/cgroup.$2' /proc/$2/cgroup" >> "$T/binds"
		return
	fi
	local path=$hierarchy part
	for part in ${1//\// }; do
		path=$path/$part
		[ -d "$path" ] || { mkdir "$path" && groups+=("$path"); }
	done
	echo "$2" > "$path/cgroup.procs"
}
: > "$T/binds"

# gallop with the files of engines where engines have them, seen by it alone. It keeps the pid.
cat > "$T/on_host" << 'END'
#!/bin/sh
if [ "$1" != made ]; then exec unshare -m --propagation private "$0" made "$0" "$@"; fi
dir=${2%/*}
shift 2
mount -t tmpfs none /var/lib && cp -a "$dir/lib/." /var/lib
mount -t tmpfs none /run && cp -a "$dir/run/." /run
. "$dir/binds"
exec $AS_USER "$dir/gallop" "$@"
END
chmod 755 "$T/on_host"
install -m 755 "$gallop" "$T/gallop"

# docker_name ID NAME
docker_name() {
	mkdir -p "$T/lib/docker/containers/$1"
	jq -n --arg id "$1" --arg name "/$2" '{ID: $id, Name: $name}' > "$T/lib/docker/containers/$1/config.v2.json"
}

# pod_name ID NAMESPACE POD NAME: as containerd has it.
pod_name() {
	local dir=$T/run/containerd/io.containerd.runtime.v2.task/k8s.io/$1
	mkdir -p "$dir"
	jq -n --arg space "$2" --arg pod "$3" --arg name "$4" '{ociVersion: "1.1.0", annotations: {
		"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.container-name": $name,
		"io.kubernetes.cri.sandbox-name": $pod, "io.kubernetes.cri.sandbox-namespace": $space}}' > "$dir/config.json"
}

# podman_name ID NAME
podman_name() {
	mkdir -p "$T/lib/containers/storage/overlay-containers"
	jq -n --arg id "$1" --arg name "$2" '[{id: $id, names: [$name]}]' > "$T/lib/containers/storage/overlay-containers/containers.json"
}
mkdir -p "$T/lib" "$T/run"

# The program knows how many objects it allocates where; its status is 3.
thousand() {
	is "$2: objects" "$("$own" report "$1" -f json | jq '[.alloc.sites[] | select(.stack[0].func == "main.allocate") | .objects] | add')" 1000
	matches "$2: the check line" "$("$own" report "$1" | sed -n 's/^\(lost\|check\): *//p' | paste -sd ' ')" '^nothing runtime counted .* 100\.000 %'
}

# --- a container by its id and its name ---------------------------------------------------------------

# The pid that it chooses, or what it says.
choice() {
	gallop=$host run doctor --dry-run -c "$1"
	if [ "$status" = 0 ]; then echo chosen; else echo "$status: $(head -n 1 <<< "$err")"; fi
}

# start_waiting: one more program, which waits until it is killed. Sets pid.
start_waiting() {
	"$exe" wait status 3 < "$T/pause" > "$T/waiting.out" 2> "$T/waiting.err" {program_in}>&- {program_out}<&- &
	pid=$!
	ours $pid
	until_true grep -q '^ready' "$T/waiting.out" || fail "another program is ready" "$(cat "$T/waiting.err")"
}

web=$(new_id) api=$(new_id) db=$(new_id)
start_program "$exe" wait status 3 || fail "the program is ready" "$(cat "$T/program.err")"
put_in "system.slice/docker-$web.scope" "$program"
docker_name "$web" web-1

start_waiting
api_pid=$pid
put_in "kubepods.slice/kubepods-pod0b1c2d3e.slice/cri-containerd-$api.scope" "$api_pid"
pod_name "$api" shop api-0 app

sleep 1000000 {program_in}>&- {program_out}<&- &
ours $!
put_in "machine.slice/libpod-$db.scope/container" $!
podman_name "$db" db

for name in web-1 "$web" "${web:0:12}" "docker://$web" app api-0 api-0/app shop/api-0/app "containerd://$api"; do
	is "-c $name" "$(choice "$name")" chosen
done
gallop=$host run list --json
is "list tells the containers" "$(jq -r --argjson w "$program" --argjson a "$api_pid" '.[] | select(.pid == $w or .pid == $a).container' <<< "$out" | sort)" \
	"$(printf '%s\n' "$web" "$api" | sort)"
matches "nothing but what runs there is Go's" "$(choice db)" '^3: gallop: no Go program among the 1 process of container .db.: '
matches "by the beginning of its id, too" "$(choice "${db:0:12}")" '^3: gallop: no Go program among the 1 process'
matches "an unknown one" "$(choice nonesuch)" "^3: gallop: no process of a container 'nonesuch' is here"
matches "too few digits" "$(choice "${web:0:3}")" '^3: gallop: no process of a container'
matches "a name is taken whole" "$(choice web)" '^3: gallop: no process of a container'
matches "a name that isn't shown as it is" "$(choice $'\e[2J\n')" '^3: gallop: no process of a container .\?\[2J\?. is here$'
# Names are root's, ids everybody's: who isn't told which is which would look for a container that is there.
chmod 700 "$T/lib/docker"
export AS_USER='setpriv --reuid 64321 --regid 64321 --clear-groups'
matches "a name, for who isn't root" "$(choice web-1)" "^4: gallop: no container has the id 'web-1', and names of containers can't be read: "
gallop=$host run doctor -c web-1
matches "... what to do" "$err" 'hint: names can be read by root only, ids by anybody'
matches "an id, for who isn't root" "$(choice "${web:0:12}")" "^4: gallop: container '${web:0:12}': cannot look at process $program "
unset AS_USER
gallop=$own run top -c "${web:0:12}" -p "$program"
refused "one or the other" 2 'either -c CONTAINER or -p PID'

gallop=$host start_gallop record --mode exact -c web-1 -o "$T/web.gallop" || fail "gallop is ready" "$(cat "$T/gallop.err")"
echo go >&"$program_in"
wait_exit "$program"
is "record -c: the program's status" $? 3
wait_exit "$tracer"
is "record -c: gallop's status" $? 0
thousand "$T/web.gallop" "record -c"

# The second in the first's container: both are named.
start_waiting
put_in "kubepods.slice/kubepods-pod0b1c2d3e.slice/cri-containerd-$api.scope" "$pid"
both=$(printf '%d \\(exit[^ ]*\\), %d \\(exit[^ ]*\\)' "$((api_pid < pid ? api_pid : pid))" "$((api_pid < pid ? pid : api_pid))")
matches "two in one" "$(choice app)" "^3: gallop: 2 Go programs are in container 'app': $both\$"
gallop=$host run doctor -c app
matches "what to do then" "$err" 'hint: -p PID'
other=$(new_id)
put_in "kubepods.slice/crio-$other.scope" "$pid"
[ -n "$hierarchy" ] || sed -i "/proc.$pid.cgroup/{\$!d}" "$T/binds"
pod_name "$other" shop api-1 app
matches "one in each of two" "$(choice app)" "^3: gallop: 2 Go programs are in containers 'app': [0-9]+ \(exit[^ ]* in [0-9a-f]{12}\), [0-9]+ \(exit[^ ]* in [0-9a-f]{12}\)\$"
is "the pod tells them apart" "$(choice api-1/app)" chosen

# --- a process in namespaces of its own, whose root is gone ----------------------------------------------

# A user, pid and mount namespace; its root is a tmpfs that is mounted nowhere any more.
cat > "$T/contain" << 'END'
#!/bin/sh
mount -t tmpfs none "$1" && cd "$1" && cp "$2" program || exit 1
umount -l "$1" && exec chroot . /program wait status 3
END
mkdir "$T/root"
start_program unshare -Urpmf --kill-child --propagation private sh "$T/contain" "$T/root" "$exe" ||
	fail "contained: the program is ready" "$(cat "$T/program.err")"
read -r inner < "/proc/$program/task/$program/children"
is "contained: it is process 1 there" "$(sed -n 's/^NSpid:.*\t//p' "/proc/$inner/status")" 1
rm -f "/proc/$inner/root/program"
matches "contained: list" "$("$gallop" list)" "(^|"$'\n'") *$inner +program "
start_gallop record --mode exact -p "$inner" -o "$T/inner.gallop" || fail "contained: gallop is ready" "$(cat "$T/gallop.err")"
echo go >&"$program_in"
wait_exit "$program"
is "contained: the program's status" $? 3
wait_exit "$tracer"
is "contained: gallop's status" $? 0
thousand "$T/inner.gallop" "contained"

# --- gallop in a pid namespace of its own ------------------------------------------------------------------

# Both are in there, and pids are of there: its own, and those that it asks the kernel to trace. The last one
# is process 1's end, so that stays.
cat > "$T/stay" << 'END'
status=$1
shift
"$@"
echo $? > "$status"
exec sleep 1000000
END
start_program unshare -pmf --mount-proc --kill-child sh "$T/stay" "$T/status" "$exe" wait status 3 ||
	fail "together: the program is ready" "$(cat "$T/program.err")"
read -r inner < "/proc/$program/task/$program/children"
cat > "$T/beside" << END
#!/bin/sh
exec nsenter -t $inner -p -m "$gallop" "\$@"
END
chmod 755 "$T/beside"
"$T/beside" list --json > "$T/list"
inner=$(jq '.[0].pid' "$T/list")
is "together: no others are seen" "$(jq length "$T/list")" 1
succeeds "together: pids are of this namespace" [ "$inner" -lt 10 ]
"$T/beside" doctor -c nonesuch 2> "$T/err"
matches "together: why others are not seen" "$(< "$T/err")" 'hint: gallop sees only the processes of its own container: .*--pid=host'
gallop=$T/beside start_gallop record --mode exact -p "$inner" -o "$T/beside.gallop" || fail "together: gallop is ready" "$(cat "$T/gallop.err")"
echo go >&"$program_in"
until_true [ -s "$T/status" ]
is "together: the program's status" "$(< "$T/status")" 3
wait_exit "$tracer"
is "together: gallop's status" $? 0
thousand "$T/beside.gallop" "together"
is "together: the pid that it tells" "$("$own" report "$T/beside.gallop" -f json | jq .meta.pid)" "$inner"

# From the first instruction, and as process 1.
timeout "$limit" unshare -pmf --mount-proc --kill-child "$gallop" record --mode exact -o "$T/one.gallop" -- "$exe" status 3 2> "$T/err"
is "as process 1: status" $? 3
thousand "$T/one.gallop" "as process 1"

# /proc of another namespace than gallop's: a pid there is another process here.
unshare -pf "$gallop" list > "$T/out" 2> "$T/err"
status=$? out=$(< "$T/out") err=$(< "$T/err")
refused "another namespace's /proc: list" 5 'the pids of ./proc. are those of another pid namespace'
unshare -pf "$gallop" doctor -p 1 > /dev/null 2> "$T/err"
is "another namespace's /proc: a pid" $? 5
matches "another namespace's /proc: what to do" "$(< "$T/err")" 'hint: .*mount -t proc'

# Where BPF isn't for anybody, as in a user namespace.
unshare -Ur "$gallop" record -o "$T/user.gallop" -- "$exe" status 3 > "$T/out" 2> "$T/err"
is "in a user namespace" $? 4
done_testing
