// What a rehearsal came to: figures, charts, checks.

import { h, toast } from "./dom.js";
import { send } from "./api.js";
import { count, many, money, network, percent, when, words } from "./format.js";
import { columns } from "./charts.js";
import { save } from "./desk.js";

const GROUPS = [["sold", "Sold"], ["held", "Held"], ["waitlisted", "Waitlisted"], ["turned_away", "Turned away"], ["walked_away", "Walked away"]];
const OUTCOMES = {
  bought: "Bought and paid", held: "Still hold a unit", waitlisted: "Still wait in line", sold_out: "Sold out", not_linked: "No account linked",
  declined: "Card declined", too_late: "Confirmed too late", not_told: "No reply reached them", refused: "A rule or a limit",
  not_confirmed: "Never confirmed", changed_mind: "Changed their mind",
};
/** The most slices of a chart, how wide they may be, and how far apart the times under it. */
const SLICES = 48;
const WIDE = [5, 10, 15, 20, 30, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600, 7200];
const STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200];

/** `15 min`, `1 h 30` */
function span(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours) return minutes ? `${hours} h ${String(minutes).padStart(2, "0")}` : `${hours} h`;
  return minutes ? `${minutes} min` : `${seconds} s`;
}

/** `3.2 ms`, `14 s`, `12 min` */
function took(micros) {
  if (micros < 1000) return "under 1 ms";
  if (micros < 1e6) return `${micros < 1e4 ? (micros / 1000).toFixed(1) : count(Math.floor(micros / 1000))} ms`;
  if (micros < 12e7) return `${micros < 1e7 ? (micros / 1e6).toFixed(1) : Math.floor(micros / 1e6)} s`;
  return `${Math.floor(micros / 6e7)} min`;
}

const share = (part, all) => (part && part / all < 0.01 ? "<1%" : percent(part / Math.max(all, 1)));

function figures(result, buyers) {
  const of = (group) => result.outcomes.filter((one) => one.group === group).reduce((sum, one) => sum + one.buyers, 0);
  const figure = (name, value, sub) => h("div", null, h("dt", null, name), h("dd", null, h("div", { class: String(value).length > 7 ? "big many" : "big" }, value), h("div", { class: "sub" }, sub)));
  const { charges, declined, amount, currency } = result.money;
  return h("dl", { class: "figures" },
    GROUPS.map(([group, name]) => figure(name, count(of(group)), group === "sold" && result.stock.quantity !== null ? `of ${many(result.stock.quantity, "unit")}` : `${share(of(group), buyers)} of buyers`)),
    figure("Charged", currency ? money({ amount, currency }) : "–", `${many(charges, "charge")}, ${count(declined)} declined`));
}

function ends(result, buyers) {
  const most = Math.max(1, ...result.outcomes.map((one) => one.buyers));
  return h("ul", { class: "ends" }, result.outcomes.map((one) => h("li", null,
    h("span", null, OUTCOMES[one.outcome] ?? words(one.outcome), h("span", { class: "dim small" }, ` · ${words(one.group).toLowerCase()}`)),
    h("span", { class: "num" }, count(one.buyers), h("span", { class: "dim small" }, ` ${share(one.buyers, buyers)}`)),
    h("span", { class: `track ${one.group}`, "aria-hidden": "true" }, h("span", { style: { width: `${Math.max(0.5, (one.buyers / most) * 100)}%` } })))));
}

/** The timeline in equal slices up to a second: what stands at the end of each, and the posts within. */
function slices(timeline, until) {
  const wide = WIDE.find((seconds) => until / seconds <= SLICES) ?? 86400;
  const step = STEPS.find((seconds) => until / seconds <= 6) ?? 172800;
  let [at, last] = [0, { sold: 0, held: 0 }];
  return Array.from({ length: Math.ceil((until + 1) / wide) }, (_, nth) => {
    let posts = 0;
    while (at < timeline.length && timeline[at].second < (nth + 1) * wide) {
      last = timeline[at];
      posts += last.posts;
      at += 1;
    }
    const start = nth * wide;
    return { key: nth, name: `From ${span(start)}`, tick: start % step < wide ? span(start - (start % step)) : "", values: { sold: last.sold, held: last.held, value: posts } };
  });
}

function charts(result) {
  const { timeline, stock, offer, settings } = result;
  const end = timeline.at(-1)?.second ?? 1;
  const held = columns("Units sold and held", [{ key: "sold", name: "Sold" }, { key: "held", name: "Held" }]);
  held.update(slices(timeline, end), { label: `Of ${stock.quantity ?? "any number of"} units, ${stock.sold} were sold in the end and ${stock.held} held.`, figures: { sold: count(stock.sold), held: count(stock.held) } });
  const wave = columns("Posts", [{ key: "value", name: "Posts" }]);
  const rush = slices(timeline, Math.max(1, Math.min(end, offer.window_seconds + settings.spread_seconds)));
  wave.update(rush, { label: `Posts as they came, at most ${Math.max(0, ...rush.map((one) => one.values.value))} in a slice.` });
  return [["Stock as the drop went", held], ["Posts as they came", wave]].map(([title, chart]) => h("section", { class: "card" }, h("h2", null, title), chart));
}

function checks(list) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Checks" }, h("table", null,
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Check"), h("th", { scope: "col", class: "num" }, "Found"), h("th", { scope: "col" }, "Holds"))),
    h("tbody", null, list.map((one) => h("tr", null,
      h("th", { scope: "row" }, words(one.name), h("div", { class: "dim small" }, one.about)), h("td", { class: "num" }, count(one.found)),
      h("td", null, h("span", { class: one.holds ? "chip good" : "chip bad" }, one.holds ? "Holds" : "Broken")))))));
}

function latencies(list) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "How long it took" }, h("table", null,
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "What"), h("th", { scope: "col", class: "num" }, "p50"), h("th", { scope: "col", class: "num" }, "p99"))),
    h("tbody", null, list.map((one) => h("tr", null,
      h("th", { scope: "row" }, words(one.about), h("div", { class: "dim small" }, one.real ? "by this machine's clock" : "by the drop's own clock")),
      h("td", { class: "num" }, took(one.p50_micros)), h("td", { class: "num" }, took(one.p99_micros)))))));
}

/** The whole of it. */
export function result({ id, title, offer, buyers, created_at: created, result: found }) {
  const broken = found.checks.filter((one) => !one.holds);
  const keep = h("button", {
    class: "second",
    onclick: async () => {
      try {
        const page = await (await send("GET", `/v1/rehearsals/${id}/report`)).text();
        save(new Blob([page], { type: "text/html" }), `rehearsal-${id}.html`);
      } catch (error) {
        toast(error.message, true);
      }
    },
  }, "Download the report");
  const repeat = h("a", { class: "button", href: offer ? `#/rehearsal?offer=${offer}` : "#/rehearsal" }, "Rehearse again");
  return h("div", { class: "rehearsal-result" },
    h("h1", null, `Rehearsal: ${title}`),
    h("p", { class: "dim" }, `${many(buyers, "buyer")} on ${network(found.settings.network)}, #${found.offer.hashtag}, seed ${found.settings.seed}. The drop lasted ${span(found.lasted_seconds)} and was played in ${took(found.took_ms * 1000)}, ${when(created)}.`),
    h("p", { class: broken.length ? "banner bad" : "banner good", role: "status" }, broken.length
      ? `${broken.length} of ${many(found.checks.length, "check")} broken: ${broken.map((one) => words(one.name).toLowerCase()).join(", ")}. Please report this with the seed.`
      : `Oversold: 0. All ${count(found.checks.length)} checks hold.`),
    h("p", { class: "actions" }, repeat, keep),
    figures(found, buyers),
    found.notes.length ? h("section", { class: "card rehearsal-notes" }, h("h2", null, "What to know before the drop"), h("ul", null, found.notes.map((note) => h("li", null, note)))) : null,
    h("div", { class: "rehearsal-grid" }, h("section", { class: "card tall" }, h("h2", null, "What became of everybody"), ends(found, buyers)), charts(found)),
    h("div", { class: "rehearsal-grid" },
      h("section", { class: "card" }, h("h2", null, "What must hold"), checks(found.checks)),
      h("section", { class: "card" }, h("h2", null, "How long it took"), latencies(found.latencies))));
}
