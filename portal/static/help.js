// Shows what a term means (see templates/terms.html) on hover, focus and touch; Escape puts it away.
const bubble = document.createElement("div");
bubble.id = "term-bubble";
bubble.popover = "manual";
bubble.setAttribute("aria-hidden", "true"); // a screen reader reads the term's own description
document.body.append(bubble);

const GAP = 6;
let shown = null;

function show(term) {
  shown = term;
  bubble.textContent = document.getElementById(term.getAttribute("aria-describedby")).textContent;
  bubble.showPopover();
  const place = term.getBoundingClientRect();
  const size = bubble.getBoundingClientRect();
  const left = Math.min(place.left, document.documentElement.clientWidth - size.width - GAP);
  const below = place.bottom + GAP;
  const fits = below + size.height < document.documentElement.clientHeight;
  bubble.style.left = `${Math.max(GAP, left)}px`;
  bubble.style.top = `${fits ? below : Math.max(GAP, place.top - size.height - GAP)}px`;
}

function hide() {
  shown = null;
  bubble.hidePopover();
}

const termAt = (event) => (event.target instanceof Element ? event.target.closest(".term") : null);

document.addEventListener("pointerover", (event) => {
  const term = termAt(event);
  if (term) show(term);
  else if (shown && shown !== document.activeElement && event.target !== bubble) hide();
});
document.addEventListener("focusin", (event) => {
  const term = termAt(event);
  if (term) show(term);
  else if (shown) hide();
});
document.addEventListener("click", (event) => {
  const term = termAt(event);
  if (term) show(term);
  else if (shown) hide();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && shown) hide();
});
document.addEventListener("scroll", () => shown && hide(), { capture: true, passive: true });
