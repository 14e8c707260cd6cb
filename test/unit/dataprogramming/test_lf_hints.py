"""The words of annotators by class, with the rules that have them; as a function and as `adaptml lfs --hints`."""

import pandas as pd
from typer.testing import CliRunner

from adaptml.cli.lfs import COMMAND_OPTIONS, command
from adaptml.cli.support import command_app
from adaptml.frames import write_frame
from adaptml.project import Project
from dataprogramming.lf_hints import lf_hints


def run(*words: str) -> str:
    done = CliRunner().invoke(command_app(command, **COMMAND_OPTIONS), ["pets", *words])
    assert done.exit_code == 0, done.output
    return done.output


def mark(name: str, *texts: str) -> list[dict[str, str]]:
    return [{"class": name, "column": "txt", "text": text} for text in texts]


def annotate(pets: Project) -> None:
    """Two people; the rules of `pets` look for purr and hiss (cat) and for bark (dog)."""
    frame = pd.DataFrame({"table_name": "posts", "id": ["1", "2", "3"]})
    cells = {
        "7": [["cat"], ["dog"], None],
        "9": [["cat"], None, ["cat"]],
        "7_words": [mark("cat", "purrs", "meow"), mark("dog", "He barked"), None],
        "7_comment": [None, "so loud", None],
        "9_words": [mark("cat", "Purrs"), None, mark("cat", "purrs", "barking")],
        "9_comment": [None, None, None],
    }
    folder = pets.settings.annotations("pets")
    folder.mkdir(parents=True, exist_ok=True)
    columns = {name: pd.Series(cell, dtype=object) for name, cell in cells.items()}
    write_frame(frame.assign(**columns), folder / "ann_df.parquet")


def test_the_words_and_the_rules_that_find_them(pets: Project) -> None:
    annotate(pets)
    found = lf_hints(pets, "pets")
    columns = ["class", "word", "points", "annotators", "id", "rules"]
    assert [list(row) for row in found[columns].to_numpy()] == [
        ["cat", "purrs", 2, 2, "1", ["cats"]],  # by its lemma
        ["cat", "barking", 1, 1, "3", ["dogs → dog"]],
        ["cat", "meow", 1, 1, "1", []],
        ["dog", "He barked", 1, 1, "2", ["dogs"]],
        ["dog", "loud", 1, 1, "2", []],
        ["dog", "so", 1, 1, "2", []],
    ]
    assert pets.lf_hints("pets").equals(found)


def test_the_command_shows_a_row_each(pets: Project) -> None:
    annotate(pets)
    lines = [line.split() for line in run("--hints").splitlines()]
    assert lines[1] == ["cat", "purrs", "2", "0", "2", "posts/1", "cats"]
    assert lines[2] == ["cat", "barking", "1", "0", "1", "posts/3", "dogs", "→", "dog"]
    assert lines[-1][:4] == ["3", "of", "6", "words"]
    few = run("--hints", "--n", "1")
    assert "meow" not in few
    assert "and 4 more words" in few
    done = CliRunner().invoke(command_app(command, **COMMAND_OPTIONS), ["pets", "--hints", "--data", "posts"])
    assert done.exit_code == 1
    assert "given --hints, --data; expected --history, --diff RUN RUN or --hints alone" in done.output


def test_nobody_said_anything_is_one_line_with_the_next_step(pets: Project) -> None:
    assert run("--hints") == (
        "no annotator of task pets has marked a word or said what decided: `feedback: true` in the task file "
        "asks them\n"
    )
    path = pets.settings.tasks_dir / "pets" / "task.yaml"
    path.write_text(path.read_text() + "feedback: true\n")
    assert "fetch their annotations" in run("--hints")
    assert lf_hints(pets, "pets").empty
