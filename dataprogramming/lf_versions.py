"""The versions of labelling functions that a run used: what each was, in words and as a fingerprint."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from snorkel.labeling import LabelingFunction

from adaptml.errors import TrackingError
from adaptml.files import write_text
from dataprogramming.fingerprints import Fingerprint
from dataprogramming.keyword_lfs import KeywordLF
from dataprogramming.lf_sources import Sources, place_of, source_of

FUNCTION, KEYWORDS = "function", "keywords"


@dataclass(frozen=True)
class LFVersion:
    """One labelling function as a run used it.

    Attributes:
        name: its name.
        digest: its fingerprint, 32 hexadecimal digits; None where it could not be certain.
        reason: why it could not; empty where it could.
        kind: `function` or `keywords`.
        source: its code, or label, column and keywords, one a line; None where no code was found.
        file: where its code stands, relative to the task's folder; None likewise.
        line: the line there, from 1.
        uses: text of what it refers to, by name: functions, classes, plain values of a person's own.
    """

    name: str
    digest: str | None
    reason: str
    kind: str
    source: str | None
    file: str | None = None
    line: int | None = None
    uses: Mapping[str, str] = field(default_factory=dict)

    def votes_as(self, other: "LFVersion") -> bool:
        """Whether it votes as another: by their fingerprints, and where one has none by their texts."""
        if self.digest is not None and other.digest is not None:
            return self.digest == other.digest
        return (self.source, self.uses) == (other.source, other.uses)

    def text(self) -> str:
        """Its source and all that it uses, each under its name."""
        parts = [self.source or "", *(f"# {name}\n{text}" for name, text in sorted(self.uses.items()))]
        return "\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts if part)


def lf_versions(
    lfs: Sequence[LabelingFunction], prints: Sequence[Fingerprint], folder: Path | None
) -> list[LFVersion]:
    """The versions of a task's labelling functions.

    Args:
        lfs: m labelling functions.
        prints: their m fingerprints.
        folder: the task's folder, or None.
    """
    sources = Sources(folder)
    return [_version(lf, found, folder, sources.uses(lf)) for lf, found in zip(lfs, prints, strict=True)]


def _version(
    lf: LabelingFunction, found: Fingerprint, folder: Path | None, uses: Mapping[str, str]
) -> LFVersion:
    file, line = place_of(lf, folder) or (None, None)
    return LFVersion(
        name=lf.name,
        digest=found.digest,
        reason=found.reason,
        kind=KEYWORDS if isinstance(lf, KeywordLF) else FUNCTION,
        source=source_of(lf),
        file=file,
        line=line,
        uses=uses,
    )


def write_versions(versions: Sequence[LFVersion], path: Path) -> Path:
    """Write versions as JSON; a text that several labelling functions use is written once."""
    texts: dict[str, int] = {}
    lfs = []
    for version in versions:
        uses = {name: texts.setdefault(text, len(texts)) for name, text in version.uses.items()}
        lfs.append(asdict(version) | {"uses": uses})
    content = {"version": 1, "lfs": lfs, "texts": list(texts)}
    return write_text(json.dumps(content, ensure_ascii=False, indent=1), path)


def read_versions(path: Path) -> list[LFVersion]:
    """Read what `write_versions` wrote.

    Raises:
        TrackingError: a file of something else.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        texts = content["texts"]
        return [
            LFVersion(**lf | {"uses": {name: texts[number] for name, number in lf["uses"].items()}})
            for lf in content["lfs"]
        ]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise TrackingError(
            f"{path} holds no versions of labelling functions ({type(error).__name__}); name another run"
        ) from error


@dataclass(frozen=True)
class LFChange:
    """What became of one labelling function between two runs.

    Attributes:
        kind: `added`, `removed`, `changed` or `renamed`.
        before, after: the versions; None where the run has none.
    """

    kind: str
    before: LFVersion | None
    after: LFVersion | None

    @property
    def name(self) -> str:
        """Its name, the newer one; `old → new` where it was renamed."""
        new, old = self.after or self.before, self.before
        assert new is not None  # noqa: S101 - one of the two is there
        return f"{old.name} → {new.name}" if self.kind == "renamed" and old else new.name


def changes_between(before: Sequence[LFVersion], after: Sequence[LFVersion]) -> list[LFChange]:
    """What changed from one run's labelling functions to another's, in the order of the newer run.

    An LF under a new name that votes as a removed one is renamed.
    """
    old, new = ({version.name: version for version in versions} for versions in (before, after))
    gone = [version for version in before if version.name not in new]
    found: list[LFChange] = []
    for version in after:
        was = old.get(version.name)
        if was is None:
            same = next((lf for lf in gone if lf.digest is not None and lf.digest == version.digest), None)
            if same is not None:
                gone.remove(same)
            found.append(LFChange("renamed" if same else "added", same, version))
        elif not version.votes_as(was):
            found.append(LFChange("changed", was, version))
    return found + [LFChange("removed", version, None) for version in gone]
