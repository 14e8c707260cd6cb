"""The step `apply_lfs`: votes on data points of a project, with nothing logged."""

import pandas as pd
import pytest

from adaptml.errors import DatabaseError, FrameError, LabellingError, UnknownTableError
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.apply import apply_lfs
from dataprogramming.keyword_lfs import keyword_lf

PURR = keyword_lf("purr", ["purr"], "cat", "tokens")


def test_votes_on_a_table_and_on_the_tasks_gold(pets: Project) -> None:
    votes = apply_lfs(pets, "pets", "posts")
    assert votes.frame.columns.tolist() == ["table_name", "id", "cats", "dogs", "long"]
    assert votes.L.tolist() == [[0, -1, -1], [-1, 1, -1], [0, 1, 1], [-1, -1, -1], [0, -1, 1], [-1, 1, -1]]
    assert votes.gold is not None
    assert votes.gold.keys["id"].tolist() == ["2", "3", "5", "6"]
    # cats is right on 3 and 5; dogs right on 2 and wrong on 3 and 6; long wrong on 3 and 5
    summary = votes.summary()
    assert summary[["correct", "incorrect"]].to_numpy().tolist() == [[2, 0], [1, 2], [0, 2]]
    assert votes.rows("dogs", wrong=True)["txt"].tolist() == ["Purring and barking!", "<b>bark</b>"]
    assert not (pets.settings.home / "mlflow.db").exists()


def test_a_whole_table_is_read_once_and_gives_what_its_keys_give(
    pets: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptml.database.rows.PAGE_ROWS", 4)  # of six rows
    one_by_one = apply_lfs(pets, "pets", pets.database.keys("posts"), fresh=True)
    monkeypatch.setattr(pets.database, "keys", None)
    whole = apply_lfs(pets, "pets", "posts", fresh=True)
    assert whole.keys["id"].tolist() == ["1", "2", "3", "4", "5", "6"]
    pd.testing.assert_frame_equal(whole.frame, one_by_one.frame)
    with pets.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW none AS SELECT * FROM posts WHERE id = '7'")
        connection.exec_driver_sql("CREATE VIEW twice AS SELECT * FROM posts UNION ALL SELECT * FROM posts")
    with pytest.raises(FrameError, match="none holds no data point to work on"):
        apply_lfs(pets, "pets", "none", gold=None)
    with pytest.raises(DatabaseError, match="table 'twice' has 6 duplicated ids in 12 rows"):
        apply_lfs(pets, "pets", "twice", gold=None)
    with pytest.raises(UnknownTableError, match="nowhere"):
        apply_lfs(pets, "pets", "nowhere", gold=None)


def test_a_sample_is_drawn_by_seed(pets: Project) -> None:
    drawn = [apply_lfs(pets, "pets", "posts", n=3, seed=seed).keys["id"].tolist() for seed in (1, 1, 2)]
    assert len(drawn[0]) == 3
    assert drawn[0] == drawn[1] != drawn[2]
    assert apply_lfs(pets, "pets", "posts", where="txt like '%bark%'").keys["id"].tolist() == ["2", "3", "6"]


def test_a_task_made_in_python(pets: Project) -> None:
    task = Task(classes=["cat", "dog"], lfs=[PURR])
    votes = apply_lfs(pets, task, "posts")
    assert votes.frame["purr"].tolist() == [0, -1, 0, -1, 0, -1]
    assert votes.rows("purr", n=1)["txt"].tolist() == ["It purrs."]
    assert votes.gold is None
    with pytest.raises(LabellingError, match="no parameter many; take it out"):
        apply_lfs(pets, task, "posts", lf_parameters={"many": "3"})


def test_frames_of_keys_are_data_and_gold(pets: Project) -> None:
    gold = pd.DataFrame({"table_name": "posts", "id": ["1", "2"], "gold_label": [["dog"], ["dog"]]})
    votes = apply_lfs(pets, "pets", gold[["table_name", "id"]], gold=gold)
    assert votes.rows("cats", wrong=True)["id"].tolist() == ["1"]
    gone = pd.DataFrame({"table_name": ["posts", "posts"], "id": ["nine", "2"]})
    assert apply_lfs(pets, "pets", gone).keys["id"].tolist() == ["2"]
    with pytest.raises(
        FrameError, match=r"every one of the 1 data points of the frame is gone .* posts/nine; name"
    ):
        apply_lfs(pets, "pets", gone.iloc[:1])
    with pytest.raises(FrameError, match="no column id"):
        apply_lfs(pets, "pets", pd.DataFrame({"table_name": ["posts"]}))


def test_failures_are_counted_where_they_are_allowed(pets: Project) -> None:
    from snorkel.labeling import LabelingFunction

    task = Task(
        classes=["cat", "dog"], lfs=[PURR, LabelingFunction("bad", lambda x: 1 // (len(x.tokens) - 1))]
    )
    with pytest.raises(LabellingError, match="'bad' failed on data point posts/4"):
        apply_lfs(pets, task, "posts", gold=None)
    assert apply_lfs(pets, task, "posts", gold=None, fault_tolerant=True).failures == {"bad": 2}
