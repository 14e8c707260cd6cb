"""Everything that can go wrong and that a user can mend.

Each message is one line: what was given, what was expected, what to do.

    AdaptmlError
    ├─ SettingsError            a setting has a value that cannot be used
    ├─ TaskError                a task folder or task file that cannot be used
    ├─ FileError                a file that cannot be written or removed
    ├─ FrameError               data points, in a file or a frame, that cannot be used
    ├─ MissingDataPointsError   ids that are not in the table
    ├─ DatabaseError            the database refuses what was asked
    │   ├─ UnknownTableError
    │   ├─ UnknownColumnError
    │   └─ DatabaseUnavailableError   away or locked: try again later
    ├─ FeatureError             columns that cannot be used as features
    ├─ AnnotationError          an export, a sample or a gold choice that cannot be used
    │   └─ LabelStudioError     Label Studio refuses what was asked
    │       └─ LabelStudioUnavailableError  away or starting: try again later
    ├─ LabellingError           labelling functions or label models that cannot be used
    ├─ ModelError               end models that cannot be trained, found or loaded
    └─ TrackingError            an MLflow run, model or store that cannot be used
"""

from collections.abc import Sequence

MAX_LISTED = 5


class AdaptmlError(Exception):
    """Base of all errors that a user can mend."""


class SettingsError(AdaptmlError):
    """A setting has a value that cannot be used."""


class TaskError(AdaptmlError):
    """A task folder or task file that cannot be used."""


class FileError(AdaptmlError):
    """A file that cannot be written or removed."""


class FrameError(AdaptmlError):
    """Data points, in a file or a frame, that cannot be used."""


class DatabaseError(AdaptmlError):
    """The database refuses what was asked."""


class UnknownTableError(DatabaseError):
    """No table or view of that name."""


class UnknownColumnError(DatabaseError):
    """No column of that name in the table."""


class DatabaseUnavailableError(DatabaseError):
    """The database is away or locked; the same call may succeed later."""


class FeatureError(AdaptmlError):
    """Columns that cannot be used as features."""


class AnnotationError(AdaptmlError):
    """An export, a sample or a gold choice that cannot be used."""


class LabelStudioError(AnnotationError):
    """Label Studio refuses what was asked.

    Attributes:
        status: the HTTP status of its answer; None where it did not answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class LabelStudioUnavailableError(LabelStudioError):
    """Label Studio does not answer; the same call may succeed later."""


class LabellingError(AdaptmlError):
    """Labelling functions or label models that cannot be used."""


class ModelError(AdaptmlError):
    """End models that cannot be trained, found or loaded."""


class TrackingError(AdaptmlError):
    """An MLflow run, model or store that cannot be used."""


class MissingDataPointsError(AdaptmlError):
    """Data points that their tables do not hold.

    Attributes:
        missing: the absent (table_name, id) pairs in the order in which they were asked.
    """

    def __init__(self, missing: Sequence[tuple[str, str]], asked: int) -> None:
        self.missing = list(missing)
        super().__init__(
            f"{len(missing)} of {asked} data points are not in their table: "
            f"{listed([f'{table}/{key}' for table, key in missing])}; "
            "load them into the table or take them out of the frame"
        )


def listed(names: Sequence[object], limit: int = MAX_LISTED) -> str:
    """Names as text for a message: the first `limit` of them and a count of the rest.

    >>> listed(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    shown = ", ".join(str(name) for name in names[:limit])
    rest = len(names) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def one_line(error: BaseException) -> str:
    """What an error says, on one line; its type where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
