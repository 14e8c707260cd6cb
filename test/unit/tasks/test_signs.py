"""Five photos of signs: rules on what a classifier says of them and on the words in them."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from adaptml.features.catalogue import Reference
from adaptml.features.on_the_fly import OnTheFly
from adaptml.features.points import Points
from adaptml.project import Project
from modelling.columns import learn_columns
from tasks.signs.draw_signs import LABELS, draw_photos, write_classifier

SIGNS = Path(__file__).resolve().parents[3] / "tasks" / "signs"
NAMES = ["sign_class", "sign_score", "sign_text"]


def refuse(*_: Any) -> None:
    raise AssertionError("the network was asked")


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The photos as a table, with a sixth row that has none, and its features; all without a network."""
    folder = tmp_path_factory.mktemp("signs")
    shutil.copytree(SIGNS, folder / "tasks" / "signs")
    with Project(folder) as project, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        media = project.settings.media
        assert draw_photos(media) == 5
        write_classifier(project.settings.home / "models" / "signs")
        table = {"id": list("abcdef"), "path": [*(f"signs/{key}.png" for key in "abcde"), None]}
        project.import_table(pd.DataFrame(table), "signs")
        done = project.featurize("signs", "signs")
        assert done.features == ("sign_class@1", "sign_score@1", "sign_text@1", "sign_vec@1")
        yield project


def read(points: Points) -> pd.DataFrame:
    keys = pd.DataFrame({"table_name": "signs", "id": list("abcdef")})
    return points.read(keys, NAMES).set_index("id")[NAMES]


def test_classes_scores_and_words(signs: Project) -> None:
    found = read(signs.points)
    green, red, other = LABELS
    assert found["sign_class"].tolist() == [green, red, other, other, green, None]
    assert found["sign_text"].tolist() == ["OPEN", "CLOSED", "Come in,\nwe are open", "Back soon", "", None]
    assert (found["sign_score"][:5] > 0.8).all()
    assert pd.isna(found["sign_score"].iloc[5])


def test_rules_read_them(signs: Project) -> None:
    votes = signs.apply_lfs("signs", "signs").frame.set_index("id")
    assert {name: "".join(votes.index[votes[name] >= 0]) for name in votes.columns[1:]} == {
        "green": "ae", "red": "b", "says_open": "ac", "says_closed": "bd"
    }  # fmt: skip
    levels = {finding.level for finding in signs.check_task("signs", "signs")}
    assert "error" not in levels


def test_end_models_learn_from_a_score_that_some_rows_lack(signs: Project) -> None:
    keys = pd.DataFrame({"table_name": "signs", "id": list("abcdef")})
    features = [Reference("sign_score", 1), Reference("sign_vec", 1)]
    columns = learn_columns(signs.points, keys, features, keeps_missing=False)
    assert [note[:46] for note in columns.notes] == [
        "standardised by mean and deviation: sign_score",
        "sign_score@1: 1 of 6 rows have no number; they",
    ]
    assert columns.read(signs.points, keys, features).shape == (6, 2 + 1036)


def test_rows_that_come_later_are_read_when_they_are_asked_for(
    signs: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service does it, which writes nothing; started where the path of the classifier begins."""
    monkeypatch.chdir(signs.settings.home.parent)
    before = read(signs.points)
    signs.import_table(pd.DataFrame({"id": ["g"], "path": ["signs/c.png"]}), "signs")
    points = Points(signs.database, signs.results, OnTheFly(signs.settings.media))
    keys = pd.DataFrame({"table_name": "signs", "id": ["g", "f"]})
    found = points.read(keys, ["sign_class", "sign_score"])
    assert found["sign_class"].tolist() == [LABELS[2], None]
    np.testing.assert_allclose(found["sign_score"][0], before["sign_score"]["c"], rtol=1e-6)
