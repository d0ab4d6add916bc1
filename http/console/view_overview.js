// All nodes beside each other, so that what differs is seen; what happened last; who works most.

import {badge, column, figure, h, keep_in_step, s, scroller, section, set_attribute, set_text} from "./dom.js";
import {bytes, clock, count, lasted, millis, rate, share, since, unknown, words} from "./format.js";
import {console_of, leader, live} from "./live.js";
import {is_sum} from "./view_actors.js";
import {tone_of} from "./view_timeline.js";

const slow_contact_ms = 1000; // an election timeout: a follower that has not heard for so long is about to ask for votes
const events_shown = 9;
const actors_shown = 8;

const behind = (node, top) => (node.applied === null || top === null ? null : Math.max(0, top - node.applied));
const top_index = () => {
  const leads = live.nodes.get(leader()?.name);
  return leads?.applied ?? null;
};

/** [name, text(node), hint, tone(node)]: a row. */
const rows = (top) => [
  ["Term", (n) => count(n.term)],
  ["Log", (n) => (n.applied === null ? unknown : `${count(n.first)} – ${count(n.applied)}`), "first and last entry"],
  ["Committed", (n) => count(n.committed), "highest entry known to be on a majority"],
  [
    "Behind",
    (n) => (behind(n, top) === null ? unknown : count(behind(n, top))),
    "entries that the leader has and this node has not",
    (n) => (behind(n, top) > 1000 ? "warn" : ""),
  ],
  [
    "Leader contact",
    (n) => millis(n.leader_contact_ms),
    "since it heard the leader; for the leader, a majority",
    (n) => (n.leader_contact_ms > slow_contact_ms ? "warn" : ""),
  ],
  ["Last election", (n) => since(n.last_election)],
  ["Requests", (n) => (n.requests_per_s === null ? unknown : `${rate(n.requests_per_s)}/s`)],
  ["In flight", (n) => count(n.in_flight), "requests under way"],
  ["Requests in all", (n) => count(n.requests)],
  ["Log size", (n) => bytes(n.log_bytes)],
  ["Free space", (n) => bytes(n.free_bytes)],
  [
    "Set aside",
    (n) => count(n.set_aside),
    "writes that a failover displaced and this node keeps",
    (n) => (n.set_aside > 0 ? "warn" : ""),
  ],
  ["Redis", (n) => (n.reachable ? (n.redis ?? "off") : unknown)],
  ["Up for", (n) => lasted(n.started)],
  ["Version", (n) => n.version ?? unknown],
  ["Address", (n) => n.http ?? unknown],
];

const health_of = (node) => {
  if (!node.reachable)
    return [
      "bad",
      (node.reason ?? "no answer") + (node.last_heard_ms === null ? "" : `, heard ${millis(node.last_heard_ms)} ago`),
    ];
  if (node.ready) return ["good", "ready"];
  return ["warn", node.not_ready_reason ?? "not ready"];
};

export const role_tone = {leader: "accent", candidate: "warn", follower: "plain"};

/** A line without axes, of what came last. */
const sparkline = () => {
  const line = s("polyline", {class: "line"});
  const svg = s("svg", {class: "spark", viewBox: "0 0 120 24", preserveAspectRatio: "none", role: "img"}, line);
  svg.show = (values, label) => {
    const top = Math.max(1, ...values.map((v) => v ?? 0));
    const points = values.map((v, i) => `${120 - (values.length - 1 - i)},${23 - (22 * (v ?? 0)) / top}`);
    set_attribute(line, "points", points.join(" "));
    set_attribute(svg, "aria-label", label);
  };
  return svg;
};

const make_node = (node) => {
  const role = badge(""),
    health = h("p", {class: "health"}),
    spark = sparkline();
  const name = h("a", {class: "name", title: "its own console"}, node.name);
  const element = h("th", {scope: "col"}, h("div", {class: "node"}, h("p", null, name, role), health, spark));
  element.parts = {name, role, health, spark};
  return element;
};

const update_node = (element, node) => {
  const {name, role, health, spark} = element.parts;
  set_attribute(name, "href", node.name === live.answered_by ? null : console_of(node));
  const text = node.reachable ? `${node.role}${node.voter === false ? ", learner" : ""}` : "unreachable";
  set_text(role, text);
  set_attribute(role, "class", `badge ${node.reachable ? role_tone[node.role] : "bad"}`);
  const [tone, why] = health_of(node);
  set_text(health, why);
  set_attribute(health, "class", `health dot ${tone}`);
  const values = live.requests.get(node.name) ?? [];
  spark.show(values, `Requests of ${node.name} in the last minute, now ${rate(node.requests_per_s)} a second`);
  set_attribute(element, "class", node.reachable ? null : "gone");
};

const update_cells = (row, nodes, [, text, , tone]) =>
  keep_in_step(
    row,
    [null, ...nodes],
    (node) => node?.name ?? "",
    () => h("td"),
    (cell, node) => {
      if (node === null) return;
      set_text(cell, text(node));
      set_attribute(cell, "class", `${tone?.(node) ?? ""}${node.reachable ? "" : " gone"}`.trim() || null);
    },
  );

const nodes_table = () => {
  const head = h("tr"),
    body = h("tbody");
  const corner = h("td");
  corner.kaiku_key = "";
  head.append(corner);
  const elements = rows(null).map(([name, , hint]) => {
    const label = h("th", {scope: "row", title: hint}, name);
    label.kaiku_key = "";
    return h("tr", null, label);
  });
  body.append(...elements);
  const root = scroller("Nodes", h("table", {class: "nodes"}, h("thead", null, head), body));
  const update = () => {
    const nodes = [...live.nodes.values()];
    keep_in_step(
      head,
      [null, ...nodes],
      (node) => node?.name ?? "",
      make_node,
      (element, node) => node && update_node(element, node),
    );
    rows(top_index()).forEach((row, i) => update_cells(elements[i], nodes, row));
  };
  return {root, update};
};

const figures_list = () => {
  const names = ["Leader", "Nodes", "Requests", "Last election", "Farthest behind", "Least free space"];
  const all = names.map(figure);
  const root = h("dl", {class: "figures"}, ...all);
  const update = () => {
    const nodes = [...live.nodes.values()],
      there = nodes.filter((node) => node.reachable);
    const leads = leader();
    const voters = there.filter((node) => node.voter).length;
    const of = (key) => there.map((node) => node[key]).filter((value) => value !== null);
    const elections = of("last_election").sort();
    const lags = there.map((node) => behind(node, top_index())).filter((lag) => lag !== null);
    const none = there.length === 0;
    set_text(all[0].value, leads ? `${leads.name}, term ${leads.term}` : "none");
    set_attribute(all[0], "class", `figure ${leads || none ? "" : "bad"}`);
    set_text(all[1].value, none ? unknown : `${there.length} of ${nodes.length} answer, ${voters} vote`);
    set_attribute(all[1], "class", `figure ${there.length === nodes.length ? "" : "bad"}`);
    set_text(all[2].value, none ? unknown : `${rate(of("requests_per_s").reduce((sum, x) => sum + x, 0))}/s`);
    set_text(all[3].value, elections.length ? since(elections.at(-1)) : unknown);
    set_text(all[4].value, lags.length ? `${count(Math.max(...lags))} entries` : unknown);
    set_text(all[5].value, of("free_bytes").length ? bytes(Math.min(...of("free_bytes"))) : unknown);
  };
  return {root, update};
};

const latest_events = () => {
  const list = h("ol", {class: "events"});
  const make = (event) =>
    h(
      "li",
      null,
      h("time", {datetime: event.at}, clock(event.at)),
      h("b", null, event.node),
      badge(words(event.kind), tone_of(event.kind)),
      h("span", {class: "text"}, event.text),
    );
  const update = () =>
    keep_in_step(
      list,
      live.events.slice(-events_shown).reverse(),
      (event) => `${event.at}${event.node}${event.kind}${event.text}`,
      make,
      () => {},
    );
  return {root: section("Latest events", list, h("p", null, h("a", {href: "#/timeline"}, "All events"))), update};
};

const busiest_actors = () => {
  const body = h("tbody");
  const table = h(
    "table",
    null,
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        column("Actor"),
        column("Per second", {number: true}),
        column("Busy", {number: true}),
        column("Waiting", {number: true}),
      ),
    ),
    body,
  );
  const make = () => h("tr", null, h("td", null, h("a")), ...[0, 1, 2].map(() => h("td", {class: "number"})));
  const fill = (row, actor) => {
    const link = row.cells[0].firstChild;
    set_text(link, `${actor.id.split(":")[0]} ${actor.name}`);
    set_attribute(link, "href", `#/actors/${encodeURIComponent(actor.id)}`);
    set_text(row.cells[1], rate(actor.per_second));
    set_text(row.cells[2], share(actor.busy));
    set_text(row.cells[3], count(actor.mailbox.depth));
  };
  const update = () => {
    const all = [...live.actors.values()].sort(
      (a, b) => (b.busy ?? 0) - (a.busy ?? 0) || b.per_second - a.per_second || (a.id < b.id ? -1 : 1),
    );
    keep_in_step(
      body,
      all.filter((actor) => !is_sum(actor.id)).slice(0, actors_shown),
      (actor) => actor.id,
      make,
      fill,
    );
  };
  return {root: section("Busiest actors", scroller("Busiest actors", table)), update};
};

export const open = () => {
  const parts = [figures_list(), nodes_table(), latest_events(), busiest_actors()];
  const [figures, nodes, events, busiest] = parts;
  const waiting = h("p", {class: "note plain"}, "Waiting for the node…");
  const all = h("div", {class: "columns", hidden: true}, nodes.root, h("div", null, events.root, busiest.root));
  figures.root.hidden = true;
  const update = () => {
    const empty = live.nodes.size === 0;
    waiting.hidden = !empty;
    all.hidden = figures.root.hidden = empty;
    set_text(waiting, live.why || "Waiting for the node…");
    for (const part of parts) part.update();
  };
  return {root: h("div", {class: "overview"}, waiting, figures.root, all), update};
};
