// Who sends how much to whom, now: actors in a column for each node, messages between them as lines.

import {column, h, keep_in_step, s, scroller, set_attribute, set_text} from "./dom.js";
import {rate} from "./format.js";
import {live} from "./live.js";

const window_s = 5,
  rows_shown = 15;
const box_width = 132,
  box_height = 22,
  row_height = 30,
  gap = 190,
  top = 36;

/** [{from, to, per_second}] between actors that are known, most first. */
const current_flows = () => {
  const sums = new Map();
  for (const {from, to, count} of live.flows) {
    if (!live.actors.has(from) || !live.actors.has(to)) continue;
    const key = `${from} ${to}`;
    sums.set(key, (sums.get(key) ?? 0) + count);
  }
  return [...sums]
    .map(([key, sum]) => {
      const [from, to] = key.split(" ");
      return {key, from, to, per_second: sum / window_s};
    })
    .sort((a, b) => b.per_second - a.per_second || (a.key < b.key ? -1 : 1));
};

const node_of = (id) => id.slice(0, id.indexOf(":"));

/** Places of all actors that send or receive, those once seen included, so that nothing jumps about. */
const places_of = (seen) => {
  const places = new Map(),
    nodes = [...live.nodes.keys()];
  nodes.forEach((node, i) => {
    const ids = [...seen].filter((id) => node_of(id) === node && live.actors.has(id));
    ids.sort((a, b) => (live.actors.get(a).name < live.actors.get(b).name ? -1 : 1));
    ids.forEach((id, j) => places.set(id, {x: 10 + i * (box_width + gap), y: top + j * row_height}));
  });
  return {places, nodes};
};

/** Between columns from side to side; within one as a bow at its right. */
const path_of = (a, b) => {
  const ay = a.y + box_height / 2,
    by = b.y + box_height / 2;
  if (a.x === b.x) {
    const x = a.x + box_width,
      bow = 24 + Math.min(60, Math.abs(by - ay) / 3);
    return `M${x} ${ay}C${x + bow} ${ay} ${x + bow} ${by} ${x + 4} ${by}`;
  }
  const right = b.x > a.x,
    from = right ? a.x + box_width : a.x,
    to = right ? b.x - 4 : b.x + box_width + 4;
  const middle = (from + to) / 2;
  return `M${from} ${ay}C${middle} ${ay} ${middle} ${by} ${to} ${by}`;
};

const flow_map = () => {
  const lines = s("g"),
    boxes = s("g"),
    heads = s("g");
  const tip = s(
    "marker",
    {
      id: "flow-tip",
      viewBox: "0 0 8 8",
      refX: 6,
      refY: 4,
      markerWidth: 7,
      markerHeight: 7,
      markerUnits: "userSpaceOnUse",
      orient: "auto",
    },
    s("path", {d: "M0 0l8 4-8 4z"}),
  );
  const svg = s("svg", {class: "flows", role: "img"}, s("defs", null, tip), heads, lines, boxes);
  const seen = new Set();
  const show = (flows) => {
    for (const id of seen) if (!live.actors.has(id)) seen.delete(id);
    for (const {from, to} of flows) seen.add(from).add(to);
    const {places, nodes} = places_of(seen);
    const width = 20 + nodes.length * box_width + Math.max(0, nodes.length - 1) * gap + 80;
    const height = Math.max(120, ...[...places.values()].map(({y}) => y + row_height + 10));
    for (const [name, value] of Object.entries({viewBox: `0 0 ${width} ${height}`, width, height}))
      set_attribute(svg, name, value);
    set_attribute(svg, "aria-label", `Messages between ${places.size} actors; the table below lists the most`);
    keep_in_step(
      heads,
      nodes,
      (node) => node,
      (node) => s("text", {class: "node", y: 20}, node),
      (head, node) => set_attribute(head, "x", 10 + nodes.indexOf(node) * (box_width + gap)),
    );
    keep_in_step(
      boxes,
      [...places.keys()],
      (id) => id,
      (id) =>
        s(
          "g",
          null,
          s("rect", {width: box_width, height: box_height, rx: 4}),
          s("text", {x: 8, y: 15}),
          s("title", null, id),
        ),
      (box, id) => {
        const {x, y} = places.get(id);
        set_attribute(box, "transform", `translate(${x} ${y})`);
        set_text(box.children[1], live.actors.get(id).name);
      },
    );
    keep_in_step(
      lines,
      flows.filter(({from, to}) => from !== to),
      ({key}) => key,
      () => s("path", {"marker-end": "url(#flow-tip)"}, s("title")),
      (line, {from, to, per_second}) => {
        set_attribute(line, "d", path_of(places.get(from), places.get(to)));
        set_attribute(line, "stroke-width", (1 + Math.min(5, Math.log10(1 + per_second) * 1.6)).toFixed(1));
        set_attribute(line, "class", node_of(from) === node_of(to) ? "near" : "far");
        set_text(line.firstChild, `${from} to ${to}: ${rate(per_second)} a second`);
      },
    );
  };
  return {root: svg, show};
};

export const flows_panel = () => {
  const map = flow_map(),
    body = h("tbody");
  const none = h("p", {class: "note plain"}, "No messages in the last seconds.");
  const table = h(
    "table",
    null,
    h("thead", null, h("tr", null, column("From"), column("To"), column("Per second", {number: true}))),
    body,
  );
  const label = (id) => `${node_of(id)} ${live.actors.get(id).name}`;
  const update = () => {
    const flows = current_flows();
    map.show(flows);
    none.hidden = flows.length > 0;
    keep_in_step(
      body,
      flows.slice(0, rows_shown),
      ({key}) => key,
      () => h("tr", null, h("td"), h("td"), h("td", {class: "number"})),
      (row, {from, to, per_second}) =>
        [label(from), label(to), rate(per_second)].forEach((text, i) => set_text(row.cells[i], text)),
    );
  };
  return {
    root: h(
      "div",
      null,
      none,
      h("div", {class: "columns"}, scroller("Map of messages", map.root), scroller("Most messages", table)),
    ),
    update,
  };
};
