#!/bin/bash
# Manifests and the Dockerfile of tools/container: they are what their readers take them for, and ask for what gallop needs.
# What comes of them, 'make check-dist' runs.
# shellcheck source=../live/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../live/lib.bash"
need_gallop
need_tools python3 jq
cd "$top/tools/container" || exit 1

# as_json FILE: each document on a line.
as_json() { python3 -c 'import json, sys, yaml
for document in yaml.safe_load_all(open(sys.argv[1])): print(json.dumps(document))' "$1"; }

version=$("$gallop" version | sed -n '1s/^gallop \([0-9.]*\).*/\1/p')
as_json daemonset.yaml > "$T/daemonset" || fail "daemonset.yaml is YAML"
as_json debug.yaml > "$T/debug" || fail "debug.yaml is YAML"

is "a namespace and a daemon set in it" "$(jq -r '[.kind, .metadata.name, .metadata.namespace // ""] | join(" ")' "$T/daemonset")" \
	$'Namespace gallop \nDaemonSet gallop gallop'
jq 'select(.kind == "DaemonSet").spec' "$T/daemonset" > "$T/spec"
nothing "the selector selects the pods" jq 'select(.selector.matchLabels != .template.metadata.labels)' "$T/spec"
jq .template.spec "$T/spec" > "$T/pod"
is "the node's processes are seen" "$(jq .hostPID "$T/pod")" true
is "the namespace allows that" "$(jq -r 'select(.kind == "Namespace").metadata.labels["pod-security.kubernetes.io/enforce"]' "$T/daemonset")" privileged
is "one container of this version" "$(jq -r '[.containers[].image] | join(" ")' "$T/pod")" "gallop:$version"
nothing "each mount has a volume" jq '[.containers[].volumeMounts[].name] - [.volumes[].name] | .[]' "$T/pod"
for who in "daemonset .containers[0].securityContext" "debug .securityContext"; do
	file=$T/pod
	[ "${who% *}" = daemonset ] || file=$T/debug
	jq "${who#* }" "$file" > "$T/context"
	is "${who% *}: capabilities" "$(jq -r '.capabilities.add | sort | join(" ")' "$T/context")" "BPF DAC_READ_SEARCH PERFMON SYS_PTRACE"
	is "${who% *}: no others" "$(jq -r '.capabilities.drop | join(" ")' "$T/context")" ALL
	is "${who% *}: not privileged" "$(jq '.privileged // false' "$T/context")" false
	is "${who% *}: AppArmor doesn't hide processes" "$(jq -r .appArmorProfile.type "$T/context")" Unconfined
done

# Paths that they name are in the image.
sed '1,/^FROM scratch/d' Dockerfile > "$T/image"
for path in "$(jq -r '.containers[0].command[0]' "$T/pod")" "$(sed -n 's/^ENTRYPOINT //p' "$T/image" | jq -r '.[0]')"; do
	succeeds "$path is in the image" grep -q "^COPY --from=build .* $path\$" "$T/image"
done
succeeds "the image gets files only" not grep -vE '^(COPY --from=build /[^ ]+ /[^ ]+|ENV PATH=.*|(ENTRYPOINT|CMD) \[.*\]|#.*|)$' "$T/image"
# Commands in comments are gallop's.
while read -r name; do
	succeeds "gallop $name is a command" "$gallop" "$name" --help
done < <(sed -n 's/^#.*-- [a-z/]*gallop \([a-z]*\).*/\1/p' ./*.yaml | sort -u)
done_testing
