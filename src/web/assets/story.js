// A story: what happened to a purchase, in plain words and in order.

import { h } from "./dom.js";
import { short } from "./parts.js";
import { when } from "./format.js";

const exact = new Intl.DateTimeFormat(navigator.language || "en", { dateStyle: "medium", timeStyle: "medium" });

const MOODS = {
  confirmed: "good", charged: "good", order: "good", shipped: "good", delivered: "good",
  hold: "warn", authentication: "warn", refund: "warn", cancelled: "warn", expired: "warn",
  reply_lost: "bad", declined: "bad", refund_failed: "bad", dispute: "bad",
};

/** What the till's sentences name: ids, where they lead, and times as people read them. */
const NAMED = /\s*\(((pur|ord|rep|ref|dis)_[0-9a-z]{26})\)|(\d{4}-\d\d-\d\dT[\d:.]+Z)/g;

/** What only a list of attempts needs: the gateway's reference. */
const REFERENCE = /^(Charge \d+ was begun: [^(]*(?:\([^)]*\))?[^(]*?) \([^)]*\)\.$/;

function readable(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(NAMED)) {
    parts.push(text.slice(from, found.index));
    const [all, id, kind, at] = found;
    if (at) parts.push(when(at));
    else if (kind === "ord") parts.push(" (", h("a", { href: `#/orders/${id}`, class: "mono" }, short(id)), ")");
    else if (kind === "ref" || kind === "dis") parts.push(" (", h("span", { class: "mono", title: id }, short(id)), ")");
    from = found.index + all.length;
  }
  parts.push(text.slice(from));
  return parts;
}

/** A moment that the console tells by itself. */
export const said = (at, what, mood = "") => ({ at, what, mood });

function line({ at, what, kind, mood }, { posts = [], replies = [] }, told) {
  const more = [];
  if (kind === "verdict") more.push(...posts.filter((post) => post.arrived_at === at).map(({ why }) => h("p", { class: "more" }, why)));
  const reply = kind === "reply" && replies.find(({ id }) => what.includes(id) && !told.has(id));
  if (reply) {
    told.add(reply.id);
    more.push(h("blockquote", { class: "quote" }, reply.text));
  }
  return h("li", { class: mood ?? MOODS[kind] ?? "" }, h("div", null, h("p", null, readable(kind === "charge" ? what.replace(REFERENCE, "$1.").replace(/ was begun: .*$/, " was begun.") : what)), more, h("time", { datetime: at }, exact.format(new Date(at)))));
}

/** The list of what happened; `only`: these kinds of it. */
export function moments(story, only = null) {
  const told = new Set();
  return h("ol", { class: "story" }, story.moments.filter(({ kind }) => !only || only.includes(kind)).map((moment) => line(moment, story, told)));
}
