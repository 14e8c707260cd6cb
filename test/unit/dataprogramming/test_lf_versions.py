"""Versions of labelling functions: what a run keeps of them, how runs are listed and compared."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.cli.lfs import COMMAND_OPTIONS, command
from adaptml.cli.support import command_app
from adaptml.errors import TaskError, TrackingError
from adaptml.example import example_project
from adaptml.frames import KEYS, write_frame
from adaptml.project import Project
from adaptml.runs.artifacts import LFS, TRAINING_DATA, VOTES
from adaptml.tasks import Task
from dataprogramming import moved_labels as moved_labels_module
from dataprogramming.fingerprints import fingerprints
from dataprogramming.lf_sources import MOST_CHARS
from dataprogramming.lf_versions import LFVersion, changes_between, lf_versions, read_versions, write_versions
from dataprogramming.lfs import load_lfs
from dataprogramming.moved_labels import moved_labels

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint:UserWarning"),
    pytest.mark.filterwarnings("ignore:Operation with range is deprecated"),
]

LFS_FILE = """
import re, time
from helpers import clean
from dataprogramming.lfs import keyword_lf
from snorkel.labeling import LabelingFunction, labeling_function
LONG = {"b", "a"}
class Finder:
    words = ("x",)
    def __init__(self): self.low = 2
    def __call__(self, text): return len(text) > self.low and text not in self.words
FIND = Finder()
def get_lfs(params):
    dog = params.labels.dog
    @labeling_function()
    def long(x):
        return dog if len(clean(x.txt)) > 2 and x.txt not in LONG else None
    @labeling_function()
    def late(x):
        return dog if time.time() > 5 and FIND(x.txt) else None
    found = re.compile("a+")
    return [
        keyword_lf("cats", ["purr", "hiss"], params.labels.cat, "tokens"), long, late,
        LabelingFunction("found", lambda x: "cat" if found.search(x.txt) else None),
    ]
"""
HELPERS = 'EMPTY = ""\ndef clean(text):\n    return text.replace("<b>", EMPTY)\n'


USAGE = (Path(__file__).resolve().parents[3] / "usage.md").read_text(encoding="utf-8")
OF_USAGE = """from adaptml import keyword_lf, labeling_function

LINKS = ["www.", "Check"]


def get_lfs(params):
    @labeling_function
    def link(x):
        return "spam" if any(sign in x.text for sign in LINKS) else None

    return [
        keyword_lf("check_out", ["check out"], "spam", "tokens"),
        link,
        keyword_lf("praise", ["love", "good", "favourite"], "ham", "tokens"),
        keyword_lf("song", ["song", "voice"], "ham", "tokens"),
    ]
"""
WIN = 'link,\n        keyword_lf("win", ["win"], "spam", "tokens"),\n'


def versions(pets: Project) -> dict[str, LFVersion]:
    task = pets.task("pets")
    lfs = load_lfs(task)
    made = lf_versions(lfs, fingerprints(lfs, task.labels, task.folder), task.folder)
    return {version.name: version for version in made}


def edit(pets: Project, *pairs: str) -> None:
    path = pets.settings.tasks_dir / "pets" / "lfs.py"
    text = path.read_text()
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture
def own(pets: Project) -> Project:
    """The project with rules that refer to much."""
    folder = pets.settings.tasks_dir / "pets"
    (folder / "lfs.py").write_text(LFS_FILE)
    (folder / "helpers.py").write_text(HELPERS)
    return pets


def test_what_is_kept_of_a_labelling_function(own: Project, tmp_path: Path) -> None:
    found = versions(own)
    cats, long, late, lambda_ = found.values()
    assert (cats.kind, cats.file, cats.uses) == ("keywords", None, {})
    assert cats.source == "label: cat\ncolumn: tokens\nkeywords:\n  hiss\n  purr\n"
    assert (long.kind, long.file, long.line) == ("function", "lfs.py", 14)
    assert long.source == (
        "@labeling_function()\ndef long(x):\n    return dog if len(clean(x.txt)) > 2 and x.txt not in LONG else None\n"
    )
    assert long.uses == {
        "LONG": "'a'\n'b'\n",
        "dog": "dog\n",
        "clean": 'def clean(text):\n    return text.replace("<b>", EMPTY)\n',
        "EMPTY": "''\n",
    }
    assert late.digest is None
    assert late.reason == "it uses time.time, which asks the clock"
    assert late.uses["Finder"].startswith("class Finder:\n    words = ")
    assert late.uses["Finder.low"] == "2\n"
    assert lambda_.uses == {"found": "re.compile('a+')\n"}
    assert read_versions(write_versions([*found.values()], tmp_path / "lfs.json")) == [*found.values()]


def test_a_long_text_is_cut_and_kept_once(own: Project, tmp_path: Path) -> None:
    edit(
        own,
        '{"b", "a"}',
        'tuple(f"{i:04}" for i in range(9999))',
        '"cat" if found',
        '"cat" if x.txt in LONG and found',
    )
    found = versions(own)
    text = found["long"].uses["LONG"]
    assert text == found["found"].uses["LONG"]
    assert text[MOST_CHARS:] == f"\n… and {9999 * 7 - MOST_CHARS} characters more\n"
    path = write_versions([*found.values()], tmp_path / "lfs.json")
    assert path.read_text().count("0998") == 1


@pytest.mark.parametrize(
    "text", ["", "{}", '{"texts": [], "lfs": [{}]}', '{"texts": [], "lfs": [{"uses": {"a": 3}}]}']
)
def test_a_file_of_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "lfs.json").write_text(text)
    with pytest.raises(TrackingError, match=r"lfs\.json holds no versions of labelling functions"):
        read_versions(tmp_path / "lfs.json")


def made(name: str, digest: str | None, source: str = "", **uses: str) -> LFVersion:
    return LFVersion(name, digest, "", "function", source, uses=uses)


def test_what_changed_between_two_lists() -> None:
    before = [
        made("same", "1"),
        made("gone", "2"),
        made("edited", "3"),
        made("old", "4"),
        made("unsure", None, "a", W="1"),
    ]
    after = [
        made("new", "5"),
        made("edited", "6"),
        made("young", "4"),
        made("same", "1"),
        made("unsure", None, "a", W="2"),
    ]
    assert [(change.kind, change.name) for change in changes_between(before, after)] == [
        ("added", "new"), ("changed", "edited"), ("renamed", "old → young"), ("changed", "unsure"), ("removed", "gone"),
    ]  # fmt: skip
    assert changes_between(before, before) == []


def test_an_unknown_fingerprint_is_not_a_renamed_rule() -> None:
    kinds = [change.kind for change in changes_between([made("a", None, "x")], [made("b", None, "x")])]
    assert kinds == ["added", "removed"]


TASK = Task(classes=["cat", "dog"])


def write_labels(path: Path, **labels: list[str]) -> Path:
    frame = pd.DataFrame({"table_name": "t", "id": [*labels]})
    return write_frame(frame.assign(label=[*labels.values()]), path)


def test_labels_that_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write_labels(
        tmp_path / "a.parquet", z=["cat"], a=["cat"], b=["cat", "dog"], c=[], lost=["cat"], s=["dog"]
    )
    after = write_labels(
        tmp_path / "b.parquet", gained=[], s=["dog"], c=["dog"], b=["dog"], a=["cat"], z=["dog"]
    )
    found = moved_labels(TASK, before, after, 9)
    assert (found.n_moved, found.n_gained, found.n_lost) == (3, 1, 1)
    assert found.frame.drop(columns="table_name").to_numpy().tolist() == [
        ["b", ["cat", "dog"], ["dog"]], ["c", [], ["dog"]], ["z", ["cat"], ["dog"]],
        ["gained", None, []], ["lost", ["cat"], None],
    ]  # fmt: skip
    assert moved_labels(TASK, before, after, 1).frame["id"].tolist() == ["b"]
    assert moved_labels(TASK, before, before, 9).frame.empty
    monkeypatch.setattr(moved_labels_module, "PART_ROWS", 1)
    by_part = moved_labels(TASK, before, after, 9)
    assert by_part.frame.to_numpy().tolist() == found.frame.to_numpy().tolist()
    assert (by_part.n_moved, by_part.n_gained, by_part.n_lost) == (3, 1, 1)


def test_labels_of_before_a_change_of_the_classes_did_not_move(tmp_path: Path) -> None:
    before = write_labels(
        tmp_path / "a.parquet", a=["cat"], b=["hound"], c=["wolf", "cat"], d=["bird"], e=["wolf"]
    )
    after = write_labels(tmp_path / "b.parquet", a=["cat"], b=["dog"], c=["cat", "dog"], d=["owl"], e=["cat"])
    change = {
        "date": "2026-11-26", "before": ["hound", "wolf", "cat", "bird"],
        "becomes": {"hound": ["dog"], "wolf": ["dog"], "bird": ["owl", "duck"]},
    }  # fmt: skip
    task = Task.model_validate(
        {"setting": "multilabel", "classes": ["cat", "dog", "owl", "duck"], "class_changes": [change]}
    )
    assert moved_labels(task, before, after, 9).frame.drop(columns="table_name").to_numpy().tolist() == [
        ["d", ["bird"], ["owl"]], ["e", ["dog"], ["cat"]],
    ]  # fmt: skip


def run(pets: Project) -> str:
    return pets.label("pets", "posts", gold="task", label_model="majority_vote").run_id


def words(*given: str, fails: bool = False) -> str:
    done = CliRunner().invoke(command_app(command, **COMMAND_OPTIONS), ["pets", *given])
    assert (done.exit_code != 0) == fails, done.output
    return done.output


@pytest.fixture
def runs(pets: Project, empty_store: Path) -> tuple[str, str]:
    """Two runs: between them `dogs` looks for more, `long` is renamed, `cats` goes and `sun` comes."""
    shutil.copy(empty_store, pets.settings.home / "mlflow.db")
    first = run(pets)
    edit(pets, '["bark"]', '["bark", "again"]', "[keyword_lf(\"cats\", [\"purr\", \"hiss\"], \"cat\", \"tokens\")", '[keyword_lf("sun", ["sun"], "cat", "tokens")', "def long", "def lengthy", ", long]", ", lengthy]")  # fmt: skip
    return first, run(pets)


def test_the_runs_of_a_task(pets: Project, runs: tuple[str, str]) -> None:
    table = pets.lf_history("pets").table
    assert table["run_id"].tolist() == [*reversed(runs)]
    assert table["changes"].tolist()[0] == "+ sun; − cats; ~ dogs; = long → lengthy"
    assert table["changes"].isna().tolist() == [False, True]
    assert table["lfs"].tolist() == [3, 3]
    assert table["coverage"].tolist() == pytest.approx(
        [5 / 6, 5 / 6]
    )  # the post with purr, then the one with sun, is without
    assert pets.lf_history("pets", n=1).table["changes"].tolist() == [
        "+ sun; − cats; ~ dogs; = long → lengthy"
    ]
    assert words("--history", "--n", "1").count("posts") == 1
    with pytest.raises(TaskError):
        pets.lf_history("nope")


def test_two_runs_beside_each_other(pets: Project, runs: tuple[str, str]) -> None:
    found = pets.lf_diff("pets", *runs)
    rows = found.table.set_index("lf")
    assert rows["change"].to_dict() == {
        "sun": "added",
        "dogs": "changed",
        "long → lengthy": "renamed",
        "cats": "removed",
    }
    assert rows.loc["dogs", ["coverage_before", "coverage_after"]].tolist() == pytest.approx([3 / 6, 4 / 6])
    assert rows.loc["dogs", ["accuracy_before", "accuracy_after"]].tolist() == pytest.approx([1 / 3, 1 / 4])
    assert rows.loc["cats", "coverage_before"] == 0.5
    assert rows.loc[["cats", "sun"], ["coverage_after", "coverage_before"]].isna().to_numpy().diagonal().all()
    dogs = next(change for change in found.changes if change.name == "dogs")
    assert [line for line in found.source_diff(dogs) if line[0] in "+-"][2:] == ["+  again"]
    labels = [dict(pd.read_parquet(pets.runs.artifact(name, TRAINING_DATA, Path()))[["id", "label"]].to_numpy()) for name in runs]  # fmt: skip
    both = labels[0].keys() & labels[1].keys()
    assert found.n_moved == sum([*labels[0][key]] != [*labels[1][key]] for key in both) > 0
    assert (found.n_gained, found.n_lost) == (len(labels[1].keys() - both), len(labels[0].keys() - both))
    assert list(found.moved.columns) == [*KEYS, "txt", "label_before", "label_after"]
    assert found.moved["txt"].notna().all()
    assert "<table" in found._repr_html_()


def test_the_printed_difference(pets: Project, runs: tuple[str, str]) -> None:
    output = words("--diff", *runs)
    assert "sun             added" in output
    assert "\ndogs: changed\n@@ " in output
    assert "\n+  again\n" in output
    assert "labels: " in output
    assert "posts/4: no label → cat\n  txt: Sun\n" in output
    assert "as before: 3 of 3" in words("--diff", runs[1], runs[1])


def test_the_two_runs_of_usage_are_listed_and_compared_as_it_shows(
    clean_room: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block marked `console compared`, but for the runs' ids and times."""
    monkeypatch.setenv("ADAPTML_ROOT", str(clean_room))
    with example_project(clean_room) as project:
        shutil.copy(empty_store, project.settings.home / "mlflow.db")
        rules = project.settings.tasks_dir / "spam" / "lfs.py"
        texts = [
            OF_USAGE,
            OF_USAGE.replace(', "Check"]', "]").replace("link,\n", WIN),
        ]
        made = []
        for text in texts:
            rules.write_text(text)
            made.append(project.label("spam", "comments", gold="task").run_id)
    (block,) = re.findall(r"^```console compared\n(.*?)^```$", USAGE, re.MULTILINE | re.DOTALL)
    of_usage = dict(zip(dict.fromkeys(re.findall(r"\b[0-9a-f]{32}\b", block)), reversed(made), strict=True))
    for one, run_id in of_usage.items():
        block = block.replace(one, run_id)
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        order, _, shown = part.partition("\n")
        printed = CliRunner().invoke(app, shlex.split(order)[1:]).output
        assert without_times(printed) == without_times(shown)


def without_times(printed: str) -> list[str]:
    return [re.sub(r"^[-\d]{10} [:\d]{5}", "", line).rstrip() for line in printed.splitlines()]


def test_what_goes_with_history_and_diff(pets: Project, runs: tuple[str, str]) -> None:
    message = "expected --history, --diff RUN RUN or --hints alone, or with --n"
    assert message in words("--history", "--show", "dogs", fails=True)
    assert message in words("--diff", *runs, "--data", "posts", fails=True)


def test_runs_that_cannot_be_compared(pets: Project, runs: tuple[str, str], clean_room: Path) -> None:
    with pytest.raises(TrackingError, match="run nope cannot be read"):
        pets.lf_diff("pets", runs[0], "nope")
    others = clean_room / "tasks" / "others"
    others.mkdir()
    for path in (clean_room / "tasks" / "pets").glob("*.*"):
        (others / path.name).write_bytes(path.read_bytes())
    with pytest.raises(
        TrackingError, match=f"run {runs[0]} is of task pets; expected a label run of task others"
    ):
        pets.lf_diff("others", *runs)
    artifact = pets.runs.artifact(runs[0], LFS, clean_room)
    assert json.loads(artifact.read_text())["version"] == 1
    artifact.unlink()  # as in runs of before
    found = pets.lf_diff("pets", *runs)
    assert not found.sources_known
    assert [change.kind for change in found.changes] == ["added", "added", "removed", "removed"]
    assert pets.lf_history("pets").table["changes"].isna().all()
    artifact.with_name(VOTES).unlink()
    with pytest.raises(TrackingError, match=rf"run {runs[0]} keeps no votes\.parquet"):
        pets.lf_diff("pets", *runs)
