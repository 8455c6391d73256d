// SPDX-License-Identifier: BSD-2-Clause
// What each node of the view has of the value that is shown, and what a search matches.
// Cells are steps from site to site with what each has, and behind that maybe more.
function addCells(to, cells, each, scale, ci) {
	for (let i = 0, site = 0; i < cells.length; i += each) {
		site += cells[i];
		to[site] += cells[i + 1] * scale;
		if (ci) ci[site] = cells[i + 2] > 0 ? cells[i + 2] * scale : cells[i + 2];	// below 0 it says why there is none
	}
}

let sums;	// of the view, of what is chosen: total, self, ...; the same of before

function siteSums(v) {
	const now = new Float64Array(SITES), ci = new Float64Array(SITES), before = diff && new Float64Array(SITES);
	const scale = over => diff && v.flow ? 1 / over : 1;
	if (state.range && v.flow)
		for (let i = state.range[0]; i <= state.range[1]; i++) addCells(now, D.slices[i].values[v.key] || [], 2, 1);
	else
		addCells(now, v.cells, 3, scale(diff && diff.after_over), ci);
	if (diff) addCells(before, v.before || [], 2, scale(diff.before_over));
	return { now, ci, before };
}

function addUp(v, sites) {
	const total = new Float64Array(v.nr), self = new Float64Array(v.nr);
	const count = new Int32Array(v.nr), only = new Int32Array(v.nr).fill(-1);
	for (let s = 0; s < SITES; s++) {
		if (!sites[s]) continue;
		const node = v.of[D.sites[2 * s]], leaf = v.leaf[s];
		total[leaf] += sites[s]; self[node] += sites[s]; count[leaf]++; only[leaf] = s;
		if (leaf != node) self[leaf] += sites[s];
	}
	for (let n = v.nr - 1; n > 0; n--) {
		const p = v.parent[n];
		total[p] += total[n]; count[p] += count[n];
		if (count[n] == 1) only[p] = only[n];
	}
	return { total, self, count, only };
}

function compute() {
	const v = view();
	if (!D.values.length) { sums = { total: new Float64Array(v.nr), self: new Float64Array(v.nr), count: new Int32Array(v.nr), only: new Int32Array(v.nr) }; return; }
	const sites = siteSums(value());
	sums = addUp(v, sites.now);
	sums.ci = sites.ci;
	sums.before = sites.before && addUp(v, sites.before);
	const w = widths();
	for (let n = 0; n < v.nr; n++)
		if (v.from[n + 1] - v.from[n] > 1)
			v.list.subarray(v.from[n], v.from[n + 1]).sort((a, b) => w[b] - w[a] || v.name[a] - v.name[b]);
	sums.matched = null;
}

const widths = () => diff && state.before ? sums.before.total : sums.total;

// What matches, each node, and the sum of those that aren't below others that match.
function matched() {
	if (!state.re) return null;
	if (sums.matched) return sums.matched;
	const v = view(), w = widths(), hit = new Uint8Array(v.nr), below = new Uint8Array(v.nr), nodes = [];
	const strings = new Uint8Array(STRINGS.length);
	STRINGS.forEach((s, i) => { strings[i] = state.re.test(s) ? 1 : 0; });
	let sum = 0;
	for (let n = 1; n < v.nr; n++) {
		hit[n] = strings[v.name[n]];
		below[n] = below[v.parent[n]] | hit[n];
		if (!hit[n] || !w[n]) continue;
		nodes.push(n);
		if (!below[v.parent[n]]) sum += w[n];
	}
	nodes.sort((a, b) => w[b] - w[a] || a - b);
	return sums.matched = { hit, sum, nodes, strings };
}
