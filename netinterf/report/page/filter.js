"use strict";
// Shows only findings that hold what was typed. Without this script the field stays hidden and the page is whole.
const form = document.querySelector("form"), field = form.querySelector("input"), told = form.querySelector("output");
const found = [...document.querySelectorAll(".finding, .rest tbody tr, .rest li, .quiet")];
const folds = [...document.querySelectorAll(".rest")];
let words = null, waiting = 0;
function filter() {
  words ??= found.map((one) => one.textContent.toLowerCase()); // read once, when first asked
  const wanted = field.value.trim().toLowerCase();
  let shown = 0;
  found.forEach((one, place) => {
    one.hidden = wanted !== "" && !words[place].includes(wanted);
    shown += !one.hidden;
  });
  for (const fold of folds) fold.open = wanted !== "" && fold.querySelector("tr:not([hidden]), li:not([hidden])") !== null;
  told.value = wanted ? `${shown.toLocaleString("en")} of ${found.length.toLocaleString("en")}` : "";
}
field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 150); });
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = found.length < 10;
