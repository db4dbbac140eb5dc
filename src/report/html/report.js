"use strict";

/*
 * The page of -report-html. What hosts have sent reaches it as JSON and goes
 * into the page as text alone. Only the rows of the timeline that can be seen
 * exist, so that thousands of hosts cost as much as forty.
 */

const ROW_PX = 22;
const HEAD_PX = 26;
const SPARE_ROWS = 8;
const LABEL_PX = 76;
const OUTPUTS_AT_ONCE = 100;
const OUTPUTS_OPEN = 3;
const REASON_SHORT = 60;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/* Of the axis and of bins: as people count time. */
const ROUND = [1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40];
const ROUND_MS = [1, 2, 3, 4, 5, 6, 8,
    ...[10, 15, 20, 30, 40, 50, 60, 80].flatMap((n) => [n, 10 * n])
        .sort((a, b) => a - b),
    ...ROUND.map((n) => n * SECOND_MS), ...ROUND.map((n) => n * MINUTE_MS),
    ...[1, 1.5, 2, 3, 4, 6, 8, 12, 24, 48, 96].map((n) => n * HOUR_MS),
    Infinity];
const PARTS = ["wait", "tries", "connect", "auth", "run"];
/* At these stages a host's time went to connecting. */
const CONNECT_STAGES = ["dns", "connect", "throttled", "banner", "kex",
    "protocol", "hostkey"];

const run = readData("run-data");
const hosts = readData("record-data").map(hostOf);
const outputs = readData("output-data");
const hostBySeq = new Map(hosts.map((host) => [host.record.seq, host]));
const lastEnd = Math.max(1, ...spread(hosts.map((host) => host.end)));
const collator = new Intl.Collator("en", {numeric: true});

const view = {
	rows: hosts, /* those shown, in their order */
	statuses: new Set(),
	key: "",
	isDescending: false,
	selected: -1, /* index in rows */
	isKept: false, /* the record stays */
	isPrinted: false,
	outputCount: OUTPUTS_AT_ONCE,
};

/* --- data ---------------------------------------------------------------- */

function readData(id) {
	return JSON.parse(element(id).textContent);
}

/* The extremes, since a call takes no 10,000 arguments everywhere. */
function spread(numbers) {
	if (numbers.length === 0)
		return [];
	return [numbers.reduce((a, b) => Math.min(a, b)),
	    numbers.reduce((a, b) => Math.max(a, b))];
}

/* The part in which a host ended. */
function lastPartOf(record) {
	if (record.ok || !record.stage)
		return "run";
	if (CONNECT_STAGES.includes(record.stage))
		return "connect";
	return record.stage === "auth" ? "auth" : "run";
}

/* What is beside connect_ms and auth_ms belongs to where the host ended. */
function partsOf(record) {
	const parts = {wait: 0, tries: record.retry_ms,
	    connect: record.connect_ms, auth: record.auth_ms, run: 0};

	parts[lastPartOf(record)] += record.cost_ms - parts.tries -
	    parts.connect - parts.auth;
	if (record.started_at)
		parts.wait = Date.parse(record.started_at) - run.began_ms;
	for (const name of PARTS)
		parts[name] = Math.max(0, parts[name]);
	return parts;
}

function reasonOf(record) {
	if (record.ok)
		return "";
	const saysStage = !["failed", record.stage].includes(record.status);

	return [saysStage ? record.stage : "", record.message]
	    .filter(Boolean).join(", ");
}

function hostOf(record) {
	const host = {record, parts: partsOf(record), reason: reasonOf(record),
	    lastPart: lastPartOf(record), outputs: []};

	host.end = host.parts.wait + record.cost_ms;
	host.text = [record.host, record.address, record.status, host.reason,
	    record.signal, ...record.groups].join("\n").toLowerCase();
	return host;
}

/* --- text ---------------------------------------------------------------- */

function count(number) {
	return number.toLocaleString("en");
}

function hostCount(number) {
	return count(number) + (number === 1 ? " host" : " hosts");
}

function duration(ms) {
	const seconds = Math.round(ms / 1000);
	const two = (number) => String(number).padStart(2, "0");

	if (ms < 1000)
		return Math.round(ms) + " ms";
	if (ms < 59950)
		return (ms / 1000).toFixed(ms < 9950 ? 2 : 1) + " s";
	if (seconds < 3600)
		return Math.floor(seconds / 60) + ":" + two(seconds % 60) +
		    " min";
	return Math.floor(seconds / 3600) + ":" +
	    two(Math.floor(seconds / 60) % 60) + ":" + two(seconds % 60) + " h";
}

/* "500 ms", "2 s": of the round numbers at an axis. */
function tick(ms) {
	return duration(ms).replace(/\.?0+ s$/, " s").replace(/(:00)+ /, " ");
}

/* --- elements ------------------------------------------------------------ */

function element(id) {
	return document.getElementById(id);
}

/* children: elements and text. */
function make(name, className, ...children) {
	const node = document.createElement(name);

	if (className)
		node.className = className;
	node.append(...children);
	return node;
}

/* text: what is said besides the sign, the status if it is left out. */
function mark(status, text = status) {
	return make("span", "mark " + status, text);
}

/* --- head and failures --------------------------------------------------- */

function showHead() {
	const began = new Date(run.began_ms);
	const day = began.toISOString().slice(0, 19).replace("T", " ");
	const bad = hosts.filter((host) => !host.record.ok);
	const isCut = bad.some((host) => host.record.status === "cancelled");

	document.title = run.program + ": " + run.task.replace(/\s+/g, " ") +
	    ", " + hostCount(hosts.length);
	element("title").append(run.program + ": ", make("code", "", run.task));
	element("origin").append(make("code", "", run.choice),
	    " \u00b7 begun " + day + " UTC \u00b7 " + run.program + " " +
	    run.version);
	element("subtitle").textContent = hostCount(hosts.length) + " in " +
	    duration(run.elapsed_ms) + (isCut ? ", interrupted" : "") +
	    (bad.length > 0 ? ": " + count(bad.length) + " not ok"
	        : hosts.length > 0 ? ": all ok" : "");
}

/* A folded set of hosts, which may be broken after its commas. */
function names(folded) {
	const code = make("code");

	for (const part of folded.split(/(?<=,)/))
		code.append(part, make("wbr"));
	return code;
}

function failureRow(failure) {
	const row = make("tr");
	const reason = make("td", "", [failure.stage, failure.reason]
	    .filter(Boolean).join(", "));

	for (const line of failure.notes)
		reason.append(make("p", "", line));
	row.append(make("td", "", mark(failure.status)), reason,
	    make("td", "number", count(failure.count)),
	    make("td", "", names(failure.hosts)));
	return row;
}

function showFailures() {
	element("failures").hidden = run.failures.length === 0;
	element("failures").querySelector("tbody")
	    .append(...run.failures.map(failureRow));
}

/* --- choosing and sorting ------------------------------------------------ */

function statusButton([status, number]) {
	const button = make("button", "", mark(status),
	    make("b", "", count(number)));

	button.classList.add(status);
	button.setAttribute("aria-pressed", "false");
	button.addEventListener("click", () => {
		const isOn = !view.statuses.delete(status);

		if (isOn)
			view.statuses.add(status);
		button.setAttribute("aria-pressed", String(isOn));
		choose();
	});
	return button;
}

const sortValues = {
	host: (host) => host.record.host,
	status: (host) => run.statuses.indexOf(host.record.status),
	reason: (host) => host.reason,
	tries: (host) => host.record.attempts,
	time: (host) => host.record.cost_ms,
	start: (host) => host.record.started_at ? host.parts.wait : Infinity,
};

function compare(a, b) {
	if (typeof a === "string")
		return collator.compare(a, b);
	return a === b ? 0 : a < b ? -1 : 1;
}

function sortRows() {
	const value = sortValues[view.key];
	const sign = view.isDescending ? -1 : 1;
	const keyed = view.rows.map((host) => [value ? value(host) : 0, host]);

	keyed.sort(([a, x], [b, y]) => sign * compare(a, b) ||
	    x.record.seq - y.record.seq);
	view.rows = keyed.map(([, host]) => host);
}

/* Each of these outputs is searched once, however many hosts share it. */
function outputsWith(word) {
	return new Set(outputs.filter((output) => {
		output.lower ??= output.text.toLowerCase();
		return output.lower.includes(word);
	}));
}

/* Whether a host, what it is or what it has sent, has every word. */
function searcher() {
	const words = element("query").value.toLowerCase().split(/\s+/)
	    .filter(Boolean)
	    .map((text) => ({text, outputs: outputsWith(text)}));

	return (host) => words.every((word) => host.text.includes(word.text) ||
	    host.outputs.some((output) => word.outputs.has(output)));
}

/* Apply the search, the statuses and the order. */
function choose() {
	const selected = view.rows[view.selected];
	const isFound = searcher();

	view.rows = hosts.filter((host) => (view.statuses.size === 0 ||
	    view.statuses.has(host.record.status)) && isFound(host));
	sortRows();
	view.selected = view.rows.indexOf(selected);
	element("shown").textContent = view.rows.length === hosts.length
	    ? hostCount(hosts.length)
	    : count(view.rows.length) + " of " + hostCount(hosts.length);
	hideRecord();
	showRows();
	showHistogram();
	showOutputs();
}

/* Up, down, and back to the order of the choice of hosts. */
function sortBy(header) {
	const key = header.dataset.key;
	const isAgain = view.key === key;

	view.key = isAgain && view.isDescending ? "" : key;
	view.isDescending = isAgain && !view.isDescending;
	for (const other of element("hosts").querySelectorAll("th"))
		other.removeAttribute("aria-sort");
	if (view.key)
		header.setAttribute("aria-sort",
		    view.isDescending ? "descending" : "ascending");
	element("scroller").scrollTop = 0;
	choose();
}

/* --- latency ------------------------------------------------------------- */

function latencies(part) {
	const value = part === "cost" ? (host) => host.record.cost_ms
	    : (host) => host.parts[part];
	/* Hosts that did not get there have none. */
	const hasPart = (host) => host.record.started_at &&
	    PARTS.indexOf(part) <= PARTS.indexOf(host.lastPart);

	return view.rows.filter(hasPart)
	    .map((host) => ({ms: Math.max(1, value(host)),
	        isOk: host.record.ok}))
	    .sort((a, b) => a.ms - b.ms);
}

/* The lower edges from the bin of least to one past that of most. */
function binEdges(least, most) {
	const first = ROUND_MS.findLastIndex((edge) => edge <= least);
	const end = ROUND_MS.findIndex((edge) => edge > most);

	return ROUND_MS.slice(first, end + 1);
}

function bin(from, to, values, tallest) {
	const good = values.filter((value) => value.isOk).length;
	const bad = values.length - good;
	const column = make("div", "bin");

	for (const [name, number] of [["not-ok", bad], ["", good]]) {
		const bar = make("i", name);

		bar.style.height = 100 * number / tallest + "%";
		column.append(bar);
	}
	column.firstChild.before(
	    make("b", "", values.length > 0 ? count(values.length) : ""));
	column.append(make("span", "", tick(from)));
	column.title = tick(from) +
	    (to < Infinity ? " to " + tick(to) : " and more") + ": " +
	    count(good) + " ok, " + count(bad) + " not ok";
	return column;
}

function showHistogram() {
	const values = latencies(element("part").value);
	const at = (share) => duration(
	    values[Math.ceil(share * values.length) - 1].ms);

	element("histogram").replaceChildren();
	element("histogram").hidden = values.length === 0;
	element("percentiles").textContent = "no host got there";
	if (values.length === 0)
		return;
	const edges = binEdges(values[0].ms, values[values.length - 1].ms);
	const bins = edges.slice(0, -1).map((from, i) => values.filter(
	    (value) => value.ms >= from && value.ms < edges[i + 1]));
	const tallest = Math.max(...bins.map((list) => list.length));

	element("histogram").append(...bins.map(
	    (list, i) => bin(edges[i], edges[i + 1], list, tallest)));
	element("percentiles").textContent = "median " + at(0.5) +
	    ", 95 % " + at(0.95) + ", 99 % " + at(0.99) + ", longest " + at(1);
}

/* --- outputs ------------------------------------------------------------- */

/* How a host ended, and why if that is said in a few words. */
function endingOf(host) {
	return host.reason && host.reason.length <= REASON_SHORT
	    ? host.record.status + ", " + host.reason : host.record.status;
}

/* How its hosts ended: one mark, or several and how many of each. */
function outputMarks(output) {
	const endings = new Map();

	for (const seq of output.seqs) {
		const host = hostBySeq.get(seq);
		const ending = endings.get(endingOf(host)) ||
		    {status: host.record.status, number: 0};

		ending.number++;
		endings.set(endingOf(host), ending);
	}
	return [...endings].map(([text, {status, number}]) => mark(status,
	    endings.size === 1 ? text : count(number) + " " + text));
}

/* Of whose output it is a part, if there is any. */
function outputPlace(output) {
	if (output.stream === 0)
		return ", no output";
	return (output.stream === 2 ? ", stderr" : ", stdout") +
	    (output.is_truncated ? ", cut" : "");
}

function outputBlock(output, index) {
	const head = [...outputMarks(output), make("code", "", output.hosts),
	    make("span", "", hostCount(output.seqs.length) +
	        outputPlace(output))];
	const block = make("details", "", make("summary", "", ...head));

	if (output.stream === 0)
		return make("div", "bare", ...head);
	/* Filled when it is opened for the first time. */
	block.addEventListener("toggle", () => {
		if (block.open && block.childElementCount === 1)
			block.append(make("pre", "", output.text));
	});
	block.open = index < OUTPUTS_OPEN;
	return block;
}

function showOutputs() {
	element("cut").hidden = !run.are_outputs_cut;
	if (outputs.length === 0)
		return;
	const shown = new Set(view.rows.map((host) => host.record.seq));
	const chosen = view.rows.length === hosts.length ? outputs
	    : outputs.filter((output) =>
	        output.seqs.some((seq) => shown.has(seq)));

	element("outputs").hidden = false;
	element("groups").replaceChildren(...(chosen.length > 0
	    ? chosen.slice(0, view.outputCount).map(outputBlock)
	    : [make("p", "note", "No output.")]));
	element("more").hidden = chosen.length <= view.outputCount;
}

/* --- set-up -------------------------------------------------------------- */

/* Call it once before the next picture, however often it is asked for. */
function soon(call) {
	let isDue = false;

	return () => {
		if (isDue)
			return;
		isDue = true;
		requestAnimationFrame(() => {
			isDue = false;
			call();
		});
	};
}

function listen() {
	const table = element("hosts");
	const scroller = element("scroller");

	element("query").addEventListener("input", soon(choose));
	element("part").addEventListener("change", showHistogram);
	element("more").addEventListener("click", () => {
		view.outputCount += OUTPUTS_AT_ONCE;
		showOutputs();
	});
	for (const header of table.querySelectorAll("th"))
		header.firstChild.addEventListener("click",
		    () => sortBy(header));
	table.addEventListener("keydown", onKey);
	table.addEventListener("pointermove", onPoint);
	scroller.addEventListener("pointerleave",
	    () => view.isKept || hideRecord());
	scroller.addEventListener("scroll", soon(showRows));
	addEventListener("resize", soon(() => {
		showAxis();
		showRows();
	}));
	addEventListener("beforeprint", () => printed(true));
	addEventListener("afterprint", () => printed(false));
	document.addEventListener("click", onClick);
	document.addEventListener("keydown", (event) => {
		if (event.key === "Escape")
			hideRecord();
	});
}

/* On paper there are all rows. */
function printed(isPrinted) {
	view.isPrinted = isPrinted;
	hideRecord();
	showRows();
}

function showStatuses() {
	const numbers = run.statuses.map((status) => [status,
	    hosts.filter((host) => host.record.status === status).length]);

	element("statuses").append(...numbers.filter(([, number]) => number > 0)
	    .map(statusButton));
}

for (const output of outputs) {
	for (const seq of output.seqs)
		hostBySeq.get(seq).outputs.push(output);
}
showHead();
showFailures();
showStatuses();
showAxis();
listen();
choose();
