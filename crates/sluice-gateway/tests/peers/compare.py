"""The same client with and without the gateway before the same server, once more in Python.

    python compare.py SLUICE FOLDER

FOLDER is where `compare.mjs` made its workspace. The second server speaks the protocol without sessions, 2026-07-28; its contract is
the one that is drafted: what it answers is an outsider's words, which holds no read up.
"""

import asyncio
import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from mcp import Client, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

SLUICE, FOLDER = (Path(argument).absolute() for argument in sys.argv[1:3])
PACKAGES = FOLDER / "node_modules" / "@modelcontextprotocol"
NODE = os.environ.get("PEERS_NODE", "node")
SERVERS = {
    "everything": [NODE, str(PACKAGES / "server-everything" / "dist" / "index.js"), "stdio"],
    "modern": [sys.executable, str(Path(__file__).with_name("modern.py"))],
}
QUIET = open(os.devnull, "w")
# What the SDK says of streams that are closed under it.
logging.disable(logging.CRITICAL)
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", str(FOLDER)), "SLUICE_HOME": str(FOLDER / "home")}
WORKSPACE = ["--workspace", str(FOLDER / "ws")]


def transport(server: str, way: str):
    """Each way from a client to a server."""
    command = SERVERS[server]
    match way:
        case "alone":
            pass
        case "gateway":
            command = [str(SLUICE), "gateway", *WORKSPACE, "--", *command]
        case "HTTP, alone":
            return streamable_http_client(HTTP[server])
        case _:
            connector = f"{server}-remote" if way.endswith("URL") else server
            client = create_mcp_http_client(headers={"Authorization": f"Bearer {HTTP['token']}"})
            return streamable_http_client(f"{HTTP['gateway']}/{connector}/mcp", http_client=client)
    parameters = StdioServerParameters(command=command[0], args=command[1:], env=ENVIRONMENT)
    return stdio_client(parameters, errlog=QUIET)


class Connection:
    """A client, and all that was told beside answers."""

    def __init__(self, server: str, way: str):
        self.told = []
        self.client = Client(
            transport(server, way),
            read_timeout_seconds=30,
            mode="legacy" if server == "everything" else "auto",
            cache=None,
            sampling_callback=self.sample,
            elicitation_callback=self.elicit,
            list_roots_callback=self.roots,
            message_handler=self.hear,
        )

    async def sample(self, _, params):
        self.told.append(params)
        return types.CreateMessageResult(role="assistant", model="none", content=types.TextContent(type="text", text="sampled"))

    async def elicit(self, _, params):
        self.told.append(params)
        content = None if params.mode == "url" else {"name": "Ana", "check": True}
        return types.ElicitResult(action="accept", content=content)

    async def roots(self, _):
        self.told.append("roots")
        return types.ListRootsResult(roots=[types.Root(uri="file:///tmp", name="tmp")])

    async def hear(self, message):
        self.told.append(message)

    def heard(self, kind: str):
        return [told for told in self.told if type(told).__name__ == kind]


async def until(connection: Connection, kind: str):
    for _ in range(200):
        if connection.heard(kind):
            return
        await asyncio.sleep(0.02)


async def progress(c: Connection):
    steps = []

    async def step(done, total, message):
        steps.append((done, total, message))

    arguments = {"duration": 0.4, "steps": 4}
    return [await c.client.call_tool("trigger-long-running-operation", arguments, progress_callback=step), steps[:3]]


async def modern_progress(c: Connection):
    steps = []

    async def step(done, total, message):
        steps.append((done, total, message))

    return [await c.client.call_tool("get_progress", {"steps": 5}, progress_callback=step), steps]


async def logging(c: Connection):
    await c.client.set_logging_level("debug")
    toggled = await c.client.call_tool("toggle-simulated-logging", {})
    await until(c, "LoggingMessageNotification")
    return [toggled, bool(c.heard("LoggingMessageNotification"))]


async def with_told(c: Connection, tool: str, arguments: dict):
    result = await c.client.call_tool(tool, arguments)
    # What the server asked for in the call. What it says beside it comes when its clock says so.
    return [result, [told for told in c.told if type(told).__name__.endswith("Params")]]


async def pages(c: Connection):
    return [await c.client.list_prompts(), await c.client.get_prompt("simple-prompt"), await c.client.get_prompt("args-prompt", {"city": "Kyiv"})]


async def resources(c: Connection):
    listed = await c.client.list_resources()
    return [listed, await c.client.list_resource_templates(), await c.client.read_resource(str(listed.resources[0].uri))]


async def identity(c: Connection):
    return [c.client.protocol_version, c.client.server_info, c.client.server_capabilities, c.client.instructions]


def call(tool, **arguments):
    return lambda c: c.client.call_tool(tool, arguments)


UNKNOWN = "the gateway denies what no contract names"
BEHAVIOURS = {
    "everything": {
        "initialize": identity,
        "tools offered": lambda c: c.client.list_tools(),
        "text content": call("echo", message="ž \U0001f600"),
        "structured content": call("get-structured-content", location="Chicago"),
        "links": call("get-resource-links", count=3),
        "image": call("get-tiny-image"),
        "arguments that do not fit": call("get-sum", a="x"),
        "unknown tool": (call("no-such-tool"), UNKNOWN),
        "prompts": pages,
        "resources and templates": resources,
        "completion": lambda c: c.client.complete(
            types.PromptReference(type="ref/prompt", name="completable-prompt"), {"name": "department", "value": "E"}
        ),
        "sampling": lambda c: with_told(c, "trigger-sampling-request", {"prompt": "p", "maxTokens": 5}),
        "elicitation, form": lambda c: with_told(c, "trigger-elicitation-request", {}),
        "progress": progress,
        "logging": logging,
    },
    "modern": {
        "discover": identity,
        "tools offered": lambda c: c.client.list_tools(),
        "a call": call("get_sum", a=1, b=2.5),
        "arguments that do not fit": call("get_sum", a="x"),
        "unknown tool": (call("no_such_tool"), UNKNOWN),
        "progress": modern_progress,
        "resource": lambda c: c.client.read_resource("note://x"),
        "prompt": lambda c: c.client.get_prompt("greet", {"name": "Bo"}),
    },
}


def steady(value) -> str:
    text = repr(value)
    text = re.sub(r"\d{1,2}:\d\d:\d\d( [AP]M)?|\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID", text)


async def outcome(server: str, behaviour, way: str) -> str:
    connection = Connection(server, way)
    came = None
    try:
        async with connection.client:
            try:
                came = steady(await behaviour(connection))
            except Exception as error:  # an error is an outcome like any other
                came = steady(error)
    except BaseExceptionGroup as group:
        came = came or steady(group)
    return came


HTTP: dict[str, str] = {}
RUNNING: list[subprocess.Popen] = []


def sluice(*arguments: str) -> str:
    return subprocess.run([SLUICE, *arguments], env=ENVIRONMENT, cwd=FOLDER / "ws", check=True, capture_output=True, text=True).stdout


def listen(command: list[str], port: int):
    """Starts a program, and waits until it listens."""
    RUNNING.append(subprocess.Popen(command, env=ENVIRONMENT | {"PORT": str(port)}, stdout=QUIET, stderr=QUIET))
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{command} does not listen")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start():
    """Both servers and the gateway, over HTTP."""
    for server, command in [
        ("everything", [*SERVERS["everything"][:-1], "streamableHttp"]),
        ("modern", SERVERS["modern"]),
    ]:
        port = free_port()
        HTTP[server] = f"http://127.0.0.1:{port}/mcp"
        listen([*command, str(port)] if server == "modern" else command, port)
    # One contract is that of the first comparison, which trusts what the server says.
    for name, where in [("modern", ["--", *SERVERS["modern"]]), ("modern-remote", ["--allow-private", "--url", HTTP["modern"]])]:
        if not (FOLDER / "ws" / "connectors" / f"{name}.yaml").exists():
            sluice("connector", "add", "mcp", name, *where)
    contract = (FOLDER / "ws" / "connectors" / "everything.yaml").read_text()
    remote = f'mcp: {{ url: "{HTTP["everything"]}", allow_private: true }} }}'
    contract = re.sub(r"mcp: \{ command.*", lambda _: remote, contract.replace("connector: everything", "connector: everything-remote"))
    (FOLDER / "ws" / "connectors" / "everything-remote.yaml").write_text(contract)
    key = next((FOLDER / "home" / "keys").iterdir())
    sluice("policy", "sign", "--as", "ana", "--key", str(key))
    HTTP["token"] = json.loads(sluice("gateway", "token", "add", "python", "--format", "json"))["token"]
    port = free_port()
    HTTP["gateway"] = f"http://127.0.0.1:{port}"
    listen([str(SLUICE), "gateway", "http", *WORKSPACE, "--listen", f"127.0.0.1:{port}"], port)


async def main() -> int:
    broken = compared = 0
    start()
    # Its first answer waits for an interpreter, and a client that waits too long takes it for an older one.
    await outcome("modern", identity, "HTTP, gateway")
    ways = [("alone", "gateway"), ("alone", "HTTP, gateway"), ("HTTP, alone", "HTTP, gateway, server by URL")]
    for server, without, through in [(server, *way) for way in ways for server in BEHAVIOURS]:
        behaviours = BEHAVIOURS[server]
        print(f"\nPython SDK, {server} server: {without} / {through}")
        for name, given in behaviours.items():
            behaviour, differs = given if isinstance(given, tuple) else (given, None)
            plain, gated = await asyncio.gather(outcome(server, behaviour, without), outcome(server, behaviour, through))
            if name == "discover":
                assert "2026-07-28" in plain, f"the server speaks another protocol: {plain}"
            same = plain == gated
            is_fine = same != bool(differs)
            word = "same" if same else f"differs: {differs}" if differs else "DIFFERS"
            print(f"  {'✓' if is_fine else '✗'} {name:34} {word}", flush=True)
            compared += 1
            if not is_fine:
                broken += 1
                print(f"      without: {plain[:1_500]}\n      with:    {gated[:1_500]}")
    print(f"\n{compared - broken} passed, {broken} failed")
    return int(broken > 0)


try:
    code = asyncio.run(main())
finally:
    for program in RUNNING:
        program.terminate()
sys.exit(code)
