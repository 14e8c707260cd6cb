import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from adaptml.errors import FrameError
from adaptml.project import Project
from tasks.youtube_spam import import_comments as module
from tasks.youtube_spam.import_comments import clean, import_comments

CSV = """COMMENT_ID,AUTHOR,DATE,CONTENT,CLASS
a1,Ann,2015-01-01T10:00:00,"Best song, ever!\ufeff",0
a2,Bob,,"I&#39;m a rapper<br />check me out",1
a3,Cy,2015-01-02T10:00:00,NA,0
a1,Ann,2015-01-01T10:00:00,"Best song, ever!\ufeff",0
"""
WRENCH = {
    "0": {"label": 1, "weak_labels": [1, -1], "data": {"text": "subscribe"}},
    "1": {"data": {"text": "wow"}},
}


@pytest.fixture
def csv_file(clean_room: Path) -> Path:
    path = clean_room / "Youtube01-Psy.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def table(project: Project, name: str) -> dict[str, str]:
    rows = pd.concat(project.database.scan(name, ["txt"]))
    return dict(zip(rows["id"], rows["txt"], strict=True))


def test_a_csv_file_becomes_rows_and_two_frames(csv_file: Path, project: Project) -> None:
    done = import_comments(project, [csv_file], "youtube", n_gold=1)
    assert (done.comments, done.new, done.repeated) == (3, 3, 1)
    assert table(project, "youtube") == {
        "a1": "Best song, ever!",
        "a2": "I'm a rapper\ncheck me out",
        "a3": "NA",
    }
    unlabelled = pd.read_parquet(project.settings.unlabeled_data / "youtube.parquet")
    gold = pd.read_parquet(project.settings.unlabeled_data / "youtube_gold.parquet")
    assert done.frames == {
        "train": project.settings.unlabeled_data / "youtube.parquet",
        "valid": project.settings.unlabeled_data / "youtube_gold.parquet",
    }
    assert list(unlabelled.columns) == ["table_name", "id"]
    assert set(unlabelled["id"]) | set(gold["id"]) == {"a1", "a2", "a3"}
    assert len(unlabelled) == 2
    truth = {"a1": ["ham"], "a2": ["spam"], "a3": ["ham"]}
    assert [list(label) for label in gold["gold_label"]] == [truth[key] for key in gold["id"]]


def test_importing_again_changes_nothing(csv_file: Path, project: Project) -> None:
    first = import_comments(project, [csv_file], "youtube", n_gold=2)
    frame = pd.read_parquet(first.frames["valid"])
    again = import_comments(project, [csv_file], "youtube", n_gold=2)
    assert (again.comments, again.new) == (3, 0)
    assert pd.read_parquet(again.frames["valid"]).equals(frame)


def test_json_ids_tell_their_file_and_unknown_classes_are_no_gold(clean_room: Path, project: Project) -> None:
    path = clean_room / "comments.json"
    path.write_text(json.dumps(WRENCH), encoding="utf-8")
    done = import_comments(project, [path], "youtube")
    assert table(project, "youtube") == {"comments-0": "subscribe", "comments-1": "wow"}
    assert pd.read_parquet(done.frames["valid"])["id"].tolist() == ["comments-0"]
    assert pd.read_parquet(done.frames["train"])["id"].tolist() == ["comments-1"]


def test_a_wrench_folder_says_its_splits(clean_room: Path, project: Project) -> None:
    folder = clean_room / "youtube"
    folder.mkdir()
    for split in ("train", "valid", "test"):
        (folder / f"{split}.json").write_text(json.dumps(WRENCH), encoding="utf-8")
    (folder / "label.json").write_text('{"0": "HAM", "1": "SPAM"}', encoding="utf-8")
    done = import_comments(project, [folder], "youtube")
    assert {split: pd.read_parquet(path)["id"].tolist() for split, path in done.frames.items()} == {
        "train": ["train-0", "train-1"],
        "valid": ["valid-0"],
        "test": ["test-0"],
    }
    assert done.frames["test"].name == "youtube_test.parquet"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "absent.csv",
            None,
            "absent.csv is neither a .csv or .json file nor a folder; give the comments in one of these",
        ),
        (
            "x.txt",
            "hello",
            "x.txt is neither a .csv or .json file nor a folder; give the comments in one of these",
        ),
        (
            "x.csv",
            "id,text\n1,a\n",
            "x.csv has no column COMMENT_ID, CONTENT; expected COMMENT_ID, AUTHOR, DATE, CONTENT and CLASS, "
            "it has id, text",
        ),
        ("x.csv", "", "x.csv is empty; expected a first line with the columns' names, then rows"),
        ("x.csv", "COMMENT_ID,CONTENT,CLASS\n", "x.csv holds no comments; give a file with at least one"),
        (
            "x.csv",
            "COMMENT_ID,CONTENT,CLASS\na,hello,2\n",
            "x.csv has the class 2; expected 0 (ham), 1 (spam) or nothing",
        ),
        (
            "x.json",
            '{"0": {"text": "a"}}',
            'x.json is not {key: {"data": {"text"}, "label"}} in JSON: KeyError(\'data\')',
        ),
        (
            "x.json",
            "[1]",
            'x.json is not {key: {"data": {"text"}, "label"}} in JSON: '
            "AttributeError(\"'list' object has no attribute 'values'\")",
        ),
    ],
)
def test_files_that_cannot_be_used(project: Project, name: str, content: str | None, message: str) -> None:
    if content is not None:
        Path(name).write_text(content, encoding="utf-8")
    with pytest.raises(FrameError) as caught:
        import_comments(project, [Path(name)], "youtube")
    assert str(caught.value) == message


def test_a_folder_without_a_data_set(project: Project) -> None:
    Path("empty").mkdir()
    with pytest.raises(FrameError) as caught:
        import_comments(project, [Path("empty")], "youtube")
    assert str(caught.value) == "folder empty has no train.json; expected a data set in WRENCH's format"


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [("a<BR>b<br />c", "a\nb\nc"), ("&quot;x&quot; &lt;3", '"x" <3'), (" \ufeffwow\ufeff\n", "wow")],
)
def test_comments_look_as_their_writers_saw_them(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


def test_it_runs_as_a_program(csv_file: Path, clean_room: Path) -> None:
    program = [sys.executable, module.__file__]
    done = subprocess.run(
        [*program, str(csv_file), "--n-gold", "1"], capture_output=True, text=True, cwd=clean_room
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "3 comments in table youtube (3 new, 1 duplicated ids left out)"
    assert lines[-1] == "Next: adaptml featurize youtube_spam --data youtube"
    failed = subprocess.run([*program, "nowhere.csv"], capture_output=True, text=True, cwd=clean_room)
    assert failed.returncode == 1
    assert failed.stderr == (
        "error: nowhere.csv is neither a .csv or .json file nor a folder; give the comments in one of these\n"
    )
