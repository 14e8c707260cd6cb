// A rectangle on the map: drawn with the pointer, or typed into the number fields; both fill the same form.
const SIDE = 100;
let from = null;

document.addEventListener("htmx:after:swap", show);
document.addEventListener("input", (event) => {
  if (event.target.closest("#region-form")) show();
});
document.addEventListener("submit", (event) => {
  if (event.target.id === "region-form") fill(event.target);
});
document.addEventListener("pointerdown", (event) => {
  const map = event.target.closest?.("#map");
  if (!map || event.button !== 0) return;
  from = place(map, event);
  map.setPointerCapture(event.pointerId);
  event.preventDefault();
});
document.addEventListener("pointermove", (event) => {
  if (!from) return;
  const to = place(document.getElementById("map"), event);
  corners().forEach((field, i) => {
    field.value = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])][i].toFixed(1);
  });
  show();
});
document.addEventListener("pointerup", (event) => {
  if (!from) return;
  const to = place(document.getElementById("map"), event);
  const drawn = Math.abs(to[0] - from[0]) + Math.abs(to[1] - from[1]) > 1;
  from = null;
  if (drawn) document.getElementById("region-form").requestSubmit();
});

/** The four fields: left, bottom, right, top. */
function corners() {
  return ["x0", "y0", "x1", "y1"].map((id) => document.getElementById(id));
}

/** Where the pointer is on the map, from 0 to 100 along both axes. */
function place(map, event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  return [at.x / 10, SIDE - at.y / 10].map((value) => Math.max(0, Math.min(SIDE, value)));
}

/** Draw the rectangle that the fields say, where a region was chosen. */
function show() {
  const form = document.getElementById("region-form");
  const box = document.getElementById("region-box");
  if (!form || !box) return;
  const [x0, y0, x1, y1] = corners().map((field) => Number(field.value));
  const whole = x0 <= 0 && y0 <= 0 && x1 >= SIDE && y1 >= SIDE;
  box.setAttribute("x", 10 * Math.min(x0, x1));
  box.setAttribute("y", 10 * (SIDE - Math.max(y0, y1)));
  box.setAttribute("width", whole ? 0 : 10 * Math.abs(x1 - x0));
  box.setAttribute("height", whole ? 0 : 10 * Math.abs(y1 - y0));
}

/** What the form sends: the map's name and the corners. */
function fill(form) {
  form.elements.region.value = [form.dataset.map, ...corners().map((field) => field.value || 0)].join(" ");
}
