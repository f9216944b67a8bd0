// Packing slips on paper, one a page. No price stands on them: a parcel may be a present.

import { h } from "./dom.js";
import { get } from "./api.js";
import { when } from "./format.js";
import { merchantOf, short } from "./parts.js";

const lines = (to) => [to.name, to.line1, to.line2, `${to.postal_code} ${to.city}`, to.region, to.country].filter(Boolean).join("\n");

/** An address as it stands on a parcel. */
export const address = (to) => h("address", null, to ? lines(to) : "The address was erased.");

async function merchantName(order, own) {
  return own?.name ?? (await merchantOf(order.merchant))?.name ?? "";
}

function slip(order, merchant) {
  return h("section", { class: "slip" },
    h("h1", null, merchant),
    address(order.ship_to),
    h("table", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Article"), h("th", { scope: "col", class: "num" }, "Units"))),
      h("tbody", null, h("tr", null, h("td", null, `${order.title}${order.variant ? `, ${order.variant}` : ""}`), h("td", { class: "num" }, order.units)))),
    h("p", null, `Order ${order.id}, ${when(order.created_at)}`));
}

/** Prints a slip for each order. */
export async function printSlips(orders) {
  const me = await get("/v1/me");
  const names = await Promise.all(orders.map((order) => merchantName(order, me.merchant ? me : null)));
  document.getElementById("slips")?.remove();
  const pile = h("div", { id: "slips" }, orders.map((order, place) => slip(order, names[place])));
  const title = document.title;
  document.title = orders.length === 1 ? `Packing slip ${short(orders[0].id)}` : "Packing slips";
  document.body.append(pile);
  addEventListener("afterprint", () => {
    pile.remove();
    document.title = title;
  }, { once: true });
  print();
}
