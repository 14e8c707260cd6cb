// A step's form: another algorithm has other parameters. What was typed stays in the address.
document.addEventListener("change", (event) => {
  if (!event.target.matches?.("select[data-reloads]")) return;
  const form = event.target.form;
  const typed = new URLSearchParams(new FormData(form));
  typed.set("step", form.dataset.step);
  location.search = typed.toString();
});
