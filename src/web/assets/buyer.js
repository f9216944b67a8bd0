// What buyers' pages do beyond plain forms: count down, copy, look again without losing one's place. Without it they say
// the same and load themselves anew.

const main = document.querySelector("main");
const said = document.getElementById("said");
const away = document.getElementById("away");

/** How far the till's clock is ahead of this one's, in milliseconds. */
let ahead = Date.parse(main.dataset.now) - Date.now();
let again = Number(main.dataset.again) * 1000;
let looking = false;
let looked = Date.now();

const formats = {
  minute: new Intl.DateTimeFormat(navigator.language, { hour: "2-digit", minute: "2-digit" }),
  day: new Intl.DateTimeFormat(navigator.language, { dateStyle: "medium" }),
};

/** Times as they are here. */
function localize(root) {
  for (const time of root.querySelectorAll("time[data-as]")) time.textContent = formats[time.dataset.as].format(new Date(time.dateTime));
}

function clock(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function tick() {
  let over = false;
  for (const one of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.ceil((Date.parse(one.dataset.until) - Date.now() - ahead) / 1000));
    if (one.localName === "progress") one.value = left;
    else if (one.textContent !== clock(left)) one.textContent = clock(left);
    one.classList.toggle("soon", left <= 120);
    over ||= left === 0;
  }
  const waited = Date.now() - looked;
  if (again && !document.hidden && (waited >= again || (over && away.hidden && waited >= 1000))) look();
}

/** A button that copies what stands beside it. */
function copying(root) {
  for (const place of root.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "second small";
    button.textContent = place.dataset.label;
    button.addEventListener("click", async () => {
      const text = place.dataset.copy || location.origin + location.pathname;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = said.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(place);
        button.textContent = "Press Ctrl and C";
      }
      setTimeout(() => (button.textContent = place.dataset.label), 4000);
    });
    place.append(button);
  }
}

/** A part without what changes by the clock alone. */
function plain(part) {
  const copy = part.cloneNode(true);
  for (const one of copy.querySelectorAll("[data-until]")) {
    one.removeAttribute("value");
    one.textContent = "";
  }
  return copy.outerHTML;
}

const shown = new Map();

function prepare(part) {
  shown.set(part.dataset.part, plain(part));
  localize(part);
  copying(part);
}

/** Asks for the page again; what is another now takes the place of what was. */
function look() {
  if (looking) return;
  looking = true;
  looked = Date.now();
  const request = new XMLHttpRequest();
  request.responseType = "document";
  request.timeout = 15000;
  request.open("GET", location.pathname);
  request.addEventListener("loadend", () => {
    looking = false;
    looked = Date.now();
    const there = request.response?.querySelector("main");
    away.hidden = Boolean(there) && request.status !== 503;
    if (!away.hidden) return;
    if (request.response.title !== document.title) return location.replace(request.responseURL);
    ahead = Date.parse(there.dataset.now) - Date.now();
    again = Number(there.dataset.again) * 1000;
    for (const part of there.querySelectorAll("[data-part]")) update(part);
    tick();
  });
  request.send();
}

function update(part) {
  const name = part.dataset.part;
  const old = main.querySelector(`[data-part="${name}"]`);
  if (!old || plain(part) === shown.get(name)) return;
  const news = [...part.querySelectorAll("[data-say]")].map((one) => one.dataset.say);
  const known = new Set([...old.querySelectorAll("[data-say]")].map((one) => one.dataset.say));
  const held = old.contains(document.activeElement) ? document.activeElement.textContent : null;
  const fresh = document.adoptNode(part);
  prepare(fresh);
  old.replaceWith(fresh);
  if (held !== null) {
    const same = [...fresh.querySelectorAll("a, button")].find((one) => one.textContent === held);
    if (!same) fresh.tabIndex = -1;
    (same ?? fresh).focus();
  }
  said.textContent = news.filter((one) => !known.has(one)).join(". ") || said.textContent;
}

for (const part of main.querySelectorAll("[data-part]")) shown.set(part.dataset.part, plain(part));
localize(main);
copying(main);
// What was said once is not said again by a bookmark.
if (location.search === "?new=1") history.replaceState(null, "", location.pathname);
tick();
setInterval(tick, 500);
// Back from having posted: there may be something new.
document.addEventListener("visibilitychange", () => {
  if (again && !document.hidden) look();
});
