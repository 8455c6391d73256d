// SPDX-License-Identifier: BSD-2-Clause
// Numbers for people, as gallop's texts have them.
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
