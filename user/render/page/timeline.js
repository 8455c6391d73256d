// SPDX-License-Identifier: BSD-2-Clause
// The timeline, and the choice of a part of it.
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
