// One webhook endpoint: its state, its deliveries, and what can be sent again.

import { ask, field, h } from "./dom.js";
import { del, get, patch, post } from "./api.js";
import { list } from "./list.js";
import { Wrong, card, chip, doing, facts, form, id, merchantLink, page, short, time } from "./parts.js";
import { bare, eventsField, progress, showSecret, stateOf, urlField } from "./webhooks.js";

const at = (one, what = "") => `/v1/webhook-endpoints/${one.id}${what}`;

async function edit(one, again) {
  const [url, events] = [urlField(one.url), eventsField(one.events)];
  await form({
    title: "Change this endpoint", yes: "Save", inputs: { url, events },
    run: () => patch(at(one), { url: url.input.value.trim(), events: events.values() }),
  });
  again();
}

async function rotate(one, again) {
  const yes = await ask({
    title: "Make a new secret?", text: "For a day deliveries are signed with both, so that the receiver can be changed without a gap. After that the old one signs nothing.",
    yes: "Make a new secret",
  });
  const made = yes && (await doing({}, () => post(at(one, "/rotate"))));
  if (made) await showSecret(made.secret);
  again();
}

async function disable(one, again) {
  const yes = await ask({ title: "Disable this endpoint?", text: "Nothing is sent there until it is enabled again; then it goes on where it stopped.", yes: "Disable", danger: true });
  if (yes) await doing({}, () => patch(at(one), { status: "disabled" }), "The endpoint is disabled.");
  again();
}

async function remove(one) {
  const yes = await ask({ title: "Delete this endpoint?", text: "Nothing is sent there any more, and what it was not sent yet never will be. This cannot be undone.", yes: "Delete", danger: true });
  if (yes && (await doing({}, () => del(at(one)), "The endpoint is deleted."))) location.hash = "#/webhooks";
}

async function resendAll(one, after) {
  const since = field("Since", h("input", { type: "datetime-local", required: true }), { hint: "Everything from then on is sent again, in order. The receiver knows by webhook-id what it had." });
  const done = await form({
    title: "Send again", yes: "Send again", inputs: { since },
    run: () => {
      const moment = new Date(since.input.value);
      if (Number.isNaN(moment.getTime())) throw new Wrong({ since: "Give a day and a time." });
      return post(at(one, "/resend"), { since: moment.toISOString() });
    },
  });
  if (done) after();
}

function actions(one, again, later) {
  const on = one.status === "enabled";
  const button = (name, text, work, kind = "second") => h("button", { class: kind, "data-do": name, onclick: (event) => work(event.currentTarget) }, text);
  return h("div", { class: "actions" },
    on && button("test", "Send a test", (node) => doing(node, () => post(at(one, "/test")), "A test is on its way.").then(later)),
    on && button("since", "Send again since…", () => resendAll(one, later)),
    button("edit", "Change…", () => edit(one, again)),
    button("rotate", "New secret…", () => rotate(one, again)),
    on ? button("state", "Disable…", () => disable(one, again))
      : button("state", "Enable", (node) => doing(node, () => patch(at(one), { status: "enabled" }), "It goes on where it stopped.").then(again), ""),
    button("delete", "Delete…", () => remove(one)));
}

function how() {
  return h("section", { class: "card" }, h("h2", null, "How to check a signature"),
    h("p", { class: "small" }, "Each delivery carries ", h("code", null, "webhook-id"), ", ", h("code", null, "webhook-timestamp"), " and ", h("code", null, "webhook-signature"), ", as Standard Webhooks has it:"),
    h("ol", { class: "small" },
      h("li", null, "Join id, timestamp and the raw body with full stops: ", h("code", null, "id.timestamp.body")),
      h("li", null, "HMAC-SHA256 of it, with the secret after ", h("code", null, "whsec_"), " decoded from base64 as the key; the result in base64"),
      h("li", null, "One of the signatures, parted by spaces, has to be ", h("code", null, "v1,"), " and that. Compare in constant time"),
      h("li", null, "Refuse a timestamp more than five minutes off, and an id that you have had")));
}

const outcome = (one) => (one.delivered ? chip("delivered", `Delivered, ${one.status}`) : chip("failed", one.status ? `Refused, ${one.status}` : "No answer"));

export function openEndpoint(main, key, context) {
  const admin = context.me.role === "admin";
  const head = h("div");
  main.append(head);
  let [timers, refresh] = [[], () => {}];
  const deliveries = list(main, context, {
    title: "Deliveries", level: 2, noun: ["delivery", "deliveries"], source: `/v1/webhook-endpoints/${key}/deliveries`,
    columns: [
      { label: "Event", width: "minmax(0,1.5fr)", cell: (one) => [h("span", { class: "mono" }, one.event ? (one.type ?? short(one.event)) : "webhook.test"), h("small", null, one.event ? h("span", { class: "mono" }, short(one.event)) : "A test")] },
      { label: "When", width: "11rem", class: "dim small", cell: (one) => time(one.created_at) },
      { label: "Outcome", width: "minmax(0,1.6fr)", cell: (one) => [outcome(one), h("small", null, [one.error, `${one.duration_ms} ms`, one.resent ? "sent again" : one.attempt > 1 ? `try ${one.attempt}` : null].filter(Boolean).join(", "))] },
      { label: "Send again", width: "8rem", cell: (one) => {
        if (!one.event) return "";
        const button = h("button", { class: "second small", onclick: () => doing(button, () => post(`/v1/webhook-endpoints/${key}/resend`, { delivery: one.id }), "It is on its way again.").then(later) }, "Send again", h("span", { class: "visually-hidden" }, ` ${one.type ?? one.event}`));
        return button;
      } },
    ],
    empty: [h("p", null, "No deliveries yet."), h("p", { class: "dim" }, "They appear here as soon as something happens, and are kept for a while.")],
  });
  main.append(how());
  const close = page(head, () => get(`/v1/webhook-endpoints/${key}`), (one, again) => {
    document.title = `${one.url} · Webhooks · tagtill`;
    refresh = again;
    return [
      h("p", { class: "crumb" }, h("a", { href: "#/webhooks" }, "Webhooks")),
      h("div", { class: "page-head" }, h("div", null, h("h1", null, bare(one.url), " ", stateOf(one)), h("p", { class: "lead" }, progress(one))), actions(one, again, later)),
      one.status === "disabled" && one.reason && h("p", { class: "banner bad" }, one.reason),
      card(null, facts([
        ["Address", h("span", { class: "mono" }, one.url)],
        ["Events", one.events.length ? one.events.join(", ") : "All"],
        ["Whose", admin && (one.merchant ? merchantLink(one.merchant) : "All merchants'")],
        ["Oldest unsent", one.oldest_unsent_at && time(one.oldest_unsent_at)],
        ["Made", time(one.created_at)],
        ["Endpoint", id(one.id)],
      ])),
    ];
  }, (one) => one.status === "enabled" && (one.failures > 0 || Boolean(one.oldest_unsent_at)));

  /** What was asked for takes a moment: looks a few times whether it is there. */
  function later() {
    timers.forEach(clearTimeout);
    timers = [300, 1500, 4000].map((wait) => setTimeout(() => {
      deliveries.reload();
      refresh();
    }, wait));
  }
  return () => {
    timers.forEach(clearTimeout);
    close();
    deliveries.close();
  };
}
