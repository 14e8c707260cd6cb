"""The words of a text that made a keyword labelling function vote."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from adaptml.features.lemmas import token_lemmas
from adaptml.features.words import normalized, spans, written
from adaptml.rules.core import KeywordRule, RegexRule, Rule

Span = tuple[int, int]
Token = tuple[str, Span]
SEARCHED_CHARS = 5_000  # of a text; what stands behind them is found by rules, and not marked
BEFORE_CHARS = 100  # that are shown before the first match, where a text is cut


@dataclass(frozen=True)
class Excerpt:
    """A part of a text.

    Attributes:
        parts: its pieces in order, and whether each made a rule vote.
        start: where it begins in the text.
        length: of the whole text.
    """

    parts: Sequence[tuple[str, bool]]
    start: int
    length: int


def excerpt(text: str, rules: Sequence[Rule], column: str, most_chars: int) -> Excerpt:
    """A part of a text in which what rules look for is marked; it begins near a first match that is far back.

    Args:
        text: a cell of the column.
        rules: keywords are looked for in any column, as their own may hold lemmas; regular expressions in
            theirs; others mark nothing.
        column: the column's name.
        most_chars: the longest part.

    >>> rule = KeywordRule(name="", label="", column="", keywords=["kitten"])
    >>> excerpt("Two kittens.", [rule], "text", 10).parts
    [('Two ', False), ('kittens', True)]
    """
    text = normalized(text)
    searched = text[:SEARCHED_CHARS]
    found: set[Span] = set()
    for rule in rules:
        if isinstance(rule, KeywordRule):
            found.update(matches(searched, rule))
        elif isinstance(rule, RegexRule) and rule.column == column:
            expression = re.compile(normalized(rule.pattern), re.IGNORECASE)
            found.update(match.span() for match in expression.finditer(searched) if match[0])
    spans = list(_apart(sorted(found)))
    start = max(0, spans[0][0] - BEFORE_CHARS) if spans and spans[0][1] > most_chars else 0
    end, at, parts = start + most_chars, start, []
    for first, last in spans:
        if last <= end:
            parts += [(text[at:first], False), (text[first:last], True)]
            at = last
    parts.append((text[at:end], False))
    return Excerpt([part for part in parts if part[0]], start, len(text))


def matches(text: str, rule: KeywordRule) -> list[Span]:
    """Where the keywords of a rule stand in a text, as they are written or by their lemmas.

    Args:
        text: what annotators see, in Unicode's form NFC.
        rule: of a keyword LF.

    Returns:
        (start, end) of each, in the order of the text; what overlaps is one.

    Example:
        >>> rule = KeywordRule(name="", label="", column="", keywords=["kitten", "customer service"])
        >>> matches("Two kittens. Customer service!", rule)
        [(4, 11), (13, 29)]
    """
    tokens = [(text[start:end], (start, end)) for start, end in spans(text)]
    as_written = [(_plain(written(token), rule), span) for token, span in tokens]
    lemmas = [(lemma, span) for token, span in tokens for lemma in token_lemmas(token, rule.language)]
    keywords = rule.to_find()
    found = [
        *_found(as_written, {form for keyword in keywords for form in keyword.written}),
        *_found([] if rule.exact else lemmas, {keyword.lemmas for keyword in keywords}),
    ]
    return list(_apart(sorted(found)))


def _plain(token: str, rule: KeywordRule) -> str:
    clean = normalized(token)
    return clean if rule.exact else clean.lower()


def _found(tokens: Sequence[Token], wanted: Collection[tuple[str, ...]]) -> Iterator[Span]:
    """Start of the first and end of the last token of each wanted sequence."""
    words = tuple(word for word, _ in tokens)
    lengths = {len(sequence) for sequence in wanted} - {0}
    for start in range(len(words)):
        for end in (start + length for length in lengths):
            if words[start:end] in wanted and end <= len(words):
                yield tokens[start][1][0], tokens[end - 1][1][1]


def _apart(spans: Sequence[Span]) -> Iterator[Span]:
    """Spans in order, those that overlap as one."""
    last: Span | None = None
    for start, end in spans:
        if last is not None and start < last[1]:
            last = last[0], max(last[1], end)
            continue
        if last is not None:
            yield last
        last = start, end
    if last is not None:
        yield last
