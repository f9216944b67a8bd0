// The lists of the first page: figures, what needs a person, stock, holds, what happened.

import { h, keep, say, show } from "./dom.js";
import { bar } from "./charts.js";
import { clock, count, countdown, hashtag, many, money, network, when } from "./format.js";
import { tillNow } from "./live.js";

/** How many rows are shown before somebody asks for all. */
const FEW = 6;

/** A list that shows the first few and a button for the rest. */
function folded(list, rows, more, show) {
  const button = h("button", { class: "second small", type: "button", hidden: true, "aria-expanded": "false" });
  let open = false;
  let last = [];
  button.addEventListener("click", () => {
    open = !open;
    button.setAttribute("aria-expanded", String(open));
    draw();
  });
  const draw = () => {
    show(open ? last : last.slice(0, FEW));
    button.hidden = last.length <= FEW;
    say(button, open ? "Show fewer" : `Show ${more(last.length)}`);
  };
  const node = h("div", null, list, h("p", { class: "rest-of", hidden: false }, button));
  node.draw = (found) => {
    last = found;
    node.lastElementChild.hidden = found.length <= FEW;
    draw();
  };
  return node;
}

/** The line of figures at the top. */
export function figures(admin) {
  const tile = (name) => {
    const [big, sub] = [h("div", { class: "big" }), h("div", { class: "sub" })];
    return Object.assign(h("div", null, h("dt", null, name), h("dd", null, big, sub)), { big, sub });
  };
  const [takings, orders, held, ship, rate] = ["Sold today", "Orders today", "Held now", "To ship", "Posts a minute"].map(tile);
  const node = h("dl", { class: "figures" }, takings, orders, held, ship, admin && rate);
  node.update = (overview) => {
    const { money: sums, orders: paid } = overview.today;
    takings.big.classList.toggle("many", sums.length > 1);
    say(takings.big, sums.length ? sums.map(({ currency, net }) => money({ amount: net, currency })).join(" · ") : "–");
    const back = sums.filter(({ refunds, disputes }) => refunds.amount + disputes.amount > 0);
    say(takings.sub, back.length ? `after ${back.map(({ currency, refunds, disputes }) => money({ amount: refunds.amount + disputes.amount, currency })).join(" and ")} given back` : "nothing given back");
    say(orders.big, count(paid));
    say(orders.sub, `${count(overview.funnel.days.paid)} in 30 days`);
    const units = overview.holds.data.reduce((all, hold) => all + hold.units, 0);
    say(held.big, overview.holds.count === null ? "many" : count(overview.holds.count));
    say(held.sub, overview.holds.count ? `${overview.holds.count > overview.holds.data.length ? "many units" : many(units, "unit")} waiting for a yes` : "nobody is deciding");
    say(ship.big, count(overview.orders_unshipped));
    const late = overview.needs.find((need) => need.code === "orders_late");
    say(ship.sub, late ? `${count(late.count)} late` : overview.orders_unshipped ? "none is late" : "all is on its way");
    if (admin) rate.update(overview);
  };
  rate.update = ({ now, posts }) => {
    const this_minute = Math.floor(Date.parse(now) / 60000) * 60000;
    const sum = (minute) => Object.values(minute.verdicts).reduce((all, one) => all + one, 0);
    const last = posts.minutes.find((minute) => Date.parse(minute.at) === this_minute - 60000);
    const hour = posts.minutes.reduce((all, minute) => all + sum(minute), 0);
    say(rate.big, count(last ? sum(last) : 0));
    say(rate.sub, `${count(hour)} in the last hour`);
  };
  return node;
}

const GRAVE = { high: ["bad", "Urgent"], medium: ["warn", "Look at it"], low: ["", "Good to know"] };

/** What needs a person. */
export function needs() {
  const list = h("ul", { class: "needs" });
  const calm = h("p", { class: "calm" }, "Nothing needs you. What does, late orders for one, shows up here with what to do about it.");
  const node = h("div", null, calm, list);
  node.update = ({ needs: found }) => {
    calm.hidden = found.length > 0;
    list.hidden = !found.length;
    const place = new Map();
    const rows = found.map((need) => {
      const nth = (place.get(need.code) ?? 0) + 1;
      place.set(need.code, nth);
      return { ...need, key: `${need.code}-${nth}` };
    });
    keep(list, rows, (need) => need.key,
      () => h("li", null, h("span"), h("p"), h("a", { hidden: true }, "Look", h("span", { class: "visually-hidden" }))),
      (row, need) => {
        const [grave, text, link] = row.children;
        const [kind, word] = GRAVE[need.severity];
        grave.className = `chip ${kind}`;
        say(grave, word);
        say(text, need.since ? `${need.text} Since ${when(need.since)}.` : need.text);
        link.hidden = !need.link;
        if (need.link) link.setAttribute("href", need.link);
        say(link.lastElementChild, ` at: ${need.text}`);
      });
  };
  return node;
}

function about(offer) {
  const parts = [hashtag(offer.hashtag), offer.price && money(offer.price)];
  if (offer.kind === "deal") parts.push("a deal");
  if (offer.status === "live" && offer.starts_at && Date.parse(offer.starts_at) > tillNow()) parts.push(`from ${when(offer.starts_at)}`);
  else if (offer.ends_at && offer.status !== "ended") parts.push(`until ${when(offer.ends_at)}`);
  return parts.filter(Boolean).join(" · ");
}

function state(offer) {
  if (offer.status !== "live") return offer.status === "paused" ? ["warn", "Paused"] : ["", "Ended"];
  if (offer.available === 0) return offer.held ? ["warn", "All taken"] : ["", "Sold out"];
  return null;
}

function offerRow() {
  const [title, chip, line] = [h("a"), h("span", { class: "chip", hidden: true }), h("div", { class: "about" })];
  const meter = bar();
  const number = () => h("span", null, h("b"), h("span"));
  const numbers = h("div", { class: "numbers" }, number(), number(), number(), number(), number());
  const row = h("li", null, h("div", { class: "title" }, title, chip), line, meter, numbers);
  row.update = (offer) => {
    title.setAttribute("href", `#/offers/${offer.id}`);
    say(title, offer.title);
    const now = state(offer);
    chip.hidden = !now;
    chip.className = `chip ${now?.[0] ?? ""}`;
    say(chip, now?.[1] ?? "");
    say(line, about(offer));
    const figures = [
      [count(offer.sold), offer.kind === "deal" ? "taken" : "sold"],
      offer.kind === "deal" ? null : [count(offer.held), "held"],
      [offer.available === null ? "no limit" : count(offer.available), offer.available === null ? "" : "free"],
      offer.waiting ? [count(offer.waiting), "waiting"] : null,
      offer.sold_last_hour ? [count(offer.sold_last_hour), "in the last hour"] : null,
    ];
    figures.forEach((figure, i) => {
      numbers.children[i].hidden = !figure;
      if (!figure) return;
      say(numbers.children[i].firstElementChild, figure[0]);
      say(numbers.children[i].lastElementChild, figure[1] ? ` ${figure[1]}` : "");
    });
    const label = figures.filter(Boolean).map(([value, what]) => `${value} ${what}`.trim()).join(", ");
    meter.update([{ key: "sold", value: offer.sold }, { key: "held", value: offer.held }], offer.quantity, `${offer.title}: ${label}`);
  };
  return row;
}

/** What is for sale, as bars. */
export function stock() {
  const list = h("ul", { class: "stock" });
  const none = h("p", { class: "empty" }, "Nothing is for sale at the moment. ", h("a", { href: "#/offers/new" }, "Make an offer"));
  const more = h("p", { class: "rest-of dim", hidden: true });
  const rows = folded(list, FEW, (all) => `all ${count(all)}`, (offers) => keep(list, offers, (offer) => offer.id, offerRow, (row, offer) => row.update(offer)));
  const sign = (key, name) => h("li", null, h("i", { class: `sign ${key}` }), name);
  const node = h("div", null, none, rows, more);
  node.aside = h("ul", { class: "legend", style: { margin: "0" } }, sign("sold", "Sold"), sign("held", "Held"), sign("free", "Free"));
  node.update = ({ offers }) => {
    none.hidden = offers.data.length > 0;
    rows.hidden = node.aside.hidden = !offers.data.length;
    rows.draw(offers.data);
    more.hidden = !offers.more;
    show(more, `${many(offers.more, "more offer")} not shown here: `, h("a", { href: "#/offers" }, "all offers"));
  };
  return node;
}

/** Holds, the first to end first, counting down. */
export function holds(admin) {
  const list = h("ul", { class: "holds" });
  const none = h("p", { class: "empty" }, "Nobody has anything on hold. A hold begins with a purchase post, and ends when its buyer confirms or the time is over.");
  let shown = [];
  const makeRow = () => h("li", null, h(admin ? "a" : "span", { class: "what" }), h("span", { class: "left" }), h("div", { class: "about" }));
  const fill = (row, hold) => {
    const [what, , line] = row.children;
    const wished = [hold.units > 1 && `${hold.units} ×`, hold.title, hold.variant && `(${hold.variant})`].filter(Boolean).join(" ");
    say(what, wished);
    what.title = wished;
    if (admin) what.setAttribute("href", `#/purchases/${hold.purchase}`);
    const parts = [money(hold.price), hold.handle && `@${hold.handle}`, network(hold.network), !hold.told && "its reply is not out yet"];
    say(line, parts.filter(Boolean).join(" · "));
    count_down(row, hold, tillNow());
  };
  const rows = folded(list, FEW, (all) => `all ${count(all)}`, (found) => {
    shown = found;
    keep(list, found, (hold) => hold.purchase, makeRow, fill);
  });
  const more = h("p", { class: "rest-of dim", hidden: true });
  const node = h("div", null, none, rows, more);
  node.aside = h("span", { class: "dim" });
  node.update = ({ holds: { data, count: all } }) => {
    none.hidden = data.length > 0;
    rows.hidden = !data.length;
    rows.draw(data);
    const left = all === null ? null : all - data.length;
    more.hidden = left === 0;
    say(more, left === null ? "There may be more." : `${many(left, "more hold")} end later.`);
    say(node.aside, data.length ? "time left to confirm" : "");
  };
  node.tick = (now) => {
    const byKey = new Map(shown.map((hold) => [hold.purchase, hold]));
    for (const row of list.children) {
      const hold = byKey.get(row.dataset.key);
      if (hold) count_down(row, hold, now);
    }
  };
  return node;
}

function count_down(row, hold, now) {
  const left = row.children[1];
  const seconds = (Date.parse(hold.expires_at) - now) / 1000;
  left.className = seconds <= 0 ? "left over" : seconds < 120 ? "left soon" : "left";
  say(left, seconds > 0 ? countdown(seconds) : "time is up");
}

const HAPPENED = {
  "purchase.pending": "Held",
  "purchase.confirmed": "Confirmed",
  "purchase.paid": "Paid",
  "purchase.declined": "Card declined",
  "purchase.expired": "Time ran out",
  "purchase.cancelled": "Let go",
  "purchase.refunded": "Given back",
  "purchase.disputed": "Disputed",
  "purchase.dispute_closed": "Dispute decided",
  "purchase.authentication_required": "Bank asks buyer",
  "order.shipped": "Shipped",
  "order.delivered": "Delivered",
  "order.cancelled": "Order cancelled",
  "offer.created": "New offer",
  "offer.updated": "Offer changed",
  "offer.ended": "Offer ended",
  "account.created": "Buyer linked",
  "account.erased": "Buyer erased",
  "reply.failed": "Reply failed",
  "refund.failed": "Refund failed",
  "deal.enrolled": "Joined a deal",
  "deal.credited": "Deal credited",
};

function link(event, admin) {
  if (event.order) return `#/orders/${event.order}`;
  if (event.purchase && admin) return `#/purchases/${event.purchase}`;
  return event.offer ? `#/offers/${event.offer}` : null;
}

/** What happened, newest first. */
export function feed(admin) {
  const list = h("ul", { class: "feed" });
  const none = h("p", { class: "empty" }, "Nothing of late. Posts, payments and parcels show up here as they happen.");
  const node = h("div", null, none, list);
  node.aside = h("a", { href: "#/log" }, "The whole log");
  node.update = ({ events, holds: { data } }) => {
    none.hidden = events.length > 0;
    // As many as there is room for below the holds.
    keep(list, events.slice(0, 15 - Math.min(5, data.length)), (event) => event.id,
      (event) => h("li", null, h(link(event, admin) ? "a" : "span", { class: "what" }, h("span", { class: "type" }), h("span")), h("time")),
      (row, event) => {
        const [what, time] = row.children;
        const [type, title] = what.children;
        const to = link(event, admin);
        if (to) what.setAttribute("href", to);
        time.setAttribute("datetime", event.at);
        time.title = when(event.at);
        say(time, clock(event.at));
        say(type, HAPPENED[event.type] ?? event.type);
        say(title, event.title ? ` ${event.title}` : "");
      });
  };
  return node;
}

/** What to do first. */
export function guide(sandbox) {
  return h("section", { class: "card guide", hidden: true, "aria-labelledby": "now-guide" },
    h("h2", { id: "now-guide" }, "Nothing is for sale yet"),
    h("ol", null,
      h("li", null, "Make an offer: a hashtag, a price, how many there are."),
      h("li", null, "Publish its post. The till shows you the text for each network."),
      h("li", null, "Buyers who linked a card reply with the hashtag, and confirm. The order comes to you with their address.")),
    h("p", { class: "actions" }, h("a", { class: "button", href: "#/offers/new" }, "Make an offer"),
      sandbox && h("a", { class: "button second", href: "/playground" }, "See how it works in the playground")));
}
