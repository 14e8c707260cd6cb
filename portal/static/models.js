// Another version may read other columns: its form is read anew, and what was typed stays.
document.addEventListener("change", (event) => {
  if (!event.target.matches?.("select[data-reloads]")) return;
  location.search = new URLSearchParams(new FormData(event.target.form)).toString();
});
