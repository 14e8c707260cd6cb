"""What a benchmark measures, prints and writes."""

import sys
from pathlib import Path

import pytest

from benchmarks.form import Measured, duration, read_report, report, sizes
from benchmarks.measuring import Cost, command, measure


def test_times_as_fast_is_by_row() -> None:
    line = Measured("rules", 1000, Cost(2.0), "Snorkel", Cost(5.0), their_size=10)
    assert line.faster == 250.0
    assert line.cells() == ["rules", "1,000", "2.00 s", "", "Snorkel", "10", "5.00 s", "", "250"]
    assert Measured("help", 0, Cost(2.0), "Python", Cost(1.0)).faster == 0.5
    assert Measured("alone", 7, Cost(2.0, 81.4)).cells() == ["alone", "7", "2.00 s", "81 MB", *[""] * 5]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (223.4, "223 s"),
        (10.84, "10.8 s"),
        (1.0, "1.00 s"),
        (0.0024, "2.40 ms"),
        (6e-6, "6.00 µs"),
        (0.0, "0.00 µs"),
    ],
)
def test_seconds_have_the_unit_that_suits_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_picture_has_three_sizes() -> None:
    assert sizes(1_000_000) == [10_000, 100_000, 1_000_000]
    assert sizes(5) == [1, 5]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written = tmp_path / "found.json"
    with report("reading", "Vectors by key.", written, 10) as found:
        found.add(Measured("rows", 10, Cost(1.5, 20.0), "pandas", Cost(3.0), note="the same matrix"))
    again = read_report(written)
    assert again == found
    assert (again.command, len(again.load), again.failed) == ("python -m benchmarks.reading --rows 10", 2, "")


def test_what_was_measured_before_a_failure_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "found.json"
    with pytest.raises(SystemExit, match="the two differ"), report("reading", "Vectors.", written) as found:
        found.add(Measured("rows", 10, Cost(1.5)))
        found.check(same=False, otherwise="the two differ")
    again = read_report(written)
    assert (len(again.lines), again.failed) == (1, "the two differ")
    assert "1.50 s" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets a peak")
def test_memory_is_that_of_the_work_alone() -> None:
    takes_100_mb = "len(bytearray(100_000_000))"
    size, cost = measure(eval, f"(len(bytearray(400_000_000)), {takes_100_mb!r})[1]", prepare=eval)
    assert size == 100_000_000
    assert cost.peak_mb is not None
    assert 100 < cost.peak_mb < 400


def test_a_command_is_measured_alone_and_ends_the_benchmark_where_it_fails() -> None:
    printed, cost = command(["-c", "print(len(bytearray(100_000_000)))"])
    assert printed == "100000000\n"
    assert cost.seconds > 0
    assert 100 < (cost.peak_mb or 0) < 130  # without what this process holds
    with pytest.raises(SystemExit, match="exit code 3"):
        command(["-c", "raise SystemExit(3)"])
