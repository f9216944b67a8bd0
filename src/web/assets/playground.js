// The playground: asks the till once a second what is new, and draws it. Who one is, and what one writes, lives here.

import { h, show, say, toast, ask } from "./dom.js";
import { openFeed } from "./playground-feed.js";
import { openSide } from "./playground-side.js";
import { avatar, clockText, firstName } from "./playground-bits.js";

const EVERY_MS = 1000;
const app = document.getElementById("app");

/** What is known: the till's state, who one is, and how far the till's clock is ahead of this one's. */
const world = { state: null, version: "", me: null, aheadMs: 0, busy: false };

/** The till's clock, in milliseconds. */
const now = () => Date.now() + world.aheadMs;

async function take(answer) {
  const body = await answer.json().catch(() => null);
  if (!answer.ok || !body) throw new Error(body?.detail ?? "That did not work. Please try again.");
  world.aheadMs = Date.parse(body.now) - Date.now();
  if (body.state && body.version !== world.version) {
    world.version = body.version;
    if (body.state.ready) draw(body.state);
    else if (!world.state) wait(body.state.trouble);
  }
}

/** Does something; resolves to whether it was done. */
async function act(deed, fields) {
  if (world.busy) return false;
  world.busy = true;
  document.body.setAttribute("aria-busy", "true");
  try {
    await take(await fetch(`/playground/${deed}`, { method: "POST", body: new URLSearchParams(fields), cache: "no-store" }));
    return true;
  } catch (error) {
    toast(error instanceof TypeError ? "The till does not answer." : error.message, true);
    return false;
  } finally {
    world.busy = false;
    document.body.removeAttribute("aria-busy");
  }
}

async function poll() {
  if (!world.busy && !document.hidden) {
    try {
      await take(await fetch(`/playground/state?after=${encodeURIComponent(world.version)}`, { cache: "no-store" }));
      lost(world.state?.trouble ?? null);
    } catch (error) {
      lost(error instanceof TypeError ? "The till does not answer. Trying again …" : error.message);
    }
  }
  setTimeout(poll, EVERY_MS);
}

function wait(trouble) {
  show(app, h("main", { class: "waiting" }, h("h1", null, "Playground"),
    h("p", { role: "status" }, trouble ?? "Setting the stage: a shop, a few offers, some people …")));
}

let parts = null;

function lost(why) {
  if (!parts) return why && wait(why);
  parts.lost.hidden = !why;
  say(parts.lost, why ?? "");
}

/** Who one can be. */
const cast = () => world.state.people.filter((person) => person.plays);
const me = () => world.state.people.find((person) => person.id === world.me);
/** What this person has to confirm. */
const myHold = () => world.state.holds.find((hold) => hold.person === world.me && hold.status === "pending" && !(hold.until && Date.parse(hold.until) < now()));

function build() {
  const ui = { now, act, me, world };
  parts = { clock: h("time", { class: "clock" }), lost: h("p", { class: "banner bad", role: "status", hidden: true }) };
  parts.heard = h("div", { class: "visually-hidden", role: "log", "aria-live": "polite" });
  parts.steps = h("ol", { class: "steps" });
  parts.chooser = chooser();
  parts.composer = composer();
  parts.feed = openFeed(ui);
  parts.side = openSide(ui);
  const move = (seconds, text) => h("button", { type: "button", class: "second small", onclick: () => act("clock", { seconds }) }, text);
  const ground = h("div", { class: "ground" },
    h("section", { class: "column", id: "feed", "aria-label": "Feed" }, h("div", { class: "card compose" }, parts.chooser.node, parts.composer.node), parts.feed.node),
    h("section", { class: "column side-column", id: "shop", "aria-label": "Shop", tabindex: "0" }, parts.side.node));
  parts.tabs = tabs(ground);
  show(app,
    h("header", { class: "top" },
      h("a", { class: "brand", href: "/playground" }, h("img", { src: document.querySelector("link[rel=icon]").href, alt: "" }), h("span", null, "tagtill ", h("span", { class: "dim" }, "playground"))),
      h("div", { class: "timebox", role: "group", "aria-label": "The till's clock" }, h("span", { class: "dim" }, "The till's clock"), parts.clock, move(60, "+1 min"), move(900, "+15 min")),
      h("button", { type: "button", class: "plain small over", onclick: startOver }, "Start over")),
    h("main", { id: "main" },
      h("section", { class: "intro" }, h("h1", null, "Sell with a post, buy with a reply"),
      h("p", { class: "dim" }, "A little social network with play money. Be somebody, post, and watch what the till makes of it.",
        world.state.threads.some((thread) => thread.posts.some((post) => post.story)) ? " The feed begins with 12 February 2013, when this was new." : null), parts.steps),
      parts.lost, parts.tabs.node, ground), parts.heard);
}

async function startOver() {
  const yes = await ask({ title: "Start over?", text: "The posts made here go, what is held is let go, and the shelves are full again. What the till has sold stays in its books.", yes: "Start over" });
  if (yes && (await act("reset", {}))) parts.composer.focus();
}

/** On a phone: the feed, or the shop beside it. */
function tabs(ground) {
  const button = (name, text) => h("button", { type: "button", class: "tab", "aria-pressed": "false", onclick: () => choose(name) }, text);
  const count = h("span", { class: "count" });
  const buttons = { feed: button("feed", "Feed"), shop: button("shop", ["Shop ", count]) };
  const choose = (name) => {
    ground.dataset.shown = name;
    for (const [one, node] of Object.entries(buttons)) node.setAttribute("aria-pressed", String(one === name));
  };
  choose("feed");
  return { node: h("div", { class: "tabs", role: "group", "aria-label": "What to show" }, Object.values(buttons)), count };
}

function chooser() {
  const who = h("p", { class: "who" });
  const list = h("div", { class: "cast" });
  const node = h("fieldset", { class: "chooser" }, h("legend", null, "Who are you?"), list, who);
  const choose = (id) => {
    world.me = id;
    const person = me();
    show(who, "You are ", h("b", null, person.name), ` @${person.handle}, who ${person.about}`, person.card ? h("span", { class: "dim" }, ` (${person.card})`) : null, ". ",
      person.card ? null : h("a", { href: "/link", target: "_blank" }, "Link a test card"));
    if (parts?.composer) refresh();
  };
  let drawn = "";
  const fill = () => {
    const known = JSON.stringify(cast());
    if (known === drawn) return;
    drawn = known;
    show(list, cast().map((person) => h("label", { class: "person" },
      h("input", { type: "radio", name: "me", value: person.id, checked: person.id === world.me, class: "visually-hidden", onchange: () => choose(person.id) }),
      avatar(person, world.state.people), h("span", null, h("span", { class: "first" }, firstName(person)), h("span", { class: "hint" }, person.hint)))));
    choose(world.me);
  };
  return { node, fill };
}

function composer() {
  const text = h("textarea", { id: "words", rows: 1, maxlength: 500, placeholder: "What do you post?", "aria-label": "What do you post?" });
  const button = h("button", { type: "submit" }, "Post");
  const tags = h("div", { class: "tags", role: "group", "aria-label": "Hashtags to use" });
  const grow = () => {
    text.style.setProperty("height", "auto");
    text.style.setProperty("height", `${text.scrollHeight + 2}px`);
    button.disabled = text.value.trim() === "";
  };
  const put = (tag) => {
    text.value = text.value.trim() ? `${text.value.trimEnd()} ${tag}` : tag;
    grow();
    text.focus();
  };
  const node = h("form", {
    class: "composer",
    onsubmit: async (event) => {
      event.preventDefault();
      const words = text.value.trim();
      if (!words) return text.focus();
      if (await act("post", { person: world.me, text: words })) {
        text.value = "";
        grow();
        parts.feed.next();
      }
    },
  }, text, h("div", { class: "bar" }, tags, button));
  text.addEventListener("input", grow);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) node.requestSubmit();
  });
  grow();
  let drawn = "";
  const draw = () => {
    const hold = myHold();
    const offers = world.state.offers.filter((offer) => offer.hashtag && offer.status === "live");
    const pass = hold && world.state.offers.find((offer) => offer.confirm_hashtag === hold.confirm)?.cancel_hashtag;
    const all = [hold?.confirm, pass, ...offers.map((offer) => offer.hashtag)].filter(Boolean);
    if (drawn === all.join()) return;
    drawn = all.join();
    show(tags, all.map((tag) => h("button", { type: "button", class: tag === hold?.confirm ? "tag-button now" : "tag-button", onclick: () => put(tag) }, tag)));
  };
  return { node, draw, focus: () => text.focus() };
}

/** What visitors posted themselves, and what was answered: a story is not theirs. */
const ownPosts = () => world.state.threads.flatMap((thread) => thread.posts).filter((post) => !post.story);

/** How far a visitor has come. */
function progress() {
  const own = ownPosts();
  const held = own.some((post) => post.author && post.verdict === "pending");
  const answered = held && own.some((post) => post.to && post.purchase);
  const bought = new Set(own.filter((post) => post.verdict === "confirmed").map((post) => post.purchase?.id));
  return [held, answered, world.state.orders.some((order) => bought.has(order.purchase))];
}

function steps() {
  const wish = ownPosts().find((post) => post.author && post.verdict === "pending")?.text.toLowerCase() ?? "";
  const { offers } = world.state;
  const wished = offers.find((one) => one.hashtag && wish.includes(one.hashtag.toLowerCase()));
  const offer = wished ?? offers.find((one) => one.hashtag && one.available !== 0) ?? offers[0];
  const done = progress();
  const at = done.indexOf(false);
  const confirm = myHold()?.confirm ?? offer.confirm_hashtag;
  const texts = [
    [["Somebody posts ", h("b", null, offer.hashtag)], done[0] ? "" : `Press ${offer.hashtag} below, then Post.`],
    [["The till answers with a ", h("b", null, "confirmation hashtag")], "It holds one for 15 minutes."],
    [["They post it: ", h("b", null, "paid, and the shop ships")], at === 2 ? `Post ${confirm}, or repost the till's answer.` : "The linked card is charged."],
  ];
  const after = "That was a sale. Try somebody whose card is declined, delete a post, or be 15 minutes late.";
  show(parts.steps, texts.map(([title, hint], index) => h("li", { class: done[index] ? "done" : "", "aria-current": index === at ? "step" : null },
    h("span", { class: "number", "aria-hidden": "true" }, done[index] ? "✓" : String(index + 1)),
    h("div", null, h("p", { class: "title" }, title, done[index] ? h("span", { class: "visually-hidden" }, " (done)") : null),
      h("p", { class: "dim hint" }, at === -1 && index === 2 ? after : hint)))));
}

/** Everything that depends on who one is. */
function refresh() {
  parts.composer.draw();
  parts.feed.draw();
  parts.side.draw();
  const { holds, orders } = world.state;
  say(parts.tabs.count, holds.length + orders.length ? String(holds.length + orders.length) : "");
  steps();
}

function draw(state) {
  const before = new Set(world.state?.threads.flatMap((thread) => thread.posts.map((post) => post.id)) ?? []);
  const first = !world.state;
  world.state = state;
  if (!cast().some((person) => person.id === world.me)) world.me = cast()[0]?.id ?? null;
  if (!parts) build();
  parts.chooser.fill();
  refresh();
  tick();
  if (first) return;
  for (const post of state.threads.flatMap((thread) => thread.posts)) {
    if (post.to && !before.has(post.id)) parts.heard.append(h("p", null, `${post.name} answers: ${post.text}`));
  }
  while (parts.heard.childElementCount > 10) parts.heard.firstChild.remove();
}

function tick() {
  if (!parts) return;
  const at = new Date(now());
  say(parts.clock, clockText(at));
  parts.clock.setAttribute("datetime", at.toISOString());
  parts.feed.tick();
  parts.side.tick();
}

setInterval(tick, 1000);
document.addEventListener("visibilitychange", () => !document.hidden && tick());
wait();
poll();
