// What the desk's views share: pages of a list, a copy button, a stock bar, a download.

import { h, say, toast } from "./dom.js";
import { ApiError, at, get, send } from "./api.js";
import { count } from "./format.js";

/** Every item of a list, read page by page; at most `most` of them. */
export async function all(path, query = {}, most = 2000) {
  const found = [];
  let cursor = "";
  do {
    const page = await get(at(path, { ...query, limit: 200, cursor }));
    found.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor && found.length < most);
  return found;
}

/** Puts a text on the clipboard; where a page may not, marks `node`, so that it takes one key. */
async function copy(text, node) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(node);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand("copy");
  }
}

/** A button that copies what `node` says. */
export function copyButton(node, label = "Copy") {
  const button = h("button", {
    type: "button",
    class: "second small",
    onclick: async () => {
      const done = await copy(node.textContent, node);
      say(button, done ? "Copied" : "Marked: copy it with your keyboard");
      setTimeout(() => say(button, label), 2500);
    },
  }, label);
  return button;
}

/** A line of code with a button that copies it. */
export function command(text) {
  const code = h("code", null, text.split(" ").map((word, i) => [i ? " " : "", h("span", null, word)]));
  return h("div", { class: "command" }, code, copyButton(code));
}

/** What became of the units of an offer or a variant, as a bar and in words. */
export function stock({ kind, quantity, available, sold, held, waiting }) {
  const whole = quantity ?? Math.max(sold + held, 1);
  const part = (number) => `${Math.min(100, (100 * number) / Math.max(whole, 1))}%`;
  const deal = kind === "deal";
  const words = [`${count(sold)} ${deal ? "taken" : "sold"}`, deal ? null : `${count(held)} held`, quantity === null ? "no limit" : `${count(available)} free`];
  if (waiting) words.push(`${count(waiting)} waiting`);
  return h("div", { class: "units" },
    h("div", { class: "units-bar", "aria-hidden": "true" },
      h("span", { class: "sold", style: { width: part(sold) } }),
      h("span", { class: "held", style: { width: part(held) } })),
    h("p", { class: "units-key" },
      words.map((text, i) => text && h("span", { class: ["is-sold", "is-held", "is-free", "is-waiting"][i] }, text))));
}

/** Hands bytes to the browser as a file. */
export function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** Downloads what a call answers: an address alone carries no token. */
export async function download(path, name) {
  try {
    save(await (await send("GET", path)).blob(), name);
  } catch (error) {
    toast(error.message, true);
  }
}

/** What went wrong, where a view has nothing else to show. */
export function failed(error, again) {
  if (error.name === "AbortError") return null;
  return h("div", { class: "banner bad", role: "alert" },
    h("p", null, error.status === 404 ? "There is no such thing, or it is not yours." : error.message),
    again && error.status !== 404 ? h("button", { class: "second small", onclick: again }, "Try again") : null);
}

/** Puts the problems of an API beside their fields: `fields` by name; returns what belongs to none. */
export function errors(fields, error) {
  for (const one of Object.values(fields)) one.error?.(null);
  if (!(error instanceof ApiError) || !Object.keys(error.fields).length) return error.message;
  const rest = [];
  for (const [name, detail] of Object.entries(error.fields)) {
    const found = nearest(fields, name);
    if (found) found.error(sentence(detail));
    else rest.push(`${name}: ${detail}`);
  }
  return rest.join("; ");
}

/** `is missing` as a sentence: `Is missing.` */
export const sentence = (detail) => `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`.replace("..", ".");

/** The field that holds what `name` names: `price` for `price.amount`. */
export function nearest(fields, name) {
  for (let rest = name; rest; rest = rest.replace(/(\.[^.[]+|\[\d+\]|^[^.[]+)$/, "")) {
    if (fields[rest]) return fields[rest];
  }
  return null;
}

/** The first field that is marked as wrong gets the focus, wherever it is folded away. */
export function focusWrong(form) {
  const wrong = form.querySelector("[aria-invalid=true]");
  if (!wrong) return;
  for (let box = wrong.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  wrong.focus();
}

/** A table that a narrow screen scrolls, with its heads. */
export function table(caption, heads, rows) {
  const head = (one) => h("th", { scope: "col", class: one.num ? "num" : null }, one.name ?? one);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", null, h("caption", { class: "visually-hidden" }, caption), h("thead", null, h("tr", null, heads.map(head))), h("tbody", null, rows)));
}

/** Names of merchants by id, for admins. */
export async function merchants(context) {
  if (context.me.role !== "admin") return new Map();
  return new Map((await all("/v1/merchants")).map((one) => [one.id, one.name]));
}
