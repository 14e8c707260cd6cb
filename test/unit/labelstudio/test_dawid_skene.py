"""Dawid and Skene's model: by hand where it can be, against the truth where it was drawn."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from adaptml.errors import DatabaseError
from adaptml.project import Project
from labelstudio.annotations import Annotations, Label
from labelstudio.dawid_skene import confusion_lines, dawid_skene, estimate
from labelstudio.gold import GoldOptions, choose_gold
from labelstudio.process_annotations import process_annotations, summary

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def said(rows: list[str]) -> list[Label]:
    """`said(["c d -"])`: of the first point annotator 1 says cat, 2 dog, 3 nothing; `0` is no class."""
    names = {"c": ("cat",), "d": ("dog",), "b": ("cat", "dog"), "0": ()}
    return [
        Label(("posts", f"{row:03d}"), str(who + 1), names[word], NOW, row)
        for row, words in enumerate(rows)
        for who, word in enumerate(words.split())
        if word != "-"
    ]


def test_perfect_agreement_by_hand() -> None:
    # Two points of each class, two annotators: P = 1 and 0, so C counts 2 + 0.01 right and 0.01 wrong.
    found = estimate(np.array([[0, 0], [0, 0], [1, 1], [1, 1]]), 2)
    assert found.converged
    assert found.probs == pytest.approx(np.array([[1, 0], [1, 0], [0, 1], [0, 1]]), abs=1e-4)
    assert found.confusion[0] == pytest.approx(np.array([[2.01, 0.01], [0.01, 2.01]]) / 2.02, abs=1e-4)
    assert found.shares == pytest.approx([0.5, 0.5])


def test_annotators_errors_are_found_again() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(3, size=4000, p=[0.5, 0.3, 0.2])
    real = np.array(
        [
            [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.05, 0.05, 0.9]],
            [[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.3, 0.1, 0.6]],
            [[0.8, 0.1, 0.1], [0.1, 0.85, 0.05], [0.1, 0.2, 0.7]],
            [[0.6, 0.2, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]],
        ]
    )
    codes = np.stack([[rng.choice(3, p=c[t]) for t in truth] for c in real], axis=1)
    codes[rng.random(codes.shape) < 0.2] = -1
    codes = codes[(codes >= 0).any(axis=1)]
    found = estimate(codes, 3)
    assert np.abs(found.confusion - real).max() < 0.08
    assert found.shares == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert found.probs.sum(axis=1) == pytest.approx(np.ones(len(codes)))


def test_a_reliable_annotator_outvotes_two_who_guess(make_task: Any) -> None:
    # 1 is checked by 2 and 3, who agree with 1 more than with each other.
    rows = ["c c d", "c d c", "d d c", "d c d"] * 10 + ["c c c", "d d d"] * 5 + ["c d d"]
    labels, confusions, converged = dawid_skene(said(rows), make_task("multiclass", "cat dog"))
    assert converged
    assert labels[-1] == ("cat",)
    best = max(confusions, key=lambda c: c.accuracy)
    assert best.annotator == "1"
    assert best.names == ["cat", "dog", "none"]


def test_none_is_a_class_and_label_sets_are_decided_class_by_class(make_task: Any) -> None:
    single, _, _ = dawid_skene(said(["c c", "0 0", "d d"]), make_task("multiclass", "cat dog"))
    assert single == [("cat",), (), ("dog",)]
    several, confusions, _ = dawid_skene(said(["b b", "0 0", "d d"]), make_task("multilabel", "cat dog"))
    assert several == [("cat", "dog"), (), ("dog",)]
    assert [(c.annotator, c.about) for c in confusions] == [
        ("1", "cat"), ("2", "cat"), ("1", "dog"), ("2", "dog"),
    ]  # fmt: skip


def test_a_tie_is_dropped(make_task: Any) -> None:
    # Nothing tells the two annotators apart.
    labels, _, _ = dawid_skene(said(["c c", "d d"] * 6 + ["c d", "d c"]), make_task("multiclass", "cat dog"))
    assert labels[:2] == [("cat",), ("dog",)]
    assert labels[12:] == [None, None]


def test_as_a_gold_choice(make_task: Any) -> None:
    labels = said(["c c", "d d"] * 6 + ["c d", "d c"])
    keys = tuple(dict.fromkeys(label.key for label in labels))
    task = make_task("multiclass", "cat dog")
    gold = choose_gold(Annotations(keys, tuple(labels), Counter()), task, GoldOptions("dawid-skene"))
    assert len(gold.frame) == 12
    assert (gold.dropped, gold.why_dropped) == (2, "two answers are equally likely")
    lines = confusion_lines(gold.confusions)
    assert lines[0] == "annotator 1: right in 92%"
    assert lines[1].startswith("  truly cat: says cat 0.92, dog 0.0")


def test_confusion_matrices_are_told_and_kept(
    make_task: Any, exported: Any, annotation: Any, write_export: Any, project: Project
) -> None:
    tasks = [exported(f"{i:02d}", annotation(3, "cat"), annotation(4, "cat")) for i in range(3)]
    tasks += [exported(f"{i:02d}", annotation(3, "dog"), annotation(4, "dog")) for i in range(3, 6)]
    done = process_annotations(
        project, make_task("multilabel", "cat dog"), write_export(tasks), "dawid-skene"
    )
    assert confusion_lines(done.gold.confusions)[0] == (
        "annotator 3, class cat: says so of 100% of its points and of 0% of the others"
    )
    kept = json.loads((done.folder / "annotators.json").read_text())
    assert [(found["annotator"], found["about"]) for found in kept] == [
        ("3", "cat"), ("4", "cat"), ("3", "dog"), ("4", "dog"),
    ]  # fmt: skip
    assert summary(done)[-1].endswith("sample_df.parquet, annotators.json")


def test_confusion_matrices_go_with_the_gold_that_they_belong_to(
    make_task: Any, exported: Any, annotation: Any, write_export: Any, project: Project
) -> None:
    tasks = [exported(f"{i:02d}", annotation(3, "cat"), annotation(4, "cat")) for i in range(3)]
    tasks += [exported(f"{i:02d}", annotation(3, "dog"), annotation(4, "dog")) for i in range(3, 6)]
    file, task = write_export(tasks), make_task("multilabel", "cat dog")
    folder = process_annotations(project, task, file, "dawid-skene").folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "annotators.json" in before
    with project.database.engine.begin() as connection:  # no place for what was said
        connection.execute(sa.text("CREATE TABLE zoo_annotations (other TEXT)"))
    with pytest.raises(DatabaseError):
        process_annotations(project, task, file, "majority", write=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    process_annotations(project, task, file, "majority")
    assert sorted(path.name for path in folder.iterdir()) == sorted(set(before) - {"annotators.json"})
