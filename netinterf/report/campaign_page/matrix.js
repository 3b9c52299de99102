"use strict";
// Draws the matrix: what is seen of it, from numbers packed in the page. Without this script the tables stand for it.
const one = (what) => document.querySelector(what);
const box = one(".matrix"), head = box.querySelector("thead tr"), body = box.querySelector("tbody");
const form = one("form"), field = form.querySelector("input"), told = form.querySelector("output"), sheet = one("dialog");
const COUNTS = ["captures", "failing", "answered", "heard", "broken", "silent", "struck", "unknown", "answered", "failed"];
const BEYOND = 4, EDGE = 16; // rows and columns that are drawn beside what is seen; pixels of borders and a scroll bar
const FINDING = 0, MECHANISM = 1, SIGN = 2, KIND = 3, SAYS = 4; // of a state
let about, names, transport, begin, column, state, words = null, byName = null;
let shown, at = [0, 0], drawn = ""; // rows in their order, the cell that keys move from, what was drawn last

async function unpacked(key) {
  const letters = atob(document.getElementById(key).textContent), bytes = new Uint8Array(letters.length);
  for (let place = 0; place < letters.length; place++) bytes[place] = letters.charCodeAt(place);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}
const text = async (key) => new TextDecoder().decode(await unpacked(key));
const numbers = async (key, width) => new ({1: Uint8Array, 2: Uint16Array, 4: Uint32Array})[width](await unpacked(key));
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

function made(element, content = [], traits = {}) { // text is never read as markup
  const made = Object.assign(document.createElement(element), traits);
  made.append(...[content].flat());
  return made;
}
function room(pixels, element, side) {
  const gap = made(element);
  gap.style[side] = `${pixels}px`;
  return gap;
}

// --- drawing ---

function sizes() {
  const style = getComputedStyle(box);
  return ["--row", "--column", "--names"].map((name) => parseFloat(style.getPropertyValue(name)));
}
function draw(anew = false) {
  const [high, wide, beside] = sizes(), columns = about.networks.length;
  box.style.height = `${Math.ceil(head.offsetHeight + shown.length * high) + EDGE}px`; // no higher than the style allows
  const top = Math.max(Math.floor(box.scrollTop / high) - BEYOND, 0);
  const bottom = Math.min(top + Math.ceil(box.clientHeight / high) + 2 * BEYOND, shown.length);
  const left = Math.max(Math.floor(box.scrollLeft / wide) - BEYOND, 0);
  const right = Math.min(left + Math.ceil(box.clientWidth / wide) + 2 * BEYOND, columns);
  const now = [top, bottom, left, right].join();
  if (!anew && now === drawn) return;
  drawn = now;
  const held = box.contains(document.activeElement);
  box.firstChild.style.width = `${beside + columns * wide}px`;
  const where = form.elements.where.value;
  const heads = about.networks.slice(left, right).map((name, place) =>
    made("th", made("span", made("bdi", name)), {scope: "col", title: name, className: where === String(left + place) ? "chosen" : ""}));
  head.replaceChildren(made("td"), room(left * wide, "td", "width"), ...heads, room((columns - right) * wide, "td", "width"));
  const rows = [];
  for (let place = top; place < bottom; place++) rows.push(line(place, left, right));
  const [above, below] = [top, shown.length - bottom].map((rows) => made("tr", room(rows * high, "td", "height"), {className: "gap"}));
  body.replaceChildren(above, ...rows, below);
  box.firstChild.setAttribute("aria-rowcount", shown.length);
  if (held) body.querySelector("[tabindex='0']")?.focus({preventScroll: true});
}
const way = (row) => { // empty of all that leaves a network
  const over = about.transports[transport[row]];
  return over && ` over ${over}`;
};
function line(place, left, right) {
  const row = shown[place], name = names[row], over = about.transports[transport[row]];
  const title = made("th", [made("bdi", name), made("small", over)], {scope: "row", title: name + way(row)});
  const cells = Array.from({length: right - left}, () => made("td"));
  for (let cell = begin[row]; cell < begin[row + 1]; cell++) {
    const here = column[cell];
    if (here < left || here >= right) continue;
    const what = about.states[state[cell]];
    const button = made("button", what[SIGN], {className: `cell ${what[KIND]}`, tabIndex: place === at[0] && here === at[1] ? 0 : -1});
    button.setAttribute("aria-label", `${about.networks[here]}: ${what[SAYS]}`);
    Object.assign(button.dataset, {cell, row, place, column: here});
    cells[here - left].append(button);
  }
  const built = made("tr", [title, made("td"), ...cells, made("td")]);
  built.setAttribute("aria-rowindex", place + 1);
  return built;
}

// --- choosing ---

function choose() {
  words ??= names.map((name) => name.toLowerCase()); // read once, when first asked
  const wanted = field.value.trim().toLowerCase(), what = form.elements.what.value, where = form.elements.where.value;
  const network = where === "" ? -1 : Number(where);
  const fits = Uint8Array.from(about.states, (one) => what === "" || one[FINDING] === what || (one[FINDING] === "blocked" && `by ${one[MECHANISM]}` === what));
  const rows = [];
  for (let row = 0; row < names.length; row++) {
    if (wanted !== "" && !words[row].includes(wanted)) continue;
    let hit = what === "" && network < 0;
    for (let cell = begin[row]; !hit && cell < begin[row + 1]; cell++)
      hit = fits[state[cell]] === 1 && (network < 0 || column[cell] === network);
    if (hit) rows.push(row);
  }
  if (form.elements.order.value === "name") {
    byName ??= Uint32Array.from(names.keys()).sort((one, other) => (names[one] < names[other] ? -1 : names[one] > names[other] ? 1 : one - other));
    const kept = new Set(rows);
    shown = byName.filter((row) => kept.has(row));
  } else shown = Uint32Array.from(rows);
  at = [0, first(0)];
  told.value = `${shown.length.toLocaleString("en")} of ${count(names.length, "row")}`;
  box.scrollTop = 0;
  if (network >= 0) box.scrollLeft = Math.max(network - 1, 0) * sizes()[1];
  draw(true);
}
const first = (place) => (shown.length ? column[begin[shown[place]]] ?? 0 : 0);

// --- keys move from cell to cell ---

const STEPS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
function move(event) {
  const step = STEPS[event.key];
  if (!step || !event.target.matches("button")) return;
  event.preventDefault();
  let [row, here] = [Number(event.target.dataset.place), Number(event.target.dataset.column)];
  for (let tries = 0; tries < about.networks.length + 1; tries++) { // the next one that was tried, a screen away at most
    [row, here] = [row + step[0], here + step[1]];
    if (row < 0 || row >= shown.length || here < 0 || here >= about.networks.length) return;
    const unit = shown[row];
    if (!column.subarray(begin[unit], begin[unit + 1]).includes(here)) continue;
    at = [row, here];
    const [high, wide, beside] = sizes(), tall = head.offsetHeight;
    box.scrollTop = Math.min(Math.max(box.scrollTop, (row + 1) * high + tall - box.clientHeight), row * high);
    box.scrollLeft = Math.min(Math.max(box.scrollLeft, (here + 1) * wide + beside - box.clientWidth), here * wide);
    return draw(true);
  }
}

// --- one cell ---

async function tell(cell, row) {
  const what = about.states[state[cell]], network = about.networks[column[cell]];
  const piece = Math.floor(cell / about.piece), counts = await numbers(`counts-${piece}`, 4);
  const length = counts.length / COUNTS.length, [captures, failing, answered, heard, broken, silent, struck, unknown, passed, lost] =
    COUNTS.map((_, place) => counts[place * length + cell - piece * about.piece]);
  const subject = names[row] + way(row), others = begin[row + 1] - begin[row] - 1;
  let number = about.written.findLastIndex((first) => first <= cell);
  const [says, weighed, looks] = (number < 0 ? {} : JSON.parse(await text(`written-${number}`)))[cell] ??
    [`${subject} in ${network}: ${what[SAYS]}.`, [], []];
  const kinds = {answered, silent, reset: broken, "interfered with": struck, "heard of but not answered": heard, "not shown": unknown};
  const came = Object.entries(kinds).filter(([, number]) => number).map(([kind, number]) => `${number.toLocaleString("en")} ${kind}`).join(", ");
  const failed = broken + silent + struck, pairs = [
    ["Here", `${count(answered + heard + failed + unknown, "attempt")} in ${count(captures, "capture")}: ${came}; failures in ${count(failing, "capture")}`],
    ["Elsewhere", others ? `${lost.toLocaleString("en")} of ${(lost + passed).toLocaleString("en")} attempts failed in ${count(others, "other network")}` : "tried in no other network"],
    ...weighed];
  const close = made("button", "Close", {className: "close", onclick: () => sheet.close()});
  sheet.replaceChildren(
    close, made("h3", made("bdi", names[row])),
    made("p", [`${way(row)} in `, made("bdi", network)], {className: "soft"}),
    made("p", [made("span", what[SIGN], {className: `cell ${what[KIND]}`}), says]),
    made("dl", pairs.flatMap(([term, value]) => [made("dt", term), made("dd", value)])));
  if (looks.length) sheet.append(made("p", "Where to look", {className: "label"}),
    made("ul", looks.map(([capture, frames]) => made("li", [made("code", capture), made("small", frames)]))));
  sheet.showModal();
}

// --- beginning ---

async function begun() {
  about = JSON.parse(await text("about"));
  const [told, ...rest] = await Promise.all([text("names"), numbers("transport", 1), numbers("begin", 4),
    numbers("column", about.widths[0]), numbers("state", about.widths[1])]);
  [transport, begin, column, state] = rest;
  names = told === "" ? [] : told.split("\n");
  if (!names.length) return;
  shown = Uint32Array.from(names.keys());
  at = [0, first(0)];
  one("#table")?.removeAttribute("open"); // it says the same
  box.hidden = form.hidden = false;
  draw();
  performance.mark("drawn");
  let waiting = 0;
  const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; draw(); }); };
  box.addEventListener("scroll", soon, {passive: true});
  addEventListener("resize", soon);
  box.addEventListener("keydown", move);
  box.addEventListener("click", (event) => {
    const cell = event.target.closest("button")?.dataset;
    if (cell) { at = [Number(cell.place), Number(cell.column)]; tell(Number(cell.cell), Number(cell.row)); }
  });
  sheet.addEventListener("click", (event) => { if (event.target === sheet) sheet.close(); });
  let typing = 0;
  form.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(choose, 150); });
  form.addEventListener("submit", (event) => event.preventDefault());
}
if ("DecompressionStream" in window) begun();
