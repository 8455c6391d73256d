// SPDX-License-Identifier: BSD-2-Clause
// What frames are called, and where they are.
const nameOf = (v, n) => n == 0 ? "all" : STRINGS[v.name[n]] || "[unknown]";

// Without the directories of its import path, but not of its type arguments.
function shortName(name) {
	const end = name.search(/[[(]/), path = end < 0 ? name : name.slice(0, end);
	return name.slice(path.lastIndexOf("/") + 1);
}

function whereOf(v, n) {
	const f = v.frame[n];
	if (f < 0 || !STRINGS[D.frames[4 * f + 1]]) return "";
	const line = D.frames[4 * f + 2];
	return STRINGS[D.frames[4 * f + 1]] + (state.lines && line ? ":" + line : "");
}

const KINDS = ["application", "library", "runtime", "not a function"];

function kindOf(v, n) {
	const kind = v.kind[n];
	return kind & TYPE ? "Go type" : KINDS[kind & KIND] + (kind & INLINED ? ", inlined" : "");
}

// The lines of a place in the view, where there is more than one of them.
function linesOf(v, n) {
	if (state.lines || v.frame[n] < 0) return "";
	const lines = new Set();
	for (let i = 1; i < v.of.length && lines.size < 9; i++)
		if (v.of[i] == n) lines.add(D.frames[4 * D.nodes[2 * i - 2] + 2]);
	const list = [...lines].filter(l => l).sort((a, b) => a - b);
	return list.length ? ":" + list.slice(0, 8).join(", ") + (list.length > 8 ? ", ..." : "") : "";
}
