import pytest

from adaptml import progress as module
from adaptml.progress import progress


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.partition(" rows,")[0] + " rows" for line in capsys.readouterr().err.splitlines()]


def test_a_pipe_gets_a_line_now_and_then_and_one_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    with progress("featurising", 2_000) as advance:
        advance(1_500)
        advance(500)
    assert lines(capsys) == ["featurising: 1,500 of 2,000 rows", "featurising: 2,000 of 2,000 rows"]


def test_within_ten_seconds_there_is_only_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), progress("featurising", 3) as advance:
        advance(1)
        raise KeyboardInterrupt
    assert lines(capsys) == ["featurising: 1 of 3 rows"]


def test_nothing_where_it_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("featurising", 3, shown=False) as advance:
        advance(3)
    assert capsys.readouterr().err == ""
