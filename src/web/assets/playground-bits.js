// Small parts of the playground: avatars of initials, texts with their hashtags, times by the till's clock.

import { h } from "./dom.js";

const HUES = [165, 255, 20, 320, 205, 45, 285, 110];

/** What somebody is called by friends. */
export const firstName = (person) => person.name.split(" ")[0];

/** Initials in a colour of their own. */
export function avatar(person, people) {
  const at = people.findIndex((one) => one.id === person.id);
  const initials = person.name.split(" ").slice(0, 2).map((word) => word[0]).join("");
  return h("span", { class: "avatar", "aria-hidden": "true", style: { "--hue": HUES[(at < 0 ? 0 : at) % HUES.length] } }, initials);
}

/** The shop's. */
export const shopAvatar = (name) => h("span", { class: "avatar shop", "aria-hidden": "true" }, name.slice(0, 1));

/** A text whose hashtags and mentions stand out. */
export function tagged(text) {
  return text.split(/([#@][\p{L}\p{N}_]+)/u).map((part, index) => (index % 2 ? h("span", { class: "hashtag" }, part) : part));
}

/** Money as the replies write it. */
export const money = ({ amount, currency }) => {
  const format = new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
};

const two = (number) => String(number).padStart(2, "0");

/** `14:05:09 UTC` */
export const clockText = (at) => `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} UTC`;

/** `just now`, `4 min`, `2 h`, `3 d`: how long ago by the till's clock. */
export function ago(at, now) {
  const minutes = Math.floor((now - Date.parse(at)) / 60000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 2880) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / 1440)} d`;
}
