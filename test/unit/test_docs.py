"""The documents name everything that users can name, and what they show is what happens."""

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
import yaml
from typer.core import TyperGroup
from typer.testing import CliRunner

from adaptml.cli.app import STEPS, app
from adaptml.features.encoders import list_encoders
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.settings_text import variable
from dataprogramming.label_models.registry import config_fields, label_models
from dataprogramming.lfs import declared_parameters, load_lfs
from dataprogramming.reserved import reserved_names
from modelling.algorithms import algorithms

REPOSITORY = Path(__file__).resolve().parents[2]
RUNNING = REPOSITORY / "docs" / "running.md"
DOCUMENTS = [*sorted(REPOSITORY.glob("*.md")), REPOSITORY / "test" / "README.md"]
README, USAGE = ((REPOSITORY / name).read_text(encoding="utf-8") for name in ("README.md", "usage.md"))
BOTH = README + USAGE
SHELL = ("sh", "console")
USAGE_ERROR = typer.BadParameter.__mro__[1]  # what the parser raises; Typer has no public name for it


def make_targets() -> list[str]:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    return re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)


def error_codes() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "modelling" / "app").glob("*.py")]
    return {
        code for text in sources for code in re.findall(r'ApiError\(\s*[45]\d\d,\s*"([a-z_]+)"', text)
    } | set(re.findall(r'[45]\d\d: "([a-z_]+)"', "".join(sources)))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_table_of_settings(name: str) -> None:
    assert f"| `{variable(name)}` |" in USAGE


@pytest.mark.parametrize("name", STEPS)
def test_every_command_is_in_the_table_of_commands(name: str) -> None:
    assert f"| `adaptml {name}` |" in USAGE


@pytest.mark.parametrize("name", make_targets())
def test_every_make_target_is_mentioned(name: str) -> None:
    assert f"`make {name}`" in BOTH or f"\nmake {name}\n" in BOTH


@pytest.mark.parametrize("name", [*label_models(), *algorithms(), *list_encoders(), *sorted(error_codes())])
def test_everything_that_can_be_named_is_mentioned(name: str) -> None:
    assert f"`{name}`" in USAGE


def test_the_service_has_error_codes() -> None:
    assert {"unknown_data_points", "unknown_path", "invalid_request"} <= error_codes()


PAGES = sorted((REPOSITORY / "docs").glob("*.md"))


@pytest.mark.parametrize("document", [*DOCUMENTS, *PAGES], ids=lambda path: path.name)
def test_links_and_pictures_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    missing = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, heading = target.partition("#")
        if "://" in target:
            continue
        linked = document.parent / file if file else document
        if not linked.exists() or (heading and heading not in headings(linked)):
            missing.append(target)
    assert missing == []


def test_the_contents_of_usage_name_every_chapter_in_order() -> None:
    text = (REPOSITORY / "usage.md").read_text(encoding="utf-8")
    chapters = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert re.findall(r"^- \[(.+)\]\(#", text.partition("\n## ")[0], re.MULTILINE) == chapters


def test_the_text_beside_the_example_s_pictures_names_each_of_their_parts() -> None:
    panels = (REPOSITORY / "graphics" / "example_panels.py").read_text(encoding="utf-8")
    drawn = re.findall(r'Panel\("(\d[a-z])"', panels)
    assert len(drawn) > 20
    assert re.findall(r"\*\*(\d[a-z])\*\*", USAGE) == drawn


def headings(document: Path) -> set[str]:
    """The anchors of a document as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def test_no_package_index_is_named() -> None:
    hosts = re.compile(r"\b(pypi|pythonhosted|anaconda|npmjs|download\.pytorch)\.(org|com)\b")
    requirements = sorted((REPOSITORY / "requirements").glob("*"))
    files = [*DOCUMENTS, *requirements, REPOSITORY / "Makefile", REPOSITORY / "pyproject.toml"]
    assert [path.name for path in files if hosts.search(path.read_text(encoding="utf-8"))] == []


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Fenced blocks: what stands after the fence, and the lines inside."""
    yield from re.findall(r"^```(.*?)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(kind: str, body: str) -> Iterator[str]:
    """Commands of a shell block, one a line; of a console block, the lines after `$ `."""
    for line in body.replace("\\\n", " ").splitlines():
        if kind == "sh" or line.startswith("$ "):
            yield line.removeprefix("$ ")


SHOWN = [
    pytest.param(words, id=f"{path.name}: {' '.join(words)[:80]}")
    for path in [*DOCUMENTS, RUNNING]
    for kind, body in blocks(path.read_text(encoding="utf-8"))
    if kind.split(" ")[0] in SHELL
    for command in commands(kind.split(" ")[0], body)
    if (words := shlex.split(command, comments=True))
]


@pytest.mark.parametrize("words", SHOWN)
def test_a_command_that_is_shown_exists(words: list[str], repository_tasks: Path) -> None:
    check = CHECKS.get(words[0].removeprefix(".venv/bin/"))
    assert check is not None, f"no check for {words[0]}; add one or show another command"
    check(words[1:])


EXAMPLES = [
    example
    for path in sorted((REPOSITORY / "adaptml").glob("*/*.py"))
    for example in re.findall(r"^ +Example: `(adaptml .*)`$", path.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_in_a_command_s_help_is_one_of_its_orders(example: str, repository_tasks: Path) -> None:
    check_adaptml(shlex.split(example)[1:])


def test_the_steps_have_examples() -> None:
    assert {example.split()[1] for example in EXAMPLES} >= {"label", "train", "featurize", "annotate", "task"}


def check_adaptml(words: list[str]) -> None:
    """Its own parser takes the arguments: names, options, types, choices."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("adaptml", [], resilient_parsing=True)
    name, command, rest = group.resolve_command(context, list(words))
    if isinstance(command, TyperGroup):
        if not rest:  # `adaptml jobs`
            assert command.invoke_without_command
            return
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        name, command, rest = command.resolve_command(inner, rest)
    assert command is not None, f"no command {shlex.join(words)}"
    parsed = command.make_context(name, list(rest), parent=context)
    if words[:2] == ["jobs", "start"]:  # takes the words of another command
        check_adaptml(parsed.args)
    elif (
        parsed.args
    ):  # `label` takes parameters of label models and the task's get_lfs, `train` its algorithm's
        options = {word.partition("=")[0][2:].replace("-", "_") for word in parsed.args if word[:2] == "--"}
        known = (
            algorithm_parameters(parsed.params["algorithm"] or "logistic_regression")
            if "algorithm" in parsed.params
            else set(declared_parameters(Project().task(parsed.params["task"]))) | config_fields()
        )
        assert options <= known, f"{options - known} is no option"


def algorithm_parameters(name: str) -> set[str]:
    return {*algorithms()[name]().get_params(), *algorithms()[name].options_of_before}


def check_make(words: list[str]) -> None:
    targets = [word for word in words if "=" not in word]
    assert targets
    assert set(targets) <= set(make_targets())


def check_pip(words: list[str]) -> None:
    """`pip install`: the requirements that are named exist."""
    named = [words[i + 1] for i, word in enumerate(words) if word in ("-r", "-e")]
    assert words[0] == "install"
    assert named
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def check_python(words: list[str]) -> None:
    if words[0] == "-m":
        assert words[1] == "pytest" or find_spec(words[1]) is not None
    else:
        assert (REPOSITORY / words[0]).is_file()


def check_mlflow(words: list[str]) -> None:
    """A project's entry point and parameters stand in its MLproject; LFs may declare more."""
    if words[0] != "run":
        import mlflow.cli

        command = mlflow.cli.cli.commands[words[0]]
        for name in words[1:2] if hasattr(command, "commands") else ():
            command, words = command.commands[name], words[1:]
        command.make_context(words[0], words[1:])
        return
    project = yaml.safe_load((REPOSITORY / words[1] / "MLproject").read_text(encoding="utf-8"))
    entry = project["entry_points"][words[words.index("-e") + 1]]
    given = dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "-P")
    required = {name for name, kind in entry["parameters"].items() if kind == "string"}
    if words[1] == "modelling":
        declared = algorithm_parameters(words[words.index("-e") + 1])
        declared |= {"test_data", "setting", "features", "gold", "combine", "labels", "seed"}
    else:
        declared = set(declared_parameters(Project().task(given["task"]))) if "task" in required else set()
        declared |= reserved_names()  # MLflow hands on what an entry point does not name
    assert required <= set(given) <= set(entry["parameters"]) | declared


def check_eval(words: list[str]) -> None:
    """`eval "$(adaptml settings --export)"`: what is inside is a command."""
    check_adaptml(shlex.split(words[0].removeprefix("$(").removesuffix(")"))[1:])


def check_export(words: list[str]) -> None:
    name, _, value = words[0].partition("=")
    assert name in {variable(field) for field in Settings.model_fields}
    if value.startswith("$("):
        check_adaptml(shlex.split(value[2:-1])[1:])


def test_the_jobs_of_continuous_integration_run_what_there_is() -> None:
    """The file parses, each job runs something, and what it makes is a target, a stamp or a file of the Makefile."""
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    made = {
        job: [step["run"].split()[1] for step in body["steps"] if step.get("run", "").startswith("make ")]
        for job, body in workflow["jobs"].items()
    }
    names = {name for job in made.values() for name in job}
    assert all(re.search(f"^{re.escape(name)}:", makefile, re.MULTILINE) for name in names)
    assert made["test"] == ["test"]
    assert made["audit"] == ["audit"]
    assert made["stack"][-1] == "test-stack"
    assert made["macos"] == ["demo"]
    assert workflow["jobs"]["macos"]["runs-on"].startswith("macos-")


def test_every_python_that_is_promised_is_tested() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    tested = [
        next(
            step["with"]["python-version"]
            for step in jobs["test"]["steps"]
            if "with" in step and "cache" in step["with"]
        ),
        *jobs["python"]["strategy"]["matrix"]["python"],
    ]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={tested[0]}"
    assert [one.rpartition(" :: ")[2] for one in project["classifiers"]] == tested
    assert f"Python {', '.join(tested[:-1])} or {tested[-1]}" in README


def test_continuous_integration_runs_no_action_that_its_author_can_exchange() -> None:
    """A tag can be moved; a commit cannot."""
    text = (REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", one)] == []


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "adaptml": check_adaptml,
    "make": check_make,
    "pip": check_pip,
    "python": check_python,
    "mlflow": check_mlflow,
    "export": check_export,
    "eval": check_eval,
    "source": lambda words: None,
    "curl": lambda words: None,
}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("fetch", "(?i)no (such )?command"),
        ("task make", "(?i)no (such )?command"),
        ("serve --color", "No such option: --color"),
        ("sample-tasks example --data t --n x", "valid integer"),
        ("sample-tasks t c 3 example", "adaptml sample-tasks example --data t --n 3"),
        ("train example", "Missing parameter: data"),
        ("label example --data f --max-wrods 3", "max_wrods"),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(wrong: str, message: str, repository_tasks: Path) -> None:
    with pytest.raises((AssertionError, USAGE_ERROR), match=message):
        check_adaptml(shlex.split(wrong))


@pytest.mark.parametrize("text", [README, USAGE], ids=["README", "usage"])
def test_output_that_is_shown_is_what_the_commands_print(
    text: str, clean_room: Path, repository_tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks marked `console run` are run in their order in one project; `…` stands for any lines."""
    monkeypatch.setenv("ADAPTML_TASKS_DIR", str(room_with_tasks(clean_room, repository_tasks)))
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("ADAPTML_HOME", str(clean_room / "workspace"))
    for kind, body in blocks(text):
        if kind != "console run":
            continue
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            done = CliRunner().invoke(app, shlex.split(command)[1:])
            printed = done.output.replace(f"{clean_room}/", "")
            pattern = ".*".join(re.escape(piece) for piece in shown.split("…\n"))
            assert re.fullmatch(pattern, printed, re.DOTALL), f"{command}\n{printed}"


def room_with_tasks(room: Path, tasks: Path) -> Path:
    """A folder of task folders beside what the steps write: the shipped ones, and room for new ones."""
    folder = room / "tasks"
    folder.mkdir(exist_ok=True)
    for path in tasks.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def test_the_task_that_is_shown_is_the_one_that_ships_and_its_functions_load(clean_room: Path) -> None:
    shown = {kind: body for kind, body in blocks(USAGE) if "\nclasses:" in body or "def get_lfs" in body}
    assert shown["yaml"] == (REPOSITORY / "tasks" / "youtube_spam" / "task.yaml").read_text(encoding="utf-8")
    folder = clean_room / "tasks" / "shown"
    folder.mkdir()
    (folder / "task.yaml").write_text(shown["yaml"])
    (folder / "lfs.py").write_text(shown["python"])
    assert [lf.name for lf in load_lfs(Project().task("shown"), {"max_words": "5"})] == ["subscribe", "short"]


def test_the_preprocessor_and_the_resource_that_are_shown_vote_and_vote_anew(clean_room: Path) -> None:
    shown = next(body for kind, body in blocks(USAGE) if "@preprocessor" in body)
    folder = clean_room / "tasks" / "shown"
    folder.mkdir()
    (folder / "task.yaml").write_text(next(body for kind, body in blocks(USAGE) if kind == "yaml"))
    code = f"{shown}\n\ndef get_lfs(params):\n    return [shouts, names_a_singer]\n"
    (folder / "lfs.py").write_text(code)
    (folder / "singers.txt").write_text("shakira\n")
    texts = ["BUY THIS http://a.example/b", "I love Shakira", "best of Adele", None]
    with Project() as project:
        table = pd.DataFrame({"id": list("abcd"), "txt": texts, "txt_clean_lemma": [["x"]] * 4})
        project.import_table(table, "posts")

        def votes() -> tuple[list[int], list[int], int]:
            found = project.apply_lfs("shown", "posts")
            return (
                *(found.frame[name].tolist() for name in ("shouts", "names_a_singer")),
                found.reuse.computed,
            )

        assert votes() == ([1, -1, -1, -1], [-1, 0, -1, -1], 8)
        assert votes()[2] == 0
        (folder / "singers.txt").write_text("adele\n")
        assert votes() == ([1, -1, -1, -1], [-1, -1, 0, -1], 4)
        (folder / "lfs.py").write_text(code.replace("https?", "ftp"))
        assert votes() == ([-1, -1, -1, -1], [-1, -1, 0, -1], 8)


def test_the_rules_on_pictures_that_are_shown_are_those_of_the_task() -> None:
    rules = (REPOSITORY / "tasks" / "signs" / "lfs.py").read_text(encoding="utf-8")
    task = (REPOSITORY / "tasks" / "signs" / "task.yaml").read_text(encoding="utf-8")
    section = USAGE.partition("### What is in a picture\n")[2].partition("\n### ")[0]
    lines = [line.strip() for _, body in blocks(section) for line in body.splitlines() if "sign_" in line]
    shown = [line for line in lines if not line.startswith("5 rows of signs")]
    assert len(shown) == 6
    assert [line for line in shown if line not in rules + task] == []
