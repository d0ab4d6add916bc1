// A sequence diagram of one trace: a lifeline for the client and each actor, grouped by node; what happened runs downward
// in the order of time, but not to scale, since a disk's sync is a thousand times longer than a message.

import {h, s, scroller} from "./dom.js";
import {micros} from "./format.js";

const lane_width = 124,
  left = 76,
  head_height = 54,
  step = 26,
  small_step = 12,
  bar_width = 10,
  note_room = 210,
  path_room = 36;
const client = "client";

const lane_of = (span) => span.actor ?? `${span.node}/${span.name}`;

/** The lifelines from left to right: the client, then each node's in the order in which they came up. */
const lanes_of = (spans) => {
  const by_node = new Map();
  for (const span of spans) {
    if (!by_node.has(span.node)) by_node.set(span.node, new Map());
    by_node.get(span.node).set(lane_of(span), span.name);
  }
  const lanes = [{key: client, node: null, name: client}];
  for (const [node, names] of by_node) for (const [key, name] of names) lanes.push({key, node, name});
  return lanes;
};

/**
 * Where each span begins and ends, in pixels. Each moment that matters is one line; starts take more room than ends,
 * for their labels.
 */
const place_moments = (spans) => {
  const moments = [];
  spans.forEach((span, i) => {
    const end = span.start_us + span.took_us;
    moments.push({at: span.start_us, order: 1, span: i, start: true});
    moments.push({at: end, order: span.took_us === 0 ? 2 : 0, span: i, start: false});
  });
  moments.sort((a, b) => a.at - b.at || a.order - b.order || a.span - b.span);
  const places = spans.map(() => ({}));
  let y = head_height + 10;
  for (const moment of moments) {
    y += moment.start ? step : small_step;
    places[moment.span][moment.start ? "from" : "to"] = y;
  }
  return {places, height: y + 34};
};

const label_of = (span) =>
  span.kind === "sync"
    ? `${span.what} ${micros(span.took_us)}${span.note === null ? "" : `, ${span.note}`}`
    : span.what;
const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

const details = (span) =>
  `${span.node} ${span.name}: ${span.what}, took ${micros(span.took_us)}` +
  (span.waited_us === null ? "" : `, waited ${micros(span.waited_us)}`) +
  (span.note === null ? "" : `; ${span.note}`);

const arrow = (from, to, y, text, kind) => {
  if (from === to) {
    return s(
      "g",
      {class: `arrow ${kind}`},
      s("path", {d: `M${from} ${y - 12}h22v12h-16`, "marker-end": "url(#tip)"}),
      s("text", {x: from + 27, y: y - 3}, shortened(text, 26)),
    );
  }
  const right = to > from,
    end = to + (right ? -bar_width / 2 : bar_width / 2);
  const room = Math.floor(Math.abs(to - from) / 6.2);
  return s(
    "g",
    {class: `arrow ${kind}`},
    s("line", {x1: from, x2: end, y1: y, y2: y, "marker-end": "url(#tip)"}),
    s("text", {x: (from + to) / 2, y: y - 5, "text-anchor": "middle"}, shortened(text, Math.max(16, room))),
  );
};

const draw_lanes = (lanes, x_of, height) => {
  const out = [];
  const nodes = [...new Set(lanes.slice(1).map((lane) => lane.node))];
  for (const node of nodes) {
    const of = lanes.filter((lane) => lane.node === node),
      x = x_of(of[0].key) - lane_width / 2 + 4;
    const width = of.length * lane_width - 8;
    out.push(
      s(
        "g",
        {class: "node"},
        s("rect", {x, y: 2, width, height: height - 4, rx: 6}),
        s("text", {x: x + width / 2, y: 20, "text-anchor": "middle"}, node),
      ),
    );
  }
  for (const lane of lanes) {
    const x = x_of(lane.key);
    out.push(
      s(
        "g",
        {class: "lane"},
        s("line", {x1: x, x2: x, y1: head_height, y2: height - 8}),
        s("text", {x, y: head_height - 10, "text-anchor": "middle"}, lane.name),
      ),
    );
  }
  return out;
};

/** The diagram, in a region that scrolls. `chosen(span)` is called when somebody points at one. */
export const sequence = (trace, chosen) => {
  const spans = trace.spans,
    lanes = lanes_of(spans);
  const {places, height} = place_moments(spans);
  const index_of = new Map(lanes.map((lane, i) => [lane.key, i]));
  const x_of = (key) => left + lane_width / 2 + index_of.get(key) * lane_width - (key === client ? path_room : 0);
  const by_id = new Map(spans.map((span) => [span.id, span]));
  const begin = spans.length ? Math.min(...spans.map((span) => span.start_us)) : 0;
  const drawn = [];
  spans.forEach((span, i) => {
    const x = x_of(lane_of(span)),
      {from, to} = places[i],
      parent = by_id.get(span.parent);
    const parts = [
      s("title", null, details(span)),
      s("text", {class: "time", x: 4, y: from + 4}, `+${micros(span.start_us - begin)}`),
    ];
    parts.push(
      s("rect", {
        class: `bar ${span.kind}`,
        x: x - bar_width / 2,
        y: from,
        width: bar_width,
        height: Math.max(6, to - from),
        rx: 2,
      }),
    );
    if (span.kind === "sync") parts.push(s("text", {class: "sync", x: x + bar_width, y: from + 11}, label_of(span)));
    else parts.push(arrow(parent ? x_of(lane_of(parent)) : x_of(client), x, from, label_of(span), span.kind));
    if (span.note !== null && span.kind !== "sync")
      parts.push(s("text", {class: "note", x: x + bar_width, y: to + 4}, shortened(span.note, 34)));
    if (!parent && span.kind === "request") parts.push(answer_of(span, x, x_of(client), to));
    drawn.push(s("g", {class: "span", onpointerenter: () => chosen(span)}, ...parts));
  });
  const width = left + lanes.length * lane_width + note_room;
  const tip = s(
    "marker",
    {id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse"},
    s("path", {d: "M0 0l8 4-8 4z"}),
  );
  const svg = s(
    "svg",
    {
      class: "sequence",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": `Sequence of ${spans.length} steps on ${new Set(spans.map((span) => span.node)).size} nodes; the table below tells the same`,
    },
    s("defs", null, tip),
    ...draw_lanes(lanes, x_of, height),
    ...drawn,
  );
  return h("div", {class: "panel"}, scroller("Sequence diagram", svg));
};

const answer_of = (span, x, to, y) =>
  s(
    "g",
    {class: "arrow answer"},
    s("line", {x1: x, x2: to + bar_width / 2, y1: y, y2: y, "marker-end": "url(#tip)"}),
    s("text", {x: to + 10, y: y - 5}, `answered after ${micros(span.took_us)}`),
  );
