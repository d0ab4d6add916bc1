// Uploads that outlive the view they began in, many at once, and directories larger than a page of a listing.

import assert from "node:assert/strict";
import {live} from "./browser.mjs";
import {until} from "./cluster.mjs";
import {begin, check, put} from "./suite.mjs";

begin();

const row_of = (page, name) => page.locator(".files tbody tr", {has: page.getByText(name, {exact: true})});
const small = (name, content = name) => ({name, mimeType: "text/plain", buffer: Buffer.from(content)});
const no_directory = /status of 404/; // until the first file is there
const choose = (page, files) => page.getByLabel("Upload", {exact: true}).setInputFiles(files);

/** Holds back PUTs until `let_go` is called. */
const hold_puts = async (page) => {
  let let_go = null;
  const held = new Promise((done) => (let_go = done));
  await page.route("**/files/**", async (route) => {
    if (route.request().method() === "PUT") await held;
    await route.continue();
  });
  return let_go;
};

check("an upload goes on in another view, is shown again, and can be cancelled", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "files/kept");
  const let_go = await hold_puts(shown);
  await choose(shown, [small("one.txt"), small("two.txt"), small("three.txt")]);
  await shown.locator(".uploads li").nth(2).waitFor();
  await shown.getByRole("link", {name: "Overview"}).click();
  await shown.getByRole("heading", {name: "Overview", level: 1}).waitFor();
  // Who closes the tab is asked first.
  const asked = shown.waitForEvent("dialog");
  await shown.close({runBeforeUnload: true});
  const question = await asked;
  assert.equal(question.type(), "beforeunload");
  await question.dismiss();
  await shown.getByRole("link", {name: "Files", exact: true}).click();
  const item = (name) => shown.locator(".uploads li", {hasText: name});
  assert.equal(await shown.locator(".uploads li").count(), 3);
  await item("one.txt").getByRole("button", {name: "Cancel"}).waitFor();
  await item("two.txt").getByRole("button", {name: "Cancel"}).click();
  await item("two.txt").getByText("cancelled").waitFor();
  let_go();
  await shown.getByText("2 of 3 files are stored; 1 were cancelled").waitFor();
  const stored = await (await cluster.get(cluster.nodes[0], "/files/kept/")).json();
  assert.deepEqual(stored.entries.map((entry) => entry.name).sort(), ["one.txt", "three.txt"]);
  await item("three.txt").getByText(/^\d+ B in/).waitFor();
}, {expected: no_directory});

check("an upload that is cancelled before its first byte sends none", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "files/early");
  let looked = false,
    let_go = null;
  const held = new Promise((done) => (let_go = done));
  await shown.route("**/files/early/?*prefix=*", async (route) => {
    looked = true;
    await held;
    await route.continue().catch(() => {}); // nobody waits for it any more
  });
  const sent = [];
  shown.on("request", (request) => request.method() === "PUT" && sent.push(new URL(request.url()).pathname));
  await choose(shown, small("one.txt"));
  await until("it looks what stands there", async () => looked);
  const item = shown.locator(".uploads li", {hasText: "one.txt"});
  await item.getByRole("button", {name: "Cancel"}).click();
  await item.getByText("cancelled").waitFor({timeout: 5000}); // the answer would be awaited for 10 s
  let_go();
  await choose(shown, small("two.txt"));
  await shown.getByText("two.txt is stored").waitFor();
  assert.deepEqual(sent, ["/files/early/two.txt"]);
}, {expected: no_directory});

check("an upload that is cancelled while a token is asked for is not sent again", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "files/asked");
  const sent = [];
  await shown.route("**/files/asked/*.txt", async (route) => {
    sent.push(new URL(route.request().url()).pathname);
    if (sent.length > 1) return route.continue();
    await route.fulfill({status: 401, json: {code: "unauthorized", title: "A token is needed"}});
  });
  await choose(shown, small("one.txt"));
  const dialog = shown.getByRole("dialog", {name: "Sign in"});
  await dialog.waitFor();
  const item = shown.locator(".uploads li", {hasText: "one.txt"});
  await item.getByRole("button", {name: "Cancel"}).evaluate((button) => button.click()); // it is behind the question
  await dialog.getByLabel("Token").fill("any");
  await dialog.getByRole("button", {name: "Sign in"}).click();
  await item.getByText("cancelled").waitFor();
  await choose(shown, small("two.txt"));
  await shown.getByText("two.txt is stored").waitFor();
  assert.deepEqual(sent, ["/files/asked/one.txt", "/files/asked/two.txt"]);
}, {expected: /status of 40[14]/});

check("of many files a few are shown, and one line says what became of them", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "files/many");
  const let_go = await hold_puts(shown);
  const files = Array.from({length: 140}, (_, i) => small(`f${i}`));
  await choose(shown, files);
  await shown.getByText("119 more wait").waitFor();
  assert.equal(await shown.locator(".uploads li").count(), 22, "the one that runs, those that are next, and the rest");
  await shown.evaluate(() => {
    window.said = [];
    new MutationObserver((all) => said.push(...all.flatMap((one) => [...one.addedNodes].map((node) => node.textContent)))).observe(
      document.getElementById("messages"),
      {childList: true},
    );
  });
  const listings = [];
  shown.on("request", (request) => request.url().includes("/files/many/?limit") && listings.push(request));
  let_go();
  await shown.getByText("140 of 140 files are stored").waitFor({timeout: 60000});
  assert.deepEqual(await shown.evaluate(() => said), ["140 of 140 files are stored"]);
  assert.ok(listings.length < 70, `one listing a second at most, not ${listings.length}`);
  assert.equal(await shown.locator(".uploads li").count(), 100);
  await shown.getByText("100 or more entries").waitFor();
}, {expected: no_directory});

check("files are dropped, and a directory is told of", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "files/dropped");
  await shown.locator(".drop").evaluate((place) => {
    const data = new DataTransfer();
    data.items.add(new File(["content"], "a.txt", {type: "text/plain"}));
    data.items.add(new File([], "folder"));
    DataTransferItem.prototype.webkitGetAsEntry = function () {
      const {name} = this.getAsFile();
      return {name, isDirectory: name === "folder"};
    };
    place.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
  });
  await shown.getByRole("alert").getByText("folder is a directory").waitFor();
  await shown.getByText("a.txt is stored").waitFor();
  await row_of(shown, "a.txt").waitFor();
  assert.equal(await (await cluster.get(cluster.nodes[0], "/files/dropped/a.txt")).text(), "content");
}, {expected: no_directory});

check(
  "what went wrong stays until it is closed",
  async (page, cluster) => {
    const shown = await page(cluster.nodes[0], "files/wrong", {prepare: (made) => made.clock.install()});
    await shown.route("**/files/wrong/a.txt", (route) => route.abort());
    await choose(shown, small("a.txt"));
    const alert = shown.getByRole("alert");
    await alert.getByText("a.txt: It was not sent: the node does not answer, or the file can't be read").waitFor();
    await shown.clock.runFor(60000);
    assert.equal(await alert.count(), 1);
    await alert.getByRole("button", {name: "Close this message"}).click();
    await alert.waitFor({state: "detached"});
    assert.equal(await shown.evaluate(() => document.activeElement.id), "main");
    await shown.unroute("**/files/wrong/a.txt");
    await choose(shown, small("a.txt"));
    await shown.getByText("a.txt is stored").waitFor();
    await shown.clock.runFor(10000);
    assert.equal(await shown.locator("#messages > *").count(), 0, "what went well goes");
  },
  {expected: /Failed to load resource|status of 404/},
);

check("a large directory keeps its length and place, and can be narrowed", async (page, cluster) => {
  const node = cluster.nodes[0];
  const names = Array.from({length: 250}, (_, i) => `f${String(i).padStart(3, "0")}`);
  for (let i = 0; i < names.length; i += 25)
    await Promise.all(names.slice(i, i + 25).map((name) => put(cluster, node, `large/${name}`, name, "majority")));
  const shown = await page(node, "files/large", {prepare: (made) => made.clock.install()});
  const rows = shown.locator(".files tbody tr");
  await shown.getByText("100 or more entries").waitFor();
  assert.equal(await rows.count(), 100);
  // A look by itself does not take back what was asked for meanwhile.
  let held = null;
  await shown.route("**/files/large/?*after=*", async (route) => {
    await new Promise((done) => (held = done));
    await route.continue();
  });
  await shown.getByRole("button", {name: "Show more"}).click();
  await until("more is asked for", async () => held !== null);
  await shown.clock.runFor(12000);
  held();
  await shown.getByText("250 entries; so many are not looked at again by themselves").waitFor();
  assert.equal(await rows.count(), 250);
  await row_of(shown, "f240").getByRole("button", {name: "Remove f240"}).focus();
  await shown.keyboard.press("Enter");
  await shown.getByRole("dialog").getByRole("button", {name: "Remove"}).focus();
  await shown.keyboard.press("Enter");
  await row_of(shown, "f240").waitFor({state: "detached"});
  assert.equal(await rows.count(), 249);
  assert.equal(await shown.evaluate(() => document.activeElement.textContent), "f241", "the next row has the focus");
  await put(cluster, node, "large/f240", "again", "all");
  await shown.getByRole("button", {name: "Look again"}).click();
  await until("it is there again", async () => (await rows.count()) === 250);
  await shown.getByLabel("Names that begin with").pressSequentially("f24");
  await shown.clock.runFor(1000);
  await shown.getByText(/^10 entries$/).waitFor();
  assert.equal(await rows.count(), 10);
});

check(
  "a node that gives fewer entries at once is asked for as many as it gives",
  async (page, cluster) => {
    await put(cluster, cluster.nodes[0], "few/a", "a");
    await put(cluster, cluster.nodes[0], "few/b", "b");
    const prepare = (made) =>
      made.route("**/files/few/?*limit=*", (route) =>
        route.fulfill({status: 400, json: {code: "bad_request", title: "Bad request", detail: "limit"}}),
      );
    const shown = await page(cluster.nodes[0], "files/few", {prepare});
    await shown.getByText("2 entries").waitFor();
  },
  {expected: /status of 400/},
);

check("the file that was asked for last is the one that is shown", async (page, cluster) => {
  await put(cluster, cluster.nodes[0], "looked/slow", "slow");
  await put(cluster, cluster.nodes[0], "looked/fast", "fast");
  const shown = await page(cluster.nodes[0], "files/looked");
  let let_go = null;
  const held = new Promise((done) => (let_go = done));
  await shown.route("**/files/looked/slow", async (route) => {
    await held;
    await route.continue();
  });
  await row_of(shown, "slow").getByRole("button", {name: "slow", exact: true}).click();
  await row_of(shown, "fast").getByRole("button", {name: "fast", exact: true}).click();
  const details = shown.getByRole("complementary", {name: "One file"});
  await details.getByRole("heading", {name: "fast"}).waitFor();
  const late = shown.waitForResponse((answer) => answer.url().endsWith("/looked/slow"));
  let_go();
  await late;
  await shown.evaluate(() => new Promise((done) => setTimeout(done)));
  await details.getByRole("heading", {name: "fast"}).waitFor();
  assert.equal(await details.getByRole("heading").count(), 1);
});

check("names with blanks and signs that are not seen can be told apart, and removed", async (page, cluster) => {
  const shown = await page(cluster.nodes[0], "files");
  await live(shown);
  for (const name of [" x", "a  b", "x ", "  "]) {
    await cluster.get(cluster.nodes[0], `/files/names/${encodeURIComponent(name)}/inside`, {method: "PUT", body: "x"});
  }
  await put(cluster, cluster.nodes[0], `names/${encodeURIComponent("a\u202etxt.exe")}`, "x");
  await shown.evaluate(() => (location.hash = "#/files/names"));
  await shown.getByText("a[U+202E]txt.exe", {exact: true}).waitFor();
  await shown.getByRole("button", {name: "a[U+202E]txt.exe", exact: true}).click();
  await shown.getByRole("heading", {name: "a[U+202E]txt.exe"}).waitFor();
  const links = shown.locator(".files tbody th a");
  const texts = await links.evaluateAll((all) => all.map((one) => one.innerText));
  assert.deepEqual(texts.sort(), ["  /", " x/", "a  b/", "x /"]);
  // Of blanks alone each one counts.
  await shown.locator('[aria-label="Remove   "]').click();
  const typed = shown.getByRole("dialog").getByRole("textbox"),
    agree = shown.getByRole("dialog").getByRole("button", {name: "Remove"});
  for (const wrong of ["", " ", "   "]) {
    await typed.fill(wrong);
    assert.ok(await agree.isDisabled(), `"${wrong}" is not the name`);
  }
  await typed.fill("  ");
  await agree.click();
  await until("it is gone", async () => !(await links.allTextContents()).includes("  /"));
  for (const name of [" x", "a  b", "x "]) {
    const button = shown.locator(".files tbody tr").filter({has: shown.locator("th a").filter({hasText: name})});
    await button.locator(`[aria-label="Remove ${name}"]`).click();
    const dialog = shown.getByRole("dialog");
    assert.equal(await dialog.locator("b").innerText(), name);
    await dialog.getByRole("textbox").fill(name.trim());
    await dialog.getByRole("button", {name: "Remove"}).click();
    await dialog.waitFor({state: "detached"});
    await until("it is gone", async () => !(await links.allTextContents()).includes(`${name}/`));
  }
});
