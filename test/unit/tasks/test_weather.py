"""The task about a text and a picture, end to end: entries that lack one of them are labelled and predicted too."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from adaptml.frames import read_frame
from adaptml.project import Project
from tasks.weather.draw_photos import SKIES, draw, draw_photos

WEATHER = Path(__file__).resolve().parents[3] / "tasks" / "weather"
GOLD = WEATHER / "gold.csv"


@pytest.fixture(scope="module")
def diary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The diary as a table, with its photos, features and gold."""
    folder = tmp_path_factory.mktemp("diary")
    with Project(
        settings=Project(folder).settings.model_copy(update={"tasks_dir": WEATHER.parent})
    ) as project:
        assert draw_photos(project.settings.media) == 36
        project.import_table(WEATHER / "diary.csv", "diary")
        done = project.featurize("weather", "diary")
        assert done.features == ("txt_lemmas@1", "txt_vec@1", "photo_vec@1")
        project.gold("weather", GOLD)
        yield project


def lacking(project: Project) -> pd.DataFrame:
    """Which part each entry lacks, by its id."""
    rows = pd.concat(project.database.scan("diary", ["txt", "photo"])).set_index("id")
    return rows[["txt", "photo"]].isna()


def test_every_kind_of_entry_is_there(diary: Project) -> None:
    assert lacking(diary).value_counts().to_dict() == {
        (False, False): 24,
        (True, False): 12,
        (False, True): 12,
    }
    assert [finding for finding in diary.check_task("weather", "diary") if finding.level == "error"] == []
    drawn = {key for keys in SKIES.values() for key in keys.split()}
    assert drawn == set(lacking(diary).query("not photo").index)
    assert draw("rain", 2).tobytes() == draw("rain", 2).tobytes() != draw("rain", 3).tobytes()


def test_rules_on_both_parts_label_what_has_one(diary: Project) -> None:
    votes = diary.apply_lfs("weather", "diary").frame.set_index("id")
    photo, words = votes[["blue_sky", "dark_grey", "white"]] >= 0, votes.iloc[:, 1:7] >= 0
    absent = lacking(diary)
    assert not photo[absent["photo"]].any(axis=None)
    assert not words[absent["txt"]].any(axis=None)
    assert (photo.any(axis=1) & words.any(axis=1)).sum() == 16
    assert votes.loc["d25", "blue_sky"] == -1  # a sunset


def test_from_gold_and_rules_to_predictions(diary: Project) -> None:
    labelled = diary.label("weather", "diary", gold="task", label_model="majority_vote")
    model = diary.train("weather", labelled, gold="task", strategy="weak")
    diary.deploy(model.model_name)
    predicted = read_frame(diary.predict("weather", "diary").path).set_index("id")
    gold = pd.read_csv(GOLD).set_index("id")["label"]
    truth = pd.Series({key: gold[f"d{(int(key[1:]) - 1) % 3 + 1:02d}"] for key in predicted.index})
    assert (truth[gold.index] == gold).all()  # the entries are of sun, rain and snow in turn
    right = predicted["label"].map(lambda names: names[0]) == truth
    absent = lacking(diary).loc[right.index]
    assert right.mean() >= 0.8  # chance is 0.33
    assert right[absent["txt"]].mean() >= 0.8
    assert right[absent["photo"]].mean() >= 0.5


def test_annotators_see_what_there_is(diary: Project) -> None:
    done = diary.sample_tasks("weather", "diary", 48)
    assert (done.points, done.partial, done.empty) == (48, 24, 0)
    assert '<Labels name="words_in_txt"' in done.config.read_text(encoding="utf-8")
