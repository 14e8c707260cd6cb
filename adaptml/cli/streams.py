"""What a command says never ends it: a terminal may be closed, full, or without most characters."""

import io
import os
import sys
from typing import Any, TextIO

EXIT_UNSAID = 1
EXIT_CLOSED_PIPE = 141  # as a shell says of programs that SIGPIPE ends


class _Patient(io.FileIO):
    """A file descriptor whose first failure is kept, and which takes everything."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, or drop what cannot be written."""
        view = memoryview(data)
        if self.failure is None:
            try:
                return super().write(view) or 0
            except OSError as error:
                self.failure = error
        return view.nbytes


def make_patient() -> None:
    """Let stdout and stderr replace what their encoding cannot say, and drop what nobody takes.

    Streams that a program put in their place stay as they are.
    """
    sys.stdout = _patient(sys.stdout, sys.__stdout__, 1)
    sys.stderr = _patient(sys.stderr, sys.__stderr__, 2)


def _patient(stream: TextIO | None, original: TextIO | None, number: int) -> TextIO:
    if stream is not None and stream is not original:
        return stream
    if stream is None:  # closed before the process began: whatever is opened next would get its number
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    else:
        stream.flush()
    at_once = stream is not None and (stream.write_through or stream.line_buffering)  # type: ignore[attr-defined]
    raw = _Patient(number, "wb", closefd=False)
    raw.failure = OSError("it is closed") if stream is None else None
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        "utf-8" if stream is None else stream.encoding,
        "backslashreplace",
        line_buffering=bool(at_once),
    )


def unsaid() -> OSError | None:
    """Why something that was said on stdout is lost; None where all was taken."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.failure if isinstance(raw, _Patient) else None
