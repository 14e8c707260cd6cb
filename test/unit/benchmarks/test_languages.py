"""The benchmark of languages: pages of a manual as texts, rules in ten languages, tables in a document."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from adaptml.errors import FileError, FrameError
from adaptml.tasks import MULTICLASS
from adaptml.tasks.metrics import Outcome
from benchmarks.language_rules import RULES, keywords
from benchmarks.languages import Language, Words, chapter, put, task_of, words_of
from benchmarks.man_pages import PAGES, SECTIONS, read_pages, split, text_of
from benchmarks.quality_figures import figures, metrics

PAGE = r""".\" -*- coding: UTF-8 -*-
.TH LS 1 "September 2022"
.SH BEZEICHNUNG
ls, dir \- Verzeichnisinhalte auflisten
.SH ÜBERSICHT
\fBls\fP [\fIOPTION\fP]…
.SH BESCHREIBUNG
.PP
Listet \fBDateien\fP der
.B Vorgabe
nach auf.
.PP
Ein zweiter Absatz.
"""


def test_a_page_s_line_and_first_paragraph_without_its_names() -> None:
    assert (
        text_of(PAGE, ("BESCHREIBUNG",))
        == "Verzeichnisinhalte auflisten. Listet Dateien der Vorgabe nach auf."
    )
    assert text_of(PAGE, ("DESCRIPTION",)) == ""


def test_pages_of_a_folder_by_their_sections(tmp_path: Path) -> None:
    for name in ("man1/ls.1.gz", "man1/dir.1.gz", "man5/ls.5.gz"):
        path = tmp_path / "de" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = PAGE.replace("zweiter", name) if "man1" in name else PAGE.replace("Listet", "Beschreibt")
        path.write_bytes(gzip.compress(text.encode()))
    pages = read_pages(tmp_path, "de")
    # dir says what ls says: the same page under another name.
    assert pages[["id", "label"]].to_numpy().tolist() == [["1-dir.1", "program"], ["5-ls.5", "other"]]
    assert set(split(pages)) <= {"train", "gold", "test"}
    with pytest.raises(FrameError, match="has no manual pages"):
        read_pages(tmp_path, "fr")


@pytest.mark.parametrize("language", RULES)
def test_each_language_has_rules_for_each_class_and_pages(language: str) -> None:
    made = keywords(language)
    assert {label for label, _ in made.values()} == set(SECTIONS)
    assert all(words and all(words) for _, words in made.values())
    assert language in PAGES
    assert len(task_of(language).lfs) == len(made)


def test_words_are_counted_by_hand() -> None:
    """Three of four rows have votes; of five votes, four are right."""
    L = np.array([[0, 0], [1, -1], [-1, -1], [1, 0]], np.int8)
    assert words_of(L, np.array([0, 1, 2, 1])) == Words(0.75, 0.8)


def test_tables_take_the_place_of_those_before(tmp_path: Path) -> None:
    Y = np.eye(3, dtype=np.int8)
    found = figures(metrics(MULTICLASS), Y, Outcome(Y.astype(np.float64), Y), seed=0)
    models = [(m, e) for e in ("hashing", "hybrid") for m in ("gold alone", "weak", "both")]
    known = dict.fromkeys([("most frequent class", ""), ("label model", ""), *models], found)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures: by a command -->\nold\n<!-- end of figures -->\nafter\n")
    text = chapter([Language("de", (6, 2, 3), Words(0.5, 0.9), Words(0.7, 0.8), known)])
    put(text, page)
    put(text, page)
    lines = page.read_text().splitlines()
    assert "old" not in lines
    assert lines[0] == "before"
    assert lines[-1] == "after"
    assert lines.count("| `de` | 11 | 50%, 90% | 70%, 80% |") == 1
    assert sum(line.endswith("| +0.000 (+0.000 to +0.000) |") for line in lines) == 2
    page.write_text("no place\n")
    with pytest.raises(FileError, match="has no place for figures"):
        put(text, page)
