// SPDX-License-Identifier: BSD-2-Clause
// What is done at clicks and keys, and at first.
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
