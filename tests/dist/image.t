#!/bin/bash
# The container image: what the Dockerfile says is done by hand, as no engine is here, and what comes of it runs as the
# manifests say: in that root, with those capabilities. GALLOP is a static one.
# shellcheck source=../live/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../live/lib.bash"
need_root
need_gallop
need_tools jq python3 unshare gcc setpriv

dockerfile=$top/tools/container/Dockerfile
root=$T/image
exe=$(go_program "${GALLOP_TEST_GO:-1.27}" plain exit) || skip_all "$(tail -n 1 "$T/build.err")"

# --- built --------------------------------------------------------------------------------------------

# The build stage: its tree, and in it the commands that are short. 'make STATIC=1' has made $gallop.
mkdir -p "$T/src/build" "$root"
cp -r "$top/tools" "$T/src/"
cp "$gallop" "$T/src/build/gallop"
while read -r instruction command; do
	[ "$instruction" = RUN ] || continue
	case $command in
	tools/install-deps) succeeds "RUN $command" [ -x "$T/src/tools/install-deps" ] ;;
	"make STATIC=1") succeeds "RUN $command" make -n -C "$top" O="$T/none" STATIC=1 ;;
	gcc*) succeeds "RUN $command" sh -c "cd '$T/src' && $command" ;;
	*) fail "RUN $command" "a step that this test doesn't know" ;;
	esac
done < "$dockerfile"

# The image: from here on nothing is there that wasn't copied.
copies=0
while read -r instruction stage from to; do
	[ "$instruction $stage" = "COPY --from=build" ] || continue
	source=$from
	[[ $from != /src/* ]] || source=$T$from
	mkdir -p "$root${to%/*}"
	succeeds "COPY $from" cp -r "$source" "$root$to"
	copies=$((copies + 1))
done < <(sed '1,/^FROM scratch/d' "$dockerfile")
is "what is in the image" $copies 3
entry=$(sed -n 's/^ENTRYPOINT //p' "$dockerfile" | jq -r '.[0]')
default=$(sed -n 's/^CMD //p' "$dockerfile" | jq -r '.[0]')
for program in "$root"/usr/bin/*; do
	matches "${program##*/} needs no library" "$(LC_ALL=C ldd "$program" 2>&1)" 'not a dynamic executable'
done

# --- run ----------------------------------------------------------------------------------------------

# What engines mount; the manifest's volume. in_image MANIFEST COMMAND...: keeps the pid.
mkdir -p "$root"/{proc,sys,data,dev}
cat > "$T/in_image" << 'END'
#!/bin/sh
if [ "$1" != made ]; then exec unshare -m --propagation private "$0" made "$@"; fi
shift
mount --bind "$IMAGE" "$IMAGE" && mount -o remount,ro,bind "$IMAGE" && mount -t tmpfs none "$IMAGE/dev" &&
	: > "$IMAGE/dev/null" && mount --bind /dev/null "$IMAGE/dev/null" && mount -t tmpfs none "$IMAGE/data" &&
	mount --bind "$DATA" "$IMAGE/data" && mount -t proc proc "$IMAGE/proc" && mount -t sysfs sysfs "$IMAGE/sys" || exit 99
manifest=$1
shift
exec "$CONFINE" "$manifest" "$IMAGE" "$@"
END
chmod 755 "$T/in_image"
mkdir "$T/data"
export IMAGE=$root DATA=$T/data CONFINE=$here/confine
in_image() { timeout "$limit" "$T/in_image" "$top/tools/container/$1.yaml" "${@:2}"; }

matches "what it does unasked" "$(in_image daemonset "$entry" "$default")" 'Usage: gallop COMMAND'
is "it is a gallop" "$(in_image daemonset "$entry" version)" "$("$gallop" version)"

# What a recording in the volume holds of the program, read from outside: from an image nothing can be run once it is gone.
objects() {
	timeout "$limit" "$gallop" report "$T/data/$1.gallop" -f json |
		jq '[.alloc.sites[] | select(.stack[0].func == "main.allocate") | .objects] | add'
}
all_written() { [ "$(objects "$1" 2> /dev/null)" = 1000 ]; }

# Another user's program, whose file that user alone may read.
install -m 700 -o 65534 "$exe" "$T/private"
# The daemon set sees the node's pids; the debugging container those of its target.
for manifest in daemonset debug; do
	share=()
	[ $manifest = daemonset ] || share=(unshare -pmf --mount-proc --kill-child)
	start_program "${share[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups "$T/private" wait hold status 3 ||
		fail "$manifest: the program is ready" "$(cat "$T/program.err")"
	pid=$program shell=("$T/in_image")
	if [ $manifest = debug ]; then
		read -r inner < "/proc/$program/task/$program/children"
		pid=1 shell=(nsenter -t "$inner" -p "$T/in_image")
	fi
	printf '#!/bin/sh\nexec %s "%s" %s "$@"\n' "${shell[*]}" "$top/tools/container/$manifest.yaml" "$entry" > "$T/gallop"
	chmod 755 "$T/gallop"
	is "$manifest: it sees the program" "$("$T/gallop" list --json | jq --argjson pid $pid '[.[] | select(.pid == $pid)] | length')" 1
	gallop=$T/gallop start_gallop record --mode exact -p $pid -d 0.1 -o /data/$manifest.gallop ||
		fail "$manifest: gallop is ready" "$(cat "$T/gallop.err")"
	echo go >&"$program_in"
	until_true all_written $manifest || fail "$manifest: an interval is written" "$(cat "$T/gallop.err")"
	echo go >&"$program_in"
	wait_exit "$program"
	is "$manifest: the program's status" $? 3
	wait_exit "$tracer" 2> /dev/null
	status=$?
	is "$manifest: objects, read from outside" "$(objects $manifest)" 1000
	# Process 1 has ended, and with it all that share its pids: the debug container, too.
	if [ $manifest = debug ]; then
		is "$manifest: gallop was killed" $status 137
		continue
	fi
	is "$manifest: gallop's status" $status 0
	is "$manifest: objects" "$("$T/gallop" report /data/$manifest.gallop -f json |
		jq '[.alloc.sites[] | select(.stack[0].func == "main.allocate") | .objects] | add')" 1000
	matches "$manifest: a page to standard output" "$("$T/gallop" report /data/$manifest.gallop -f html | head -n 1)" '^<!DOCTYPE html>'
done

# What a pod runs meanwhile ends when it is told to, also as process 1.
"$T/in_image" "$top/tools/container/daemonset.yaml" /usr/bin/idle &
ours $!
idle=$!
is_idle() { [ "$(readlink "/proc/$idle/exe")" = /usr/bin/idle ] || [[ "$(readlink "/proc/$idle/exe")" == */usr/bin/idle ]]; }
until_true is_idle || fail "idle runs"
kill -TERM "$idle"
wait_exit "$idle"
is "idle: its end" $? 0
done_testing
