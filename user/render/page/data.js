// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page's script, of parts that tools/html-page joins into one function, in its order.
 *
 * Data (see html.c) are sites: a place in the tree of all stacks, and a Go type. From them a view is made, a tree in
 * which frames are merged as is wanted (tree.js); its nodes get the sums of what is below them (sums.js); drawn is what is
 * at least half a pixel wide (draw.js). Text from outside is only ever drawn, or set as textContent.
 */
const $ = id => document.getElementById(id);
const D = JSON.parse($("data").textContent);
$("data").textContent = "";	// it isn't needed twice

const STRINGS = D.strings;
const SITES = D.sites.length / 2;
const RUNTIME = 2, NONE = 3, KIND = 3, INLINED = 4, TYPE = 8;
const ROW = 18, MIN_W = 0.5, CANVAS_MAX = 32767, ROWS_SHOWN = 1000;
const diff = D.diff || null;
const wanted = D.values.find(v => v.first);
D.values = D.values.filter(v => v.cells.length || (v.before && v.before.length));
D.values.forEach(v => { v.estimated = v.cells.some((n, i) => i % 3 == 2 && n); });
const sampled = D.about.sampled;

const state = {
	value: Math.max(0, D.values.includes(wanted) ? D.values.indexOf(wanted) : D.values.findIndex(v => wanted && v.of == wanted.of)),
	icicle: false, table: false, types: true, lines: false, before: false,
	zoom: 0,	// a node of the view
	range: null,	// slices [first, last]
	re: null, next: -1,
	by: "self", down: true,
};
