// A list that is searched, filtered and read page by page. What it looks for stands in the address, so that going back,
// reloading and links keep it. Rows far from what is seen leave the page, so that ten thousand of them stay quick.

import { field, h, say, show } from "./dom.js";
import { at, get } from "./api.js";
import { count, many } from "./format.js";

const FIRST = 50;
const MORE = 200;
/** So many answers may be empty before somebody is asked whether to look further. */
const LOOKS = 5;
/** How far from what is seen rows are kept. */
const NEAR = "1200px 0px";
const ROW_HEIGHT = 56;

/** What each list held when it was left, by its entry in the browser's history. */
const kept = new Map();
const KEPT_MAX = 10;
let entries = 0;
/** A name for an entry that no other page load gives. */
const entryName = () => `${performance.timeOrigin}-${entries += 1}`;
// What one token saw is nothing for the next.
addEventListener("signedout", () => kept.clear());

/** The day that a date field holds, as the moment at which it begins here, `days` later. */
const midnight = (text, days = 0) => {
  const [year, month, day] = text.split("-").map(Number);
  return year ? new Date(year, month - 1, day + days).toISOString() : "";
};

/** Filters for a span of days: the API's `from` and `to`, where `to` is the first moment that is left out. */
export const SPAN = [
  { name: "from", label: "From", type: "date", send: (text) => midnight(text) },
  { name: "to", label: "Until", type: "date", send: (text) => midnight(text, 1) },
];

function control(filter, value, changed) {
  if (filter.type) return h("input", { type: filter.type, name: filter.name, value, onchange: changed });
  const select = h("select", { name: filter.name, onchange: changed });
  const offer = (options) => {
    const wanted = select.value || value;
    show(select, [["", filter.all ?? "All"], ...options].map(([code, text]) => h("option", { value: code }, text)));
    if (wanted && !options.some(([code]) => code === wanted)) select.append(h("option", { value: wanted }, wanted));
    select.value = wanted;
  };
  const options = filter.options;
  offer(Array.isArray(options) ? options : []);
  if (!Array.isArray(options)) options().then(offer, () => {});
  return select;
}

/** The fields above a list: `look` holds what they say. */
function fields(options, look, changed) {
  const bar = h("form", { class: "filters", role: "search", "aria-label": options.title, onsubmit: (event) => event.preventDefault() });
  const all = [];
  if (options.search) {
    const input = h("input", { type: "search", name: "q", value: look.q ?? "", autocomplete: "off", spellcheck: "false", placeholder: options.search, maxlength: 200 });
    let wait = 0;
    input.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(() => changed("q", input.value.trim(), true), 250);
    });
    all.push({ name: "q", node: field("Search", input) });
  }
  for (const filter of options.filters ?? []) {
    const input = control(filter, look[filter.name] ?? "", () => changed(filter.name, input.value, false));
    all.push({ name: filter.name, node: field(filter.label, input) });
  }
  const clear = h("button", { type: "button", class: "plain small clear", onclick: () => {
    for (const { node } of all) node.input.value = "";
    changed(null);
    all[0]?.node.input.focus();
  } }, "Clear");
  bar.append(...all.map(({ node }) => node), clear);
  bar.mark = () => { clear.hidden = !Object.values(look).some(Boolean); };
  bar.errors = (texts) => all.forEach(({ name, node }) => node.error(texts[name] ?? null));
  bar.mark();
  return bar;
}

/**
 * Shows a list in `main` and returns `{close, reload, put, picked}`. `options`:
 * - `title`, `noun: ["order"]`, `columns: [{label, cell(row), width, class}]` (the first names the row), `href(row)`, `name(row)`;
 * - `source`: a path of the API, or `(query, {signal}) => ({data, next_cursor})`; `fixed`: what is always asked for;
 * - `search`: what can be searched for, in a few words; `filters: [{name, label, options: [[value, text]] | () => Promise, type, send(text)}]`;
 * - `base`: its place, as `#/orders`: then what it looks for stands in the address; `actions`: buttons beside the title;
 * - `empty`: what to say where there is nothing at all; `picks(rows, bar)`: fills a bar with what can be done with picked rows;
 * - `level`: 1 for a page's own list (the default), 2 for one within a page.
 */
export function list(main, context, options) {
  const { base, key = (row) => row.id, noun, filters = [] } = options;
  const names = [...(options.search ? ["q"] : []), ...filters.map(({ name }) => name)];
  const look = Object.fromEntries(names.map((name) => [name, (base && context.query.get(name)) || ""]));
  const picked = new Map();
  let [chunks, cursor, done, asking, closed, typed] = [[], null, false, null, false, false];

  const said = h("p", { class: "visually-hidden", role: "status" });
  const body = h("div", { class: "rows", role: "table", "aria-label": options.title });
  const foot = h("div", { class: "list-foot" });
  const bar = h("div", { class: "picks actions", hidden: true });
  const above = names.length ? fields(options, look, change) : null;
  const title = h(options.level === 2 ? "h2" : "h1", null, options.title);
  const root = h("section", { class: "list" }, h("div", { class: "list-head" }, title, h("div", { class: "actions" }, options.actions)), above, bar, body, foot, said);
  const tracks = [...(options.picks ? ["2rem"] : []), ...options.columns.map(({ width }) => width ?? "minmax(0,1fr)")];
  root.style.setProperty("--tracks", tracks.join(" "));
  main.append(root);

  const all = h("input", { type: "checkbox", "aria-label": "Pick all that are shown", onchange: () => {
    for (const row of chunks.flatMap(({ rows }) => rows)) all.checked ? picked.set(key(row), row) : picked.delete(key(row));
    chunks.filter(({ shown }) => shown).forEach(fill);
    picks();
  } });
  const head = h("div", { class: "row-head", role: "rowgroup" }, h("div", { class: "row", role: "row", "aria-rowindex": 1 },
    options.picks ? h("div", { role: "columnheader", class: "cell pick" }, all) : null,
    options.columns.map((column) => h("div", { role: "columnheader", class: column.class?.includes("num") ? "cell num" : "cell" }, column.label))));

  function picks() {
    if (!options.picks) return;
    bar.hidden = picked.size === 0;
    all.checked = picked.size > 0 && picked.size === chunks.reduce((sum, { rows }) => sum + rows.length, 0);
    if (picked.size) options.picks([...picked.values()], bar);
  }

  function line(row, index) {
    const id = key(row);
    const cells = options.columns.map((column, place) => {
      const inner = column.cell(row);
      const held = place === 0 && options.href ? h("a", { class: "go", href: options.href(row) }, inner) : inner;
      return h("div", { class: `cell ${column.class ?? ""}`, role: place === 0 ? "rowheader" : "cell", "data-label": column.label }, held);
    });
    const box = options.picks && h("input", { type: "checkbox", "aria-label": `Pick ${options.name?.(row) ?? id}`, onchange: () => {
      box.checked ? picked.set(id, row) : picked.delete(id);
      picks();
    } });
    if (box) box.checked = picked.has(id);
    return h("div", { class: "row", role: "row", "aria-rowindex": index + 2, "data-key": id }, box ? h("div", { class: "cell pick", role: "cell" }, box) : null, cells);
  }

  function fill(chunk) {
    chunk.shown = true;
    show(chunk.node, chunk.rows.map((row, place) => line(row, chunk.start + place)));
    chunk.node.setAttribute("role", "rowgroup");
    chunk.node.style.removeProperty("height");
  }

  const nearby = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      const chunk = chunks.find(({ node }) => node === target);
      if (!chunk || chunk.shown === isIntersecting || (!isIntersecting && target.contains(document.activeElement))) continue;
      if (isIntersecting) fill(chunk);
      else {
        target.style.height = `${target.offsetHeight}px`;
        chunk.shown = false;
        target.removeAttribute("role");
        target.replaceChildren();
      }
    }
  }, { rootMargin: NEAR });
  const end = new IntersectionObserver(([seen]) => seen.isIntersecting && !asking && !done && chunks.length && !foot.dataset.stopped && more(), { rootMargin: "800px 0px" });

  function add(rows) {
    if (!rows.length) return;
    if (!head.isConnected) body.append(head);
    const start = chunks.reduce((sum, chunk) => sum + chunk.rows.length, 0);
    const chunk = { rows, start, node: h("div", { class: "chunk", style: { height: `${rows.length * ROW_HEIGHT}px` } }), shown: false };
    chunks.push(chunk);
    body.append(chunk.node);
    if (start < FIRST) fill(chunk);
    nearby.observe(chunk.node);
  }

  function clear() {
    nearby.disconnect();
    chunks = [];
    picked.clear();
    picks();
    body.replaceChildren();
  }

  function query() {
    const found = { ...options.fixed };
    for (const name of names) {
      const filter = filters.find((one) => one.name === name);
      if (look[name]) found[name] = filter?.send ? filter.send(look[name]) : look[name];
    }
    return found;
  }

  async function page(limit, signal) {
    const asked = { ...query(), limit, cursor };
    const { source } = options;
    const answer = typeof source === "function" ? await source(asked, { signal }) : await get(at(source, asked), { signal });
    cursor = answer.next_cursor;
    return answer.data;
  }

  /** The next page; the first one where `fresh`, in place of all that is shown. */
  async function more(fresh = false, wanted = FIRST) {
    asking?.abort();
    const mine = asking = new AbortController();
    delete foot.dataset.stopped;
    body.setAttribute("aria-busy", "true");
    if (fresh) cursor = null;
    show(foot, chunks.length ? h("p", { class: "dim" }, "Loading…") : skeleton());
    try {
      let [rows, looks] = [[], 0];
      do {
        const limit = fresh ? Math.min(200, Math.max(FIRST, wanted - rows.length)) : MORE;
        const found = await page(limit, mine.signal);
        rows = rows.concat(found);
        looks = found.length ? 0 : looks + 1;
      } while (cursor && looks < LOOKS && (!rows.length || (fresh && rows.length < wanted)));
      if (closed || asking !== mine) return;
      if (fresh) clear();
      above?.errors({});
      add(rows);
      done = !cursor;
      asking = null;
      ended(looks >= LOOKS);
    } catch (error) {
      if (error.name === "AbortError" || closed || asking !== mine) return;
      asking = null;
      failed(error, fresh);
    }
    body.removeAttribute("aria-busy");
  }

  function ended(tired) {
    const shown = chunks.reduce((sum, { rows }) => sum + rows.length, 0);
    const further = h("button", { class: "second", onclick: () => more() }, tired ? "Look further" : "Load more");
    body.setAttribute("aria-rowcount", String(done ? shown + 1 : -1));
    if (tired) foot.dataset.stopped = "yes";
    if (done && !shown) show(foot, nothing());
    else if (done) show(foot, h("p", { class: "dim small" }, shown > 8 ? `${many(shown, ...noun)}, that is all.` : ""));
    else show(foot, further, h("span", { class: "dim small" }, tired ? "Nothing more among those looked at so far." : `${count(shown)} shown`));
    say(said, done ? many(shown, ...noun) : `${many(shown, ...noun)} shown, there are more.`);
    all.checked = false;
    end.unobserve(foot);
    end.observe(foot);
  }

  function nothing() {
    const narrowed = names.some((name) => look[name]);
    if (!narrowed) return h("div", { class: "empty" }, options.empty ?? `No ${noun[1] ?? `${noun[0]}s`} yet.`);
    return h("div", { class: "empty" }, h("p", null, `No ${noun[1] ?? `${noun[0]}s`} match that.`),
      h("p", { class: "dim" }, "Try fewer filters, or a part of the name or id."));
  }

  function failed(error, fresh) {
    if (fresh) clear();
    above?.errors(error.fields ?? {});
    foot.dataset.stopped = "yes";
    show(foot, h("div", { class: "banner bad", role: "alert" }, h("p", null, error.message), Object.values(error.fields ?? {}).map((text) => h("p", null, text)),
      h("button", { class: "second small", onclick: () => more(fresh) }, "Try again")));
  }

  function address() {
    return at(base, look);
  }

  function change(name, value, typing) {
    if (name === null) for (const one of names) look[one] = "";
    else if (look[name] === value) return;
    else look[name] = value;
    above.mark();
    if (base) {
      // One entry of the history for a word that is typed, however many letters it has.
      if (typing && typed) history.replaceState(history.state, "", address());
      else {
        entry = entryName();
        history.pushState({ list: entry }, "", address());
      }
      typed = Boolean(typing);
    }
    more(true);
  }

  function move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const here = event.target.closest?.(".row");
    if (!step || !here || !event.target.matches(".go, .pick input")) return;
    const every = [...body.querySelectorAll(".chunk .row")];
    const next = every[every.indexOf(here) + step];
    if (!next) return;
    event.preventDefault();
    next.querySelector(event.target.matches(".go") ? ".go" : ".pick input").focus();
  }
  body.addEventListener("keydown", move);
  const slash = (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    root.querySelector("[type=search]")?.focus();
  };
  if (options.search && options.level !== 2) addEventListener("keydown", slash);

  // Gone back to: what was there is shown at once, where it was, and brought up to date.
  let entry = base && history.state?.list;
  const before = entry && kept.get(entry);
  if (base && !entry) {
    entry = entryName();
    history.replaceState({ list: entry }, "", location.href);
  }
  if (before && before.rows.length) {
    for (let start = 0; start < before.rows.length; start += MORE) add(before.rows.slice(start, start + MORE));
    chunks.forEach((chunk) => chunk.start < 1000 && fill(chunk));
    requestAnimationFrame(() => scrollTo(0, before.scroll));
    [cursor, done] = [before.cursor, !before.cursor];
    ended(false);
    fresher(before.rows.length);
  } else more(true);

  /** Rows that are shown, as they are by now. */
  async function fresher(length) {
    const shown = new Map(chunks.flatMap(({ rows }) => rows).map((row) => [key(row), JSON.stringify(row)]));
    const goOn = cursor;
    try {
      cursor = null;
      const rows = await page(Math.min(200, length), undefined);
      cursor = goOn;
      if (closed) return;
      if (rows.length && !shown.has(key(rows[0]))) more(true);
      else rows.filter((row) => shown.get(key(row)) !== JSON.stringify(row)).forEach(put);
    } catch {
      cursor = goOn;
    }
  }

  /** Puts a row in the place of the one of the same key. */
  function put(row) {
    for (const chunk of chunks) {
      const place = chunk.rows.findIndex((one) => key(one) === key(row));
      if (place < 0) continue;
      chunk.rows[place] = row;
      if (picked.has(key(row))) picked.set(key(row), row);
      if (chunk.shown) chunk.node.children[place].replaceWith(line(row, chunk.start + place));
    }
    picks();
  }

  let scroll = scrollY;
  const track = () => { if (!closed && root.isConnected) scroll = scrollY; };
  addEventListener("scroll", track, { passive: true });

  return {
    root,
    reload: () => more(true, Math.min(1000, Math.max(FIRST, chunks.reduce((sum, { rows }) => sum + rows.length, 0)))),
    put,
    unpick() {
      picked.clear();
      chunks.filter(({ shown }) => shown).forEach(fill);
      picks();
    },
    /** What the list looks for, as the API takes it. */
    query,
    close() {
      closed = true;
      asking?.abort();
      nearby.disconnect();
      end.disconnect();
      removeEventListener("keydown", slash);
      removeEventListener("scroll", track);
      if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value);
      if (base && entry) kept.set(entry, { rows: chunks.flatMap(({ rows }) => rows), cursor, scroll });
    },
  };
}

function skeleton() {
  return h("div", { class: "skeleton", "aria-hidden": "true" }, Array.from({ length: 6 }, () => h("div")));
}
