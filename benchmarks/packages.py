"""What Debian's packages say of themselves, as a set in WRENCH's format: nine classes, five of them rare.

    apt-cache dumpavail > available
    python -m benchmarks.packages available FOLDER [--rules 1] [--gold 90] [--seed 1]
    python -m benchmarks.quality FOLDER

A text is the one line that a package says of itself, its class the section of the archive that it stands in:
the people who package the software chose it. Words vote for the section that they belong to, and are often
wrong: "server" stands in games too. Seven rows in ten have votes, and with the first rule of each class
alone (`--rules 1`) two fifths.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from adaptml.cli.support import output, run_command
from adaptml.errors import FrameError
from benchmarks.written_sets import check_sizes, write_set

# class → what its rules look for, each in the whole line, whatever the case
RULES = {
    "science": (
        r"\b(dna|rna|genom\w*|sequenc\w*|phylo\w*|protein\w*|bio\w*)",
        r"\b(astro\w*|telescope|fits|sky|indi)\b",
        r"\b(chem\w*|molec\w*|quantum|crystal\w*)",
        r"\b(simulat\w*|numerical|statistic\w*|finite element)",
        r"\bscien\w*",
        r"\b(physics|energy|particle)\b",
    ),
    "net": (
        r"\b(network\w*|tcp|udp|ipv[46]|dns|ip)\b",
        r"\b(irc|xmpp|jabber|chat|voip|sip)\b",
        r"\b(vpn|firewall|router?|proxy|ssh)\b",
        r"\b(ftp|bittorrent|download\w*)\b",
        r"\b(server|client|daemon)\b",
        r"\b(wireless|wifi|bluetooth|ethernet)\b",
    ),
    "games": (
        r"\bgames?\b",
        r"\b(puzzle|arcade|shooter|role-playing|rpg|strategy|multiplayer|3d engine|levels?)\b",
        r"\b(chess|tetris|solitaire|cards?|fortune\w*|quake|doom)\b",
        r"\b(player|clone)\b",
    ),
    "sound": (
        r"\b(audio|sound|music\w*|mp3|midi|synth\w*)",
        r"\b(alsa|jack|pulseaudio|ladspa|lv2|csound)\b",
        r"\b(speech|speaker|voice|radio|guitar)\b",
        r"\bplug-?ins?\b",
    ),
    "graphics": (
        r"\b(images?|png|jpe?g|svg|photos?|pictures?)\b",
        r"\b(graphics?|drawing|paint\w*|3d|color|rendering)\b",
        r"\b(scanner|ocr|tesseract|camera)\b",
        r"\bviewer\b",
    ),
    "mail": (
        r"\b(e-?mails?|mails?|imap|pop3|smtp|mta|mailbox)\b",
        r"\b(spam|mailing)\b",
        r"\b(courier|postfix|exim|cyrus|mutt|dovecot)\b",
    ),
    "fonts": (
        r"\b(fonts?|truetype|opentype|typeface)\b",
        r"\b(serif|sans|cjk|hangul|calligraph\w*)\b",
    ),
    "electronics": (
        r"\b(fpga|vhdl|verilog|circuit|avr|arduino|microcontroller|jtag|usb)\b",
        r"\b(electronic\w*|chips?|programmer|pcb|hardware)\b",
    ),
    "database": (
        r"\b(database|sql|postgresql|mysql|mariadb|sqlite)\b",
        r"\b(storage|key-value|quer(y|ies))\b",
    ),
}
_FIELD = re.compile(r"^(Package|Section|Description|Description-en): (.+)$", re.MULTILINE)


def read_packages(file: Path) -> pd.DataFrame:
    """Packages of the nine sections: name, text, label; each text once.

    Args:
        file: paragraphs with Package, Section and Description, as `apt-cache dumpavail` prints them.

    Raises:
        FrameError: a file that cannot be read, or a class that no package is of.
    """
    try:
        paragraphs = file.read_text(encoding="utf-8").split("\n\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FrameError(f"{file} cannot be read; expected what `apt-cache dumpavail` prints") from error
    rows = []
    for paragraph in paragraphs:
        fields = dict(_FIELD.findall(paragraph))
        section = fields.get("Section", "").rpartition("/")[2]  # contrib/games is of games
        text = fields.get("Description") or fields.get("Description-en")
        if section in RULES and text:
            rows.append((fields["Package"], text, section))
    found = pd.DataFrame(rows, columns=["name", "text", "label"]).drop_duplicates("name")
    if missing := set(RULES) - set(found["label"]):
        what = ", ".join(sorted(missing))
        raise FrameError(f"{file} has no package of {what}; expected what `apt-cache dumpavail` prints")
    return found.drop_duplicates("text").reset_index(drop=True)


def command(
    available: Annotated[Path, typer.Argument(help="What `apt-cache dumpavail` prints.")],
    folder: Annotated[Path, typer.Argument(help="Where the set is written.")],
    rows: Annotated[int, typer.Option(min=100, help="Packages that are drawn.")] = 2500,
    gold: Annotated[int, typer.Option(min=1, help="How many of them are gold.")] = 150,
    rules: Annotated[int, typer.Option(min=1, help="Rules of each class, at most; default: all.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of the drawing.")] = 0,
) -> None:
    """Write descriptions of packages as a data set in WRENCH's format."""
    packages = read_packages(available)
    check_sizes(rows, gold, len(packages), "packages")
    some = {name: patterns[:rules] for name, patterns in RULES.items()}
    write_set(packages, folder, some, rows=rows, gold=gold, seed=seed)
    counts = ", ".join(f"{name} {n}" for name, n in Counter(packages["label"]).most_common())
    output().print(f"{len(packages)} packages ({counts}); {rows} of them, {gold} gold, are in {folder}")


if __name__ == "__main__":
    run_command(command)
