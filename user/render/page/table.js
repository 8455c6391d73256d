// SPDX-License-Identifier: BSD-2-Clause
// The table of functions.
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
