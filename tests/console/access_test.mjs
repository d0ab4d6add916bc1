// With access control: the console asks for a token, keeps it for the tab, and shows what the token allows.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after} from "node:test";
import {barriers, live} from "./browser.mjs";
import {begin, check} from "./suite.mjs";

const kaikud = new URL("../../build/release/kaikud", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "kaiku-access-"));
const file = join(folder, "auth.json");
const tokens = {};
for (const [name, scopes] of Object.entries({admin: ["admin", "read", "write"], watcher: ["metrics"]})) {
  const options = scopes.flatMap((scope) => ["--scope", scope]);
  tokens[name] = execFileSync(kaikud, ["token", "new", "--file", file, "--name", name, ...options, "--days", "1"], {
    encoding: "utf8",
  })
    .trim()
    .split("\n")
    .at(-1);
}
after(() => rmSync(folder, {recursive: true}));

begin(async () => ({extra: ["--auth-file", file], headers: {Authorization: `Bearer ${tokens.admin}`}}));

const refused = /status of 40[13]/;

check(
  "a token is asked for, kept for the tab, and forgotten by signing out",
  async (page, cluster) => {
    const shown = await page(cluster.nodes[0], "overview");
    const dialog = shown.getByRole("dialog", {name: "Sign in"});
    await dialog.waitFor();
    assert.deepEqual(await barriers(shown), []);
    await dialog.getByLabel("Token").fill("kaiku_00000000_wrong");
    await dialog.getByRole("button", {name: "Sign in"}).click();
    await shown.getByText("The token is not known here, or has expired.").waitFor();
    await dialog.getByLabel("Token").fill(tokens.admin);
    await dialog.getByRole("button", {name: "Sign in"}).click();
    await live(shown);
    await shown.getByText("3 of 3 answer, 3 vote").waitFor();
    await shown.reload();
    await live(shown);
    assert.equal(await dialog.count(), 0);
    assert.ok(!shown.url().includes("kaiku_"), "the token is in no address");
    await shown.getByRole("button", {name: "Sign out"}).click();
    await shown.getByRole("button", {name: "Sign in"}).waitFor();
    assert.equal(await shown.evaluate(() => sessionStorage.length + localStorage.length), 0);
  },
  {expected: refused},
);

check(
  "without a token nothing is shown, and nothing is asked twice",
  async (page, cluster) => {
    const shown = await page(cluster.nodes[0], "actors");
    await shown.getByRole("dialog", {name: "Sign in"}).getByRole("button", {name: "Cancel"}).click();
    await shown.getByText("not allowed").waitFor();
    assert.equal(await shown.locator(".actors tbody tr").count(), 0);
    assert.equal(await shown.getByRole("dialog").count(), 0);
    await shown.getByRole("button", {name: "Sign in"}).click();
    await shown.getByRole("dialog", {name: "Sign in"}).getByLabel("Token").fill(tokens.admin);
    await shown.getByRole("dialog", {name: "Sign in"}).getByRole("button", {name: "Sign in"}).click();
    await shown.locator(".actors a", {hasText: "storage"}).first().waitFor();
  },
  {expected: refused},
);

check(
  "uploads and downloads show the token",
  async (page, cluster) => {
    const shown = await page(cluster.nodes[0], "files/in");
    await shown.getByLabel("Token").fill(tokens.admin);
    await shown.getByRole("button", {name: "Sign in"}).last().click();
    await shown
      .getByLabel("Upload", {exact: true})
      .setInputFiles({name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("mine")});
    await shown.getByText("a.txt is stored").waitFor();
    const [download] = await Promise.all([
      shown.waitForEvent("download"),
      shown.getByRole("button", {name: "Download a.txt"}).click(),
    ]);
    const pieces = [];
    for await (const piece of await download.createReadStream()) pieces.push(piece);
    assert.equal(Buffer.concat(pieces).toString(), "mine");
  },
  {expected: /status of 40[134]/},
);

check(
  "who may only watch sees the cluster and is told what more would need",
  async (page, cluster) => {
    const shown = await page(cluster.nodes[0], "overview");
    await shown.getByLabel("Token").fill(tokens.watcher);
    await shown.getByRole("button", {name: "Sign in"}).last().click();
    await live(shown);
    await shown.getByRole("link", {name: "Actors", exact: true}).click();
    await shown.locator(".actors a", {hasText: "storage"}).first().click();
    await shown.getByText("it lacks the scope admin").waitFor();
  },
  {expected: refused},
);
