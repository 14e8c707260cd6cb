// Keys for whoever settles or labels many points: digits choose, W goes to the reason, J and K move, S skips.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select")) return;
  const cards = [...document.querySelectorAll(".an-card")];
  const here = event.target.closest?.(".an-card");
  const card = here ?? cards[0];
  if (!card) return;
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") {
    const next = cards[here ? cards.indexOf(here) + (key === "j" ? 1 : -1) : 0];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  } else if (key === "w") {
    card.querySelector("input[name=why]")?.focus();
  } else if (key === "s") {
    card.querySelector(".an-skip")?.click();
  } else if (key === "enter" && !event.target.closest("button, a, summary")) {
    card.querySelector(".an-save")?.click();
  } else if (/^\d$/.test(key)) {
    chosen(card, key)?.click();
  } else return;
  event.preventDefault();
});

/** What a digit of a card stands for: the button or the box that shows it. */
function chosen(card, digit) {
  const shown = [...card.querySelectorAll("kbd")].find((one) => one.textContent === digit);
  return shown?.closest("button") ?? shown?.closest("label")?.querySelector("input");
}

// What was put in place of a card that somebody worked on takes the focus, so that keys go on there.
let worked = false;
document.addEventListener("submit", (event) => {
  worked = Boolean(event.target.closest(".an-card, .an-next"));
});
document.addEventListener("htmx:after:swap", () => {
  if (!worked || document.activeElement !== document.body) return;
  worked = false;
  const open = [...document.querySelectorAll(".an-card")].find((card) => card.querySelector("kbd"));
  open?.focus();
});

// Among many classes those whose name holds what was typed; Enter takes the first.
document.addEventListener("input", (event) => {
  if (!event.target.matches?.(".an-find")) return;
  const wanted = event.target.value.toLowerCase();
  for (const label of event.target.closest("fieldset").querySelectorAll("label")) {
    label.hidden = !label.textContent.toLowerCase().includes(wanted);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches?.(".an-find")) return;
  event.preventDefault();
  event.target.closest("fieldset").querySelector("label:not([hidden]) input")?.click();
  event.target.select();
});
