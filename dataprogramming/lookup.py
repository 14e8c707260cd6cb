"""Word lists in files."""

import sys
from pathlib import Path
from types import FrameType

from adaptml.errors import LabellingError, one_line


def lookup(path: str | Path) -> list[str]:
    """Words from a file beside the code that asks for them, a line each: keywords for `keyword_lf`.

    Args:
        path: of a text file in UTF-8. A relative path starts in the folder of the file that calls this, as
            `lfs.py`; in a notebook in the working folder. Blank lines count for nothing, nor do comments,
            which are `#` alone or with a blank behind it: `#cats` is a hashtag.

    Returns:
        The lines without blanks around them, at least one, in their order.

    Raises:
        LabellingError: the file is missing, cannot be read, or holds no word.

    Example:
        >>> file = project.task("spam").folder / "negative.txt"
        >>> with file.open("w") as negative:
        ...     print("# what angry people write", "worst", "customer service", sep=chr(10), file=negative)
        >>> adaptml.lookup(file)
        ['worst', 'customer service']
    """
    file = beside(sys._getframe(1), path)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise LabellingError(f"the word list {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabellingError(f"the word list {file} is not UTF-8 ({one_line(error)}); save it so") from error
    words = [word for line in lines if (word := line.strip()) and word.split()[0] != "#"]
    if not words:
        raise LabellingError(f"the word list {file} holds no word; expected one a line")
    return words


def beside(caller: FrameType, path: str | Path) -> Path:
    """A path as a frame's code means it: from its file's folder, in a notebook from the working folder."""
    here = caller.f_globals.get("__file__")
    return Path(here).parent / path if here else Path(path)
