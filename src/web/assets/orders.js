// Orders: what has to be shipped, found, picked, printed, shipped.

import { h } from "./dom.js";
import { at, send } from "./api.js";
import { many, money } from "./format.js";
import { SPAN, list } from "./list.js";
import { doing, merchantOptions, offerOptions, options, short, time } from "./parts.js";
import { cancelOrders, deliverOrders, shipOrders, state } from "./shipping.js";
import { printSlips } from "./slips.js";
import { openOrder } from "./order.js";

const STATUSES = ["unfulfilled", "shipped", "delivered", "cancelled"];

/** `2 × Tea, large` */
export const what = ({ units, title, variant }) => `${units > 1 ? `${units} × ` : ""}${title}${variant ? `, ${variant}` : ""}`;

export function open(main, params, context) {
  if (params[0]) return openOrder(main, params[0], context);
  const admin = context.me.role === "admin";
  const csv = h("button", { class: "second", onclick: () => doing(csv, () => download(orders.query())) }, "Download CSV");
  const orders = list(main, context, {
    title: "Orders", noun: ["order"], base: "#/orders", source: "/v1/orders", actions: [csv],
    search: "Name, postcode or id",
    filters: [
      { name: "status", label: "Status", options: options(STATUSES) },
      { name: "offer", label: "Offer", options: offerOptions },
      ...(admin ? [{ name: "merchant", label: "Merchant", options: merchantOptions }] : []),
      ...SPAN,
    ],
    href: (order) => `#/orders/${order.id}`,
    name: (order) => `${what(order)} for ${order.ship_to?.name ?? "an erased buyer"}`,
    columns: [
      { label: "What", width: "minmax(0,2fr)", cell: (order) => [what(order), h("small", { class: "mono" }, short(order.id))] },
      { label: "Ships to", width: "minmax(0,1.6fr)", cell: shipTo },
      { label: "Paid", width: "7rem", class: "num", cell: (order) => money(order.price) },
      { label: "When", width: "11rem", class: "when dim small", cell: (order) => time(order.created_at) },
      { label: "Status", width: "9rem", class: "status", cell: state },
    ],
    empty: [h("p", null, "No orders yet."), h("p", { class: "dim" }, "They appear here once a purchase is paid.")],
    picks: (rows, bar) => picks(rows, bar, orders),
  });
  return () => orders.close();
}

function shipTo({ ship_to: to }) {
  if (!to) return h("span", { class: "dim" }, "Address erased");
  return [to.name, h("small", null, `${to.postal_code} ${to.city}, ${to.country}`)];
}

function picks(rows, bar, orders) {
  const button = (text, kind, work) => {
    const one = h("button", { class: `small ${kind}`, onclick: () => work(one) }, text);
    return one;
  };
  const changed = (done) => {
    done.forEach(orders.put);
    if (done.length) orders.unpick();
  };
  const open = rows.filter((order) => order.status === "unfulfilled" && !order.disputed);
  const away = rows.filter((order) => order.status === "shipped");
  const untouched = open.filter((order) => !order.shipments.length);
  bar.replaceChildren(
    h("p", null, `${many(rows.length, "order")} picked`),
    button("Print packing slips", "second", (one) => doing(one, () => printSlips(rows))),
    ...(open.length ? [button("Mark shipped…", "", () => shipOrders(open).then(changed))] : []),
    ...(away.length ? [button("Mark delivered", "second", (one) => doing(one, () => deliverOrders(away)).then((done) => done && changed(done)))] : []),
    ...(untouched.length ? [button("Cancel…", "second", () => cancelOrders(untouched).then(changed))] : []),
    button("Pick none", "plain", () => orders.unpick()));
}

/** The table that the till makes of what is looked for, as a file. */
async function download(query) {
  const answer = await send("GET", at("/v1/orders.csv", query));
  const link = h("a", { href: URL.createObjectURL(await answer.blob()), download: "orders.csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

