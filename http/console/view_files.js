// The tree of files: one directory, with the version of each file and where that is recorded; uploads; one file's details.

import {file_url, get_json, patience_ms, send, session} from "./api.js";
import {ask_text, confirm_action} from "./dialogs.js";
import {badge, column, figure, h, keep_in_step, note, scroller, set_attribute, set_text} from "./dom.js";
import {bytes, count, date, decoded, unknown, visible} from "./format.js";
import {attempt, say} from "./say.js";
import {fate_text, fate_tone, uploads} from "./uploads.js";

const page_length = 100; // as many are also looked at again by themselves
const most_at_once = 1000; // that a node gives in one answer, unless it was told to give fewer:
let takes_limits = true;
const typed_ms = 250;
const download_shown = 16 << 20,
  download_most = 2 ** 30;
const asked_at_once = 4;
const refreshed_ms = 5000;
const tag_digits = 8; // of the cluster's id, in the tokens of its writes

const join = (directory, name) => (directory === "" ? name : `${directory}/${name}`);
const address = (path) => `#/files/${path.split("/").map(encodeURIComponent).join("/")}`;
const parse = (rest) => rest.split("/").filter(Boolean).map(decoded).join("/");

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

/** Without a token the browser loads it; with one only a script can say it, and has all of it in memory. */
const download = (path, name, size) =>
  attempt(async () => {
    if (session.token !== null && size > download_most)
      throw new Error(`${name} has ${bytes(size)}: too much for a page that shows a token. The kaiku command loads it: kaiku get`);
    if (session.token !== null && size > download_shown) say(`${name} is on its way, ${bytes(size)}`);
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
        visible(name),
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

/** `is_wanted`: nothing else was asked for meanwhile. */
const show_details = async (aside, path, fates, signal, is_wanted) => {
  const answer = await send("HEAD", file_url(path), {signal, within_ms: patience_ms});
  if (!is_wanted()) return;
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
    h("p", {class: "top"}, h("h2", {tabindex: "-1"}, visible(path.split("/").at(-1))), close),
    h("dl", {class: "details"}, ...entries.slice(0, 3), fate, ...entries.slice(3)),
  );
  aside.hidden = false;
  aside.querySelector("h2").focus();
};

export const open = (rest) => {
  let path = parse(rest),
    entries = [],
    next = null,
    wanted = page_length,
    asked = 0, // loads, each of which takes the place of the one before
    answered = 0,
    looked = 0, // the same for one file's details
    ended = new AbortController();
  const fates = make_fates();
  const place = h("div"),
    problem = note("", "bad"),
    total = h("p", {class: "hint", role: "status"});
  const more = h("button", {type: "button", onclick: () => load({further: true})}, "Show more");
  const again = h("button", {type: "button", onclick: () => load()}, "Look again");
  let typing = null;
  const typed = () => {
    clearTimeout(typing);
    typing = setTimeout(() => ((wanted = page_length), load()), typed_ms);
  };
  const prefix = h("input", {type: "search", autocomplete: "off", spellcheck: "false", oninput: typed});
  const body = h("tbody"),
    aside = h("aside", {hidden: true, "aria-label": "One file"});
  problem.hidden = true;

  const remove = async (entry) => {
    const inside = entry.type === "directory";
    const at = join(path, entry.name);
    const agreed = await confirm_action({
      title: `Remove ${visible(entry.name)}?`,
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

  const look_at = async (opener, at) => {
    const own = ++looked,
      {signal} = ended;
    aside.opener = opener;
    await attempt(async () => {
      try {
        await show_details(aside, at, fates, signal, () => own === looked && !signal.aborted);
      } catch (problem) {
        if (own === looked && !signal.aborted) throw problem;
      }
    });
  };
  const make_row = (entry) => {
    const inside = entry.type === "directory",
      at = join(path, entry.name);
    const name = inside
      ? h("a", {href: address(at)}, `${visible(entry.name)}/`)
      : h(
          "button",
          {
            type: "button",
            class: "link",
            onclick: () => look_at(name, at),
          },
          visible(entry.name),
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
        inside ? null : act("Download", () => download(at, entry.name, entry.size), "Download"),
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
  /** One page of it, of no more than `limit`; as long as the node likes when it takes none so large. */
  const page_behind = async (after, limit, token) => {
    const query = new URLSearchParams();
    if (takes_limits) query.set("limit", String(limit));
    if (after !== null) query.set("after", after);
    if (token !== null) query.set("token", token);
    if (prefix.value !== "") query.set("prefix", prefix.value);
    const directory = path === "" ? "/files/" : `${file_url(path)}/`;
    try {
      return await get_json(`${directory}?${query}`, {headers: {Accept: "application/json"}, signal: ended.signal});
    } catch (problem) {
      if (problem.status !== 400 || !takes_limits) throw problem;
      takes_limits = false;
      return page_behind(after, limit, token).catch((other) => {
        takes_limits = true; // that was not it
        throw other;
      });
    }
  };
  /** All that is wanted, from the beginning, or `further`: what follows. What an earlier one brings now is dropped. */
  const load = async ({further = false, token = null} = {}) => {
    const goes_on = further && answered === asked; // else what is there may be of before
    const own = ++asked;
    if (further) wanted = wanted === page_length ? most_at_once : wanted + most_at_once;
    let found = goes_on ? entries : [],
      after = goes_on ? next : null,
      wrong = null;
    try {
      do {
        const page = await page_behind(after, Math.min(most_at_once, wanted - found.length), token);
        if (own !== asked) return;
        found = found.concat(page.entries);
        after = page.next;
      } while (after !== null && found.length < wanted);
    } catch (error) {
      if (ended.signal.aborted || own !== asked) return;
      wrong = error;
      [found, after] = [[], null];
    }
    answered = own;
    [entries, next] = [found, after];
    problem.hidden = wrong === null;
    if (wrong) set_text(problem, wrong.status === 404 ? "There is no such directory." : wrong.message);
    show();
  };
  const show = () => {
    fates.forget();
    keep_in_step(body, entries, (entry) => `${entry.type} ${entry.name}`, make_row, update_row);
    more.hidden = next === null;
    again.hidden = entries.length <= page_length;
    const number = `${count(entries.length)}${next === null ? "" : " or more"} ${entries.length === 1 ? "entry" : "entries"}`;
    set_text(total, again.hidden ? number : `${number}; so many are not looked at again by themselves`);
  };

  const on_stored = (token) => load({token});
  uploads.listeners.add(on_stored);
  const durability = h("select", null, ...["majority", "leader", "all"].map((value) => h("option", {value}, value)));
  const chosen = h("input", {type: "file", multiple: true, onchange: () => (add(chosen.files), (chosen.value = ""))});
  const add = (files) =>
    uploads.add(
      [...files].map((file) => ({file, path: join(path, file.name)})),
      durability.value,
    );
  /** A browser gives the names of directories as files that can't be read. */
  const take = ({items}) => {
    const all = [...items].filter((item) => item.kind === "file");
    const directories = all.map((item) => item.webkitGetAsEntry()).filter((entry) => entry?.isDirectory);
    if (directories.length > 0)
      say(`${directories[0].name} is a directory: the kaiku command takes those, kaiku put -r`, "bad");
    add(all.filter((item) => !item.webkitGetAsEntry()?.isDirectory).map((item) => item.getAsFile()));
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
      if (kind === "drop") take(event.dataTransfer);
    });
  const make_directory = async () => {
    const name = await ask_text({title: "New directory", label: "Name", agree: "Make it"});
    if (name) await change(() => send("POST", `${file_url(join(path, name))}?op=mkdir`), `${name} is made`);
  };

  const go = (to) => {
    path = parse(to);
    ended.abort();
    ended = new AbortController();
    [entries, next, wanted] = [[], null, page_length];
    prefix.value = "";
    body.replaceChildren();
    aside.hidden = true;
    ++looked;
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
    h("div", {class: "toolbar"}, h("label", null, h("span", null, "Names that begin with"), prefix)),
    problem,
    scroller("Files", h("table", {class: "files"}, h("thead", null, h("tr", null, ...heads)), body)),
    h("p", null, more, " ", again),
    total,
  );
  const timer = setInterval(
    () => document.hidden || entries.length > page_length || answered !== asked || load(),
    refreshed_ms,
  );
  const close = () => {
    clearInterval(timer);
    clearTimeout(typing);
    uploads.listeners.delete(on_stored);
    ended.abort();
    fates.forget();
  };
  go(rest);
  return {root: h("div", {class: "split"}, list, aside), go, close, signed: () => load()};
};
