"""Who may import whom, and what an import may do: nothing but define things."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = ("labelstudio", "dataprogramming", "modelling")
FOLDERS = ("adaptml", *ROOMS, "portal", "example_data", "tasks")
FACE = "adaptml/__init__.py"  # names what the rooms define, as text and for type checkers, to import it when it is used


def sources(folder: str) -> list[Path]:
    return sorted((REPOSITORY / folder).rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes(tree: ast.AST, *, checking: bool = True) -> Iterator[ast.AST]:
    """Every node; without those that only a type checker reads, where that is asked for."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if checking or not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from nodes(child, checking=checking)
        else:
            for other in child.orelse:
                yield from nodes(other, checking=checking)


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Modules that import statements among the nodes name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def texts(tree: ast.Module) -> Iterator[str]:
    """Modules that are named as text, to be imported later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"^[a-z_]+(?:\.[a-z_]+)+$", node.value)


def visits(path: Path, rooms: set[str]) -> list[str]:
    """Modules of the rooms that a file imports, anywhere in it, or names as text."""
    tree = parsed(path)
    found = [*imported(ast.walk(tree)), *texts(tree)]
    return [name for name in found if name.split(".")[0] in rooms]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_do_not_import_each_other(room: str) -> None:
    files = sources(room)
    others = set(ROOMS) - {room}
    assert files
    assert {named(path): names for path in files if (names := visits(path, others))} == {}


def test_the_foundation_imports_no_room() -> None:
    rooms = {*ROOMS, "portal", "tasks", "example_data"}
    below = [path for path in sources("adaptml") if not named(path).startswith("adaptml/cli/")]
    assert [named(path) for path in below if visits(path, rooms)] == [FACE]
    at_run_time = imported(nodes(parsed(REPOSITORY / FACE), checking=False))
    assert not {module.split(".")[0] for module in at_run_time} & rooms


def test_the_page_imports_a_room_only_where_it_is_asked_in_a_process_of_that_room() -> None:
    """Answers are given by child processes, or by another container; the key's reader is nothing but text."""
    light = {"modelling.app.key"}
    others = [path for path in sources("portal") if not path.name.startswith("answers")]
    found = {named(path): set(visits(path, set(ROOMS))) - light for path in others}
    assert {name: names for name, names in found.items() if names} == {}


def test_only_the_edges_import_the_command_line() -> None:
    """Its own files do, and the rooms' modules in their last lines, which run them as programs."""
    below = [path for folder in ("adaptml", *ROOMS) for path in sources(folder)]
    visitors = [
        named(path)
        for path in below
        if not named(path).startswith(("adaptml/cli/", *EDGES))
        and any(name.startswith("adaptml.cli") for name in imported(outside_main(parsed(path))))
    ]
    assert visitors == []


def outside_main(tree: ast.Module) -> Iterator[ast.AST]:
    for statement in tree.body:
        if not (isinstance(statement, ast.If) and "__main__" in ast.unparse(statement.test)):
            yield from ast.walk(statement)


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = {module_name(path): path for folder in FOLDERS for path in sources(folder)}
    graph = {name: set(needed(path, modules)) & modules.keys() for name, path in modules.items()}
    assert circles(graph) == []


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def needed(path: Path, modules: Collection[str]) -> Iterator[str]:
    """What must be imported before a module is there: what its own statements name, outside functions."""
    for node in top_level(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else node.module or "" for name in inside)


def top_level(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and re.search("TYPE_CHECKING|__main__", ast.unparse(child.test)):
            continue
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from top_level(child)


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules that come back to themselves: what is left when those that need nothing more are taken away."""
    left = dict(graph)
    while done := [name for name, others in left.items() if not others & left.keys()]:
        for name in done:
            del left[name]
    return sorted(left)


def test_the_watch_sees_a_circle() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["a", "b", "c"]


# Where a process begins, its environment and its working folder are asked for; everything below gets a Project.
EDGES = (
    "adaptml/cli/",
    "adaptml/project.py",  # Project() itself
    "adaptml/settings.py",
    "modelling/app/",
    "portal/",
    "adaptml/stack/",  # Compose takes its values from the environment
    "adaptml/user_code.py",  # a person's code: relative paths in it start in its own folder
    "labelstudio/local_server.py",  # a program that runs another
    "modelling/end_model_code.py",  # MLflow runs it, in a process of its own
)
_PROCESS = (
    "os.environ", "os.environb", "os.getenv", "os.putenv", "os.unsetenv", "os.getcwd", "os.chdir", "pathlib.Path.cwd",
    "adaptml.settings.load_settings", "adaptml.settings.project_root",
)  # fmt: skip
# MLflow's other functions read its global address or write the process's environment.
_MLFLOW = (
    "mlflow.entities", "mlflow.environment_variables", "mlflow.exceptions", "mlflow.models", "mlflow.pyfunc.model",
    "mlflow.store.artifact", "mlflow.store.db.utils", "mlflow.tracking.MlflowClient", "mlflow.types",
    "mlflow.utils.mlflow_tags", "mlflow.utils.rest_utils",
)  # fmt: skip


def asks(tree: ast.Module) -> list[str]:
    """Where a module asks for something of the process: `line what`."""
    names = {local: full for node in ast.walk(tree) for local, full in bound(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            used = dotted(node, names)
            if used and (is_in(used, _PROCESS) or is_fluent(used)):
                found.append(f"{node.lineno} {used}")
        elif isinstance(node, ast.Call) and not (node.args or node.keywords):
            if dotted(node.func, names) in ("adaptml.project.Project", "adaptml.Project"):
                found.append(f"{node.lineno} Project()")
        elif isinstance(node, ast.ImportFrom) and node.module == "mlflow":
            found += [f"{node.lineno} mlflow.{a.name}" for a in node.names if is_fluent(f"mlflow.{a.name}")]
    return sorted(set(found))


def bound(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Local names that an import binds, and what each stands for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
    elif isinstance(node, ast.ImportFrom):
        yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """`os.environ` of an expression that means it; empty for what no import bound."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    inner = dotted(node.value, names) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else ""


def is_in(used: str, names: tuple[str, ...]) -> bool:
    return any(used == name or used.startswith(f"{name}.") for name in names)


def is_fluent(used: str) -> bool:
    on_the_way = any(name.startswith(f"{used}.") for name in _MLFLOW)
    return used.startswith("mlflow.") and not on_the_way and not is_in(used, _MLFLOW)


def test_nothing_below_the_edges_asks_for_the_process_s_settings() -> None:
    below = [path for folder in ("adaptml", *ROOMS) for path in sources(folder)]
    found = {named(path): asks(parsed(path)) for path in below if not named(path).startswith(EDGES)}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("import os; HOME = os.environ['HOME']", "os.environ"),
        ("import os as o; HOME = o.getenv('HOME')", "os.getenv"),
        ("from os import environ as e; e.update()", "os.environ.update"),
        ("from pathlib import Path; HERE = Path.cwd()", "pathlib.Path.cwd"),
        ("import pathlib; HERE = pathlib.Path.cwd()", "pathlib.Path.cwd"),
        ("from adaptml.project import Project; P = Project()", "Project()"),
        ("import adaptml; P = adaptml.Project()", "Project()"),
        ("from adaptml import settings; S = settings.load_settings(x)", "adaptml.settings.load_settings"),
        ("import mlflow; mlflow.set_tracking_uri(x)", "mlflow.set_tracking_uri"),
        ("import mlflow.pyfunc; mlflow.pyfunc.load_model(x)", "mlflow.pyfunc.load_model"),
        ("import mlflow.pyfunc; mlflow.pyfunc.save_model(x)", "mlflow.pyfunc.save_model"),
        ("from mlflow import log_metric", "mlflow.log_metric"),
        ("from mlflow.tracking import fluent; fluent.start_run()", "mlflow.tracking.fluent.start_run"),
    ],
)
def test_the_watch_sees_what_asks_for_the_process_s_settings(line: str, what: str) -> None:
    assert f"1 {what}" in asks(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "from adaptml.project import Project; P = Project(folder)",
        "from mlflow.tracking import MlflowClient; C = MlflowClient(uri)",
        "from mlflow.models import Model; Model().save(file)",
        "def path(cwd): return cwd()",
    ],
)
def test_the_watch_lets_the_rest_pass(line: str) -> None:
    assert asks(ast.parse(line)) == []


def run(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints, with nothing of ours or of MLflow's in its environment."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ADAPTML_", "MLFLOW_"))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=REPOSITORY,
        env=kept | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# What a step's own container lacks. The rest of what a step imports may be installed with it.
LEFT_OUT = {
    "adaptml": "numpy pandas sqlalchemy pydantic typer rich yaml torch snorkel mlflow sklearn matplotlib fastapi",
    "adaptml.cli.app": "torch snorkel tensorflow mlflow sklearn matplotlib sqlalchemy fastapi",
    "dataprogramming.label": "torch tensorflow",
    "modelling.serve": "torch snorkel tensorflow simplemma krippendorff kneed matplotlib",
    "labelstudio.sample_tasks": "torch snorkel tensorflow mlflow sklearn matplotlib fastapi",
    "labelstudio.process_annotations": "torch snorkel tensorflow mlflow sklearn matplotlib fastapi",
    "labelstudio.annotator_agreement": "torch snorkel tensorflow mlflow sklearn matplotlib fastapi",
    "portal.start": "torch snorkel tensorflow mlflow sklearn matplotlib dataprogramming labelstudio",
    "adaptml.features.featurize": "torch snorkel tensorflow mlflow matplotlib fastapi",
}


@pytest.mark.parametrize("module", LEFT_OUT)
def test_a_step_does_not_import_what_its_container_lacks(module: str) -> None:
    code = (
        "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps([*sys.modules]))"
    )
    loaded = {name.split(".")[0] for name in json.loads(run(code, module))}
    assert loaded & set(LEFT_OUT[module].split()) == set()


# Libraries are imported first: what they do when they are imported is theirs. Then ours are, and whatever
# one of our files does by itself, with no other import in between, is recorded.
WATCH = """
import contextlib, importlib, json, os, random, sys
import numpy as np
root, libraries, ours = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
for name in libraries:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
seen = []

def record(what):
    frame = sys._getframe(1)
    while frame and "importlib" not in frame.f_code.co_filename:
        path = frame.f_code.co_filename
        # Defining a pydantic model looks for pydantic's own variables: only our own reading counts.
        if what == "environment" and "site-packages" in path:
            return
        if path.startswith(root) and "/.venv/" not in path:
            seen.append(f"{os.path.relpath(path, root)}:{frame.f_lineno} {what}")
            return
        frame = frame.f_back

def watched(original, what):
    def call(*arguments, **options):
        record(what)
        return original(*arguments, **options)
    return call

np.random.default_rng = watched(np.random.default_rng, "numpy.random.default_rng")
type(os.environ).__getitem__ = watched(type(os.environ).__getitem__, "environment")
AUDITED = ("open", "socket.connect", "socket.bind", "sqlite3.connect", "subprocess.Popen", "os.mkdir")
sys.addaudithook(lambda event, _: record(event) if event in AUDITED else None)
states = repr(random.getstate()), repr(np.random.get_state())
for name in ours:
    importlib.import_module(name)
if states != (repr(random.getstate()), repr(np.random.get_state())):
    seen.append("a random number was drawn")
print(json.dumps(seen))
"""


def watch(root: Path, names: list[str], libraries: set[str]) -> list[str]:
    code = f"import sys; sys.path.insert(0, {str(root)!r})\n{WATCH}"
    return json.loads(run(code, str(root), json.dumps(sorted(libraries)), json.dumps(names)))


def test_importing_a_module_reads_nothing_opens_nothing_and_draws_no_random_number() -> None:
    files = [path for folder in FOLDERS for path in sources(folder)]
    names = [".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in files]
    statements = {name for path in files for name in imported(parsed(path).body)}
    libraries = {name for name in statements if name.split(".")[0] not in FOLDERS}
    assert watch(REPOSITORY, [name.removesuffix(".__init__") for name in names], libraries) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("import os; HOME = os.environ.get('HOME')", "environment"),
        ("import os; HOME = os.getenv('HOME')", "environment"),
        ("TEXT = open(__file__).read()", "open"),
        ("import sqlite3; DB = sqlite3.connect(':memory:')", "sqlite3.connect"),
        ("import numpy as np; R = np.random.default_rng()", "numpy.random.default_rng"),
    ],
)
def test_the_watch_sees_work_at_import(line: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "careless.py").write_text(line)
    assert watch(tmp_path, ["careless"], set()) == [f"careless.py:1 {what}"]


def test_the_watch_sees_a_random_number(tmp_path: Path) -> None:
    (tmp_path / "careless.py").write_text("import random; R = random.random()")
    assert watch(tmp_path, ["careless"], set()) == ["a random number was drawn"]
