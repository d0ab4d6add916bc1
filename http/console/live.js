// What the cluster is now, kept by the stream of the node this page came from. Reading it is what makes the nodes measure
// times and keep messages: a page that nobody looks at ends it.

import {Problem, get_json, patience_ms, send, session} from "./api.js";
import {set_clock} from "./format.js";

const flows_kept_ms = 5000;
const requests_kept = 120; // at two a second: a minute
const events_kept = 3000;
const hidden_before_end_ms = 30000;
const silent_before_end_ms = 25000; // the node says something every 10 s

/** Owner of everything live. `listeners` are called after each change, at most once a frame. */
export const live = {
  state: "connecting", // "live", "lost" with `why`, "refused" with `why`
  why: "",
  answers: false, // when it is lost: the node does, but with something else
  answered_by: null,
  nodes: new Map(), // by name
  actors: new Map(), // by id
  events: [], // oldest first
  flows: [], // {at, from, to, count}, of the last seconds
  requests: new Map(), // by node: requests a second, oldest first
  listeners: new Set(),
};

let scheduled = false;
const changed = () => {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    for (const listener of live.listeners) listener();
  });
};

const become = (state, why = "", answers = false) => {
  Object.assign(live, {state, why, answers});
  changed();
};

const take_node = (node) => {
  const {actors, ...rest} = node;
  live.nodes.set(rest.name, rest);
  return actors ?? [];
};

const note_requests = () => {
  for (const node of live.nodes.values()) {
    const kept = live.requests.get(node.name) ?? [];
    kept.push(node.requests_per_s);
    if (kept.length > requests_kept) kept.shift();
    live.requests.set(node.name, kept);
  }
};

const key_of_event = (event) => `${event.at} ${event.node} ${event.kind} ${event.text}`;
const known_events = new Set();
const take_events = (events) => {
  let late = false;
  for (const event of events) {
    const key = key_of_event(event);
    if (known_events.has(key)) continue;
    known_events.add(key);
    late ||= live.events.length > 0 && event.at < live.events.at(-1).at;
    live.events.push(event);
  }
  if (late) live.events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  for (const event of live.events.splice(0, Math.max(0, live.events.length - events_kept)))
    known_events.delete(key_of_event(event));
};

/** What was seen is for who was allowed to. */
export const forget = () => {
  for (const known of [live.nodes, live.actors, live.requests, known_events]) known.clear();
  [live.events, live.flows] = [[], []];
  changed();
};

const on_state = (document) => {
  set_clock(document.at);
  live.answered_by = document.answered_by;
  live.nodes.clear();
  live.actors.clear();
  for (const node of document.nodes) for (const actor of take_node(node)) live.actors.set(actor.id, actor);
  note_requests();
  // What happened while nothing was streamed, or before.
  get_json("/actors/timeline").then(
    ({events}) => (take_events(events), changed()),
    () => {},
  );
};

const on_change = (change) => {
  set_clock(change.at);
  for (const node of change.nodes) {
    take_node(node);
    if (!node.reachable)
      for (const id of live.actors.keys()) if (id.startsWith(`${node.name}:`)) live.actors.delete(id);
  }
  for (const actor of change.actors) live.actors.set(actor.id, actor);
  for (const id of change.gone) if (!live.actors.delete(id)) live.nodes.delete(id), live.requests.delete(id);
  const now = performance.now();
  live.flows = live.flows.filter((flow) => now - flow.at < flows_kept_ms);
  for (const flow of change.flows) live.flows.push({at: now, ...flow});
  note_requests();
};

const handlers = {
  state: on_state,
  change: on_change,
  timeline: (event) => take_events([event]),
};

/** That this page can't take what it was told is no fault of the connection. */
class Failure extends Error {}
const take = (kind, text) => {
  try {
    handlers[kind]?.(JSON.parse(text));
  } catch (problem) {
    console.error(problem);
    throw new Failure(`this page failed: ${problem.message}`);
  }
};

/** Reads events as server-sent events are written (HTML standard, 9.2.6), as far as the nodes use it. */
const read_events = async (body, heard) => {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    heard();
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      let kind = "message";
      const data = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event:")) kind = line.slice(6).trim();
        else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
      }
      if (data.length > 0) take(kind, data.join("\n"));
      if (kind === "state") become("live");
    }
    changed();
  }
};

let ending = null; // of the stream that is read
let wake = () => {};

const stream_once = async () => {
  ending = new AbortController();
  let silence = null;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => ending.abort(), silent_before_end_ms);
  };
  try {
    const headers = {Accept: "text/event-stream"};
    const answer = await send("GET", "/actors/stream", {headers, signal: ending.signal, within_ms: patience_ms});
    heard();
    await read_events(answer.body, heard);
  } finally {
    clearTimeout(silence);
    ending.abort();
  }
};

const pause = (ms) =>
  new Promise((done) => {
    wake = done;
    setTimeout(done, ms);
  });

/** Reads the stream for as long as the page is there. */
export const start = async () => {
  let failures = 0;
  let hide = null;
  const looked_at = () => {
    clearTimeout(hide);
    if (document.hidden) hide = setTimeout(() => ending?.abort(), hidden_before_end_ms);
    else wake();
  };
  document.addEventListener("visibilitychange", looked_at);
  looked_at(); // a tab may begin behind others
  for (;;) {
    try {
      await stream_once();
      failures = 0;
      become("lost", "the node ended the stream");
    } catch (problem) {
      const refused = problem.status === 401 || problem.status === 403;
      failures = live.state === "live" ? 0 : failures + 1;
      if (refused) forget();
      const told = problem instanceof Problem || problem instanceof Failure;
      const answers = problem instanceof Failure || problem.status > 0;
      become(refused ? "refused" : "lost", told ? problem.message : "the node is silent", answers);
      if (refused) await new Promise((done) => (wake = done));
    }
    while (document.hidden) await pause(3600000);
    await pause(Math.min(5000, 250 * 2 ** failures));
  }
};

/** Tries again at once, with another token. */
export const retry = () => {
  if (session.token === null) ending?.abort();
  wake();
};

/** Who leads, by the word of the newest term that a node that answers knows of. */
export const leader = () => {
  let best = null;
  for (const node of live.nodes.values())
    if (node.reachable && node.leader !== null && (best === null || node.term > best.term)) best = node;
  return best === null ? null : {name: best.leader, term: best.term};
};

/** Where another node's console is, if its address is known. */
export const console_of = (node) => (node.http ? `${location.protocol}//${node.http}/console/` : null);
