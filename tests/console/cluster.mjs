// A cluster of real `kaikud` processes on this machine, for the time of a test.

import {spawn} from "node:child_process";
import {once} from "node:events";
import {closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync} from "node:fs";
import {createServer} from "node:net";
import {tmpdir} from "node:os";
import {join} from "node:path";

const kaikud = new URL("../../build/release/kaikud", import.meta.url).pathname;
const deadline_ms = 30000;

/** Asks again and again until the condition holds, and gives what it gave; fails after the deadline. */
export const until = async (what, condition, within_ms = deadline_ms) => {
  const end = Date.now() + within_ms;
  for (let last = null; ;) {
    try {
      const found = await condition();
      if (found) return found;
    } catch (problem) {
      last = problem;
    }
    if (Date.now() > end)
      throw new Error(`not within ${within_ms} ms: ${what}${last === null ? "" : ` (${last.message})`}`);
    await new Promise((done) => setTimeout(done, 25));
  }
};

const free_port = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const {port} = server.address();
  server.close();
  await once(server, "close");
  return port;
};

class Node {
  constructor(name, folder, http, peers) {
    Object.assign(this, {name, folder, http, peers, process: null});
    this.url = `http://127.0.0.1:${http}`;
    this.log = join(folder, `${name}.log`);
  }
  start(cluster, extra) {
    const out = openSync(this.log, "a");
    this.process = spawn(
      kaikud,
      [
        "--name",
        this.name,
        "--data",
        join(this.folder, this.name),
        "--http",
        `127.0.0.1:${this.http}`,
        "--peers",
        `127.0.0.1:${this.peers}`,
        "--cluster",
        cluster,
        ...extra,
      ],
      {stdio: ["ignore", out, out]},
    );
    closeSync(out);
    this.ended = once(this.process, "exit");
  }
  /** SIGKILL; gives when the process is gone. */
  async kill() {
    if (this.process === null) return;
    this.process.kill("SIGKILL");
    await this.ended;
    this.process = null;
  }
}

// However this process ends (the time limit of tests/run sends SIGTERM), no node of it stays.
const running = new Set();
process.on("exit", () => running.forEach((cluster) => cluster.abandon()));
process.on("SIGTERM", () => process.exit(1));

export class Cluster {
  /** `extra`: options of every node. `headers`: of the cluster's own requests. Started, but perhaps not ready. */
  static async start({nodes = 3, extra = [], headers = {}} = {}) {
    const all = new Cluster();
    // In memory: on a disk that others use, one sync may take longer than an election timeout.
    all.folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "kaiku-console-"));
    Object.assign(all, {extra, headers, nodes: []});
    running.add(all);
    for (let i = 1; i <= nodes; ++i)
      all.nodes.push(new Node(`n${i}`, all.folder, await free_port(), await free_port()));
    all.members = all.nodes.map((node) => `${node.name}=127.0.0.1:${node.peers}`).join(",");
    for (const node of all.nodes) mkdirSync(join(all.folder, node.name), {mode: 0o700});
    for (const node of all.nodes) all.revive(node);
    return all;
  }
  revive(node) {
    node.start(this.members, this.extra);
  }
  node(name) {
    return this.nodes.find((node) => node.name === name);
  }
  async get(node, path, options = {}) {
    const answer = await fetch(node.url + path, {
      ...options,
      headers: {...this.headers, ...options.headers},
      signal: AbortSignal.timeout(15000),
    });
    if (!answer.ok) throw new Error(`${path} of ${node.name}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
  async state(node) {
    return (await this.get(node, "/cluster")).json();
  }
  /** The node that leads, once all that run are ready and agree on it. */
  ready() {
    return until("all nodes are ready and agree on a leader", async () => {
      const states = await Promise.all(this.nodes.filter((node) => node.process).map((node) => this.state(node)));
      const [{leader, term}] = states;
      const agree =
        leader !== null && states.every((state) => state.ready && state.leader === leader && state.term === term);
      return agree && this.node(leader).process && this.node(leader);
    });
  }
  async follower() {
    const leader = await this.ready();
    return this.nodes.find((node) => node !== leader);
  }
  abandon() {
    for (const node of this.nodes) node.process?.kill("SIGKILL");
    rmSync(this.folder, {recursive: true, force: true});
  }
  /** Every node ends; the data go, and the logs are given when they are asked for. */
  async stop({with_logs = false} = {}) {
    await Promise.all(this.nodes.map((node) => node.kill()));
    const logs = with_logs
      ? this.nodes
          .map((node) => `--- ${node.name}\n${readFileSync(node.log, "utf8").split("\n").slice(-40).join("\n")}`)
          .join("\n")
      : "";
    running.delete(this);
    rmSync(this.folder, {recursive: true, force: true});
    return logs;
  }
}
