// Small parts of the console that many views are made of: ids, names, states, dialogs that ask for something.

import { h, say, show, toast } from "./dom.js";
import { ApiError, get } from "./api.js";
import { all } from "./desk.js";
import { hashtag, when, words } from "./format.js";

/** The end of an id tells it from its neighbours: `ord_…7k2m9q`. */
export const short = (id) => `${id.slice(0, id.indexOf("_") + 1)}…${id.slice(-6)}`;

/** Puts a text where it can be pasted from. */
export async function copy(text, what = "It") {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} was copied.`);
  } catch {
    toast("This browser did not let it be copied. Pick it by hand.", true);
  }
}

export const copyButton = (text, what) =>
  h("button", { type: "button", class: "copy", "aria-label": `Copy ${what}`, title: `Copy ${what}`, onclick: () => copy(text, "It") }, "Copy");

/** An id, short, with a way to copy all of it. */
export function id(text, href) {
  const inner = h("span", { class: "mono", title: text }, short(text));
  return h("span", { class: "id" }, href ? h("a", { href }, inner) : inner, copyButton(text, text));
}

/** What each state of a thing is like: good, warn, bad, or nothing in particular. */
const MOODS = {
  paid: "good", delivered: "good", shipped: "good", active: "good", enabled: "good", succeeded: "good", credited: "good", won: "good",
  pending: "warn", capturing: "warn", unfulfilled: "warn", suspended: "warn", erasing: "warn", open: "warn",
  declined: "bad", disabled: "bad", failed: "bad", lost: "bad",
};
const NAMES = { unfulfilled: "To ship" };

export const chip = (status, text = NAMES[status] ?? words(status)) => h("span", { class: `chip ${MOODS[status] ?? ""}` }, text);
export const options = (codes) => codes.map((code) => [code, NAMES[code] ?? words(code)]);

/** A moment, with the whole of it for who points at it. */
export const time = (at) => h("time", { datetime: at, title: at }, when(at));

/** `dt` and `dd` of what is known: rows of a name and what it is; what is null is left out. */
export function facts(rows) {
  return h("dl", { class: "facts" }, rows.filter(([, what]) => what !== null && what !== undefined && what !== false && what !== "")
    .map(([name, what]) => [h("dt", null, name), h("dd", null, what)]));
}

export const card = (title, ...children) => h("section", { class: "card" }, title ? h("h2", null, title) : null, children);

/** A table that scrolls within itself where it is too wide, by keyboard, too. `numbers`: which columns hold some. */
export const table = (label, names, rows, numbers = []) =>
  h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, h("table", null,
    h("thead", null, h("tr", null, names.map((name) => h("th", { scope: "col", class: numbers.includes(name) ? "num" : "" }, name)))),
    h("tbody", null, rows.map((cells) => h("tr", null, cells.map((cell, place) => h("td", { class: numbers.includes(names[place]) ? "num" : "" }, cell)))))));

/** Things by id that many rows name: each is asked for once. */
function cache(path) {
  const known = new Map();
  return (one) => {
    if (!known.has(one)) known.set(one, get(`${path}/${one}`).catch(() => (known.delete(one), null)));
    return known.get(one);
  };
}
export const offerOf = cache("/v1/offers");
export const merchantOf = cache("/v1/merchants");

/** A link to an offer or a merchant that says its name once that is known. */
function named(of, place, name) {
  return (one) => {
    const link = h("a", { href: `#/${place}/${one}`, title: one }, short(one));
    of(one).then((found) => found && say(link, found[name]));
    return link;
  };
}
export const offerLink = named(offerOf, "offers", "title");
export const merchantLink = named(merchantOf, "merchants", "name");

/** What a filter by offer or by merchant offers. */
export const offerOptions = () => all("/v1/offers").then((data) => data.map((one) => [one.id, `${one.title} (${hashtag(one.hashtag)})`]));
export const merchantOptions = () => all("/v1/merchants").then((data) => data.map((one) => [one.id, one.name]));

/**
 * A dialog with fields. `run(values, form)` does what is asked for; what it throws stands beside the field it is about, and
 * the dialog stays. `inputs`: `{name: field}`; resolves to what `run` gave, or to null where somebody thought better of it.
 */
export function form({ title, text, inputs = {}, yes, danger = false, body = null, after = null, run }) {
  return new Promise((resolve) => {
    const [wrong, go] = [h("p", { class: "error", role: "alert", hidden: true }), h("button", { class: danger ? "bad" : "", type: "submit" }, yes)];
    let result = null;
    const titleId = `dialog-${crypto.randomUUID?.() ?? Math.random()}`;
    const box = h("dialog", { "aria-labelledby": titleId }, h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        Object.values(inputs).forEach((one) => one.error?.(null));
        wrong.hidden = true;
        go.disabled = true;
        try {
          result = (await run(box)) ?? true;
          box.close();
        } catch (error) {
          if (!(error instanceof ApiError) && !(error instanceof Wrong)) throw error;
          box.fail(error);
        } finally {
          go.disabled = false;
        }
      },
    }, h("h2", { id: titleId }, title), text ? h("p", null, text) : null, body, Object.values(inputs), after, wrong,
    h("div", { class: "actions" }, h("button", { type: "button", class: "plain", onclick: () => box.close() }, "Cancel"), go)));
    box.fail = (error) => {
      let first = null;
      const rest = Object.entries(error.fields).filter(([name, detail]) => {
        const one = inputs[name] ?? inputs[name.split(/[.[]/)[0]];
        one?.error(detail);
        first ??= one;
        return !one;
      });
      const said = rest.map(([name, detail]) => `${name} ${detail}`).join(" ") || (first ? "" : error.message);
      wrong.hidden = !said;
      say(wrong, said);
      (first?.input ?? go).focus();
    };
    const gone = () => box.close();
    box.addEventListener("close", () => {
      removeEventListener("signedout", gone);
      box.remove();
      resolve(result);
    });
    addEventListener("signedout", gone);
    document.body.append(box);
    box.showModal();
  });
}

/** Something that is wrong before the till is asked: what stands beside which field. */
export class Wrong extends Error {
  constructor(fields) {
    super(Object.values(fields)[0]);
    this.fields = fields;
  }
}

/** Shows something once: a secret or a private link, to be copied now. */
export function once({ title, text, secret }) {
  return new Promise((resolve) => {
    const box = h("dialog", { "aria-label": title }, h("form", { method: "dialog" }, h("h2", null, title), h("p", null, text),
      h("code", { class: "secret", tabindex: "0" }, secret),
      h("div", { class: "actions" }, h("button", { type: "button", class: "second", onclick: () => copy(secret) }, "Copy"), h("button", null, "Done"))));
    const gone = () => box.close();
    addEventListener("signedout", gone);
    box.addEventListener("close", () => {
      removeEventListener("signedout", gone);
      box.remove();
      resolve();
    });
    document.body.append(box);
    box.showModal();
  });
}

/** Does something that a button asks for, and says how it went. */
export async function doing(button, work, done) {
  button.disabled = true;
  try {
    const result = await work();
    if (done) toast(done);
    return result;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 401) toast([error.message, ...Object.entries(error.fields).map(([name, detail]) => `${name} ${detail}`)].join(" "), true);
    return null;
  } finally {
    button.disabled = false;
  }
}

/**
 * A page about one thing: asks for it by `load()`, and shows it by `draw(found)`, again whenever `again()` is called.
 * `live(found)`: whether it changes by itself; then it is looked at every few seconds.
 */
export function page(main, load, draw, live = () => false) {
  const root = h("div", { "aria-busy": "true" }, h("p", { class: "dim" }, "Loading…"));
  let [closed, timer, drawn] = [false, 0, ""];
  main.append(root);
  async function again() {
    clearTimeout(timer);
    try {
      const found = await load();
      if (closed) return;
      const text = JSON.stringify(found);
      if (text !== drawn) {
        const focus = document.activeElement?.closest?.("[data-do]")?.dataset.do;
        show(root, draw(found, again));
        if (focus) (root.querySelector(`[data-do="${focus}"]`) ?? main).focus({ preventScroll: true });
      }
      drawn = text;
      if (live(found)) timer = setTimeout(() => (document.hidden ? (timer = setTimeout(again, 3000)) : again()), 3000);
    } catch (error) {
      if (closed || !(error instanceof ApiError)) { if (!closed) throw error; return; }
      if (error.status === 401) return;
      drawn = "";
      const missing = error.status === 404;
      show(root, missing ? h("h1", null, "Not found") : null, h("div", { class: "banner bad", role: "alert" }, h("p", null, error.message),
        missing ? h("a", { href: location.hash.split("/").slice(0, 2).join("/") }, "Back to the list") : h("button", { class: "second small", onclick: again }, "Try again")));
    }
    root.removeAttribute("aria-busy");
  }
  again();
  return () => {
    closed = true;
    clearTimeout(timer);
  };
}

