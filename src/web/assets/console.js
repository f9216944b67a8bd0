// The console: who is signed in, where one is, and the view that is shown there. What a view shows is its own file's
// affair: it exports `title` and `open(main, params, context)`, which returns what to do when it is left.

import { h, show, field, say } from "./dom.js";
import { ApiError, get, session } from "./api.js";
import { watch } from "./live.js";
import { many } from "./format.js";

/** Where one can go, in the order of the menu. `who`: whose token it takes. */
const PLACES = [
  { path: "", name: "Now", load: () => import("./now.js") },
  { path: "offers", name: "Offers", load: () => import("./offers.js") },
  { path: "purchases", name: "Purchases", admin: true, load: () => import("./purchases.js") },
  { path: "orders", name: "Orders", load: () => import("./orders.js") },
  { path: "accounts", name: "Accounts", admin: true, load: () => import("./accounts.js") },
  { path: "merchants", name: "Merchants", admin: true, load: () => import("./merchants.js") },
  { path: "webhooks", name: "Webhooks", load: () => import("./webhooks.js") },
  { path: "bridges", name: "Networks", admin: true, load: () => import("./bridges.js") },
  { path: "tokens", name: "Tokens", admin: true, load: () => import("./tokens.js") },
  { path: "backups", name: "Backups", admin: true, load: () => import("./backups.js") },
  { path: "log", name: "Log", load: () => import("./log.js") },
  { path: "rehearsal", name: "Rehearsal", admin: true, load: () => import("./rehearsal.js") },
  { path: "sandbox", name: "Sandbox", admin: true, sandbox: true, load: () => import("./sandbox.js") },
];

const app = document.getElementById("app");
let leave = null;
let frame = null;
let unwatch = null;
/** Counts the ways taken: who is overtaken on the way shows nothing. */
let way = 0;

/** Who is signed in, as the till says: `{role, merchant}`. */
const context = { me: null };

/** A part of an address; as it is where nobody wrote it so. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function place(hash) {
  const [path, ...params] = hash.replace(/^#\/?/, "").split("?")[0].split("/").map(decoded);
  return { path, params, query: new URLSearchParams(hash.split("?")[1] ?? "") };
}

function allowed(one) {
  return (!one.admin || context.me?.role === "admin") && (!one.sandbox || context.me?.sandbox);
}

function signIn(why) {
  leave?.();
  unwatch?.();
  leave = frame = unwatch = null;
  context.me = null;
  document.title = "Sign in · tagtill";
  const input = h("input", { type: "password", name: "token", autocomplete: "current-password", required: true, autocapitalize: "none", spellcheck: "false" });
  const remember = h("input", { type: "checkbox", name: "remember" });
  const token = field("Token", input, { hint: ["An admin token, which the till showed on its first start, or a merchant's. ", h("code", null, "tagtill token create"), " makes more."] });
  const button = h("button", { type: "submit" }, "Sign in");
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      token.error(null);
      button.disabled = true;
      try {
        context.me = await get("/v1/me", { token: input.value.trim() });
        session.signIn(input.value.trim(), remember.checked);
        go();
      } catch (error) {
        token.error(error.status === 401 ? "The till does not know this token." : error.message);
        input.focus();
      } finally {
        button.disabled = false;
      }
    },
  },
  // For password managers, which keep a token under a name.
  h("input", { type: "text", name: "username", autocomplete: "username", value: "tagtill", hidden: true }), token, h("label", { class: "choice" }, remember, h("span", null, "Stay signed in on this device")), button);
  show(app, h("main", { class: "signin" },
    h("a", { class: "brand", href: "/" }, h("img", { src: document.querySelector("link[rel=icon]").href, alt: "" }), "tagtill"),
    h("div", { class: "card" },
      h("h1", null, "Sign in"),
      h("p", { class: "banner", role: "alert", hidden: !why }, why ?? ""), form)));
  input.focus();
}

function build() {
  const side = h("header", { class: "side" });
  const menu = h("button", {
    class: "menu second small", "aria-expanded": "false", "aria-controls": "places",
    onclick: () => menu.setAttribute("aria-expanded", String(side.classList.toggle("open"))),
  }, "Menu");
  const list = h("ul", null, PLACES.filter(allowed).map((one) => h("li", null, h("a", { href: `#/${one.path}` }, h("span", null, one.name), h("span", { class: "badge", hidden: true })))));
  const who = context.me.role === "admin" ? "Signed in as admin" : `Signed in as ${context.me.name ?? "a merchant"}`;
  show(side,
    h("a", { class: "brand", href: "#/" }, h("img", { src: document.querySelector("link[rel=icon]").href, alt: "" }), "tagtill"),
    menu,
    h("nav", { id: "places", "aria-label": "Console" }, list),
    h("div", { class: "foot" }, h("p", null, who), h("button", { class: "second small", onclick: () => session.signOut() }, "Sign out")));
  const main = h("main", { class: "work", id: "main", tabindex: "-1" });
  show(app, h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, "Skip to the content"),
    h("div", { class: "frame" }, side, main));
  frame = { side, main, list, menu };
  unwatch = watch(context.me.merchant ? `merchant:${context.me.merchant}` : context.me.role, ({ overview }) => overview && badges(overview));
}

/** Numbers in the menu: what needs a person, what is to be shipped. */
function badges({ needs, orders_unshipped: unshipped }) {
  const grave = needs.filter((need) => need.severity !== "low");
  const urgent = needs.some((need) => need.severity === "high");
  for (const [path, number, kind, about] of [
    ["", grave.length, urgent ? "bad" : "warn", many(grave.length, "thing needs you", "things need you")],
    ["orders", unshipped, "", many(unshipped, "order to ship", "orders to ship")],
  ]) {
    const badge = frame.list.querySelector(`a[href="#/${path}"] .badge`);
    if (!badge) continue;
    badge.hidden = !number;
    badge.className = `badge ${kind}`;
    if (badge.dataset.number === String(number)) continue;
    badge.dataset.number = number;
    show(badge, h("span", { "aria-hidden": "true" }, number > 999 ? "999+" : number), h("span", { class: "visually-hidden" }, about));
  }
}

async function go() {
  const { path, params, query } = place(location.hash);
  const found = PLACES.find((one) => one.path === path && allowed(one)) ?? PLACES[0];
  const fresh = !frame;
  if (fresh) build();
  frame.side.classList.remove("open");
  frame.menu.setAttribute("aria-expanded", "false");
  for (const link of frame.list.querySelectorAll("a")) {
    if (link.getAttribute("href") === `#/${found.path}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  leave?.();
  leave = null;
  const mine = (way += 1);
  const main = frame.main;
  document.title = `${found.name} · tagtill`;
  try {
    const view = await found.load();
    if (mine !== way || main !== frame?.main) return;
    show(main);
    scrollTo(0, 0);
    leave = view.open(main, params, { ...context, query }) ?? null;
  } catch (error) {
    if (mine !== way) return;
    show(main, h("h1", null, found.name), h("p", { class: "banner bad", role: "alert" }, "This page could not be opened: the till may be stopped. Reload once it is back."));
    throw error;
  }
  if (!fresh) main.focus({ preventScroll: true });
}

async function start() {
  if (!session.token) return signIn();
  try {
    context.me = await get("/v1/me");
    await go();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) signIn(error.message);
  }
}

addEventListener("signedout", (event) => signIn(event.detail));
addEventListener("hashchange", () => context.me && go());
start();
