// Backups with one click, how to use one, and how a till that waits for its operator goes on.

import { ask, h, say, show, toast } from "./dom.js";
import { post, send } from "./api.js";
import { count } from "./format.js";
import { command, save } from "./desk.js";

const NAME = () => `tagtill-${new Date().toISOString().slice(0, 16).replace(/[:T]/g, "-")}.redb`;

/** `12.3 MB` */
function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let [number, at] = [bytes, 0];
  while (number >= 1000 && at < units.length - 1) [number, at] = [number / 1000, at + 1];
  return `${at ? number.toFixed(1) : count(number)} ${units[at]}`;
}

/** Where the copy is written: straight to a file where the browser can, or to memory and then to the downloads. */
async function target(name) {
  if (!window.showSaveFilePicker) {
    const parts = [];
    return { write: async (part) => parts.push(part), close: async () => save(new Blob(parts, { type: "application/octet-stream" }), name), abort: async () => {} };
  }
  const handle = await window.showSaveFilePicker({ suggestedName: name, types: [{ description: "A till's data file", accept: { "application/octet-stream": [".redb"] } }] });
  const file = await handle.createWritable();
  return { write: (part) => file.write(part), close: () => file.close(), abort: () => file.abort() };
}

function backup() {
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Progress of the backup" });
  const words = h("p", { role: "status", class: "small" });
  const stop = h("button", { type: "button", class: "second small" }, "Stop");
  const running = h("div", { class: "running", hidden: true }, bar, h("div", { class: "desk-top" }, words, stop));
  const wrong = h("div", { role: "alert" });
  const button = h("button", { id: "backup", onclick: make }, "Back up now");

  async function make() {
    show(wrong);
    const name = NAME();
    let file;
    try {
      file = await target(name);
    } catch (error) {
      if (error.name !== "AbortError") show(wrong, h("p", { class: "banner bad" }, "The browser lets no file be written there. Choose another place."));
      return;
    }
    const cancel = new AbortController();
    stop.onclick = () => cancel.abort();
    button.disabled = true;
    running.hidden = false;
    bar.removeAttribute("value");
    say(words, "The till makes a consistent copy…");
    try {
      const answer = await send("POST", "/v1/backups", { signal: cancel.signal });
      const whole = Number(answer.headers.get("Content-Length"));
      const reader = answer.body.getReader();
      let got = 0;
      let told = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        await file.write(value);
        got += value.length;
        if (performance.now() - told < 200) continue;
        told = performance.now();
        if (whole) bar.value = got / whole;
        say(words, whole ? `${size(got)} of ${size(whole)}` : size(got));
      }
      if (whole && got !== whole) throw new Error(`Only ${count(got)} of ${count(whole)} bytes came. Nothing was kept; try again.`);
      await file.close();
      bar.value = 1;
      say(words, `Done: ${name}, ${count(got)} bytes.`);
      stop.hidden = true;
    } catch (error) {
      await file.abort().catch(() => {});
      running.hidden = true;
      if (error.name !== "AbortError") show(wrong, h("p", { class: "banner bad" }, error.message));
      else toast("Stopped. Nothing was kept.");
    } finally {
      button.disabled = false;
    }
  }

  return h("section", { class: "card" }, h("h2", null, "A copy of everything"),
    h("p", null, "One file with all accounts, offers, purchases and the log, as of this moment. The till goes on selling meanwhile."),
    button, running, wrong,
    h("p", { class: "small dim desk-note" }, "It holds addresses and email addresses. Keep copies encrypted, on another machine than the till's, some of them in another place, and try now and then whether one can be restored."));
}

function howTo() {
  return h("section", { class: "card" }, h("h2", null, "Check it, and use it"),
    h("p", null, "Whether a copy is whole, without touching anything:"), command("tagtill verify tagtill-backup.redb"),
    h("p", null, "What a restore would do:"), command("tagtill restore tagtill-backup.redb --dry-run"),
    h("p", null, "In an emergency, with the till stopped:"), command("tagtill restore tagtill-backup.redb --force"),
    h("p", { class: "small" }, "It begins with captures, replies and webhooks waiting, so that nobody is charged or told twice. Look at the last orders, then let it go on here."),
    h("p", null, "Every night, by a timer:"), command("tagtill backup /somewhere/safe/tagtill.redb"));
}

/** How the till stands, by its own word. */
export async function readiness() {
  try {
    await send("GET", "/readyz");
    return null;
  } catch (error) {
    return error.message;
  }
}

/** Whether the till sells; where it waits for its operator, why, and the button. */
export function state() {
  const place = h("section", { class: "card", "aria-live": "polite" }, h("p", { class: "dim" }, "Asking the till…"));
  async function look() {
    const why = await readiness();
    const held = why && /resume/.test(why);
    show(place, h("div", { class: "desk-top" }, h("h2", null, "The till"), h("span", { class: why ? "chip bad" : "chip good" }, why ? "Waits" : "Sells")),
      why ? [h("p", null, `${why.charAt(0).toUpperCase()}${why.slice(1)}.`), held ? h("button", { onclick: resume }, "Go on…") : h("button", { class: "second small", onclick: look }, "Look again")]
        : h("p", { class: "small dim" }, "Captures, replies and webhooks go out."));
    async function resume() {
      const yes = await ask({ title: "Let the till go on?", text: `It says: ${why}. From now on cards are charged, replies are posted and webhooks sent.`, yes: "Go on" });
      if (!yes) return;
      try {
        await post("/v1/resume");
        toast("The till goes on.");
      } catch (error) {
        toast(error.message, true);
      }
      look();
    }
  }
  look();
  return place;
}

export function open(main) {
  show(main, h("h1", null, "Backups"), h("div", { class: "desk-columns" }, h("div", null, backup(), state()), howTo()));
}
