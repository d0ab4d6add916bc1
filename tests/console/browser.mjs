// Chromium without a window on the console of a node; what its console and its policy complain of is kept.

import {createRequire} from "node:module";
import {readFileSync} from "node:fs";

// `tests/run` installs the packages there: nothing of them stands beside the sources.
const packages = createRequire(new URL("../../build/console/packages/package.json", import.meta.url));
const {chromium} = packages("playwright-core");
const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");

export const launch = () =>
  chromium.launch({
    executablePath: process.env.KAIKU_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"],
  });

/**
 * A tab on a view. `page.complaints` are errors and warnings of scripts, of the policy, and of what was not loaded.
 * `prepare(page)` is called before anything is loaded.
 */
export const open = async (browser, node, view = "overview", {prepare = async () => {}, ...options} = {}) => {
  const context = await browser.newContext({viewport: {width: 1440, height: 900}, colorScheme: "light", ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.complaints = [];
  page.on(
    "console",
    (message) => ["error", "warning"].includes(message.type()) && page.complaints.push(message.text()),
  );
  page.on("pageerror", (problem) => page.complaints.push(problem.stack));
  await prepare(page);
  await page.goto(`${node.url}/console/#/${view}`);
  return page;
};

export const live = (page) => page.locator("#connection.live").waitFor();

/** What axe-core holds for serious or critical, a line each. */
export const barriers = async (page) => {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => axe.run(document, {resultTypes: ["violations"]}));
  return violations
    .filter(({impact}) => impact === "serious" || impact === "critical")
    .map(
      ({id, help, nodes}) =>
        `${id}: ${help}\n${nodes.map((node) => `    ${node.target}: ${node.failureSummary}`).join("\n")}`,
    );
};
