// Files on their way to the node, one after another, each with its progress and then with what became of it. They belong
// to the page and not to a view: an upload goes on, and is shown again, when another view was looked at meanwhile.

import {Problem, file_url, get_json, upload} from "./api.js";
import {confirm_replacement} from "./dialogs.js";
import {badge, h, keep_in_step, set_attribute, set_text} from "./dom.js";
import {bytes, count, duration, visible} from "./format.js";
import {say} from "./say.js";

const fate_asked_ms = 500;
const fate_asked_times = 40; // 20 s; a replica that needs longer shows in the listing
const followed_at_once = 4; // of many small files the listing tells
const waiting_shown = 20;
const ended_kept = 100;
const told_every_ms = 1000; // to whoever lists what is stored

export const fate_tone = {leader: "warn", majority: "good", all: "good", set_aside: "bad", unknown: "plain"};
export const fate_text = {
  leader: "leader only",
  majority: "majority",
  all: "all",
  set_aside: "set aside",
  unknown: "unknown",
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

let followed = 0;
/** Tells what becomes of a write until every voter has it. */
const follow = async (token, tell) => {
  if (followed >= followed_at_once) return;
  ++followed;
  try {
    for (let i = 0; i < fate_asked_times; ++i) {
      const fate = await get_json(`/writes/${encodeURIComponent(token)}`);
      tell(fate);
      if (fate.status === "all" || fate.status === "set_aside") return;
      await pause(fate_asked_ms);
    }
  } catch {
    // The listing tells.
  } finally {
    --followed;
  }
};

/** Whether a file of this name stands there, as far as this node knows and may tell. */
const is_there = async (path, signal) => {
  const slash = path.lastIndexOf("/") + 1,
    name = path.slice(slash);
  try {
    const query = new URLSearchParams({prefix: name, limit: "1"});
    const options = {headers: {Accept: "application/json"}, signal};
    const {entries} = await get_json(`${file_url(path.slice(0, slash))}?${query}`, options);
    return entries[0]?.name === name && entries[0].type === "file";
  } catch (problem) {
    if (problem.status === 404 || problem.status === 403) return false;
    throw problem;
  }
};

// --- one of them -----------------------------------------------------------------------------------------------------

let last_key = 0;
const make_item = (run, file, path, durability) => ({
  key: `${++last_key}`,
  run,
  file,
  path,
  durability,
  ended: new AbortController(),
});

/** Its line in the list. */
const make_line = (item) => {
  const {file} = item;
  item.bar = h("progress", {max: String(Math.max(1, file.size)), value: "0", "aria-label": `Upload of ${file.name}`});
  item.text = h("span", {class: "hint"}, "waits");
  item.fate = badge("");
  item.fate.hidden = true;
  item.cancel = h("button", {type: "button", onclick: () => cancel(item)}, "Cancel");
  return h("li", null, h("b", {class: "name"}, visible(file.name)), item.bar, item.text, item.fate, item.cancel);
};

const show_fate = (item, {status, holders, voters}) => {
  item.fate.hidden = false;
  set_text(item.fate, `${fate_text[status]}, ${holders} of ${voters}`);
  set_attribute(item.fate, "class", `badge ${fate_tone[status]}`);
};

const send_one = async (item) => {
  const {file, path, durability} = item,
    {signal} = item.ended;
  const replaces = await is_there(path, signal);
  // Before a byte is sent: a large body would be for nothing.
  const lost = ["There is such a file. It is replaced, on every node.", "This can't be taken back."];
  if (replaces && !(await confirm_replacement(file.name, lost))) throw new Problem(0, "cancelled", "Not replaced", "");
  const began = performance.now();
  const progress = (sent) => {
    item.bar.value = sent;
    const seconds = (performance.now() - began) / 1000,
      speed = seconds > 0 ? sent / seconds : 0;
    const left =
      sent >= file.size
        ? "waits for the answer"
        : speed > 0
          ? `${duration((1000 * (file.size - sent)) / speed)} left`
          : "";
    set_text(item.text, `${bytes(sent)} of ${bytes(file.size)}, ${bytes(speed)}/s, ${left}`);
  };
  const headers = {"Content-Type": file.type || "application/octet-stream", "Kaiku-Durability": durability};
  if (!replaces) headers["If-None-Match"] = "*";
  const answer = await upload(file_url(path), file, {headers, progress, signal});
  item.bar.value = Math.max(1, file.size);
  const seconds = (performance.now() - began) / 1000;
  set_text(item.text, `${bytes(file.size)} in ${seconds.toFixed(1)} s, ${bytes(file.size / seconds)}/s`);
  return answer.header("Kaiku-Token");
};

// --- all of them -----------------------------------------------------------------------------------------------------

const waiting = [];
let working = false,
  running = null;
const over = []; // newest first
const listeners = new Set(); // called with the token of a write, not more often than `told_every_ms`
/** Of all since nothing was under way. */
const fresh_run = () => ({all: 0, stored: 0, cancelled: 0, last: "", problem: ""});
let run = fresh_run();

const root = h("ol", {class: "uploads", "aria-label": "Uploads"});
const rest_text = h("span", {class: "hint"});
const rest = h(
  "li",
  null,
  rest_text,
  h("button", {type: "button", onclick: () => (waiting.splice(0).forEach(give_up), show())}, "Cancel all that wait"),
);

const show = () => {
  const unseen = {key: "rest"},
    beyond = waiting.length - waiting_shown;
  const items = [running, ...waiting.slice(0, waiting_shown), beyond > 0 ? unseen : null, ...over].filter(Boolean);
  if (beyond > 0) set_text(rest_text, `${count(beyond)} more wait`);
  keep_in_step(
    root,
    items,
    (item) => item.key,
    (item) => (item === unseen ? rest : make_line(item)),
    () => {},
  );
};

const give_up = (item) => {
  item.ended.abort();
  ++item.run.cancelled;
};

const cancel = (item) => {
  item.ended.abort();
  const at = waiting.indexOf(item);
  if (at < 0) return; // the one that runs sees it
  waiting.splice(at, 1);
  ++item.run.cancelled;
  end(item, "cancelled");
};

const end = (item, text = null) => {
  item.cancel.remove();
  if (text !== null) set_text(item.text, text);
  if (item === running) running = null;
  if (item.run !== run) return; // forgotten
  over.unshift(item);
  over.splice(ended_kept);
  show();
};

let told_at = -told_every_ms,
  telling = null,
  newest = null;
const tell = () => {
  telling = null;
  told_at = performance.now();
  for (const listener of listeners) listener(newest);
};
const note_stored = (token) => {
  newest = token ?? newest;
  telling ??= setTimeout(tell, Math.max(0, told_at + told_every_ms - performance.now()));
};

const one = async (item) => {
  const {run} = item;
  let text = null;
  try {
    const token = await send_one(item);
    ++run.stored;
    run.last = `${item.file.name} is stored`;
    note_stored(token);
    if (token) follow(token, (fate) => show_fate(item, fate));
  } catch (problem) {
    const by_user = item.ended.signal.aborted || problem.code === "cancelled";
    text = item.ended.signal.aborted ? "cancelled" : problem.message;
    if (by_user) ++run.cancelled;
    else run.problem ||= `${item.file.name}: ${problem.message}`;
  }
  end(item, text);
};

/** In one line, however many there were. */
const tell_of_run = ({all, stored, cancelled, last, problem}) => {
  if (all === 0) return; // forgotten
  if (all === 1) return void (problem ? say(problem, "bad") : last && say(last));
  const parts = [`${count(stored)} of ${count(all)} files are stored`];
  if (cancelled > 0) parts.push(`${count(cancelled)} were cancelled`);
  if (problem) parts.push(`the first problem: ${problem}`);
  say(parts.join("; "), problem ? "bad" : "good");
};

const work = async () => {
  if (working) return;
  working = true;
  while (waiting.length > 0) {
    running = waiting.shift();
    show();
    await one(running);
  }
  working = false;
  tell_of_run(run);
  run = fresh_run();
};

addEventListener("beforeunload", (event) => working && event.preventDefault());
// A file that misses its place is not opened in place of the console.
for (const kind of ["dragover", "drop"])
  document.addEventListener(kind, (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());

/** The page's uploads. `root` shows them, wherever it is put; `listeners` learn that something is stored. */
export const uploads = {
  root,
  listeners,
  /** `files`: [{file, path}] */
  add: (files, durability) => {
    for (const {file, path} of files) waiting.push(make_item(run, file, path, durability));
    run.all += files.length;
    show();
    if (files.length > 0) work();
  },
  /** What is over is for who was allowed to see it, and what is not is sent with nobody else's token. */
  forget: () => {
    for (const item of [running, ...waiting.splice(0)]) item?.ended.abort();
    running = null;
    over.splice(0);
    run = fresh_run();
    show();
  },
};
