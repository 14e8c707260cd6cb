"""What was pulled, as the steps after it read it."""

from collections.abc import Collection, Iterator

from labelstudio.export import ExportedTask
from labelstudio.mirror import Mirror
from labelstudio.process_annotations import ProcessedAnnotations


class MirroredTasks(Collection[ExportedTask]):
    """The tasks of a mirror, decoded anew each time they are gone through, so that few are held at once."""

    def __init__(self, mirror: Mirror, source: str) -> None:
        """Name the mirror, and where its tasks came from, for messages."""
        self._mirror, self.source = mirror, source

    def __len__(self) -> int:
        return self._mirror.counts()[0]

    def __iter__(self) -> Iterator[ExportedTask]:
        return self._mirror.tasks(self.source)

    def __contains__(self, task: object) -> bool:
        return any(task == other for other in self)


def unlabelled(done: ProcessedAnnotations, users: dict[int, str]) -> dict[str, int]:
    """How many points each annotator has not labelled, by e-mail address; the owner only if they annotate.

    Args:
        done: the frames.
        users: e-mail addresses of all accounts by id.
    """
    owner = min(users, default=0)
    found = {}
    for number, email in sorted(users.items()):
        column = done.ann_df.get(str(number))
        if column is not None or number != owner:
            found[email] = len(done.ann_df) if column is None else int(column.isna().sum())
    return found
