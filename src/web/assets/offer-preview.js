// What an offer will say, word for word as the till would: the post to publish, and each reply on each network.

import { h, say, show } from "./dom.js";
import { at, call } from "./api.js";
import { network } from "./format.js";
import { copyButton, nearest, sentence } from "./desk.js";

/** When a reply goes out. */
const WHEN = {
  pending: "Somebody posts the hashtag", already_pending: "…and posts it again", unknown_variant: "The post does not say which",
  confirmed: "The confirmation came in time", paid: "Confirmed and charged", refused: "The card is declined", not_linked: "No card is linked yet",
  waitlisted: "Sold out, with a waiting list", your_turn: "A unit is free again: your turn", sold_out: "Sold out", too_late: "The confirmation came too late",
  enrolled: "Somebody posts the hashtag", already_enrolled: "…and posts it again", deal_full: "All places are taken",
  already_confirmed: "Confirmed once more", nothing_to_confirm: "Nothing to confirm", passed: "Let go", limit_reached: "As many as one account may have",
  not_started: "Before it starts", paused: "While it is paused", ended: "After its end",
};
/** What most buyers see. */
const FIRST = ["pending", "already_pending", "unknown_variant", "confirmed", "paid", "refused", "not_linked", "waitlisted", "your_turn", "sold_out", "too_late", "enrolled", "already_enrolled", "deal_full"];

function meter(length, limit) {
  const tight = length > limit;
  return h("span", { class: tight ? "room bad-text" : "room dim" }, `${length} of ${limit}`, tight ? " – too long" : null);
}

function bubble(reply) {
  return h("div", { class: "bubble" }, h("p", { class: "said", dir: "auto" }, reply.text), h("p", { class: "small" }, meter(reply.length, reply.limit)));
}

/** One kind of reply: its first wording, and the others folded away. */
function one(kind, replies) {
  const [first, ...others] = replies;
  return h("li", { "data-kind": kind }, h("h4", null, WHEN[kind] ?? kind), bubble(first),
    others.length ? h("details", { class: "wordings" }, h("summary", null, `${others.length} more ${others.length === 1 ? "wording" : "wordings"}: the post decides`), others.map(bubble)) : null);
}

export function preview(sheet, offer) {
  let chosen = "x";
  let timer = 0;
  let stop = new AbortController();
  let left = false;
  /** Fields that the preview has marked. */
  let marked = [];
  const state = h("p", { class: "dim small", role: "status" });
  const words = h("pre", { class: "post-text", dir: "auto" });
  const lengths = h("p", { class: "small lengths" });
  const tabs = h("div", { class: "segments", role: "radiogroup", "aria-label": "Network" });
  const replies = h("ul", { class: "replies" });
  const rest = h("ul", { class: "replies" });
  const restBox = h("details", null, h("summary", null, "All other replies"), rest);
  const body = h("div", { hidden: true },
    h("h3", null, "The post to publish"), words, lengths, h("p", { class: "actions" }, copyButton(words, "Copy the post")),
    h("h3", null, "What the till replies"), tabs, replies, restBox);
  const node = h("aside", { class: "preview card", "aria-label": "Preview" }, h("h2", null, "Preview"), state, body);

  function draw(answer) {
    body.hidden = false;
    say(words, answer.post.text);
    show(lengths, answer.post.lengths.map((one) => h("span", null, `${network(one.network)} `, meter(one.length, one.limit))));
    const slugs = answer.post.lengths.map((one) => one.network);
    const pick = (slug) => h("label", null,
      h("input", { type: "radio", name: "preview-network", value: slug, checked: slug === chosen, onchange: () => { chosen = slug; ask(); } }), h("span", null, network(slug)));
    if (tabs.dataset.slugs !== slugs.join()) show(tabs, slugs.map(pick));
    tabs.dataset.slugs = slugs.join();
    const byKind = new Map();
    for (const reply of answer.replies) {
      if (!byKind.has(reply.kind)) byKind.set(reply.kind, []);
      byKind.get(reply.kind).push(reply);
    }
    const kinds = [...byKind];
    show(replies, kinds.filter(([kind]) => FIRST.includes(kind)).map(([kind, some]) => one(kind, some)));
    show(rest, kinds.filter(([kind]) => !FIRST.includes(kind)).map(([kind, some]) => one(kind, some)));
  }

  async function ask() {
    stop.abort();
    stop = new AbortController();
    if (!sheet.ready()) {
      body.hidden = true;
      return say(state, "Fill in title, hashtag and price, or what a deal gives, to see what buyers will read.");
    }
    const request = sheet.read(true);
    if (!request) return say(state, "The preview goes on once every field can be read.");
    try {
      const answer = await call("POST", at("/v1/offers/preview", { offer: offer?.id, network: chosen }), request, { signal: stop.signal });
      if (left) return;
      mark({});
      say(state, "Word for word what the till will say.");
      node.dataset.shown = String(Number(node.dataset.shown ?? 0) + 1);
      draw(answer);
    } catch (error) {
      if (left || error.name === "AbortError") return;
      const rest = mark(error.fields ?? {});
      const why = Object.keys(error.fields ?? {}).length ? rest : error.message;
      say(state, why ? `No preview yet: ${why}` : "The preview goes on once the marked fields are right.");
    }
  }

  /** What the till would refuse is said beside its field, once something stands there. */
  function mark(problems) {
    for (const one of marked) one.error(null);
    marked = [];
    const rest = [];
    for (const [name, detail] of Object.entries(problems)) {
      const found = nearest(sheet.fields(), name);
      if (!found) rest.push(`${name}: ${detail}`);
      else if (found.input?.value !== "") {
        found.error(sentence(detail));
        marked.push(found);
      } else rest.push(`${name.replaceAll("_", " ")} ${detail}`);
    }
    return rest.join("; ");
  }

  return {
    node,
    soon(delay = 350) { left = false; clearTimeout(timer); timer = setTimeout(ask, delay); },
    /** Asks for nothing more until something changes. */
    rest() { stop.abort(); clearTimeout(timer); },
    leave() { left = true; stop.abort(); clearTimeout(timer); },
  };
}
