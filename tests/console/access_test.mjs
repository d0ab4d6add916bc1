// With access control: the console asks for a token, keeps it for the tab, and shows what the token allows.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after} from "node:test";
import {barriers, live} from "./browser.mjs";
import {until} from "./cluster.mjs";
import {begin, check} from "./suite.mjs";

const kaikud = new URL("../../build/release/kaikud", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "kaiku-access-"));
const file = join(folder, "auth.json");
const tokens = {};
for (const [name, scopes] of Object.entries({
  admin: ["admin", "read", "write"],
  other: ["metrics", "read", "write"],
  watcher: ["metrics"],
})) {
  const options = scopes.flatMap((scope) => ["--scope", scope]);
  tokens[name] = execFileSync(kaikud, ["token", "new", "--file", file, "--name", name, ...options, "--days", "1"], {
    encoding: "utf8",
  })
    .trim()
    .split("\n")
    .at(-1);
}
after(() => rmSync(folder, {recursive: true}));

begin(async () => ({extra: ["--auth-file", file, "--follower-writes", "redirect"], headers: {Authorization: `Bearer ${tokens.admin}`}}));

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
    await shown.getByRole("link", {name: "Timeline"}).click();
    await shown.locator(".timeline tbody tr").first().waitFor();
    await shown.getByRole("button", {name: "Sign out"}).click();
    await shown.getByRole("button", {name: "Sign in"}).waitFor();
    await shown.getByText("not allowed").waitFor();
    assert.equal(await shown.locator("main tbody tr").count(), 0, "nothing of what the token showed is left");
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
  "uploads and downloads show the token, also on a follower that redirects",
  async (page, cluster) => {
    const shown = await page(await cluster.follower(), "files/in");
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
    assert.equal(await shown.locator(".uploads li").count(), 1);
    // What would not fit into the page's memory is not begun.
    await shown.route("**/files/large/?*", async (route) => {
      const answer = await route.fetch({url: route.request().url().replace("/large/", "/in/")}),
        listing = await answer.json();
      listing.entries[0].size = 2 ** 31;
      await route.fulfill({response: answer, json: listing});
    });
    await shown.evaluate(() => (location.hash = "#/files/large"));
    await shown.getByText("2.0 GiB").waitFor();
    await shown.getByRole("button", {name: "Download a.txt"}).click();
    await shown.getByRole("alert").getByText("a.txt has 2.0 GiB: too much for a page that shows a token").waitFor();
    await shown.unrouteAll({behavior: "wait"}); // it is asked again now and then, soon without a token
    await shown.getByRole("button", {name: "Sign out"}).click();
    await shown.getByText("not allowed").waitFor();
    assert.equal(await shown.locator(".uploads li, #messages > *").count(), 0, "nor what was done with the token");
  },
  {expected: /status of 40[134]/},
);

check(
  "what one has not sent yet is not sent by who signs in next",
  async (page, cluster) => {
    const shown = await page(cluster.nodes[0], "files/next");
    const dialog = shown.getByRole("dialog", {name: "Sign in"});
    const sign_in = async (token) => {
      await dialog.getByLabel("Token").fill(token);
      await dialog.getByRole("button", {name: "Sign in"}).click();
      await live(shown);
    };
    const choose = (names) =>
      shown
        .getByLabel("Upload", {exact: true})
        .setInputFiles(names.map((name) => ({name, mimeType: "text/plain", buffer: Buffer.from(name)})));
    await sign_in(tokens.admin);
    const sent = [];
    let let_go = null;
    const held = new Promise((done) => (let_go = done));
    await shown.route("**/files/next/*.txt", async (route) => {
      sent.push(new URL(route.request().url()).pathname);
      if (sent.length === 1) await held;
      await route.continue().catch(() => {}); // nobody waits for it any more
    });
    await choose(["one.txt", "two.txt", "three.txt"]);
    await until("the first one is under way", async () => sent.length === 1);
    assert.equal(await shown.locator(".uploads li").count(), 3);
    await shown.getByRole("button", {name: "Sign out"}).click();
    await shown.getByText("not allowed").waitFor();
    assert.equal(await shown.locator(".uploads li, #messages > *").count(), 0);
    await shown.getByRole("button", {name: "Sign in"}).click();
    await sign_in(tokens.other);
    let_go();
    await choose(["mine.txt"]);
    await shown.getByText("mine.txt is stored").waitFor();
    assert.deepEqual(sent, ["/files/next/one.txt", "/files/next/mine.txt"]);
    assert.equal(await shown.locator(".uploads li").count(), 1);
    const {entries} = await (await cluster.get(cluster.nodes[0], "/files/next/")).json();
    assert.deepEqual(entries.map((entry) => entry.name), ["mine.txt"]);
  },
  {expected: /status of 40[134]/},
);

check(
  "signing in anew leaves one round of questions",
  async (page, cluster) => {
    const shown = await page(cluster.nodes[0], "admin", {prepare: (made) => made.clock.install()});
    const dialog = shown.getByRole("dialog", {name: "Sign in"});
    await dialog.waitFor();
    // Nothing that no header can hold.
    await dialog.getByLabel("Token").fill("tökén");
    assert.ok(await dialog.getByRole("button", {name: "Sign in"}).isDisabled());
    for (const token of ["kaiku_00000000_wrong", tokens.admin]) {
      await dialog.getByLabel("Token").fill(token);
      await dialog.getByRole("button", {name: "Sign in"}).click();
      await (token === tokens.admin ? live(shown) : shown.getByText("The token is not known here").waitFor());
    }
    await shown.locator("main tbody tr").first().waitFor();
    let asked = 0,
      answered = 0;
    const is_one = (request) => new URL(request.url()).pathname === "/cluster";
    shown.on("request", (request) => (asked += is_one(request) ? 1 : 0));
    shown.on("requestfinished", (request) => (answered += is_one(request) ? 1 : 0));
    for (let round = 1; round <= 3; ++round) {
      await until("what is under way is over", async () => asked === answered);
      const before = asked;
      await shown.clock.fastForward(1600);
      await until("it asks again", async () => answered > before);
      assert.equal(asked, before + 1);
    }
  },
  {expected: refused},
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
