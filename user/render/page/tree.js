// SPDX-License-Identifier: BSD-2-Clause
// The view: a tree in which frames that shall look the same are one.
const views = new Map();

// Children by what makes them the same: most have few, and those are compared one by one.
function makeNodes(max) {
	const v = { nr: 1, parent: new Int32Array(max), name: new Int32Array(max), frame: new Int32Array(max), kind: new Uint8Array(max) };
	const first = new Int32Array(max), next = new Int32Array(max), many = new Int32Array(max), keys = new Int32Array(max), maps = new Map();
	v.parent[0] = v.name[0] = v.frame[0] = -1;
	v.kind[0] = NONE;
	const find = (parent, key) => {
		if (many[parent] > 16) return maps.get(parent).get(key) || 0;
		let n = first[parent];
		while (n && keys[n] != key) n = next[n];
		return n;
	};
	const add = (parent, key) => {
		const n = v.nr++;
		next[n] = first[parent]; first[parent] = n; keys[n] = key; v.parent[n] = parent;
		if (++many[parent] == 17) {
			const map = new Map();
			for (let c = n; c; c = next[c]) map.set(keys[c], c);
			maps.set(parent, map);
		} else if (many[parent] > 17) {
			maps.get(parent).set(key, n);
		}
		return n;
	};
	v.child = (parent, key, name, frame, kind) => {
		let n = find(parent, key);
		if (n) {
			if (!(kind & INLINED)) v.kind[n] &= ~INLINED;	// inlined is what is so in all places
			return n;
		}
		n = add(parent, key);
		v.name[n] = name; v.frame[n] = frame; v.kind[n] = kind;
		return n;
	};
	return v;
}

function makeView(types, lines) {
	const nodes = D.nodes, frames = D.frames, count = nodes.length / 2, v = makeNodes(count + 1 + SITES);
	const child = v.child;
	v.of = new Int32Array(count + 1);
	v.leaf = new Int32Array(SITES);
	const path = [0];
	for (let i = 0; i < count; i++) {
		const f = nodes[2 * i], depth = nodes[2 * i + 1], func = frames[4 * f];
		path[depth] = v.of[i + 1] = child(path[depth - 1], lines ? f : func, func, f, frames[4 * f + 3]);
	}
	for (let s = 0; s < SITES; s++) {
		const node = v.of[D.sites[2 * s]], type = D.sites[2 * s + 1];
		// What is no place is no type either: [lost]. Keys of types are below 0, those of frames aren't.
		v.leaf[s] = types && type >= 0 && type != v.name[node] ? child(node, -1 - type, type, -1, TYPE) : node;
	}
	v.child = null;
	addChildren(v);
	return v;
}

// The children of n are list[from[n]] ... list[from[n + 1] - 1].
function addChildren(v) {
	v.from = new Int32Array(v.nr + 1);
	v.list = new Int32Array(v.nr - 1);
	for (let n = 1; n < v.nr; n++) v.from[v.parent[n] + 1]++;
	for (let n = 0; n < v.nr; n++) v.from[n + 1] += v.from[n];
	const at = v.from.slice();
	for (let n = 1; n < v.nr; n++) v.list[at[v.parent[n]]++] = n;
}

function view() {
	const key = (state.types ? 1 : 0) + (state.lines ? 2 : 0);
	if (!views.has(key)) views.set(key, makeView(state.types, state.lines));
	return views.get(key);
}
