"""A server with the tools, resources and prompts that the official conformance suite asks for, in both eras of the protocol.

Made with the Python SDK and served over HTTP (with a port) or over standard input and output (without one). What each part
answers is what the suite's descriptions of its scenarios ask; the transport, sessions and refusals are the SDK's own.
"""

import base64
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import anyio
from mcp import types
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.server.streamable_http import EventMessage, EventStore
from mcp.shared.exceptions import MCPError
from pydantic import Field

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
)
SILENCE = base64.b64encode(
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0"
).decode()
MISSING_CAPABILITY = -32021

server = MCPServer("conformance-fixture")


def text(value: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=value)])


# --- content -------------------------------------------------------------------------------------------------------------


@server.tool()
def test_simple_text() -> types.CallToolResult:
    """Answers with text."""
    return text("This is a simple text response for testing.")


@server.tool()
def test_image_content() -> types.CallToolResult:
    """Answers with a picture."""
    return types.CallToolResult(content=[types.ImageContent(type="image", data=PIXEL, mime_type="image/png")])


@server.tool()
def test_audio_content() -> types.CallToolResult:
    """Answers with a sound."""
    return types.CallToolResult(content=[types.AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")])


def embedded(uri: str, mime_type: str, value: str) -> types.EmbeddedResource:
    contents = types.TextResourceContents(uri=uri, mime_type=mime_type, text=value)
    return types.EmbeddedResource(type="resource", resource=contents)


@server.tool()
def test_embedded_resource() -> types.CallToolResult:
    """Answers with a resource."""
    resource = embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    return types.CallToolResult(content=[resource])


@server.tool()
def test_multiple_content_types() -> types.CallToolResult:
    """Answers with text, a picture and a resource."""
    return types.CallToolResult(
        content=[
            types.TextContent(type="text", text="Multiple content types test:"),
            types.ImageContent(type="image", data=PIXEL, mime_type="image/png"),
            embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
        ]
    )


@server.tool()
def test_error_handling() -> types.CallToolResult:
    """Always fails."""
    raise ToolError("This tool intentionally returns an error for testing")


@server.tool()
def json_schema_2020_12_tool() -> types.CallToolResult:
    """Has a schema with much of JSON Schema 2020-12."""
    return text("seen")


JSON_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
server._tool_manager.get_tool("json_schema_2020_12_tool").parameters = JSON_SCHEMA


@server.tool()
def test_headers(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
) -> types.CallToolResult:
    """Has an argument that stands in a header too."""
    return text(region)


# --- while a call runs ---------------------------------------------------------------------------------------------------


@server.tool()
async def test_tool_with_logging(ctx: Context) -> types.CallToolResult:
    """Logs three times."""
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(line)
        await anyio.sleep(0.05)
    return text("logged")


@server.tool()
async def test_logging_tool(ctx: Context) -> types.CallToolResult:
    """Logs once."""
    await ctx.info("a line")
    return text("logged")


@server.tool()
async def test_tool_with_progress(ctx: Context) -> types.CallToolResult:
    """Tells three times how far it is."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100)
        await anyio.sleep(0.05)
    return text("done")


@server.tool()
async def test_reconnection(ctx: Context) -> types.CallToolResult:
    """Breaks its stream before it answers."""
    await ctx.close_sse_stream()
    await anyio.sleep(0.1)
    return text("Reconnection test completed successfully")


def question(prompt: str, max_tokens: int) -> dict[str, Any]:
    content = types.TextContent(type="text", text=prompt)
    return {"messages": [types.SamplingMessage(role="user", content=content)], "max_tokens": max_tokens}


@server.tool()
async def test_sampling(prompt: str, ctx: Context) -> types.CallToolResult:
    """Asks the client's model."""
    answer = await ctx.session.create_message(**question(prompt, 100), related_request_id=ctx.request_context.request_id)
    return text(f"LLM response: {answer.content.text}")


def fields(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


async def ask(ctx: Context, message: str, schema: dict[str, Any]) -> str:
    answer = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_context.request_id)
    return f"action={answer.action}, content={answer.content}"


@server.tool()
async def test_elicitation(message: str, ctx: Context) -> types.CallToolResult:
    """Asks the user."""
    schema = fields(
        ["username", "email"],
        username={"type": "string", "description": "User's response"},
        email={"type": "string", "description": "User's email address"},
    )
    return text("User response: " + await ask(ctx, message, schema))


@server.tool()
async def test_elicitation_sep1034_defaults(ctx: Context) -> types.CallToolResult:
    """Asks the user, with something to begin from."""
    schema = fields(
        [],
        name={"type": "string", "default": "John Doe"},
        age={"type": "integer", "default": 30},
        score={"type": "number", "default": 95.5},
        status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        verified={"type": "boolean", "default": True},
    )
    return text("Elicitation completed: " + await ask(ctx, "Please check these", schema))


@server.tool()
async def test_elicitation_sep1330_enums(ctx: Context) -> types.CallToolResult:
    """Asks the user to choose, in each of the five ways."""
    plain = {"type": "string", "enum": ["option1", "option2", "option3"]}
    titled = [{"const": f"value{n}", "title": f"{word} Option"} for n, word in ((1, "First"), (2, "Second"), (3, "Third"))]
    choices = [{"const": f"value{n}", "title": f"{word} Choice"} for n, word in ((1, "First"), (2, "Second"), (3, "Third"))]
    schema = fields(
        [],
        untitledSingle=plain,
        titledSingle={"type": "string", "oneOf": titled},
        legacyEnum={
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti={"type": "array", "items": plain},
        titledMulti={"type": "array", "items": {"anyOf": choices}},
    )
    return text("Elicitation completed: " + await ask(ctx, "Please choose", schema))


# --- what a call waits for, from 2026-07-28 on ---------------------------------------------------------------------------

Answer = types.CallToolResult | types.InputRequiredResult


def form(message: str, **properties: Any) -> types.ElicitRequest:
    schema = fields(list(properties), **properties)
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(prompt: str, max_tokens: int = 100) -> types.CreateMessageRequest:
    return types.CreateMessageRequest(params=types.CreateMessageRequestParams(**question(prompt, max_tokens)))


def needs(asked: dict[str, Any], state: str | None = None) -> types.InputRequiredResult:
    return types.InputRequiredResult(input_requests=asked, request_state=state)


def answered(ctx: Context, *keys: str) -> bool:
    return ctx.input_responses is not None and all(key in ctx.input_responses for key in keys)


NAME = {"type": "string"}


@server.tool()
async def test_input_required_result_elicitation(ctx: Context) -> Answer:
    """Needs a name."""
    if not answered(ctx, "user_name"):
        return needs({"user_name": form("What is your name?", name=NAME)})
    return text(f"Hello, {(ctx.input_responses['user_name'].content or {}).get('name')}!")


@server.tool()
async def test_input_required_result_sampling(ctx: Context) -> Answer:
    """Needs the client's model."""
    if not answered(ctx, "capital_question"):
        return needs({"capital_question": sample("What is the capital of France?")})
    return text("the model answered")


@server.tool()
async def test_input_required_result_list_roots(ctx: Context) -> Answer:
    """Needs the client's folders."""
    if not answered(ctx, "client_roots"):
        return needs({"client_roots": types.ListRootsRequest()})
    return text("the client has roots")


@server.tool()
async def test_input_required_result_request_state(ctx: Context) -> Answer:
    """Needs a word, and what it said itself."""
    if not answered(ctx, "confirm") or ctx.request_state is None:
        return needs({"confirm": form("Please confirm", ok={"type": "boolean"})}, "waiting")
    return text("state-ok")


@server.tool()
async def test_input_required_result_tampered_state(ctx: Context) -> Answer:
    """Believes what it said itself, and nothing else."""
    return await test_input_required_result_request_state(ctx)


@server.tool()
async def test_input_required_result_multiple_inputs(ctx: Context) -> Answer:
    """Needs three things at once."""
    if not answered(ctx, "user_name", "greeting", "client_roots"):
        asked = {
            "user_name": form("What is your name?", name=NAME),
            "greeting": sample("Generate a greeting", 50),
            "client_roots": types.ListRootsRequest(),
        }
        return needs(asked, "waiting")
    return text("all three answered")


@server.tool()
async def test_input_required_result_multi_round(ctx: Context) -> Answer:
    """Needs two things, one after the other."""
    if ctx.request_state == "second" and answered(ctx, "step2"):
        return text("both answered")
    if ctx.request_state == "first" and answered(ctx, "step1"):
        return needs({"step2": form("Step 2: What is your favorite color?", color=NAME)}, "second")
    return needs({"step1": form("Step 1: What is your name?", name=NAME)}, "first")


@server.tool()
async def test_input_required_result_capabilities(ctx: Context) -> Answer:
    """Asks for what the client can do."""
    can = ctx.client_capabilities
    asked: dict[str, Any] = {}
    if can is not None and can.sampling is not None:
        asked["greeting"] = sample("Generate a greeting")
    if can is not None and can.elicitation is not None:
        asked["user_name"] = form("What is your name?", name=NAME)
    if not asked or answered(ctx, *asked):
        return text("nothing to ask")
    return needs(asked)


@server.tool()
async def test_missing_capability(ctx: Context) -> types.CallToolResult:
    """Works only for clients with a model."""
    if ctx.client_capabilities is None or ctx.client_capabilities.sampling is None:
        data = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(code=MISSING_CAPABILITY, message="the client declares no sampling", data=data)
    return text("the client can sample")


@server.tool()
async def test_streaming_elicitation(ctx: Context) -> Answer:
    """Tells how far it is, then needs a name."""
    await ctx.report_progress(1, 2)
    if not answered(ctx, "user_name"):
        return needs({"user_name": form("What is your name?", name=NAME)})
    return text("named")


@server.tool()
async def test_trigger_tool_change(ctx: Context) -> types.CallToolResult:
    """Says that the tools changed."""
    await ctx.notify_tools_changed()
    return text("told")


@server.tool()
async def test_trigger_prompt_change(ctx: Context) -> types.CallToolResult:
    """Says that the prompts changed."""
    await ctx.notify_prompts_changed()
    return text("told")


# --- resources and prompts -----------------------------------------------------------------------------------------------


@server.resource("test://static-text", mime_type="text/plain")
def static_text() -> str:
    """A text."""
    return "This is the content of the static text resource."


@server.resource("test://static-binary", mime_type="image/png")
def static_binary() -> bytes:
    """A picture."""
    return base64.b64decode(PIXEL)


@server.resource("test://watched-resource", mime_type="text/plain")
def watched() -> str:
    """One to subscribe to."""
    return "watched"


@server.resource("test://template/{id}/data", mime_type="application/json")
def template(id: str) -> str:
    """One for each id."""
    return f'{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}'


@server.prompt()
def test_simple_prompt() -> str:
    """Without arguments."""
    return "This is a simple prompt for testing."


@server.prompt()
def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """With two arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


@server.prompt()
def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 (the suite's name)
    """With a resource in it."""
    return [
        UserMessage(embedded(resourceUri, "text/plain", "Embedded resource content for testing.")),
        UserMessage("Please process the embedded resource above."),
    ]


@server.prompt()
def test_prompt_with_image() -> list[UserMessage]:
    """With a picture in it."""
    return [
        UserMessage(types.ImageContent(type="image", data=PIXEL, mime_type="image/png")),
        UserMessage("Please analyze the image above."),
    ]


@server.prompt()
async def test_input_required_result_prompt(ctx: Context) -> list[UserMessage] | types.InputRequiredResult:
    """Needs to know what it is for."""
    if not answered(ctx, "user_context"):
        return needs({"user_context": form("What context should the prompt use?", context=NAME)})
    return [UserMessage("with the user's context")]


@server.completion()
async def complete(ref: Any, argument: Any, context: Any) -> types.Completion:
    return types.Completion(values=["paris", "park"], total=2, has_more=False)


# What only the older era has.


async def done(ctx: Any, params: Any) -> types.EmptyResult:
    return types.EmptyResult()


for method, params in [
    ("logging/setLevel", types.SetLevelRequestParams),
    ("resources/subscribe", types.SubscribeRequestParams),
    ("resources/unsubscribe", types.UnsubscribeRequestParams),
]:
    server._lowlevel_server.add_request_handler(method, params, done)


class Kept(EventStore):
    """Every event of every stream, in memory: enough to read on a stream that broke."""

    def __init__(self) -> None:
        self.events: list[tuple[str, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        self.events.append((stream_id, message))
        return str(len(self.events))

    async def replay_events_after(
        self, last_event_id: str, send_callback: Callable[[EventMessage], Awaitable[None]]
    ) -> str | None:
        seen = int(last_event_id)
        stream = self.events[seen - 1][0]
        for at, (of, message) in enumerate(self.events[seen:], seen + 1):
            if of == stream and message is not None:
                await send_callback(EventMessage(message, str(at)))
        return stream


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]), event_store=Kept(), retry_interval=100)
    else:
        server.run()
