"""Samplers on tables small enough to know what they must choose."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database, Vector
from adaptml.errors import AnnotationError, FrameError, TrackingError
from adaptml.features.points import Points
from adaptml.frames import read_frame, write_frame
from adaptml.project import Project
from adaptml.runs.label_run import RunFiles
from adaptml.sampling import Source, draw_sample, parse_sampling
from adaptml.sampling.sample_points import sample_points
from adaptml.tasks import Task

N = 12


@pytest.fixture
def database(project: Project, tracking: Any) -> Database:
    made = project.database
    made.create_table("posts", {"id": sa.Text(), "kind": sa.Text(), "vec": Vector()})
    ids = [f"{i:02d}" for i in range(N)]
    kinds = ["a"] * 8 + ["b"] * 3 + [None]
    vectors = [np.array([float(i == 3) * 50, float(i == 7) * 90 + i * 0.01]) for i in range(N)]
    made.upsert("posts", pd.DataFrame({"id": ids, "kind": kinds, "vec": vectors}), ["id"])
    return made


@pytest.fixture
def run(database: Database, project: Project, clean_room: Path) -> RunFiles:
    """Points 00 to 09 were labelled; 02, 05 and 08 have no vote; 00, 01, 03 and 04 have votes for two classes."""
    frame = pd.DataFrame({"table_name": "posts", "id": [f"{i:02d}" for i in range(10)]})
    data = write_frame(frame, clean_room / "points.parquet")
    L = np.full((10, 3), -1, dtype=np.int8)
    L[[0, 1, 3, 4], :2] = [0, 1]
    L[[6, 7, 9], 2] = 1
    covered = (L != -1).any(axis=1)
    probs = [[0.5, 0.5]] * 2 + [[0.6, 0.4]] * 2 + [[0.01, 0.99]] * 3
    training = frame[covered].assign(label=[["x"]] * 7, label_probs=probs)
    with project.runs.run("t", "label", {"setting": "multiclass", "train_data": data}) as recorder:
        write_frame(training, recorder.folder / "training_data.parquet")
        write_frame(frame.assign(**dict(zip("abc", L.T, strict=True))), recorder.folder / "votes.parquet")
    (clean_room / "files").mkdir()
    return RunFiles(project, recorder.run_id, clean_room / "files")


def drawn(source: Source, sampling: str, n: int, seed: int = 0) -> list[str]:
    return [str(key) for key in draw_sample(source, sampling, n, seed).frame["id"]]


def test_random_is_seeded_and_a_larger_one_holds_a_smaller_one(database: Database) -> None:
    source = Source(Points(database, database), "posts")
    sample = draw_sample(source, "random", 5, 1)
    assert sample.frame["inclusion_prob"].tolist() == pytest.approx([5 / N] * 5)
    assert sample.name == "random n=5 seed=1"
    assert drawn(source, "random", 5, 1) == sample.frame["id"].tolist()
    assert drawn(source, "random", 8, 1)[:5] == sample.frame["id"].tolist()
    assert drawn(source, "random", 5, 2) != sample.frame["id"].tolist()
    assert sorted(drawn(source, "random", 99)) == [f"{i:02d}" for i in range(N)]


def test_stratified_takes_each_value_in_proportion(database: Database) -> None:
    sample = draw_sample(Source(Points(database, database), "posts", by="kind"), "stratified", 6, 0)
    kinds = Counter("a" if int(key) < 8 else "b" if int(key) < 11 else "none" for key in sample.frame["id"])
    assert kinds == {"a": 3, "b": 2, "none": 1}  # one each, then by what is missing to 4, 1.5 and 0.5
    chance = dict(zip(sample.frame["id"], sample.frame["inclusion_prob"], strict=True))
    assert chance["11"] == 1
    assert {chance[key] for key in chance if int(key) < 8} == {3 / 8}


def test_diverse_takes_what_lies_far_away(database: Database) -> None:
    sample = draw_sample(Source(Points(database, database), "posts", vector="vec"), "diverse", 3, 0)
    assert {"03", "07"} < set(sample.frame["id"])
    assert sample.frame["inclusion_prob"].isna().all()
    assert len(set(drawn(Source(Points(database, database), "posts", vector="vec"), "diverse", N))) == N


def test_what_a_run_says(database: Database, run: RunFiles) -> None:
    source = Source(Points(database, database), "posts", run=run)
    assert sorted(drawn(source, "uncertain", 2)) == ["00", "01"]
    assert sorted(drawn(source, "uncertain", 4)) == ["00", "01", "03", "04"]
    assert sorted(drawn(source, "disagreement", 99)) == ["00", "01", "03", "04"]
    assert sorted(drawn(source, "uncovered", 99)) == ["02", "05", "08"]
    half = draw_sample(source, "uncertain", 3, 0).frame
    chance = dict(zip(half["id"], half["inclusion_prob"], strict=True))
    assert (chance.pop("00"), chance.pop("01")) == (1, 1)
    assert list(chance.values()) == [0.5]  # one of two that are alike


def test_points_of_a_run_that_are_gone_are_not_drawn(
    database: Database, run: RunFiles, caplog: pytest.LogCaptureFixture
) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM posts WHERE id IN ('00', '03', '05')")
    source = Source(Points(database, database), "posts", run=run)
    assert sorted(drawn(source, "uncertain", 2)) == ["01", "04"]
    assert sorted(drawn(source, "uncovered", 99)) == ["02", "08"]
    assert "1 points of the run are gone from table 'posts' and left out: 05" in caplog.text
    two = draw_sample(source, "disagreement", 1, 0).frame
    assert two["inclusion_prob"].tolist() == [0.5]  # one of two that are left


@pytest.mark.parametrize(
    "sampling",
    ["random", "disagreement:0.5,random:0.5", "uncertain:0.5,random:0.5", "uncovered:0.25,random:0.75"],
)
def test_inclusion_probabilities_are_how_often_points_are_drawn(
    database: Database, run: RunFiles, sampling: str
) -> None:
    source, repeats = Source(Points(database, database), "posts", run=run), 400
    counted: Counter[str] = Counter()
    said: dict[str, float] = {}
    for seed in range(repeats):
        frame = draw_sample(source, sampling, 4, seed).frame
        counted.update(frame["id"])
        said |= dict(zip(frame["id"], frame["inclusion_prob"], strict=True))
    assert sum(said.values()) == pytest.approx(4)
    for key, chance in said.items():
        assert counted[key] / repeats == pytest.approx(chance, abs=4 * np.sqrt(0.25 / repeats))


def test_a_run_needs_its_frame_no_more(database: Database, run: RunFiles, clean_room: Path) -> None:
    (clean_room / "points.parquet").unlink()
    assert sorted(drawn(Source(Points(database, database), "posts", run=run), "uncovered", 99)) == [
        "02",
        "05",
        "08",
    ]


def test_runs_that_cannot_be_used(
    database: Database, run: RunFiles, project: Project, clean_room: Path
) -> None:
    with pytest.raises(TrackingError, match="run nothing "):
        drawn(
            Source(Points(database, database), "posts", run=RunFiles(project, "nothing", clean_room)),
            "uncertain",
            2,
        )
    database.create_table("other", {"id": sa.Text()})
    with pytest.raises(AnnotationError, match="holds no point of table 'other'; name a run on that table"):
        drawn(Source(Points(database, database), "other", run=run), "uncertain", 2)


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        ("randm", "sampling 'randm' does not exist; expected one of uncertain, diverse, disagreement, uncovered, "
                  "stratified, random"),
        ("random:0.5,uncertain", "sampling 'uncertain' has no share between 0 and 1; expected such as "
                                 "uncertain:0.5,random:0.5"),
        ("random:x", "sampling 'random:x' has no share between 0 and 1; expected such as uncertain:0.5,random:0.5"),
        ("random:0.5,diverse:0.6", "the shares of sampling 'random:0.5,diverse:0.6' add up to 1.1, not to 1"),
        ("random:0.5,random:0.5", "sampling 'random:0.5,random:0.5' names random more than once; name it once"),
    ],
)  # fmt: skip
def test_samplings_that_do_not_exist(sampling: str, message: str) -> None:
    with pytest.raises(AnnotationError) as error:
        parse_sampling(sampling)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        ("uncertain", "this sampling looks at a run and none was named; name one with --run RUN_ID"),
        ("stratified", "sampling is stratified and no column was named; name one with --by COLUMN"),
        ("diverse", "sampling is diverse and no vector column was named; name one with --vector"),
    ],
)
def test_what_a_sampling_needs(database: Database, sampling: str, message: str) -> None:
    with pytest.raises(AnnotationError) as error:
        drawn(Source(Points(database, database), "posts"), sampling, 2)
    assert str(error.value) == message


TASK = Task(name="zoo", classes=("x", "y"), features=("vec",))


def ids_of(project: Project, data: Any, **options: Any) -> list[str]:
    return [str(key) for key in sample_points(project, TASK, data, 99, **options).frame["id"]]


def test_points_come_from_a_table_a_condition_a_frame_or_a_file(
    database: Database, project: Project, clean_room: Path
) -> None:
    assert len(ids_of(project, "posts")) == N
    assert sorted(ids_of(project, "posts where kind = 'b'")) == ["08", "09", "10"]
    assert sorted(ids_of(project, "posts", where="kind = 'b'")) == ["08", "09", "10"]
    frame = pd.DataFrame({"table_name": "posts", "id": ["09", "03", "11"], "more": 1})
    assert sorted(ids_of(project, frame)) == ["03", "09", "11"]
    assert ids_of(project, frame.iloc[::-1]) == ids_of(project, frame)
    path = write_frame(frame, clean_room / "some.parquet")
    assert ids_of(project, path) == ids_of(project, "some.parquet") == ids_of(project, frame)
    with pytest.raises(FrameError, match="where"):
        ids_of(project, frame, where="kind = 'b'")
    database.create_table("other", {"id": sa.Text()})
    database.upsert("other", pd.DataFrame({"id": ["02"]}), ["id"])
    two = pd.DataFrame({"table_name": ["posts", "other"], "id": ["01", "02"]})
    with pytest.raises(AnnotationError, match=r"2 tables, posts, other; expected points of one"):
        ids_of(project, two)


def test_probabilities_are_those_of_the_points_that_were_given(
    database: Database, project: Project, run: RunFiles
) -> None:
    half = sample_points(project, TASK, "posts where id < '08'", 4).frame
    assert half["inclusion_prob"].tolist() == [0.5] * 4
    part = sample_points(
        project, TASK, "posts where kind = 'b' or kind is null", 2, sampling="stratified", by="kind"
    )
    assert dict(zip(part.frame["id"] == "11", part.frame["inclusion_prob"], strict=True)) == {
        True: 1.0, False: pytest.approx(1 / 3),
    }  # fmt: skip
    # 00, 01, 03 and 04 have votes for two classes; two of them are given.
    given = pd.DataFrame({"table_name": "posts", "id": ["01", "02", "04"]})
    frame = sample_points(project, TASK, given, 1, sampling="disagreement", run=run.run_id).frame
    assert frame["id"].isin(["01", "04"]).all()
    assert frame["inclusion_prob"].tolist() == [0.5]
    assert ids_of(project, given, sampling="uncovered", run=run.run_id) == ["02"]


def test_what_is_written_and_where(database: Database, project: Project, clean_room: Path) -> None:
    done = sample_points(project, TASK, "posts", 3, sampling="diverse", seed=5)
    assert done.path == project.settings.unlabeled_data / "posts_diverse_3_seed5.parquet"
    assert done.name == "diverse n=3 seed=5"
    written = read_frame(done.path)
    assert written["id"].tolist() == done.frame["id"].tolist()
    assert written["sampling"].tolist() == [done.name] * 3
    mixed = sample_points(project, TASK, "posts", 4, sampling="diverse:0.5,random:0.5")
    assert mixed.path.name == "posts_diverse_0.5_random_0.5_4_seed0.parquet"
    assert (
        sample_points(project, TASK, "posts", 3, to=clean_room / "here.parquet").path
        == clean_room / "here.parquet"
    )
    with pytest.raises(AnnotationError, match="0 points were asked for; expected at least 1"):
        sample_points(project, TASK, "posts", 0)
