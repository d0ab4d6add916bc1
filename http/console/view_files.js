// The tree of files: one directory, with the version of each file and where that is recorded; uploads; one file's details.

import {file_url, get_json, send, session} from "./api.js";
import {ask_text, confirm_action} from "./dialogs.js";
import {badge, column, figure, h, keep_in_step, note, scroller, set_attribute, set_text} from "./dom.js";
import {bytes, count, date, unknown} from "./format.js";
import {attempt} from "./say.js";
import {fate_text, fate_tone, upload_list} from "./uploads.js";

const page_length = 100;
const asked_at_once = 4;
const refreshed_ms = 5000;
const tag_digits = 8; // of the cluster's id, in the tokens of its writes

const join = (directory, name) => (directory === "" ? name : `${directory}/${name}`);
const address = (path) => `#/files/${path.split("/").map(encodeURIComponent).join("/")}`;
const parse = (rest) => rest.split("/").filter(Boolean).map(decodeURIComponent).join("/");

/** Term and index of the write that made this version, from its ETag: `"3.17-..."`. */
const version_of = (etag) => /^"(\d+\.\d+)-/.exec(etag)?.[1] ?? null;

/** What became of writes, asked a few at a time; what every voter has is not asked again. */
const make_fates = () => {
  const known = new Map(),
    waiting = [];
  let cluster = null,
    running = 0;
  const next = async () => {
    if (running >= asked_at_once || waiting.length === 0) return;
    ++running;
    const {version, tell} = waiting.shift();
    try {
      cluster ??= get_json("/cluster").then((document) => document.cluster.slice(0, tag_digits));
      const fate = await get_json(`/writes/${await cluster}.${version}`);
      if (fate.status === "all") known.set(version, fate);
      tell(fate);
    } catch {
      cluster = null;
      tell(null);
    }
    --running;
    next();
  };
  const ask = (version, tell) => {
    if (known.has(version)) return tell(known.get(version));
    waiting.push({version, tell});
    next();
  };
  return {ask, forget: () => waiting.splice(0)};
};

const show_fate = (place, fate) => {
  set_text(place, fate === null ? unknown : fate_text[fate.status]);
  set_attribute(place, "class", `badge ${fate === null ? "plain" : fate_tone[fate.status]}`);
  set_attribute(place, "title", fate === null ? null : `on ${fate.holders} of ${fate.voters} voters`);
};

/** Without a token the browser loads it; with one only a script can say it. */
const download = (path, name) =>
  attempt(async () => {
    const link = h("a", {href: file_url(path), download: name});
    if (session.token !== null) link.href = URL.createObjectURL(await (await send("GET", file_url(path))).blob());
    link.click();
    if (session.token !== null) setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  });

const crumbs = (path) => {
  const names = path === "" ? [] : path.split("/");
  const links = names.map((name, i) =>
    h(
      "li",
      null,
      h(
        "a",
        {href: address(names.slice(0, i + 1).join("/")), "aria-current": i + 1 === names.length ? "page" : null},
        name,
      ),
    ),
  );
  return h(
    "nav",
    {"aria-label": "Path"},
    h(
      "ol",
      {class: "crumbs"},
      h("li", null, h("a", {href: "#/files", "aria-current": path === "" ? "page" : null}, "files")),
      ...links,
    ),
  );
};

const detail_fields = [
  ["Size", (at) => `${bytes(Number(at("Content-Length")))} (${count(Number(at("Content-Length")))} bytes)`],
  ["Type", (at) => at("Content-Type")],
  ["Version", (at) => version_of(at("ETag") ?? "")],
  ["Modified", (at) => date(at("Last-Modified"))],
  ["Expires", (at) => at("Kaiku-Expires")],
  ["SHA-256", (at) => /sha-256=:([^:]*):/.exec(at("Repr-Digest") ?? "")?.[1]],
  ["Answered by", (at) => `${at("Kaiku-Node")}, which has the log up to ${at("Kaiku-Applied")}`],
];

const show_details = async (aside, path, fates) => {
  const answer = await send("HEAD", file_url(path));
  const at = (name) => answer.headers.get(name);
  const entries = detail_fields.map(([name, text]) => {
    const one = figure(name);
    set_text(one.value, text(at) ?? unknown);
    return one;
  });
  const fate = figure("Recorded by");
  set_text(fate.value, "…");
  fates.ask(version_of(at("ETag") ?? ""), (known) =>
    set_text(
      fate.value,
      known === null ? unknown : `${fate_text[known.status]}: ${known.holders} of ${known.voters} voters`,
    ),
  );
  for (const [name, value] of answer.headers) {
    if (!name.startsWith("kaiku-meta-")) continue;
    const one = figure(name.slice("kaiku-meta-".length));
    set_text(one.value, value);
    entries.push(one);
  }
  const close = h(
    "button",
    {type: "button", class: "close", onclick: () => ((aside.hidden = true), aside.opener?.focus())},
    "Close",
  );
  aside.replaceChildren(
    h("p", {class: "top"}, h("h2", {tabindex: "-1"}, path.split("/").at(-1)), close),
    h("dl", {class: "details"}, ...entries.slice(0, 3), fate, ...entries.slice(3)),
  );
  aside.hidden = false;
  aside.querySelector("h2").focus();
};

export const open = (rest) => {
  let path = parse(rest),
    entries = [],
    next = null,
    ended = new AbortController();
  const fates = make_fates();
  const place = h("div"),
    problem = note("", "bad"),
    total = h("p", {class: "hint", role: "status"});
  const more = h("button", {type: "button", onclick: () => load({append: true})}, "Show more");
  const body = h("tbody"),
    aside = h("aside", {hidden: true, "aria-label": "One file"});
  problem.hidden = true;

  const remove = async (entry) => {
    const inside = entry.type === "directory";
    const at = join(path, entry.name);
    const agreed = await confirm_action({
      title: `Remove ${entry.name}?`,
      danger: true,
      agree: "Remove",
      text: inside
        ? ["The directory and everything below it goes, on every node.", "This can't be taken back."]
        : ["The file goes, on every node.", "This can't be taken back."],
      typed: inside ? entry.name : null,
    });
    if (agreed)
      await change(() => send("DELETE", file_url(at) + (inside ? "?recursive=true" : "")), `${entry.name} is removed`);
  };
  const change = (what, done) =>
    attempt(async () => {
      const answer = await what();
      await load({token: answer.headers.get("Kaiku-Token")});
    }, done);

  const make_row = (entry) => {
    const inside = entry.type === "directory",
      at = join(path, entry.name);
    const name = inside
      ? h("a", {href: address(at)}, `${entry.name}/`)
      : h(
          "button",
          {
            type: "button",
            class: "link",
            onclick: () => ((aside.opener = name), attempt(() => show_details(aside, at, fates))),
          },
          entry.name,
        );
    const fate = inside ? null : badge("…");
    const act = (text, does, label) =>
      h("button", {type: "button", class: "small", "aria-label": `${label} ${entry.name}`, onclick: does}, text);
    const row = h(
      "tr",
      null,
      h("th", {scope: "row", class: "text"}, name),
      h("td", {class: "number"}),
      h("td", {class: "time"}),
      h("td", {class: "text"}),
      h("td", {class: "number"}),
      h("td", null, fate),
      h(
        "td",
        {class: "actions"},
        inside ? null : act("Download", () => download(at, entry.name), "Download"),
        act("Remove", () => remove(entry), "Remove"),
      ),
    );
    row.fate = fate;
    return row;
  };
  const update_row = (row, entry) => {
    const version = version_of(entry.etag);
    set_text(row.cells[1], entry.size === undefined ? "" : bytes(entry.size));
    set_text(row.cells[2], date(entry.modified));
    set_text(row.cells[3], entry.content_type ?? "directory");
    set_text(row.cells[4], version ?? unknown);
    if (row.fate && version !== null) fates.ask(version, (fate) => show_fate(row.fate, fate));
  };
  const load = async ({append = false, token = null} = {}) => {
    const query = new URLSearchParams({limit: String(page_length)});
    if (append && next !== null) query.set("after", next);
    if (token !== null) query.set("token", token);
    try {
      const page = await get_json(`${path === "" ? "/files/" : `${file_url(path)}/`}?${query}`, {
        headers: {Accept: "application/json"},
        signal: ended.signal,
      });
      entries = append ? entries.concat(page.entries) : page.entries;
      next = page.next;
      problem.hidden = true;
    } catch (error) {
      if (ended.signal.aborted) return;
      problem.hidden = false;
      set_text(problem, error.status === 404 ? "There is no such directory." : error.message);
      [entries, next] = [[], null];
    }
    fates.forget();
    keep_in_step(body, entries, (entry) => `${entry.type} ${entry.name}`, make_row, update_row);
    more.hidden = next === null;
    set_text(
      total,
      `${count(entries.length)}${next === null ? "" : " or more"} ${entries.length === 1 ? "entry" : "entries"}`,
    );
  };

  const uploads = upload_list((token) => load({token}));
  const durability = h("select", null, ...["majority", "leader", "all"].map((value) => h("option", {value}, value)));
  const chosen = h("input", {type: "file", multiple: true, onchange: () => (add(chosen.files), (chosen.value = ""))});
  const add = (files) => {
    for (const file of files) uploads.add(file, join(path, file.name), durability.value);
  };
  const drop = h(
    "div",
    {class: "drop"},
    h(
      "div",
      {class: "toolbar"},
      h("label", null, h("span", null, "Upload"), chosen),
      h("label", null, h("span", null, "answered when recorded by"), durability),
      h("span", {class: "hint"}, "Files can also be dropped here."),
      h("button", {type: "button", class: "end", onclick: () => make_directory()}, "New directory…"),
    ),
    uploads.root,
  );
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") add(event.dataTransfer.files);
    });
  const make_directory = async () => {
    const name = await ask_text({title: "New directory", label: "Name", agree: "Make it"});
    if (name) await change(() => send("POST", `${file_url(join(path, name))}?op=mkdir`), `${name} is made`);
  };

  const go = (to) => {
    path = parse(to);
    ended.abort();
    ended = new AbortController();
    [entries, next] = [[], null];
    body.replaceChildren();
    aside.hidden = true;
    place.replaceChildren(crumbs(path));
    return load();
  };
  const heads = [
    column("Name"),
    column("Size", {number: true}),
    column("Modified"),
    column("Type"),
    column("Version", {number: true, hint: "term and index of the write that made it"}),
    column("Recorded by", {hint: "how many voters have it on their disk"}),
    column(""),
  ];
  heads.at(-1).append(h("span", {class: "unseen"}, "Actions"));
  const list = h(
    "div",
    null,
    place,
    drop,
    problem,
    scroller("Files", h("table", {class: "files"}, h("thead", null, h("tr", null, ...heads)), body)),
    h("p", null, more),
    total,
  );
  const timer = setInterval(() => document.hidden || entries.length > page_length || load(), refreshed_ms);
  const close = () => {
    clearInterval(timer);
    ended.abort();
    fates.forget();
  };
  go(rest);
  return {root: h("div", {class: "split"}, list, aside), go, close, signed: () => load()};
};
