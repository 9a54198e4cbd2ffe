// HTTP in front of a program that speaks on standard input and output: each session starts one, and messages pass as they are.
//
//   node bridge.mjs FOLDER PORT CMD…        FOLDER is where the SDK is installed
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, port, command, ...args] = process.argv.slice(2);
const require = createRequire(path.resolve(folder, "package.json"));
const sdk = async (file) => import(require.resolve(`@modelcontextprotocol/sdk/${file}.js`));
const { StreamableHTTPServerTransport } = await sdk("server/streamableHttp");
const { StdioClientTransport } = await sdk("client/stdio");

const sessions = new Map();

async function begin() {
  const onsessioninitialized = (id) => void sessions.set(id, front);
  const front = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized });
  const back = new StdioClientTransport({ command, args, env: process.env, stderr: "ignore" });
  await back.start();
  front.onmessage = (message) => void back.send(message).catch(() => {});
  back.onmessage = (message) => void front.send(message).catch(() => {});
  front.onclose = () => void back.close();
  await front.start();
  return front;
}

createServer(async (request, response) => {
  try {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks)) : undefined;
    const front = sessions.get(request.headers["mcp-session-id"]) ?? (await begin());
    await front.handleRequest(request, response, body);
  } catch (error) {
    if (!response.headersSent) response.writeHead(500).end(String(error));
  }
}).listen(Number(port), "127.0.0.1");
