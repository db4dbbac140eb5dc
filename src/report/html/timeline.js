/* The timeline: one bar a host, and the record of one of them. */

/* --- timeline ------------------------------------------------------------ */

function percent(ms) {
	return 100 * ms / lastEnd + "%";
}

function track(host) {
	const bar = make("div", "track");
	let at = 0;

	for (const name of PARTS) {
		if (host.parts[name] > 0) {
			const part = make("i", name === host.lastPart
			    ? name + " ended" : name);

			part.style.left = percent(at);
			part.style.width = percent(host.parts[name]);
			bar.append(part);
		}
		at += host.parts[name];
	}
	return bar;
}

function hostRow(host, index) {
	const row = make("tr", host.record.status,
	    make("td", "", host.record.host),
	    make("td", "", mark(host.record.status)),
	    make("td", "", host.reason),
	    make("td", "number", String(host.record.attempts)),
	    make("td", "number", duration(host.record.cost_ms)),
	    make("td", "", track(host)));

	row.id = "row-" + index;
	row.dataset.index = index;
	row.setAttribute("aria-rowindex", index + 2);
	row.setAttribute("aria-selected", String(index === view.selected));
	return row;
}

/* Stands for rows that cannot be seen. */
function gap(rows) {
	const row = make("tr");

	row.style.height = rows * ROW_PX + "px";
	row.setAttribute("aria-hidden", "true");
	return rows > 0 ? [row] : [];
}

function nothingRow() {
	const cell = make("td", "", "No host matches.");

	cell.colSpan = 6;
	return make("tr", "empty", cell);
}

function showRows() {
	const scroller = element("scroller");
	const body = element("hosts").tBodies[0];
	const total = view.rows.length;
	const top = Math.floor(scroller.scrollTop / ROW_PX);
	const first = view.isPrinted ? 0 : Math.max(0, top - SPARE_ROWS);
	/* Without rows the table is not yet as high as it may be. */
	const last = view.isPrinted ? total : Math.min(total,
	    top + Math.ceil(innerHeight / ROW_PX) + SPARE_ROWS);
	const seen = view.rows.slice(first, last);

	element("hosts").setAttribute("aria-rowcount", total + 1);
	body.replaceChildren(...gap(first),
	    ...seen.map((host, i) => hostRow(host, first + i)),
	    ...gap(total - Math.max(first, last)),
	    ...(total === 0 ? [nothingRow()] : []));
}

/* About five round numbers, or as many as there is room for. */
function showAxis() {
	const room = Math.floor(element("axis").clientWidth / LABEL_PX);
	const step = ROUND_MS.find(
	    (ms) => ms >= lastEnd / Math.max(1, Math.min(5, room)));

	element("axis").replaceChildren();
	for (let at = step; at < lastEnd * 0.92; at += step) {
		const label = make("span", "", tick(at));

		label.style.left = percent(at);
		element("axis").append(label);
	}
}

function select(index) {
	const scroller = element("scroller");
	const top = index * ROW_PX;
	const room = scroller.clientHeight - HEAD_PX - ROW_PX;

	view.selected = index;
	if (top < scroller.scrollTop)
		scroller.scrollTop = top;
	else if (top > scroller.scrollTop + room)
		scroller.scrollTop = top - room;
	showRows();
	element("hosts").setAttribute("aria-activedescendant", "row-" + index);
	view.isKept = false;
	showRecord(element("row-" + index));
}

/* The rows that a key moves by; undefined if it is none of these. */
function keyStep(key) {
	const page = Math.max(1,
	    Math.floor(element("scroller").clientHeight / ROW_PX) - 2);

	return {ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page,
	    Home: -Infinity, End: Infinity}[key];
}

function onKey(event) {
	const step = keyStep(event.key);

	if (event.target !== element("hosts") || view.rows.length === 0)
		return;
	if (step !== undefined)
		select(Math.min(view.rows.length - 1,
		    Math.max(0, view.selected + step)));
	else if (event.key === "Enter" && view.selected >= 0)
		keepRecord(element("row-" + view.selected));
	else
		return;
	event.preventDefault();
}

/* --- the record ---------------------------------------------------------- */

const units = /_ms$/;

function recordValue([name, value]) {
	if (units.test(name))
		return duration(value);
	if (Array.isArray(value))
		return value.join(", ");
	return typeof value === "number" ? count(value) : String(value);
}

function recordList(record) {
	const list = make("dl");

	for (const entry of Object.entries(record)) {
		if (entry[1] === null || entry[1] === "")
			continue;
		list.append(make("dt", "", entry[0].replace(units, "")),
		    make("dd", "", recordValue(entry)));
	}
	return list;
}

/* Below the row if there is room, else above it; the pointer's side aside. */
function placeRecord(row, x) {
	const card = element("record");
	const edge = row.getBoundingClientRect();
	const left = x === undefined ? edge.left + 120 : x + 16;
	const below = edge.bottom + 4 + card.offsetHeight < innerHeight;

	card.style.left = Math.max(8,
	    Math.min(left, innerWidth - card.offsetWidth - 8)) + "px";
	card.style.top = Math.max(8, below ? edge.bottom + 4
	    : edge.top - card.offsetHeight - 4) + "px";
}

function showRecord(row, x) {
	const host = row && view.rows[row.dataset.index];
	const card = element("record");

	if (!host)
		return;
	card.replaceChildren(make("strong", "", host.record.host), " ",
	    mark(host.record.status), recordList(host.record));
	card.classList.remove("kept");
	card.hidden = false;
	placeRecord(row, x);
}

/* With the keyboard one goes there, to read and to scroll it. */
function keepRecord(row, x) {
	showRecord(row, x);
	if (x === undefined)
		element("record").focus();
	view.isKept = true;
	element("record").classList.add("kept");
}

function hideRecord() {
	const card = element("record");

	view.isKept = false;
	if (card.contains(document.activeElement))
		element("hosts").focus({preventScroll: true});
	card.hidden = true;
}

function onPoint(event) {
	const row = event.target.closest("tr[data-index]");

	if (view.isKept)
		return;
	if (row)
		showRecord(row, event.clientX);
	else
		hideRecord();
}

function onClick(event) {
	const row = event.target.closest("tr[data-index]");

	if (row) {
		view.selected = Number(row.dataset.index);
		showRows();
		keepRecord(element(row.id), event.clientX);
	} else if (!event.target.closest("#record")) {
		hideRecord();
	}
}
