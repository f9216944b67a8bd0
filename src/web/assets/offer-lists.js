// The parts of an offer's form that are lists: sizes and colours, and texts in its merchant's own words.

import { field, h, say } from "./dom.js";
import { decimal, minor } from "./format.js";

/** What a merchant may say in other words, by the till's own names. */
const TEXTS = {
  held: "A unit is held, and how to buy it", held_brief: "The same, where there is little room", held_again: "It is held already", few: "There are fewer than asked for",
  turn: "The next in line gets a unit", let_go: "How to let it go", choose: "Which variant?", choose_brief: "The same, where there is little room",
  waitlisted: "Sold out, but there is a line", leave: "How to leave the line", passed: "Let go", not_linked: "No card is linked yet",
  confirmed: "Ordered", paid: "Ordered and charged", refused: "It went wrong", too_late: "Confirmed too late", sold_out: "Sold out", not_started: "Not on sale yet",
  ended: "The offer is over", paused: "The offer is paused", limit_reached: "As many as one buyer may", already_confirmed: "Ordered before", nothing_to_confirm: "Nothing to confirm",
  enrolled: "Takes part in a deal", enrolled_percent: "Takes part, with a percentage", already_enrolled: "Takes part already", deal_full: "No places are left",
  shipped: "On its way", cancelled: "Cancelled by the shop",
};

/** A list of rows with a button that adds one; whoever adds or removes finds the focus where it should be. */
function rows(list, add, label, make, changed) {
  const button = h("button", { type: "button", class: "second small", onclick: () => { add(make()).querySelector("input,select").focus(); changed(); } }, label);
  const remove = (row, name) => h("button", {
    type: "button", class: "plain small", "aria-label": `Remove ${name}`,
    onclick: () => { row().remove(); button.focus(); changed(); },
  }, "Remove");
  return { button, remove, list };
}

export function variantsEditor(offer, changed, redraw) {
  const list = h("div", { class: "items" });
  let made = [];
  const all = () => (made = made.filter((one) => list.contains(one.node)));
  const moved = () => { redraw(); changed(); };
  const { button, remove } = rows(list, (row) => (list.append(row), row), "Add a size or colour", () => row({}), moved);

  function row(variant) {
    const named = h("input", { type: "text", value: variant.name ?? "", maxlength: 40, autocomplete: "off" });
    const own = variant.price && (variant.price.amount !== offer.price.amount) ? decimal(variant.price) : "";
    const one = {
      name: field("Name", named),
      synonyms: field("Other words", h("input", { type: "text", value: variant.synonyms?.join(", ") ?? "", placeholder: "medium, mid", autocomplete: "off" }), { optional: true }),
      price: field("Own price", h("input", { type: "text", inputmode: "decimal", value: own, autocomplete: "off" }), { optional: true }),
      quantity: field("How many", h("input", { type: "number", min: 1, step: 1, value: variant.quantity ?? "", placeholder: "no limit" }), { optional: true }),
    };
    one.node = h("div", { class: "item variant" }, one.name, one.synonyms, one.price, one.quantity, remove(() => one.node, variant.name ?? "this variant"));
    made.push(one);
    return one.node;
  }

  list.append(...(offer?.variants ?? []).map(row));
  const wrong = h("p", { class: "error", hidden: true, role: "alert" });
  const node = h("div", { class: "field" }, h("h3", null, "Sizes and colours"),
    h("p", { class: "hint" }, "Buyers write one beside the hashtag. Each has its own stock."), list, wrong, h("p", null, button));
  node.error = (text) => { wrong.hidden = !text; say(wrong, text ?? ""); };
  return {
    node,
    some: () => all().length > 0,
    fields: () => Object.fromEntries([["variants", node], ...all().flatMap((one, i) => ["name", "synonyms", "price", "quantity"].map((name) => [`variants[${i}].${name}`, one[name]]))]),
    /** As the API takes them; null where one cannot be read. */
    read(code, quiet) {
      let fine = true;
      const wrongly = (node, detail) => { if (!quiet) node.error(detail); fine = false; return null; };
      const value = (node) => node.input.value.trim();
      const found = all().map((one) => {
        const variant = { name: value(one.name) || wrongly(one.name, "Is missing."), synonyms: value(one.synonyms).split(",").map((word) => word.trim()).filter(Boolean) };
        const amount = value(one.price) ? minor(value(one.price), code) : undefined;
        variant.price = amount === null ? wrongly(one.price, "Must be an amount such as 14.99.") : amount === undefined ? null : { amount, currency: code };
        variant.quantity = value(one.quantity) ? Number(value(one.quantity)) : null;
        if (variant.quantity !== null && !Number.isInteger(variant.quantity)) wrongly(one.quantity, "Must be a whole number.");
        return variant;
      });
      return fine ? found : null;
    },
  };
}

export function textsEditor(offer, languages, spoken, changed) {
  const list = h("div", { class: "items" });
  let made = [];
  const all = () => (made = made.filter((one) => list.contains(one.node)));
  const { button, remove } = rows(list, (row) => (list.append(row), row), "Add a text", () => row(spoken(), "held", ""), changed);

  function row(code, name, text) {
    const codes = languages[code] ? languages : { ...languages, [code]: code };
    const one = {
      code: h("select", { value: code, "aria-label": "Language" }, Object.entries(codes).map(([value, label]) => h("option", { value }, label))),
      name: h("select", { value: name, "aria-label": "When it is said" }, Object.entries(TEXTS[name] ? TEXTS : { ...TEXTS, [name]: name }).map(([value, label]) => h("option", { value }, label))),
      text: field("Text", h("textarea", { rows: 3, value: text })),
    };
    one.node = h("div", { class: "item own" }, h("div", { class: "beside" }, one.code, one.name), one.text, remove(() => one.node, "this text"));
    made.push(one);
    return one.node;
  }

  for (const [code, replies] of Object.entries(offer?.texts ?? {})) {
    for (const [name, some] of Object.entries(replies)) list.append(...some.map((text) => row(code, name, text)));
  }
  const node = h("div", null,
    h("p", { class: "hint" }, "Words in braces are filled in: {price}, {confirm} and {window} in what is said when a unit is held. Of several texts for one thing, the post decides. The preview shows how long they come out."),
    list, h("p", null, button));
  const placed = () => {
    const seen = {};
    return all().map((one) => {
      const path = `texts.${one.code.value}.${one.name.value}`;
      seen[path] = (seen[path] ?? -1) + 1;
      return [path, seen[path], one];
    });
  };
  return {
    node,
    some: () => all().length > 0,
    fields: () => Object.fromEntries(placed().flatMap(([path, i, one]) => [[`${path}[${i}]`, one.text], ...(i ? [] : [[path, one.text]])])),
    read() {
      const texts = {};
      for (const one of all()) {
        const text = one.text.input.value.trim();
        if (!text) continue;
        const replies = (texts[one.code.value] ??= {});
        (replies[one.name.value] ??= []).push(text);
      }
      return texts;
    },
  };
}
