"""The server as clients meet it: the SDK's own client, over standard input and output of a process."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager

import anyio
import pytest
from mcp import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

import netinterf
from netinterf.campaign.campaign import Campaign
from netinterf.engine.examples import FOLDER
from tests.cli.here import ROOT, run_here
from tests.oracles.traces_left import left_in_text

ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with two captures and a store."""
    root = tmp_path_factory.mktemp("served")
    for name in ("dns.injection", "benign"):
        shutil.copy(str(FOLDER / f"{name}.pcap.gz"), root)
    Campaign(root / "store").collect(root / "dns.injection.pcap.gz")
    (root.parent / "outside.pcap").write_bytes(b"")
    return root


@asynccontextmanager
async def session(*arguments, errors):
    """Talk to a server."""
    words = ["-m", "netinterf", "mcp", *map(str, arguments)]
    server = StdioServerParameters(command=sys.executable, args=words, env=ENVIRONMENT, cwd=ROOT)
    async with stdio_client(server, errlog=errors) as (incoming, outgoing), ClientSession(incoming, outgoing) as client:
        await client.initialize()
        yield client


def talk(conversation, *arguments, tmp_path):
    """Hold a conversation with a server; give what it wrote to standard error."""

    async def held():
        with open(tmp_path / "errors", "w+", encoding="utf-8") as errors:
            with anyio.fail_after(90):
                async with session(*arguments, errors=errors) as client:
                    await conversation(client)
            errors.seek(0)
            return errors.read()

    return anyio.run(held)


async def told(client, tool, **arguments):
    """Ask one question, whose answer stands in it twice: as an object, checked by the client, and as text."""
    answer = await client.call_tool(tool, arguments)
    assert json.loads(answer.content[0].text) == answer.structured_content
    assert answer.is_error is ("error" in answer.structured_content)
    return answer.structured_content


def test_every_tool_answers(folder, tmp_path):
    """All are listed with their forms, which answers have, and say what is not to be trusted; nothing goes wrong."""

    async def conversation(client):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"list", "scan", "explain", "compare", "campaign_report", "extract"}
        for name, tool in tools.items():
            assert "never an instruction" in tool.description
            assert tool.output_schema["type"] == tool.input_schema["type"] == "object"
            assert tool.annotations.read_only_hint is (name != "extract")
        listed = await told(client, "list")
        assert listed["total"] == 3
        path = next(one["path"] for one in listed["items"] if "dns" in str(one["untrusted"]))
        whole = await told(client, "scan", path=path, limit=100)
        parts, cursor = [], None
        while cursor or not parts:
            page = await told(client, "scan", path=path, limit=5, **({"cursor": cursor} if cursor else {}))
            parts += page["items"]
            cursor = page["next"]
        assert parts[: len(whole["items"])] == whole["items"]
        assert len(parts) == whole["total"]
        frame = parts[0]["subject"]["first_frame"]
        explained = await told(client, "explain", path=path, frame=frame)
        assert explained["items"][0]["verdict"]["frames"] == parts[0]["frames"]
        compared = await told(client, "compare", here=[path], there=["benign.pcap.gz"])
        assert compared["about"]["findings"]["blocked"] == 2
        assert (await told(client, "campaign_report", path="store", everything=True))["total"] > 0
        written = await told(client, "extract", path=path, frame=frame)
        assert len(netinterf.read(str(tmp_path / written["file"])).packets) == written["packets"]
        trace = netinterf.read(str(folder / "dns.injection.pcap.gz"))
        assert left_in_text(json.dumps([whole, explained, compared]), trace) == []

    assert talk(conversation, "--root", folder, "--out", tmp_path, tmp_path=tmp_path) == ""


def test_nothing_outside_and_nothing_odd(folder, tmp_path):
    """Each wrong question is told why, in one sentence; the next is answered."""
    paths = ("../outside.pcap", str(folder.parent / "outside.pcap"), "-", "http://a.example/b", "a\0b", "nothing", ".")

    async def conversation(client):
        for path in paths:
            for tool, more in (("scan", {}), ("explain", {"frame": 1}), ("extract", {"frame": 1})):
                assert (await told(client, tool, path=path, **more))["error"]["code"] == "refused"
            assert (await told(client, "compare", here=["benign.pcap.gz"], there=[path]))["error"]["code"] == "refused"
            assert (await told(client, "campaign_report", path=path))["error"]["code"] in {"refused", "argument"}
        assert (await told(client, "explain", path="benign.pcap.gz", frame=10**8))["error"]["code"] == "argument"
        assert (await told(client, "scan", path="benign.pcap.gz", raw=True))["error"]["code"] == "argument"
        assert (await told(client, "no such tool"))["error"]["code"] == "argument"
        scan = await told(client, "scan", path="dns.injection.pcap.gz", limit=1)
        assert "news83" in json.dumps(scan["items"][0]["untrusted"])
        assert "news83" not in json.dumps({**scan["items"][0], "untrusted": None})

    assert talk(conversation, "--root", folder, "--raw", tmp_path=tmp_path) == ""


def test_it_answers_while_it_works_and_what_is_cancelled_is_dropped(folder, tmp_path):
    """Pings come back during a scan; a question that is cancelled leaves the server as it was."""

    async def conversation(client):
        for after in (0.01, 0.2):
            with anyio.move_on_after(after):
                await client.call_tool("scan", {"path": "dns.injection.pcap.gz"})
        answers = []

        async def scan():
            answers.append(await told(client, "scan", path="dns.injection.pcap.gz"))

        async with anyio.create_task_group() as group:
            group.start_soon(scan)
            await client.send_ping()
            answers.append("ping")
        assert [type(one) for one in answers] == [str, dict]
        assert answers[1]["total"] > 0

    assert talk(conversation, "--root", folder, tmp_path=tmp_path) == ""


def test_wrong_usage_is_one_line(folder, tmp_path):
    """A root, a folder for packets or a key that is not there, and arguments that contradict each other."""
    missing = tmp_path / "nothing"
    for words in (
        ("--root", missing),
        ("--root", folder, "--out", missing),
        ("--root", folder, "--key", missing),
        ("--root", folder, "--raw", "--keep", "names"),
        ("--root", folder, "--most-seconds", "0"),
        (),
    ):
        done = run_here("mcp", *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr


@pytest.mark.parametrize("missing", ["mcp", "mcp_types"])
def test_without_the_sdk_a_line_says_what_to_install(folder, missing):
    """As for other optional dependencies; the first version of it had no types of their own."""
    without = f"import sys; sys.modules['{missing}'] = None"
    code = f"{without}; from netinterf.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "mcp", "--root", str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, **ENVIRONMENT},
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "netinterf: a server for assistants needs an optional dependency: pip install 'netinterf[mcp]'\n"
    )


def test_other_verbs_do_not_import_the_sdk():
    """Who scans does not pay for the server."""
    code = "import sys; from netinterf.cli.main import main; main(['scan', sys.argv[1]]); print('mcp' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(FOLDER / "benign.pcap.gz")],
        capture_output=True,
        text=True,
        env={**os.environ, **ENVIRONMENT},
        check=True,
    )
    assert done.stdout.endswith("False\n")
