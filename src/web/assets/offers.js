// Offers: what is for sale, what of it is sold, held and free; and the way to one of them.

import { h, show } from "./dom.js";
import { at, get } from "./api.js";
import { hashtag, money, when } from "./format.js";
import { tillNow } from "./live.js";
import { failed, merchants, stock } from "./desk.js";

/** How many are shown at a time. */
const PAGE = 48;
export const STATUS = { live: ["Live", "good"], paused: ["Paused", "warn"], ended: ["Ended", ""] };

/** A chip with where an offer stands. */
export function chip(offer) {
  const soon = offer.status === "live" && offer.starts_at && Date.parse(offer.starts_at) > tillNow();
  const [name, kind] = soon ? ["Not started", ""] : STATUS[offer.status];
  return h("span", { class: `chip ${kind}` }, name);
}

/** What it costs, in a few words. */
export function price(offer) {
  if (offer.kind === "deal") {
    const back = "percent" in offer.credit ? `${offer.credit.percent} %` : money(offer.credit);
    return `${back} back from ${money(offer.min_spend)}`;
  }
  const prices = offer.variants.map((one) => one.price).sort((a, b) => a.amount - b.amount);
  if (prices.length && prices[0].amount !== prices.at(-1).amount) return `from ${money(prices[0])}`;
  return money(prices[0] ?? offer.price);
}

function card(offer, names) {
  const end = offer.ends_at && offer.status !== "ended" ? `until ${when(offer.ends_at)}` : null;
  return h("li", { class: "card offer" },
    h("div", { class: "desk-top" },
      h("h2", null, h("a", { href: `#/offers/${offer.id}` }, offer.title)), chip(offer)),
    h("p", { class: "dim small tagline" },
      h("span", { class: "mono" }, hashtag(offer.hashtag)), ` · ${price(offer)}`,
      names.get(offer.merchant) ? ` · ${names.get(offer.merchant)}` : null, end ? ` · ${end}` : null),
    stock(offer));
}

/** Reads on until there are `PAGE` more that match, or no more at all. */
async function more(state, signal) {
  const found = [];
  while (found.length < PAGE && state.cursor !== null) {
    const query = { status: state.status, merchant: state.merchant, limit: 200, cursor: state.cursor };
    const page = await get(at("/v1/offers", query), { signal });
    const text = state.text.trim().toLowerCase();
    const matches = (offer) =>
      [offer.title, offer.hashtag, offer.confirm_hashtag, offer.id].some((one) => (one ?? "").toLowerCase().includes(text));
    found.push(...page.data.filter((offer) => !text || matches(offer)));
    state.cursor = page.next_cursor;
  }
  return found;
}

function list(main, context) {
  const admin = context.me.role === "admin";
  const state = { text: "", status: context.query.get("status") ?? "", merchant: context.query.get("merchant") ?? "", cursor: "" };
  let names = new Map();
  let stop = new AbortController();
  let timer = 0;
  const search = h("input", { type: "search", id: "find-offers", placeholder: "Title or hashtag", oninput: () => { state.text = search.value; again(250); } });
  const status = h("select", { id: "offers-status", onchange: () => { state.status = status.value; again(0); } },
    h("option", { value: "" }, "Any"), Object.entries(STATUS).map(([value, [name]]) => h("option", { value, selected: value === state.status }, name)));
  const seller = h("select", { id: "offers-merchant", onchange: () => { state.merchant = seller.value; again(0); } }, h("option", { value: "" }, "All"));
  const rows = h("ul", { class: "offers" });
  const note = h("div", { "aria-live": "polite" });
  const next = h("button", { class: "second", hidden: true, onclick: () => fill(false) }, "Show more");

  function again(delay) {
    clearTimeout(timer);
    timer = setTimeout(() => fill(true), delay);
  }

  async function fill(fresh) {
    stop.abort();
    stop = new AbortController();
    if (fresh) state.cursor = "";
    next.disabled = true;
    try {
      const found = await more(state, stop.signal);
      if (fresh) show(rows);
      rows.append(...found.map((offer) => card(offer, names)));
      next.hidden = state.cursor === null;
      show(note, rows.children.length ? null : nothing());
    } catch (error) {
      const wrong = failed(error, () => fill(fresh));
      if (wrong) show(note, wrong);
    } finally {
      next.disabled = false;
    }
  }

  function nothing() {
    if (state.text || state.status || state.merchant) return h("p", { class: "card nothing" }, "No offer matches. Try fewer filters.");
    return h("div", { class: "card nothing" },
      h("h2", null, "Nothing is for sale yet"),
      h("p", null, "An offer has a hashtag. Whoever posts it is asked for a second one, and posting that orders and pays."),
      h("a", { class: "button", href: "#/offers/new" }, "Make the first offer"));
  }

  show(main,
    h("div", { class: "desk-head" }, h("h1", null, "Offers"), h("a", { class: "button", href: "#/offers/new" }, "New offer")),
    h("div", { class: "finder", role: "search" },
      h("div", { class: "grow" }, h("label", { for: search.id }, "Search"), search),
      h("div", null, h("label", { for: status.id }, "Status"), status),
      admin ? h("div", null, h("label", { for: seller.id }, "Merchant"), seller) : null),
    note, rows, h("p", { class: "actions" }, next));
  show(note, h("p", { class: "dim" }, "Loading…"));
  (async () => {
    try {
      names = await merchants(context);
      seller.append(...[...names].map(([value, name]) => h("option", { value, selected: value === state.merchant }, name)));
    } catch { /* The list says what is wrong. */ }
    await fill(true);
  })();
  return () => { stop.abort(); clearTimeout(timer); };
}

/** The list, a new offer, or one that is there. */
export function open(main, params, context) {
  if (!params.length) return list(main, context);
  let leave = null;
  let left = false;
  show(main, h("p", { class: "dim" }, "Loading…"));
  const [id] = params;
  import("./offer.js").then((view) => {
    if (!left) leave = id === "new" ? view.make(main, context) : view.edit(main, id, context);
  }).catch((error) => left || show(main, failed(error, () => location.reload())));
  return () => { left = true; leave?.(); };
}
