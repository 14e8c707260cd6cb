"""What jobs print, cleaned, in a file that keeps its beginning and its end."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.jobs import logs
from portal.jobs.logs import Lines, Log, clean


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("\x1b[1;31merror:\x1b[0m no", "error: no"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10%\r20%\r\n", "10%\n20%\n"),
        ("a\x00b\x07\tc\x9b", "ab\tc"),
        ("<script>é\U0001f600", "<script>é\U0001f600"),
    ],
)
def test_what_a_terminal_would_take_for_an_order_is_gone(printed: str, kept: str) -> None:
    assert clean(printed) == kept


@given(st.text(alphabet="aé\n\r\U0001f600\x1b[0m", max_size=40), st.lists(st.integers(0, 80), max_size=5))
def test_lines_do_not_depend_on_how_the_pipe_cuts_them(text: str, places: list[int]) -> None:
    data, lines, found = text.encode(), Lines(), ""
    for start, end in zip([0, *sorted(places)], [*sorted(places), len(data)], strict=True):
        found += lines.take(data[start:end])
    whole = Lines()
    assert found + lines.take(b"", end=True) == whole.take(data) + whole.take(b"", end=True)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Log:
    monkeypatch.setattr(logs, "HEAD_BYTES", 100)
    monkeypatch.setattr(logs, "TAIL_BYTES", 100)
    return Log(tmp_path / "logs" / "1.log")


def everything(log: Log, most: int) -> str:
    text, place = log.read(0, most)
    while place < log.size:
        more, place = log.read(place, most)
        text += more
    return text


def test_a_long_log_keeps_its_beginning_and_its_end(small: Log) -> None:
    for number in range(100):
        small.add(f"line {number:03}\n".encode())
    text = everything(small, 1000)
    assert small.size == 900
    assert text.startswith("line 000\nline 001\n")
    assert text.endswith("line 098\nline 099\n")
    assert f"{small.cut:>15,} bytes left out" in text
    assert len(text.encode()) - len(small._mark) + small.cut == 900
    assert small.path.stat().st_mode & 0o777 == 0o600
    assert small.path.stat().st_size < 400


def test_reading_in_pieces_gives_the_same(small: Log) -> None:
    for number in range(60):
        small.add(f"é{number:03}\n".encode())
    assert everything(small, 7) == everything(small, 1000)


def test_who_has_read_on_goes_on_behind_what_was_left_out(small: Log) -> None:
    small.add(b"x" * 299)
    _, place = small.read(0)
    assert (place, small.cut) == (299, 0)
    small.add(b"y" * 20)
    assert small.cut == 119
    assert small.read(place) == ("y" * 20, 319)


def test_a_log_that_is_not_there_is_empty(small: Log) -> None:
    assert (small.read(0), small.size) == (("", 0), 0)
