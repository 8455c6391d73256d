# How a recording of tests/go/crowd disagrees with what that program says: more functions beside those of truth.jq.

def path: [.stack[].func | if endswith(".left") then "L" elif endswith(".right") then "R" else empty end] | join("");

# By the path of a thread, how often its leaf did it.
def by_path(sites; f): [sites | select(.stack[0].func // "" | endswith(".leaf")) | {path: path, n: f}]
	| group_by(.path) | map({key: .[0].path, value: (map(.n) | add)}) | from_entries;

# No stack that isn't there, none with too many; and what is missing was said to be lost.
def paths_differ($what; $got; $told; $lost):
	($got | keys[] | select($told[.] == null) | "\($what): a stack that no thread has: \(.)"),
	($told | keys[] | select(($got[.] // 0) > $told[.]) | "\($what) at \(.): \($got[.]), not \($told[.])"),
	((([$told[]] | add) - ([$got[]] | add // 0)) as $missing
	 | if $missing > $lost then "\($what): \($missing) missing, but \($lost) lost" else empty end);

def told(f): t.threads | map({key: .path, value: f}) | from_entries;

def crowd_objects_differ: paths_differ("objects"; by_path(g.alloc.sites[] | select(.type == "main.object"); .objects);
	told(.objects); g.loss | .no_scratch + .sites_full + .stack_lost);

def crowd_assigns_differ: paths_differ("assigns"; by_path(g.maps.sites[]; .assigns);
	told(.assigns); g.loss | .map_stack_lost + .map_sites_full + .map_site_stack_lost);

# All of the phase, and no more than to the program's end: what it still allocates after its last word is little.
def total_differs: (final.mallocs) as $said
	| if g.alloc.objects < t.phases[0].mallocs or g.alloc.objects > $said + 200
	  then "total: \(g.alloc.objects), but \(t.phases[0].mallocs) in the phase and \($said) at the end" else empty end;

# Where stacks may be cut: all objects are there, each at its thread's stack or at the beginning of one, and said to be cut.
def cut_objects_differ: told(.objects) as $told | ([$told[]] | add) as $want
	| [g.alloc.sites[] | select(.type == "main.object" and (.stack[0].func // "" | endswith(".leaf")))] as $sites
	| ([$sites[].objects] | add // 0) as $sum
	| if $sum != $want then "objects: \($sum), not \($want)" else empty end,
	  ($sites[] | path as $path | select(if .truncated then $told | keys | any(startswith($path)) | not else $told[$path] == null end)
	   | "a stack that no thread has: \($path)"),
	  (by_path($sites[] | select(.truncated | not); .objects) | to_entries[] | select(.value > $told[.key])
	   | "objects at \(.key): \(.value), not \($told[.key])"),
	  if all($sites[]; .truncated and path == "") then "no stack is longer than its leaf" else empty end;

# Each call has a thread's objects, and the few that its map takes.
def ops_differ: (t.threads | length) as $calls | t.threads[0].objects as $objects | g.ops[0]
	| if .calls != $calls or .measured != $calls then "\(.calls) calls, \(.measured) of them measured, not \($calls)" else empty end,
	  if .unmatched + .began_before + .panics + .goexits + .open > 0 then "calls that did not return: \(.)" else empty end,
	  if .allocs_per_op.p50 < $objects or .allocs_per_op.max > $objects + 16
	  then "objects of a call: \(.allocs_per_op | tojson), not \($objects)" else empty end;
