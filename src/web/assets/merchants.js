// Merchants: who sells and ships, what each is due, and the way to what is theirs.

import { field, h, show, toast } from "./dom.js";
import { at, get, patch, post } from "./api.js";
import { count, decimal, when } from "./format.js";
import { all, download, errors, failed, table } from "./desk.js";

/** Spans of time that a settlement is asked for. */
const SPANS = { all: "From the beginning", month: "This month", last: "Last month", days: "The last 30 days" };

function span(name) {
  const now = new Date();
  const month = (back) => new Date(now.getFullYear(), now.getMonth() - back, 1).toISOString();
  if (name === "month") return { from: month(0) };
  if (name === "last") return { from: month(1), to: month(0) };
  if (name === "days") return { from: new Date(now - 30 * 86400000).toISOString() };
  return {};
}

/** Minor units, below zero too, as money. */
function signed(amount, currency) {
  const format = new Intl.NumberFormat(navigator.language || "en", { style: "currency", currency });
  return format.format(Number(decimal({ amount, currency })));
}

const LINES = [
  ["opening", "Due at the beginning"], ["sales", "Sales", 1], ["refunds", "Refunds", -1], ["refunds_returned", "Refunds that banks sent back", 1],
  ["disputes", "Disputes", -1], ["disputes_won", "Disputes won", 1], ["credits", "Credits of deals", -1], ["credits_reversed", "Credits taken back", 1], ["net", "Sales without what went back"], ["closing", "Due now"],
];

function sums(one) {
  const row = ([name, label, sign]) => {
    const found = one[name];
    const nothing = sign && !found.count;
    if (nothing && name !== "sales" && name !== "refunds") return null;
    const amount = sign ? sign * found.amount : found;
    return h("tr", { class: sign ? null : "sum" }, h("th", { scope: "row" }, label), h("td", { class: "num" }, sign ? count(found.count) : ""), h("td", { class: "num" }, signed(amount, one.currency)));
  };
  return table(`Settlement in ${one.currency}`, [one.currency, { name: "Count", num: true }, { name: "Amount", num: true }], LINES.map(row).filter(Boolean));
}

function settlement(merchant) {
  const choice = h("select", { "aria-label": "Time", onchange: () => fill() }, Object.entries(SPANS).map(([value, name]) => h("option", { value }, name)));
  const place = h("div", { "aria-live": "polite" });
  const path = (query) => at("/v1/reports/settlement", { merchant: merchant.id, ...span(choice.value), ...query });
  async function fill() {
    show(place, h("p", { class: "dim" }, "Adding up…"));
    try {
      const report = await get(path());
      show(place, report.currencies.length ? report.currencies.map(sums) : h("p", { class: "dim" }, "Nothing was sold yet."));
    } catch (error) {
      show(place, failed(error, fill));
    }
  }
  const node = h("details", { class: "fold", ontoggle: () => node.open && !place.firstChild && fill() },
    h("summary", null, "Settlement"), h("div", { class: "actions" }, choice, h("button", { class: "second small", onclick: () => download(path({ format: "csv" }), "settlement.csv") }, "Download as CSV")), place);
  return node;
}

function card(merchant) {
  const name = h("h2", null, merchant.name);
  const input = h("input", { type: "text", value: merchant.name, maxlength: 200 });
  const naming = field("Name", input, { hint: "As buyers know it." });
  const rename = h("form", {
    hidden: true, class: "in-line",
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        Object.assign(merchant, await patch(`/v1/merchants/${merchant.id}`, { name: input.value.trim() }));
        show(name, merchant.name);
        rename.hidden = true;
        button.hidden = false;
        button.focus();
        toast("Renamed.");
      } catch (error) {
        naming.error(errors({ name: naming }, error) || naming.querySelector(".error").textContent);
        input.focus();
      }
    },
  }, naming, h("div", { class: "actions" }, h("button", { class: "small" }, "Save"), h("button", { type: "button", class: "second small", onclick: () => { rename.hidden = true; button.hidden = false; button.focus(); } }, "Cancel")));
  const button = h("button", { class: "second small", "aria-label": `Rename ${merchant.name}`, onclick: () => { rename.hidden = false; button.hidden = true; input.focus(); input.select(); } }, "Rename");
  return h("li", { class: "card merchant", id: merchant.id, tabindex: "-1" },
    h("div", { class: "desk-top" }, name, button), rename,
    h("p", { class: "dim small" }, h("span", { class: "mono" }, merchant.id), ` · since ${when(merchant.created_at)}`),
    h("p", { class: "desk-links" },
      h("a", { href: `#/offers?merchant=${merchant.id}` }, "Offers"), h("a", { href: `#/orders?merchant=${merchant.id}` }, "Orders"),
      h("a", { href: "#/webhooks" }, "Webhooks"), h("a", { href: `#/offers/new?merchant=${merchant.id}` }, "New offer"), h("a", { href: `#/tokens?merchant=${merchant.id}` }, "Make a token")),
    settlement(merchant));
}

export function open(main, [wanted]) {
  const list = h("ul", { class: "plain-list" });
  const note = h("div", { "aria-live": "polite" }, h("p", { class: "dim" }, "Loading…"));
  const input = h("input", { type: "text", maxlength: 200, autocomplete: "off", required: true });
  const naming = field("Name", input, { hint: "As buyers know it." });
  const form = h("form", {
    class: "card desk-narrow",
    onsubmit: async (event) => {
      event.preventDefault();
      naming.error(null);
      try {
        const made = await post("/v1/merchants", { name: input.value.trim() });
        list.prepend(card(made));
        show(note);
        input.value = "";
        toast(`${made.name} may sell now.`);
      } catch (error) {
        naming.error(errors({ name: naming }, error) || naming.querySelector(".error").textContent);
        input.focus();
      }
    },
  }, h("h2", null, "Add a merchant"), naming, h("button", null, "Add"));

  async function fill() {
    try {
      const found = await all("/v1/merchants");
      show(list, found.map(card));
      const named = wanted && document.getElementById(wanted);
      named?.scrollIntoView({ block: "center" });
      named?.focus({ preventScroll: true });
      show(note, found.length ? null : h("p", { class: "card nothing" }, "Nobody sells yet. Add the first merchant: offers and orders belong to one."));
    } catch (error) {
      show(note, failed(error, fill));
    }
  }

  show(main, h("h1", null, "Merchants"), form, note, list);
  fill();
}
