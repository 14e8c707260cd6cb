"""Translated manual pages as a set of texts whose classes are known: the section that each page stands in."""

import gzip
import hashlib
import re
from pathlib import Path

import pandas as pd

from adaptml.errors import FrameError

# class → the sections of the manual that it stands for
SECTIONS = {"program": ("1", "8"), "function": ("2", "3"), "other": ("4", "5", "7")}
# language → the folder of its pages, and what their chapter DESCRIPTION is called
PAGES = {
    "de": ("de", ("BESCHREIBUNG",)),
    "es": ("es", ("DESCRIPCIÓN", "DESCRIPCION")),
    "fr": ("fr", ("DESCRIPTION",)),
    "ja": ("ja", ("説明", "解説")),
    "nl": ("nl", ("BESCHRIJVING",)),
    "pl": ("pl", ("OPIS",)),
    "pt": ("pt_BR", ("DESCRIÇÃO",)),
    "ru": ("ru", ("ОПИСАНИЕ",)),
    "tr": ("tr", ("AÇIKLAMA", "TANIM")),
    "zh": ("zh_CN", ("描述", "DESCRIPTION")),
}
SHORTEST = 20  # letters; less is no sentence

_FONTS = re.compile(r"\\f(?:\[[^]]*\]|\([A-Za-z]{2}|.)")
_ESCAPES = {
    "\\-": "-",
    "\\&": "",
    "\\,": "",
    "\\/": "",
    "\\~": " ",
    "\\ ": " ",
    "\\e": "\\",
    "\\|": "",
    "\\:": "",
}
_SPECIAL = re.compile(r"\\(?:\[([^]]*)\]|\((..)|\*\[[^]]*\]|\*\(..|\*.|s[+-]?\d)")
_CHARACTERS = {"aq": "'", "dq": '"', "lq": "“", "rq": "”", "cq": "’", "oq": "‘", "em": "—", "en": "–"}
_TYPESET = re.compile("B|I|BR|BI|IB|IR|RB|RI|R|SM|SB|Nm|Fl|Ar|Pa|Cm|Xr|Em|Sy|Nd|Fn|Va|Ic|Li|Ql|Dq")


def read_pages(folder: Path, language: str) -> pd.DataFrame:
    """Pages of one language: id, txt (the page's first line about itself and its first paragraph), label.

    Args:
        folder: `usr/share/man` of unpacked packages.
        language: one of PAGES.

    Raises:
        FrameError: no page of that language.
    """
    name, headings = PAGES[language]
    rows, seen = [], set()
    for label, sections in SECTIONS.items():
        for section in sections:
            for path in sorted((folder / name / f"man{section}").glob("*.gz")):
                text = text_of(gzip.decompress(path.read_bytes()).decode("utf-8", "replace"), headings)
                if len(text) >= SHORTEST and text not in seen:  # one page can have several names
                    seen.add(text)
                    rows.append((f"{section}-{path.name.removesuffix('.gz')}", text, label))
    if not rows:
        raise FrameError(
            f"{folder / name} has no manual pages that can be read; expected man1/*.gz and so on"
        )
    return pd.DataFrame(rows, columns=["id", "txt", "label"])


def text_of(page: str, headings: tuple[str, ...]) -> str:
    """What a page says of itself in one line, and its first paragraph; empty where it has none.

    Args:
        page: in the language of troff, macros `man` or `mdoc`.
        headings: what the chapter is called whose first paragraph is taken.
    """
    chapters: list[tuple[str, list[str]]] = []
    for line in page.splitlines():
        if line.startswith((".SH", ".Sh")):
            chapters.append((plain(line[3:]).strip(' "'), []))
        elif chapters:
            chapters[-1][1].append(line)
    body = next((lines for title, lines in chapters if any(h in title.upper() for h in headings)), None)
    if body is None:
        return ""
    about = " ".join(plain(line) for line in chapters[0][1])
    about = re.split(r"\s[-—–]+\s", about, maxsplit=1)[-1]  # without the names, which would tell
    return f"{about.strip()}. {first_paragraph(body)}".strip()


def first_paragraph(lines: list[str]) -> str:
    """The first running text of a chapter."""
    found: list[str] = []
    for line in lines:
        macro = line[1:].split(" ")[0].strip() if line.startswith((".", "'")) else ""
        if line.startswith(('.\\"', "'\\\"")):
            continue
        if (macro and not _TYPESET.fullmatch(macro)) or not line.strip():
            if sum(map(len, found)) >= SHORTEST:
                break
            continue
        found.append(plain(line))
    return " ".join(" ".join(found).split())


def plain(line: str) -> str:
    """A line without what typesets it.

    >>> plain(r".B ls \\fIlists\\fP a folder\\-tree")
    'ls lists a folder-tree'
    """
    if line.startswith(('.\\"', "'\\\"")):
        return ""
    if line.startswith("."):
        line = line.partition(" ")[2].replace('"', "")
    line = _FONTS.sub("", line)
    for escape, text in _ESCAPES.items():
        line = line.replace(escape, text)
    return _SPECIAL.sub(lambda found: _CHARACTERS.get(found[1] or found[2] or "", ""), line)


def split(frame: pd.DataFrame) -> pd.Series:
    """train, gold or test for each page, by a hash of its id: six tenths, two tenths, two tenths."""
    numbers = [hashlib.sha256(str(one).encode()).digest()[0] for one in frame["id"]]
    return pd.Series(
        ["train" if n < 154 else "gold" if n < 205 else "test" for n in numbers], index=frame.index
    )
