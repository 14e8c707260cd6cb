"""Labelling functions that vote where a keyword is found, and the keywords of many of them found at once."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import LabellingError
from adaptml.rules.core import KeywordRule, keyword_search
from adaptml.tasks.class_sets import VoteFor, label_name
from dataprogramming.rule_lfs import RuleLF


class KeywordLF(RuleLF):
    """Votes where one of its keywords is found, see `keyword_lf`.

    Attributes:
        keywords: the words looked for, as they were given.
    """

    rule: KeywordRule

    @property
    def keywords(self) -> frozenset[str]:
        """The words looked for, as they were given."""
        return self.rule.keywords

    def in_language(self, language: str) -> None:
        """Take the task's language, where none was given."""
        if "language" not in self.rule.model_fields_set:
            self.rule = self.rule.model_copy(update={"language": language})


def keyword_lf(
    name: str, keywords: Iterable[str], label: VoteFor, column: str, *, exact: bool = False
) -> KeywordLF:
    """A labelling function that votes `label` where one of `keywords` is found.

    A keyword is a word, a phrase, a number, an emoji or a #hashtag, as people write it. In a column of text
    it is found where its words stand one after another as they are written, in capitals or not, or by their
    lemmas: `cancelled` is found in "They cancel". In a column of lists, such as the lemmas that `featurize`
    makes, it is found where its words or its lemmas are among the items. It is never found inside a word.

    Args:
        name: name of the LF, unique within the task.
        keywords: at least one; `lookup` reads them from a file.
        label: a member of `params.labels`, or a class name; or a set of these, such as `{"cat", "dog"}` and
            `not_("cat")`, where the words do not tell which of them it is.
        column: one of the task's LF features; its values are texts, or lists of text.
        exact: only as it is written: case counts, and lemmas do not; of `US`, "us" is no other form then.

    Raises:
        LabellingError: `keywords` is empty, holds what is no word, or is one text where a list is expected.

    Example:
        >>> from types import SimpleNamespace
        >>> angry = adaptml.keyword_lf("angry", ["worst", "customer service", "😾"], "complaint", "text")
        >>> angry(SimpleNamespace(text="Your Customer Service!"))
        'complaint'
    """
    if isinstance(keywords, str):
        raise LabellingError(
            f"the labelling function {name!r} got the text {keywords!r} as keywords; "
            f"give a list of words, for example [{keywords!r}]"
        )
    words = list(keywords)
    if not words:
        raise LabellingError(f"the labelling function {name!r} has no keyword; give it at least one word.")
    wrong = [word for word in words if not isinstance(word, str) or not word.strip()]
    if wrong:
        raise LabellingError(f"the labelling function {name!r} got the keyword {wrong[0]!r}; expected words")
    rule = KeywordRule(
        name=name, label=label_name(label), column=column, keywords=frozenset(words), exact=exact
    )
    return KeywordLF(rule, label)


def keyword_hits(
    lfs: Sequence[KeywordLF], values: Sequence[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which of `lfs` find a keyword in which of `values`, in one pass.

    Args:
        lfs: keyword LFs over one column.
        values: the column: a text, a list of text, or a missing value per row.

    Returns:
        rows, numbers: two arrays of equal length; LF `numbers[i]` votes on row `rows[i]`. Pairs may repeat.

    Raises:
        LabellingError: a value is neither text nor a list of text.
    """
    search, owners = keyword_search(tuple(lf.rule for lf in lfs))
    rows, found = search.find(values, lfs[0].rule.where)
    return rows, owners[found]
