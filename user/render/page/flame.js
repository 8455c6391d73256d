// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page's script. Data (see html.c) are sites: a place in the tree of all stacks, and a Go type. From them a view is
 * made, a tree in which frames are merged as is wanted; its nodes get the sums of what is below them; drawn is what
 * is at least half a pixel wide. Text from outside is only ever drawn, or set as textContent.
 */
"use strict";
(() => {

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

// --- numbers for people, as gallop's texts have them ------------------------------------------------

const grouped = n => Math.round(n).toLocaleString("en-US");

function fmtScaled(n, units, step) {
	let i = 0;
	while (Math.abs(n) >= step && i < units.length - 1) { n /= step; i++; }
	return (i || n % 1 ? n.toFixed(Math.abs(n) < 10 && i == 0 ? 2 : 1) : String(n)) + " " + units[i];
}

const fmtBytes = n => fmtScaled(n, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], 1024);
const fmtTime = ns => ns == 0 ? "0 s" : fmtScaled(ns, ["ns", "us", "ms", "s"], 1000);
const fmtCount = n => n % 1 && Math.abs(n) < 1000 ? n.toFixed(2) : grouped(n);
const fmtShare = (part, whole) => whole > 0 ? (100 * part / whole).toFixed(1) + " %" : "-";

const value = () => D.values[state.value];
const per = () => diff && diff.per && value().flow ? " " + diff.per : "";

function fmt(n) {
	const unit = value().unit;
	return (unit == "B" ? fmtBytes(n) : unit == "ns" ? fmtTime(n) : fmtCount(n)) + per();
}

// With the number as it is, where the short one has rounded it.
function fmtExact(n) {
	const unit = value().unit;
	return unit && !per() && n >= 1000 ? fmt(n) + " (" + grouped(n) + " " + unit + ")" : fmt(n);
}

// An estimate of a part of the time: its interval isn't known here. What all of it is, the runtime has counted.
const isUnsure = () => value().estimated && state.range && value().flow;
const isCounted = n => n === 0 && ["bytes", "objects"].includes(value().key);
const doubt = n => isUnsure() && !isCounted(n) ? " ?" : "";

// --- the view: a tree in which frames that shall look the same are one ------------------------------

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

// --- sums ------------------------------------------------------------------------------------------

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

// --- names -----------------------------------------------------------------------------------------

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

// --- the flame graph --------------------------------------------------------------------------------

const canvas = $("flame"), ctx = canvas.getContext("2d");
let boxes = [];	// what was drawn, by row: { n, x, w, rest }
let colors = {}, charW = 7;

function readColors() {
	const style = getComputedStyle(document.documentElement);
	for (const c of ["back", "text", "dim", "line", "app", "library", "runtime", "none", "type", "match", "ink",
			 "heap", "goal", "pause", "rate", "mark", "pick"])
		colors[c] = style.getPropertyValue("--" + c).trim();
	colors.dark = matchMedia("(prefers-color-scheme: dark)").matches;
}

const FONT = '12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

// From blue, for nothing of what was before, by grey to red, for all new.
function diffColor(before, after) {
	const d = Math.max(before, after) > 0 ? (after - before) / Math.max(before, after) : 0;
	const strength = Math.min(1, Math.sqrt(Math.abs(d))), [r, g, b] = colors.dark ? [84, 90, 98] : [222, 225, 229];
	const [tr, tg, tb] = d > 0 ? (colors.dark ? [190, 52, 46] : [240, 92, 80]) : (colors.dark ? [42, 96, 190] : [84, 144, 240]);
	const mix = (from, to) => Math.round(from + (to - from) * strength);
	return `rgb(${mix(r, tr)}, ${mix(g, tg)}, ${mix(b, tb)})`;
}

function colorOf(v, n) {
	if (diff) return diffColor(sums.before.total[n], sums.total[n]);
	if (v.kind[n] & TYPE) return colors.type;
	return [colors.app, colors.library, colors.runtime, colors.none][v.kind[n] & KIND];
}

// Rows from the root: those above what is zoomed to are as wide as all, then what is at least MIN_W wide.
function layOut(W) {
	const v = view(), w = widths(), rows = [];
	const put = (row, box) => (rows[row] = rows[row] || []).push(box);
	const above = [];
	for (let n = v.parent[state.zoom]; n >= 0; n = v.parent[n]) above.unshift(n);
	above.forEach((n, row) => put(row, { n, x: 0, w: W, above: true }));
	if (!(w[state.zoom] > 0)) return rows;
	const scale = W / w[state.zoom];
	const todo = [[state.zoom, 0, above.length]];
	while (todo.length) {
		const [n, x, row] = todo.pop();
		put(row, { n, x, w: w[n] * scale });
		let at = x, left = 0, many = 0;
		for (let i = v.from[n]; i < v.from[n + 1]; i++) {
			const child = v.list[i], cw = w[child] * scale;
			if (cw >= MIN_W) { todo.push([child, at, row + 1]); at += cw; }
			else if (cw > 0) { left += w[child]; many++; }
			else break;	// they are in descending order
		}
		if (left * scale >= 1) put(row + 1, { n: -1, x: at, w: left * scale, value: left, many });
	}
	return rows;
}

function label(name, w) {
	const room = Math.floor((w - 8) / charW);
	if (room < 3) return "";
	if (name.length > room) name = shortName(name);
	return name.length > room ? name.slice(0, room - 1) + "\u2026" : name;
}

function drawBox(v, box, y, hit) {
	const w = Math.max(box.w - (box.w > 3 ? 1 : 0), 0.5), h = ROW - 1;
	if (box.n < 0) {
		ctx.fillStyle = colors.line;
		ctx.fillRect(box.x, y + h / 2 - 1, w, 3);
		return;
	}
	const isHit = hit && hit.hit[box.n];
	ctx.globalAlpha = box.above ? 0.55 : v.kind[box.n] & INLINED && !isHit && !diff ? 0.72 : 1;
	ctx.fillStyle = isHit ? colors.match : colorOf(v, box.n);
	ctx.fillRect(box.x, y, w, h);
	ctx.globalAlpha = 1;
	const text = label(nameOf(v, box.n), w);
	if (!text) return;
	ctx.fillStyle = colors.ink;
	ctx.fillText(text, box.x + 4, y + h / 2 + 0.5);
}

function sizeCanvas(c, context, width, height) {
	const ratio = Math.min(window.devicePixelRatio || 1, CANVAS_MAX / Math.max(width, height, 1));
	c.width = Math.round(width * ratio);
	c.height = Math.round(height * ratio);
	c.style.height = height + "px";
	context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

const rowY = (row, rows) => (state.icicle ? row : rows - 1 - row) * ROW;

function drawFlame() {
	const W = $("graph").clientWidth, v = view(), hit = matched();
	boxes = layOut(W);
	const height = Math.min(Math.max(boxes.length, 1) * ROW, CANVAS_MAX);
	sizeCanvas(canvas, ctx, W, height);
	ctx.font = FONT;
	ctx.textBaseline = "middle";
	charW = ctx.measureText("0000000000").width / 10;
	boxes.forEach((row, i) => row.forEach(box => drawBox(v, box, rowY(i, boxes.length), hit)));
	if (!boxes.length) {
		ctx.fillStyle = colors.dim;
		ctx.fillText(D.values.length ? "nothing of this" : "there is nothing in this recording", 8, ROW / 2);
	}
}

function boxAt(event) {
	const r = canvas.getBoundingClientRect(), x = event.clientX - r.left, y = event.clientY - r.top;
	const at = Math.floor(y / ROW), row = state.icicle ? at : boxes.length - 1 - at;
	return (boxes[row] || []).find(b => x >= b.x && x < b.x + Math.max(b.w, 1)) || null;
}

// --- what a frame says ------------------------------------------------------------------------------

// The 95 % interval, of what one site alone is.
function intervalOf(n) {
	if (!value().estimated || !sums.total[n] || isCounted(n)) return "";
	if (isUnsure()) return "95 % interval: not known of a part of the time";
	if (sums.count[n] != 1) return "estimated: the 95 % interval is told of single sites";
	const site = sums.only[n], ci = sums.ci[site], name = STRINGS[D.sites[2 * site + 1]];
	if (name == "[not sampled]" || name == "[lost]") return "";	// what is left of the total
	if (ci == 0) return "exact";
	if (ci == -2) return "at least this";
	if (ci < 0) return "95 % interval: ? (too few windows to tell)";
	return "95 % interval: +-" + fmt(ci) + (ci >= sums.total[n] ? ": noise" : "");
}

function change(before, after) {
	if (!before) return after ? "new" : "none";
	return (after >= before ? "+" : "") + (100 * (after - before) / before).toFixed(1) + " %";
}

function factsOf(n) {
	const v = view(), total = sums.total[n], all = sums.total[0], lines = [];
	lines.push("total " + fmtExact(total) + doubt(n) + ", " + fmtShare(total, all) + " of all" +
		(state.zoom && n != state.zoom ? ", " + fmtShare(total, sums.total[state.zoom]) + " of what is zoomed to" : ""));
	if (!(v.kind[n] & TYPE) && n) lines.push("self " + fmtExact(sums.self[n]) + doubt() + ", " + fmtShare(sums.self[n], all));
	if (diff) lines.push("before " + fmtExact(sums.before.total[n]) + ": " + change(sums.before.total[n], total));
	const ci = intervalOf(n);
	if (ci) lines.push(ci);
	return lines;
}

function showTip(event, title, where, lines) {
	const tip = $("tip");
	tip.replaceChildren();
	const b = document.createElement("b");
	b.textContent = title.length > 600 ? title.slice(0, 600) + "\u2026" : title;
	tip.append(b);
	if (where) {
		const span = document.createElement("span");
		span.className = "where";
		span.textContent = where + "\n";
		tip.append(span);
	}
	tip.append(lines.join("\n"));
	tip.hidden = false;
	const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
	const y = event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 12 : event.clientY + 18;
	tip.style.left = Math.max(8, x) + "px";
	tip.style.top = Math.max(8, y) + "px";
}

const hideTip = () => { $("tip").hidden = true; };

function frameTip(event) {
	const box = boxAt(event), v = view();
	if (!box) return hideTip();
	if (box.n < 0) return showTip(event, grouped(box.many) + " more, each too small to draw", "", [fmtExact(box.value) + " together; zoom in to see them"]);
	const where = box.n ? [whereOf(v, box.n) + linesOf(v, box.n), kindOf(v, box.n)].filter(s => s).join("\n") : "";
	showTip(event, nameOf(v, box.n), where, factsOf(box.n));
}

function showStatus() {
	if (!D.values.length) { $("status").textContent = ""; return; }
	$("status").textContent = value().name + ": " + nameOf(view(), state.zoom) + ", " + factsOf(state.zoom).join("; ");
	const hit = matched(), all = widths()[0];
	$("matched").hidden = !hit;
	if (hit) $("matched").textContent = "Matched: " + fmtExact(hit.sum) + doubt() + ", " + fmtShare(hit.sum, all) + " of all, in " +
		grouped(hit.nodes.length) + (hit.nodes.length == 1 ? " frame" : " frames");
}

// --- the table --------------------------------------------------------------------------------------

// Of each function what is its own, and what is below it: once, also where it calls itself.
function functionSums() {
	const v = view(), w = sums.total, own = sums.self, self = new Map(), total = new Map(), on = new Map();
	const todo = [0];
	while (todo.length) {
		const n = todo.pop();
		if (n < 0) { on.set(v.name[~n], on.get(v.name[~n]) - 1); continue; }
		if (n && !(v.kind[n] & TYPE)) {
			const name = v.name[n], depth = on.get(name) || 0;
			if (!depth) total.set(name, (total.get(name) || 0) + w[n]);
			self.set(name, (self.get(name) || 0) + own[n]);
			on.set(name, depth + 1);
			todo.push(~n);
		}
		for (let i = v.from[n]; i < v.from[n + 1]; i++)
			if (w[v.list[i]] > 0) todo.push(v.list[i]);
	}
	return [...total.keys()].map(name => ({ name: STRINGS[name], id: name, self: self.get(name), total: total.get(name) }));
}

function cell(row, text, cls) {
	const td = row.insertCell();
	td.textContent = text;
	td.className = cls;
	return td;
}

function drawTable() {
	const hit = matched(), all = sums.total[0], sign = state.down ? -1 : 1;
	let rows = functionSums();
	if (hit) rows = rows.filter(r => hit.strings[r.id]);
	const order = (a, b) => a < b ? -1 : a > b ? 1 : 0;
	rows.sort((a, b) => sign * order(a[state.by], b[state.by]) || b.total - a.total || order(a.name, b.name));
	const body = $("tbody");
	body.replaceChildren();
	for (const r of rows.slice(0, ROWS_SHOWN)) {
		const tr = body.insertRow();
		cell(tr, fmt(r.self) + doubt(), "n");
		cell(tr, fmtShare(r.self, all), "n share");
		cell(tr, fmt(r.total) + doubt(), "n");
		cell(tr, fmtShare(r.total, all), "n share");
		const td = cell(tr, r.name, "name");
		td.title = "click: find it in the graph";
		td.onclick = () => { setTable(false); setSearch("^" + r.name.replace(/[.*+?^${}()|[\]\\\/]/g, "\\$&") + "$"); };
	}
	$("rows-more").textContent = rows.length > ROWS_SHOWN ? grouped(rows.length - ROWS_SHOWN) + " more: search to see them" : "";
	document.querySelectorAll("th button").forEach(b => {
		const th = b.parentElement;
		if (b.dataset.by == state.by) th.setAttribute("aria-sort", state.down ? "descending" : "ascending");
		else th.removeAttribute("aria-sort");
	});
}

// --- the timeline -----------------------------------------------------------------------------------

const strip = $("strip"), sctx = strip.getContext("2d"), STRIP_H = 96, AXIS = 16;
const duration = Math.max(D.about.duration_ns, 1);
const cycles = D.gc.cycles, stops = D.gc.stops;
const heapMax = cycles.reduce((m, c) => Math.max(m, c[2], c[3], c[4], c[5], c[6]), 0);
const stopMax = stops.reduce((m, s) => Math.max(m, s[1]), 0);
const canFilter = D.slices.length > 1 && D.values.some(v => v.flow);
let drag = null;

const stripX = ns => ns / duration * strip.clientWidth;

function sliceSum(slice) {
	const cells = slice.values[value().key] || [];
	let sum = 0;
	for (let i = 1; i < cells.length; i += 2) sum += cells[i];
	return sum;
}

// What a slice has of the value a second, and the most of it.
function rates() {
	if (!D.values.length || !value().flow) return null;
	const list = D.slices.map(s => sliceSum(s) / Math.max(s.to_ns - s.from_ns, 1) * 1e9);
	return { list, max: list.reduce((a, b) => Math.max(a, b), 0) };
}

function drawRates(base) {
	const r = rates();
	if (!r || !r.max) return;
	sctx.fillStyle = colors.rate;
	D.slices.forEach((s, i) => {
		const x = stripX(s.from_ns), h = r.list[i] / r.max * (base - 6) * 0.6;	// below the heap's line
		sctx.fillRect(x, base - h, Math.max(stripX(s.to_ns) - x - 1, 1), h);
	});
}

// Points of [ns, bytes], those without bytes left out.
function drawHeap(base, points, color, dash) {
	sctx.strokeStyle = color;
	sctx.lineWidth = 1.5;
	sctx.setLineDash(dash);
	sctx.beginPath();
	let begun = false;
	for (const [ns, bytes] of points) {
		if (!bytes) continue;
		const x = stripX(ns), y = base - bytes / heapMax * (base - 6);
		if (begun) sctx.lineTo(x, y); else sctx.moveTo(x, y);
		begun = true;
	}
	sctx.stroke();
	sctx.setLineDash([]);
}

function drawAxis(W, base) {
	const about = duration / Math.max(2, Math.floor(W / 90)), power = 10 ** Math.floor(Math.log10(about));
	const step = [1, 2, 5, 10].map(k => k * power).find(k => k >= about);
	sctx.fillStyle = colors.dim;
	sctx.font = "11px system-ui, \"DejaVu Sans\", sans-serif";
	sctx.textBaseline = "bottom";
	sctx.textAlign = "left";
	for (let t = 0; t <= duration; t += step) {
		const x = Math.round(stripX(t));
		sctx.fillRect(x, base, 1, 4);
		if (x + 44 < W) sctx.fillText(t ? fmtTime(t) : "0", x + 3, STRIP_H - 1);
	}
}

function drawRange(W, base) {
	const range = drag || state.range;
	if (!range) return;
	const from = stripX(D.slices[range[0]].from_ns), to = stripX(D.slices[range[1]].to_ns);
	sctx.fillStyle = colors.pick;
	sctx.fillRect(from, 0, to - from, base);
	sctx.fillStyle = colors.text;
	sctx.fillRect(from, 0, 1, base);
	sctx.fillRect(Math.min(to, W) - 1, 0, 1, base);
}

function drawStrip() {
	const W = strip.parentElement.clientWidth, base = STRIP_H - AXIS;
	sizeCanvas(strip, sctx, W - 2, STRIP_H);
	drawRates(base);
	sctx.fillStyle = colors.mark;
	for (const c of cycles) sctx.fillRect(stripX(c[0]), 0, Math.max(stripX(c[1]) - stripX(c[0]), 0.5), base);
	if (heapMax) {
		drawHeap(base, cycles.flatMap(c => [[c[0], c[2]], [c[1], c[3] || c[4]]]), colors.heap, []);
		drawHeap(base, cycles.flatMap(c => [[c[0], c[5]], [c[1], c[6]]]), colors.goal, [4, 3]);
	}
	sctx.fillStyle = colors.pause;
	for (const s of stops) {
		const h = 4 + 26 * Math.log1p(s[1]) / Math.log1p(stopMax || 1);
		sctx.fillRect(stripX(s[0]), base - h, Math.max(stripX(s[1]), 1), h);
	}
	drawAxis(W, base);
	drawRange(W, base);
	showStripNote();
}

function rangeText(range) {
	const from = D.slices[range[0]].from_ns, to = D.slices[range[1]].to_ns;
	return fmtTime(from) + " to " + fmtTime(to) + " of " + fmtTime(duration);
}

function showStripNote() {
	const r = rates(), parts = [];
	const range = drag || state.range;
	if (diff) parts.push("Time: of what is compared with before");
	else if (range) parts.push("Shown: " + rangeText(range) + ". Esc shows all of it");
	else if (canFilter) parts.push("Drag to choose a part of the time (" + D.slices.length + " parts)");
	if (range && !value().flow) parts.push(value().name + " is as of the end: time doesn't choose of it");
	if (range && isUnsure()) parts.push("estimates of a part have no interval here: 'gallop report --from " +
		Math.floor(D.slices[range[0]].from_ns / 1e9) + "s --to " + Math.ceil(D.slices[range[1]].to_ns / 1e9) + "s -o part.html' has them");
	if (!canFilter && !diff) parts.push("No filter by time: " + (D.no_slices || "nothing in it happened at a time"));
	if (r && r.max) parts.push("bars: " + value().name.toLowerCase() + ", " + fmt(r.max) + " a second at most");
	if (heapMax) parts.push("line: live heap, dashes: its goal, " + fmtBytes(heapMax) + " at most");
	if (stops.length) parts.push("red: " + grouped(stops.length) + " stops of the world, " + fmtTime(stopMax) + " the longest");
	if (cycles.length) parts.push("shade: " + grouped(cycles.length) + " GC cycles");
	if (D.gc.stops_left_out || D.gc.cycles_left_out) parts.push("not shown: " + grouped(D.gc.stops_left_out) + " stops, " +
		grouped(D.gc.cycles_left_out) + " cycles");
	$("strip-note").textContent = parts.join("; ") + ".";
}

// The slice at a place of the strip; what lies between two belongs to the one before.
function sliceAt(event) {
	const r = strip.getBoundingClientRect(), ns = (event.clientX - r.left) / r.width * duration;
	let i = D.slices.findIndex(s => ns < s.to_ns);
	return i < 0 ? D.slices.length - 1 : i;
}

function stripTip(event) {
	const r = strip.getBoundingClientRect(), ns = (event.clientX - r.left) / r.width * duration, near = duration / r.width * 4;
	const lines = [];
	if (canFilter && value().flow) {
		const s = D.slices[sliceAt(event)];
		lines.push(value().name + ": " + fmtExact(sliceSum(s)) + (value().estimated ? " ?" : "") + ", " + fmtTime(s.from_ns) + " to " + fmtTime(s.to_ns));
	}
	for (const s of stops.filter(x => Math.abs(x[0] - ns) < near).slice(0, 4)) lines.push("stop: " + s[3] + ", " + fmtTime(s[1]));
	for (const c of cycles.filter(x => ns >= x[0] - near && ns <= x[1] + near).slice(0, 2))
		lines.push("GC: " + c[8] + (c[2] ? ", heap " + fmtBytes(c[2]) : "") + (c[3] ? " to " + fmtBytes(c[3]) : "") + (c[5] ? ", goal " + fmtBytes(c[5]) : ""));
	showTip(event, "at " + fmtTime(Math.max(0, ns)), "", lines);
}

// --- doing ------------------------------------------------------------------------------------------

function draw() {
	drawFlame();
	if (state.table) drawTable();
	showStatus();
	drawStrip();
}

function update() {
	hideTip();
	compute();
	draw();
	if (!state.icicle) $("graph").scrollTop = $("graph").scrollHeight;
}

function zoomTo(n) {
	state.zoom = n;
	hideTip();
	drawFlame();
	showStatus();
	if (!state.icicle) $("graph").scrollTop = $("graph").scrollHeight;
}

// Names from the root to what is zoomed to, and back in another view as far as they are there.
function zoomPath() {
	const v = view(), path = [];
	for (let n = state.zoom; n > 0; n = v.parent[n]) path.unshift(v.name[n]);
	return path;
}

function followPath(path) {
	const v = view();
	state.zoom = 0;
	for (const name of path) {
		const kids = v.list.subarray(v.from[state.zoom], v.from[state.zoom + 1]);
		const child = kids.find(n => v.name[n] == name);
		if (child === undefined) return;
		state.zoom = child;
	}
}

function toggle(id) {
	const path = zoomPath();
	state[id] = !state[id];
	$(id == "before" ? "widths" : id).setAttribute("aria-pressed", state[id]);
	followPath(path);
	update();
}

function setTable(on) {
	state.table = on;
	$("table").setAttribute("aria-pressed", on);
	$("graph").hidden = on;
	$("legend").hidden = on;
	$("rows").hidden = !on;
	draw();
}

function setSearch(text) {
	$("search").value = text;
	search();
}

function search() {
	const text = $("search").value;
	let re = null;
	$("search").classList.remove("bad");
	try { re = text ? new RegExp(text, "i") : null; } catch { $("search").classList.add("bad"); }
	state.re = re;
	state.next = -1;
	sums.matched = null;
	draw();
}

function nextMatch() {
	const hit = matched();
	if (!hit || !hit.nodes.length) return;
	state.next = (state.next + 1) % hit.nodes.length;
	if (state.table) setTable(false);
	zoomTo(hit.nodes[state.next]);
}

function setRange(range) {
	state.range = range;
	update();
}

function reset() {
	state.zoom = 0;
	state.range = null;
	setSearch("");
	update();
}

function escape() {
	if ($("search").value) setSearch("");
	else if (state.zoom) zoomTo(0);
	else if (state.range) setRange(null);
	$("search").blur();
}

const KEYS = { 0: reset, i: () => toggle("icicle"), t: () => setTable(!state.table), y: () => toggle("types"), l: () => toggle("lines"),
	b: () => diff && toggle("before"), n: nextMatch, "/": () => $("search").focus() };

function onKey(event) {
	if (event.key == "Escape") return escape();
	if (event.key.toLowerCase() == "f" && (event.ctrlKey || event.metaKey)) {
		event.preventDefault();
		$("search").focus();
		$("search").select();
		return;
	}
	if (event.target == $("search")) { if (event.key == "Enter") { event.target.blur(); nextMatch(); } return; }
	if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName == "SELECT") return;
	const action = KEYS[event.key.toLowerCase()];
	if (!action) return;
	event.preventDefault();
	action();
}

function listenToStrip() {
	let begin = -1;
	strip.addEventListener("pointerdown", e => {
		if (!canFilter || e.button) return;
		begin = sliceAt(e);
		drag = [begin, begin];
		strip.setPointerCapture(e.pointerId);
		drawStrip();
	});
	strip.addEventListener("pointermove", e => {
		if (begin < 0) return stripTip(e);
		const at = sliceAt(e);
		drag = [Math.min(begin, at), Math.max(begin, at)];
		drawStrip();
	});
	strip.addEventListener("pointerup", () => {
		const range = drag;
		begin = -1;
		drag = null;
		if (range) setRange(range);
	});
	strip.addEventListener("pointercancel", () => { begin = -1; drag = null; drawStrip(); });
	strip.addEventListener("pointerleave", hideTip);
}

function listen() {
	canvas.addEventListener("click", e => { const box = boxAt(e); if (box && box.n >= 0) zoomTo(box.n); });
	canvas.addEventListener("pointermove", frameTip);
	canvas.addEventListener("pointerleave", hideTip);
	$("value").onchange = e => { state.value = +e.target.value; update(); };
	$("search").oninput = search;
	$("next").onclick = nextMatch;
	$("reset").onclick = reset;
	$("table").onclick = () => setTable(!state.table);
	for (const id of ["icicle", "types", "lines"]) $(id).onclick = () => toggle(id);
	$("widths").onclick = () => toggle("before");
	document.querySelectorAll("th button").forEach(b => {
		b.onclick = () => {
			state.down = state.by == b.dataset.by ? !state.down : b.dataset.by != "name";
			state.by = b.dataset.by;
			drawTable();
		};
	});
	document.addEventListener("keydown", onKey);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColors(); draw(); showLegend(); });
	new ResizeObserver(() => draw()).observe(document.body);
	listenToStrip();
}

function showLegend() {
	const list = diff ? [[diffColor(1, 0), "less than before, or gone"], [diffColor(1, 1), "the same"], [diffColor(0, 1), "more than before, or new"]]
		: [[colors.app, "application"], [colors.library, "library"], [colors.runtime, "runtime"], [colors.type, "Go type"], [colors.match, "match"]];
	$("legend").replaceChildren(...list.map(([color, text]) => {
		const span = document.createElement("span"), box = document.createElement("i");
		box.style.background = color;
		span.append(box, text);
		return span;
	}));
	if (!diff) $("legend").append("paler: inlined");
}

function badge(text, bad) {
	const span = document.createElement("span");
	span.className = bad ? "badge bad" : "badge";
	span.textContent = text;
	$("badges").append(span, " ");
}

function showAbout() {
	const a = D.about;
	document.title = (diff ? "Difference: " : "") + a.target + " - gallop";
	$("target").textContent = a.target;
	if (sampled) badge("estimated");
	if (diff && D.before.sampled) badge("before: estimated");
	if (diff && D.before.lost) badge("before: " + grouped(D.before.lost) + " lost", true);
	if (a.lost) badge(grouped(a.lost) + " lost", true);
	else badge("nothing lost");
	if (!a.complete && !a.lost) badge("check differs", true);
	$("about").textContent = [a.exe, a.when, fmtTime(a.duration_ns), "by gallop " + a.version].filter(s => s).join(", ") +
		(diff ? "; " + diff.after_name + " against " + diff.before_name + (diff.per ? ", " + diff.per : "") : "");
	$("footer").textContent = (diff ? diff.after_name + ":\n" : "") + a.lines + (diff ? "\n" + diff.before_name + " (before):\n" + D.before.lines : "");
	const sum = v => v.cells.reduce((s, n, i) => i % 3 == 1 ? s + n : s, 0);
	if (D.values.some(v => sum(v) > Number.MAX_SAFE_INTEGER)) $("footer").append("note:  sums above 9,007,199,254,740,991 are rounded\n");
	$("widths").hidden = !diff;
	D.values.forEach((v, i) => $("value").append(new Option(v.name, i, false, i == state.value)));
}

$("types").setAttribute("aria-pressed", state.types);
readColors();
showAbout();
showLegend();
compute();
draw();
$("graph").scrollTop = $("graph").scrollHeight;
listen();
performance.mark("gallop-drawn");

})();
