"""How much memory a step may take, and what is said where it needs more."""

import re
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from adaptml.errors import ModelError

SHARE_OF_FREE = 0.5  # of what is free, a step takes so much where nobody says how much
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?\s*", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Memory:
    """How much memory this process may take in all.

    Attributes:
        max_bytes: how much.
        asked: how a person said so; empty where it is a share of what is free.
    """

    max_bytes: int
    asked: str = ""

    @classmethod
    def of(cls, asked: "str | int | None") -> Self:
        """The memory that a person says, such as `4GB`, or bytes; for None half of what is free.

        Raises:
            ModelError: it is no size.

        >>> Memory.of("1.5GB").max_bytes
        1500000000
        """
        if asked is None:
            return cls(taken() + int(SHARE_OF_FREE * _free()))
        found = _SIZE.fullmatch(str(asked))
        size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
        if size < 1:
            raise ModelError(f"max_memory is {asked!r}; expected a size such as 4GB or 500MB")
        return cls(size, str(asked))

    @property
    def left(self) -> int:
        """How many bytes it may still take."""
        return max(0, self.max_bytes - taken())

    def check(self, needed: int, what: str, instead: str = "") -> None:
        """Refuse what would take more.

        Args:
            needed: bytes.
            what: for what, as the beginning of a sentence.
            instead: what else to do than to give more memory, such as `choose mlp, `.

        Raises:
            ModelError: it is more than is left.
        """
        if needed <= self.left:
            return
        limit = (
            f"--max-memory is {self.asked}" if self.asked else f"half of what is free is {size(self.left)}"
        )
        raise ModelError(
            f"{what} need about {size(needed + taken())} of memory in all, and {limit}; {instead}give more "
            "with --max-memory, or train on fewer points"
        )


def size(n_bytes: float) -> str:
    """A number of bytes, for people."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def taken() -> int:
    """How many bytes this process takes; where the system does not tell, the most that it took so far."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _free() -> int:
    """How many bytes are free, in a container within its limit; without end where nobody tells."""
    free = [sys.maxsize]
    with suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    with suppress(OSError, ValueError):
        most, now = ((_CGROUP / f"memory.{name}").read_text(encoding="ascii") for name in ("max", "current"))
        free.append(int(most) - int(now))
    return max(0, min(free))
