// The actors of all nodes: as trees by node, or all in one order; where load is, cells are tinted. One of them in detail
// stands beside the list.

import {column, h, keep_in_step, scroller, set_attribute, set_text} from "./dom.js";
import {count, decoded, micros, millis, rate, share} from "./format.js";
import {live} from "./live.js";
import {open_actor} from "./view_actor.js";

const node_of = (id) => id.slice(0, id.indexOf(":"));
const number_of = (id) => Number.parseInt(id.slice(id.indexOf(":") + 1), 10) || Number.MAX_SAFE_INTEGER;

/** Of each column: its title, what it sorts by, its text, and, where load shows, when it is wholly tinted. */
const columns = [
  {key: "name", title: "Actor", value: (a) => a.name},
  {key: "state", title: "State", value: (a) => a.state ?? "", text: (a) => a.state ?? ""},
  {
    key: "per_second",
    title: "Per s",
    hint: "messages a second",
    value: (a) => a.per_second,
    text: (a) => rate(a.per_second),
    hot: 5000,
  },
  {key: "busy", title: "Busy", hint: "share of one thread", value: (a) => a.busy, text: (a) => share(a.busy), hot: 1},
  {
    key: "depth",
    title: "Mailbox",
    hint: "messages that wait or are worked on",
    value: (a) => a.mailbox.depth,
    text: (a) => count(a.mailbox.depth),
    hot: 100,
  },
  {
    key: "oldest",
    title: "Oldest",
    hint: "how long the oldest of them has waited",
    value: (a) => a.mailbox.oldest_ms,
    text: (a) => millis(a.mailbox.oldest_ms),
    hot: 100,
  },
  {
    key: "p50",
    title: "p50",
    hint: "time that a message takes, median",
    value: (a) => a.took_us?.p50,
    text: (a) => micros(a.took_us?.p50),
  },
  {
    key: "p99",
    title: "p99",
    hint: "time that a message takes, 99th percentile",
    value: (a) => a.took_us?.p99,
    text: (a) => micros(a.took_us?.p99),
    hot: 20000,
  },
  {
    key: "max",
    title: "Max",
    hint: "the longest that a message took",
    value: (a) => a.took_us?.max,
    text: (a) => micros(a.took_us?.max),
    hot: 100000,
  },
  {key: "processed", title: "Processed", value: (a) => a.processed, text: (a) => count(a.processed)},
  {key: "errors", title: "Errors", value: (a) => a.errors, text: (a) => count(a.errors), hot: 1},
  {key: "restarts", title: "Restarts", value: (a) => a.restarts, text: (a) => count(a.restarts), hot: 1},
];

/** Short-lived actors beyond a bound come as one, which has no page. */
export const is_sum = (id) => id.endsWith("*");

/** From 0 to 1, so that ten times the load is one step more. */
const heat_of = (value, hot) => (value > 0 ? Math.min(1, Math.max(0, 1 + Math.log10(value / hot) / 3)) : 0);

const compare = (a, b) => {
  const none_a = a === null || a === undefined,
    none_b = b === null || b === undefined;
  if (none_a || none_b) return none_a === none_b ? 0 : none_a ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
};

/** What the list shows: a row for each node, and for each of its actors one below its parent's. */
const arrange = ({filter, node, flat, closed, by, down}) => {
  const matches = (actor) =>
    filter === "" || `${actor.id} ${actor.name} ${actor.state ?? ""}`.toLowerCase().includes(filter);
  const order = (a, b) => {
    const way = by === null ? number_of(a.id) - number_of(b.id) : compare(by.value(a), by.value(b)) * (down ? -1 : 1);
    return way || number_of(a.id) - number_of(b.id) || (a.id < b.id ? -1 : 1);
  };
  const all = [...live.actors.values()].filter((actor) => node === "" || node_of(actor.id) === node);
  if (flat)
    return all
      .filter(matches)
      .sort(order)
      .map((actor) => ({key: actor.id, actor, depth: 0, children: 0}));

  const below = new Map(); // by the id of the parent, or the name of the node
  for (const actor of all) {
    const parent = actor.parent !== null && live.actors.has(actor.parent) ? actor.parent : node_of(actor.id);
    if (!below.has(parent)) below.set(parent, []);
    below.get(parent).push(actor);
  }
  const rows = [];
  /** Gives whether anything of it is shown; a parent is when a child matches. */
  const add = (actor, depth) => {
    const place = rows.length,
      children = below.get(actor.id) ?? [];
    const row = {key: actor.id, actor, depth, children: children.length, open: !closed.has(actor.id)};
    rows.push(row);
    let inside = false;
    for (const child of children.sort(order)) inside = add(child, depth + 1) || inside;
    if (!row.open && filter === "") rows.length = place + 1;
    if (matches(actor) || inside) return true;
    rows.length = place;
    return false;
  };
  for (const one of live.nodes.values()) {
    if (node !== "" && one.name !== node) continue;
    const actors = (below.get(one.name) ?? []).sort(order),
      place = rows.length;
    rows.push({key: one.name, node: one, depth: 0, children: actors.length, open: !closed.has(one.name)});
    for (const actor of actors) add(actor, 1);
    if (closed.has(one.name) && filter === "") rows.length = place + 1;
  }
  return rows;
};

const make_row = (row, toggle) => {
  const fold = h("button", {type: "button", class: "fold", onclick: () => toggle(row.key)});
  const name = row.node
    ? h("b")
    : is_sum(row.key)
      ? h("span")
      : h("a", {href: `#/actors/${encodeURIComponent(row.key)}`});
  const number = row.node || is_sum(row.key) ? null : h("span", {class: "hint"}, ` ${number_of(row.key)}`);
  const first = h("th", {scope: "row", class: "actor"}, fold, name, number);
  const element = h("tr", {class: row.node ? "group" : null}, first);
  if (row.node) element.append(h("td", {colspan: columns.length - 1}));
  else element.append(...columns.slice(1).map(({key}) => h("td", {class: key === "state" ? "text" : "number"})));
  element.parts = {fold, name, first};
  return element;
};

const update_row = (element, row, flat, selected) => {
  const {fold, name, first} = element.parts;
  first.style.setProperty("--depth", row.depth);
  fold.hidden = row.children === 0;
  set_attribute(fold, "aria-expanded", String(row.open));
  set_attribute(fold, "aria-label", `Actors below ${row.node ? row.node.name : row.actor.name}`);
  if (row.node) {
    set_text(name, row.node.name);
    const ready = row.node.ready ? "ready" : row.node.not_ready_reason;
    const text = row.node.reachable ? `${row.node.role}, ${ready}` : (row.node.reason ?? "no answer");
    set_text(element.cells[1], text);
    set_attribute(element.cells[1], "class", row.node.reachable ? "text" : "text bad");
    return;
  }
  const actor = row.actor;
  set_text(name, flat ? `${node_of(actor.id)} ${actor.name}` : actor.name);
  set_attribute(name, "title", actor.id);
  set_attribute(
    element,
    "class",
    `${actor.alive ? "" : "gone"}${actor.id === selected ? " selected" : ""}`.trim() || null,
  );
  set_attribute(name, "aria-current", actor.id === selected ? "true" : null);
  columns.slice(1).forEach((one, i) => {
    const cell = element.cells[i + 1];
    set_text(cell, one.text(actor));
    if (one.key === "state") set_attribute(cell, "title", actor.state);
    if (one.hot) cell.style.setProperty("--heat", heat_of(one.value(actor), one.hot).toFixed(2));
  });
};

export const open = (rest) => {
  const choice = {filter: "", node: "", flat: false, closed: new Set(), by: null, down: true};
  let detail = null; // {id, view}
  const filter = h("input", {
    type: "search",
    placeholder: "name, state, id",
    oninput: () => ((choice.filter = filter.value.trim().toLowerCase()), update()),
  });
  const node = h("select", {onchange: () => ((choice.node = node.value), update())}, h("option", {value: ""}, "all"));
  node.firstChild.kaiku_key = "";
  const flat = h("input", {type: "checkbox", onchange: () => ((choice.flat = flat.checked), update())});
  const total = h("p", {class: "hint"});
  const sort_by = (one) => {
    if (choice.by === one) choice.down = !choice.down;
    else [choice.by, choice.down] = [one, one.key !== "name" && one.key !== "state"];
    heads.forEach((head, i) =>
      set_attribute(head, "aria-sort", columns[i] === choice.by ? (choice.down ? "descending" : "ascending") : null),
    );
    update();
  };
  const heads = columns.map((one) =>
    column(one.title, {number: one.key !== "name" && one.key !== "state", hint: one.hint, sort: () => sort_by(one)}),
  );
  const body = h("tbody");
  const aside = h("aside", {hidden: true, "aria-label": "One actor"});
  const toggle = (key) => {
    if (!choice.closed.delete(key)) choice.closed.add(key);
    update();
  };

  const update = () => {
    keep_in_step(
      node,
      [null, ...live.nodes.values()],
      (one) => one?.name ?? "",
      (one) => h("option", {value: one.name}, one.name),
      () => {},
    );
    const rows = arrange(choice);
    keep_in_step(
      body,
      rows,
      (row) => row.key,
      (row) => make_row(row, toggle),
      (element, row) => update_row(element, row, choice.flat, detail?.id),
    );
    const shown = rows.filter((row) => row.actor).length;
    set_attribute(total, "role", choice.filter === "" ? null : "status"); // else it would be spoken at every upload
    set_text(total, `${count(shown)} of ${count(live.actors.size)} actors`);
  };
  const go = (to) => {
    const id = to === "" ? null : decoded(to),
      before = detail?.id ?? null;
    if (before === id) return;
    detail?.view.close();
    detail = id === null ? null : {id, view: open_actor(id)};
    aside.hidden = detail === null;
    aside.replaceChildren(...(detail ? [detail.view.root] : []));
    update();
    if (detail) detail.view.root.querySelector("h2").focus();
    else ([...body.children].find((row) => row.kaiku_key === before)?.parts.name ?? filter).focus();
  };
  const labelled = (text, input) => h("label", null, h("span", null, text), input);
  const table = h("table", {class: "actors"}, h("thead", null, h("tr", null, ...heads)), body);
  const root = h(
    "div",
    {class: "split"},
    h(
      "div",
      null,
      h(
        "div",
        {class: "toolbar"},
        labelled("Filter", filter),
        labelled("Node", node),
        h("label", {class: "check"}, flat, h("span", null, "All in one list")),
        total,
      ),
      scroller("Actors", table),
    ),
    aside,
  );
  if (rest) go(rest);
  return {root, update, go, close: () => detail?.view.close()};
};
