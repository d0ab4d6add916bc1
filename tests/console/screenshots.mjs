// Makes the pictures of docs/console.md: `node screenshots.mjs FOLDER`, after `tests/run console` has installed the packages.

import {mkdirSync} from "node:fs";
import {join} from "node:path";
import {launch, live, open} from "./browser.mjs";
import {Cluster, until} from "./cluster.mjs";
import {put} from "./suite.mjs";

const folder = process.argv[2];
const load_ms = 40000; // so that lines have a form
mkdirSync(folder, {recursive: true});
const cluster = await Cluster.start();
const browser = await launch();
let loading = true;
const load = async (from) => {
  for (let i = 0; loading; ++i) {
    await put(
      cluster,
      from,
      `sensors/${from.name}-${i % 9}.json`,
      JSON.stringify({at: Date.now(), value: Math.sin(i)}),
      "majority",
    ).catch(() => {});
    await new Promise((done) => setTimeout(done, 10 + 8 * Math.sin(i / 40)));
  }
};

try {
  await cluster.ready();
  for (const [name, size] of [
    ["reports/2026/january.pdf", 481300],
    ["reports/2026/february.pdf", 1248210],
    ["reports/2026/march.pdf", 734003],
    ["reports/2026/drafts/april.md", 9120],
  ])
    await put(
      cluster,
      cluster.nodes[0],
      name,
      Buffer.alloc(size, name),
      "all",
      name.endsWith("pdf") ? "application/pdf" : "text/markdown",
    );
  const old = await cluster.ready();
  const pages = {};
  await old.kill();
  await until("another leads", async () => (await cluster.ready()) !== old);
  cluster.revive(old);
  const shown_by = await cluster.follower();
  const loads = cluster.nodes.map(load);
  const views = {
    overview: ["overview", "light", 800],
    actors: ["actors", "dark", 800],
    messages: ["messages", "light", 1000],
    timeline: ["timeline", "dark", 560],
    files: ["files/reports/2026", "light", 440],
    admin: ["admin", "light", 600],
  };
  for (const [name, [view, scheme, height]] of Object.entries(views))
    pages[name] = await open(browser, shown_by, view, {colorScheme: scheme, viewport: {width: 1360, height}});
  for (const page of Object.values(pages)) await live(page);
  await pages.actors.locator(".actors a", {hasText: "replication"}).first().click();
  await pages.messages.getByRole("button", {name: "Send and trace"}).click();
  await pages.messages.locator("svg.sequence").waitFor();
  await new Promise((done) => setTimeout(done, load_ms));
  for (const [name, page] of Object.entries(pages)) {
    await page.bringToFront();
    await page.waitForTimeout(1200);
    await page.screenshot({path: join(folder, `console-${name}.png`)});
  }
  loading = false;
  await Promise.all(loads);
} finally {
  loading = false;
  await browser.close();
  await cluster.stop();
}
