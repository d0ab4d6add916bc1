// What admins do, and what goes wrong, as the console tells of it.

import assert from "node:assert/strict";
import {live} from "./browser.mjs";
import {until} from "./cluster.mjs";
import {begin, check, put} from "./suite.mjs";

const seen_within_ms = 3000;
const connection_lost = /Failed to load resource|net::ERR_/;

begin();

const role_of = (page, node) => page.locator(".nodes thead th", {hasText: node.name}).locator(".badge");

check("leadership is handed over when that was confirmed, and not before", async (page, cluster) => {
  const leader = await cluster.ready(),
    follower = await cluster.follower();
  const shown = await page(leader, "admin");
  const button = shown.getByRole("button", {name: `Hand over to ${follower.name}`});
  const dialog = shown.getByRole("dialog", {name: `Hand over to ${follower.name}?`});
  await button.click();
  await dialog.getByRole("button", {name: "Cancel"}).click();
  assert.equal((await cluster.ready()).name, leader.name);
  await button.click();
  await dialog.getByRole("button", {name: "Hand over"}).click();
  await shown.getByText(new RegExp(`${follower.name} leads now, in term \\d+`)).waitFor();
  await shown
    .locator("tbody tr", {has: shown.getByRole("rowheader", {name: follower.name, exact: true})})
    .getByText("leader", {exact: true})
    .waitFor();
  assert.equal((await cluster.ready()).name, follower.name);
});

check("a check of stored content is begun and told of", async (page, cluster) => {
  await put(cluster, cluster.nodes[0], "checked.bin", Buffer.alloc(1 << 20, 7));
  const shown = await page(cluster.nodes[0], "admin");
  await shown.getByText("none yet").waitFor();
  await shown.getByRole("button", {name: "Check now…"}).click();
  await shown.getByRole("dialog").getByRole("button", {name: "Check"}).click();
  await shown.getByText("The check has begun").waitFor();
  await shown.getByText(/^ended \d+ s ago$/).waitFor();
  assert.ok((await (await cluster.get(cluster.nodes[0], "/cluster/scrub")).json()).checked >= 1);
});

check("a killed leader is seen in the roles and on the timeline within 3 s", async (page, cluster) => {
  const leader = await cluster.ready(),
    follower = await cluster.follower();
  const roles = await page(follower, "overview"),
    timeline = await page(follower, "timeline");
  await Promise.all([live(roles), live(timeline)]);
  await role_of(roles, leader).getByText("leader", {exact: true}).waitFor();
  const {term} = await cluster.state(leader);
  const won = timeline.locator(".timeline tbody tr", {hasText: "election won"});
  await won.filter({hasText: new RegExp(`leads term ${term}\\b`)}).waitFor();
  await leader.kill();
  const began = Date.now();
  const left = () => seen_within_ms - (Date.now() - began);
  const terms = async () => (await won.allInnerTexts()).map((text) => Number(/leads term (\d+)/.exec(text)?.[1]));
  const others = roles.locator(".nodes thead th").filter({hasNotText: leader.name});
  await Promise.all([
    roles.locator(".figure dd", {hasText: new RegExp(`^n\\d, term (?!${term}$)\\d+$`)}).waitFor({timeout: left()}),
    role_of(roles, leader).getByText("unreachable").waitFor({timeout: left()}),
    others.locator(".badge", {hasText: /^leader$/}).waitFor({timeout: left()}),
    until("the election is on the timeline", async () => (await terms()).some((one) => one > term), left()),
  ]);
  await timeline.locator(".timeline tbody tr", {hasText: "peer lost"}).first().waitFor();
  cluster.revive(leader);
  await role_of(roles, leader).getByText("follower").waitFor();
  await cluster.ready();
});

check(
  "a page whose own node is gone says so, and leads to the others",
  async (page, cluster) => {
    const follower = await cluster.follower();
    const shown = await page(follower, "overview");
    await live(shown);
    await follower.kill();
    await shown.getByText(`${follower.name} does not answer`).waitFor();
    const other = cluster.nodes.find((node) => node !== follower);
    assert.equal(
      await shown.getByRole("link", {name: `Open the console of ${other.name}`}).getAttribute("href"),
      `${other.url}/console/#/overview`,
    );
    await shown.getByRole("link", {name: "Timeline", exact: true}).click();
    await until("the link leads to the same view", async () =>
      (await shown.getByRole("link", {name: `Open the console of ${other.name}`}).getAttribute("href")).endsWith("#/timeline"),
    );
    cluster.revive(follower);
    await live(shown);
    await shown.getByText(`${follower.name} does not answer`).waitFor({state: "hidden"});
    await cluster.ready();
  },
  {expected: connection_lost},
);

check(
  "what a failover displaced is restored",
  async (page, cluster) => {
    const old = await cluster.ready(),
      others = cluster.nodes.filter((node) => node !== old);
    await put(cluster, old, "aside/taken.txt", "first");
    await Promise.all(others.map((node) => node.kill()));
    await put(cluster, old, "aside/kept.txt", "displaced", "leader");
    await put(cluster, old, "aside/taken.txt", "displaced too", "leader");
    await old.kill();
    others.forEach((node) => cluster.revive(node));
    const now = await cluster.ready();
    await put(cluster, now, "aside/since.txt", "since", "majority");
    cluster.revive(old);
    await cluster.ready();

    const shown = await page(old, "admin");
    await shown.getByRole("button", {name: "Restore /aside/kept.txt", exact: true}).click();
    await shown.getByRole("dialog", {name: "Restore /aside/kept.txt?"}).getByRole("button", {name: "Restore"}).click();
    await shown.getByText("/aside/kept.txt is restored").waitFor();
    const read = async (path) => (await cluster.get(now, `/files/${path}?consistency=linearizable`)).text();
    assert.equal(await read("aside/kept.txt"), "displaced");

    await shown.getByRole("button", {name: "Restore /aside/taken.txt", exact: true}).click();
    await shown.getByRole("dialog", {name: "Restore /aside/taken.txt?"}).getByRole("button", {name: "Restore"}).click();
    const question = shown.getByRole("dialog", {name: "Replace /aside/taken.txt?"});
    await question.waitFor();
    assert.equal(await read("aside/taken.txt"), "first", "nothing is replaced before that is confirmed");
    await question.getByRole("button", {name: "Replace"}).click();
    await shown.getByText("/aside/taken.txt is restored").waitFor();
    assert.equal(await read("aside/taken.txt"), "displaced too");
  },
  {expected: /status of 412/},
);

check("a member is removed once its name was typed", async (page, cluster) => {
  const follower = await cluster.follower(),
    other = cluster.nodes.find((node) => node !== follower);
  const shown = await page(other, "admin"),
    overview = await page(other, "overview");
  await overview.getByText("3 of 3 answer, 3 vote").waitFor();
  await shown.getByRole("button", {name: `Remove ${follower.name}`}).click();
  const dialog = shown.getByRole("dialog", {name: `Remove ${follower.name} from the cluster?`});
  assert.ok(await dialog.getByRole("button", {name: "Remove"}).isDisabled());
  await dialog.getByRole("textbox").fill(follower.name);
  await dialog.getByRole("button", {name: "Remove"}).click();
  await shown.getByText(`${follower.name} is no longer a member`).waitFor();
  await until("it is gone", async () => (await cluster.state(other)).members.length === 2);
  await overview.getByText("2 of 2 answer, 2 vote").waitFor();
});
