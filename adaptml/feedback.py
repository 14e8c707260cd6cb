"""What annotators said beside their labels, and the words in it that speak for a class.

`ann_df` has a column of label sets for each annotator. Where annotators were asked for more (`feedback: true`
in the task file), it also has `<annotator>_words`, lists of {class, column, text}, and `<annotator>_comment`,
texts.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from adaptml.features.words import is_sign, normalized, split
from adaptml.frames import KEYS
from adaptml.tasks import NONE_CHOICE, Task

WORDS, COMMENT = "_words", "_comment"
COLUMNS = ["class", "word", "points", "marked", "commented", "annotators", *KEYS]
# Words such as "the" are in comments on every class: one counts for a class from this many times its share in
# the comments on others.
TELLING = 2.0


def annotators_in(ann_df: pd.DataFrame) -> list[str]:
    """The columns of an `ann_df` that hold label sets: its annotators."""
    return [name for name in ann_df.columns if name not in KEYS and not name.endswith((WORDS, COMMENT))]


def classes_now(names: Sequence[str], task: Task) -> list[str]:
    """The classes of now that names of any time stand for; one that was split stands for none."""
    return [name for name in task.now(list(names)).labels if name in task.class_names]


@dataclass
class _Found:
    """Where one word was met for one class."""

    marked: set[tuple[str, str]] = field(default_factory=set)
    commented: set[tuple[str, str]] = field(default_factory=set)
    annotators: set[str] = field(default_factory=set)
    spellings: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Comment:
    """One annotator's comment on one point: its words, lower case → as written, and the classes given."""

    key: tuple[str, str]
    annotator: str
    words: Mapping[str, str]
    classes: Sequence[str]


def hints(ann_df: pd.DataFrame, task: Task) -> pd.DataFrame:
    """The words that annotators marked for a class or wrote about its points.

    A word of a comment counts for a class where it is at least twice as frequent in the comments on points of
    this class as in the comments on others. Capitals make no difference.

    Args:
        ann_df: as `process_annotations` writes it.
        task: in the order of its classes they come, and NONE last; names of before a change of the classes
            are those of now.

    Returns:
        A row per class and word, the words of most points first: `class`, `word` as it is mostly written,
        `marked` and `commented` (points where it was marked, and where a comment has it), `points` (either),
        `annotators` (how many people), `table_name` and `id` of one of the points.
    """
    found: dict[tuple[str, str], _Found] = {}
    comments: list[_Comment] = []
    people = [name for name in annotators_in(ann_df) if f"{name}{WORDS}" in ann_df.columns]
    for row in ann_df.to_dict("records") if people else []:
        key = (str(row[KEYS[0]]), str(row[KEYS[1]]))
        for annotator in people:
            for name, text in _marked(row, annotator, task):
                entry = found.setdefault((name, text.lower()), _Found())
                entry.marked.add(key)
                entry.annotators.add(annotator)
                entry.spellings[text] += 1
            comments += _commented(row, key, annotator, task)
    for name, word, comment in _telling(comments):
        entry = found.setdefault((name, word), _Found())
        entry.commented.add(comment.key)
        entry.annotators.add(comment.annotator)
        entry.spellings[comment.words[word]] += 1
    order = {name: place for place, name in enumerate([*task.class_names, NONE_CHOICE])}
    rows = [
        (name, entry.spellings.most_common(1)[0][0], len(entry.marked | entry.commented), len(entry.marked),
         len(entry.commented), len(entry.annotators), *min(entry.marked or entry.commented))
        for (name, _), entry in found.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: (order[row[0]], -row[2], -row[3], row[1]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _marked(row: Mapping[Hashable, Any], annotator: str, task: Task) -> Iterator[tuple[str, str]]:
    """Class and text of what an annotator marked in one point."""
    cell = row.get(f"{annotator}{WORDS}")
    for mark in [] if cell is None or isinstance(cell, float) else cell:
        if text := " ".join(normalized(mark["text"]).split()):
            yield from ((name, text) for name in classes_now([mark["class"]], task))


def _commented(
    row: Mapping[Hashable, Any], key: tuple[str, str], annotator: str, task: Task
) -> Iterator[_Comment]:
    """The comment of an annotator on one point; none where there is no comment or no label."""
    text, label = row.get(f"{annotator}{COMMENT}"), row[annotator]
    if isinstance(text, str) and label is not None:
        words = {token.lower(): token for token in split(text) if not is_sign(token)}
        classes = [NONE_CHOICE] if len(label) == 0 else classes_now(label, task)
        yield _Comment(key, annotator, words, classes)


def _telling(comments: Sequence[_Comment]) -> Iterator[tuple[str, str, _Comment]]:
    """Class, word and comment, where the word is rather in comments on the class than in others."""
    of_class = Counter(name for comment in comments for name in comment.classes)
    with_word = Counter(word for comment in comments for word in comment.words)
    both = Counter((name, word) for c in comments for name in c.classes for word in c.words)
    for comment in comments:
        for name in comment.classes:
            others = len(comments) - of_class[name]
            for word in comment.words:
                here, elsewhere = both[name, word], with_word[word] - both[name, word]
                if here * others >= TELLING * elsewhere * of_class[name]:
                    yield name, word, comment
