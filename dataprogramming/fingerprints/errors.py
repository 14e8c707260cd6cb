"""Why a fingerprint cannot be certain, and where the reason lies."""


class Uncertain(Exception):  # noqa: N818 - it ends a walk; no user sees it
    """The walk met something that it cannot vouch for.

    Attributes:
        problem: what is wrong with it, such as `reads files with open`.
        changes_row: whether it may be a change of the data point, which the labelling functions after it see.
        places: the way to it from the labelling function, such as "its global `helper`"; the outermost first.
    """

    def __init__(self, problem: str, *, changes_row: bool = False) -> None:
        super().__init__(problem)
        self.problem, self.changes_row = problem, changes_row
        self.places: tuple[str, ...] = ()

    def under(self, place: str) -> "Uncertain":
        """The same, seen from one place further out."""
        found = Uncertain(self.problem, changes_row=self.changes_row)
        found.places = (place, *self.places)
        return found

    def __str__(self) -> str:
        return f"{' → '.join(self.places) or 'it'} {self.problem}"
