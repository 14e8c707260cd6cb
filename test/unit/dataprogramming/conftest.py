"""A small project for the steps of labelling: posts about pets, with gold and rules."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import TextList
from adaptml.frames import write_frame
from adaptml.project import Project

TASK = """
title: Which animal?
setting: multiclass
classes: [{name: cat}, {name: dog}]
columns: [{name: txt}]
lf_features: [txt, tokens]
features: [vec]
"""
LFS = """
from dataprogramming.lfs import keyword_lf
from snorkel.labeling import labeling_function
def get_lfs(params):
    @labeling_function()
    def long(x):
        return "dog" if len(x.tokens) > 2 else None
    return [keyword_lf("cats", ["purr", "hiss"], "cat", "tokens"), keyword_lf("dogs", ["bark"], "dog", "tokens"), long]
"""
POSTS = {
    "1": ("It purrs.", ["it", "purr"]),
    "2": ("He barked", ["he", "bark"]),
    "3": ("Purring and barking!", ["purr", "and", "bark"]),
    "4": ("Sun", ["sun"]),
    "5": ("purrs again, she", ["purr", "again", "she"]),
    "6": ("<b>bark</b>", ["bark"]),
}
GOLD = {"2": ["dog"], "3": ["cat"], "5": ["cat"], "6": ["cat"]}


@pytest.fixture
def pets(clean_room: Path) -> Iterator[Project]:
    """Six posts in the table `posts`, four of them with gold, and the task `pets` with three rules."""
    folder = clean_room / "tasks" / "pets"
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    (folder / "lfs.py").write_text(LFS)
    with Project(clean_room) as project:
        project.database.create_table(
            "posts", {"id": sa.Text(), "txt": sa.Text(), "tokens": TextList()}, ["id"]
        )
        rows = [(key, text, tokens) for key, (text, tokens) in POSTS.items()]
        project.database.upsert("posts", pd.DataFrame(rows, columns=["id", "txt", "tokens"]), ["id"])
        gold = pd.DataFrame({"table_name": "posts", "id": list(GOLD)})
        write_frame(gold.assign(gold_label=list(GOLD.values())), project.settings.gold("pets"))
        yield project
