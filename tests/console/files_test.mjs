// The files of the cluster: what stands there, uploads, and names that look like something else.

import assert from "node:assert/strict";
import {createHash} from "node:crypto";
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {live} from "./browser.mjs";
import {until} from "./cluster.mjs";
import {begin, check, put} from "./suite.mjs";

begin();

const row_of = (page, name) => page.locator(".files tbody tr", {has: page.getByText(name, {exact: true})});

check("a directory shows the version of each file and who has recorded it", async (page, cluster) => {
  const node = await cluster.follower();
  const token = (await put(cluster, node, "shown/a.txt", "one")).headers.get("Kaiku-Token");
  await put(cluster, node, "shown/below/b.txt", "two");
  const shown = await page(node, "files/shown");
  const row = row_of(shown, "a.txt");
  await row.getByText("all", {exact: true}).waitFor();
  await row.getByText(token.split(".").slice(1).join("."), {exact: true}).waitFor();
  await row.getByRole("button", {name: "a.txt", exact: true}).click();
  const details = shown.getByRole("complementary", {name: "One file"});
  await details.getByText("all: 3 of 3 voters").waitFor();
  await details.getByText(createHash("sha256").update("one").digest("base64")).waitFor();
  await shown.getByRole("link", {name: "below/"}).click();
  await row_of(shown, "b.txt").waitFor();
  await shown.getByRole("link", {name: "shown", exact: true}).click();
  await row.waitFor();
});

check("a file of 100 MiB goes up with its progress and comes down the same from every node", async (page, cluster) => {
  const folder = mkdtempSync(join(tmpdir(), "kaiku-upload-")),
    bytes = Buffer.alloc(100 << 20);
  for (let i = 0; i < bytes.length; i += 4096) bytes.writeUInt32LE((i * 2654435761) >>> 0, i);
  writeFileSync(join(folder, "large.bin"), bytes);
  try {
    await put(cluster, cluster.nodes[0], "big/small.txt", "small");
    const shown = await page(await cluster.follower(), "files/big");
    await live(shown);
    // Every value that the bar has had.
    await shown.evaluate(() => {
      window.seen = [];
      new MutationObserver(() => {
        const bar = document.querySelector("progress");
        if (bar) seen.push(bar.position);
      }).observe(document.body, {subtree: true, childList: true, characterData: true});
    });
    await shown.getByLabel("answered when recorded by").selectOption("all");
    await shown.getByLabel("Upload", {exact: true}).setInputFiles(join(folder, "large.bin"));
    await shown.getByText("large.bin is stored").waitFor({timeout: 60000});
    const positions = (await shown.evaluate(() => seen)).filter((value) => value > 0 && value < 1);
    assert.ok(new Set(positions).size >= 3, `the bar moved: ${positions}`);
    assert.ok(
      positions.every((value, i) => i === 0 || value >= positions[i - 1]),
      "and never back",
    );
    assert.match(await shown.locator(".uploads li").innerText(), /100 MiB in [0-9.]+ s, [0-9.]+ MiB\/s/);
    await shown.locator(".uploads").getByText("all, 3 of 3").waitFor();
    await row_of(shown, "large.bin").getByText("100 MiB").waitFor();
    const wanted = createHash("sha256").update(bytes).digest("hex");
    for (const node of cluster.nodes) {
      const content = Buffer.from(await (await cluster.get(node, "/files/big/large.bin")).arrayBuffer());
      assert.equal(createHash("sha256").update(content).digest("hex"), wanted, node.name);
    }
  } finally {
    rmSync(folder, {recursive: true});
  }
});

check("names that look like markup are text", async (page, cluster) => {
  const name = "<img src=x onerror=\"document.title='run'\">";
  await put(cluster, cluster.nodes[0], encodeURIComponent(name), "content");
  const shown = await page(cluster.nodes[0], "files");
  await row_of(shown, name).getByRole("button", {name, exact: true}).click();
  await shown.getByRole("heading", {name, exact: true}).waitFor();
  assert.equal(await shown.locator("main img").count(), 0);
  assert.equal(await shown.title(), "Files – Kaiku");
});

check("a directory is made, and what is removed is asked about first", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "files");
  await shown.getByRole("button", {name: "New directory…"}).click();
  await shown.getByLabel("Name", {exact: true}).fill("made here");
  await shown.getByRole("button", {name: "Make it"}).click();
  await shown.getByRole("link", {name: "made here/"}).click();
  await shown
    .getByLabel("Upload", {exact: true})
    .setInputFiles({name: "small.txt", mimeType: "text/plain", buffer: Buffer.from("small")});
  await shown.getByText("small.txt is stored").waitFor();
  await shown
    .getByLabel("Upload", {exact: true})
    .setInputFiles({name: "small.txt", mimeType: "text/plain", buffer: Buffer.from("another")});
  await shown.getByRole("dialog", {name: "Replace small.txt?"}).getByRole("button", {name: "Cancel"}).click();
  await shown.getByText("Not replaced").waitFor();
  await shown.getByRole("button", {name: "Remove small.txt"}).click();
  const dialog = shown.getByRole("dialog", {name: "Remove small.txt?"});
  await dialog.getByRole("button", {name: "Cancel"}).click();
  assert.equal(await (await cluster.get(cluster.nodes[0], "/files/made%20here/small.txt")).text(), "small");
  await shown.getByRole("button", {name: "Remove small.txt"}).click();
  await dialog.getByRole("button", {name: "Remove"}).click();
  await shown.getByText("small.txt is removed").waitFor();
  await until("the row is gone", async () => (await row_of(shown, "small.txt").count()) === 0);
});

check("a file comes down as it went up", async (page, cluster) => {
  await put(cluster, cluster.nodes[0], "down/load.txt", "downloaded");
  const shown = await page(cluster.nodes[0], "files/down");
  const [download] = await Promise.all([
    shown.waitForEvent("download"),
    shown.getByRole("button", {name: "Download load.txt"}).click(),
  ]);
  assert.equal(download.suggestedFilename(), "load.txt");
  const pieces = [];
  for await (const piece of await download.createReadStream()) pieces.push(piece);
  assert.equal(Buffer.concat(pieces).toString(), "downloaded");
});
