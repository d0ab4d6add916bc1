// What happened on all nodes: as dots on a strip of time, one lane a node, and as a list.

import {badge, column, h, keep_in_step, s, scroller, set_attribute, set_text} from "./dom.js";
import {clock, date, now_there, words} from "./format.js";
import {live} from "./live.js";

const tones = {
  good: ["started", "ready", "member_promoted", "peer_connected", "redis_back", "scrub_repaired", "snapshot_installed"],
  info: ["election_won", "leader_changed", "member_added", "snapshot_sent"],
  warn: ["stopping", "election_lost", "member_removed", "set_aside", "slow_disk", "redis_lost", "not_ready"],
  bad: ["peer_lost", "possibly_lost", "scrub_damage"],
};
const tone_by_kind = new Map(Object.entries(tones).flatMap(([tone, kinds]) => kinds.map((kind) => [kind, tone])));
export const tone_of = (kind) => tone_by_kind.get(kind) ?? "plain";

const rows_shown = 500;
const spans = [
  ["2", "2 minutes"],
  ["10", "10 minutes"],
  ["60", "1 hour"],
  ["1440", "1 day"],
];
const lane_height = 26,
  label_width = 64,
  strip_width = 1000;

/** The strip: the newest at the right. */
const strip = () => {
  const lanes = s("g"),
    marks = s("g"),
    ticks = s("g", {class: "ticks"});
  const svg = s("svg", {class: "strip", role: "img"}, ticks, lanes, marks);
  const show = (events, nodes, minutes) => {
    const now = now_there(),
      width = strip_width - label_width - 10;
    const height = nodes.length * lane_height + 24;
    set_attribute(svg, "viewBox", `0 0 ${strip_width} ${height}`);
    set_attribute(
      svg,
      "aria-label",
      `${events.length} events of the last ${minutes} minutes; the table below lists them`,
    );
    const x_of = (time) => label_width + width * (1 - (now - time) / (minutes * 60000));
    const y_of = (node) => nodes.indexOf(node) * lane_height + lane_height / 2;
    keep_in_step(
      lanes,
      nodes,
      (node) => node,
      (node) =>
        s("g", null, s("text", {x: 0, class: "lane"}, node), s("line", {x1: label_width, x2: strip_width - 10})),
      (lane, node) => {
        set_attribute(lane.firstChild, "y", y_of(node) + 4);
        for (const end of ["y1", "y2"]) set_attribute(lane.lastChild, end, y_of(node));
      },
    );
    keep_in_step(
      ticks,
      [0, 1, 2, 3, 4, 5, 6].map((i) => now - (i * minutes * 60000) / 6),
      (time) => Math.round((now - time) / 1000),
      () => s("g", null, s("line", {y1: 0}), s("text", {"text-anchor": "middle"})),
      (tick, time) => {
        const x = x_of(time);
        for (const end of ["x1", "x2"]) set_attribute(tick.firstChild, end, x);
        set_attribute(tick.firstChild, "y2", height - 18);
        set_attribute(tick.lastChild, "x", Math.min(x, strip_width - 26));
        set_attribute(tick.lastChild, "y", height - 4);
        set_text(tick.lastChild, clock(time).slice(0, minutes > 10 ? 5 : 8));
      },
    );
    keep_in_step(
      marks,
      events,
      (event) => `${event.at}${event.node}${event.kind}${event.text}`,
      (event) =>
        s(
          "circle",
          {r: 5, class: `mark ${tone_of(event.kind)}`},
          s("title", null, `${clock(event.at, true)} ${event.node}: ${words(event.kind)}, ${event.text}`),
        ),
      (mark, event) => {
        set_attribute(mark, "cx", x_of(Date.parse(event.at)).toFixed(1));
        set_attribute(mark, "cy", y_of(event.node));
      },
    );
  };
  return {root: svg, show};
};

const choice = (label, options, change) => {
  const select = h("select", {onchange: change}, ...options.map(([value, text]) => h("option", {value}, text)));
  return {root: h("label", null, h("span", null, label), select), select};
};

/** The least that shows all that is known, or ten minutes. */
const fitting_span = () => {
  const oldest = live.events.length === 0 ? 0 : Date.parse(live.events[0].at);
  return spans.map(([minutes]) => minutes).find((minutes) => now_there() - oldest < minutes * 60000) ?? "10";
};

export const open = () => {
  let fits = true; // until somebody chooses
  const span = choice("Shown", spans, () => ((fits = false), update()));
  const node = choice("Node", [["", "all"]], () => update());
  const kind = choice("Kind", [["", "all"]], () => update());
  const picture = strip();
  const body = h("tbody");
  const none = h("p", {class: "note plain"}, "Nothing happened that these choices let through.");
  const table = h(
    "table",
    {class: "timeline"},
    h("thead", null, h("tr", null, column("Time"), column("Node"), column("What"), column("More"))),
    body,
  );
  const make = (event) =>
    h(
      "tr",
      null,
      h("td", {class: "time"}, h("time", {datetime: event.at, title: date(event.at)}, clock(event.at, true))),
      h("td", null, event.node),
      h("td", null, badge(words(event.kind), tone_of(event.kind))),
      h("td", {class: "text"}, event.text),
    );
  const offer = ({select}, values) =>
    keep_in_step(
      select,
      ["", ...values],
      (value) => value,
      (value) => h("option", {value}, value === "" ? "all" : words(value)),
      () => {},
    );
  for (const one of [node, kind]) one.select.firstChild.kaiku_key = "";

  const update = () => {
    if (fits) span.select.value = fitting_span();
    const nodes = [...new Set([...live.nodes.keys(), ...live.events.map((event) => event.node)])].sort();
    offer(node, nodes);
    offer(kind, [...new Set(live.events.map((event) => event.kind))].sort());
    const wanted = live.events.filter(
      (event) =>
        (node.select.value === "" || event.node === node.select.value) &&
        (kind.select.value === "" || event.kind === kind.select.value),
    );
    const minutes = Number(span.select.value),
      from = now_there() - minutes * 60000;
    picture.show(
      wanted.filter((event) => Date.parse(event.at) >= from),
      nodes,
      minutes,
    );
    keep_in_step(
      body,
      wanted.slice(-rows_shown).reverse(),
      (event) => `${event.at}${event.node}${event.kind}${event.text}`,
      make,
      () => {},
    );
    none.hidden = wanted.length > 0;
  };
  const root = h(
    "div",
    null,
    h("div", {class: "toolbar"}, span.root, node.root, kind.root),
    h("div", {class: "panel"}, picture.root),
    scroller("Events", table),
    none,
  );
  return {root, update};
};
