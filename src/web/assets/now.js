// What happens now: what sells, what is held, what needs a person. Everything on it moves by itself, and whatever has the
// focus keeps it.

import { h, say, show } from "./dom.js";
import { many, when } from "./format.js";
import { refresh, tillNow, watch } from "./live.js";
import { feed, figures, guide, holds, needs, stock } from "./now-lists.js";
import { confirming, posts, sales, steps } from "./now-charts.js";

/** A card with a heading; `aside` stands beside it. */
function card(title, kind, aside, ...children) {
  const id = `now-${title.toLowerCase().replaceAll(" ", "-")}`;
  return h("section", { class: `card ${kind}`, "aria-labelledby": id },
    h("header", null, h("h2", { id }, title), aside), children);
}

function heading(sandbox) {
  const state = h("span", { class: "chip" });
  const time = h("span", { class: "dim small" });
  const node = h("div", { class: "now-head" }, h("h1", null, "Now"), state, time);
  node.update = ({ ready, now }) => {
    state.className = ready ? "chip good" : "chip bad";
    say(state, ready ? "Selling" : "Not selling");
    say(time, sandbox ? `The sandbox’s clock shows ${when(now)}` : "");
  };
  return node;
}

export function open(main, params, context) {
  const { me } = context;
  const admin = me.role === "admin";
  const lost = h("p", { class: "banner bad", role: "status", hidden: true });
  const again = h("button", { class: "second small", type: "button", onclick: refresh }, "Try now");
  const counting = h("p", { class: "banner", role: "status", hidden: true });
  const said = h("p", { class: "visually-hidden", role: "status" });
  const head = heading(me.sandbox);
  const first = guide(me.sandbox);
  const parts = {
    top: figures(admin), need: needs(), sell: stock(), taken: sales(), hold: holds(admin), feed: feed(admin),
    steps: steps(admin), posts: admin ? posts() : null, yes: confirming(),
  };
  const { top } = parts;
  const third = admin ? "third grow" : "half grow";
  const box = (title, part, kind = "") => part && card(title, kind, part.aside, part);
  const grid = h("div", { class: "now-grid" },
    box("Needs you", parts.need),
    h("div", { class: "stack wide" }, box("In stock", parts.sell), box("Sales", parts.taken, "grow")),
    h("div", { class: "stack narrow" }, box("Held now", parts.hold), box("What happened", parts.feed)),
    box("From post to parcel", parts.steps, third), box("Posts in the last hour", parts.posts, third), box("Time to confirm", parts.yes, third));
  const all = h("div", { class: "now-page" }, h("p", { class: "dim" }, "Asking the till…"));
  show(main, all);
  let built = false;
  let worries = null;

  const news = ({ overview, failing }) => {
    all.classList.toggle("stale", Boolean(failing));
    if (failing && !built) show(all, head, lost);
    lost.hidden = !failing;
    if (failing && lost.dataset.text !== failing) show(lost, `${failing} Trying again… `, again);
    lost.dataset.text = failing ?? "";
    if (!overview) return;
    if (!built) show(all, head, lost, counting, said, first, top, grid);
    built = true;
    const fresh = overview.counted.complete && !overview.offers.data.length && !overview.funnel.days.pending;
    first.hidden = !fresh;
    top.hidden = grid.hidden = fresh;
    counting.hidden = overview.counted.complete;
    say(counting, overview.counted.complete ? "" : `The last 30 days are being counted: ${overview.counted.percent} % so far. Figures are too small until that is done.`);
    head.update(overview);
    for (const part of Object.values(parts)) part?.update(overview);
    const grown = worries !== null && overview.needs.length > worries;
    if (grown) say(said, `${many(overview.needs.length, "thing needs", "things need")} you: ${overview.needs[0].text}`);
    worries = overview.needs.length;
  };

  const unwatch = watch(me.merchant ? `merchant:${me.merchant}` : me.role, news);
  const second = setInterval(() => parts.hold.tick(tillNow()), 1000);
  return () => {
    clearInterval(second);
    unwatch();
  };
}
