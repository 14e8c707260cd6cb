"""The fingerprint of a labelling function: the same where it votes alike, another where it may not."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import FunctionType

from snorkel.labeling import LabelingFunction

from adaptml.features.lemmas import lemma_version
from adaptml.tasks import Labels
from adaptml.tasks.labels import votes_by_name
from dataprogramming.fingerprints.errors import Uncertain
from dataprogramming.fingerprints.functions import put_function
from dataprogramming.fingerprints.libraries import library
from dataprogramming.fingerprints.pieces import Pieces, digest
from dataprogramming.fingerprints.walker import Walker
from dataprogramming.keyword_lfs import KeywordLF
from dataprogramming.lf_json import is_data
from dataprogramming.rule_lfs import RuleLF

_FORM = b"fingerprint 1"  # of how they are made: another number makes all of them new
# They turn rows and rules into votes; as long as they are the same, so are the votes.
_VOTING = {
    "dataprogramming": [
        "applier.py",
        "declared_sets.py",
        "keyword_lfs.py",
        "rule_lfs.py",
        "rows.py",
        "vote_encoder.py",
    ],
    "adaptml.rules": ["core.py", "keywords.py", "stored_lists.py"],
    "adaptml.tasks": ["class_sets.py"],
    "adaptml.features": ["emoji.py", "english.py", "lemmas.py", "words.py"],
}


@dataclass(frozen=True)
class Fingerprint:
    """What a labelling function's votes follow from, beside the data point.

    Attributes:
        digest: 32 hexadecimal digits; None where it cannot be certain.
        reason: why it cannot, in words that follow the function's name; empty where it can.
        changes_row: whether it may change the data point that it is given.
    """

    digest: str | None
    reason: str = ""
    changes_row: bool = False


def fingerprint(lf: LabelingFunction, labels: Labels, folder: Path | None) -> Fingerprint:
    """The fingerprint of one labelling function, see `fingerprints`."""
    return fingerprints([lf], labels, folder)[0]


def fingerprints(lfs: Sequence[LabelingFunction], labels: Labels, folder: Path | None) -> list[Fingerprint]:
    """The fingerprints of a task's labelling functions.

    Two labelling functions of one digest vote alike on equal data points, in any process at any time. Their
    code counts, and all that it refers to, as far as that is a person's own: functions, classes, values of
    globals and of the functions around them, defaults, resources, preprocessors, parameters that are used.
    What belongs to an installed library counts by name and version. Names of the labelling functions,
    docstrings, comments, line numbers and places of files do not count; nor does the order of a set, which no
    two processes share. The order of a dictionary counts.

    Args:
        lfs: m labelling functions.
        labels: the task's classes, whose names, order and names of before count.
        folder: the task's folder, whose modules count by their code; None for a task made in Python.

    Returns:
        m fingerprints. One has no digest where something was met that may answer differently from call to
        call (files, clocks, random numbers, …), that is seen to keep a state, or that cannot be compared; nor
        where one before it may change the data point, which all of them are given in turn.
    """
    walker = Walker(folder)
    names = ", ".join(map(repr, (label.name for label in labels)))
    former = sorted((name, vote.name) for name, vote in votes_by_name(labels).items() if name != vote.name)
    head = [
        _FORM,
        _voting(),
        platform.python_implementation().encode(),
        platform.python_version().encode(),
        names.encode(),
        *([repr(former).encode()] if former else []),
    ]
    return _after_changes(lfs, [_fingerprint(walker, lf, head) for lf in lfs])


@cache
def _voting() -> bytes:
    """The product's own code that a vote follows from, in whatever version it stands here."""
    places = [files(package).joinpath(name) for package, names in _VOTING.items() for name in names]
    return digest(place.read_bytes() for place in places)


def _after_changes(lfs: Sequence[LabelingFunction], found: list[Fingerprint]) -> list[Fingerprint]:
    """Fingerprints of functions that may see a data point as another left it; rules that are data do not."""
    changing = next((j for j, print_ in enumerate(found) if print_.changes_row), len(found))
    return [
        Fingerprint(None, f"it is given the data point that {lfs[changing].name} before it may have changed")
        if j > changing and print_.digest is not None and not is_data(lf)
        else print_
        for j, (lf, print_) in enumerate(zip(lfs, found, strict=True))
    ]


def _fingerprint(walker: Walker, lf: LabelingFunction, head: Sequence[bytes]) -> Fingerprint:
    def put(out: Pieces) -> None:
        out += head
        _put_lf(walker, out, lf)

    try:
        return Fingerprint(walker.root(put).hex())
    except Uncertain as error:
        return Fingerprint(None, str(error), error.changes_row)
    except RecursionError:
        return Fingerprint(None, "it refers to something that is nested too deeply to be compared")


def _put_lf(walker: Walker, out: Pieces, lf: LabelingFunction) -> None:
    """A labelling function without its name."""
    if is_data(lf):
        _put_rule_of_data(walker, out, lf)
        return
    walker.meet(out, lf)
    walker.visit(out, type(lf), "its class")
    state = {name: part for name, part in vars(lf).items() if name != "name"}
    _put_rule(walker, out, state.pop("_f", None))
    for name, part in state.items():
        out.append(name.encode())
        walker.visit(out, part, _PARTS.get(name, f"its attribute `{name}`"))


def _put_rule_of_data(walker: Walker, out: Pieces, lf: RuleLF) -> None:
    """A rule by what it says, and of keywords by what becomes of words, too."""
    out += [b"rule", str(library(RuleLF.__module__)).encode()]
    out.append(lf.rule.model_dump_json(exclude={"name", "label"}).encode())
    walker.visit(out, lf.label, "its label")
    if isinstance(lf, KeywordLF) and not lf.rule.exact:
        out.append(lemma_version(lf.rule.language).encode())


_PARTS = {"_resources": "its resources", "_pre": "its preprocessors"}


def _put_rule(walker: Walker, out: Pieces, rule: object) -> None:
    if isinstance(rule, FunctionType):
        walker.meet(out, rule)
        put_function(walker, out, rule, is_rule=True)
    else:
        walker.visit(out, rule, "its function")
