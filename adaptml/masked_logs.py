"""Logs and tracebacks without secrets; see `adaptml.masking`."""

import logging
import sys
import threading
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from adaptml.masking import masked, remember, secret_variables

_record_as_it_is = logging.getLogRecordFactory()


def mask_this_process(environment: Mapping[str, str]) -> None:
    """Keep secrets out of all that is logged here, whoever logs it, and out of tracebacks.

    For where a process of ours begins: it changes how the whole process logs.

    Args:
        environment: the process's; passwords, tokens and keys in it count as secrets from now on.
    """
    remember(*secret_variables(environment.items()))
    logging.setLogRecordFactory(masked_record)
    sys.excepthook = _say
    if threading.excepthook is threading.__excepthook__:  # none of somebody who wants to know of errors
        threading.excepthook = lambda told: _say(told.exc_type, told.exc_value, told.exc_traceback)


def masked_record(*arguments: Any, **more: Any) -> logging.LogRecord:
    """A record of a log whose message and traceback hold no secret; see `logging.setLogRecordFactory`."""
    record = _record_as_it_is(*arguments, **more)
    if record.name == "uvicorn.access":  # its formatter wants the parts
        record.args = tuple(masked(part) if isinstance(part, str) else part for part in record.args or ())
        return record
    try:
        record.msg, record.args = masked(record.getMessage()), None
    except (TypeError, ValueError, KeyError):  # parts that do not fit, which the handler will say
        return record
    if record.exc_info and record.exc_info[0]:
        record.exc_text = masked(_traceback(*record.exc_info)).rstrip("\n")
    return record


class MaskedFormatter(logging.Formatter):
    """For a log that a library keeps, in whichever process it is used."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, without secrets."""
        return masked(super().format(record))


def _say(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """What Python says of an error that nobody caught."""
    if not issubclass(kind, SystemExit):  # of a thread, which Python passes over
        sys.stderr.write(masked(_traceback(kind, error, trace)))


def _traceback(
    kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
) -> str:
    return "".join(traceback.format_exception(kind, error, trace))
