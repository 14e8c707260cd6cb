"""What people write, and how they feel, as sets in WRENCH's format: moods of tweets, kinds of texts.

    pip download --no-deps --no-binary :all: vaderSentiment   # unpack it, and the archive in it
    python -m benchmarks.snippets hutto_ICWSM_2014 FOLDER mood [--seed 1]
    python -m benchmarks.snippets hutto_ICWSM_2014 FOLDER kind
    python -m benchmarks.quality FOLDER

The data is that of Hutto and Gilbert 2014 (https://doi.org/10.1609/icwsm.v8i1.14550): tweets and sentences
from reviews of films and of products and from editorials, each with the mean of twenty people's judgement
from -4 to 4, and the same of single words. Two sets are made of it:

- mood: tweets that are good, bad or neither. Rules are lists of words by how strongly they feel, and signs.
- kind: a tweet, a review of a product, one of a film, or an editorial. Rules are words of each; half of the
  rows have votes.
"""

import html
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from adaptml.cli.support import output, run_command
from adaptml.errors import FrameError
from benchmarks.written_sets import Rules, check_sizes, write_set

FILES = {
    "tweet": "tweets",
    "product": "amazonReviewSnippets",
    "film": "movieReviewSnippets",
    "editorial": "nytEditorialSnippets",
}
LEXICON = "vader_sentiment_lexicon.txt"
SURE = 0.5  # a text of less than this is neither good nor bad
STRENGTHS = ((1.0, 1.5), (1.5, 2.0), (2.0, 2.5), (2.5, 4.0))  # of words, from which to below which
SIGNS = {
    "good": (r":\)|:-\)|;\)|:d\b|<3|\bha(ha)+\b|\blol\b", r"!!"),
    "bad": (r":\(|:-\(|:/", r"\b(not|never|can'?t|don'?t|won'?t)\b"),
    "neither": (r"\?", r"\bhttps?\b|\d\d", r"^(where|what|who|when|how|watching|going|at|in)\b"),
}
KINDS = {
    "tweet": (r"\b(lol|haha\w*|tonight|tweet|omg|ur|u)\b", r"#|@|!!"),
    "product": (
        r"\b(phone|camera|player|ipod|battery|router|software|product|buy|bought)\b",
        r"\b(works?|quality|price|recommend)\b",
    ),
    "film": (
        r"\b(film|movie|comedy|director|story|cinema|characters?|plot)\b",
        r"\b(funny|performances?|drama|romantic)\b",
    ),
    "editorial": (
        r"\b(mr|ms|mrs)\.|\b(government|president|court|state|city|law|bill|senate|united states|police)\b",
        r"\b(policy|military|federal|officials|children|years|schools?)\b",
    ),
}


class Of(StrEnum):
    """What a set asks of its texts."""

    MOOD = "mood"
    KIND = "kind"


def read_texts(folder: Path, kind: str) -> pd.DataFrame:
    """Texts of one kind: name, text, judgement (float64, from -4 to 4); each text once.

    Raises:
        FrameError: a file that cannot be read, or a line without a judgement and a text.
    """
    lines = _lines(folder / f"{FILES[kind]}_GroundTruth.txt", 3)
    rows = [(f"{kind} {number}", html.unescape(text).strip(), value) for number, value, text in lines]
    return _judged(folder, pd.DataFrame(rows, columns=["name", "text", "judgement"]).drop_duplicates("text"))


def read_words(folder: Path) -> Mapping[str, float]:
    """Word of plain letters → judgement from -4 to 4.

    Raises:
        FrameError: as `read_texts`.
    """
    frame = pd.DataFrame([row[:2] for row in _lines(folder / LEXICON, 2)], columns=["word", "judgement"])
    plain = frame[frame["word"].str.fullmatch("[a-z]+")]
    return dict(_judged(folder, plain).itertuples(index=False))


def _lines(file: Path, at_least: int) -> list[list[str]]:
    try:
        text = file.read_text(encoding="latin-1")
    except OSError as error:
        raise FrameError(f"{file} cannot be read; expected the folder of Hutto and Gilbert's data") from error
    rows = [line.split("\t") for line in text.splitlines() if line]
    if short := [row for row in rows if len(row) < at_least]:
        raise FrameError(f"{file} has the line {short[0]}; expected {at_least} parts with tabs between")
    return rows


def _judged(folder: Path, frame: pd.DataFrame) -> pd.DataFrame:
    try:
        return frame.assign(judgement=frame["judgement"].astype(float)).reset_index(drop=True)
    except ValueError as error:
        raise FrameError(f"a judgement in {folder} is no number: {error}") from error


def moods(folder: Path) -> tuple[pd.DataFrame, Rules]:
    """Tweets with what they are, and the rules for it."""
    tweets = read_texts(folder, "tweet")
    label = [
        "good" if value > SURE else "bad" if value < -SURE else "neither" for value in tweets["judgement"]
    ]
    words = read_words(folder)
    rules = {
        "good": (*_word_lists(words, 1), *SIGNS["good"]),
        "bad": (*_word_lists(words, -1), *SIGNS["bad"]),
        "neither": SIGNS["neither"],
    }
    return tweets.assign(label=label), rules


def _word_lists(words: Mapping[str, float], sign: int) -> list[str]:
    """A pattern for the words of each strength, of good ones (1) or bad ones (-1), where there are any."""
    lists = [[word for word, value in words.items() if a <= sign * value < b] for a, b in STRENGTHS]
    return [rf"\b({'|'.join(sorted(some))})\b" for some in lists if some]


def kinds(folder: Path) -> tuple[pd.DataFrame, Rules]:
    """Texts of all kinds with which they are, and the rules for it."""
    each = [read_texts(folder, kind).assign(label=kind) for kind in FILES]
    return pd.concat(each, ignore_index=True).drop_duplicates("text"), KINDS


def command(
    data: Annotated[Path, typer.Argument(help="The folder of Hutto and Gilbert's data.")],
    folder: Annotated[Path, typer.Argument(help="Where the set is written.")],
    of: Annotated[Of, typer.Argument(help="What is asked: the mood of tweets, or the kind of text.")],
    rows: Annotated[int, typer.Option(min=100, help="Texts that are drawn.")] = 3000,
    gold: Annotated[int, typer.Option(min=1, help="How many of them are gold.")] = 150,
    seed: Annotated[int, typer.Option(min=0, help="Of the drawing.")] = 0,
) -> None:
    """Write what people feel or write as a data set in WRENCH's format."""
    texts, rules = moods(data) if of is Of.MOOD else kinds(data)
    check_sizes(rows, gold, len(texts), "texts")
    write_set(texts, folder, rules, rows=rows, gold=gold, seed=seed)
    counts = ", ".join(f"{name} {n}" for name, n in Counter(texts["label"]).most_common())
    output().print(f"{len(texts)} texts ({counts}); {rows} of them, {gold} gold, are in {folder}")


if __name__ == "__main__":
    run_command(command)
