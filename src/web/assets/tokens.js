// Tokens: who may call the till, and as what. A new one is shown once.

import { ask, field, h, show, toast } from "./dom.js";
import { del, get, post, session } from "./api.js";
import { network, when } from "./format.js";
import { all, copyButton, errors, failed } from "./desk.js";

const ROLES = {
  network: ["Bridge of a network", "Delivers posts and takes replies of one network. It never sees accounts, cards or orders."],
  merchant: ["Merchant", "Sees and changes what is one merchant's: offers, orders with addresses, webhooks."],
  processor: ["Card processor", "Tells of card transactions, for deals."],
  admin: ["Admin", "May do everything, also with money and accounts. Give it to few."],
};

/** A role in words. */
function spoken(role, names) {
  const [kind, of] = role.split(":");
  if (kind === "merchant") return `Merchant ${names.get(of) ?? of}`;
  if (kind === "network") return `Bridge of ${network(of)}`;
  return ROLES[kind]?.[0] ?? role;
}

/** The new token, this once. */
function secret(made, names) {
  const code = h("code", null, made.token);
  return h("div", { class: "card new-token", role: "alert", tabindex: "-1" },
    h("h2", null, `A token: ${spoken(made.role, names)}`),
    h("p", null, "Copy it now: it is not shown again. Whoever has it may do all that its role may; keep it like a password."),
    h("div", { class: "command" }, code, copyButton(code, "Copy the token")));
}

export function open(main, _, context) {
  const note = h("div", { "aria-live": "polite" }, h("p", { class: "dim" }, "Loading…"));
  const fresh = h("div");
  const list = h("div");
  let names = new Map();
  const wanted = context.query.get("merchant");
  const role = h("select", { onchange: () => draw() }, Object.entries(ROLES).map(([value, [name]]) => h("option", { value }, name)));
  if (wanted) role.value = "merchant";
  const which = h("select");
  const fields = { role: field("Role", role, { hint: " " }), which: field("Which", which) };
  let slugs = [];
  const button = h("button", null, "Make a token");
  const form = h("form", {
    class: "card desk-narrow",
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        const of = ["network", "merchant"].includes(role.value) ? `:${which.value}` : "";
        const made = await post("/v1/tokens", { role: role.value + of });
        show(fresh, secret(made, names));
        fresh.firstChild.focus();
        await fill();
      } catch (error) {
        fields.role.error(errors(fields, error) || null);
      } finally {
        button.disabled = false;
      }
    },
  }, h("h2", null, "Make a token"), fields.role, fields.which, button);

  function draw() {
    fields.role.querySelector(".hint").textContent = ROLES[role.value][1];
    const some = role.value === "network" ? slugs.map((slug) => [slug, network(slug)]) : role.value === "merchant" ? [...names] : [];
    fields.which.hidden = !["network", "merchant"].includes(role.value);
    fields.which.querySelector("label").textContent = role.value === "network" ? "Network" : "Merchant";
    show(which, some.map(([value, name]) => h("option", { value }, name)));
    if (role.value === "merchant" && wanted) which.value = wanted;
    button.disabled = !fields.which.hidden && !some.length;
    if (button.disabled) fields.which.error("There is none yet: add one first.");
    else fields.which.error(null);
  }

  async function revoke(token, mine) {
    const yes = await ask({
      title: "Revoke this token?", danger: true, yes: "Revoke it",
      text: `${spoken(token.role, names)}: whoever uses it is refused from now on. This cannot be undone.${mine ? " It is the one that you are signed in with: you will be signed out." : ""}`,
    });
    if (!yes) return;
    try {
      await del(`/v1/tokens/${token.id}`);
      if (mine) return session.signOut("Your token is revoked. Sign in with another one.");
      toast("Revoked.");
      await fill();
    } catch (error) {
      toast(error.message, true);
    }
  }

  function row(token) {
    const mine = token.id === context.me.token;
    return h("li", { "data-id": token.id },
      h("div", null, h("p", null, h("b", null, spoken(token.role, names)), mine ? h("span", { class: "chip good" }, "yours") : null),
        h("p", { class: "small dim" }, `since ${when(token.created_at)} · `, h("span", { class: "mono" }, token.id))),
      h("button", { class: "second small", "aria-label": `Revoke the token ${token.id}`, onclick: () => revoke(token, mine) }, "Revoke…"));
  }

  async function fill() {
    try {
      const tokens = await all("/v1/tokens");
      show(note, context.me.token ? null : h("p", { class: "dim" }, "You are signed in with the token that the till was given at its start. It is not in this list, and only a start with another one takes it away."));
      show(list, tokens.length ? h("div", { class: "card" }, h("ul", { class: "tokens", "aria-label": "Tokens" }, tokens.map(row)))
        : h("p", { class: "card nothing" }, "No tokens yet. Each bridge and each merchant gets one of its own, so that one can be taken away without the others."));
    } catch (error) {
      show(note, failed(error, fill));
    }
  }

  show(main, h("h1", null, "Tokens"), fresh, form, note, list);
  (async () => {
    try {
      const [sellers, networks] = await Promise.all([all("/v1/merchants"), get("/v1/networks")]);
      names = new Map(sellers.map((one) => [one.id, one.name]));
      slugs = networks.data.map((one) => one.slug);
    } catch { /* The list says what is wrong. */ }
    draw();
    await fill();
  })();
}
