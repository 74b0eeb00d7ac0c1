"use strict";
const said = document.getElementById("said");
async function put(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* not allowed here: the old way */ }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await put(button.parentElement.querySelector("code").textContent);
    button.textContent = done ? "copied" : "select it by hand";
    said.textContent = done ? "The formula is copied." : "It could not be copied; select it by hand.";
    button.focus();
    setTimeout(() => { button.textContent = "copy"; }, 2500);
  });
}
function open() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") target.open = true;
}
addEventListener("hashchange", open);
open();
