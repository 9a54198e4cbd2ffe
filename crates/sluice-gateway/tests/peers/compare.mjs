// The same client with and without the gateway before the same server, and with both servers behind one gateway: what it got
// is compared, behaviour by behaviour, over standard input and output, over streamable HTTP, and over either with a server that
// is reached by the other.
//
//   node compare.mjs SLUICE FOLDER
//
// FOLDER gets a workspace whose signed contracts name every tool of both servers and trust what they answer: what is
// compared is the transport, and no call waits for a person. Each behaviour has a connection, and so a session, of its own.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { isDeepStrictEqual } from "node:util";
import path from "node:path";
import { createInterface } from "node:readline";

const [sluice, folder] = process.argv.slice(2).map((argument) => path.resolve(argument));
const require = createRequire(path.join(folder, "package.json"));
const sdk = async (file) => import(require.resolve(`@modelcontextprotocol/sdk/${file}.js`));
const { Client } = await sdk("client/index");
const { StdioClientTransport } = await sdk("client/stdio");
const { StreamableHTTPClientTransport } = await sdk("client/streamableHttp");
const types = await sdk("types");

const at = (...parts) => path.join(folder, ...parts);
const packaged = (name) => at("node_modules", "@modelcontextprotocol", name, "dist", "index.js");
const files = at("files");
const servers = {
  everything: [process.execPath, packaged("server-everything"), "stdio"],
  filesystem: [process.execPath, packaged("server-filesystem"), files],
};
const environment = { PATH: process.env.PATH, HOME: process.env.HOME ?? folder, SLUICE_HOME: at("home") };

const capabilities = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
  tasks: { list: {}, cancel: {}, requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } },
};

const started = (command, args) => new StdioClientTransport({ command, args, env: environment, stderr: "ignore" });
const gateway = (...args) => started(sluice, ["gateway", "--workspace", at("ws"), ...args]);
/** Each way from a client to a server. */
const WAYS = {
  "alone": (server) => started(servers[server][0], servers[server].slice(1)),
  "gateway": (server) => gateway("--", ...servers[server]),
  "gateway, beside the other": (server) => new Beside(gateway(...Object.keys(servers).flatMap((name) => ["--connector", name])), server),
  "gateway, server by URL": () => gateway("--url", http.server),
  "HTTP, alone": () => new StreamableHTTPClientTransport(new URL(http.server)),
  "HTTP, gateway": (server) => throughHttp(server),
  "HTTP, gateway, server by URL": () => throughHttp("remote"),
};
const throughHttp = (connector) =>
  new StreamableHTTPClientTransport(new URL(`${http.gateway}/${connector}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${http.token}` } } });

/** A client of one of several servers: it puts that server's name before what it names, and takes it from what it hears. */
class Beside {
  constructor(inner, server) {
    this.inner = inner;
    this.server = server;
  }
  async start() {
    this.inner.onmessage = (message) => this.onmessage?.(this.inward(message));
    this.inner.onclose = () => this.onclose?.();
    this.inner.onerror = (error) => this.onerror?.(error);
    await this.inner.start();
  }
  close() {
    return this.inner.close();
  }
  send(message, options) {
    const said = structuredClone(message);
    const [params, name, uri] = [said.params ?? {}, `${this.server}__`, `${this.server}+`];
    for (const holder of [params, params.ref ?? {}]) {
      if (holder.name && !said.method.startsWith("init")) holder.name = name + holder.name;
      if (holder.uri) holder.uri = uri + holder.uri;
    }
    if (params.taskId) params.taskId = name + params.taskId;
    const related = params._meta?.["io.modelcontextprotocol/related-task"];
    if (related && !said.result) related.taskId = name + related.taskId;
    return this.inner.send(said, options);
  }
  inward({ id, ...message }) {
    const token = message.params?._meta?.progressToken;
    const others = Object.keys(servers).filter((name) => name !== this.server);
    const isOthers = (item) => others.some((name) => item.name?.startsWith(`${name}__`) || item.uri?.startsWith(`${name}+`));
    for (const key of ["tools", "prompts", "resources", "resourceTemplates"]) {
      if (Array.isArray(message.result?.[key])) message.result[key] = message.result[key].filter((item) => !isOthers(item));
    }
    const text = JSON.stringify(message).replaceAll(`${this.server}__`, "").replaceAll(`"${this.server}+`, '"');
    const heard = { ...JSON.parse(text), ...(id === undefined ? {} : { id }) };
    if (token !== undefined) heard.params._meta.progressToken = token;
    return heard;
  }
}

/** A connection, and all that was told beside answers. */
async function connect(server, way, declared = capabilities) {
  const transport = WAYS[way](server);
  const client = new Client({ name: "compare", version: "1" }, { capabilities: declared });
  const told = [];
  client.fallbackNotificationHandler = async (notification) => void told.push(notification);
  client.fallbackRequestHandler = async (request) => {
    told.push(request);
    switch (request.method) {
      case "sampling/createMessage":
        return { role: "assistant", model: "none", content: { type: "text", text: "sampled" } };
      case "elicitation/create":
        return request.params.mode === "url" ? { action: "accept" } : { action: "accept", content: { name: "Ana", check: true } };
      case "roots/list":
        return { roots: [{ uri: `file://${files}`, name: "files" }] };
      default:
        throw new types.McpError(types.ErrorCode.MethodNotFound, "not here");
    }
  };
  // What the SDK asks of whoever declares a capability is lifted: the raw message is what is compared.
  await client.connect(transport);
  const close = async () => {
    await transport.terminateSession?.();
    await client.close();
  };
  return { client, told, close };
}

const any = types.ResultSchema;
const ask = (method, params) => ({ client }) => client.request({ method, params }, any);
const call = (name, args = {}) => ask("tools/call", { name, arguments: args });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
/** Waits until `is` holds of what was told, or a while. */
async function until(told, is, ms = 6_000) {
  for (let waited = 0; waited < ms && !is(told); waited += 20) await sleep(20);
}
const kinds = (told) => told.map((message) => message.method).sort();

const EVERYTHING = {
  "initialize": {
    alone: "several servers greet as one",
    run: async ({ client }) => ({ server: client.getServerVersion(), can: client.getServerCapabilities(), says: client.getInstructions() }),
  },
  "tools offered": async ({ client }) => (await client.listTools()).tools,
  "tools offered, few capabilities": { declared: {}, run: async ({ client }) => (await client.listTools()).tools },
  "list_changed": async ({ told }) => {
    await until(told, (told) => told.filter((m) => m.method.endsWith("tools/list_changed")).length >= 7, 1_500);
    return kinds(told).filter((kind) => kind.endsWith("list_changed"));
  },
  "prompts": async (c) => [
    await ask("prompts/list", {})(c),
    await ask("prompts/get", { name: "simple-prompt" })(c),
    await ask("prompts/get", { name: "args-prompt", arguments: { city: "Kyiv", state: "x" } })(c),
    await ask("prompts/get", { name: "resource-prompt", arguments: { resourceType: "Text", resourceId: "1" } })(c),
  ],
  "prompt without its argument": ask("prompts/get", { name: "args-prompt" }),
  "resources": async (c) => {
    const { resources } = await ask("resources/list", {})(c);
    return [resources, await ask("resources/read", { uri: resources[0].uri })(c)];
  },
  "resource that is not there": ask("resources/read", { uri: "demo://resource/none" }),
  "templates": async (c) => [
    await ask("resources/templates/list", {})(c),
    await ask("resources/read", { uri: "demo://resource/dynamic/text/1" })(c),
    await ask("resources/read", { uri: "demo://resource/dynamic/blob/2" })(c),
  ],
  "completion": ask("completion/complete", {
    ref: { type: "ref/prompt", name: "completable-prompt" },
    argument: { name: "department", value: "E" },
  }),
  "text content": call("echo", { message: "ž \u{1f600} \u2028 <&>" }),
  "numbers": call("get-sum", { a: 0.1, b: 1e21 }),
  "structured content": call("get-structured-content", { location: "Chicago" }),
  "links": call("get-resource-links", { count: 3 }),
  "embedded resource": call("get-resource-reference", { resourceType: "Text", resourceId: 1 }),
  "image": call("get-tiny-image"),
  "annotations": call("get-annotated-message", { messageType: "error", includeImage: true }),
  "arguments that do not fit": call("get-sum", { a: "x" }),
  "unknown method": ask("no/such/method", { a: 1 }),
  "unknown tool": { differs: "the gateway denies what no contract names", run: call("no-such-tool") },
  "sampling": async (c) => [await call("trigger-sampling-request", { prompt: "p", maxTokens: 5 })(c), asked(c.told, "sampling/createMessage")],
  "elicitation, form": async (c) => [await call("trigger-elicitation-request")(c), asked(c.told, "elicitation/create")],
  "elicitation, URL": async (c) => [await call("trigger-url-elicitation", { url: "https://example.com/x", message: "m", elicitationId: "e" })(c), asked(c.told, "elicitation/create")],
  "roots": async (c) => {
    await until(c.told, (told) => asked(told, "roots/list").length > 0);
    await sleep(200);
    return [asked(c.told, "roots/list"), await call("get-roots-list")(c)];
  },
  "progress": async ({ client }) => {
    const steps = [];
    const params = { name: "trigger-long-running-operation", arguments: { duration: 0.4, steps: 4 } };
    const result = await client.request({ method: "tools/call", params }, any, { onprogress: (step) => steps.push(step) });
    // The last one races with the result, in the SDK itself.
    return [result, steps.slice(0, 3)];
  },
  "cancellation": async (c) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort("changed my mind"), 150);
    const params = { name: "trigger-long-running-operation", arguments: { duration: 1, steps: 2 } };
    const ended = await c.client.request({ method: "tools/call", params }, any, { signal: stop.signal }).catch((error) => String(error));
    return [ended, await call("echo", { message: "after" })(c)];
  },
  "logging": async (c) => {
    await c.client.setLoggingLevel("debug");
    const toggled = await call("toggle-simulated-logging")(c);
    await until(c.told, (told) => told.some((message) => message.method === "notifications/message"));
    return [toggled, c.told.some((message) => message.method === "notifications/message")];
  },
  "subscriptions": async (c) => {
    const uri = "demo://resource/dynamic/text/1";
    const subscribed = await ask("resources/subscribe", { uri })(c);
    const toggled = await call("toggle-subscriber-updates")(c);
    await until(c.told, (told) => told.some((message) => message.method === "notifications/resources/updated"));
    return [subscribed, toggled, c.told.filter((message) => message.method === "notifications/resources/updated").slice(0, 1)];
  },
  "tasks": async ({ client }) => {
    await client.listTools();
    const stream = client.experimental.tasks.callToolStream({ name: "simulate-research-query", arguments: { topic: "t", ambiguous: false } });
    const seen = [];
    for await (const message of stream) {
      const state = message.task?.status ?? message.result ?? String(message.error);
      if (!isDeepStrictEqual(seen.at(-1), [message.type, state])) seen.push([message.type, state]);
    }
    return seen;
  },
  "tasks without asking for one": call("simulate-research-query", { topic: "t" }),
  "ping": ask("ping", {}),
};

/** What the servers asked by this method. Under which ids is their own business: behind one gateway they say whose they are. */
const asked = (told, method) => {
  const others = Object.keys(servers).slice(1);
  const isIts = ({ id }) => !others.some((name) => `${id}`.startsWith(`${name}__`));
  return told.filter((message) => message.method === method && isIts(message)).map(({ id, ...message }) => message);
};

const inside = (name) => path.join(files, name);
/** Why a behaviour is not compared with another server beside. */
const HOLDS = "the other server logs, and what it says holds what is written";

const FILES = {
  "tools offered": async ({ client }) => (await client.listTools()).tools,
  "allowed folders": call("list_allowed_directories"),
  "write, read, edit, move": { alone: HOLDS, run: async (c) => [
    await call("create_directory", { path: inside("a") })(c),
    await call("write_file", { path: inside("a/b.txt"), content: "one\ntwo\n\u{1f600}\n" })(c),
    await call("read_text_file", { path: inside("a/b.txt") })(c),
    await call("edit_file", { path: inside("a/b.txt"), edits: [{ oldText: "two", newText: "three" }] })(c),
    await call("move_file", { source: inside("a/b.txt"), destination: inside("a/c.txt") })(c),
    await call("read_multiple_files", { paths: [inside("a/c.txt"), inside("a/none.txt")] })(c),
    await call("directory_tree", { path: files })(c),
    await call("search_files", { path: files, pattern: "**/c*" })(c),
    readFileSync(inside("a/c.txt"), "utf8"),
  ] },
  "a file outside": call("read_text_file", { path: "/etc/hostname" }),
  "a megabyte": { alone: HOLDS, run: async (c) => {
    await call("write_file", { path: inside("big.txt"), content: "0123456789abcdef".repeat(65_536) })(c);
    return call("read_text_file", { path: inside("big.txt") })(c);
  } },
  "a hundred calls at once": { alone: HOLDS, run: async (c) => {
    await call("write_file", { path: inside("n.txt"), content: "n" })(c);
    return Promise.all(Array.from({ length: 100 }, () => call("read_text_file", { path: inside("n.txt") })(c)));
  } },
};

/** What a behaviour came to; an error is an outcome like any other. */
async function outcome(server, behaviour, way) {
  if (server === "filesystem") {
    rmSync(files, { recursive: true, force: true });
    mkdirSync(files);
  }
  const connection = await connect(server, way, behaviour.declared);
  try {
    return JSON.parse(JSON.stringify(await behaviour.run(connection), steady));
  } catch (error) {
    return { error: { name: error.name, code: error.code, message: error.message, data: error.data } };
  } finally {
    // Servers take their time, and nobody need wait for them.
    closing.push(connection.close());
  }
}
const closing = [];

/** Times and random ids differ from run to run without us as well. */
function steady(key, value) {
  if (typeof value !== "string") return value;
  if (key === "blob") return steady("", Buffer.from(value, "base64").toString());
  return value
    .replace(/\d{1,2}:\d{2}:\d{2}( [AP]M)?|\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b/g, "ID");
}

/** A signed contract for each server: its tools as it lists them, every answer trusted. */
async function makeWorkspace() {
  for (const old of ["ws", "home"]) rmSync(at(old), { recursive: true, force: true });
  mkdirSync(files, { recursive: true });
  const run = (...args) => execFileSync(sluice, args, { env: environment, cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  run("init", at("ws"), "--as", "ana", "--name", "peers");
  const reached = { ...servers, remote: http.server };
  for (const [server, command] of Object.entries(reached)) {
    const { client, close } = await connect(server, server === "remote" ? "HTTP, alone" : "alone");
    const { tools } = await client.listTools();
    await close();
    const writes = /^(write|edit|create|move)/;
    const actions = tools.map(({ name, inputSchema }) => {
      const names = Object.keys(inputSchema.properties ?? {});
      const roles = names.map((argument) => `${JSON.stringify(argument)}: { role: payload }`).join(", ");
      return [
        `  ${JSON.stringify(name)}:`,
        `    effect: ${writes.test(name) ? "write" : "read"}`,
        `    request: { tool: ${JSON.stringify(name)} }`,
        ...(roles ? [`    arguments: { ${roles} }`] : []),
        `    output: { from: merge, trust: { "": trusted }, labels: { "": [] } }`,
      ].join("\n");
    });
    const mcp = server === "remote"
      ? `{ url: ${JSON.stringify(command)}, allow_private: true }`
      : `{ command: ${JSON.stringify(command)}, environment: { HOME: { inherit: true } } }`;
    const contract = `version: 1\nconnector: ${server}\ntransport: { mcp: ${mcp} }\nactions:\n${actions.join("\n")}\n`;
    writeFileSync(at("ws", "connectors", `${server}.yaml`), contract);
  }
  const keys = readdirSync(at("home", "keys")).map((name) => at("home", "keys", name));
  run("policy", "sign", "--workspace", at("ws"), "--as", "ana", "--key", keys[0]);
}

/** A port that nobody has. */
const freePort = () =>
  new Promise((done) => {
    const listener = createServer().listen(0, "127.0.0.1", () => {
      const { port } = listener.address();
      listener.close(() => done(port));
    });
  });

/** Starts a program that listens, and waits until it says so. */
async function listening(command, args, env, stream, says) {
  const child = spawn(command, args, { env: { ...environment, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  child[stream === "stdout" ? "stderr" : "stdout"].resume();
  for await (const line of createInterface({ input: child[stream] })) {
    const found = line.match(says);
    if (found) {
      child[stream].resume();
      return found[1];
    }
  }
  throw new Error(`${command} ended`);
}
const running = [];
process.on("exit", () => running.forEach((child) => child.kill()));

const http = {};
{
  const port = await freePort();
  http.server = `http://127.0.0.1:${port}/mcp`;
  await listening(process.execPath, [packaged("server-everything"), "streamableHttp"], { PORT: String(port) }, "stderr", /listening on port (\d+)/);
}
await makeWorkspace();
{
  const made = execFileSync(sluice, ["gateway", "token", "add", "peers", "--workspace", at("ws"), "--format", "json"], { env: environment });
  http.token = JSON.parse(made).token;
  http.gateway = await listening(sluice, ["gateway", "http", "--workspace", at("ws"), "--listen", "127.0.0.1:0"], {}, "stdout", /listening on (\S+)/);
}
const begun = Date.now();
let broken = 0;
let compared = 0;
for (const [server, behaviours, without, through] of [
  ["everything", EVERYTHING, "alone", "gateway"],
  ["filesystem", FILES, "alone", "gateway"],
  ["everything", EVERYTHING, "alone", "gateway, beside the other"],
  ["filesystem", FILES, "alone", "gateway, beside the other"],
  ["everything", EVERYTHING, "alone", "HTTP, gateway"],
  ["everything", EVERYTHING, "HTTP, alone", "gateway, server by URL"],
  ["everything", EVERYTHING, "HTTP, alone", "HTTP, gateway, server by URL"],
]) {
  console.log(`\nTypeScript SDK, server-${server}: ${without} / ${through}`);
  for (const [name, given] of Object.entries(behaviours)) {
    const behaviour = typeof given === "function" ? { run: given } : given;
    if (behaviour.alone && through.includes("beside")) continue;
    // What a server says before anybody listens is lost or not, as the moment has it, without us as well.
    if (name === "list_changed" && through.endsWith("URL")) continue;
    const plain = await outcome(server, behaviour, without);
    const gated = await outcome(server, behaviour, through);
    const same = isDeepStrictEqual(plain, gated);
    const fine = same !== Boolean(behaviour.differs);
    const word = same ? "same" : behaviour.differs ? `differs: ${behaviour.differs}` : "DIFFERS";
    console.log(`  ${fine ? "✓" : "✗"} ${name.padEnd(34)} ${word}`);
    compared += 1;
    if (!fine) {
      broken += 1;
      const short = (value) => JSON.stringify(value)?.slice(0, 1_500);
      console.log(`      without: ${short(plain)}\n      with:    ${short(gated)}`);
    }
  }
}
await Promise.all(closing);
console.log(`\n${Math.round((Date.now() - begun) / 1_000)} s\n${compared - broken} passed, ${broken} failed`);
process.exit(broken === 0 ? 0 : 1);
