// What every page does: keys that lead to fields, copying, and errors that htmx could not place.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing) {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  say("Copied.");
});

document.addEventListener("htmx:error", () => say("The page did not answer; is `adaptml ui` still running?"));

/** Tell something to all, screen readers included. */
export function say(text) {
  document.getElementById("said").textContent = text;
}
