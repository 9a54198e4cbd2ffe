// The official conformance suite before a server alone and before the gateway in front of the same server, in both eras of the
// protocol: each scenario must score the same, but for what DIFFERS says.
//
//   node score.mjs SLUICE PEERS SUITE       PEERS holds the Python SDK, SUITE the suite and the Node that it wants
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as forward } from "node:http";
import { createServer as listener } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const [sluice, peers, suite] = process.argv.slice(2).map((given) => path.resolve(given));
const folder = path.join(suite, "run");
const at = (...parts) => path.join(folder, ...parts);
const fixture = [path.join(peers, "venv", "bin", "python"), "-W", "ignore", fileURLToPath(new URL("fixture.py", import.meta.url))];
const environment = { ...process.env, SLUICE_HOME: at("home") };

/** What scores otherwise through the gateway, and why that is meant. By revision and scenario. */
const QUICK = "the gateway's answers within a second are one JSON message, and only a stream counts here (nothing fails)";
const DIFFERS = {
  "2025-11-25": { "server-sse-multiple-streams": QUICK, "server-sse-polling": QUICK },
};

const running = [];
process.on("exit", () => running.forEach((child) => child.kill()));

const freePort = () =>
  new Promise((done) => {
    const probe = listener().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

/** Starts a program that listens, and waits until it says so. */
async function listening(command, args, stream, says) {
  const child = spawn(command, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  child[stream === "stdout" ? "stderr" : "stdout"].resume();
  for await (const line of createInterface({ input: child[stream] })) {
    const found = line.match(says);
    if (!found) continue;
    child[stream].resume();
    return found[1];
  }
  throw new Error(`${command} ended before it listened`);
}

/** The suite shows no token, so one is put into each of its requests on the way; nothing else is changed. */
async function bearing(token, gateway, place) {
  const port = await freePort();
  createServer((asked, answer) => {
    const headers = asked.rawHeaders.concat("Authorization", `Bearer ${token}`);
    const to = forward(gateway, { method: asked.method, path: place, headers, setHost: false }, (reply) => {
      answer.writeHead(reply.statusCode, reply.rawHeaders);
      reply.pipe(answer);
    });
    to.on("error", () => answer.destroy());
    answer.on("close", () => to.destroy());
    asked.pipe(to);
  }).listen(port, "127.0.0.1");
  return `http://127.0.0.1:${port}/mcp`;
}

/** The draft of a contract, read by somebody who trusts the server: so the comparison is of the protocol and not of the rules. */
function trusting(contract) {
  return contract
    .replace(/^ +(#.*|privileged: true)\n/gm, "")
    .replace(/effect: \w+/g, "effect: read")
    .replace(/role: \w+/g, "role: payload")
    .replace(/trust: \{ "": origin \}/g, 'trust: { "": trusted }')
    .replace(/, undeclared: raise/g, "");
}

async function makeGateway(remote) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const run = (...args) => execFileSync(sluice, args, { env: environment, cwd: folder, stdio: ["ignore", "pipe", "inherit"] }).toString();
  run("init", at("ws"), "--as", "ana", "--name", "conformance");
  run("connector", "add", "mcp", "--workspace", at("ws"), "piped", "--", ...fixture);
  run("connector", "add", "mcp", "--workspace", at("ws"), "remote", "--allow-private", "--url", remote);
  for (const name of ["piped", "remote"]) {
    const file = at("ws", "connectors", `${name}.yaml`);
    writeFileSync(file, trusting(readFileSync(file, "utf8")));
  }
  const [key] = readdirSync(at("home", "keys"));
  run("policy", "sign", "--workspace", at("ws"), "--as", "ana", "--key", at("home", "keys", key));
  const { token } = JSON.parse(run("gateway", "token", "add", "suite", "--workspace", at("ws"), "--format", "json"));
  const gateway = await listening(sluice, ["gateway", "http", "--workspace", at("ws"), "--listen", "127.0.0.1:0"], "stdout", /listening on (\S+)/);
  return { token, gateway };
}

/** The score of each scenario of a revision, as the suite prints it. */
async function score(url, revision, name) {
  const details = ["-o", at(`${name}-${revision}`)];
  const child = spawn(
    path.join(suite, "node_modules/.bin/node"),
    ["node_modules/.bin/conformance", "server", "--url", url, "--requirements", revision, ...details],
    { cwd: suite },
  );
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
  await new Promise((done) => child.on("close", done));
  writeFileSync(at(`${name}-${revision}.log`), printed);
  const scores = printed.matchAll(/^[✓✗~] (\S+): (\d+) passed, (\d+) failed/gm);
  return new Map([...scores].map(([, scenario, passed, failed]) => [scenario, [Number(passed), Number(failed)]]));
}

const port = await freePort();
const remote = `http://127.0.0.1:${port}/mcp`;
await listening(fixture[0], [...fixture.slice(1), String(port)], "stderr", /Uvicorn running on (\S+)/);
const { token, gateway } = await makeGateway(remote);
const ways = {
  "a pipe behind the gateway": await bearing(token, gateway, "/piped/mcp"),
  "HTTP behind the gateway": await bearing(token, gateway, "/remote/mcp"),
};
const sum = (scores) => [...scores.values()].reduce(([a, b], [passed, failed]) => [a + passed, b + failed], [0, 0]);
const words = ([passed, failed] = ["no", "no"]) => `${passed} passed, ${failed} failed`;
let broken = 0;
let compared = 0;
for (const revision of ["2025-11-25", "2026-07-28"]) {
  const alone = await score(remote, revision, "alone");
  if (alone.size === 0) throw new Error(`the suite ran nothing: ${readFileSync(at(`alone-${revision}.log`), "utf8").slice(-800)}`);
  console.log(`\n${revision}: ${alone.size} scenarios before the server alone, ${words(sum(alone))}`);
  for (const [way, url] of Object.entries(ways)) {
    const gated = await score(url, revision, way.replaceAll(" ", "-"));
    console.log(`${revision}: ${way}, ${words(sum(gated))}`);
    for (const scenario of new Set([...alone.keys(), ...gated.keys()])) {
      const same = String(alone.get(scenario)) === String(gated.get(scenario));
      const meant = DIFFERS[revision]?.[scenario];
      compared += 1;
      if (same !== Boolean(meant)) {
        if (meant) console.log(`  differs: ${scenario}: ${meant}`);
        continue;
      }
      broken += 1;
      console.log(`  ✗ ${scenario}: ${words(alone.get(scenario))} alone, ${words(gated.get(scenario))} so`);
    }
  }
}
console.log(`\n${compared - broken} scenarios as they should be, ${broken} not`);
process.exit(broken === 0 ? 0 : 1);
