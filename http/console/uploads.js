// Files on their way to the node, one after another, each with its progress and then with what became of it.

import {file_url, get_json, upload} from "./api.js";
import {badge, h, set_attribute, set_text} from "./dom.js";
import {bytes, duration} from "./format.js";
import {say} from "./say.js";

const fate_asked_ms = 500;
const fate_asked_times = 40; // 20 s; a replica that needs longer shows in the listing

export const fate_tone = {leader: "warn", majority: "good", all: "good", set_aside: "bad", unknown: "plain"};
export const fate_text = {
  leader: "leader only",
  majority: "majority",
  all: "all",
  set_aside: "set aside",
  unknown: "unknown",
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Tells what becomes of a write until every voter has it. */
const follow = async (token, tell) => {
  for (let i = 0; i < fate_asked_times; ++i) {
    const fate = await get_json(`/writes/${encodeURIComponent(token)}`);
    tell(fate);
    if (fate.status === "all" || fate.status === "set_aside") return;
    await pause(fate_asked_ms);
  }
};

const make_item = (file) => {
  const ended = new AbortController();
  const bar = h("progress", {max: String(Math.max(1, file.size)), value: "0", "aria-label": `Upload of ${file.name}`});
  const text = h("span", {class: "hint"}, "waits");
  const fate = badge("");
  const cancel = h("button", {type: "button", onclick: () => ended.abort()}, "Cancel");
  fate.hidden = true;
  const root = h("li", null, h("b", {class: "name"}, file.name), bar, text, fate, cancel);
  return {root, bar, text, fate, cancel, ended};
};

const send_one = async (file, path, durability, item) => {
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
  const answer = await upload(file_url(path), file, {headers, progress, signal: item.ended.signal});
  item.bar.value = Math.max(1, file.size);
  const seconds = (performance.now() - began) / 1000;
  set_text(item.text, `${bytes(file.size)} in ${seconds.toFixed(1)} s, ${bytes(file.size / seconds)}/s`);
  return answer.header("Kaiku-Token");
};

const show_fate = (item, {status, holders, voters}) => {
  item.fate.hidden = false;
  set_text(item.fate, `${fate_text[status]}, ${holders} of ${voters}`);
  set_attribute(item.fate, "class", `badge ${fate_tone[status]}`);
};

/** A list that fills as files are added. `stored(token)` is called after each. */
export const upload_list = (stored) => {
  const root = h("ol", {class: "uploads", "aria-label": "Uploads"});
  let last = Promise.resolve();
  const add = (file, path, durability) => {
    const item = make_item(file);
    root.prepend(item.root);
    last = last.then(async () => {
      if (item.ended.signal.aborted) return set_text(item.text, "cancelled");
      try {
        const token = await send_one(file, path, durability, item);
        item.cancel.remove();
        say(`${file.name} is stored`);
        stored(token);
        if (token) follow(token, (fate) => show_fate(item, fate)).catch(() => {});
      } catch (problem) {
        item.cancel.remove();
        set_text(item.text, problem.message);
        if (problem.code !== "cancelled") say(`${file.name}: ${problem.message}`, "bad");
      }
    });
  };
  return {root, add};
};
