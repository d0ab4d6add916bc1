// One actor: what it says of itself, ten minutes of it, its messages by type, and the last ones.

import {get_json} from "./api.js";
import {line_chart} from "./charts.js";
import {badge, column, figure, h, keep_in_step, note, scroller, section, set_attribute, set_text} from "./dom.js";
import {clock, count, micros, millis, rate, share, unknown} from "./format.js";

const refreshed_ms = 1000;

const facts = [
  ["Per second", (a) => rate(a.per_second)],
  ["Busy", (a) => share(a.busy)],
  [
    "Mailbox",
    (a) => `${count(a.mailbox.depth)}${a.mailbox.oldest_ms === null ? "" : `, oldest ${millis(a.mailbox.oldest_ms)}`}`,
  ],
  ["Received", (a) => count(a.received)],
  ["Processed", (a) => count(a.processed)],
  [
    "p50 / p99 / max",
    (a) => (a.took_us ? [a.took_us.p50, a.took_us.p99, a.took_us.max].map(micros).join(" / ") : unknown),
  ],
  ["Errors", (a) => count(a.errors)],
  ["Restarts", (a) => count(a.restarts)],
  ["Parent", (a) => a.parent ?? unknown],
];

const table = (label, heads) => {
  const body = h("tbody");
  return {body, root: scroller(label, h("table", null, h("thead", null, h("tr", null, ...heads)), body))};
};

const types_table = () => {
  const {body, root} = table("Messages by type", [
    column("Type"),
    ...["Count", "Per s", "p50", "p99", "Max"].map((title) => column(title, {number: true})),
  ]);
  const make = () =>
    h("tr", null, h("th", {scope: "row", class: "code"}), ...[0, 1, 2, 3, 4].map(() => h("td", {class: "number"})));
  const show = (messages) =>
    keep_in_step(
      body,
      [...messages].sort((a, b) => b.count - a.count),
      (one) => one.type,
      make,
      (row, one) => {
        const texts = [
          one.type,
          count(one.count),
          rate(one.per_second),
          ...["p50", "p99", "max"].map((key) => micros(one.took_us?.[key])),
        ];
        texts.forEach((text, i) => set_text(row.cells[i], text));
      },
    );
  return {root, show};
};

const recent_table = () => {
  const {body, root} = table("Last messages", [
    column("Time"),
    column("Message"),
    column("From"),
    column("Waited", {number: true}),
    column("Took", {number: true}),
  ]);
  const make = (one) =>
    h(
      "tr",
      null,
      h("td", {class: "time"}, clock(one.at, true)),
      h("td", {class: "text"}, h("span", {class: "code"}, one.type), " ", h("span", {class: "hint"}, one.text)),
      h("td", null, one.from === null ? unknown : h("a", {href: `#/actors/${encodeURIComponent(one.from)}`}, one.from)),
      h("td", {class: "number"}, micros(one.waited_us)),
      h("td", {class: "number"}),
    );
  const show = (recent) =>
    keep_in_step(
      body,
      recent.map((one, i) => ({
        ...one,
        key: `${one.at}${one.type}${one.text}${recent.slice(i).filter((other) => other.at === one.at).length}`,
      })),
      (one) => one.key,
      make,
      (row, one) => set_text(row.cells[4], micros(one.took_us)),
    );
  return {root, show};
};

export const open_actor = (id) => {
  const heading = h("h2", {tabindex: "-1"}, id);
  const state = h("p", {class: "state"});
  const alive = badge("");
  const problem = note("", "bad");
  const figures = facts.map(([name]) => figure(name));
  const charts = [
    ["per_second", line_chart("Messages per second", rate)],
    ["depth", line_chart("Messages in the mailbox", count)],
    ["busy", line_chart("Busy", share)],
  ];
  const types = types_table(),
    recent = recent_table();
  const content = h(
    "div",
    {hidden: true},
    state,
    h("dl", {class: "figures small"}, ...figures),
    h("div", {class: "charts"}, ...charts.map(([, chart]) => chart.root)),
    section("Messages by type", types.root),
    section("Last messages", recent.root),
  );
  problem.hidden = true;
  const root = h(
    "div",
    null,
    h("p", {class: "top"}, heading, alive, h("a", {class: "close", href: "#/actors"}, "Close")),
    problem,
    content,
  );
  const ended = new AbortController();
  let timer = null;

  const show = (actor) => {
    const [node, number] = actor.id.split(":");
    set_text(heading, `${node} ${actor.name} ${number}`);
    set_attribute(heading, "title", actor.id);
    set_text(alive, actor.alive ? "alive" : "ended");
    set_attribute(alive, "class", `badge ${actor.alive ? "good" : "bad"}`);
    set_text(state, actor.state ?? "");
    facts.forEach(([, text], i) => set_text(figures[i].value, text(actor)));
    for (const [key, chart] of charts) chart.show({values: actor.history[key], step_ms: actor.history.step_ms});
    types.show(actor.messages);
    recent.show(actor.recent);
  };
  const refresh = async () => {
    try {
      if (document.hidden) return;
      const actor = await get_json(`/actors/${encodeURIComponent(id).replaceAll("%3A", ":")}`, {signal: ended.signal});
      content.hidden = false;
      problem.hidden = true;
      show(actor);
    } catch (error) {
      if (ended.signal.aborted) return;
      problem.hidden = false;
      set_text(problem, error.status === 404 ? "This actor is no longer there." : error.message);
    } finally {
      if (!ended.signal.aborted) timer = setTimeout(refresh, refreshed_ms);
    }
  };
  const close = () => {
    ended.abort();
    clearTimeout(timer);
    for (const [, chart] of charts) chart.close();
  };
  refresh();
  return {root, close};
};
