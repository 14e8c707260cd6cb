"""STUB until the fingerprints are merged."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Fingerprint:
    digest: str | None
    reason: str = ""


def fingerprints(lfs, labels, folder):
    out = []
    for lf in lfs:
        c = getattr(lf._f, "__code__", None)
        s = repr(
            (
                c.co_code if c else b"",
                [x for x in (c.co_consts if c else ()) if not hasattr(x, "co_code")],
                [str(cell.cell_contents) for cell in (getattr(lf._f, "__closure__", None) or ())],
                sorted(getattr(lf, "keywords", ())),
                str(getattr(lf, "label", "")),
                getattr(lf, "column", ""),
            )
        )
        out.append(Fingerprint(hashlib.sha256(s.encode()).hexdigest()[:32]))
    return out
