"""Who may import whom, and what an import may do: nothing but define things."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = ("labelstudio", "dataprogramming", "modelling")
# The two that name the steps of other rooms, as text, to import them when they are asked for.
LAZY = {"adaptml/cli.py", "adaptml/task_commands.py"}


def sources(folder: str) -> list[Path]:
    return sorted((REPOSITORY / folder).rglob("*.py"))


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Modules that import statements among the nodes name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def visits(path: Path, rooms: set[str]) -> list[str]:
    """Modules of the rooms that a file imports, anywhere in it, or names as text."""
    nodes = list(ast.walk(parsed(path)))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    named = [text for text in texts if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", text)]
    return [name for name in [*imported(nodes), *named] if name.split(".")[0] in rooms]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_do_not_import_each_other(room: str) -> None:
    files = sources(room)
    others = set(ROOMS) - {room}
    assert files
    assert {str(path): names for path in files if (names := visits(path, others))} == {}


def test_the_foundation_imports_no_room_except_by_name_when_a_step_is_asked_for() -> None:
    rooms = {*ROOMS, "tasks", "example_data"}
    visiting = {p.relative_to(REPOSITORY).as_posix() for p in sources("adaptml") if visits(p, rooms)}
    assert visiting == LAZY
    for name in LAZY:
        statements = imported(ast.walk(parsed(REPOSITORY / name)))
        assert not {module.split(".")[0] for module in statements} & rooms


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
    "adaptml.cli": "torch snorkel tensorflow mlflow sklearn matplotlib sqlalchemy fastapi",
    "modelling.serve": "torch snorkel tensorflow simplemma krippendorff kneed matplotlib",
    "labelstudio.sample_tasks": "torch snorkel tensorflow mlflow sklearn matplotlib fastapi",
    "labelstudio.process_annotations": "torch snorkel tensorflow mlflow sklearn matplotlib fastapi",
    "labelstudio.annotator_agreement": "torch snorkel tensorflow mlflow sklearn matplotlib fastapi",
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
    folders = ("adaptml", *ROOMS, "example_data", "tasks")
    files = [path for folder in folders for path in sources(folder)]
    names = [".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in files]
    statements = {name for path in files for name in imported(parsed(path).body)}
    libraries = {name for name in statements if name.split(".")[0] not in folders}
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
