// The log: everything that happened, newest first, in plain words; live, and page by page back to the beginning.

import { h, say, show } from "./dom.js";
import { at, get } from "./api.js";
import { clock, count, day } from "./format.js";
import { failed } from "./desk.js";

/** Rows on the page: the newest so many, or an older page of so many. */
const PAGE = 100;
/** So many answers may hold none of a type before somebody is asked whether to look further. */
const LOOKS = 10;

const TYPES = {
  offer: ["Offers", { created: "An offer was made", updated: "An offer was changed", ended: "An offer has ended" }],
  account: ["Accounts", { created: "An account was linked", updated: "An account was changed", erased: "An account was erased" }],
  purchase: ["Purchases", { pending: "A unit is held", confirmed: "A purchase was confirmed", paid: "A purchase was paid", declined: "A card was declined", expired: "A hold ran out", cancelled: "A purchase was let go", refunded: "Money was given back", disputed: "A charge is disputed", authentication_required: "A bank asks the card's owner" }],
  order: ["Orders", { created: "An order is to be shipped", shipped: "An order was shipped", delivered: "An order was delivered", cancelled: "An order was cancelled" }],
  reply: ["Replies", { sent: "A reply is out", failed: "A reply could not be posted" }],
  deal: ["Deals", { enrolled: "Somebody joined a deal", credited: "Money was credited" }],
  dispute: ["Disputes", { closed: "A dispute is closed" }],
  refund: ["Refunds", { failed: "A refund failed" }],
};
const BAD = new Set(["purchase.declined", "purchase.disputed", "refund.failed", "reply.failed"]);
const GOOD = new Set(["purchase.paid", "order.created", "order.shipped", "order.delivered"]);

function spoken(type) {
  const [family, name] = type.split(".");
  return TYPES[family]?.[1][name] ?? type;
}

export function open(main, _, context) {
  const admin = context.me.role === "admin";
  const titles = new Map();
  const rows = h("ol", { class: "log", "aria-label": "Events, newest first" });
  const note = h("div", { "aria-live": "polite" });
  const type = h("select", { id: "log-type", onchange: () => begin() }, h("option", { value: "" }, "Everything"),
    Object.entries(TYPES).flatMap(([family, [label, names]]) => [h("option", { value: family }, label), ...Object.keys(names).map((name) => h("option", { value: `${family}.${name}` }, `– ${spoken(`${family}.${name}`)}`))]));
  const wanted = context.query.get("type");
  if (wanted) type.value = wanted;
  const following = h("button", { class: "second", id: "follow", "aria-pressed": "true", onclick: () => (follows ? pause() : begin()) }, "Pause");
  const live = h("p", { class: "follow small", role: "status" });
  const older = h("button", { class: "second", hidden: true, onclick: () => turn(1) }, "Older");
  const newer = h("button", { class: "second", hidden: true, onclick: () => turn(-1) }, "Newer");
  const where = h("p", { class: "dim small" });
  /** Where each page begins; the first is the newest. */
  let pages = [""];
  let page_at = 0;
  let next = null;
  let follows = false;
  let stop = new AbortController();
  let left = false;

  /** An offer's title, asked for once. */
  function title(id, node) {
    if (!titles.has(id)) titles.set(id, get(`/v1/offers/${id}`).then((offer) => offer.title, () => id));
    titles.get(id).then((text) => say(node, text));
  }

  function row(event) {
    const { offer, purchase, order, account, refund } = event.data;
    const link = (path, id, name) => (id ? h("a", { href: `#/${path}/${id}`, title: id }, name) : null);
    const of = offer ? link("offers", offer, "…") : null;
    if (of) title(offer, of);
    const about = [of, admin ? link("purchases", purchase, "purchase") : null, link("orders", order, "order"), admin ? link("accounts", account, "account") : null, refund ? h("span", { class: "mono", title: refund }, "refund") : null].filter(Boolean);
    const mark = BAD.has(event.type) ? "is-bad" : GOOD.has(event.type) ? "is-good" : "";
    return h("li", { "data-id": event.id, class: mark },
      h("time", { datetime: event.created_at, title: event.created_at }, h("span", { class: "dim" }, `${day(event.created_at)} `), clock(event.created_at)),
      h("span", { class: "log-what" }, spoken(event.type), mark === "is-bad" ? h("span", { class: "visually-hidden" }, " (needs a look)") : null),
      h("span", { class: "log-about small" }, about.map((one, i) => [i ? " · " : "", one])));
  }

  function draw(page) {
    show(rows, page.data.map(row));
    next = page.next_cursor;
    older.hidden = !next;
    newer.hidden = page_at === 0;
    say(where, page_at ? `Page ${count(page_at + 1)}` : "");
    const filter = type.value;
    show(note, page.data.length ? null : h("p", { class: "card nothing" }, next ? "None among the latest; older ones may follow." : filter ? "Nothing of this kind has happened yet." : "Nothing has happened yet. Offers, purchases and orders appear here as they come."));
  }

  const read = (query) => get(at("/v1/events", { type: type.value, limit: PAGE, ...query }), { signal: stop.signal });

  /** A page, newest first; a rare type may need a look at more than one answer of the till's. */
  async function page(cursor) {
    let found = await read({ order: "desc", cursor });
    for (let looks = 1; !found.data.length && found.next_cursor && looks < LOOKS; looks += 1) found = await read({ order: "desc", cursor: found.next_cursor });
    return found;
  }

  /** The newest page, followed live. */
  async function begin() {
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    [pages, page_at] = [[""], 0];
    titles.clear();
    tell(true);
    try {
      // Where none of a type is found, all that is there already need not be looked through again.
      const newest = type.value ? (await get("/v1/events?order=desc&limit=1", { signal })).data[0]?.id : "";
      const first = await page("");
      draw(first);
      await follow(first.data[0]?.id ?? newest ?? "", signal);
    } catch (error) {
      const wrong = failed(error, begin);
      if (!wrong || left) return;
      tell(false);
      show(note, wrong);
    }
  }

  /** Waits for what comes after `last` and puts it on top; a failure is tried again. */
  async function follow(last, signal) {
    while (!left && follows && !signal.aborted) {
      try {
        const page = await read({ after: last, wait_seconds: 25 });
        if (page.data.length > PAGE / 2 && page.next_cursor) return begin();
        if (page.data.length) {
          last = page.data.at(-1).id;
          show(note);
          rows.prepend(...page.data.map(row).reverse());
          while (rows.children.length > PAGE) rows.lastElementChild.remove();
          older.hidden = older.hidden && rows.children.length < PAGE;
          next = rows.children.length >= PAGE ? rows.lastElementChild.dataset.id : next;
        } else if (page.next_cursor) last = page.next_cursor;
        say(live, "Live");
      } catch (error) {
        if (error.name === "AbortError") return;
        if (error.status === 401) return;
        say(live, "The till does not answer; trying again…");
        await new Promise((done) => setTimeout(done, 2000));
        // What was seen last is of no use to a till that was restored meanwhile.
        if (error.status === 400 && !signal.aborted) return begin();
      }
    }
  }

  function tell(now) {
    follows = now;
    following.setAttribute("aria-pressed", String(now));
    say(following, now ? "Pause" : "Follow");
    say(live, now ? "Live" : "Paused");
    live.classList.toggle("on", now);
  }

  function pause() {
    stop.abort();
    stop = new AbortController();
    tell(false);
  }

  /** An older page, or one back. */
  async function turn(by) {
    if (by > 0) pages[page_at + 1] = next;
    if (page_at + by === 0) return begin();
    pause();
    page_at += by;
    try {
      draw(await page(pages[page_at]));
      rows.firstElementChild?.scrollIntoView({ block: "nearest" });
    } catch (error) {
      show(note, failed(error, () => turn(0)));
    }
  }

  show(main,
    h("div", { class: "desk-head" }, h("h1", null, "Log"), h("div", { class: "actions" }, live, following)),
    h("div", { class: "finder" }, h("div", { class: "grow" }, h("label", { for: type.id }, "Show"), type)),
    note, h("div", { class: "card flush" }, rows), h("div", { class: "actions pager" }, newer, older, where));
  begin();
  return () => { left = true; stop.abort(); };
}
