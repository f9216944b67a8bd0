// The feed: threads of posts, the till's answers in them, and how it judged each post.

import { h, show, keep, say } from "./dom.js";
import { words } from "./format.js";
import { ago, avatar, shopAvatar, tagged } from "./playground-bits.js";

const GOOD = new Set(["pending", "confirmed", "enrolled", "waitlisted"]);
const CALM = new Set(["no_offer", "own_post", "repost_ignored", "passed", "already_pending", "already_confirmed", "already_enrolled", "near_miss"]);
const NOTES = "tagtill-playground-notes";

/** What became of the purchase that a post began. */
const ENDS = {
  paid: ["good", "Paid", "The card was charged; the shop has the order."],
  expired: ["bad", "Expired", "Nobody confirmed in time. The unit is free again, nothing was charged."],
  cancelled: ["", "Cancelled", "It was let go before it was confirmed. The unit is free again, nothing was charged."],
  declined: ["bad", "Declined", "The bank declined the card. Nothing was charged, and the answer does not say why."],
  refunded: ["", "Refunded", "The money went back to the card."],
};

const tone = (verdict) => (GOOD.has(verdict) ? "good" : CALM.has(verdict) ? "" : "bad");

/** The feed; `ui` is what the page lends: `{now, act, me, world}`. */
export function openFeed(ui) {
  const list = h("div", { class: "threads" });
  const empty = h("p", { class: "card empty" }, "Nothing was posted yet. The first post is yours.");
  const notes = h("input", { type: "checkbox", checked: localStorage.getItem(NOTES) !== "off", onchange: () => {
    localStorage.setItem(NOTES, notes.checked ? "on" : "off");
    node.classList.toggle("bare", !notes.checked);
  } });
  const node = h("div", { class: notes.checked ? "feed" : "feed bare" },
    h("div", { class: "feed-head" }, h("h2", null, "Feed"), h("label", { class: "choice" }, notes, h("span", null, "Show how the till judged"))), empty, list);

  /** Does something from within a post; what one pressed is gone afterwards, so the newest post of the thread is next. */
  const from = async (thread, deed, fields) => {
    if (!(await ui.act(deed, fields))) return;
    next(thread);
  };

  /** Goes on where something new is: at the newest post of a thread, the newest of all unless it is named. */
  const next = (thread) => {
    const found = [...list.children].find((one) => one.dataset.key === thread) ?? list.firstElementChild;
    const last = found?.querySelector(".posts").lastElementChild;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    last?.focus({ preventScroll: true });
    last?.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  };

  const judged = (post) => {
    if (!post.verdict) return null;
    const end = post.purchase?.began_here ? ENDS[post.purchase.status] : null;
    return h("div", { class: "judged" },
      h("p", null, h("span", { class: `chip ${tone(post.verdict)}` }, words(post.verdict)), " ", post.why),
      end ? h("p", null, h("span", { class: `chip ${end[0]}` }, end[1]), " ", end[2]) : null);
  };

  const actions = (thread, post) => {
    const me = ui.me();
    if (post.deleted || !me) return null;
    const mine = post.author === me.id;
    const forMe = post.to === me.id;
    const button = (text, style, deed, fields, label) => h("button", { type: "button", class: style, "aria-label": label, onclick: () => from(thread, deed, fields) }, text);
    const confirm = forMe && post.confirm
      ? button(`Post ${post.confirm}`, "small", "post", { person: me.id, text: post.confirm }) : null;
    const again = forMe && post.confirm ? "Repost it" : "Repost";
    const repost = post.repost_of || mine ? null
      : button(again, confirm ? "second small" : "quiet", "repost", { person: me.id, of: post.id }, `${again}: what ${post.name} wrote`);
    const remove = mine ? button("Delete", "quiet", "delete", { person: me.id, post: post.id }, "Delete this post of yours") : null;
    return h("div", { class: "post-actions" }, confirm, repost, remove);
  };

  const fill = (node, thread, post) => {
    const { people, shop } = ui.world.state;
    const person = people.find((one) => one.id === post.author) ?? { id: "", name: post.name };
    const time = h("time", { datetime: post.at, "data-at": post.at, class: "dim" });
    const reposted = post.repost_of ? ui.world.state.threads.flatMap((one) => one.posts).find((one) => one.id === post.repost_of) : null;
    node.className = post.to ? "post reply" : "post";
    show(node,
      post.author ? avatar(person, people) : shopAvatar(shop.name),
      h("div", { class: "post-body" },
        h("p", { class: "by" }, h("b", null, post.name), h("span", { class: "dim" }, ` @${post.handle}`), post.author ? null : h("span", { class: "chip" }, "bot"), h("span", { class: "dim", "aria-hidden": "true" }, " · "), time),
        post.deleted ? h("p", { class: "dim gone" }, "deleted this post: ", h("s", null, post.text))
          : post.repost_of ? h("div", null, h("p", { class: "dim" }, `reposted what ${reposted ? reposted.name : "somebody"} wrote`), h("blockquote", null, tagged(reposted?.text ?? post.text)))
            : h("p", { class: "words" }, tagged(post.text)),
        actions(thread, post), judged(post)));
  };

  const drawn = new WeakMap();
  const begun = { first: true };

  const draw = () => {
    const { threads } = ui.world.state;
    empty.hidden = threads.length > 0;
    const me = ui.me();
    keep(list, threads, (thread) => thread.id,
      () => h("div", { class: "card thread" }, h("div", { class: "posts" })),
      (node, thread) => keep(node.firstElementChild, thread.posts, (post) => post.id,
        () => h("article", { tabindex: "-1" }),
        (one, post) => {
          const state = JSON.stringify([post, post.to === me?.id || post.author === me?.id, me?.id]);
          if (drawn.get(one) === state) return;
          const fresh = !drawn.has(one) && !begun.first;
          drawn.set(one, state);
          fill(one, thread.id, post);
          if (fresh) one.classList.add("fresh");
        }));
    begun.first = false;
    tick();
  };

  const tick = () => {
    for (const time of list.querySelectorAll("[data-at]")) say(time, ago(time.dataset.at, ui.now()));
  };

  return { node, draw, tick, next };
}
