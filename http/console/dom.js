// Elements, made and kept up to date. All text goes in as text: nothing here, or anywhere in the console, takes HTML.

const svg_space = "http://www.w3.org/2000/svg";

const set = (element, name, value) => {
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
};

const fill = (element, properties, children) => {
  for (const [name, value] of Object.entries(properties ?? {})) set(element, name, value);
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
};

/** An element: attributes, `on...` listeners, `style` as an object; children are elements or text. */
export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
/** The same for SVG. */
export const s = (tag, attributes, ...children) => fill(document.createElementNS(svg_space, tag), attributes, children);

/** Writes only what is different, so that a selection of text survives. */
export const set_text = (element, text) => {
  const wanted = text === null || text === undefined ? "" : String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
};

export const set_attribute = (element, name, value) => {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
};

/** The first control of the nearest of its neighbours that stays: those behind it come first. */
const beside = (child, stays) => {
  for (const way of ["nextElementSibling", "previousElementSibling"])
    for (let other = child[way]; other !== null; other = other[way])
      if (stays(other)) return other.querySelector(":is(a, button, input, select):not([hidden], [disabled])");
  return null;
};

/**
 * Keeps the children of `parent` in step with `items`: `make(item)` gives a new element, `update(element, item)` brings
 * one up to date. Elements stay who they are, and the focus stays where it is, also when the order changes; when the
 * element that holds it goes, it is given to a neighbour.
 */
export const keep_in_step = (parent, items, key_of, make, update) => {
  let focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const wanted = new Set(items.map(key_of)),
    there = new Map();
  // What is gone goes first: else all that stands behind it would be put in anew.
  const gone = [];
  for (const child of parent.children)
    if (wanted.has(child.kaiku_key)) there.set(child.kaiku_key, child);
    else gone.push(child);
  const holder = focused && gone.find((child) => child.contains(focused));
  if (holder) focused = beside(holder, (child) => wanted.has(child.kaiku_key)) ?? parent.closest(".scroller");
  for (const child of gone) child.remove();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = key_of(item);
    let element = there.get(key);
    there.delete(key);
    if (!element) {
      element = make(item);
      element.kaiku_key = key;
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({preventScroll: true});
};

/** A table's header cell; with `sort`, a button that calls it. */
export const column = (title, {number = false, sort = null, hint = null} = {}) =>
  h(
    "th",
    {scope: "col", class: number ? "number" : null, title: hint},
    sort ? h("button", {type: "button", class: "sort", onclick: sort}, title) : title,
  );

/** One look at a fact: its name above its value. The value's element is `.value`. */
export const figure = (name) => {
  const value = h("dd");
  const element = h("div", {class: "figure"}, h("dt", null, name), value);
  element.value = value;
  return element;
};

/** A word with a colour: `good`, `warn`, `bad`, `info`, `plain` or `accent`. */
export const badge = (text, tone = "plain") => h("span", {class: `badge ${tone}`}, text);

export const section = (title, ...children) => h("section", null, h("h2", null, title), ...children);

export const note = (text, tone = "plain") => h("p", {class: `note ${tone}`}, text);

/** A region that may be wider than the page: reached by keyboard, so that it can be scrolled. */
export const scroller = (label, ...children) =>
  h("div", {class: "scroller", role: "region", "aria-label": label, tabindex: "0"}, ...children);
