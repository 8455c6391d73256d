// SPDX-License-Identifier: BSD-2-Clause
// The flame graph.
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
