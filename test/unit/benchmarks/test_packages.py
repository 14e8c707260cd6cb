"""Package descriptions as a data set: what is read, how rules vote, what is written."""

from pathlib import Path

import numpy as np
import pytest
import typer

from adaptml.errors import FrameError
from benchmarks.packages import RULES, command, read_packages
from benchmarks.written_sets import votes

# Of each section one, and what is left out: of another section, without a line, a text that was there already.
PARAGRAPHS = [
    *(
        f"Package: p-{name}\nVersion: 1\nSection: {name}\nDescription: about {name}\n and more of it"
        for name in RULES
    ),
    "Package: far\nSection: contrib/games\nDescription-en: a puzzle",
    "Package: libc6\nSection: libs\nDescription: a library",
    "Package: quiet\nSection: games",
    "Package: twice\nSection: games\nDescription: a puzzle",
]


def test_packages_of_the_sections_are_read_each_text_once(tmp_path: Path) -> None:
    file = tmp_path / "available"
    file.write_text("\n\n".join(PARAGRAPHS) + "\n", encoding="utf-8")
    found = read_packages(file)
    assert found["name"].tolist() == [*(f"p-{name}" for name in RULES), "far"]
    assert found.loc[found["name"] == "far", ["text", "label"]].values.tolist() == [["a puzzle", "games"]]


def test_a_file_without_a_section_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "available"
    file.write_text("\n\n".join(PARAGRAPHS[1:]), encoding="utf-8")
    with pytest.raises(FrameError, match="no package of science; expected what `apt-cache dumpavail` prints"):
        read_packages(file)


def test_what_cannot_be_read_or_drawn_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="none cannot be read; expected what `apt-cache dumpavail` prints"):
        command(tmp_path / "none", tmp_path / "set")
    file = tmp_path / "available"
    file.write_text("\n\n".join(PARAGRAPHS), encoding="utf-8")
    with pytest.raises(typer.BadParameter, match="--rows 100 are more than the 10 packages"):
        command(file, tmp_path / "set", rows=100, gold=5)
    with pytest.raises(typer.BadParameter, match="--gold 60 is more than half of --rows 100"):
        command(file, tmp_path / "set", rows=100, gold=60)
    assert not (tmp_path / "set").exists()


def test_rules_vote_for_their_own_class() -> None:
    of = np.repeat(np.arange(len(RULES)), [len(patterns) for patterns in RULES.values()])
    said = np.array(votes("Chess server for astronomy", RULES))
    named = {int(j) for j in np.flatnonzero(said != -1)}
    assert (said[said != -1] == of[said != -1]).all()
    assert {[*RULES][of[j]] for j in named} == {"science", "net", "games"}
    assert len(said) == 33
