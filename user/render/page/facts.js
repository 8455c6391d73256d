// SPDX-License-Identifier: BSD-2-Clause
// What is said of a frame: beside the pointer, and in the status.
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
