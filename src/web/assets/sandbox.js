// A sandbox's clock, which one can move, and the way to its playground.

import { field, h, say, show, toast } from "./dom.js";
import { get, post } from "./api.js";
import { when } from "./format.js";

const STEPS = [[60, "1 minute"], [900, "15 minutes"], [86400, "1 day"]];

/** A few buttons that move the clock on; `moved(now)` hears of it. */
export function clock(moved = () => {}) {
  const buttons = STEPS.map(([seconds, name]) => h("button", {
    class: "second",
    onclick: async () => {
      for (const one of buttons) one.disabled = true;
      try {
        const { now } = await post("/v1/sandbox/clock", { advance_seconds: seconds });
        moved(now);
        toast(`It is ${when(now)} now. What was due by then has happened.`);
      } catch (error) {
        toast(error.message, true);
      } finally {
        for (const one of buttons) one.disabled = false;
      }
    },
  }, `+ ${name}`));
  return h("div", { class: "actions", role: "group", "aria-label": "Move the clock" }, buttons);
}

export function open(main) {
  const shown = h("p", { class: "desk-clock", "aria-live": "polite" });
  const far = h("input", { type: "number", min: 1, value: 7, step: 1 });
  const days = field("Days", far);
  let offset = 0;
  const tick = () => say(shown, new Date(Date.now() + offset).toLocaleString());
  const set = (now) => { offset = new Date(now) - Date.now(); tick(); };
  get("/v1/me").then((me) => set(me.now)).catch((error) => say(shown, error.message));
  const timer = setInterval(tick, 1000);
  show(main, h("h1", null, "Sandbox"),
    h("div", { class: "desk-columns" },
      h("section", { class: "card" }, h("h2", null, "The till's clock"), shown, clock(set),
        h("p", { class: "small dim desk-note" }, "It only goes forward. Holds run out, offers begin and end, and replies go stale as if the time had passed."),
        h("form", {
          class: "in-line",
          onsubmit: async (event) => {
            event.preventDefault();
            days.error(null);
            try {
              set((await post("/v1/sandbox/clock", { advance_seconds: Math.round(Number(far.value) * 86400) })).now);
            } catch (error) {
              days.error(error.message);
            }
          },
        }, days, h("button", { class: "second" }, "Move on"))),
      h("section", { class: "card" }, h("h2", null, "The playground"), h("p", null, "A little social network in a page: post, repost and delete as anybody, and see what the till replies."),
        h("a", { class: "button", href: "/playground" }, "Open the playground"))));
  return () => clearInterval(timer);
}
