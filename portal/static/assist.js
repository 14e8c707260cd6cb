// Words that are selected become a rule; keys 1 to 9 label the row that has the focus; what the panel for the next rule
// shows stands in the address.
import { say } from "./page.js";

const MOST_CHARS = 200;

const offer = document.createElement("div");
offer.id = "make-rule";
offer.hidden = true;
const link = document.createElement("a");
link.className = "button main";
offer.append(link);
document.body.append(offer);

document.addEventListener("selectionchange", () => {
  const selection = document.getSelection();
  const words = selection.toString().trim().replace(/\s+/g, " ");
  const panel = document.getElementById("assist");
  const text = inText(selection.anchorNode);
  const usable = panel && words && words.length <= MOST_CHARS && text && text === inText(selection.focusNode);
  offer.hidden = !usable;
  if (!usable) return;
  const kind = words.includes(" ") ? "phrase" : "keywords";
  const said = new URLSearchParams({ kind, table: panel.dataset.table, words });
  if (text.dataset.column) said.set("column", text.dataset.column);
  link.href = `/tasks/${encodeURIComponent(panel.dataset.task)}/assist/form?${said}`;
  link.textContent = `Make a rule of “${words}”`;
});

function inText(node) {
  const element = node instanceof Element ? node : node?.parentElement;
  return element?.closest(".text, [data-column]") ?? null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  if (event.key === "j" || event.key === "k") return step(event.key === "j" ? 1 : -1);
  if (event.key === "u") return document.querySelector(`${rowOf(last)} .labelled button`)?.click();
  if (!/^[0-9]$/.test(event.key)) return;
  const row = document.activeElement?.closest?.(".row-actions");
  if (!row) {
    if (document.querySelector(".row-actions")) say("Choose a row first: J for the next one, K for the one before.");
    return;
  }
  row.querySelector(`button[data-key="${event.key}"]`)?.click();
});

/** Put the focus on the next row, or on the one before. */
function step(by) {
  const rows = [...document.querySelectorAll(".row-actions")];
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[now < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, now + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

// The row that was labelled is another element now: it gets the focus back, and in a multiclass task the next row.
let labelled = null;
let last = ""; // which row that was
const rowOf = (id) => `.row-actions[data-row="${CSS.escape(id)}"]`;
document.addEventListener("htmx:before:request", (event) => {
  labelled = event.target.closest?.(".row-actions")?.dataset.row ?? null;
});
document.addEventListener("htmx:after:swap", () => {
  if (labelled === null) return;
  const row = document.querySelector(rowOf(labelled));
  last = labelled;
  labelled = null;
  if (!row || (document.activeElement && document.activeElement !== document.body)) return;
  row.focus();
  if ("exclusive" in row.dataset && row.querySelector(".labelled")) step(1);
});

// In the address of the page of rules it stands beside what else that asks for.
const onRules = document.getElementById("edit");
const PARTS = /\/assist(\/(words|form|near))?(\?|$)/;
document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  const address = ctx?.request?.action;
  const panel = document.getElementById("assist");
  if (!panel || ctx?.target !== panel || !PARTS.test(address ?? "")) return;
  if (!onRules) {
    history.pushState(null, "", address);
    return;
  }
  const query = new URLSearchParams(location.search);
  const asked = query.get("assist");
  const first = !panel.dataset.shown;
  panel.dataset.shown = "true";
  if (first && asked?.startsWith(`/tasks/${encodeURIComponent(panel.dataset.task)}/assist`)) {
    window.htmx.ajax("GET", asked, { target: "#assist" });
    return;
  }
  if (/\/assist(\?|$)/.test(address)) query.delete("assist");
  else query.set("assist", address);
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
  if (!first) panel.scrollIntoView({ block: "start" });
});
if (!onRules) addEventListener("popstate", () => location.reload());

// A rule is added to the file: what stands in the editor must be in the file, too.
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".rule-form")) return;
  if (document.getElementById("state")?.textContent.startsWith("changed")) {
    event.preventDefault();
    say("The editor holds changes that are not saved: save them first, then add the rule.");
  }
});
