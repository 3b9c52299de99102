"""The shape of the library, read from its own source: layers, names, sizes, silence."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import netinterf

PACKAGE = Path(netinterf.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

LEVEL = {
    "arrays": -1,
    "errors": -1,
    "compiled": -1,
    "values": -1,
    "version": 0,
    "mechanisms": 0,
    "workers": 0,
    "pieces": 0,
    "writing": 0,
    "notebook": 0.2,
    "arrow": 0,
    "columns": 0.5,
    "table": 1,
    "numbering": 1.5,
    "stats": 2,
    "schema": 2,
    "capture": 3,
    "protocols": 3,
    "decode": 4,
    "flows": 4,
    "context": 4,
    "recording": 4.5,  # of conversations, and read with the trace
    "trace": 5,
    "transform": 5,  # beside it: other recordings of the same traffic, which need not be looked at
    "attribute": 5.5,  # what is known of boxes, which resets are held against as well
    "analyzers": 6,
    "anomaly": 6,  # beside them: it reads traces and gives no evidence
    "verdict": 7,
    "written": 7.5,  # what was concluded, in words and lines
    "observations": 7.6,  # what was tried in captures, in rows that add up
    "pooling": 7.7,  # what such rows show together
    "comparison": 8,
    "privacy": 8,
    "ooni": 8.5,  # measurements in the terms of a comparison
    "report.figures": 8,  # drawn from traces and verdicts, for those who hold a result as well
    "filters": 8,  # what parts forged packets from those of hosts
    "engine": 9,
    "campaign": 9.5,
    "report": 10,
    "export": 10,
    "assistants": 10.5,  # beside the command: who asks is a model, and what it is told is made for it
    "cli": 11,
    "__main__": 12,
    "__init__": 12,
}
SIDE = {"simulate": 3, "bridge": 2}  # side rooms: the highest level that they may import
DOOR = {  # all that the simulator, a distribution of its own in all but name, needs of the library
    "netinterf.arrays",
    "netinterf.capture",
    "netinterf.errors",
    "netinterf.protocols.quic_initial",
    "netinterf.table",
    "netinterf.values",
    "netinterf.writing",
}
HOMES = {  # foreign packages, and the only rooms that may import them
    "scapy": {"bridge"},
    "pyarrow": {"arrow"},
    "distributed": {"campaign"},
    "maxminddb": {"context"},
    "cryptography": {"protocols", "simulate"},
    "argparse": {"cli"},
    "rich": {"cli"},
    "ctypes": {"compiled"},
    "shtab": {"cli"},
    "mcp": {"assistants"},
    "mcp_types": {"assistants"},
    "anyio": {"assistants"},
}


def room(path: Path) -> str:
    """Name the room that a file belongs to."""
    return room_of([part.removesuffix(".py") for part in path.relative_to(PACKAGE).parts])


def room_of(parts: list[str]) -> str:
    """Name the top folder or module of a path, or a folder in it that has a level of its own."""
    inner = ".".join(parts[:2])
    return inner if inner in LEVEL else parts[0]


@cache
def parsed(path: Path) -> ast.Module:
    """Read a module, once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """List what a file imports, and whether it does so when it is imported itself."""
    found: list[tuple[str, bool]] = []

    def visit(node: ast.AST, at_import: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            if isinstance(child, ast.Import):
                found.extend((alias.name, at_import) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}: relative import"
                found.append((child.module or "", at_import))
            if not typing_only:
                visit(child, at_import and not inside)

    visit(parsed(path), True)
    return found


ROOMS: dict[str, list[Path]] = {}
for path in MODULES:
    ROOMS.setdefault(room(path), []).append(path)
each_room = pytest.mark.parametrize("paths", ROOMS.values(), ids=ROOMS)


def own(name: str) -> str | None:
    """Name the room that an import leads to, or None for a foreign package."""
    parts = name.split(".")
    return None if parts[0] != "netinterf" else (room_of(parts[1:]) if len(parts) > 1 else "__init__")


@each_room
def test_imports_point_down(paths: list[Path]) -> None:
    """A module imports only rooms below its own, and none beside it."""
    for path in paths:
        here = room(path)
        for name, _ in imports(path):
            there = own(name)
            if there is None or there == here or here in {"__init__", "__main__"}:
                continue
            if here in SIDE:
                assert there not in SIDE or there == "bridge"
                assert LEVEL.get(there, 0) <= SIDE[here], f"{path}: imports {name}"
            else:
                assert there not in SIDE or there == "bridge" or here == "cli", f"{path}: imports {name}"
                assert LEVEL.get(there, SIDE.get(there, 0)) < LEVEL[here], f"{path}: imports {name}"


@each_room
def test_value_classes_are_completed_when_used(paths: list[Path]) -> None:
    """No class has methods compiled while the library is imported: all are declared with `netinterf.values`."""
    for path in paths:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                foreign = [ast.unparse(decorator) for decorator in node.decorator_list]
                assert not [word for word in foreign if word.startswith("attrs.")], f"{path}: {node.name}"


def test_the_simulator_has_a_narrow_door() -> None:
    """It takes these from the library, and nothing but the command line takes anything from it."""
    taken = {name for path in ROOMS["simulate"] for name, _ in imports(path) if own(name) not in {None, "simulate"}}
    assert taken == DOOR
    takers = {room(path) for path in MODULES if any(own(name) == "simulate" for name, _ in imports(path))}
    assert takers == {"simulate", "cli"}


@each_room
def test_foreign_packages_have_one_home(paths: list[Path]) -> None:
    """Optional and heavy packages are imported only where the design puts them, and never at import time."""
    for path in paths:
        for name, at_import in imports(path):
            top = name.split(".")[0]
            if top in HOMES:
                assert room(path) in HOMES[top], f"{path}: imports {name}"
                assert top == "argparse" or not at_import, f"{path}: imports {name} at import time"
            if name.startswith("scipy.stats"):
                assert not at_import, f"{path}: imports scipy.stats at import time"


@each_room
def test_modules_hold_one_idea(paths: list[Path]) -> None:
    """A module has a docstring, says what is public, stays below 400 lines, and its name has no underscore."""
    for path in paths:
        source = path.read_text(encoding="utf-8")
        tree = parsed(path)
        assert ast.get_docstring(tree), f"{path}: no docstring"
        assert len(source.splitlines()) <= 400, f"{path}: {len(source.splitlines())} lines"
        if not path.name.startswith("__"):
            assert not path.name.startswith("_")
            assert "__all__" in source, f"{path}: no __all__"


@each_room
def test_the_library_is_silent(paths: list[Path]) -> None:
    """Nothing prints, and nothing configures logging."""
    for path in paths:
        if room(path) in {"cli", "__main__"}:
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called != "print", f"{path}:{node.lineno} prints"
                assert called not in {"logging.basicConfig", "warnings.simplefilter"}, f"{path}:{node.lineno}"


def test_certificates_cost_nothing_where_none_is_met() -> None:
    """A scan without TLS and QUIC does not import what reads certificates."""
    code = "import sys, netinterf as n; n.analyze(n.example('dns.injection')); print('cryptography' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "False"


def test_a_scan_into_a_pipe_lays_out_no_screen() -> None:
    """The command imports what terminals need on a terminal alone, and neither what reads certificates nor scapy."""
    code = "import sys; from netinterf.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", code, "scan", str(PACKAGE / "data" / "examples" / "dns.injection.pcap.gz")]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split()
    assert not {"rich", "cryptography", "scapy"} & set(loaded)


def test_functions_fit_a_screen() -> None:
    """No function is longer than 60 lines, docstring aside."""
    long = []
    for path in MODULES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                if lines > 60:
                    long.append(f"{path.relative_to(PACKAGE)}:{node.name} ({lines})")
    assert long == []


def test_import_is_light() -> None:
    """Importing the package loads neither scapy nor scipy nor a module of ours that does work."""
    code = "import sys, netinterf; print([m for m in sys.modules if m.split('.')[0] in ('scapy', 'scipy', 'attr')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "scapy" not in done.stdout
    assert "scipy" not in done.stdout


def test_public_names_resolve() -> None:
    """Every public name exists."""
    for name in netinterf.__all__:
        assert getattr(netinterf, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as in any module."""
    with pytest.raises(AttributeError, match="no attribute 'scann'"):
        netinterf.scann  # noqa: B018


def test_no_module_needs_itself() -> None:
    """There is no circle of imports, not even one for the sake of types."""
    known = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
             for path in MODULES}  # fmt: skip
    needs = {name: {one for one in named(path) if one in known and one != name} for name, path in known.items()}
    left = dict(needs)
    while free := [name for name, wanted in left.items() if not wanted & left.keys()]:
        for name in free:
            del left[name]
    assert sorted(left) == []


def named(path: Path) -> set[str]:
    """List the modules that a file names in imports, wherever they stand in it."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {one if is_module(one) else node.module for one in members}
    return found


def is_module(name: str) -> bool:
    """Say whether a dotted name is a module of ours."""
    place = PACKAGE.parent.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


SHARED = {
    "base",
    "check",
    "contrast",
    "forgery",
    "registry",
    "run",
    "sides",
    "signs",
    "unanswered",
    "vocabulary",
    "wire",
}


@pytest.mark.parametrize("path", sorted((PACKAGE / "analyzers").rglob("*.py")), ids=lambda path: path.stem)
def test_analyzers_read_traces_only(path: Path) -> None:
    """An analyzer sees the tables of a trace: never capture, decoder or verdict, and never another analyzer."""
    inside = path.relative_to(PACKAGE / "analyzers").parts[0].removesuffix(".py")
    if inside in {"registry", "run"}:
        return
    for name, _ in imports(path):
        parts = name.split(".")
        assert parts[:2] not in (["netinterf", "capture"], ["netinterf", "decode"], ["netinterf", "verdict"]), name
        if parts[:2] == ["netinterf", "analyzers"] and len(parts) > 2:
            assert parts[2] in SHARED | {inside}, name
