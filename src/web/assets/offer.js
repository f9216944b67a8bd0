// One offer: new, or as it is, with its form, what it will say, and the ways to pause and to end it.

import { ask, h, show, toast } from "./dom.js";
import { get, patch, post } from "./api.js";
import { count, hashtag, many } from "./format.js";
import { errors, failed, focusWrong, merchants, stock, table } from "./desk.js";
import { chip, price } from "./offers.js";
import { form } from "./offer-form.js";
import { preview } from "./offer-preview.js";

/** The form, the preview beside it, and what the button does. */
function workbench(offer, names, context, button, send) {
  const sheet = form(offer, names, context);
  const shown = preview(sheet, offer);
  const wrong = h("p", { class: "banner bad", role: "alert", hidden: true });
  const submit = h("button", { type: "submit" }, button);
  const node = h("form", {
    class: "sheet", novalidate: true,
    oninput: (event) => {
      event.target.closest(".field")?.error?.(null);
      wrong.hidden = true;
      shown.soon();
    },
    onsubmit: async (event) => {
      event.preventDefault();
      wrong.hidden = true;
      const body = sheet.read();
      if (!body) return focusWrong(node);
      submit.disabled = true;
      shown.rest();
      try {
        await send(body, sheet);
      } catch (error) {
        const rest = errors(sheet.fields(), error);
        wrong.hidden = false;
        show(wrong, rest || "Some fields need another look. Nothing was changed.");
        focusWrong(node);
      } finally {
        submit.disabled = false;
      }
    },
  }, sheet.node, wrong, h("p", { class: "actions" }, submit, h("a", { class: "button second", href: "#/offers" }, "Back to all offers")));
  sheet.changed = () => shown.soon();
  shown.soon(0);
  return { node: h("div", { class: "bench" }, node, shown.node), leave: shown.leave };
}

/** A new offer that somebody was writing when their token ended, and in which role. */
let draft = null;
let written = null;
addEventListener("signedout", () => { draft = written; });

export function make(main, context) {
  let bench = draft?.role === context.me.role ? draft.bench : null;
  draft = null;
  let left = false;
  const head = h("div", { class: "desk-head" }, h("h1", null, "New offer"));
  show(main, head, h("p", { class: "dim" }, "Loading…"));
  (async () => {
    try {
      const names = await merchants(context);
      if (left) return;
      if (context.me.role === "admin" && !names.size) {
        return show(main, head, h("div", { class: "card nothing" }, h("h2", null, "First, who sells?"),
          h("p", null, "An offer belongs to a merchant, and there is none yet."), h("a", { class: "button", href: "#/merchants" }, "Add a merchant")));
      }
      bench ??= workbench(null, names, context, "Put it up for sale", async (body) => {
        const made = await post("/v1/offers", body);
        written = null;
        toast(`${made.title} is up for sale.`);
        location.hash = `#/offers/${made.id}`;
      });
      written = { bench, role: context.me.role };
      show(main, head, bench.node);
    } catch (error) {
      if (!left) show(main, head, failed(error, () => make(main, context)));
    }
  })();
  return () => {
    left = true;
    bench?.leave();
    // Who goes elsewhere by choice begins anew; the word that the token has ended comes right after this.
    setTimeout(() => { written = null; });
  };
}

/** What ending means for those who hold a unit. */
function holds(offer) {
  if (!offer.held) return "Nobody holds a unit at the moment.";
  return `${many(offer.held, "unit")} ${offer.held === 1 ? "is" : "are"} held: those buyers may still confirm in their time, and will be charged.`;
}

export function edit(main, id, context) {
  let bench = null;
  let timer = 0;
  let left = false;
  let offer = null;
  const top = h("div", { class: "offer-top" });

  async function change(body, said) {
    try {
      offer = await patch(`/v1/offers/${id}`, body);
      toast(said);
      head();
      return true;
    } catch (error) {
      toast(error.message, true);
      return false;
    }
  }

  async function end() {
    const yes = await ask({
      title: `End “${offer.title}” for good?`,
      text: "Nothing more is sold, and it cannot be opened again: make a new offer then. Its hashtags stay reserved for 30 days.",
      body: h("p", null, holds(offer), offer.waiting ? ` ${many(offer.waiting, "buyer")} on the waiting list ${offer.waiting === 1 ? "is" : "are"} let go.` : null),
      yes: "End it", danger: true,
    });
    if (yes && await change({ status: "ended" }, `${offer.title} has ended.`)) build();
  }

  function head() {
    document.title = `${offer.title} · Offers · tagtill`;
    const paused = offer.status === "paused";
    const over = offer.status === "ended";
    const toggle = h("button", {
      class: "second", id: "pause",
      onclick: async () => {
        await change({ status: paused ? "live" : "paused" }, paused ? "On sale again." : "Paused: nothing new is sold, and those who hold a unit may still confirm.");
        document.getElementById("pause")?.focus();
      },
    }, paused ? "Resume" : "Pause");
    show(top,
      h("p", { class: "small" }, h("a", { href: "#/offers" }, "Offers")),
      h("div", { class: "desk-head" }, h("h1", null, offer.title, " ", chip(offer)),
        over ? null : h("div", { class: "actions" },
          context.me.role === "admin" && offer.kind === "purchase" ? h("a", { class: "button second", href: `#/rehearsal?offer=${id}` }, "Rehearse a drop") : null,
          toggle, h("button", { class: "second", onclick: end }, "End…"))),
      h("p", { class: "dim" }, h("span", { class: "mono" }, hashtag(offer.hashtag)), ` · ${price(offer)}`, offer.kind === "deal" ? null : " · ",
        offer.kind === "deal" ? null : context.me.role === "admin" ? h("a", { href: `#/purchases?offer=${id}` }, "its purchases") : h("a", { href: `#/orders?offer=${id}` }, "its orders")),
      h("div", { class: "card" }, stock(offer),
        offer.kind === "deal" ? h("p", { class: "small dim" }, `${many(offer.enrolled, "account")} take part; ${many(offer.credits, "credit")} given.`) : null,
        offer.variants.length ? variants() : null));
  }

  function variants() {
    const cell = (number) => h("td", { class: "num" }, number === null ? "no limit" : count(number));
    const row = (one) => h("tr", null, h("th", { scope: "row" }, one.name), cell(one.sold), cell(one.held), cell(one.available), cell(one.waiting));
    const num = (name) => ({ name, num: true });
    return table("Stock of each variant", ["Variant", num("Sold"), num("Held"), num("Free"), num("Waiting")], offer.variants.map(row));
  }

  async function build() {
    bench?.leave();
    bench = null;
    try {
      const [found, names, { now }] = await Promise.all([get(`/v1/offers/${id}`), merchants(context), get("/v1/me")]);
      if (left) return;
      offer = found;
      head();
      const over = offer.status === "ended";
      const byDate = over && offer.ends_at && Date.parse(offer.ends_at) <= Date.parse(now);
      const last = "Those who hold a unit may still confirm in their time.";
      if (over && !byDate) {
        return show(main, top, h("p", { class: "banner" }, `It has ended for good. ${last}`),
          h("p", null, h("a", { class: "button", href: "#/offers/new" }, "Make a new offer")));
      }
      const note = byDate ? h("p", { class: "banner" }, `Its time is over. ${last} Move its end to go on selling.`) : null;
      bench = workbench(offer, names, context, "Save changes", async (body, sheet) => {
        const changes = sheet.changes(body);
        if (!Object.keys(changes).length) return toast("Nothing was changed.");
        offer = await patch(`/v1/offers/${id}`, changes);
        sheet.saved(body);
        toast("Saved.");
        head();
      });
      show(main, top, note ?? "", bench.node);
    } catch (error) {
      if (!left) show(main, h("h1", null, "Offer"), failed(error, build));
    }
  }

  /** Stock goes on moving while somebody reads. */
  async function refresh() {
    if (!document.hidden && offer && !top.contains(document.activeElement)) {
      const before = offer;
      try {
        const found = await get(`/v1/offers/${id}`);
        // What was changed meanwhile is newer than this answer.
        if (left || offer !== before) throw new Error("overtaken");
        offer = found;
        head();
      } catch { /* The next one may do. */ }
    }
    if (!left) timer = setTimeout(refresh, 5000);
  }

  show(main, h("p", { class: "dim" }, "Loading…"));
  build();
  timer = setTimeout(refresh, 5000);
  return () => { left = true; clearTimeout(timer); bench?.leave(); };
}
