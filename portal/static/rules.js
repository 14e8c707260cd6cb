// The page of rules: the editor, and parts of the page that are put in place as they come.
import { goToLine, makeEditor, markLines, replaceText } from "./vendor/editor.js";
import { say } from "./page.js";

const form = document.getElementById("edit");
const area = document.getElementById("text");
const state = document.getElementById("state");
const bench = document.getElementById("bench");
const conflict = document.getElementById("conflict");
const page = new URL(form.dataset.page, location.href);
let view = location.search || page.search; // which table, order and rows: all of it stands in the address
const address = (part) => `${page.pathname}/${part}${view}`;
let saved = area.value; // what the file holds, as far as this tab knows
let shown = null; // the text that the table is about, where it is not saved

const editor = makeEditor({
  parent: document.getElementById("editor"),
  doc: area.value,
  label: "Rules, lfs.py. Escape, then Tab, leaves the editor.",
  nonce: area.dataset.nonce,
  words: JSON.parse(area.dataset.words),
  onChange: (text) => {
    area.value = text;
    tell();
  },
  onSave: save,
  onTry: tryIt,
});
area.hidden = true;
editor.contentDOM.tabIndex = 0; // what scrolls holds what the keyboard reaches
document.getElementById("editor").hidden = false;
document.getElementById("try").hidden = false;
// For what adds rules from elsewhere on the page, and for tests.
document.addEventListener("rules:replace", (event) => replaceText(editor, event.detail));

function tell() {
  const changed = area.value !== saved;
  state.textContent = changed ? "changed, not saved" : state.dataset.saved;
  state.classList.toggle("wrong", changed);
}

addEventListener("beforeunload", (event) => {
  if (area.value !== saved) event.preventDefault();
});

/** Put HTML in place; who was typing there goes on typing, whichever answer it was that came. */
function replaceInside(place, html) {
  const typed = place.contains(document.activeElement) ? document.activeElement : null;
  const text = typed?.matches("input") ? typed.value : null;
  place.innerHTML = html;
  const field = typed?.id ? document.getElementById(typed.id) : null;
  if (!field) return;
  field.focus();
  if (text === null) return;
  field.value = text;
  field.setSelectionRange?.(text.length, text.length);
}

/** Ask for a part of the page and put it in place; the last one asked for wins. */
const asking = new WeakMap();
async function load(place, url, fields = null) {
  asking.get(place)?.abort();
  const control = new AbortController();
  asking.set(place, control);
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, {
      method: fields ? "POST" : "GET",
      body: fields ? new URLSearchParams(fields) : null,
      headers: { "hx-request": "true" },
      signal: control.signal,
    });
    const html = await answer.text();
    if (answer.status === 401) location.reload();
    if (answer.status === 409) return [answer, html];
    replaceInside(place, html);
    window.htmx?.process(place);
    place.removeAttribute("aria-busy");
    if (place === bench || place.id === "table-part") tableCame();
    return [answer, html];
  } catch (error) {
    if (error.name !== "AbortError") {
      place.removeAttribute("aria-busy");
      say("The page did not answer; is `adaptml ui` still running?");
    }
    return [null, ""];
  }
}

function tableCame() {
  const problems = [...bench.querySelectorAll("[data-line]")]
    .filter((one) => one.dataset.line)
    .map((one) => ({
      line: Number(one.dataset.line), message: one.dataset.message, severity: one.dataset.severity ?? "error",
    }));
  markLines(editor, problems);
  const waiting = bench.querySelector("[data-run]");
  if (waiting && shown === null) load(document.getElementById("table-part"), waiting.dataset.run);
}

/** A part of the view that the address asks for now; of rules that are not saved, by their text. */
function loadPart(part) {
  const place = part === "bench" ? bench : document.getElementById(`${part}-part`);
  return load(place, address(part), shown === null ? null : { text: shown });
}

async function save() {
  const text = area.value;
  state.textContent = "saving …";
  const [answer, html] = await load(bench, address("save"), { text, base: form.elements.base.value });
  if (answer?.status === 409) {
    conflict.innerHTML = html;
    bench.removeAttribute("aria-busy");
    conflict.querySelector("button").focus();
  } else if (answer?.headers.has("x-saved")) {
    form.elements.base.value = answer.headers.get("x-saved");
    saved = text;
    shown = null;
    conflict.replaceChildren();
    state.dataset.saved = `saved ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
  }
  tell();
}

async function tryIt() {
  shown = area.value === saved ? null : area.value;
  await loadPart("bench");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});
document.getElementById("try").addEventListener("click", tryIt);

document.addEventListener("click", (event) => {
  const overwrite = event.target.closest("[data-overwrite]");
  if (overwrite) {
    event.preventDefault();
    form.elements.base.value = overwrite.dataset.overwrite;
    save();
    return;
  }
  if (event.target.closest("[data-theirs]")) {
    saved = area.value; // leaving is what was asked for
    return;
  }
  const line = event.target.closest("[data-go]");
  if (line) goToLine(editor, Number(line.dataset.go));
  const named = event.target.closest("[data-find]");
  if (named) {
    const at = area.value.indexOf(named.dataset.find);
    if (at >= 0) goToLine(editor, area.value.slice(0, at).split("\n").length);
  }
  const link = event.target.closest("a[data-part], .rules-charts a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const part = link.dataset.part ?? "rows";
  view = new URL(link.href.baseVal ?? link.href, location.href).search;
  history.pushState(null, "", page.pathname + view);
  if (part === "rows") markChosen();
  loadPart(part);
});

/** The rule that the rows are about stands out in the table. */
function markChosen() {
  const rule = new URLSearchParams(view).get("rule");
  for (const row of bench.querySelectorAll(".rules-list tbody tr")) {
    row.classList.toggle("chosen", row.querySelector("button")?.textContent === rule);
  }
}

addEventListener("popstate", () => {
  if (location.pathname !== page.pathname) return; // the panel's own
  view = location.search;
  loadPart("bench");
});

let typing;
bench.addEventListener("input", (event) => {
  const filter = event.target.closest("form[data-part]");
  if (!filter) return;
  clearTimeout(typing);
  typing = setTimeout(() => filterNow(filter), 250);
});
bench.addEventListener("submit", (event) => {
  const filter = event.target.closest("form[data-part]");
  if (!filter) return;
  event.preventDefault();
  filterNow(filter);
});

async function filterNow(filter) {
  const query = new URLSearchParams(view);
  const { find, votes_for: label } = filter.elements;
  for (const field of [find, label]) {
    if (field.value) query.set(field.name, field.value);
    else query.delete(field.name);
  }
  view = query.size ? `?${query}` : "";
  history.replaceState(null, "", page.pathname + view);
  await loadPart("table");
}

bench.addEventListener(
  "toggle",
  (event) => {
    const { load: url } = event.target.dataset;
    if (!url || !event.target.open) return;
    delete event.target.dataset.load;
    load(event.target.querySelector("div"), url);
  },
  true,
);

loadPart("bench");
