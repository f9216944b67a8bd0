// Purchases: every buyer's way through an offer.

import { h } from "./dom.js";
import { money, network } from "./format.js";
import { SPAN, list } from "./list.js";
import { chip, offerOptions, offerOf, options, short, time } from "./parts.js";
import { openPurchase } from "./purchase.js";

const STATUSES = ["pending", "capturing", "paid", "refunded", "expired", "cancelled", "declined"];

/** An offer's title, as soon as it is known. */
export function titleOf(offer) {
  const node = h("span", null, short(offer));
  offerOf(offer).then((found) => found && (node.textContent = found.title));
  return node;
}

export const columns = [
  { label: "What", width: "minmax(0,2fr)", cell: (one) => [one.units > 1 ? `${one.units} × ` : "", titleOf(one.offer), one.variant ? `, ${one.variant}` : "", h("small", { class: "mono" }, short(one.id))] },
  { label: "Who", width: "minmax(0,1.4fr)", cell: (one) => (one.handle ? [`@${one.handle}`, h("small", null, network(one.network))] : h("span", { class: "dim" }, `Erased, ${network(one.network)}`)) },
  { label: "Price", width: "7rem", class: "num", cell: (one) => money(one.price) },
  { label: "When", width: "11rem", class: "when dim small", cell: (one) => time(one.created_at) },
  { label: "Status", width: "9rem", class: "status", cell: (one) => [chip(one.status), one.disputes.some(({ status }) => status === "open") ? [" ", chip("lost", "Disputed")] : null] },
];

export function open(main, params, context) {
  if (params[0]) return openPurchase(main, params[0]);
  const account = context.query.get("account") ?? "";
  const purchases = list(main, context, {
    title: "Purchases", noun: ["purchase"], base: "#/purchases", source: "/v1/purchases",
    search: "Handle, post or id",
    filters: [
      { name: "status", label: "Status", options: options(STATUSES) },
      { name: "offer", label: "Offer", options: offerOptions },
      ...(account ? [{ name: "account", label: "Account", options: [[account, short(account)]] }] : []),
      ...SPAN,
    ],
    href: (one) => `#/purchases/${one.id}`,
    columns,
    empty: [h("p", null, "No purchases yet."), h("p", { class: "dim" }, "They appear here as soon as somebody posts an offer's hashtag.")],
  });
  return () => purchases.close();
}
