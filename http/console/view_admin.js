// What only admins do: who leads, who is a member, checking what is stored, and what failovers displaced. The last two
// are each node's own, so this page does them for the node it came from.

import {get_json, post, send} from "./api.js";
import {ask_text, change_or_replace, confirm_action} from "./dialogs.js";
import {badge, column, figure, h, keep_in_step, note, scroller, section, set_attribute, set_text} from "./dom.js";
import {bytes, count, date, millis, since, unknown} from "./format.js";
import {console_of, live} from "./live.js";
import {attempt, say} from "./say.js";
import {role_tone} from "./view_overview.js";

const refreshed_ms = 1500;

// --- members ---------------------------------------------------------------------------------------------------------

const hand_over = async (id, again) => {
  const agreed = await confirm_action({
    title: id === null ? "Hand over leadership?" : `Hand over to ${id}?`,
    agree: "Hand over",
    text: `${id ?? "Whoever is most up to date"} takes over. Writes wait for it, usually less than a second.`,
  });
  if (agreed)
    await attempt(async () => {
      const now = await (await post("/cluster/leader", id === null ? null : {id})).json();
      again(`${now.leader} leads now, in term ${now.term}`);
    });
};

const remove_member = async (id, again) => {
  const agreed = await confirm_action({
    title: `Remove ${id} from the cluster?`,
    agree: "Remove",
    danger: true,
    typed: id,
    text: [
      "It no longer counts for majorities and gets no more writes. What is on its disk stays there.",
      "To come back it has to join anew.",
    ],
  });
  if (
    agreed &&
    (await attempt(() => send("DELETE", `/cluster/members/${encodeURIComponent(id)}`), `${id} is no longer a member`))
  )
    again();
};

const members_panel = (again) => {
  const body = h("tbody"),
    lost = note("", "warn");
  lost.hidden = true;
  const told = (text) => {
    if (text) say(text);
    again();
  };
  const make = (member) => {
    const lead = h("button", {type: "button", class: "small", onclick: () => hand_over(member.id, told)}, "Hand over…");
    const remove = h(
      "button",
      {type: "button", class: "small danger", onclick: () => remove_member(member.id, again)},
      "Remove…",
    );
    lead.setAttribute("aria-label", `Hand over to ${member.id}`);
    remove.setAttribute("aria-label", `Remove ${member.id}`);
    const row = h(
      "tr",
      null,
      h("th", {scope: "row"}, member.id),
      h("td", null, badge("")),
      h("td"),
      h("td", {class: "number"}),
      h("td", {class: "number"}),
      h("td", {class: "code"}),
      h("td", {class: "actions"}, lead, remove),
    );
    row.lead = lead;
    return row;
  };
  const fill = (row, {member, leader, self}) => {
    const role = member.id === leader ? "leader" : member.voter ? "follower" : "learner",
      mark = row.cells[1].firstChild;
    set_text(mark, role);
    set_attribute(mark, "class", `badge ${role_tone[role] ?? "plain"}`);
    set_text(row.cells[2], member.id === self ? "this node" : member.connected ? "connected" : "not connected");
    set_attribute(row.cells[2], "class", member.id === self || member.connected ? null : "bad");
    set_text(row.cells[3], member.id === self ? unknown : millis(member.last_heard_ms));
    set_text(row.cells[4], count(member.match));
    set_text(row.cells[5], member.peer_address);
    row.lead.disabled = role !== "follower";
  };
  const heads = [
    column("Member"),
    column("Role"),
    column("Link"),
    column("Heard", {number: true, hint: "time since this node heard of it"}),
    column("Holds up to", {number: true, hint: "as the leader knows; other nodes do not"}),
    column("Address"),
    column(""),
  ];
  heads.at(-1).append(h("span", {class: "unseen"}, "Actions"));
  const root = section(
    "Members",
    lost,
    scroller("Members", h("table", null, h("thead", null, h("tr", null, ...heads)), body)),
    h(
      "p",
      null,
      h("button", {type: "button", onclick: () => hand_over(null, told)}, "Hand over to whoever is most up to date…"),
    ),
  );
  const show = (cluster) => {
    keep_in_step(
      body,
      cluster.members.map((member) => ({id: member.id, member, leader: cluster.leader, self: cluster.node})),
      ({id}) => id,
      make,
      fill,
    );
    lost.hidden = cluster.possibly_lost === null;
    if (cluster.possibly_lost)
      set_text(
        lost,
        `Entries ${cluster.possibly_lost.first} to ${cluster.possibly_lost.last} of term ${cluster.possibly_lost.term} were heard of and are not in this leader's log: they are lost unless that leader's disk comes back.`,
      );
  };
  return {root, show};
};

// --- the check of what is stored -------------------------------------------------------------------------------------

const scrub_panel = (again) => {
  const names = ["State", "Began", "Checked", "Damaged", "Repaired", "Not repaired"];
  const figures = names.map(figure);
  const start = h("button", {type: "button", onclick: () => begin()}, "Check now…");
  const begin = async () => {
    const agreed = await confirm_action({
      title: "Check all content of this node?",
      agree: "Check",
      text: "Every file on its disk is read and hashed, at a bounded rate. What is damaged is brought again from another node.",
    });
    if (agreed && (await attempt(() => post("/cluster/scrub"), "The check has begun"))) again();
  };
  const root = section("Check of stored content", h("dl", {class: "figures small"}, ...figures), h("p", null, start));
  const show = (scrub) => {
    const texts = [
      scrub.running ? "under way" : scrub.ended ? `ended ${since(scrub.ended)}` : "none yet",
      date(scrub.began),
      `${count(scrub.checked)}, ${bytes(scrub.checked_bytes)}`,
      count(scrub.damaged),
      count(scrub.repaired),
      count(scrub.unrepairable),
    ];
    texts.forEach((text, i) => set_text(figures[i].value, text));
    set_attribute(figures[5], "class", `figure ${scrub.unrepairable > 0 ? "bad" : ""}`);
    start.disabled = scrub.running;
  };
  return {root, show};
};

// --- what failovers displaced ----------------------------------------------------------------------------------------

const restore_url = (entry, to) =>
  `/set-aside/${encodeURIComponent(entry.token)}?op=restore${to === null ? "" : `&to=${encodeURIComponent(to)}`}`;

/** Puts it back; asks once more when something stands there. */
const restore = (entry, to, again) =>
  attempt(async () => {
    const path = to ?? entry.path;
    const change = (headers) => send("POST", restore_url(entry, to), {headers});
    const lost = "Something newer stands there. It is replaced by what was set aside.";
    if ((await change_or_replace(change, {}, path, lost)) !== null) again(`${path} is restored`);
  });

const set_aside_panel = (again) => {
  const body = h("tbody"),
    none = note("Nothing is set aside on this node.");
  const act = (text, does, label) =>
    h("button", {type: "button", class: "small", "aria-label": label, onclick: does}, text);
  const told = (text) => {
    say(text);
    again();
  };
  const back = async (entry) => {
    const agreed = await confirm_action({
      title: `Restore ${entry.path}?`,
      agree: "Restore",
      text: "It becomes a new version, on every node. Nothing that stands there is replaced without asking.",
    });
    if (agreed) await restore(entry, null, told);
  };
  const elsewhere = async (entry) => {
    const to = await ask_text({title: `Restore ${entry.path} as`, label: "Path", value: entry.path, agree: "Restore"});
    if (to) await restore(entry, to, told);
  };
  const forget = async (entry) => {
    const agreed = await confirm_action({
      title: `Forget ${entry.path ?? entry.token}?`,
      agree: "Forget",
      danger: true,
      text: "What is kept of it on this node goes. This can't be taken back.",
    });
    if (agreed)
      await attempt(async () => {
        await send("DELETE", `/set-aside/${encodeURIComponent(entry.token)}`);
        told("It is forgotten");
      });
  };
  const make = (entry) => {
    const name = entry.path ?? entry.token,
      can = entry.change === "put" || entry.change === "mkdir";
    return h(
      "tr",
      null,
      h("td", {class: "text"}, entry.path ?? unknown),
      h("td", null, entry.change),
      h("td", {class: "time"}, date(entry.set_aside)),
      h("td", {class: "number"}, bytes(entry.size)),
      h("td", {class: "code"}, entry.token),
      h(
        "td",
        {class: "actions"},
        can && act("Restore…", () => back(entry), `Restore ${name}`),
        can && act("Restore as…", () => elsewhere(entry), `Restore as: ${name}`),
        act("Forget…", () => forget(entry), `Forget ${name}`),
      ),
    );
  };
  const heads = [
    column("Path"),
    column("Change"),
    column("Set aside"),
    column("Size", {number: true}),
    column("Token"),
    column(""),
  ];
  heads.at(-1).append(h("span", {class: "unseen"}, "Actions"));
  const more = note("There are more than are shown: others come up as these are restored or forgotten.");
  more.hidden = true;
  const list = scroller("Set aside", h("table", null, h("thead", null, h("tr", null, ...heads)), body));
  const root = section("Set aside by failovers", none, list, more);
  const show = (page) => {
    none.hidden = page.entries.length > 0;
    list.hidden = !none.hidden;
    more.hidden = page.next === null;
    keep_in_step(
      body,
      page.entries,
      (entry) => entry.token,
      make,
      () => {},
    );
  };
  return {root, show};
};

// --- the page --------------------------------------------------------------------------------------------------------

export const open = () => {
  const ended = new AbortController(),
    problem = note("", "bad"),
    whose = h("p", {class: "others"});
  problem.hidden = true;
  let timer = null,
    round = 0;
  const again = () => refresh();
  const members = members_panel(again),
    scrub = scrub_panel(again),
    displaced = set_aside_panel(again);
  const parts = [
    ["/cluster", members],
    ["/cluster/scrub", scrub],
    ["/set-aside", displaced],
  ];
  const refresh = async () => {
    clearTimeout(timer);
    const own = ++round; // one that began later is the one that goes on
    if (document.hidden) return void (timer = setTimeout(refresh, refreshed_ms));
    const read = async ([path, part]) => {
      const told = await get_json(path, {signal: ended.signal});
      if (own === round) part.show(told);
    };
    const wrong = (await Promise.allSettled(parts.map(read))).find((one) => one.status === "rejected");
    if (ended.signal.aborted || own !== round) return;
    problem.hidden = wrong === undefined;
    if (wrong) set_text(problem, wrong.reason.message);
    timer = setTimeout(refresh, refreshed_ms);
  };
  const update = () => {
    const others = [...live.nodes.values()].filter((node) => node.name !== live.answered_by && console_of(node));
    keep_in_step(
      whose,
      others,
      (node) => node.name,
      (node) => h("a", {href: `${console_of(node)}#/admin`}, `The same for ${node.name}`),
      () => {},
    );
  };
  refresh();
  const close = () => (ended.abort(), clearTimeout(timer));
  return {root: h("div", null, problem, members.root, scrub.root, displaced.root, whose), update, close, signed: again};
};
