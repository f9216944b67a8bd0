// Accounts: buyers, found by whatever is known of them.

import { field, h } from "./dom.js";
import { get, post } from "./api.js";
import { network, words } from "./format.js";
import { list } from "./list.js";
import { chip, doing, form, once, options, short, time } from "./parts.js";
import { openAccount } from "./account.js";

const STATUSES = ["active", "suspended", "erasing", "erased"];
const networkOptions = () => get("/v1/networks").then(({ data }) => data.map(({ slug }) => [slug, network(slug)]));

/** Begins linking for somebody; the link that comes of it is theirs alone. */
async function beginLink({ currentTarget: button }) {
  const slugs = await doing(button, networkOptions);
  if (!slugs) return;
  const where = field("Network", h("select", null, slugs.map(([slug, name]) => h("option", { value: slug }, name))));
  const handle = field("Handle", h("input", { autocomplete: "off", autocapitalize: "none", spellcheck: "false", required: true, placeholder: "@handle" }), { hint: "As it is on that network." });
  const made = await form({
    title: "Link an account for somebody", text: "They get a link of their own, under which they enter their address and card, and show that the handle is theirs. Nobody else can.",
    inputs: { network: where, handle }, yes: "Make the link",
    run: () => post("/v1/link-sessions", { network: where.input.value, handle: handle.input.value.trim() }),
  });
  if (made) await once({ title: "A link for them alone", text: "Send it in private. It opens once, within the hour, and is shown only now.", secret: made.url });
}

function identities({ identities: all }) {
  if (!all) return h("span", { class: "dim" }, "Erased");
  const [first, ...more] = all;
  if (!first) return h("span", { class: "dim" }, "Nothing linked");
  return [`@${first.handle}`, h("small", null, [network(first.network), ...more.map((one) => `@${one.handle} on ${network(one.network)}`)].join(", "))];
}

export const cardOf = (method) => (method ? `${words(method.brand)} ···· ${method.last4}` : null);

export function open(main, params, context) {
  if (params[0]) return openAccount(main, params[0], context);
  const accounts = list(main, context, {
    title: "Accounts", noun: ["account"], base: "#/accounts", source: "/v1/accounts",
    actions: [h("button", { class: "second", onclick: beginLink }, "Link for somebody…")],
    search: "Handle, name or email",
    filters: [{ name: "network", label: "Network", options: networkOptions }, { name: "status", label: "Status", options: options(STATUSES) }],
    href: (one) => `#/accounts/${one.id}`,
    columns: [
      { label: "Who", width: "minmax(0,2fr)", cell: identities },
      { label: "Name", width: "minmax(0,1.6fr)", cell: (one) => (one.billing_address ? [one.billing_address.name, h("small", null, one.email ?? `${one.billing_address.postal_code} ${one.billing_address.city}`)] : h("span", { class: "mono dim" }, short(one.id))) },
      { label: "Card", width: "10rem", cell: (one) => cardOf(one.payment_method) ?? h("span", { class: "dim" }, "None") },
      { label: "Since", width: "11rem", class: "dim small", cell: (one) => time(one.created_at) },
      { label: "Status", width: "8rem", class: "status", cell: (one) => [chip(one.status), one.frozen.length ? [" ", h("span", { class: "chip warn" }, "Handle changed")] : null] },
    ],
    empty: [h("p", null, "No accounts yet."), h("p", { class: "dim" }, "People appear here once they have linked a card.")],
  });
  return () => accounts.close();
}
