// A link is /enter#TOKEN: what stands after # is sent to no server by itself and stays out of every log.
const asked = new URL(new URL(location.href).searchParams.get("next") ?? "/", location.origin);
const onward = () =>
  location.replace(asked.origin === location.origin ? asked.pathname + asked.search + asked.hash : "/");
const form = document.getElementById("enter");
const said = document.getElementById("said-here");
let token = "";

async function send() {
  const body = new URLSearchParams({ token, key: form.elements.key.value });
  const answer = await (await fetch("/enter", { method: "POST", body })).json();
  if (answer.entered) return onward();
  said.textContent = answer.said;
}

async function begin() {
  token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  if (token && form.hidden) return send();
  if (!token && (await (await fetch("/enter/again")).json()).entered) onward();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
window.addEventListener("hashchange", begin);
begin();
