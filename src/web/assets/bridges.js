// Networks: how each bridge stands, what the till knows of its network, and who wants no replies there.

import { ask, field, h, show, toast } from "./dom.js";
import { at, del, get, put } from "./api.js";
import { count, duration, many, network, when, words } from "./format.js";
import { errors, failed, focusWrong, table } from "./desk.js";
import { limits } from "./limits.js";

/** A bridge that has said nothing for so long is missing. */
const SILENT_SECONDS = 60;
const COUNTINGS = { x: "As X counts", graphemes: "As Bluesky counts", characters: "As Mastodon counts" };

/** How a bridge stands: a chip and a sentence. */
function standing(bridge, now) {
  if (!bridge.seen_at) return [h("span", { class: "chip" }, "No bridge"), "No bridge has reported since the till started."];
  const silent = (now - new Date(bridge.seen_at)) / 1000;
  if (silent > SILENT_SECONDS) return [h("span", { class: "chip bad" }, "Silent"), `Its bridge was last heard ${duration(silent)} ago. Posts wait until it is back.`];
  const lag = bridge.lag_seconds ?? 0;
  if (lag > SILENT_SECONDS) return [h("span", { class: "chip warn" }, "Behind"), `Its bridge is ${duration(lag)} behind the network.`];
  return [h("span", { class: "chip good" }, "Running"), `Its bridge is up to date${bridge.lag_seconds === null ? "" : `, ${duration(lag)} behind the network`}.`];
}

function figures(bridge) {
  if (!bridge.seen_at) return null;
  const wrong = Object.entries(bridge.errors);
  return h("dl", { class: "facts small" },
    h("dt", null, "Posts since it started"), h("dd", null, count(bridge.posts ?? 0)),
    h("dt", null, "Replies since then"), h("dd", null, count(bridge.replies ?? 0)),
    wrong.length ? [h("dt", null, "What went wrong"), h("dd", null, wrong.map(([kind, number]) => `${words(kind)}: ${count(number)}`).join(", "))] : null);
}

/** What is kept of a network, in the order of its form: name, label, hint. */
const NUMBERS = [
  ["text_limit", "Longest reply", "As the network counts; at least 140."],
  ["replies_per_15_minutes", "Replies in 15 minutes", "Empty: no limit. What matters most goes first."],
  ["replies_per_day", "Replies in 24 hours", "Empty: no limit."],
  ["max_post_age_seconds", "Oldest post, in seconds", "Posts that are older at arrival buy nothing."],
  ["reply_wait_seconds", "Wait for a reply to go out, in seconds", "So long a hold waits before its own time begins."],
  ["grace_seconds", "Grace after the deadline, in seconds", "So long a hold is left alone once its time is over."],
];
const SWITCHES = [
  ["one_reply_per_post", "A post may be answered only once"],
  ["links_in_replies", "Replies may carry links"],
  ["mention_needed", "Only those may be answered who mention or quote the shop"],
];

function settings(found) {
  const handle = h("input", { type: "text", value: found.own?.handle ?? "", autocomplete: "off", autocapitalize: "none" });
  const id = h("input", { type: "text", value: found.own?.user_id ?? "", autocomplete: "off", autocapitalize: "none" });
  const counting = h("select", { value: found.counting }, Object.entries(COUNTINGS).map(([value, name]) => h("option", { value }, name)));
  counting.value = found.counting;
  const fields = {
    "own.handle": field("The shop's handle there", handle, { hint: "A bridge says it by itself." }),
    "own.user_id": field("The shop's id there", id, { hint: "The network's own, which never changes." }),
    counting: field("How length is counted", counting),
  };
  fields.own = fields["own.handle"];
  for (const [name, label, hint] of NUMBERS) fields[name] = field(label, h("input", { type: "number", min: 0, value: found[name] ?? "" }), { hint });
  const switches = SWITCHES.map(([name, label]) => [name, h("input", { type: "checkbox", checked: found[name] }), label]);
  const wrong = h("p", { class: "error", role: "alert", hidden: true });

  function read() {
    const body = { own: id.value.trim() || handle.value.trim() ? { user_id: id.value.trim(), handle: handle.value.trim() } : null, counting: counting.value };
    for (const [name] of NUMBERS) body[name] = fields[name].input.value === "" ? null : Number(fields[name].input.value);
    for (const [name, input] of switches) body[name] = input.checked;
    return body;
  }
  const form = h("form", {
    class: "card", novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      wrong.hidden = true;
      try {
        await put(`/v1/networks/${encodeURIComponent(found.slug)}`, read());
        for (const one of Object.values(fields)) one.error(null);
        toast("Saved.");
      } catch (error) {
        const rest = errors(fields, error);
        wrong.hidden = !rest;
        show(wrong, rest);
        focusWrong(form);
      }
    },
  }, h("h2", null, "Settings"),
  h("div", { class: "beside" }, fields["own.handle"], fields["own.user_id"]),
  h("div", { class: "beside" }, fields.text_limit, fields.counting),
  h("div", { class: "beside" }, fields.replies_per_15_minutes, fields.replies_per_day),
  switches.map(([, input, label]) => h("label", { class: "choice" }, input, h("span", null, label))),
  h("details", { class: "fold" }, h("summary", null, "Times"), fields.max_post_age_seconds, fields.reply_wait_seconds, fields.grace_seconds),
  wrong, h("button", null, "Save"));
  return form;
}

/** Replies that wait for the bridge. */
function queue(slug) {
  const place = h("div", null, h("p", { class: "dim" }, "Loading…"));
  const path = at("/v1/replies", { network: slug, limit: 200 });
  async function fill() {
    try {
      const { data } = await get(path);
      const row = (reply) => h("li", null, h("p", { class: "said" }, reply.text),
        h("p", { class: "dim small" }, `to ${reply.to.handle}, worth posting until ${when(reply.not_after)}`, reply.purchase ? [" · ", h("a", { href: `#/purchases/${reply.purchase}` }, "its purchase")] : null));
      show(place, data.length
        ? [h("p", null, data.length === 200 ? "200 replies or more wait." : `${many(data.length, "reply", "replies")} ${data.length === 1 ? "waits" : "wait"}, what matters most first.`),
          h("ul", { class: "queue" }, data.slice(0, 8).map(row)), data.length > 8 ? h("p", { class: "dim small" }, `and ${count(data.length - 8)} more`) : null]
        : h("p", { class: "dim" }, "Nothing waits now. What the till says goes out through the bridge."));
    } catch (error) {
      show(place, failed(error, fill));
    }
  }
  fill();
  return h("section", { class: "card" }, h("div", { class: "desk-top" }, h("h2", null, "Replies that wait"), h("button", { class: "second small", onclick: fill }, "Look again")), place);
}

/** Who wants no replies. */
function optOuts(slug) {
  const path = `/v1/networks/${encodeURIComponent(slug)}/opt-outs`;
  const place = h("div", { "aria-live": "polite" });
  const next = h("button", { class: "second small", hidden: true, onclick: () => fill(cursor) }, "Show more");
  const input = h("input", { type: "text", autocomplete: "off", autocapitalize: "none", required: true });
  const named = field("Id on the network", input, { hint: "The network's own id of them: handles change hands." });
  let cursor = null;
  let rows = [];
  const again = (user) => async () => {
    const yes = await ask({ title: "Post to them again?", text: `${user} asked for no replies. Only take this back if they asked for that, too.`, yes: "Post again" });
    if (!yes) return;
    try {
      await del(`${path}/${encodeURIComponent(user)}`);
      await fill();
    } catch (error) {
      toast(error.message, true);
    }
  };
  const row = (one) => h("tr", null, h("th", { scope: "row", class: "mono" }, one.user_id), h("td", null, when(one.since)),
    h("td", { class: "num" }, h("button", { class: "second small", onclick: again(one.user_id), "aria-label": `Post to ${one.user_id} again` }, "Take back…")));
  async function fill(from = "") {
    try {
      const page = await get(at(path, { cursor: from, limit: 50 }));
      rows = from ? [...rows, ...page.data] : page.data;
      cursor = page.next_cursor;
      next.hidden = !cursor;
      show(place, rows.length ? table("Who wants no replies", ["Id", "Since", { name: "" }], rows.map(row)) : h("p", { class: "dim" }, "Nobody has asked for that. Bridges add those who do."));
    } catch (error) {
      show(place, failed(error, () => fill(from)));
    }
  }
  const form = h("form", {
    class: "in-line",
    onsubmit: async (event) => {
      event.preventDefault();
      named.error(null);
      try {
        await put(`${path}/${encodeURIComponent(input.value.trim())}`, {});
        input.value = "";
        toast("They get no replies any more; what was queued for them is dropped.");
        await fill();
      } catch (error) {
        named.error(error.message);
        input.focus();
      }
    },
  }, named, h("button", { class: "small" }, "Post nothing to them"));
  fill();
  return h("section", { class: "card" }, h("h2", null, "Who wants no replies"), place, next, form);
}

function one(main, slug) {
  const body = h("div", { class: "desk-columns" });
  const state = h("div");
  let timer = 0;
  let left = false;
  document.title = `${network(slug)} · Networks · tagtill`;
  async function stand() {
    try {
      const [bridge, me] = await Promise.all([get(`/v1/networks/${encodeURIComponent(slug)}/bridge`), get("/v1/me")]);
      const [chip, sentence] = standing(bridge, new Date(me.now));
      if (!left) show(state, h("div", { class: "card apart" }, h("p", null, chip, " ", sentence, bridge.own ? ` It posts as ${bridge.own.handle}.` : null), figures(bridge)));
    } catch (error) {
      if (!left && !state.firstChild) show(state, failed(error, stand));
    }
    if (!left) timer = setTimeout(stand, 10000);
  }
  show(main, h("p", { class: "small" }, h("a", { href: "#/bridges" }, "Networks")), h("h1", null, network(slug)), state, body);
  get(`/v1/networks/${encodeURIComponent(slug)}`)
    .then((found) => {
      if (left) return;
      show(body, settings(found), h("div", null, queue(slug), optOuts(slug)));
      stand();
    })
    .catch((error) => left || show(body, failed(error, () => one(main, slug))));
  return () => { left = true; clearTimeout(timer); };
}

function overview(main) {
  const list = h("ul", { class: "offers" });
  const note = h("div", { "aria-live": "polite" }, h("p", { class: "dim" }, "Loading…"));
  let left = false;
  const card = (found, bridge, now) => {
    const [chip, sentence] = standing(bridge, now);
    return h("li", { class: "card" }, h("div", { class: "desk-top" }, h("h2", null, h("a", { href: `#/bridges/${found.slug}` }, network(found.slug))), chip),
      h("p", { class: "small" }, sentence), h("p", { class: "dim small" }, `${found.own ? `As ${found.own.handle} · ` : ""}${count(found.text_limit)} characters · ${found.replies_per_day ? `${count(found.replies_per_day)} replies a day` : "replies without a daily limit"}`));
  };
  async function fill() {
    try {
      const [{ data }, me] = await Promise.all([get("/v1/networks"), get("/v1/me")]);
      const bridges = await Promise.all(data.map((found) => get(`/v1/networks/${encodeURIComponent(found.slug)}/bridge`)));
      if (left) return;
      show(note);
      show(list, data.map((found, i) => card(found, bridges[i], new Date(me.now))));
    } catch (error) {
      if (!left) show(note, failed(error, fill));
    }
  }
  const slug = h("input", { type: "text", required: true, autocomplete: "off", autocapitalize: "none", placeholder: "friendica" });
  const naming = field("Its short name", slug, { hint: "1 to 32 of a-z, 0-9, - and _." });
  const form = h("form", {
    class: "in-line",
    onsubmit: async (event) => {
      event.preventDefault();
      naming.error(null);
      try {
        const made = await put(`/v1/networks/${encodeURIComponent(slug.value.trim())}`, {});
        location.hash = `#/bridges/${made.slug}`;
      } catch (error) {
        naming.error(error.message);
        slug.focus();
      }
    },
  }, naming, h("button", { class: "small" }, "Add it"));
  show(main, h("h1", null, "Networks"), note, list,
    h("details", { class: "card fold" }, h("summary", null, "Another network"), h("p", { class: "small" }, "Whatever speaks the till's API can be its bridge. It starts with the settings of a Mastodon server."), form),
    limits());
  fill();
  return () => { left = true; };
}

/** All networks, or one of them. */
export function open(main, params) {
  return params.length ? one(main, params[0]) : overview(main);
}
