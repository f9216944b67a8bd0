// One purchase: where it stands, what can be done, and how it came about.

import { ask, field, h, toast } from "./dom.js";
import { get, post } from "./api.js";
import { decimal, minor, money, network } from "./format.js";
import { Wrong, card, chip, doing, facts, form, id, offerLink, page, table, time } from "./parts.js";
import { moments } from "./story.js";

async function cancel(purchase, again) {
  const yes = await ask({
    title: "Cancel this purchase?", text: "The units are free for others at once, and the buyer's confirmation will come to nothing. No money has moved.",
    yes: "Cancel the purchase", danger: true,
  });
  if (!yes) return;
  await doing({}, () => post(`/v1/purchases/${purchase.id}/cancel`), "The purchase is cancelled.");
  again();
}

/** Asks how much, and gives it back. */
async function refund({ purchase, refundable, unshipped }, again) {
  const { currency } = refundable;
  const amount = field(`Amount in ${currency}`, h("input", { value: decimal(refundable), inputmode: "decimal", autocomplete: "off" }), {
    hint: `${money(refundable)} of ${money(purchase.captured)} can be given back.`,
  });
  const restock = h("input", { type: "checkbox" });
  const back = h("label", { class: "choice" }, restock, h("span", null, "Put the units back into stock"));
  const explain = h("p", { class: "hint" }, "Giving back all of it before anything is shipped cancels the order.");
  const whole = () => minor(amount.input.value, currency) === refundable.amount && unshipped;
  const settle = () => { back.hidden = explain.hidden = !whole(); };
  amount.input.addEventListener("input", settle);
  settle();
  await form({
    title: "Give money back", text: "It goes back to the card that paid. This cannot be undone.", yes: "Give it back", danger: true,
    inputs: { amount }, body: null, after: [back, explain],
    run: async () => {
      const wanted = minor(amount.input.value, currency);
      if (!wanted) throw new Wrong({ amount: `Give an amount like ${decimal(refundable)}.` });
      if (wanted > refundable.amount) throw new Wrong({ amount: `That is more than the ${money(refundable)} that are left.` });
      await post(`/v1/purchases/${purchase.id}/refund`, { amount: { amount: wanted, currency }, restock: whole() && restock.checked });
      toast(`${money({ amount: wanted, currency })} is on its way back.`);
    },
  });
  again();
}

/** Where it stands, in a sentence. */
function standing(purchase) {
  switch (purchase.status) {
    case "pending": return ["Held until ", time(purchase.expires_at), ". The buyer has to confirm it until then."];
    case "capturing": return purchase.authenticate_by
      ? ["Confirmed. The card's bank asks its owner for a step, until ", time(purchase.authenticate_by), "."]
      : ["Confirmed. The card is being charged."];
    case "paid": return ["Paid", purchase.settled_at ? [" ", time(purchase.settled_at)] : "", "."];
    case "refunded": return ["Paid, and all of it was given back."];
    case "expired": return ["Nobody confirmed it in time. The units are free again."];
    case "cancelled": return ["Cancelled before it was confirmed. No money has moved."];
    default: return ["The card was declined. Nothing was charged."];
  }
}

function attempts({ attempts: all }) {
  if (!all.length) return null;
  return card("At the gateway", table("Attempts to charge", ["Attempt", "Began", "Reference", "Result"], all.map((one) => [
    one.number, time(one.created_at), h("span", { class: "mono" }, one.reference ?? "–"), [chip(one.status), one.code ? [" ", h("span", { class: "mono" }, one.code)] : null]])));
}

function back({ refunds, disputes }) {
  if (!refunds.length && !disputes.length) return null;
  const rows = [
    ...refunds.map((one) => ({ ...one, what: one.automatic ? "Refund by the till" : one.external ? "Refund at the gateway" : "Refund" })),
    ...disputes.map((one) => ({ ...one, what: `Dispute: ${one.reason}` })),
  ].sort((one, other) => one.created_at.localeCompare(other.created_at));
  return card("Given back and disputed", table("Refunds and disputes", ["What", "When", "Amount", "Status"], rows.map((one) => [
    [one.what, one.restock ? h("div", { class: "dim small" }, "Back into stock") : null], time(one.created_at), money(one.amount), chip(one.status)]), ["Amount"]));
}

function actions(story, again) {
  const { purchase, refundable } = story;
  return h("div", { class: "actions" },
    purchase.order && h("a", { class: "button second", href: `#/orders/${purchase.order}`, "data-do": "order" }, "Go to the order"),
    purchase.status === "pending" && h("button", { class: "second", "data-do": "cancel", onclick: () => cancel(purchase, again) }, "Cancel…"),
    refundable.amount > 0 && h("button", { class: "second", "data-do": "refund", onclick: () => refund(story, again) }, "Refund…"));
}

function draw(story, again) {
  const { purchase, handle, refundable, posts } = story;
  const name = `${purchase.units > 1 ? `${purchase.units} × ` : ""}${story.title}${purchase.variant ? `, ${purchase.variant}` : ""}`;
  document.title = `${name} · Purchases · tagtill`;
  return [
    h("p", { class: "crumb" }, h("a", { href: "#/purchases" }, "Purchases")),
    h("div", { class: "page-head" }, h("div", null, h("h1", null, name, " ", chip(purchase.status)), h("p", { class: "lead" }, standing(purchase))), actions(story, again)),
    h("div", { class: "two" },
      h("div", { class: "stack" }, card("What happened", moments(story)), attempts(purchase), back(purchase)),
      card("About it", facts([
        ["Price", h("b", null, money(purchase.price))],
        ["Charged", purchase.captured.amount > 0 && money(purchase.captured)],
        ["Given back", purchase.refunded.amount > 0 && money(purchase.refunded)],
        ["Left to refund", purchase.captured.amount > 0 && refundable.amount < purchase.captured.amount && money(refundable)],
        ["Buyer", h("a", { href: `#/accounts/${purchase.account}` }, handle ? `@${handle}` : "Erased account")],
        ["Network", network(purchase.network)],
        ["Offer", offerLink(purchase.offer)],
        ["Terms", `Version ${purchase.offer_version} of the offer`],
        ["Post", h("span", { class: "mono" }, purchase.post)],
        ["Confirmed by", posts[1] && h("span", { class: "mono" }, posts[1].id)],
        ["Purchase", id(purchase.id)],
        ["Order", purchase.order && id(purchase.order, `#/orders/${purchase.order}`)],
      ]))),
  ];
}

/** The story, and whether anything has left the shop. */
async function load(one) {
  const story = await get(`/v1/purchases/${one}/story`);
  const { order } = story.purchase;
  const unshipped = order ? await get(`/v1/orders/${order}`).then(({ status, shipments }) => status === "unfulfilled" && !shipments.length) : false;
  return { ...story, unshipped };
}

const settling = ({ purchase }) => ["pending", "capturing"].includes(purchase.status) || purchase.refunds.some(({ status }) => status === "pending");

export function openPurchase(main, one) {
  return page(main, () => load(one), draw, settling);
}
