// What the tests of a file share: one cluster, one browser, and that a page complains of nothing.

import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {launch, open} from "./browser.mjs";
import {Cluster} from "./cluster.mjs";

export const shared = {cluster: null, browser: null};
let failed = false;

/** Starts what the tests of this file work with. `prepare` may give more options for the cluster. */
export const begin = (prepare = async () => ({})) => {
  before(async () => {
    shared.cluster = await Cluster.start(await prepare());
    shared.browser = await launch();
    await shared.cluster.ready();
  });
  after(async () => {
    await shared.browser?.close();
    const logs = await shared.cluster?.stop({with_logs: failed});
    if (failed) console.error(logs);
  });
};

/** A test whose pages may complain only of what `expected` matches. It gets `page(node, view, options)`. */
export const check = (name, body, {expected = null} = {}) =>
  test(name, {timeout: 120000}, async () => {
    const pages = [];
    const page = async (node, view, options) => {
      const made = await open(shared.browser, node, view, options);
      pages.push(made);
      return made;
    };
    try {
      await body(page, shared.cluster);
      for (const made of pages)
        assert.deepEqual(
          made.complaints.filter((text) => expected === null || !expected.test(text)),
          [],
        );
    } catch (problem) {
      failed = true;
      for (const made of pages)
        console.error(
          `--- ${name}\n${await made
            .locator("body")
            .innerText()
            .catch(() => "")}\n${made.complaints.join("\n")}`,
        );
      throw problem;
    } finally {
      for (const made of pages) await made.context().close();
    }
  });

/** Puts one file. */
export const put = async (cluster, node, path, content, durability = "all", type = "text/plain") =>
  cluster.get(node, `/files/${path}`, {
    method: "PUT",
    body: content,
    duplex: "half", // of a body that comes bit by bit
    headers: {"Kaiku-Durability": durability, "Content-Type": type},
  });
