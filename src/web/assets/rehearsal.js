// Drops that are rehearsed beside this till: what is asked for, how far one is, what the last ones came to.

import { ask, field, h, say, show, toast } from "./dom.js";
import { call, get, post } from "./api.js";
import { count, many, network, when } from "./format.js";
import { all } from "./desk.js";
import { result } from "./rehearsal-result.js";

const BUYERS = [
  ["late_percent", "Confirm too late", 8],
  ["undecided_percent", "Never confirm", 12],
  ["twice_percent", "Post twice", 5],
  ["repost_percent", "Confirm by a repost", 15],
  ["changed_percent", "Change their mind", 3],
  ["declined_percent", "Have a declined card", 3],
  ["slow_cards_percent", "Have a card that nobody answers for", 1],
  ["unlinked_percent", "Have linked no account", 5],
];
const NETWORK = [
  ["lost_replies_percent", "Replies lost", 1],
  ["late_answers_percent", "Replies reported late", 3],
  ["redelivered_percent", "Posts delivered twice", 2],
];
const STEPS = { starting: "Putting up a till…", linking: "Linking accounts", selling: "Selling", settling: "Waiting for the last holds", ended: "Ended" };
const STATUS = { running: ["Under way", ""], done: ["Done", "good"], cancelled: ["Cancelled", "warn"], failed: ["Failed", "bad"] };

const number = (name, value, min, max) => h("input", { type: "number", name, value: value ?? "", min, max, step: 1, inputmode: "numeric" });

/** The form; `start(body)` begins a rehearsal. */
function form(offers, chosen, start) {
  const fields = {};
  const add = (name, label, input, more) => (fields[name] = field(label, input, more));
  const share = ([name, label, usual]) => add(name, `${label} (%)`, number(name, usual, 0, 100));
  const offer = h("select", { name: "offer", value: chosen ?? "" }, h("option", { value: "" }, "A made-up offer"),
    offers.map((one) => h("option", { value: one.id }, `${one.title} · #${one.hashtag}`)));
  const networks = h("select", { name: "network", value: "sandbox" }, ["sandbox", "x", "bluesky", "mastodon"].map((slug) => h("option", { value: slug }, network(slug))));
  const main = [
    add("offer", "Offer to copy", offer, { hint: "Its terms, its network's settings and the till's limits are copied; the offer itself is not touched." }),
    add("buyers", "Buyers", number("buyers", 1000, 1, 20000)),
    add("units", "Units", number("units", "", 1, 1000000000), { optional: true, hint: "Without a number, as many as the offer has; of a made-up one a fifth of the buyers." }),
    add("network", "Network", networks, { hint: "With its length and its budget of replies." }),
    add("spread_seconds", "All come within (seconds)", number("spread_seconds", 600, 1, 86400), { hint: "Half of them in the first thirteenth." }),
    add("seed", "Seed", number("seed", 1, 0), { hint: "The same number comes to the same." }),
  ];
  const people = h("div", { class: "shares" }, BUYERS.map(share));
  const rest = h("p", { class: "rest", role: "status" });
  const tell = () => {
    const sum = BUYERS.reduce((sofar, [name]) => sofar + Number(fields[name].input.value || 0), 0);
    say(rest, sum > 100 ? `These come to ${sum}%, and a buyer is of one kind: 100% at most.` : `The rest, ${100 - sum}% of the buyers, confirm in time.`);
  };
  people.addEventListener("input", tell);
  tell();
  const way = h("div", { class: "shares" }, NETWORK.map(share),
    add("reply_seconds", "A reply takes (seconds)", number("reply_seconds", 3, 1, 600)),
    add("replies_per_15_minutes", "Replies in 15 minutes", number("replies_per_15_minutes", "", 0), { optional: true, hint: "Without a number, what the till knows of the network; 0: no limit." }));
  const wrong = h("div", { role: "alert" });
  const button = h("button", { type: "submit" }, "Start the rehearsal");
  const node = h("form", {
    class: "card rehearsal-form", novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      show(wrong);
      Object.values(fields).forEach((one) => one.error(null));
      const body = {};
      for (const [name, { input }] of Object.entries(fields)) {
        if (input.value !== "") body[name] = input.type === "number" ? Number(input.value) : input.value;
      }
      button.disabled = true;
      try {
        await start(body);
      } catch (error) {
        const known = Object.entries(error.fields ?? {}).filter(([name]) => fields[name]);
        for (const [name, text] of known) {
          fields[name].error(`This ${text}.`);
          fields[name].closest("details")?.setAttribute("open", "");
        }
        if (known.length) fields[known[0][0]].input.focus();
        else show(wrong, h("p", { class: "banner bad" }, error.message));
      } finally {
        button.disabled = false;
      }
    },
  },
  h("h2", null, "A new rehearsal"), h("div", { class: "fields" }, main),
  h("details", null, h("summary", null, "Who comes"), people, rest),
  h("details", null, h("summary", null, "What the network does"), way), wrong, h("p", null, button));
  return node;
}

/** How far one is, with a way to end it. */
function progress(one) {
  const bar = h("progress", { max: 1, "aria-label": "Progress of the rehearsal" });
  const words = h("p", { role: "status" });
  const stop = h("button", {
    type: "button", class: "second small",
    onclick: async () => {
      if (!(await ask({ title: "End this rehearsal?", text: "What it has come to so far is lost.", yes: "End it" }))) return;
      await call("DELETE", `/v1/rehearsals/${one.id}`).catch((error) => toast(error.message, true));
    },
  }, "Cancel");
  const node = h("section", { class: "card rehearsal-now" }, h("h2", null, `${one.title}, ${many(one.buyers, "buyer")}`), bar, words, stop);
  node.update = ({ progress: { step, done, of } }) => {
    if (step === "linking" || step === "selling") bar.value = ((step === "linking" ? 0 : 0.3) + (of ? done / of : 0) * (step === "linking" ? 0.3 : 0.6)).toFixed(3);
    else if (step === "settling") bar.value = 0.95;
    else bar.removeAttribute("value");
    say(words, STEPS[step] + (of && step !== "settling" ? `: ${count(done)} of ${count(of)}` : ""));
  };
  node.update(one);
  return node;
}

function past(list) {
  const row = (one) => {
    const [name, kind] = one.status === "done" && !one.holds ? ["Checks broken", "bad"] : STATUS[one.status];
    const open = one.status === "done" ? h("a", { href: `#/rehearsal/${one.id}` }, one.title) : h("span", null, one.title);
    return h("li", null, h("span", null, open, h("span", { class: "dim small" }, ` · ${many(one.buyers, "buyer")} · ${when(one.created_at)}`)), h("span", { class: `chip ${kind}` }, name));
  };
  return h("section", { class: "card" }, h("h2", null, "The last rehearsals"),
    list.length ? h("ul", { class: "rehearsals" }, list.map(row)) : h("p", { class: "dim" }, "None yet. The last five since the till was started appear here."));
}

export function open(main, [id], { query }) {
  let timer = null;
  let gone = false;
  const again = (what, after) => { if (!gone) timer = setTimeout(what, after); };
  const failed = (error) => show(main, h("h1", null, "Rehearsal"), h("p", { class: "banner bad", role: "alert" }, error.message), h("p", null, h("a", { href: "#/rehearsal" }, "All rehearsals")));

  async function one() {
    const found = await get(`/v1/rehearsals/${encodeURIComponent(id)}`);
    if (gone) return;
    if (found.result) return show(main, result(found));
    show(main, h("h1", null, "Rehearsal"), h("p", null, found.trouble ?? "This rehearsal has no result."), h("p", null, h("a", { href: "#/rehearsal" }, "All rehearsals")));
  }

  async function home() {
    const [offers, { data }] = await Promise.all([all("/v1/offers"), get("/v1/rehearsals")]);
    if (gone) return;
    const now = h("div");
    const before = h("div");
    let shown = null;
    async function look() {
      let list;
      try {
        list = (await get("/v1/rehearsals")).data;
      } catch {
        return again(look, 3000);
      }
      if (gone) return;
      const running = list.find((each) => each.status === "running");
      if (shown && (!running || running.id !== shown.id)) {
        const ended = list.find((each) => each.id === shown.id);
        shown = null;
        show(now);
        if (ended?.status === "done") return void (location.hash = `#/rehearsal/${ended.id}`);
        if (ended?.trouble) show(now, h("p", { class: "banner bad", role: "alert" }, `It could not be played: ${ended.trouble}`));
        else toast("The rehearsal was cancelled.");
      }
      show(before, past(list.filter((each) => each.status !== "running")));
      if (!running) return;
      if (!shown) show(now, (shown = { id: running.id, node: progress(running) }).node);
      shown.node.update(running);
      again(look, 700);
    }
    const start = async (body) => {
      await post("/v1/rehearsals", body);
      clearTimeout(timer);
      await look();
      now.scrollIntoView({ block: "nearest" });
    };
    show(main, h("div", { class: "rehearsal-page" }, h("h1", null, "Rehearsal"),
      h("p", { class: "dim" }, "Simulated buyers against a copy of an offer, on a sandbox till of its own: who gets one, who does not and why, and how long it takes. Nothing real is posted, held or charged."),
      now, form(offers.filter((each) => each.kind === "purchase"), query.get("offer"), start), before));
    show(before, past(data.filter((each) => each.status !== "running")));
    await look();
  }

  (id ? one() : home()).catch(failed);
  return () => {
    gone = true;
    clearTimeout(timer);
  };
}
