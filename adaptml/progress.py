"""One progress bar for all long work: what, how far, rows, rate, time left; lines where nobody sees a bar."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from adaptml.events import EVENTS


class _Rate(ProgressColumn):
    """Rows, or other units, a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """The rate as text."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {self._unit}/s" if speed else "")


LINE_EVERY_S = 10.0
EVENT_EVERY_S = 0.5
WONDER_S = 2.0  # a person who sees nothing for longer asks what is going on
_log = logging.getLogger(__name__)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A block that may have to wait: once it has for two seconds, the text is logged as a warning."""
    timer = Timer(WONDER_S, _log.warning, ["%s", text])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def progress(
    description: str, total: int | None, *, shown: bool = True, unit: str = "rows"
) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; gives a function to call with the number of rows, or of units, just done.

    Where stderr is no terminal, as in a file or a pipe, it writes a line every 10 seconds and one at the end.
    It writes nothing where `shown` is False; a program that asked for events is told in any case.
    """
    with _shown(description, total, shown, unit) as advance:
        if not EVENTS.wanted:
            yield advance
            return
        told = _Told(description, total, unit)

        def both(rows: int) -> None:
            advance(rows)
            told.advance(rows)

        try:
            yield both
        finally:
            told.tell()


class _Told:
    """Progress as events, at most two a second."""

    def __init__(self, description: str, total: int | None, unit: str) -> None:
        self._facts = {"text": description, "total": total, "unit": unit}
        self._done = 0
        self.tell()

    def advance(self, rows: int) -> None:
        """So many more are done."""
        self._done += rows
        if time.monotonic() - self._at >= EVENT_EVERY_S:
            self.tell()

    def tell(self) -> None:
        """Say how far it is."""
        self._at = time.monotonic()
        EVENTS.tell("progress", **self._facts, done=self._done)


@contextmanager
def _shown(description: str, total: int | None, shown: bool, unit: str) -> Iterator[Callable[[int], None]]:
    if not shown:
        yield lambda _: None
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        with _lines(description, total, unit) as advance:
            yield advance
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(description, total=total)
        yield lambda rows: bar.advance(task, rows)


@contextmanager
def _lines(description: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    began = said = time.monotonic()
    done = 0

    def say() -> None:
        rate = done / max(time.monotonic() - began, 1e-3)
        of_all = "" if total is None else f" of {total:,}"
        sys.stderr.write(f"{description}: {done:,}{of_all} {unit}, {rate:,.0f} {unit}/s\n")
        sys.stderr.flush()

    def advance(rows: int) -> None:
        nonlocal done, said
        done += rows
        if time.monotonic() - said >= LINE_EVERY_S and (total is None or done < total):
            said = time.monotonic()
            say()

    try:
        yield advance
    finally:
        if total:
            say()
