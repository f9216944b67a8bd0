// Charts: columns, lines, parts of a whole, steps of a funnel. Each is an element with `update(data)`; what is drawn is
// also said, in a label and in a table for those who do not see it.

import { h, s, keep, say, show } from "./dom.js";
import { count, percent } from "./format.js";

/** A round number that is not less, for the top of a scale. */
export function top(value) {
  if (value <= 4) return Math.max(1, Math.ceil(value));
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 8, 10].map((step) => step * size).find((step) => step >= value);
}

/** The legend: names with their signs, and a figure of each. */
function legend(series) {
  const list = h("ul", { class: "legend" });
  list.update = (figures) => keep(list, series, (one) => one.key,
    (one) => h("li", null, h("i", { class: `sign ${one.key}` }), one.name, " ", h("b", null)),
    (node, one) => say(node.querySelector("b"), figures ? figures[one.key] ?? "" : ""));
  list.update(null);
  return list;
}

/** The same figures as a table that only screen readers find. */
function table(label, series, format) {
  const body = h("tbody");
  const node = h("div", { class: "visually-hidden" }, h("table", null, h("caption", null, label),
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "When"), series.map((one) => h("th", { scope: "col" }, one.name)))), body));
  node.update = (slices) => keep(body, slices, (slice) => slice.key,
    () => h("tr", null, h("th", { scope: "row" }), series.map(() => h("td"))),
    (row, slice) => {
      say(row.firstElementChild, slice.name);
      series.forEach((one, i) => say(row.children[i + 1], format(slice.values[one.key] ?? 0)));
    });
  return node;
}

/** The scale on the left: nothing, half, all. */
function scale(format) {
  const node = h("div", { class: "scale", "aria-hidden": "true" });
  node.update = (most) => {
    const steps = most % 2 ? [most, 0] : [most, most / 2, 0];
    keep(node, steps.map((value) => ({ value })), ({ value }) => value / most, () => h("span"), (one, { value }) => say(one, format(value)));
  };
  return node;
}

/** What stands below: the first slice, some between, the last. */
function ticks() {
  const node = h("div", { class: "ticks", "aria-hidden": "true" });
  node.update = (slices) => show(node, slices.filter((slice) => slice.tick).map((slice) => {
    const place = (slices.indexOf(slice) + 0.5) / slices.length;
    const edge = place > 0.92 ? "last" : place < 0.08 ? "first" : "";
    return h("span", { class: edge, style: edge ? {} : { left: `${place * 100}%` } }, slice.tick);
  }));
  return node;
}

const grid = () => [0, 50, 100].map((y) => s("line", { class: "grid", x1: 0, x2: 100, y1: y, y2: y }));

function frame(label, series, { format = count, plain = false } = {}) {
  const marks = s("g");
  const picture = s("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": label }, grid(), marks);
  const parts = { marks, picture, scale: scale(format), ticks: ticks(), legend: plain ? null : legend(series), table: table(label, series, format) };
  const node = h("figure", { class: "chart" },
    h("div", { class: "plot" }, parts.scale, h("div", { class: "canvas" }, picture, parts.ticks)), parts.legend, parts.table);
  return { node, ...parts };
}

/**
 * Columns over time, of one series or of several on top of each other. `series`: `[{key, name}]`; a key is also the
 * class that colours it. `update(slices, {label, figures})`: `[{key, name, tick, values: {…}}]`, in their order.
 */
export function columns(label, series, options = {}) {
  const { format = count } = options;
  const { node, marks, picture, ...parts } = frame(label, series, { plain: series.length === 1, ...options });
  const sum = (slice) => series.reduce((all, one) => all + (slice.values[one.key] ?? 0), 0);
  node.update = (slices, { label: said, figures } = {}) => {
    const most = top(Math.max(0, ...slices.map(sum)));
    const wide = 100 / slices.length;
    keep(marks, slices.map((slice, at) => ({ ...slice, at })), (slice) => slice.key,
      () => s("g", null, s("title"), s("rect", { class: "hover", y: 0, height: 100 }), series.map((one) => s("rect", { class: one.key }))),
      (group, slice) => {
        const said = series.map((one) => `${series.length > 1 ? `${one.name} ` : ""}${format(slice.values[one.key] ?? 0)}`);
        say(group.firstElementChild, `${slice.name}: ${slice.text ?? said.join(", ")}`);
        set(group.children[1], { x: slice.at * wide, width: wide });
        let below = 0;
        series.forEach((one, i) => {
          const tall = ((slice.values[one.key] ?? 0) / most) * 100;
          below += tall;
          set(group.children[i + 2], { x: slice.at * wide + wide * 0.12, width: wide * 0.76, y: 100 - below, height: tall });
        });
      });
    if (said) picture.setAttribute("aria-label", said);
    parts.scale.update(most);
    parts.ticks.update(slices);
    parts.legend?.update(figures ?? null);
    parts.table.update(slices);
  };
  return node;
}

/** A line over time for each series, with its area where there is one only. Slices as for columns. */
export function lines(label, series, options = {}) {
  const { node, marks, picture, ...parts } = frame(label, series, { plain: series.length === 1, ...options });
  node.update = (slices, { label: said, figures } = {}) => {
    const most = top(Math.max(0, ...slices.flatMap((slice) => series.map((one) => slice.values[one.key] ?? 0))));
    const x = (at) => (slices.length > 1 ? (at * 100) / (slices.length - 1) : 50);
    const points = (one) => slices.map((slice, at) => `${x(at)},${100 - ((slice.values[one.key] ?? 0) / most) * 100}`);
    keep(marks, series, (one) => one.key,
      (one) => s("g", null, series.length === 1 && s("polygon", { class: `area ${one.key}` }), s("polyline", { class: `line ${one.key}` })),
      (group, one) => {
        const line = points(one).join(" ");
        set(group.lastElementChild, { points: line });
        if (series.length === 1) set(group.firstElementChild, { points: slices.length ? `${x(0)},100 ${line} ${x(slices.length - 1)},100` : "" });
      });
    if (said) picture.setAttribute("aria-label", said);
    parts.scale.update(most);
    parts.ticks.update(slices);
    parts.legend?.update(figures ?? null);
    parts.table.update(slices);
  };
  return node;
}

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = typeof value === "number" ? String(Math.round(value * 1000) / 1000) : value;
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

/** Parts of a whole in one bar. `update([{key, value}], whole, label)`; `whole` null: there is no end. */
export function bar() {
  const node = h("div", { class: "bar", role: "img" });
  node.update = (parts, whole, label) => {
    const sum = parts.reduce((all, part) => all + part.value, 0);
    const all = whole ?? sum * 1.5;
    node.classList.toggle("endless", whole === null);
    node.setAttribute("aria-label", label);
    keep(node, parts, (part) => part.key, (part) => h("span", { class: part.key }),
      (one, part) => one.style.setProperty("width", `${all ? (part.value / all) * 100 : 0}%`));
  };
  return node;
}

/** Steps, each a part of the first. `update([{key, name, value, hint}])`; a value of null: nobody knows. */
export function funnel(label) {
  const list = h("ol", { class: "funnel", "aria-label": label });
  list.update = (steps) => {
    const known = steps.filter((step) => step.value !== null);
    const most = Math.max(1, ...known.map((step) => step.value));
    keep(list, known, (step) => step.key,
      () => h("li", null, h("span", { class: "name" }), h("span", { class: "num" }), h("span", { class: "track" }, h("span")), h("span", { class: "rest dim" })),
      (node, step) => {
        const before = known[known.indexOf(step) - 1];
        const [name, value, track, rest] = node.children;
        say(name, step.name);
        say(value, count(step.value));
        track.firstElementChild.style.setProperty("width", `${(step.value / most) * 100}%`);
        const part = before?.value ? step.value / before.value : null;
        say(rest, part === null || part > 1 ? "" : `${percent(part)} of ${before.name.toLowerCase()}`);
      });
  };
  return list;
}

let groups = 0;

/** A choice among a few views, as buttons of which one is on. `options`: `[[value, name]]`. */
export function choice(label, options, chosen, onchange) {
  const name = `choice${(groups += 1)}`;
  const pick = ([value, text]) => h("label", null,
    h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) }), h("span", null, text));
  return h("fieldset", { class: "choices" }, h("legend", { class: "visually-hidden" }, label), options.map(pick));
}
