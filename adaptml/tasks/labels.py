"""The votes that a task's labelling functions may cast."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

ABSTAIN = -1


class Label(int):
    """One vote: a number with the name of its class.

    Attributes:
        name: name of the class, or ABSTAIN.
    """

    name: str

    def __new__(cls, number: int, name: str) -> "Label":
        """A vote for the class with this number."""
        label = super().__new__(cls, number)
        label.name = name
        return label

    def __getnewargs__(self) -> tuple[int, str]:  # type: ignore[override]
        """What a copy is made of."""
        return int(self), self.name

    def __repr__(self) -> str:
        return f"<{self.name}: {int(self)}>"

    @property
    def value(self) -> int:
        """The number."""
        return int(self)


class Labels:
    """The classes of a task as votes: ABSTAIN = -1, then the classes from 0 in the task's order.

    A class is an attribute (`labels.spam`) and, whatever its name, an item (`labels["check out"]`). So is
    what a class was called before, which is a vote for the class that it is now.

    Example:
        >>> labels = Labels(["ham", "check out"])
        >>> labels.ham, labels["check out"], labels.ABSTAIN
        (<ham: 0>, <check out: 1>, <ABSTAIN: -1>)
        >>> [label.name for label in labels]
        ['ABSTAIN', 'ham', 'check out']
    """

    def __init__(self, class_names: Sequence[str], former: Mapping[str, str] | None = None) -> None:
        """Number the classes.

        Args:
            class_names: k names, in the task's order.
            former: names of before → the class that each is now.
        """
        votes = [Label(ABSTAIN, "ABSTAIN"), *(Label(i, name) for i, name in enumerate(class_names))]
        # The instance's own dictionary: no class name can collide with a method, for there is none.
        self.__dict__.update({label.name: label for label in votes})
        self.__dict__.update({name: self.__dict__[now] for name, now in (former or {}).items()})

    def __getattr__(self, name: str) -> Label:
        raise AttributeError(f"no class {name!r}; the classes are {_listed(self)}")

    def __getitem__(self, name: str) -> Label:
        """The vote for a class.

        Raises:
            KeyError: no class of that name.
        """
        found = self.__dict__.get(name)
        if found is None:
            raise KeyError(f"no class {name!r}; the classes are {_listed(self)}")
        return found  # type: ignore[no-any-return]

    def __call__(self, number: int) -> Label:
        """The vote of a number.

        Raises:
            ValueError: no class of that number.
        """
        for label in self:
            if label == number:
                return label
        raise ValueError(f"no class {number!r}; expected {ABSTAIN} to {len(self) - 2}")

    def __iter__(self) -> Iterator[Label]:
        """ABSTAIN and the classes in order."""
        return (label for name, label in self.__dict__.items() if name == label.name)

    def __len__(self) -> int:
        """Number of votes: one more than of classes."""
        return sum(1 for _ in self)

    def __contains__(self, vote: Any) -> bool:
        """Whether a number is a vote."""
        return any(label == vote for label in self)

    def __repr__(self) -> str:
        return f"Labels({_listed(self)})"


def votes_by_name(labels: Labels) -> dict[str, Label]:
    """Each name that a labelling function may return, those of before included, and the vote that it is."""
    return dict(labels.__dict__)


def _listed(labels: Labels) -> str:
    return ", ".join(label.name for label in labels if label != ABSTAIN)
