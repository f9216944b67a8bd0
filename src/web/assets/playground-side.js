// Beside the feed: the shelf, what is held and for how long, and the orders with where they go.

import { h, show, keep, say } from "./dom.js";
import { countdown } from "./format.js";
import { avatar, firstName, money } from "./playground-bits.js";

/** The shop's side; `ui` is what the page lends: `{now, act, me, world}`. */
export function openSide(ui) {
  const stock = h("div", { class: "rows" });
  const holds = h("div", { class: "rows" });
  const noHolds = h("p", { class: "dim empty" });
  const orders = h("div", { class: "rows" });
  const noOrders = h("p", { class: "dim empty" }, "No orders yet. They appear here once a purchase is paid, with the address to ship to.");
  const section = (title, ...children) => h("section", { class: "card" }, h("h2", null, title), ...children);
  const node = h("div", { class: "side-cards" },
    section("On the shelf", stock,
      h("p", { class: "key dim small", "aria-hidden": "true" }, h("span", { class: "dot sold" }), "sold ", h("span", { class: "dot held" }), "held ", h("span", { class: "dot free" }), "free")),
    section("Held right now", noHolds, holds), section("Orders to ship", noOrders, orders));

  const person = (id) => ui.world.state.people.find((one) => one.id === id) ?? { id: "", name: "Somebody" };

  const offerRow = (row, offer) => {
    const all = offer.quantity ?? offer.sold + offer.held + 1;
    const free = offer.available ?? 1;
    const width = (count) => ({ "flex-grow": count, "flex-basis": "0" });
    const left = free === 0 ? (offer.held ? "all held or sold" : "sold out") : `${free} of ${all} left`;
    show(row,
      h("p", { class: "line" }, h("b", null, offer.title), h("b", { class: "num" }, money(offer.price))),
      h("div", { class: "stockbar", role: "img", "aria-label": `${offer.sold} sold, ${offer.held} held, ${free} free` },
        offer.sold ? h("span", { class: "sold", style: width(offer.sold) }) : null, offer.held ? h("span", { class: "held", style: width(offer.held) }) : null, free ? h("span", { class: "free", style: width(free) }) : null),
      h("p", { class: "line small" }, h("span", { class: "hashtag" }, offer.hashtag), h("span", { class: free ? "dim num" : "num bad-text" }, left)));
  };

  const holdRow = (row, hold) => {
    const who = person(hold.person);
    const bank = (allow, text, style) => h("button", { type: "button", class: style, onclick: () => ui.act("bank", { purchase: hold.id, allow }) }, text);
    const left = h("span", { class: "left num", "data-until": hold.until ?? "", "data-window": hold.window_seconds });
    show(row,
      h("p", { class: "line" }, h("span", { class: "whose" }, avatar(who, ui.world.state.people), h("span", null, h("b", null, firstName(who)), ` · ${hold.title}`)), hold.status === "pending" ? left : h("span", { class: "chip warn" }, hold.bank_asks ? "bank asks" : "charging")),
      hold.status === "pending" ? h("div", { class: "timebar", "aria-hidden": "true" }, h("span")) : null,
      hold.bank_asks ? h("div", { class: "bank" }, h("p", { class: "small" }, `${firstName(who)}'s bank asks: allow ${money(hold.price)}?`), h("div", { class: "actions" }, bank("yes", "Allow", "small"), bank("no", "Refuse", "second small"))) : null);
  };

  const orderRow = (row, order) => {
    const open = order.status === "unfulfilled";
    show(row,
      h("p", { class: "line" }, h("b", null, order.title), h("b", { class: "num" }, money(order.price))),
      h("address", null, order.ship_to.map((line) => h("span", null, line))),
      h("p", { class: "line" }, h("span", { class: open ? "chip warn" : "chip good" }, open ? "To ship" : order.status === "cancelled" ? "Cancelled" : "Shipped"),
        open ? h("button", { type: "button", class: "second small", "aria-label": `Ship it: ${order.title} to ${order.ship_to[0] ?? "its buyer"}`, onclick: () => ui.act("ship", { order: order.id }) }, "Ship it") : null));
  };

  const drawn = new WeakMap();
  const rows = (parent, data, fill) => keep(parent, data, (row) => row.id, () => h("div", { class: "row" }), (node, row) => {
    const state = JSON.stringify(row);
    if (drawn.get(node) === state) return;
    drawn.set(node, state);
    fill(node, row);
  });

  const draw = () => {
    const { state } = ui.world;
    rows(stock, state.offers, offerRow);
    rows(holds, state.holds, holdRow);
    rows(orders, state.orders, orderRow);
    noHolds.hidden = state.holds.length > 0;
    say(noHolds, `Nothing is held. A post with ${state.offers[0]?.hashtag ?? "a hashtag"} holds one for 15 minutes.`);
    noOrders.hidden = state.orders.length > 0;
    tick();
  };

  const tick = () => {
    for (const left of holds.querySelectorAll("[data-until]")) {
      const seconds = (Date.parse(left.dataset.until) - ui.now()) / 1000;
      say(left, seconds > 0 ? countdown(seconds) : "over");
      const bar = left.closest(".row").querySelector(".timebar span");
      bar?.style.setProperty("width", `${Math.max(0, Math.min(100, (100 * seconds) / Number(left.dataset.window)))}%`);
    }
  };

  return { node, draw, tick };
}
