// One request's way through the cluster, step by step; and what actors send each other now.

import {file_url, get_json, send} from "./api.js";
import {change_or_replace} from "./dialogs.js";
import {badge, column, h, keep_in_step, note, scroller, section, set_attribute, set_text} from "./dom.js";
import {flows_panel} from "./flows.js";
import {clock, micros, unknown} from "./format.js";
import {attempt} from "./say.js";
import {sequence} from "./sequence.js";

const list_refreshed_ms = 3000;
const settled_after_ms = [150, 400, 1000, 2500]; // when a trace is looked at again: followers acknowledge behind the answer
const default_path = "console/trace.txt";

/** Sends a request that leaves a trace. Gives the trace's id; null when a file was to stay as it is. */
const send_traced = async (method, path, durability) => {
  const headers = {"Kaiku-Trace": "1"};
  const body = method === "PUT" ? `Traced from the console at ${new Date().toISOString()}\n` : null;
  if (body !== null) Object.assign(headers, {"Content-Type": "text/plain", "Kaiku-Durability": durability});
  const change = (condition) => send(method, file_url(path), {headers: {...headers, ...condition}, body});
  const first = method === "PUT" && path !== default_path ? {"If-None-Match": "*"} : {};
  const answer = await change_or_replace(
    change,
    first,
    path,
    "There is such a file. It becomes a line of text, on every node.",
  );
  if (answer === null) return null;
  await answer.arrayBuffer();
  const id = answer.headers.get("Kaiku-Trace");
  if (id === null) throw new Error("The node left no trace of the request");
  return id;
};

const trace_form = (sent) => {
  const method = h("select", null, ...["PUT", "GET"].map((value) => h("option", {value}, value)));
  const durability = h("select", null, ...["majority", "leader", "all"].map((value) => h("option", {value}, value)));
  const path = h("input", {type: "text", value: default_path, required: true, spellcheck: "false"});
  const go = h("button", {type: "submit", class: "primary"}, "Send and trace");
  const labelled = (text, input) => h("label", null, h("span", null, text), input);
  const submit = async (event) => {
    event.preventDefault();
    go.disabled = true;
    await attempt(async () => sent(await send_traced(method.value, path.value.replace(/^\/+/, ""), durability.value)));
    go.disabled = false;
  };
  method.addEventListener("change", () => (durability.disabled = method.value !== "PUT"));
  return h(
    "form",
    {class: "toolbar", onsubmit: submit},
    labelled("Request", method),
    labelled("of", path),
    labelled("Durability", durability),
    go,
    h("p", {class: "hint"}, "A PUT writes a line of text there."),
  );
};

const trace_list = () => {
  const body = h("tbody"),
    problem = note("", "plain");
  const table = h(
    "table",
    null,
    h(
      "thead",
      null,
      h("tr", null, column("Began"), column("Request"), column("Took", {number: true}), column("Nodes")),
    ),
    body,
  );
  const make = (one) =>
    h(
      "tr",
      null,
      h("td", {class: "time"}, clock(one.began, true)),
      h("td", {class: "text"}, h("a", {href: `#/messages/${one.id}`}, one.what)),
      h("td", {class: "number"}),
      h("td"),
    );
  const refresh = async (selected, signal) => {
    try {
      const {traces} = await get_json("/actors/traces", {signal});
      keep_in_step(
        body,
        traces,
        (one) => one.id,
        make,
        (row, one) => {
          set_text(row.cells[2], micros(one.took_us));
          set_text(row.cells[3], one.nodes.join(", "));
          set_attribute(row, "class", one.id === selected ? "selected" : null);
        },
      );
      problem.hidden = traces.length > 0;
      set_text(
        problem,
        "None yet. Any request with the header Kaiku-Trace: 1 leaves one on the node that it was sent to.",
      );
    } catch (error) {
      if (signal.aborted) return;
      problem.hidden = false;
      set_text(problem, error.message);
    }
  };
  return {root: section("Traces of this node", problem, scroller("Traces", table)), refresh};
};

const spans_table = (trace) => {
  const begin = trace.spans[0]?.start_us ?? 0;
  const rows = trace.spans.map((span) => {
    const row = h(
      "tr",
      null,
      h("td", {class: "number"}, `+${micros(span.start_us - begin)}`),
      h("td", null, span.node),
      h("td", null, span.name),
      h(
        "td",
        {class: "text"},
        badge(span.kind, span.kind === "sync" ? "warn" : span.kind === "request" ? "info" : "plain"),
        " ",
        h("span", {class: "code"}, span.what),
      ),
      h("td", {class: "number"}, span.waited_us === null ? unknown : micros(span.waited_us)),
      h("td", {class: "number"}, micros(span.took_us)),
      h("td", {class: "text"}, span.note ?? ""),
    );
    row.kaiku_span = span.id;
    return row;
  });
  const heads = [
    column("After", {number: true}),
    column("Node"),
    column("Actor"),
    column("What"),
    column("Waited", {number: true}),
    column("Took", {number: true}),
    column("Note"),
  ];
  const choose = (span) =>
    rows.forEach((row) => set_attribute(row, "class", row.kaiku_span === span.id ? "selected" : null));
  return {
    root: scroller(
      "Steps",
      h("table", {class: "spans"}, h("thead", null, h("tr", null, ...heads)), h("tbody", null, ...rows)),
    ),
    choose,
  };
};

/** Puts another drawing in the place of the one before, scrolled alike; the focus stays as near as it can. */
const replace_drawing = (place, drawing) => {
  const scrollers = () => [...place.querySelectorAll(".scroller")];
  const at = scrollers().map((one) => [one.scrollLeft, one.scrollTop]);
  const held = place.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : undefined;
  place.replaceChildren(drawing);
  scrollers().forEach((one, i) => ([one.scrollLeft, one.scrollTop] = at[i] ?? [0, 0]));
  if (held === undefined) return;
  const same = held === null ? null : [...place.querySelectorAll("[aria-label]")].find((one) => one.ariaLabel === held);
  (same ?? place.querySelector("h2")).focus({preventScroll: true});
};

const draw_trace = (trace) => {
  const ids = new Set(trace.spans.map((span) => span.id));
  const root = trace.spans.find((span) => span.kind === "request" && !ids.has(span.parent)); // a caller's is not here
  const nodes = [...new Set(trace.spans.map((span) => span.node))],
    syncs = trace.spans.filter((span) => span.kind === "sync").length;
  const table = spans_table(trace);
  const parts = [
    h("h2", {tabindex: "-1"}, root ? root.what : "A trace"),
    h(
      "p",
      {class: "hint"},
      `${clock(trace.began, true)}, ${trace.spans.length} steps on ${nodes.join(", ")}, ${syncs} disk syncs${root ? `, answered after ${micros(root.took_us)}` : ""}. Trace ${trace.id}`,
    ),
  ];
  if (trace.unreachable.length > 0)
    parts.push(note(`${trace.unreachable.join(", ")} did not answer: steps there are missing.`, "warn"));
  else if (!trace.complete) parts.push(note("Not all of its steps are known.", "warn"));
  return h("section", {class: "trace"}, ...parts, sequence(trace, table.choose), h("h3", null, "Steps"), table.root);
};

export const open = (rest) => {
  const ended = new AbortController();
  const list = trace_list(),
    flows = flows_panel(),
    place = h("div");
  let id = null,
    timers = [],
    shown = "";

  const load = async (wanted, focus) => {
    try {
      const trace = await get_json(`/actors/trace/${encodeURIComponent(wanted)}`, {signal: ended.signal});
      const text = JSON.stringify(trace);
      if (wanted !== id || text === shown) return;
      shown = text;
      replace_drawing(place, draw_trace(trace));
      if (focus) place.querySelector("h2").focus();
    } catch (error) {
      if (!ended.signal.aborted && wanted === id && shown === "")
        place.replaceChildren(
          note(
            error.status === 404
              ? "This trace is no longer kept: nodes keep the last 256, for ten minutes."
              : error.message,
            "warn",
          ),
        );
    }
  };
  const go = (to) => {
    id = to === "" ? null : to;
    shown = "";
    timers.forEach(clearTimeout);
    place.replaceChildren();
    list.refresh(id, ended.signal);
    if (id !== null) timers = settled_after_ms.map((ms, i) => setTimeout(() => load(id, i === 0), ms));
  };
  const poll = setInterval(() => document.hidden || list.refresh(id, ended.signal), list_refreshed_ms);
  const close = () => {
    ended.abort();
    clearInterval(poll);
    timers.forEach(clearTimeout);
  };
  const form = trace_form((made) => made && (location.hash = `#/messages/${made}`));
  const root = h("div", null, section("Trace a request", form), place, list.root, section("Messages now", flows.root));
  go(rest);
  return {root, go, close, update: flows.update};
};
