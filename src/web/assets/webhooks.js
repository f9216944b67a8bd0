// Webhooks: where events are sent, and how far each receiver has come.

import { field, h } from "./dom.js";
import { post } from "./api.js";
import { list } from "./list.js";
import { chip, doing, form, merchantLink, merchantOptions, once, short, time } from "./parts.js";
import { openEndpoint } from "./endpoint.js";

/** What addresses begin with. */
const SCHEME = "https:";

/** Every type of event, by its group. */
const TYPES = [
  "offer.created", "offer.updated", "offer.ended",
  "account.created", "account.updated", "account.erased",
  "purchase.pending", "purchase.confirmed", "purchase.authentication_required", "purchase.paid", "purchase.declined", "purchase.expired", "purchase.cancelled", "purchase.refunded", "purchase.disputed", "purchase.dispute_closed",
  "order.created", "order.shipped", "order.delivered", "order.cancelled",
  "refund.failed", "deal.enrolled", "deal.credited", "reply.sent", "reply.failed",
];

/** Boxes for the types of events; none ticked: all of them. */
export function eventsField(chosen) {
  const covers = (type) => chosen.some((one) => one === type || (one.endsWith(".*") && type.startsWith(one.slice(0, -1))));
  const boxes = TYPES.map((type) => {
    const box = h("input", { type: "checkbox", value: type });
    box.checked = covers(type);
    return box;
  });
  const wrong = h("p", { class: "error", hidden: true });
  const node = h("fieldset", null, h("legend", null, "Events"), h("p", { class: "hint" }, "All of them, unless some are ticked."),
    h("div", { class: "check" }, boxes.map((box) => h("label", { class: "choice small" }, box, h("span", { class: "mono" }, box.value)))), wrong);
  node.values = () => boxes.filter(({ checked }) => checked).map(({ value }) => value);
  node.error = (text) => {
    wrong.hidden = !text;
    wrong.textContent = text ?? "";
  };
  node.input = boxes[0];
  return node;
}

/** An address without what all of them begin with. */
export const bare = (url) => url.replace(`${SCHEME}//`, "");

export const urlField = (value = "") =>
  field("Address", h("input", { type: "url", value, required: true, placeholder: `${SCHEME}//shop.example/webhooks`, autocomplete: "off", spellcheck: "false" }), { hint: "Over https." });

/** Shows a secret, this once. */
export const showSecret = (secret) => once({ title: "The secret that signs deliveries", text: "Give it to the receiver now: it is shown only this once.", secret });

async function make(button, context, after) {
  const admin = context.me.role === "admin";
  const [url, events] = [urlField(), eventsField([])];
  const merchants = admin ? await doing(button, merchantOptions) : [];
  if (!merchants) return;
  const merchant = field("Whose events", h("select", null, h("option", { value: "" }, "All merchants'"), merchants.map(([one, name]) => h("option", { value: one }, name))));
  const made = await form({
    title: "New endpoint", text: "It is sent what happens from now on, in order, at least once.", yes: "Make it",
    inputs: { url, ...(merchants.length ? { merchant } : {}), events },
    run: () => post("/v1/webhook-endpoints", { url: url.input.value.trim(), events: events.values(), merchant: merchant.input.value || null }),
  });
  if (!made) return;
  await showSecret(made.secret);
  after(made);
}

/** How far a receiver has come, in a few words. */
export function progress(one) {
  if (one.status === "disabled") return one.reason ?? "Somebody disabled it.";
  if (one.failures) return ["Failed ", one.failures === 1 ? "once" : `${one.failures} times`, one.next_try_at ? [", next try ", time(one.next_try_at)] : ""];
  if (one.oldest_unsent_at) return ["On its way, since ", time(one.oldest_unsent_at)];
  return "Up to date";
}

export const stateOf = (one) => (one.status === "enabled" && one.failures ? chip("declined", "Failing") : chip(one.status));

export function open(main, params, context) {
  if (params[0]) return openEndpoint(main, params[0], context);
  const admin = context.me.role === "admin";
  const endpoints = list(main, context, {
    title: "Webhooks", noun: ["endpoint"], base: "#/webhooks", source: "/v1/webhook-endpoints",
    actions: [h("button", { onclick: ({ currentTarget }) => make(currentTarget, context, ({ id }) => { location.hash = `#/webhooks/${id}`; }) }, "New endpoint…")],
    href: (one) => `#/webhooks/${one.id}`,
    columns: [
      { label: "Receiver", width: "minmax(0,2fr)", cell: (one) => [bare(one.url), h("small", { class: "mono" }, short(one.id))] },
      ...(admin ? [{ label: "Whose", width: "minmax(0,1fr)", cell: (one) => (one.merchant ? merchantLink(one.merchant) : "All merchants'") }] : []),
      { label: "Events", width: "minmax(0,1fr)", class: "small", cell: (one) => (one.events.length ? one.events.join(", ") : "All") },
      { label: "How far", width: "minmax(0,1.4fr)", class: "small", cell: progress },
      { label: "State", width: "7rem", class: "status", cell: stateOf },
    ],
    empty: [h("p", null, "No endpoints yet."), h("p", { class: "dim" }, "Have events sent to your own server as they happen: orders to ship, refunds, disputes.")],
  });
  return () => endpoints.close();
}
