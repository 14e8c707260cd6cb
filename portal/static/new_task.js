// Sends a file as the body of a request, so that the server writes it as it comes, and shows how far it is.
const form = document.getElementById("upload");
const [going, bar, percent, problem, stop] = ["going", "progress", "percent", "problem", "stop"].map((id) =>
  document.getElementById(id),
);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = form.elements.file.files[0];
  const request = new XMLHttpRequest();
  const send = form.querySelector("button.main");
  const ended = (text) => {
    send.disabled = false;
    going.hidden = stop.hidden = true;
    problem.textContent = text;
    problem.hidden = !text;
  };
  request.open("POST", `/import/upload?name=${encodeURIComponent(file.name)}`);
  request.responseType = "json";
  request.upload.addEventListener("progress", (moment) => {
    const share = moment.total ? Math.floor((100 * moment.loaded) / moment.total) : 0;
    bar.value = share;
    percent.textContent = `${share} % of ${(moment.total / 1e6).toFixed(1)} MB`;
  });
  request.addEventListener("load", () => {
    if (request.response?.address) location.assign(request.response.address);
    else ended(request.response?.error ?? `The page answered with ${request.status}.`);
  });
  request.addEventListener("error", () => ended("The upload broke off; is the page still running?"));
  request.addEventListener("abort", () => ended("Stopped; nothing was kept."));
  stop.onclick = () => request.abort();
  problem.hidden = true;
  going.hidden = stop.hidden = false;
  send.disabled = true;
  request.send(file);
});
