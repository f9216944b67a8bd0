// One order: where it goes, what to pack, what left the shop, and how it came about.

import { h } from "./dom.js";
import { get } from "./api.js";
import { many, money, network } from "./format.js";
import { card, copyButton, doing, facts, id, merchantLink, offerLink, page, table, time } from "./parts.js";
import { cancelOrders, deliverOrders, left, shipOrders, state } from "./shipping.js";
import { address, printSlips } from "./slips.js";
import { moments, said } from "./story.js";
import { what } from "./orders.js";

/** The order, and its purchase's story where one may read it. */
async function load(one, admin) {
  const order = await get(`/v1/orders/${one}`);
  return { order, story: admin ? await get(`/v1/purchases/${order.purchase}/story`) : null };
}

/** What of its purchase's story an order is about. */
const LATER = ["charged", "order", "shipped", "delivered", "refund", "refund_failed", "dispute"];

/** What an order tells by itself. */
function own(order) {
  const came = [said(order.created_at, "It was paid for, and the order was made.", "good")];
  for (const { units, shipped_at: at } of order.shipments) {
    came.push(said(at, order.units === 1 ? "It was shipped." : `A parcel with ${many(units, "unit")} was shipped.`, "good"));
  }
  if (order.delivered_at) came.push(said(order.delivered_at, "It was delivered.", "good"));
  return came;
}

function parcels(order) {
  if (!order.shipments.length) return h("p", { class: "dim" }, order.status === "cancelled" ? "Nothing was shipped." : "Nothing was shipped yet.");
  return table("Parcels", ["Shipped", "Units", "Carrier", "Tracking number"], order.shipments.map((one) => [
    time(one.shipped_at), one.units, one.carrier ?? "–",
    one.tracking_number ? [h("span", { class: "mono" }, one.tracking_number), copyButton(one.tracking_number, "the tracking number")] : "–"]), ["Units"]);
}

function actions(order, again) {
  const button = (name, kind, text, work) => {
    const one = h("button", { class: kind, "data-do": name, onclick: () => work(one) }, text);
    return one;
  };
  const open = order.status === "unfulfilled";
  return h("div", { class: "actions" },
    button("print", "second", "Print packing slip", (one) => doing(one, () => printSlips([order]))),
    open && !order.disputed && button("ship", "", "Mark shipped…", () => shipOrders([order]).then(again)),
    order.status === "shipped" && button("deliver", "", "Mark delivered", (one) => doing(one, () => deliverOrders([order])).then(again)),
    open && !order.shipments.length && button("cancel", "second", "Cancel…", () => cancelOrders([order]).then(again)));
}

function draw({ order, story }, again) {
  const rest = left(order);
  const to = order.ship_to;
  document.title = `${what(order)} · Orders · tagtill`;
  return [
    h("p", { class: "crumb" }, h("a", { href: "#/orders" }, "Orders")),
    h("div", { class: "page-head" }, h("div", null, h("h1", null, what(order), " ", state(order)),
      h("p", { class: "lead" }, "Paid ", time(order.created_at), " · ", id(order.id))), actions(order, again)),
    order.disputed && h("p", { class: "banner bad" }, "The buyer disputes this charge at the bank. Do not ship it."),
    h("div", { class: "two" },
      h("div", { class: "stack" },
        card("To pack", facts([
          ["Article", h("b", null, order.title)], ["Variant", order.variant], ["Units", order.units],
          ["Left to ship", order.status === "unfulfilled" && order.shipments.length ? rest : null],
        ])),
        card("Parcels", parcels(order)),
        card("What happened", story ? moments(story, LATER) : moments({ moments: own(order) }),
          story && h("p", null, h("a", { href: `#/purchases/${order.purchase}` }, "The whole story of the purchase")))),
      h("div", { class: "stack" },
        card("Ships to", address(to), to && h("p", null, copyButton([to.name, to.line1, to.line2, `${to.postal_code} ${to.city}`, to.region, to.country].filter(Boolean).join("\n"), "the address"))),
        card("About it", facts([
          ["Paid", money(order.price)],
          ["Offer", offerLink(order.offer)],
          ["Purchase", story ? id(order.purchase, `#/purchases/${order.purchase}`) : id(order.purchase)],
          ["Buyer", order.account && h("a", { href: `#/accounts/${order.account}` }, story?.handle ? `@${story.handle} on ${network(story.purchase.network)}` : "The account")],
          ["Merchant", order.account && merchantLink(order.merchant)],
        ])))),
  ];
}

export function openOrder(main, one, context) {
  const admin = context.me.role === "admin";
  return page(main, () => load(one, admin), draw);
}
