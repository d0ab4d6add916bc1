// What goes on while nobody looks, for long, or slower than usual: tabs behind others, clocks that differ, answers that
// don't come, lists that change under the reader.

import assert from "node:assert/strict";
import {once} from "node:events";
import {createServer} from "node:http";
import {live} from "./browser.mjs";
import {until} from "./cluster.mjs";
import {begin, check, put} from "./suite.mjs";

begin();

const trace_id = "0af7651916cd43dd8448eb211c80319c";

/** Whether anybody watches, as each node says. */
const watched = async (cluster) =>
  (await (await cluster.get(cluster.nodes[0], "/actors")).json()).nodes.map((node) => node.watched);

const requests_of = (page) => {
  const all = [];
  page.on("request", (request) => all.push(new URL(request.url()).pathname));
  return all;
};

/** A tab that begins behind others, with a clock that can be turned. */
const behind_others = async (page) => {
  await page.clock.install();
  await page.addInitScript(() => {
    window.behind = true;
    Object.defineProperty(document, "hidden", {get: () => window.behind});
  });
};
const look_at = (page, looked_at) =>
  page.evaluate((behind) => {
    window.behind = behind;
    document.dispatchEvent(new Event("visibilitychange"));
  }, !looked_at);

/** Half a minute, in which the stream is not silent. */
const half_a_minute = async (page) => {
  for (let i = 0; i < 3; ++i) {
    await page.clock.fastForward(8000);
    await page.evaluate(async () => {
      const {live} = await import("/console/live.js");
      await new Promise((done) => {
        const listener = () => (live.listeners.delete(listener), done());
        live.listeners.add(listener);
      });
    });
  }
  await page.clock.fastForward(7000);
};

check("a tab that nobody looks at stops watching, also one that was opened behind others", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "overview", {prepare: behind_others});
  await live(shown);
  await until("all nodes are watched", async () => (await watched(cluster)).every((one) => one));
  await half_a_minute(shown);
  await until("nobody watches", async () => !(await watched(cluster)).includes(true));
  await look_at(shown, true);
  await live(shown);
  await until("all nodes are watched again", async () => (await watched(cluster)).every((one) => one));
});

check("a view that nobody looks at asks for nothing", async (page, cluster) => {
  const [{actors}] = (await (await cluster.get(cluster.nodes[0], "/actors?node=n1")).json()).nodes;
  const {id} = actors.find((actor) => actor.name === "storage");
  for (const view of ["admin", "messages", "files", `actors/${id}`]) {
    const shown = await page(cluster.nodes[0], view, {prepare: behind_others});
    await live(shown);
    await look_at(shown, true);
    await shown.locator("main h2, .files tbody").first().waitFor({state: "attached"});
    await shown.clock.runFor(8000);
    const asked = requests_of(shown);
    await shown.clock.runFor(8000);
    await until(`${view} asks while it is looked at`, async () => asked.length > 0);
    await look_at(shown, false);
    await shown.clock.runFor(4000); // what was under way
    await shown.evaluate(() => 0);
    asked.length = 0;
    await shown.clock.runFor(20000);
    await shown.evaluate(() => 0);
    assert.deepEqual(asked, [], view);
  }
});

check("times are told by the nodes' clock, whatever the reader's says", async (page, cluster) => {
  for (const minutes of [12, -12]) {
    const prepare = (shown) => shown.clock.install({time: Date.now() + minutes * 60000});
    const shown = await page(cluster.nodes[0], "overview", {prepare});
    await live(shown);
    const since = shown.locator(".figure", {hasText: "Last election"}).locator("dd");
    await until("the election was a while ago", async () => /^\d+ (s|min) ago$/.test(await since.innerText()));
    const [, number, unit] = /^(\d+) (s|min) ago$/.exec(await since.innerText());
    const {nodes} = await (await cluster.get(cluster.nodes[0], "/actors")).json();
    const age_s = (Date.now() - Math.max(...nodes.map((node) => Date.parse(node.last_election)))) / 1000;
    const told_s = number * (unit === "s" ? 1 : 60);
    assert.ok(Math.abs(told_s - age_s) < 40, `${told_s} s for ${age_s} s`);
    await shown.getByRole("link", {name: "Timeline"}).click();
    await shown.locator(".timeline tbody tr", {hasText: "election won"}).first().waitFor();
    const places = await shown.locator(".strip .mark").evaluateAll((all) => all.map((one) => Number(one.getAttribute("cx"))));
    assert.ok(places.length >= 4, "what happened is on the strip");
    assert.ok(places.every((x) => x >= 0 && x <= 1000), `${places}`);
  }
});

check("a trace that goes on a caller's has a name and a time", async (page, cluster) => {
  await cluster.get(cluster.nodes[0], "/files/called/f", {
    method: "PUT",
    body: "content",
    headers: {"Kaiku-Trace": "1", traceparent: `00-${trace_id}-b7ad6b7169203331-01`},
  });
  const shown = await page(cluster.nodes[0], `messages/${trace_id}`);
  await shown.getByRole("heading", {name: "PUT /files/called/f"}).waitFor();
  await shown.getByText(/answered after [0-9.]+ (µs|ms|s)\. Trace 0af7/).waitFor();
});

check(
  "a stream that gets no answer is asked for anew, and a poll says so",
  async (page, cluster) => {
    const held = [];
    const prepare = async (shown) => {
      await shown.clock.install();
      await shown.route("**/actors/stream", (route) => (held.length === 0 ? held.push(route) : route.continue()));
      await shown.route("**/actors/n1:*", (route) => held.push(route)); // for ever
    };
    const shown = await page(cluster.nodes[0], "overview", {prepare});
    await until("the first is under way", async () => held.length === 1);
    assert.equal(await shown.locator("#connection").innerText(), "connecting");
    await shown.clock.runFor(11000);
    await live(shown);
    await shown.getByRole("link", {name: "Actors", exact: true}).click();
    const before = held.length;
    await shown.locator(".actors a", {hasText: "storage"}).first().click();
    await until("the actor is asked for", async () => held.length > before);
    await shown.clock.runFor(11000);
    await shown.locator("aside").getByText("The node does not answer").waitFor();
  },
  {expected: /Failed to load resource/},
);

check(
  "a node that answers with something else is not said to be silent",
  async (page, cluster) => {
    const state = await (await cluster.get(cluster.nodes[0], "/actors")).text();
    const broken = `event: state\ndata: ${state}\n\nevent: change\ndata: {}\n\n`;
    for (const [answer, words] of [
      [{contentType: "text/event-stream", body: broken}, /^n1 tells nothing more \(this page failed: /],
      [{status: 503, json: {title: "Overloaded", detail: "no more streams"}}, /^n1 tells nothing more \(Overloaded: no more streams\)/],
    ]) {
      let times = 0;
      const first = {contentType: "text/event-stream", body: `event: state\ndata: ${state}\n\n`};
      const prepare = (shown) =>
        shown.route("**/actors/stream", (route) => route.fulfill(times++ === 0 ? first : answer));
      const shown = await page(cluster.nodes[0], "overview", {prepare});
      await shown.getByText(words).waitFor();
    }
  },
  {expected: /status of 503|TypeError/},
);

check("a trace that is drawn anew keeps the focus and its place", async (page, cluster) => {
  let times = 0;
  const prepare = (shown) =>
    shown.route("**/actors/trace/*", async (route) => {
      const answer = await route.fetch(),
        trace = await answer.json();
      trace.spans[0].note = `seen ${++times} times`;
      await route.fulfill({response: answer, json: trace});
    });
  const shown = await page(cluster.nodes[0], "messages", {prepare, viewport: {width: 500, height: 900}});
  await shown.getByRole("button", {name: "Send and trace"}).click();
  const focused = () => shown.evaluate(() => document.activeElement.textContent);
  await shown.getByText("seen 1 times").first().waitFor({state: "attached"});
  assert.match(await focused(), /^PUT \/files\//);
  await shown.getByRole("region", {name: "Steps"}).evaluate((one) => (one.scrollLeft = 100));
  await shown.getByText("seen 2 times").first().waitFor({state: "attached"});
  assert.match(await focused(), /^PUT \/files\//);
  await shown.getByRole("region", {name: "Steps"}).focus();
  await shown.getByText(/seen [34] times/).first().waitFor({state: "attached"});
  assert.equal(await shown.evaluate(() => document.activeElement.ariaLabel), "Steps");
  assert.equal(await shown.getByRole("region", {name: "Steps"}).evaluate((one) => one.scrollLeft), 100);
});

/** A stream of as many nodes as there may be, each with as many actors as are told; those for uploads come and go. */
const crowded_stream = async (state, every_ms) => {
  const long = 64,
    short = 17; // sixteen uploads, and the sum of the rest
  const [{actors, ...like}] = state.nodes;
  const nodes = Array.from({length: 9}, (_, i) => ({...like, name: `n${i + 1}`}));
  const actor = (node, id, name) => ({...actors[0], id: `${node.name}:${id}`, name, parent: null, processed: id});
  const of = (node, round) => [
    ...Array.from({length: long}, (_, i) => actor(node, i + 1, `worker${i}`)),
    ...Array.from({length: short - 1}, (_, i) => actor(node, 1000 + round * short + i, "upload")),
    {...actor(node, round, "upload"), id: `${node.name}:upload*`, state: `${9984 + round} more`},
  ];
  const beats = {rounds: 0};
  const server = createServer((request, answer) => {
    const tell = (name, data) => answer.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    answer.writeHead(200, {"Content-Type": "text/event-stream"});
    tell("state", {...state, nodes: nodes.map((node) => ({...node, actors: of(node, 0)}))});
    const timer = setInterval(() => {
      const round = ++beats.rounds;
      const gone = nodes.flatMap(({name}) =>
        Array.from({length: short - 1}, (_, i) => `${name}:${1000 + (round - 1) * short + i}`),
      );
      const come = nodes.flatMap((node) => of(node, round).map((one) => ({...one, processed: one.processed + round})));
      const flows = nodes.map(({name}) => ({from: `${name}:1`, to: `${name}:${1000 + round * short}`, count: 3}));
      tell("change", {at: new Date().toISOString(), nodes: [], actors: come, gone, flows});
    }, every_ms);
    answer.on("close", () => clearInterval(timer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {url: `http://127.0.0.1:${server.address().port}/`, beats, close: () => (server.closeAllConnections(), server.close())};
};

check("nine nodes with thousands of short-lived actors leave the page usable", async (page, cluster) => {
  const state = await (await cluster.get(cluster.nodes[0], "/actors")).json();
  const crowd = await crowded_stream(state, 500);
  try {
    const prepare = (shown) => shown.route("**/actors/stream", (route) => route.continue({url: crowd.url}));
    const shown = await page(cluster.nodes[0], "actors", {prepare});
    await live(shown);
    await shown.getByText("729 of 729 actors").waitFor();
    const rows = shown.locator(".actors tbody tr");
    for (const from = crowd.beats.rounds; crowd.beats.rounds < from + 6; ) {
      const began = Date.now();
      await shown.getByLabel("Filter").fill("worker12");
      await until("the list is narrowed", async () => (await rows.count()) === 18);
      await shown.getByLabel("Filter").fill("");
      await until("and whole again", async () => (await rows.count()) === 738);
      assert.ok(Date.now() - began < 3000, `it answers within ${Date.now() - began} ms`);
    }
    await shown.getByText(/^99\d\d more$/).first().waitFor();
    await shown.getByRole("link", {name: "Messages", exact: true}).click();
    await shown.getByRole("region", {name: "Most messages"}).locator("tbody tr").first().waitFor();
    const boxes = await shown.locator(".flows rect").count();
    assert.ok(boxes <= 2 * 9 * 2, `those that are gone are drawn no more: ${boxes}`);
  } finally {
    crowd.close();
  }
});

check("what leaves a list moves nothing that stays, and gives the focus to a neighbour", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "overview");
  await live(shown);
  const seen = await shown.evaluate(async () => {
    const {h, keep_in_step} = await import("/console/dom.js");
    const list = h("ul");
    document.body.append(list);
    const show = (items) =>
      keep_in_step(
        list,
        items,
        (item) => item,
        (item) => h("li", null, h("button", {type: "button"}, item)),
        () => {},
      );
    const observer = new MutationObserver(() => {});
    observer.observe(list, {childList: true});
    const changes = (items) => {
      show(items);
      const all = observer.takeRecords();
      const of = (kind) => all.flatMap((one) => [...one[kind]].map((node) => node.textContent));
      return {gone: of("removedNodes"), come: of("addedNodes"), focus: document.activeElement.textContent};
    };
    changes(["a", "b", "c", "d"]);
    list.children[0].firstChild.focus();
    const first = changes(["b", "c", "d"]);
    list.children[2].firstChild.focus();
    const last = changes(["b", "c"]);
    const order = changes(["c", "b"]);
    list.remove();
    return {first, last, order};
  });
  assert.deepEqual(seen.first, {gone: ["a"], come: [], focus: "b"});
  assert.deepEqual(seen.last, {gone: ["d"], come: [], focus: "c"});
  assert.equal(seen.order.focus, "c");
});

check("the map of messages forgets actors that are gone", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "messages");
  await live(shown);
  // Who is asked about, by whoever keeps ids.
  const asked_about = (id) =>
    shown.evaluate(async (id) => {
      const {live} = await import("/console/live.js");
      const {has} = Map.prototype;
      let times = 0;
      live.actors.has = (one) => (one === id && ++times, has.call(live.actors, one));
      for (let looked = 0; looked < 2; ++looked)
        await new Promise((done) => {
          const listener = () => (live.listeners.delete(listener), done());
          live.listeners.add(listener);
        });
      delete live.actors.has;
      return times;
    }, id);
  const goes_on = await shown.evaluate(async () => {
    const {live} = await import("/console/live.js");
    const [some] = live.actors.values();
    live.actors.set("n1:999999", {...some, id: "n1:999999", name: "upload"});
    live.flows.push({at: performance.now(), from: "n1:999999", to: some.id, count: 10});
    return some.id;
  });
  assert.ok(goes_on);
  assert.ok((await asked_about("n1:999999")) > 0, "it is drawn");
  await shown.evaluate(async () => {
    const {live} = await import("/console/live.js");
    live.actors.delete("n1:999999");
    live.flows = live.flows.filter((flow) => flow.from !== "n1:999999");
  });
  await asked_about("n1:999999"); // the last time
  assert.equal(await asked_about("n1:999999"), 0);
});

check("closing an actor gives the focus back to its name", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "actors");
  const link = shown.locator(".actors a", {hasText: "storage"}).first();
  await link.click();
  const close = shown.locator("aside").getByRole("link", {name: "Close"});
  await close.focus();
  await shown.keyboard.press("Enter");
  await shown.locator("aside").waitFor({state: "hidden"});
  assert.ok(await link.evaluate((element) => element === document.activeElement));
});

check("an address that can't be decoded shows a view", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "overview");
  await live(shown);
  await shown.evaluate(() => (location.hash = "#/actors/%"));
  await shown.getByText("This actor is no longer there.").waitFor();
  await shown.evaluate(() => (location.hash = "#/files/%"));
  await shown.getByText("There is no such directory.").waitFor();
}, {expected: /status of 40[04]/});
