// One account: who it is, what they bought and earned, and what can be done with it.

import { ask, field, h } from "./dom.js";
import { at, del, get, patch, post } from "./api.js";
import { money, network } from "./format.js";
import { list } from "./list.js";
import { Wrong, card, chip, copyButton, doing, facts, form, id, offerLink, once, page, table, time } from "./parts.js";
import { address } from "./slips.js";
import { columns } from "./purchases.js";
import { cardOf } from "./accounts.js";

async function load(one) {
  const [account, enrolments, credits, waiting] = await Promise.all([
    get(`/v1/accounts/${one}`),
    get(at("/v1/enrolments", { account: one, limit: 200 })),
    get(at("/v1/credits", { account: one, limit: 200 })),
    get(`/v1/accounts/${one}/waiting`),
  ]);
  return { account, enrolments: enrolments.data, credits: credits.data, waiting: waiting.data };
}

async function suspend(account, again) {
  const yes = await ask({
    title: "Suspend this account?", text: "It can neither buy nor confirm until it is active again. Orders that are paid stay as they are, and nothing is erased.",
    yes: "Suspend", danger: true,
  });
  if (!yes) return;
  await doing({}, () => patch(`/v1/accounts/${account.id}`, { status: "suspended" }), "The account is suspended.");
  again();
}

async function newPage(account) {
  const yes = await ask({
    title: "Make a new private page?", text: "The address of the page before it, if there was one, opens nothing any more. Whoever has the new one sees what this account bought.",
    yes: "Make a new page",
  });
  if (!yes) return;
  const made = await doing({}, () => post(`/v1/accounts/${account.id}/page`));
  if (made) await once({ title: "A private page for the buyer alone", text: "Send it in private. It is shown only now.", secret: made.url });
}

async function erase(account, again) {
  const word = field("Type ERASE to go on", h("input", { autocomplete: "off", autocapitalize: "characters", spellcheck: "false" }));
  await form({
    title: "Erase this account?", danger: true, yes: "Erase for good", inputs: { word },
    body: h("div", null,
      h("p", null, "Its identities are unlinked at once and its holds end. Handle, email, address and card are erased, and it cannot be undone."),
      h("p", null, "What stays: amounts, times and ids of what was bought, for the books. As long as a charge or a refund is in flight or an order is not shipped, what that needs stays, too, and is erased once it has ended; until then the account is called erasing.")),
    run: async () => {
      if (word.input.value.trim() !== "ERASE") throw new Wrong({ word: "Type ERASE, in capitals." });
      await del(`/v1/accounts/${account.id}`);
    },
  });
  again();
}

function actions(account, again) {
  const gone = ["erasing", "erased"].includes(account.status);
  const button = (name, text, work) => h("button", { class: "second", "data-do": name, onclick: (event) => work(event.currentTarget) }, text);
  const reactivate = (one) => doing(one, () => patch(`/v1/accounts/${account.id}`, { status: "active" }), "The account is active again.").then(again);
  if (gone) return null;
  return h("div", { class: "actions" },
    button("page", "New private page…", () => newPage(account)),
    account.status === "suspended" ? button("state", "Reactivate", reactivate) : button("state", "Suspend…", () => suspend(account, again)),
    button("erase", "Erase…", () => erase(account, again)));
}

const GONE = {
  erasing: "This account is unlinked. What is personal is erased once its last charge, refund or parcel has come to its end.",
  erased: "This account is erased. Only amounts, times and ids of what it bought are left.",
  suspended: "This account is suspended: it can neither buy nor confirm.",
};

function identities({ identities: all, frozen }) {
  if (!all?.length) return h("p", { class: "dim" }, "Nothing is linked.");
  const waits = (one) => frozen.some((other) => other.network === one.network && other.user_id === one.user_id);
  return h("ul", { class: "plain-list" }, all.map((one) => h("li", null, h("b", null, `@${one.handle}`), ` on ${network(one.network)} `,
    waits(one) ? h("span", { class: "chip warn" }, "Handle changed: buys nothing until confirmed") : null,
    h("div", { class: "dim small" }, "Network's id ", h("span", { class: "mono" }, one.user_id), copyButton(one.user_id, "the network's id")))));
}

function deals({ enrolments, credits, waiting }) {
  return [
    waiting.length > 0 && card("Waits for", table("Waiting lists", ["Offer", "Place", "Units", "Since"], waiting.map((one) => [
      [offerLink(one.offer), one.variant ? `, ${one.variant}` : ""], one.place, one.units, time(one.joined_at)]), ["Place", "Units"])),
    enrolments.length > 0 && card("Deals", table("Deals", ["Deal", "Since", "Credits"], enrolments.map((one) => [
      offerLink(one.offer), time(one.enrolled_at), one.credits]), ["Credits"])),
    credits.length > 0 && card("Credits", table("Credits", ["Deal", "When", "Amount", "Status"], credits.map((one) => [
      offerLink(one.offer), time(one.created_at), money(one.due), chip(one.status)]), ["Amount"])),
  ];
}

export function openAccount(main, one, context) {
  let bought = null;
  const close = page(main, () => load(one), (found, again) => {
    const { account } = found;
    const [first] = account.identities ?? [];
    const name = first ? `@${first.handle}` : account.status === "erased" ? "Erased account" : "Account";
    document.title = `${name} · Accounts · tagtill`;
    bought?.close();
    const shelf = h("div", { class: "card inset" });
    bought = list(shelf, context, {
      title: "Purchases", level: 2, noun: ["purchase"], source: "/v1/purchases", fixed: { account: one },
      href: (purchase) => `#/purchases/${purchase.id}`, columns: columns.filter(({ label }) => label !== "Who"),
      empty: h("p", { class: "dim" }, "Nothing bought yet."),
    });
    return [
      h("p", { class: "crumb" }, h("a", { href: "#/accounts" }, "Accounts")),
      h("div", { class: "page-head" }, h("div", null, h("h1", null, name, " ", chip(account.status)), h("p", { class: "lead" }, "Since ", time(account.created_at), " · ", id(account.id))), actions(account, again)),
      GONE[account.status] && h("p", { class: "banner" }, GONE[account.status]),
      h("div", { class: "two" },
        h("div", { class: "stack" }, shelf, deals(found)),
        h("div", { class: "stack" },
          card("Linked", identities(account)),
          card("Card", account.payment_method ? facts([["Card", cardOf(account.payment_method)], ["Gateway", account.payment_method.gateway]]) : h("p", { class: "dim" }, "No card."),
            account.mandate && h("p", { class: "hint" }, "Its owner agreed to be charged.")),
          card("Address", address(account.billing_address), account.email && h("p", null, account.email)))),
    ];
  });
  return () => {
    close();
    bought?.close();
  };
}

