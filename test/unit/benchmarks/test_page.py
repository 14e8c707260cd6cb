"""The page of benchmarks is made from what they wrote, and one that fails takes no other's figures away."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import page
from benchmarks.form import Measured, Report
from benchmarks.measuring import Cost
from benchmarks.picture import alternative, drawn, references

README = "before\n<!-- benchmarks: by make benchmarks -->\nold\n<!-- end of benchmarks -->\nafter\n"


def found(*lines: Measured, failed: str = "") -> Report:
    heading = {"machine": "a laptop", "Python": "3.11.7"}
    return Report("reading", "By key.", 1000, "rows", [*lines], heading, "2026-11-26", [0.5, 1.25], failed)


def by_key(size: int, *, readme: bool = False) -> Measured:
    theirs = Cost(size / 50, 40.0)
    return Measured(
        "numbers", size, Cost(size / 100, 20.0), "pandas", theirs, min(size, 100), "equal", readme
    )


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "benchmarks").mkdir(parents=True)
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    return tmp_path / "docs"


def test_a_page_with_its_picture_and_readme(docs: Path) -> None:
    alone = Measured("a start", 0, Cost(0.25), readme=True)
    report = found(by_key(100, readme=True), by_key(1000, readme=True), alone)
    report.write(docs / "benchmarks" / "reading.json")
    page.write(docs, docs.parent / "README.md")
    text = (docs / "benchmarks.md").read_text(encoding="utf-8")
    assert text.endswith(
        "## Reading\n\nBy key.\n\n"
        "![CPU and memory against rows, logarithmic: numbers; beside them pandas](benchmarks/reading.png)\n\n"
        "| what | rows | CPU | memory | reference | its rows | its CPU | its memory | times as fast |\n"
        "| :--- | ---: | ---: | ---: | :--- | ---: | ---: | ---: | ---: |\n"
        "| numbers | 100 | 1.00 s | 20 MB | pandas | 100 | 2.00 s | 40 MB | 2.00 |\n"
        "| numbers | 1,000 | 10.0 s | 20 MB | pandas | 100 | 20.0 s | 40 MB | 20.0 |\n"
        "| a start |  | 250 ms |  |  |  |  |  |  |\n\n"
        "- numbers, 100 rows: equal\n- numbers, 1,000 rows: equal\n\n"
        "`python -m benchmarks.reading --rows 1000`, 2026-11-26; a laptop, Python 3.11.7; load 0.5 before, 1.2 after\n"
    )
    assert (docs / "benchmarks" / "reading.png").read_bytes().startswith(b"\x89PNG")
    assert (docs.parent / "README.md").read_text(encoding="utf-8") == (
        "before\n<!-- benchmarks: by make benchmarks -->\n\n"
        "| what | this project | beside it | times as fast | command |\n"
        "| --- | --- | --- | ---: | --- |\n"
        "| reading: numbers, 1,000 rows | 10.0 s, 20 MB | pandas, 100 rows: 20.0 s, 40 MB | 20.0 | `python -m benchmarks.reading` |\n"
        "| reading: a start | 250 ms |  |  | `python -m benchmarks.reading` |\n\n"
        "<!-- end of benchmarks -->\nafter\n"
    )


def test_a_picture_has_what_was_measured_at_several_sizes() -> None:
    once = Measured("once", 7, Cost(1.0), "bare Python", Cost(1.0))
    report = found(by_key(10), by_key(20), once)
    assert drawn(report) == ["numbers"]
    assert references(report) == ["pandas"]
    assert "once" not in alternative(report)
    assert drawn(found(once)) == []


def test_a_failed_run_does_not_take_the_place_of_a_good_one(tmp_path: Path) -> None:
    kept = tmp_path / "reading.json"
    page.keep(found(failed="no memory"), kept)
    assert not kept.exists()
    page.keep(found(by_key(10), failed="no memory"), kept)
    assert "It ended early: no memory" in page.section(page.read_report(kept), None)
    page.keep(found(by_key(20)), kept)
    page.keep(found(by_key(30), failed="no memory"), kept)
    assert [line.size for line in page.read_report(kept).lines] == [20]


def test_what_fails_is_named_and_the_others_are_run(
    tmp_path: Path, docs: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "bad.py").write_text("raise SystemExit(3)")
    (tmp_path / "benchmarks" / "good.py").write_text(
        "import sys, shutil; shutil.copy('report.json', sys.argv[2]); print(*sys.argv[3:])"
    )
    found(by_key(10, readme=True)).write(tmp_path / "report.json")
    monkeypatch.setattr(page, "REPOSITORY", tmp_path)
    monkeypatch.setattr(page, "BENCHMARKS", {"bad": None, "good": 1000, "reading": None})
    with pytest.raises(SystemExit, match="1"):
        page.main(["bad", "good"], rows=10)
    shown = capfd.readouterr().out
    assert "bad failed: exit code 3\n" in shown
    assert "--rows 10\n" in shown
    assert page.read_report(docs / "benchmarks" / "good.json").lines == [by_key(10, readme=True)]
    with pytest.raises(SystemExit, match="no benchmark of that name: other; there are bad, good, reading"):
        page.main(["other"])


def test_every_benchmark_of_the_page_is_there() -> None:
    missing = [name for name in page.BENCHMARKS if find_spec(f"benchmarks.{name}") is None]
    assert missing == []


def test_the_page_is_made_from_the_figures_that_are_kept(tmp_path: Path) -> None:
    """Nobody edits the page, or README's table of it, by hand."""
    docs = tmp_path / "docs"
    kept = page.REPOSITORY / "docs"
    (docs / "benchmarks").mkdir(parents=True)
    for path in (kept / "benchmarks").glob("*.json"):
        (docs / "benchmarks" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "README.md").write_bytes((page.REPOSITORY / "README.md").read_bytes())
    page.write(docs, tmp_path / "README.md")
    assert (docs / "benchmarks.md").read_bytes() == (kept / "benchmarks.md").read_bytes()
    assert (tmp_path / "README.md").read_bytes() == (page.REPOSITORY / "README.md").read_bytes()
