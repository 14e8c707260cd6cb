"""Votes cast by processes of this machine are those of one: of rules in a folder with all that is beside them."""

import numpy as np
import pandas as pd
import pytest

from adaptml.errors import LabellingError
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming import vote_elsewhere
from dataprogramming.lfs import keyword_lf
from dataprogramming.vote_elsewhere import range_rows
from dataprogramming.vote_store import SEGMENT_ROWS

TASK = """
title: Which?
setting: multiclass
classes: [ham, spam]
columns: [{name: txt, type: text}]
lf_features: [txt, tokens]
features: [vec]
"""
RULES = """
from pathlib import Path
from snorkel.labeling import LabelingFunction, labeling_function
from dataprogramming.lfs import LFParams, keyword_lf, regex_lf
from helpers import WORDS

class Params(LFParams):
    most: int = 5

def get_lfs(params: Params):
    @labeling_function()
    def late(x):
        from helpers import LATE
        return "spam" if x.txt in LATE + Path("words.txt").read_text().split() else None

    @labeling_function()
    def fails(x):
        return 1 // (len(x.txt) - 3 + params.most)
    return [
        *(LabelingFunction(w, lambda x, w=w: "spam" if w in x.txt else None) for w in WORDS),
        keyword_lf("p", ["purr"], "ham", "tokens"), regex_lf("digit", "[0-9]", "ham", "txt"), late, fails,
    ]
"""


@pytest.fixture
def posts(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Seven rows, of which each process gets two at a time."""
    for name in ("FEW_ROWS", "KEYS_ROWS"):
        monkeypatch.setattr(vote_elsewhere, name, 2)
    folder = project.settings.tasks_dir / "mails"
    folder.mkdir()
    beside = {"helpers.py": "WORDS = ['song']\nLATE = ['seven']", "words.txt": "four\nfive"}
    for name, text in {"task.yaml": TASK, "lfs.py": RULES, **beside}.items():
        (folder / name).write_text(text)
    txt = ["song 1", "two", "three", "four", "five", "song", "seven"]
    rows = pd.DataFrame({"id": [*"abcdefg"], "txt": txt, "tokens": [["purr"], [], [], ["purr"], [], [], []]})
    project.import_table(rows, "posts", types={"tokens": "list"})
    return project


def test_processes_vote_as_one_does_on_a_table_and_on_points(posts: Project) -> None:
    points = pd.DataFrame({"table_name": "posts", "id": [*"gacefb"]})
    for data in ("posts", points):
        given = {"gold": None, "lf_parameters": {"most": "9"}, "fresh": True}
        alone, shared = (posts.apply_lfs("mails", data, workers=n, **given) for n in (1, 2))
        np.testing.assert_array_equal(shared.L, alone.L)
        assert shared.keys.equals(alone.keys)
    # By hand: song, p, digit, late, fails of row a, and late of d, e and g.
    L = posts.apply_lfs("mails", "posts", gold=None, lf_parameters={"most": "9"}).L
    assert L[0, :4].tolist() == [1, 0, 0, -1]
    assert L[:, 3].tolist() == [-1, -1, -1, 1, 1, -1, 1]
    kept = posts.apply_lfs("mails", "posts", gold=None, lf_parameters={"most": "9"}, workers=2).reuse
    assert kept is not None
    assert (kept.kept, kept.computed) == (28, 7)  # nobody knows what `late` will find in its files


def test_a_rule_that_fails_in_a_process_is_one_line_with_its_place_or_counted(posts: Project) -> None:
    given = {"gold": None, "lf_parameters": {"most": "0"}, "workers": 2}
    with pytest.raises(
        LabellingError, match=r"'fails' failed on data point posts/b, at .*lfs.py, line 18: Zero"
    ):
        posts.apply_lfs("mails", "posts", **given)
    assert posts.apply_lfs("mails", "posts", fault_tolerant=True, **given).failures == {"fails": 1}


def test_rules_of_a_task_made_in_python_go_to_the_processes(posts: Project) -> None:
    task = Task(classes=["ham", "spam"], lfs=[keyword_lf("p", ["purr"], "ham", "tokens")])  # type: ignore[arg-type]
    assert posts.apply_lfs(task, "posts", gold=None, workers=2).L.ravel().tolist() == [
        0,
        -1,
        -1,
        0,
        -1,
        -1,
        -1,
    ]


def test_a_range_is_small_enough_for_many_workers_and_no_larger_than_votes_are_kept_together() -> None:
    assert (range_rows(3_000), range_rows(640_000), range_rows(10**9)) == (2_000, 20_000, SEGMENT_ROWS)
