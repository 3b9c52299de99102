"""The server: the Model Context Protocol on standard input and output, by its official SDK.

Nothing else is written to standard output: while it serves, the SDK keeps that for itself. Questions are answered by
a `Worker` one after the other, so that messages of the protocol are answered meanwhile.
"""

from typing import TYPE_CHECKING, Any

from netinterf.assistants.root import Root
from netinterf.assistants.setting import Setting
from netinterf.assistants.tools import INSTRUCTIONS, TOOLS, Tool
from netinterf.assistants.worker import Worker
from netinterf.errors import MissingExtra
from netinterf.version import __version__
from netinterf.writing import dump

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

__all__ = ["serve"]


def serve(setting: Setting) -> None:
    """Serve until standard input is closed.

    Raises:
        MissingExtra: The SDK is not installed, or too old.
        ParameterError: There is no folder to serve.
    """
    worker = Worker(setting)
    try:
        import anyio
        from mcp.server.stdio import stdio_server

        server = built(setting, worker)
    except ImportError:  # also of an SDK before version 2
        raise MissingExtra("a server for assistants", "mcp") from None
    Root(setting.root)  # which complains now, not when the first question comes

    async def run() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    try:
        anyio.run(run)
    finally:
        worker.end()


def built(setting: Setting, worker: Worker) -> "Server[Any]":
    """Build the server of the SDK around a worker."""
    from anyio import Lock
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, TextContent

    turn = Lock()

    async def on_list(_: Any, __: Any) -> ListToolsResult:
        return ListToolsResult(tools=[described(name, tool) for name, tool in TOOLS.items()])

    async def on_call(_: Any, call: CallToolRequestParams) -> CallToolResult:
        async with turn:
            answer = await answered(worker, call.name, call.arguments or {}, setting.most_seconds)
        text = TextContent(type="text", text=dump(answer))
        return CallToolResult(content=[text], structured_content=answer, is_error="error" in answer)

    return Server(
        "netinterf",
        title="netinterf: who interferes with traffic",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=on_list,
        on_call_tool=on_call,
    )


async def answered(worker: Worker, name: str, arguments: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Have a question answered in a thread that waits for the worker; who asks no more, or for too long, ends it."""
    from anyio import move_on_after
    from anyio.to_thread import run_sync

    from netinterf.assistants.desk import refusal

    answer: dict[str, Any] | None = None
    try:
        await run_sync(worker.begin)  # which is soon done, and never left half done
        with move_on_after(seconds):
            answer = await run_sync(worker.answer, name, arguments, abandon_on_cancel=True)
    finally:
        if answer is None:
            worker.end()
    return answer or refusal("time", f"this took longer than {seconds:g} s, and was stopped (--most-seconds)")


def described(name: str, tool: Tool) -> Any:
    """Describe a tool in the words of the protocol."""
    from mcp_types import Tool as Described
    from mcp_types import ToolAnnotations

    hints = ToolAnnotations(
        read_only_hint=not tool.writes, destructive_hint=False, idempotent_hint=not tool.writes, open_world_hint=False
    )
    return Described(
        name=name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        output_schema=tool.answer,
        annotations=hints,
    )
