// Each view shows what the cluster says.

import assert from "node:assert/strict";
import {barriers, live} from "./browser.mjs";
import {until} from "./cluster.mjs";
import {begin, check, put, shared} from "./suite.mjs";

begin();

const text_of = async (locator) => (await locator.innerText()).replace(/\s+/g, " ").trim();

/** Small writes and reads, for as long as `body` takes. */
const under_load = async (cluster, node, body) => {
  let ended = false;
  const write_and_read = async (i) => {
    const path = `load/${i % 8}`;
    const written = await put(cluster, node, path, `content ${i}`, "leader");
    // Of what was just written: a follower may be a moment behind.
    const headers = {"Kaiku-Token": written.headers.get("Kaiku-Token")};
    await (await cluster.get(node, `/files/${path}`, {headers})).text();
  };
  const load = (async () => {
    for (let i = 0; !ended; ++i) await write_and_read(i);
  })();
  try {
    return await Promise.race([body(), load.then(() => assert.fail("the load ended"))]);
  } finally {
    ended = true;
    await load;
  }
};

check("the overview shows every node, who leads, and that all are ready", async (page, cluster) => {
  const leader = await cluster.ready(),
    {term} = await cluster.state(leader);
  const shown = await page(cluster.nodes[1], "overview");
  await live(shown);
  assert.equal(await text_of(shown.locator("#connection")), "live from n2");
  await shown.getByText(`${leader.name}, term ${term}`).waitFor();
  assert.equal(await shown.locator(".nodes thead .node").count(), 3);
  for (const node of cluster.nodes) {
    const head = shown.locator(".nodes thead th", {hasText: node.name});
    await head.getByText(node === leader ? "leader" : "follower", {exact: true}).waitFor();
    await head.getByText("ready", {exact: true}).waitFor();
  }
  await shown.getByText("3 of 3 answer, 3 vote").waitFor();
  const address = shown.locator(".nodes tbody tr", {hasText: "Address"});
  for (const node of cluster.nodes) await address.getByText(`127.0.0.1:${node.http}`).waitFor();
  const free = await text_of(shown.locator(".nodes tbody tr", {hasText: "Free space"}));
  assert.match(free, /^Free space( [0-9.]+ [KMGT]iB){3}$/);
});

check("the overview counts requests as they come", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "overview");
  await live(shown);
  const figure = shown.locator(".figure", {hasText: "Requests"}).locator("dd");
  await under_load(cluster, cluster.nodes[0], () =>
    until("requests a second are shown", async () => parseFloat((await text_of(figure)).replace(",", "")) >= 5),
  );
});

check("the actors of all nodes stand in trees, can be folded, filtered and sorted", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "actors");
  const rows = shown.locator(".actors tbody tr");
  for (const node of cluster.nodes) await rows.locator("b", {hasText: node.name}).waitFor();
  const storages = rows.getByRole("link", {name: "storage", exact: true});
  await until("each node has a storage actor", async () => (await storages.count()) === 3);
  await shown.getByRole("button", {name: "Actors below n1"}).click();
  await until("a folded node hides its actors", async () => (await storages.count()) === 2);
  await shown.getByRole("button", {name: "Actors below n1"}).click();

  await shown.getByLabel("Filter").fill("storage");
  await until("only what matches is left", async () => (await rows.getByRole("link").count()) < 12);
  assert.equal(await storages.count(), 3);
  await shown.getByLabel("Filter").fill("");
  await shown.getByLabel("Node").selectOption("n2");
  await until("only that node's actors are left", async () => (await storages.count()) === 1);
  await shown.getByLabel("Node").selectOption("");

  await shown.getByLabel("All in one list").check();
  await shown.getByRole("button", {name: "Processed"}).click();
  assert.equal(await shown.locator("th", {hasText: "Processed"}).getAttribute("aria-sort"), "descending");
  await until("the order is that of the column", async () => {
    const counts = (await rows.locator("td:nth-child(10)").allInnerTexts()).map((text) =>
      Number(text.replaceAll(",", "")),
    );
    return counts.length > 10 && counts[0] > 0 && counts.every((value, i) => i === 0 || counts[i - 1] >= value);
  });
});

check("an actor's page has its figures, charts over ten minutes, and its messages", async (page, cluster) => {
  const leader = await cluster.ready();
  const shown = await page(cluster.nodes[0], "actors");
  const row = shown
    .locator(".actors tbody tr", {has: shown.getByRole("link", {name: "storage", exact: true})})
    .nth(cluster.nodes.indexOf(leader));
  await row.getByRole("link").click();
  const aside = shown.getByRole("complementary", {name: "One actor"});
  await aside.getByRole("heading", {name: `${leader.name} storage`}).waitFor();
  await under_load(cluster, leader, async () => {
    await aside.locator("tbody th.code").first().waitFor();
    await aside.getByText("Last messages").waitFor();
    await until(
      "messages are kept while somebody watches",
      async () => (await aside.getByRole("region", {name: "Last messages"}).locator("tbody tr").count()) >= 5,
    );
  });
  assert.equal(await aside.locator("canvas").count(), 3);
  await aside
    .getByText(/at most [0-9.,]+ in \d+ (s|min)$/)
    .first()
    .waitFor();
  const drawn = await aside
    .locator("canvas")
    .first()
    .evaluate((canvas) => {
      const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0);
    });
  assert.ok(drawn, "the chart is drawn");
  await aside.getByRole("link", {name: "Close"}).click();
  await aside.waitFor({state: "hidden"});
});

check("many uploads at once are a few rows and a sum, and gone with their end", async (page, cluster) => {
  const leader = await cluster.ready(),
    shown = await page(leader, "actors");
  await live(shown);
  let finish = null;
  const finished = new Promise((done) => (finish = done));
  const send = (i) =>
    put(
      cluster,
      leader,
      `many/${i}`,
      new ReadableStream({
        async start(body) {
          body.enqueue(new Uint8Array(1 << 19));
          await finished;
          body.close();
        },
      }),
      "leader",
    );
  const all = Array.from({length: 48}, (_, i) => send(i));
  const rows = shown.locator(".actors tbody tr", {has: shown.locator('th a:text-is("upload"), th span:text-is("upload")')});
  try {
    await rows.getByText("32 more", {exact: true}).waitFor();
    const titles = await rows.locator("th [title]").evaluateAll((all) => all.map((one) => one.title));
    const of_leader = titles.filter((id) => id.startsWith(`${leader.name}:`));
    assert.equal(of_leader.length, 17, `16 one by one, and the sum of the rest: ${titles}`);
    const total = shown.getByText(/^\d+ of \d+ actors$/);
    assert.equal(await total.getAttribute("role"), null, "what changes with every upload is not spoken");
    await shown.getByLabel("Filter").fill("storage");
    assert.equal(await total.getAttribute("role"), "status");
    await until("the page still answers", async () => (await rows.count()) === 0, 3000);
    await shown.getByLabel("Filter").fill("");
  } finally {
    finish();
    await Promise.all(all);
  }
  await until("all are gone", async () => (await rows.count()) === 0);
});

check("messages between actors are shown as they flow", async (page, cluster) => {
  const leader = await cluster.ready();
  const shown = await page(cluster.nodes[0], "messages");
  await live(shown);
  await under_load(cluster, leader, async () => {
    const lines = shown.locator(".flows path.far");
    await until("lines between nodes are drawn", async () => (await lines.count()) >= 2);
    await shown.getByRole("region", {name: "Most messages"}).locator("tbody tr").first().waitFor();
  });
});

check(
  "a PUT traced through a follower shows both nodes, both disk syncs and the acknowledgement",
  async (page, cluster) => {
    const leader = await cluster.ready(),
      follower = await cluster.follower();
    const shown = await page(follower, "messages");
    await shown.getByLabel("of", {exact: true}).fill("traced/one.txt");
    await shown.getByLabel("Durability").selectOption("all");
    await shown.getByRole("button", {name: "Send and trace"}).click();
    await shown.getByRole("heading", {name: "PUT /files/traced/one.txt"}).waitFor();
    const diagram = shown.locator("svg.sequence"),
      steps = shown.getByRole("region", {name: "Steps"});
    const titles = async () => (await diagram.locator(".span title").allTextContents()).join("\n");
    for (const node of cluster.nodes) {
      // Node, actor, what: as columns, and in the diagram.
      await steps
        .locator("tbody tr", {has: shown.locator(`td:nth-child(2):text-is("${node.name}") + td:text-is("storage")`)})
        .filter({has: shown.locator('.code:text-is("fsync")')})
        .first()
        .waitFor();
      await until("the diagram shows it", async () => (await titles()).includes(`${node.name} storage: fsync, took`));
    }
    await until("the leader takes an acknowledgement", async () =>
      new RegExp(`^${leader.name} replication: append_reply, took`, "m").test(await titles()),
    );
    for (const node of [leader, follower])
      await diagram.locator(".node text", {hasText: node.name}).waitFor({state: "attached"});
    assert.ok((await diagram.locator("text.sync").count()) >= 2);
    assert.match(await diagram.locator(".answer text").textContent(), /^answered after [0-9.]+ (µs|ms|s)$/);
    assert.match(await text_of(steps), /durable at \d+:\d+/);
    await steps
      .locator("tbody tr", {has: shown.locator(`td:nth-child(2):text-is("${leader.name}")`)})
      .filter({has: shown.locator('.code:text-is("append_reply")')})
      .first()
      .waitFor();
    // The same path again would lose what stands there.
    await shown.getByRole("button", {name: "Send and trace"}).click();
    await shown.getByRole("dialog", {name: "Replace traced/one.txt?"}).getByRole("button", {name: "Cancel"}).click();
    await shown.getByRole("region", {name: "Traces"}).getByRole("link", {name: "PUT /files/traced/one.txt"}).first().waitFor();
  },
  {expected: /status of 412/},
);

check("the timeline tells of elections and links, and can be narrowed", async (page, cluster) => {
  const leader = await cluster.ready();
  const shown = await page(cluster.nodes[0], "timeline");
  const rows = shown.locator(".timeline tbody tr");
  const won = rows
    .filter({hasText: "election won"})
    .filter({has: shown.getByRole("cell", {name: leader.name, exact: true})});
  await won.first().waitFor();
  assert.ok((await shown.locator(".strip .mark").count()) >= 4);
  await shown.getByLabel("Kind").selectOption("election_won");
  await until("only that kind is left", async () => new Set(await rows.locator(".badge").allInnerTexts()).size === 1);
});

for (const scheme of ["light", "dark"]) {
  check(`axe-core finds no serious barrier in the views (${scheme})`, async (page, cluster) => {
    const node = cluster.nodes[0];
    await put(cluster, node, "axe/file.txt", "content");
    const shown = await page(node, "overview", {colorScheme: scheme});
    await live(shown);
    const found = [];
    for (const view of ["overview", "actors", "messages", "timeline", "files/axe", "admin"]) {
      await shown.evaluate((to) => (location.hash = `#/${to}`), view);
      await shown.locator("main table tbody tr").first().waitFor({state: "attached"});
      if (view === "actors") await shown.locator(".actors a", {hasText: "storage"}).first().click();
      if (view === "actors") await shown.locator("aside canvas").first().waitFor();
      if (view === "messages") await shown.getByRole("button", {name: "Send and trace"}).click();
      if (view === "messages") await shown.locator("svg.sequence").waitFor();
      if (view === "files/axe") await shown.getByRole("button", {name: "file.txt", exact: true}).click();
      if (view === "files/axe") await shown.getByRole("complementary", {name: "One file"}).waitFor();
      for (const line of await barriers(shown)) found.push(`${view}: ${line}`);
      if (view !== "admin") continue;
      // An open dialog makes all behind it inert, also for axe.
      await shown.getByRole("button", {name: "Remove n2"}).click();
      for (const line of await barriers(shown)) found.push(`dialog: ${line}`);
    }
    assert.deepEqual(found, []);
  });
}

check("the main paths need no mouse", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "overview");
  await live(shown);
  const press = async (...keys) => {
    for (const key of keys) await shown.keyboard.press(key);
  };
  const focused = () => shown.evaluate(() => document.activeElement.textContent);
  await press("Tab");
  assert.equal(await focused(), "Skip to the content");
  await press("Tab", "Tab", "Enter");
  await shown.getByRole("heading", {name: "Actors", level: 1}).waitFor();
  await shown.locator(".skip").focus();
  await press("Enter");
  assert.equal(await shown.evaluate(() => document.activeElement.id), "main", "the content has the focus");
  assert.ok(await shown.getByRole("heading", {name: "Actors", level: 1}).isVisible(), "of the same view");
  await shown.getByRole("heading", {name: "Actors", level: 1}).focus();
  assert.equal(await focused(), "Actors", "the new view's heading has the focus");
  await press("Tab");
  await shown.keyboard.type("storage");
  const link = shown.locator(".actors a", {hasText: "storage"}).first();
  await until("the list is filtered", async () => (await shown.locator(".actors tbody a").count()) < 12);
  for (let i = 0; i < 40 && !(await link.evaluate((element) => element === document.activeElement)); ++i)
    await press("Tab");
  await press("Enter");
  await until("the actor's heading has the focus", async () => /^n\d storage/.test(await focused()));

  await shown.evaluate(() => (location.hash = "#/admin"));
  const remove = shown.getByRole("button", {name: "Remove n3"});
  await remove.waitFor();
  for (let i = 0; i < 40 && !(await remove.evaluate((element) => element === document.activeElement)); ++i)
    await press("Tab");
  await press("Enter");
  const dialog = shown.getByRole("dialog", {name: "Remove n3 from the cluster?"});
  await dialog.waitFor();
  assert.ok(await dialog.getByRole("button", {name: "Remove"}).isDisabled(), "not before the name is typed");
  await press("Escape");
  await dialog.waitFor({state: "detached"});
  assert.ok(await remove.evaluate((element) => element === document.activeElement), "the focus is back");
  assert.equal((await cluster.state(shared.cluster.nodes[0])).members.length, 3);
});
