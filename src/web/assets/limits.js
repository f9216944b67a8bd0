// The limits that keep a shop safe: how much one buyer may hold, buy and spend, and how fast captures may go.

import { field, h, show, toast } from "./dom.js";
import { get, put } from "./api.js";
import { decimal, minor, when } from "./format.js";
import { errors, failed, focusWrong } from "./desk.js";

const number = (value) => h("input", { type: "number", min: 0, step: 1, value: value ?? "", placeholder: "no limit" });

/** What one account or one card may have. */
function buyer(prefix, title, found) {
  const money = found.spending_per_day.map((one) => `${decimal(one).replace(/\.0+$/, "")} ${one.currency}`).join(", ");
  const fields = {
    [`${prefix}.open_holds`]: field("Open holds", number(found.open_holds)),
    [`${prefix}.purchases_per_day`]: field("Purchases in 24 hours", number(found.purchases_per_day)),
    [`${prefix}.spending_per_day`]: field("Spending in 24 hours", h("textarea", { rows: 2, value: money, placeholder: "no limit", autocomplete: "off" }), { hint: "As in 500 USD, 450 EUR. A currency that is not named has no limit." }),
  };
  const node = h("fieldset", null, h("legend", null, title), Object.values(fields));
  const value = (name) => fields[`${prefix}.${name}`].input.value.trim();
  function read() {
    const amounts = [];
    for (const part of value("spending_per_day").split(/[,;\n]\s*/).filter(Boolean)) {
      const match = /^([\d.]+)\s*([A-Za-z]{3})$/.exec(part.trim());
      let amount = null;
      try { amount = match && minor(match[1], match[2].toUpperCase()); } catch { /* No such currency. */ }
      if (amount === null) {
        fields[`${prefix}.spending_per_day`].error("Must be amounts with their currency, such as 500 USD.");
        return null;
      }
      amounts.push({ amount, currency: match[2].toUpperCase() });
    }
    const whole = (name) => (value(name) === "" ? null : Number(value(name)));
    return { open_holds: whole("open_holds"), purchases_per_day: whole("purchases_per_day"), spending_per_day: amounts };
  }
  return { node, fields, read };
}

function build(found) {
  const account = buyer("per_account", "Each account", found.per_account);
  const card = buyer("per_card", "Each card, whoever has linked it", found.per_card);
  const fields = {
    ...account.fields, ...card.fields,
    pause_after_expired_holds: field("Pause an account after so many unconfirmed holds in 24 hours", number(found.pause_after_expired_holds)),
    pause_seconds: field("For so many seconds", number(found.pause_seconds)),
    new_account_wait_seconds: field("A new account waits, in seconds", number(found.new_account_wait_seconds), { hint: "0: it may buy at once." }),
    captures_per_hour: field("Captures of one network in an hour", number(found.captures_per_hour), { hint: "More than these wait until you say that all is well." }),
  };
  const wrong = h("p", { class: "error", role: "alert", hidden: true });
  const form = h("form", {
    novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      for (const one of Object.values(fields)) one.error(null);
      wrong.hidden = true;
      const body = { per_account: account.read(), per_card: card.read() };
      if (!body.per_account || !body.per_card) return focusWrong(form);
      for (const name of ["pause_after_expired_holds", "captures_per_hour"]) body[name] = fields[name].input.value === "" ? null : Number(fields[name].input.value);
      for (const name of ["pause_seconds", "new_account_wait_seconds"]) body[name] = Number(fields[name].input.value || 0);
      try {
        await put("/v1/limits", body);
        toast("The limits are saved.");
      } catch (error) {
        const rest = errors(fields, error);
        wrong.hidden = !rest;
        show(wrong, rest);
        focusWrong(form);
      }
    },
  },
  found.captures_paused.map((one) => h("p", { class: "banner" }, `Captures on ${one.network} wait since ${when(one.since)}. `, h("a", { href: "#/backups" }, "Look, and let them go on"))),
  h("div", { class: "beside" }, account.node, card.node),
  h("div", { class: "beside" }, fields.pause_after_expired_holds, fields.pause_seconds),
  h("div", { class: "beside" }, fields.new_account_wait_seconds, fields.captures_per_hour),
  wrong, h("button", null, "Save the limits"));
  return form;
}

/** A card with all of them. */
export function limits() {
  const place = h("div", null, h("p", { class: "dim" }, "Loading…"));
  const fill = () => get("/v1/limits").then((found) => show(place, build(found))).catch((error) => show(place, failed(error, fill)));
  fill();
  return h("section", { class: "card limits" }, h("h2", null, "Limits that keep the shop safe"), h("p", { class: "dim small" }, "They hold on every network. An empty field is no limit."), place);
}
