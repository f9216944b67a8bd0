// How the shop stands, kept up to date for every view: one tab of a browser asks the till for all tabs of the same role,
// every two seconds while anybody looks, and the others hear it from that tab.

import { ApiError, send } from "./api.js";

const EVERY_MS = 2000;
const SLOWEST_MS = 30000;
/** Whoever has heard nothing for so long asks for itself. */
const SILENCE_MS = 12000;

const listeners = new Set();
let role = null;
let channel = null;
let timer = null;
let silence = null;
let release = null;
let leading = false;
let asking = null;
let failures = 0;

/** What is known: `overview` of the API, whether the till answers, how far its clock is from this machine's. */
let known = { overview: null, failing: null, offset: 0, tag: null };

/** The till's clock, in milliseconds. */
export const tillNow = () => Date.now() + known.offset;

function tell(news) {
  known = { ...known, ...news };
  for (const listener of listeners) listener(known);
}

function publish(news) {
  tell(news);
  channel?.postMessage(known);
}

async function ask() {
  clearTimeout(timer);
  asking?.abort();
  const own = (asking = new AbortController());
  const late = setTimeout(() => own.abort(), 10000);
  try {
    const answer = await send("GET", "/v1/overview", { signal: own.signal, headers: known.tag ? { "If-None-Match": known.tag } : {} });
    const overview = answer.status === 304 ? known.overview : await answer.json();
    const offset = answer.status === 304 ? known.offset : Date.parse(overview.now) - Date.now();
    failures = 0;
    if (own === asking) publish({ overview, offset, tag: answer.headers.get("ETag"), failing: null });
  } catch (error) {
    if (own !== asking || error.status === 401) return;
    failures += 1;
    publish({ failing: error instanceof ApiError && error.status ? error.message : "The till does not answer." });
  } finally {
    clearTimeout(late);
    if (own === asking && leading) {
      const hurry = known.overview && !known.overview.counted.complete ? 2 : 1;
      timer = setTimeout(ask, Math.min(SLOWEST_MS, (EVERY_MS / hurry) * 2 ** failures));
    }
  }
}

/** Becomes the tab that asks, or waits for that: the lock is free as soon as its tab is hidden or closed. */
function lead() {
  if (release) return;
  if (!navigator.locks || !channel) {
    release = () => {};
    leading = true;
    ask();
    return;
  }
  const waiting = new AbortController();
  release = () => waiting.abort();
  const held = () => new Promise((done) => {
    if (waiting.signal.aborted) return done();
    release = done;
    leading = true;
    ask();
  });
  navigator.locks.request(`tagtill-overview-${role}`, { signal: waiting.signal }, held).catch(() => {});
  listen();
}

/** Sees to it that something is heard. */
function listen() {
  clearTimeout(silence);
  silence = setTimeout(() => {
    if (!leading) ask();
    listen();
  }, SILENCE_MS);
}

function rest() {
  clearTimeout(timer);
  clearTimeout(silence);
  asking?.abort();
  asking = null;
  release?.();
  release = null;
  leading = false;
}

function look() {
  if (!listeners.size) return;
  if (document.hidden) rest();
  else lead();
}

function open(me) {
  role = me;
  failures = 0;
  known = { overview: null, failing: null, offset: 0, tag: null };
  channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(`tagtill-overview-${me}`) : null;
  channel?.addEventListener("message", ({ data }) => {
    if (data === "news?") {
      if (known.overview) channel.postMessage(known);
      return;
    }
    listen();
    tell(data);
  });
  channel?.postMessage("news?");
}

function close() {
  rest();
  channel?.close();
  channel = role = null;
}

/**
 * Calls `listener` with what is known, at once and whenever it changes; the result ends that. `me`: the role whose view
 * it is, as `/v1/me` says it.
 */
export function watch(me, listener) {
  if (role !== me) {
    close();
    open(me);
  }
  listeners.add(listener);
  listener(known);
  look();
  return () => {
    listeners.delete(listener);
    if (!listeners.size) close();
  };
}

/** Asks at once: after something was changed, or because somebody is impatient. */
export function refresh() {
  failures = 0;
  if (release) ask();
}

addEventListener("visibilitychange", look);
addEventListener("online", refresh);
addEventListener("pagehide", rest);
addEventListener("pageshow", look);
