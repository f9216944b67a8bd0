// Elements out of calls, for all pages: h("p", {class: "dim"}, "some text", h("b", null, "more")).
// Texts are always texts: nothing here makes markup out of a string.

const SVG = "http://www.w3.org/2000/svg";

function put(node, props) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
    else if (name === "value" && "value" in node) node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

function fill(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/** An element. `props`: attributes; `onclick` and the like: listeners; `style`: an object of properties. */
export function h(tag, props, ...children) {
  const node = fill(document.createElement(tag), children);
  put(node, props); // After the children: a select takes its value from its options.
  return node;
}

/** The same in SVG. */
export function s(tag, props, ...children) {
  const node = fill(document.createElementNS(SVG, tag), children);
  put(node, props);
  return node;
}

/** Puts `children` in the place of all that a node holds. */
export function show(node, ...children) {
  node.replaceChildren();
  return fill(node, children);
}

/** Puts a text there, if it is another: a screen reader hears it only then. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Brings the children of `parent` up to `rows`, keeping the element of each key: `make(row)` gives a new one,
 * `update(element, row)` brings it up to date. Focus and open menus stay where they are.
 */
export function keep(parent, rows, key, make, update) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let at = parent.firstElementChild;
  for (const row of rows) {
    const name = String(key(row));
    let node = known.get(name);
    known.delete(name);
    if (!node) {
      node = make(row);
      node.dataset.key = name;
    }
    update?.(node, row);
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  for (const node of known.values()) node.remove();
}

let fields = 0;

/** A labelled field; `error(text)` of the result says what is wrong with it. */
export function field(label, input, { hint, optional } = {}) {
  const id = input.id || `f${(fields += 1)}`;
  input.id = id;
  const wrong = h("p", { class: "error", id: `${id}-error`, hidden: true });
  const help = hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null;
  const about = [help && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
  input.setAttribute("aria-describedby", about);
  const node = h("div", { class: "field" },
    h("label", { for: id }, label, optional ? h("span", { class: "dim" }, " (optional)") : null), input, help, wrong);
  node.error = (text) => {
    wrong.hidden = !text;
    say(wrong, text ?? "");
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  node.input = input;
  return node;
}

/** Asks before something that cannot be undone; resolves to whether to go on. */
export function ask({ title, text, yes, danger = false, body = null }) {
  return new Promise((resolve) => {
    const titleId = `f${(fields += 1)}`;
    const box = h("dialog", { "aria-labelledby": titleId, class: "ask" },
      h("form", { method: "dialog" },
        h("h2", { id: titleId }, title), text ? h("p", null, text) : null, body,
        h("div", { class: "actions" },
          h("button", { class: "plain", value: "no" }, "Cancel"),
          h("button", { class: danger ? "bad" : "", value: "yes" }, yes))));
    const gone = () => box.close();
    addEventListener("signedout", gone);
    box.addEventListener("close", () => {
      removeEventListener("signedout", gone);
      box.remove();
      resolve(box.returnValue === "yes");
    });
    document.body.append(box);
    box.showModal();
  });
}

/** Says in passing what was done, or that it failed. */
export function toast(text, bad = false) {
  let shelf = document.getElementById("toasts");
  if (!shelf) {
    shelf = h("div", { id: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(shelf);
  }
  const node = h("p", { class: bad ? "toast bad" : "toast" }, text);
  shelf.append(node);
  setTimeout(() => node.remove(), bad ? 12000 : 5000);
}
