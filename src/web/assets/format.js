// How money, times and numbers read, in the reader's own language and time zone.

const locale = navigator.language || "en";

/** Money of the API: minor units, by each currency's own number of digits. */
export function money({ amount, currency }) {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

/** Minor units of what somebody typed, as in 14.99; null where it is no amount. */
export function minor(text, currency) {
  const digits = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  const match = /^\s*(\d{1,9})(?:[.,](\d+))?\s*$/.exec(text);
  if (!match || (match[2]?.length ?? 0) > digits) return null;
  return Number(match[1] + (match[2] ?? "").padEnd(digits, "0"));
}

/** The other way: what stands in a field for an amount. */
export function decimal({ amount, currency }) {
  const digits = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  return (amount / 10 ** digits).toFixed(digits);
}

export const count = (number) => new Intl.NumberFormat(locale).format(number);
export const percent = (part) => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }).format(part);

const clockFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minuteFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const whenFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const dayFormat = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short" });

/** `14:05:09` */
export const clock = (time) => clockFormat.format(new Date(time));
/** `14:05` */
export const minute = (time) => minuteFormat.format(new Date(time));
/** `12 Feb 2013, 14:05` */
export const when = (time) => whenFormat.format(new Date(time));
/** `Tue, 12 Feb` */
export const day = (time) => dayFormat.format(new Date(time));

/** `2:09`, `1:02:09`: what is left of a countdown. */
export function countdown(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  const [hours, minutes, rest] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** `40 s`, `3 min`, `2 h`, `5 d` */
export function duration(seconds) {
  const rounded = Math.round(seconds);
  if (rounded < 90) return `${rounded} s`;
  if (rounded < 5400) return `${Math.round(rounded / 60)} min`;
  if (rounded < 129600) return `${Math.round(rounded / 3600)} h`;
  return `${Math.round(rounded / 86400)} d`;
}

/** `1 order`, `2 orders` */
export const many = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;

/** `#BuyTea`, however it was written down: with its sign, or without. */
export const hashtag = (tag) => `#${tag.replace(/^[#＃]/, "")}`;

const NETWORKS = { x: "X", bluesky: "Bluesky", mastodon: "Mastodon", sandbox: "Sandbox" };
export const network = (slug) => NETWORKS[slug] ?? slug;
/** `waits_for_this` as people write it: `Waits for this`. */
export const words = (code) => {
  const text = code.replaceAll("_", " ").replaceAll(".", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
