// The page around the views: which one is shown (by the part of the address behind `#`), the connection, signing in.

import {session, sign_in, sign_out} from "./api.js";
import {h, keep_in_step, note, set_attribute, set_text} from "./dom.js";
import {console_of, forget, live, retry, start} from "./live.js";
import {hush} from "./say.js";
import {uploads} from "./uploads.js";
import * as actors from "./view_actors.js";
import * as admin from "./view_admin.js";
import * as files from "./view_files.js";
import * as messages from "./view_messages.js";
import * as overview from "./view_overview.js";
import * as timeline from "./view_timeline.js";

// Each gives `open(rest)` of a view: {title, root, update(), close()}; a view that is asked for anew with another rest
// may take it over with `go(rest)`.
const views = {overview, actors, messages, timeline, files, admin};
const titles = {
  overview: "Overview",
  actors: "Actors",
  messages: "Messages",
  timeline: "Timeline",
  files: "Files",
  admin: "Admin",
};

const main = document.getElementById("main");
const connection = document.getElementById("connection");
const sign = document.getElementById("sign");
const lost = h("div", {class: "lost", hidden: true});
let shown = null; // {name, view}

const links = Object.keys(views).map((name) => h("li", null, h("a", {href: `#/${name}`}, titles[name])));
document.getElementById("views").append(...links);

const show = (by_user) => {
  const [, name = "", rest = ""] = /^#\/([^/]*)\/?(.*)$/.exec(location.hash) ?? [];
  const known = views[name] ? name : "overview";
  links.forEach((link, i) =>
    set_attribute(link.firstChild, "aria-current", Object.keys(views)[i] === known ? "page" : null),
  );
  if (shown?.name === known && shown.view.go) return shown.view.go(rest);
  shown?.view.close?.();
  const view = views[known].open(rest);
  shown = {name: known, view};
  const heading = h("h1", {tabindex: "-1"}, titles[known]);
  main.replaceChildren(lost, heading, view.root);
  document.title = `${titles[known]} – Kaiku`;
  view.update?.();
  if (by_user) heading.focus();
};

/** Nothing stays of what the view has shown. */
const open_anew = () => {
  shown?.view.close?.();
  shown = null;
  show(false);
};

/** When this page's own node is gone, the others are still there. */
const show_lost = () => {
  const others = [...live.nodes.values()].filter((node) => node.name !== live.answered_by && console_of(node));
  const wanted = live.state === "lost" && live.answered_by !== null;
  lost.hidden = !wanted;
  if (!wanted) return;
  if (!lost.firstChild) lost.append(note("", "bad"), h("p", {class: "others"}));
  const what = live.answers ? "tells nothing more" : "does not answer";
  set_text(lost.firstChild, `${live.answered_by} ${what} (${live.why}). What is shown is the last that it said.`);
  keep_in_step(
    lost.lastChild,
    others,
    (node) => node.name,
    (node) => h("a", null, `Open the console of ${node.name}`),
    (link, node) => set_attribute(link, "href", console_of(node) + location.hash),
  );
};

const refresh = () => {
  const words = {
    connecting: "connecting",
    live: `live from ${live.answered_by}`,
    lost: "connection lost",
    refused: "not allowed",
  };
  set_text(connection, words[live.state]);
  set_attribute(connection, "class", live.state);
  set_attribute(connection, "title", live.why || null);
  show_lost();
  if (shown) shown.view.update?.();
};

session.change = () => {
  sign.hidden = session.token === null && !session.declined;
  set_text(sign, session.token === null ? "Sign in" : "Sign out");
  if (session.token === null) {
    forget();
    hush();
    uploads.forget();
    open_anew();
  }
  retry();
  if (session.token !== null) shown?.view.signed?.();
};
sign.addEventListener("click", () => (session.token === null ? sign_in() : sign_out()));

// Its address is no view's.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

live.listeners.add(refresh);
window.addEventListener("hashchange", () => show(true));
setInterval(refresh, 1000); // ages
sign.hidden = session.token === null;
set_text(sign, "Sign out");
show(false);
refresh();
start();
