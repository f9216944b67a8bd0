// The form of an offer: everything that one may say of it, what is rarely said folded away.

import { field, h, say } from "./dom.js";
import { decimal, minor } from "./format.js";
import { textsEditor, variantsEditor } from "./offer-lists.js";

const CURRENCIES = ["USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "KWD"];
const LANGUAGES = { en: "English", de: "German", es: "Spanish", fr: "French", ja: "Japanese" };
/** What stays as it is once an offer is made. */
const FIXED = ["merchant", "kind", "hashtag", "confirm_hashtag", "cancel_hashtag"];

/** What buyers post to confirm where nothing else is said, or null. */
export function confirmOf(tag) {
  const match = /^[#＃]?(buy)(.+)$/iu.exec(tag.normalize("NFKC").trim());
  return match ? `Confirm${match[2]}` : null;
}

/** A local time of a date field as the API has it, and back. */
const instant = (value) => (value ? new Date(value).toISOString() : null);
function local(time) {
  if (!time) return "";
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

const MISSING = "Is missing.";
const text = (props) => h("input", { type: "text", autocomplete: "off", ...props });
const whole = (value, props) => h("input", { type: "number", inputmode: "numeric", min: 1, step: 1, value: value ?? "", ...props });

/** A group of fields under a heading. */
function group(title, ...children) {
  return h("fieldset", { class: "card" }, h("legend", null, title), children);
}

function folded(title, about, open, ...children) {
  return h("details", { class: "card fold", open }, h("summary", null, h("span", null, title), h("span", { class: "dim small" }, about)), children);
}

/** A choice of a few, as buttons of which one is down. */
function choice(name, label, options, value, onchange) {
  const group = h("div", { class: "segments", role: "radiogroup", "aria-label": label },
    Object.entries(options).map(([key, text]) => h("label", null, h("input", { type: "radio", name, value: key, checked: key === value, onchange: () => onchange(key) }), h("span", null, text))));
  return group;
}

/** An amount of money in the currency of the whole form. */
function amount(label, value, options) {
  const input = text({ inputmode: "decimal", placeholder: "14.99", value: value ? decimal(value) : "" });
  return field(label, input, options);
}

function when(label, value, hint) {
  const input = h("input", { type: "datetime-local", value: local(value) });
  const node = field(label, input, { hint: " ", optional: true });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const tell = () => say(node.querySelector(".hint"), input.value
    ? `In ${zone}. That is ${instant(input.value).slice(0, 16).replace("T", " ")} UTC.` : `${hint} Times are those of ${zone}.`);
  input.addEventListener("input", tell);
  tell();
  return node;
}

/** The form; `read()` gives the body of a request, or null where a field cannot be read. */
export function form(offer, names, context) {
  const made = offer !== null;
  const admin = context.me.role === "admin";
  let kind = offer?.kind ?? "purchase";
  let limited = made ? offer.quantity !== null || offer.variants.length > 0 : true;
  let reward = offer?.credit && "percent" in offer.credit ? "percent" : "fixed";

  const seller = h("select", { required: true }, names.size > 1 ? h("option", { value: "" }, "Choose…") : null,
    [...names].map(([value, name]) => h("option", { value }, name)));
  if (context.query.get("merchant")) seller.value = context.query.get("merchant");
  const currency = h("input", { type: "text", list: "currencies", maxlength: 3, autocapitalize: "characters", autocomplete: "off", spellcheck: "false", value: offer?.price?.currency ?? offer?.min_spend?.currency ?? "USD", readonly: made });
  const tag = text({ value: offer?.hashtag ?? "", readonly: made, autocapitalize: "none", spellcheck: "false", placeholder: "BuyTea" });
  const confirm = text({ value: offer?.confirm_hashtag ?? "", readonly: made, autocapitalize: "none", spellcheck: "false" });
  const country = text({ value: offer?.ships_to?.join(", ") ?? "", placeholder: "US, CA", autocapitalize: "characters" });
  const language = h("select", null, h("option", { value: "" }, "The till's own"),
    Object.entries(LANGUAGES).map(([value, name]) => h("option", { value }, name)),
    offer?.lang && !LANGUAGES[offer.lang] ? h("option", { value: offer.lang }, offer.lang) : null);
  language.value = offer?.lang ?? "";
  const waitlist = h("input", { type: "checkbox", checked: offer?.waitlist });
  const shortage = h("select", { value: offer?.shortage ?? "partial" },
    h("option", { value: "partial" }, "Hold what is left"), h("option", { value: "waitlist" }, "Hold what is left, the rest waits in line"));

  const fields = {
    merchant: field("Merchant", seller),
    title: field("Title", text({ value: offer?.title ?? "", maxlength: 100 }), { hint: "What is sold, in a few words. Every reply begins with it." }),
    hashtag: field("Buy hashtag", tag, { hint: made ? "Stays: buyers know it." : "Buyers post it. One that begins with Buy brings its own confirmation." }),
    confirm_hashtag: field("Confirm hashtag", confirm, { hint: " ", optional: !made }),
    cancel_hashtag: field("Hashtag to let go", text({ value: offer?.cancel_hashtag ?? "", readonly: made, autocapitalize: "none", spellcheck: "false" }),
      { optional: !made, hint: made ? "Posting it gives a held unit back." : "Posting it gives a held unit back. Left empty, it begins with Pass." }),
    price: amount("Price", offer?.price, { hint: "Tax and shipping included." }),
    "price.currency": field("Currency", currency),
    list_price: amount("List price", offer?.list_price, { optional: true, hint: "What it costs elsewhere." }),
    min_spend: amount("Least to spend", offer?.min_spend, { hint: "Less earns nothing." }),
    "credit.percent": field("Percent given back", whole(offer?.credit?.percent, { max: 100 })),
    credit: amount("Given back", reward === "fixed" ? offer?.credit : offer?.credit?.cap),
    budget: amount("Budget", offer?.budget, { optional: true, hint: "What may be given back in all." }),
    quantity: field("How many", whole(offer?.variants?.length ? null : offer?.quantity)),
    per_account_limit: field("For one account, at most", whole(offer?.per_account_limit ?? 1)),
    max_per_purchase: field("In one purchase, at most", whole(offer?.max_per_purchase ?? 1), { hint: "More than one: buyers may add x2 to their post." }),
    confirm_window_seconds: field("Minutes to confirm", whole(offer ? offer.confirm_window_seconds / 60 : 15, { step: "any" }), { hint: "They run from our reply." }),
    starts_at: when("Starts", offer?.starts_at, "Empty: at once."),
    ends_at: when("Ends", offer?.ends_at, "Empty: when it is sold out or you end it."),
    terms_url: field("Terms", h("input", { type: "url", value: offer?.terms_url ?? "", placeholder: "https" + "://" }), { optional: true, hint: "An address that replies link to, where the network allows links." }),
    ships_to: field("Ships to", country, { optional: true, hint: "Codes of two letters, with commas between. Empty: anywhere." }),
    shortage: field("Where there is less than wished for", shortage),
    lang: field("Language of replies", language, { hint: "A reply follows its post's language where the till speaks that." }),
  };
  const variants = variantsEditor(offer, () => sheet.changed(), () => draw());
  const texts = textsEditor(offer, LANGUAGES, () => language.value || "en", () => sheet.changed());

  const pair = (...children) => h("div", { class: "beside" }, children);
  const quantityChoice = choice("limited", "Stock", { so: "A number", no: "No limit" }, limited ? "so" : "no", (value) => { limited = value === "so"; draw(); sheet.changed(); });
  const rewardChoice = choice("reward", "What is given back", { fixed: "An amount", percent: "A percentage" }, reward, (value) => { reward = value; draw(); sheet.changed(); });
  const purchaseOnly = [];
  const dealOnly = [];
  const forSale = (node) => (purchaseOnly.push(node), node);
  const forDeal = (node) => (dealOnly.push(node), node);
  const wait = forSale(h("label", { class: "choice" }, waitlist, h("span", null, "Buyers may wait in line once it is sold out")));

  const node = h("div", { class: "offer-form" },
    h("datalist", { id: "currencies" }, CURRENCIES.map((value) => h("option", { value }))),
    group("What",
      made ? null : choice("kind", "Kind", { purchase: "Something for sale", deal: "A deal: money back on a card" }, kind, (value) => { kind = value; draw(); sheet.changed(); }),
      admin && !made ? fields.merchant : null, fields.title,
      pair(fields.hashtag, forSale(fields.confirm_hashtag))),
    group("Price",
      pair(forSale(fields.price), forDeal(fields.min_spend), fields["price.currency"]), forSale(fields.list_price),
      forDeal(rewardChoice), forDeal(pair(fields["credit.percent"], fields.credit)), forDeal(fields.budget)),
    group("Stock",
      h("div", { class: "quantity" }, quantityChoice, fields.quantity),
      forSale(variants.node), pair(fields.per_account_limit, forSale(fields.max_per_purchase)), wait, forSale(fields.shortage)),
    folded("When", "start, end, minutes to confirm", Boolean(offer?.starts_at || offer?.ends_at), fields.starts_at, fields.ends_at, forSale(fields.confirm_window_seconds)),
    folded("Terms, places, language", "and the hashtag to let go", Boolean(offer?.terms_url || offer?.ships_to), fields.terms_url, forSale(fields.ships_to), fields.lang, forSale(fields.cancel_hashtag)),
    folded("Own texts", "say things in your own words", texts.some(), texts.node));

  function draw() {
    for (const one of purchaseOnly) one.hidden = kind === "deal";
    for (const one of dealOnly) one.hidden = kind !== "deal";
    const sized = kind === "purchase" && variants.some();
    quantityChoice.parentElement.hidden = sized;
    fields.quantity.hidden = !limited;
    fields.shortage.hidden = kind === "deal" || !waitlist.checked;
    fields["credit.percent"].hidden = reward !== "percent";
    say(fields.credit.querySelector("label"), reward === "percent" ? "At most" : "Given back");
    say(fields.quantity.querySelector("label"), kind === "deal" ? "Places" : "How many");
    say(fields.per_account_limit.querySelector("label"), kind === "deal" ? "Credits for one account, at most" : "For one account, at most");
  }

  function tellConfirm() {
    const given = confirmOf(tag.value);
    confirm.placeholder = made ? "" : given ?? "";
    const hint = given ? `Left empty, it is #${given}.` : "Needed, because the other does not begin with Buy.";
    say(fields.confirm_hashtag.querySelector(".hint"), made ? "Posting it orders and pays." : tag.value ? hint : "Posting it orders and pays.");
  }
  tag.addEventListener("input", tellConfirm);
  waitlist.addEventListener("change", draw);

  /** Reads a field, or says what is wrong with it; quietly where somebody is still typing. */
  function reader(quiet) {
    let fine = true;
    const wrong = (name, detail) => {
      if (quiet && detail === MISSING) return null;
      if (!quiet) fields[name].error(detail);
      fine = false;
      return null;
    };
    const value = (name) => fields[name].input.value.trim();
    const code = currency.value.trim().toUpperCase();
    const cash = (name, optional) => {
      if (!value(name)) return optional ? null : wrong(name, MISSING);
      let found = null;
      try { found = minor(value(name), code); } catch { return wrong("price.currency", "Must be a code of three letters, such as USD."); }
      return found === null ? wrong(name, "Must be an amount such as 14.99.") : { amount: found, currency: code };
    };
    const number = (name, optional) => {
      if (!value(name)) return optional ? null : wrong(name, MISSING);
      return /^\d{1,15}$/.test(value(name)) ? Number(value(name)) : wrong(name, "Must be a whole number.");
    };
    return { wrong, value, cash, number, fine: () => fine, code };
  }

  /** Whether a deal says what it gives for what. */
  const terms = () => [fields.min_spend, fields.credit, ...(reward === "percent" ? [fields["credit.percent"]] : [])].every((one) => one.input.value.trim());

  const sheet = {
    node,
    changed: () => {},
    fields: () => ({ ...fields, ...variants.fields(), ...texts.fields() }),
    /** Whether enough is there to ask what it would say. */
    ready: () => Boolean(tag.value.trim() && fields.title.input.value.trim() && (kind === "deal" ? terms() : fields.price.input.value.trim()) && (!admin || made || seller.value)),
    read(quiet = false) {
      if (!quiet) for (const one of Object.values(sheet.fields())) one.error?.(null);
      const { wrong, value, cash, number, fine, code } = reader(quiet);
      const need = (name) => value(name) || wrong(name, MISSING);
      const body = { kind, title: need("title"), hashtag: need("hashtag"), per_account_limit: number("per_account_limit"), starts_at: instant(value("starts_at")), ends_at: instant(value("ends_at")), terms_url: value("terms_url") || null, lang: language.value || null, texts: texts.read() };
      if (admin) body.merchant = made ? offer.merchant : need("merchant");
      if (kind === "deal") {
        const credit = cash("credit");
        Object.assign(body, { min_spend: cash("min_spend"), credit: reward === "percent" ? { percent: number("credit.percent"), cap: credit } : credit, budget: cash("budget", true), quantity: limited ? number("quantity") : null });
      } else {
        const sized = variants.some();
        const minutes = Number(value("confirm_window_seconds"));
        Object.assign(body, {
          confirm_hashtag: value("confirm_hashtag") || null, cancel_hashtag: value("cancel_hashtag") || null, price: cash("price"), list_price: cash("list_price", true),
          quantity: sized || !limited ? null : number("quantity"), max_per_purchase: number("max_per_purchase"), waitlist: waitlist.checked,
          shortage: waitlist.checked ? shortage.value : "partial", variants: variants.read(code, quiet),
          ships_to: value("ships_to") ? value("ships_to").toUpperCase().split(/[\s,;]+/).filter(Boolean) : null,
          confirm_window_seconds: minutes > 0 ? Math.round(minutes * 60) : wrong("confirm_window_seconds", "Must be more than nothing."),
        });
        if (body.variants === null) return null;
      }
      return fine() ? body : null;
    },
    /** What differs from what was saved last. */
    changes: (body) => Object.fromEntries(Object.entries(body).filter(([name, value]) => !FIXED.includes(name) && JSON.stringify(value) !== JSON.stringify(before?.[name]))),
    saved: (body) => { before = body; },
  };
  draw();
  tellConfirm();
  let before = made ? sheet.read() : null;
  return sheet;
}
