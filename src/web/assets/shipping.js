// What can be done with orders, one or several: ship, deliver, cancel. Each asks for what it needs and gives back the orders
// as they are afterwards.

import { ask, field, h, toast } from "./dom.js";
import { ApiError, post } from "./api.js";
import { many, money } from "./format.js";
import { Wrong, chip, form } from "./parts.js";
import { what } from "./orders.js";

export const left = (order) => order.units - order.shipments.reduce((sum, { units }) => sum + units, 0);

/** Where an order stands, with what stops it. */
export function state(order) {
  const partly = order.status === "unfulfilled" && order.shipments.length > 0;
  return [chip(order.status, partly ? "Partly shipped" : undefined), order.disputed ? [" ", h("span", { class: "chip bad" }, "Disputed")] : null];
}

const whose = (order) => `${what(order)} for ${order.ship_to?.name ?? "an erased buyer"}`;
const number = () => h("input", { autocomplete: "off", spellcheck: "false", maxlength: 100 });

/** Does `work` with each, one after the other; says how many went well, and what is wrong with the others. */
async function each(orders, work, said) {
  const done = [];
  for (const order of orders) {
    try {
      done.push(await work(order));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401) throw error;
      toast(`${whose(order)}: ${error.message}`, true);
    }
  }
  if (done.length) toast(`${many(done.length, "order")} ${said}.`);
  return done;
}

function shipOne(order) {
  const rest = left(order);
  const units = field("Units in this parcel", h("input", { type: "number", min: 1, max: rest, value: rest, inputmode: "numeric" }), {
    hint: `${many(rest, "unit")} ${rest === 1 ? "is" : "are"} left to ship. Fewer make a part of it.`,
  });
  const carrier = field("Carrier", h("input", { maxlength: 100, list: "carriers", autocomplete: "off" }), { optional: true });
  const tracking = field("Tracking number", number(), { optional: true });
  return form({
    title: "Mark as shipped", text: order.shipments.length ? `${whose(order)}: ${many(rest, "unit")} ${rest === 1 ? "is" : "are"} left to ship.` : `${whose(order)}.`, yes: "Mark as shipped",
    inputs: { ...(rest > 1 ? { units } : {}), carrier, tracking_number: tracking },
    run: async () => {
      const wanted = Number(units.input.value);
      if (!Number.isInteger(wanted) || wanted < 1 || wanted > rest) throw new Wrong({ units: `Give a whole number from 1 to ${rest}.` });
      const body = { units: wanted, carrier: carrier.input.value.trim() || null, tracking_number: tracking.input.value.trim() || null };
      const after = await post(`/v1/orders/${order.id}/ship`, body);
      toast(after.status === "shipped" ? "The order is marked as shipped." : `A parcel with ${many(wanted, "unit")} is marked as shipped.`);
      return [after];
    },
  });
}

/** Asks for a carrier and a number for each parcel. */
export async function shipOrders(orders) {
  if (orders.length === 1) return (await shipOne(orders[0])) ?? [];
  const carrier = field("Carrier", h("input", { maxlength: 100, autocomplete: "off" }), { optional: true, hint: "The same for all of them." });
  const numbers = orders.map((order) => field(`Tracking number for ${whose(order)}`, number(), { optional: true }));
  const done = await form({
    title: `Mark ${many(orders.length, "order")} as shipped`, text: "All that is left of each goes in one parcel.", yes: "Mark as shipped",
    inputs: { carrier, ...Object.fromEntries(orders.map(({ id }, place) => [id, numbers[place]])) },
    run: () => each(orders, (order) => post(`/v1/orders/${order.id}/ship`, {
      carrier: carrier.input.value.trim() || null,
      tracking_number: numbers[orders.indexOf(order)].input.value.trim() || null,
    }), "marked as shipped"),
  });
  return done ?? [];
}

export const deliverOrders = (orders) => each(orders, (order) => post(`/v1/orders/${order.id}/deliver`), "marked as delivered");

/** Asks, and gives back everything. */
export async function cancelOrders(orders) {
  const restock = h("input", { type: "checkbox" });
  restock.checked = true;
  const one = orders.length === 1;
  const money_back = one ? `${money(orders[0].price)} is given back to the buyer` : "Everything that was paid is given back to the buyers";
  const yes = await ask({
    title: one ? "Cancel this order?" : `Cancel ${many(orders.length, "order")}?`,
    text: `${money_back}, and ${one ? "it" : "they"} must not be shipped any more. This cannot be undone.`,
    body: h("label", { class: "choice" }, restock, h("span", null, "Put the units back into stock")),
    yes: one ? "Cancel the order" : "Cancel them", danger: true,
  });
  if (!yes) return [];
  return each(orders, (order) => post(`/v1/orders/${order.id}/cancel`, { restock: restock.checked }), "cancelled, their money is on its way back");
}
