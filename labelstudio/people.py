"""Who annotates what: a project for each person, and a share of the points that all of them see.

Label Studio's community edition has no assignment. Nothing is kept here: who takes part and how large the
share is stands in the projects' descriptions, and who has a point is seen from their tasks.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from adaptml.errors import LabelStudioError, listed
from adaptml.tasks import Task
from labelstudio.client import LabelStudio
from labelstudio.project import Person, Setup, people_of, setup

OVERLAP = 0.2


def setup_people(studio: LabelStudio, task: Task, emails: Sequence[str], overlap: float) -> dict[str, Setup]:
    """Make or update each person's project; those who are not named keep theirs and get no new points.

    Args:
        studio: the server.
        task: gives the labelling page, the title and the annotators' instructions.
        emails: of the accounts of at least two people.
        overlap: share of the points that everybody gets, in [0, 1].

    Raises:
        LabelStudioError: fewer than two people, one without an account, or a share outside of 0 to 1.
    """
    if len(set(emails)) < 2 or len(set(emails)) < len(emails):
        raise LabelStudioError(
            f"the annotators given are {listed(list(emails), 20) or 'none'}; expected e-mail addresses of "
            "two or more, each once, such as --annotators anna@example.com,ben@example.com"
        )
    if not 0 <= overlap <= 1:
        raise LabelStudioError(
            f"an overlap of {overlap:g} was given; expected a share from 0 to 1, such as 0.2"
        )
    accounts = sorted(studio.users().values())
    unknown = [email for email in emails if email not in accounts]
    if unknown:
        raise LabelStudioError(
            f"Label Studio at {studio.url} has no account of {listed(unknown)}; its accounts are "
            f"{listed(accounts, 20)}: let them sign up first"
        )
    wanted = [Person(email, overlap) for email in emails]
    wanted += [Person(p.email, None) for p, _ in people_of(studio, task) if p.email not in emails]
    return {person.email: setup(studio, task, person=person) for person in wanted}


def distribute(
    ids: Sequence[str],
    table: str,
    people: Sequence[str],
    overlap: float,
    there: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """Who gets which points of a sample.

    The first `overlap`·n of them by a hash of the key go to everybody; of the others, those that somebody has
    stay there, and the rest goes, in the order of the hash, to whoever has the fewest. The same sample is
    split in the same way, so that a push that was cut short goes on where it stopped.

    Args:
        ids: n different ids.
        table: their table.
        people: who takes part.
        overlap: share of the points that everybody gets, in [0, 1].
        there: id → who has it already.

    Returns:
        Person → ids, in the order of the sample; those that the person has already are among them.

    >>> distribute(["1", "2", "3", "4"], "t", ["a", "b"], 0.5, {})
    {'a': ['1', '2', '3'], 'b': ['2', '3', '4']}
    """
    ordered = sorted(ids, key=lambda key: hashlib.sha256(f"{table}\0{key}".encode()).digest())
    shared = set(ordered[: round(overlap * len(ordered))])
    given = {key: {person for person in people if person in there.get(key, ())} for key in ids}
    load = Counter(
        {person: sum(person in given[key] for key in ids if key not in shared) for person in people}
    )
    for key in ordered:
        if key in shared:
            given[key] = set(people)
        elif not there.get(key):
            least = min(people, key=lambda person: load[person])
            given[key] = {least}
            load[least] += 1
    return {person: [key for key in ids if person in given[key]] for person in people}
