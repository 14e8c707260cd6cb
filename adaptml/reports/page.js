"use strict";
// Rows lie in the page as data and become a table when their bucket is opened. Texts are only ever set as text.
const store = document.getElementById("rows");
const data = store ? JSON.parse(store.textContent) : null;

function make(tag, text, name) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== null) node.textContent = text;
  if (name) node.className = name;
  return node;
}

function chips(parts) {
  const list = make("ul", null, "chips");
  list.append(...parts);
  return list;
}

function votes(row) {
  const [, , , given, gold] = row;
  const parts = [];
  for (let i = 0; given && i < given.length; i += 2) {
    const known = gold && data.judged;
    const fits = data.fits.length ? data.fits[given[i + 1]] : [given[i + 1]];
    const right = known && fits.some((c) => gold.includes(c));
    const chip = make("li", null, known ? (right ? "right" : "wrong") : "");
    chip.append(make("span", data.voters[given[i]]), make("b", data.values[given[i + 1]]));
    if (known) chip.title = right ? "right on gold" : "wrong on gold";
    parts.push(chip);
  }
  return parts.length ? chips(parts) : make("span", "none", "quiet");
}

function names(places) {
  if (!places) return make("span", "–", "quiet");
  return make("span", places.map((c) => data.classes[c]).join(" + ") || "none of the classes");
}

function texts(row, column) {
  const node = make("div", null, "text");
  const value = row[2] ? row[2][column] : null;
  if (!row[2]) node.append(make("span", "the row is no longer in its table", "quiet"));
  else if (value === null) node.append(make("span", "missing", "quiet"));
  else if (Array.isArray(value))
    node.append(value[0] + "…", make("span", ` ${value[0].length} of ${value[1]} characters`, "quiet"));
  else node.append(value);
  return node;
}

function probabilities(row) {
  const parts = [];
  for (let i = 0; row[6] && i < row[6].length; i += 2) {
    const chip = make("li");
    chip.append(make("span", data.classes[row[6][i]]), make("b", row[6][i + 1].toFixed(3)));
    parts.push(chip);
  }
  return chips(parts);
}

// Heading, cell, and the number that sorts it where text would not do.
function columnsOf(rows) {
  const has = (place) => rows.some((row) => row[place] !== null);
  const key = (row) => {
    const node = make("div", null, "key");
    node.append(make("span", row[0] + "/"), row[1]);
    return node;
  };
  const all = [["Row", key]];
  data.columns.forEach((name, i) => all.push([name, (row) => texts(row, i)]));
  if (has(3)) all.push([data.headings.votes, votes]);
  if (has(4)) all.push(["Gold", (row) => names(row[4])]);
  if (has(5)) all.push([data.headings.label, (row) => names(row[5])]);
  if (has(6)) all.push(["Probabilities", probabilities, (row) => (row[6] && row[6].length ? row[6][1] : 0)]);
  return all;
}

function fill(bucket) {
  const place = bucket.querySelector(".rows");
  if (!data || place.childElementCount) return;
  const rows = bucket.dataset.rows.split(" ").filter(Boolean).map((i) => data.rows[i]);
  const columns = columnsOf(rows);
  const table = make("table", null, "sortable cards");
  const head = make("tr");
  columns.forEach(([heading]) => {
    const cell = make("th");
    cell.scope = "col";
    const button = make("button", heading);
    button.type = "button";
    cell.append(button);
    head.append(cell);
  });
  const body = make("tbody");
  rows.forEach((row) => {
    const line = make("tr");
    columns.forEach(([heading, content, sort]) => {
      const cell = make("td");
      cell.dataset.heading = heading;
      if (sort) cell.dataset.sort = sort(row);
      cell.append(content(row));
      line.append(cell);
    });
    body.append(line);
  });
  table.append(make("thead"), body);
  table.tHead.append(head);
  place.append(table);
}

function sort(heading) {
  const table = heading.closest("table");
  const place = [...heading.parentNode.children].indexOf(heading);
  const value = (line) => line.children[place].dataset.sort ?? line.children[place].textContent;
  const lines = [...table.tBodies[0].rows];
  const numeric = lines.every((line) => line.children[place].dataset.sort !== undefined);
  const before = heading.getAttribute("aria-sort");
  const down = before ? before === "ascending" : numeric; // numbers from the highest at the first click
  const order = (a, b) => (numeric ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  lines.sort((a, b) => (down ? order(value(b), value(a)) : order(value(a), value(b))));
  table.tBodies[0].append(...lines);
  for (const other of heading.parentNode.children) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
}

function show(id) {
  const target = document.getElementById(id);
  if (!target) return;
  for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  if (target.classList.contains("bucket")) fill(target);
  target.scrollIntoView({ block: "start" });
  const summary = target.querySelector("summary");
  if (summary) summary.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const heading = event.target.closest("table.sortable th");
  if (heading && event.target.closest("button")) sort(heading);
  const link = event.target.closest('a[href^="#"]');
  if (!link) return;
  // In a frame without an address of its own (an artifact viewer) the browser would leave the page.
  event.preventDefault();
  show(link.getAttribute("href").slice(1));
});
document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.open && event.target.classList.contains("bucket")) fill(event.target);
  },
  true,
);
if (location.hash) show(location.hash.slice(1));
