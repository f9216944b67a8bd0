// The charts of the first page: sales over time, the funnel, posts a minute, the time to confirm.

import { h, say, show } from "./dom.js";
import { choice, columns, funnel } from "./charts.js";
import { count, day, duration, many, minute, money } from "./format.js";

/** A part of the page, with what stands beside its heading. */
const part = (aside, ...children) => Object.assign(h("div", null, children), { aside });

/** Which currency most of the sales are in. */
function currencies(slices) {
  const counts = new Map();
  for (const slice of slices) {
    for (const { currency, amount } of slice.amounts) counts.set(currency, (counts.get(currency) ?? 0) + amount);
  }
  return [...counts.keys()].sort();
}

/** A day of UTC, by its name wherever one is. */
const utcDay = (at) => new Intl.DateTimeFormat(navigator.language || "en", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(at));

/** Sales by hour and by day. */
export function sales() {
  let span = "hours";
  let currency = null;
  let last = null;
  const compact = (amount) => money({ amount, currency: currency ?? "USD" }).replace(/[.,]00(?=\D*$)/, "");
  const chart = columns("Sales", [{ key: "value", name: "Sales" }], { format: compact });
  const none = h("p", { class: "empty", hidden: true });
  const money_of = h("select", { class: "small", "aria-label": "Currency", hidden: true, onchange: (event) => {
    currency = event.target.value;
    node.update(last);
  } });
  const aside = h("div", { class: "actions" }, money_of, choice("Sales of", [["hours", "24 hours"], ["days", "30 days"]], span, (value) => {
    span = value;
    node.update(last);
  }));
  const node = part(aside, none, chart);
  node.update = (overview) => {
    last = overview;
    const all = currencies(overview.sales.days);
    if (!all.includes(currency)) currency = overview.today.money[0]?.currency ?? all[0] ?? null;
    money_of.hidden = all.length < 2;
    if (money_of.children.length !== all.length) show(money_of, all.map((code) => h("option", { value: code }, code)));
    if (currency) money_of.value = currency;
    const slices = overview.sales[span];
    const of = (slice) => slice.amounts.find((one) => one.currency === currency)?.amount ?? 0;
    const name = ({ at }) => (span === "hours" ? `${minute(at)}–${minute(Date.parse(at) + 3600000)}` : utcDay(at));
    const tick = ({ at }, i) => {
      const left = slices.length - 1 - i;
      if (span === "hours") return left % 8 === 0 ? minute(at) : "";
      return left % 10 === 0 ? utcDay(at).replace(/^[^ ]+ /, "") : "";
    };
    const rows = slices.map((slice, i) => ({
      key: slice.at, name: name(slice), tick: tick(slice, i), values: { value: of(slice) },
      text: `${compact(of(slice))}, ${many(slice.count, "sale")}`,
    }));
    const sold = slices.reduce((sum, slice) => sum + slice.count, 0);
    const sum = slices.reduce((all, slice) => all + of(slice), 0);
    const text = span === "hours" ? "in the last 24 hours" : "in the last 30 days";
    none.hidden = sold > 0;
    chart.hidden = sold === 0;
    say(none, `Nothing was sold ${text}.`);
    if (sold) chart.update(rows, { label: `Sales ${text}: ${many(sold, "sale")}, ${compact(sum)}` });
  };
  return node;
}

/** From a post to a parcel. */
export function steps(admin) {
  let span = "days";
  let last = null;
  const list = funnel("From a post to a parcel");
  const aside = choice("Steps of", [["today", "Today"], ["days", "30 days"]], span, (value) => {
    span = value;
    node.update(last);
  });
  const note = h("p", { class: "rest-of dim" });
  const node = part(aside, list, note);
  node.update = (overview) => {
    last = overview;
    const now = overview.funnel[span];
    // The till remembers posts since it started only.
    const forgot = admin && now.posts < now.pending;
    list.update([["posts", "Posts"], ["pending", "Held"], ["confirmed", "Confirmed"], ["paid", "Paid"], ["shipped", "Shipped"]]
      .map(([key, name]) => ({ key, name, value: key === "posts" && forgot ? null : now[key] })));
    say(note, `Each counted when it happened, by UTC days.${forgot ? " Posts are counted since the till started, so they are left out." : ""}`);
  };
  return node;
}

/** Verdicts that belong together for who looks at a shop. */
const FAMILIES = [
  { key: "sold", name: "Bought", verdicts: ["confirmed", "already_confirmed", "enrolled", "already_enrolled"] },
  { key: "held", name: "Held", verdicts: ["pending", "already_pending", "waitlisted"] },
  { key: "away", name: "Turned away", verdicts: ["not_linked", "account_suspended", "identity_frozen", "limit_reached", "not_started", "ended", "paused", "cannot_ship", "sold_out", "unknown_variant", "mention_needed", "deal_full", "too_late", "nothing_to_confirm", "stale_post"] },
  { key: "other", name: "Others", verdicts: [] },
];
const familyOf = Object.fromEntries(FAMILIES.flatMap(({ key, verdicts }) => verdicts.map((verdict) => [verdict, key])));

/** Posts of the last hour, minute by minute. */
export function posts() {
  const chart = columns("Posts a minute", FAMILIES);
  const none = h("p", { class: "empty" }, "No posts in the last hour, or since the till started.");
  const node = part(null, none, chart);
  node.update = ({ now, posts: { minutes } }) => {
    const last = Math.floor(Date.parse(now) / 60000) * 60000;
    const found = new Map(minutes.map((one) => [Date.parse(one.at), one.verdicts]));
    const sums = Object.fromEntries(FAMILIES.map(({ key }) => [key, 0]));
    const slices = Array.from({ length: 60 }, (_, i) => {
      const at = last - (59 - i) * 60000;
      const values = {};
      for (const [verdict, number] of Object.entries(found.get(at) ?? {})) {
        const family = familyOf[verdict] ?? "other";
        values[family] = (values[family] ?? 0) + number;
        sums[family] += number;
      }
      const left = 59 - i;
      return { key: String(at), name: minute(at), tick: left % 30 === 0 ? minute(at) : "", values };
    });
    const words = FAMILIES.map(({ key, name }) => `${name.toLowerCase()} ${count(sums[key])}`).join(", ");
    none.hidden = minutes.length > 0;
    chart.hidden = !minutes.length;
    chart.update(slices, { label: `Posts in the last hour, minute by minute: ${words}`, figures: Object.fromEntries(Object.entries(sums).map(([key, sum]) => [key, count(sum)])) });
  };
  return node;
}

/** How long buyers take to say yes. */
export function confirming() {
  let span = "days";
  let last = null;
  const [half, most] = [h("b"), h("b")];
  const chart = columns("Time to confirm", [{ key: "value", name: "Buyers" }]);
  const none = h("p", { class: "empty" }, "Nobody has confirmed yet.");
  const shown = h("div", { class: "shown" }, h("p", { class: "pair" }, h("span", null, half, "half were quicker"), h("span", null, most, "nine in ten were")), chart);
  const aside = choice("Time to confirm of", [["today", "Today"], ["days", "30 days"]], span, (value) => {
    span = value;
    node.update(last);
  });
  const node = part(aside, none, shown);
  node.update = (overview) => {
    last = overview;
    const now = overview.confirming[span];
    none.hidden = now.count > 0;
    shown.hidden = now.count === 0;
    say(none, span === "today" ? "Nobody has confirmed today." : "Nobody has confirmed in the last 30 days.");
    if (!now.count) return;
    say(half, duration(now.p50_seconds));
    say(most, duration(now.p90_seconds));
    const slices = now.buckets.map(({ up_to_seconds: to, count: value }, i) => {
      const name = to === null ? "longer than an hour" : `up to ${duration(to)}`;
      return { key: String(to), name, tick: [1, 4, 8].includes(i) || i === 11 ? (to === null ? "more" : duration(to)) : "", values: { value } };
    });
    chart.update(slices, { label: `Time to confirm of ${many(now.count, "buyer")}: half within ${duration(now.p50_seconds)}, nine in ten within ${duration(now.p90_seconds)}` });
  };
  return node;
}
