"""Several samplers in one sample, and the probability with which it took each point."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from adaptml.errors import AnnotationError
from adaptml.sampling import from_run, from_table
from adaptml.sampling.core import Draw, Floats, Sample, Sampler, Source

# In the order in which a mixture draws: what leaves nothing to chance first, so that the points left over
# for the later draws are always the same ones and their probabilities are exact.
SAMPLERS: dict[str, Sampler] = {
    "uncertain": from_run.uncertain,
    "diverse": from_table.diverse,
    "disagreement": from_run.disagreement,
    "uncovered": from_run.uncovered,
    "stratified": from_table.stratified,
    "random": from_table.random,
}
_RANDOM_GROUPS = {"disagreement", "uncovered"}


def parse_sampling(text: str) -> dict[str, float]:
    """Samplers and their shares: `random`, or `uncertain:0.5,random:0.5`.

    Raises:
        AnnotationError: a sampler that does not exist or is named more than once, or shares that do not
            add up to 1.

    >>> parse_sampling("random:0.25,uncertain:0.75")
    {'uncertain': 0.75, 'random': 0.25}
    """
    known = ", ".join(SAMPLERS)
    shares: dict[str, float] = {}
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        name, colon, share = part.partition(":")
        if name not in SAMPLERS:
            raise AnnotationError(f"sampling {name!r} does not exist; expected one of {known}")
        if name in shares:
            raise AnnotationError(f"sampling {text!r} names {name} more than once; name it once")
        try:
            shares[name] = float(share) if colon else 1.0
        except ValueError:
            shares[name] = -1.0
        if not 0 < shares[name] <= 1 or (len(parts) > 1 and not colon):
            raise AnnotationError(
                f"sampling {part!r} has no share between 0 and 1; expected such as uncertain:0.5,random:0.5"
            )
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise AnnotationError(f"the shares of sampling {text!r} add up to {sum(shares.values()):g}, not to 1")
    return {name: shares[name] for name in SAMPLERS if name in shares}


def draw_sample(source: Source, sampling: str, n: int, seed: int) -> Sample:
    """Draw points of a table.

    A mixture draws one part after the other, each from what those before left. A point's inclusion
    probability is 1 - Π(1 - p) over the parts, with p the probability that a part takes it when none
    before did.

    Args:
        source: where to draw from, and what the samplers need.
        sampling: as `parse_sampling` reads it.
        n: how many points, at least 1; fewer where the parts find fewer.
        seed: the same source, sampling, n and seed give the same points.

    Raises:
        AnnotationError: the sampling cannot be done, or finds no point.
    """
    shares = parse_sampling(sampling)
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    rngs = dict(zip(SAMPLERS, np.random.default_rng(seed).spawn(len(SAMPLERS)), strict=True))
    chosen: dict[str, None] = {}
    draws, parts = [], {}
    for name, count in _counts(shares, n).items():
        draw = SAMPLERS[name](source, count, rngs[name], frozenset(chosen))
        chosen |= dict.fromkeys(draw.ids)
        draws.append(draw)
        parts[name] = len(draw.ids)
    if not chosen:
        raise AnnotationError(
            f"sampling {sampling} finds no point in table {source.table!r}; load rows, or sample otherwise"
        )
    ids = list(chosen)
    exact = "stratified" not in shares or not _RANDOM_GROUPS & set(shares)
    frame = pd.DataFrame({"table_name": source.table, "id": ids}, dtype=str)
    frame["inclusion_prob"] = _inclusion(draws, ids) if exact else np.nan
    text = (
        ",".join(f"{name}:{share:g}" for name, share in shares.items())
        if len(shares) > 1
        else next(iter(shares))
    )
    return Sample(frame, text, n, seed, parts)


def _counts(shares: dict[str, float], n: int) -> dict[str, int]:
    """Points of each part by largest remainder; parts that get none are left out."""
    exact = {name: share * n for name, share in shares.items()}
    counts = {name: int(value + 1e-9) for name, value in exact.items()}
    for name in sorted(exact, key=lambda key: counts[key] - exact[key])[: n - sum(counts.values())]:
        counts[name] += 1
    return {name: count for name, count in counts.items() if count}


def _inclusion(draws: Sequence[Draw], ids: Sequence[str]) -> Floats:
    if len(draws) == 1:
        return draws[0].inclusion_prob(ids)
    missed = np.ones(len(ids))
    for draw in draws:
        missed = missed * (1 - draw.inclusion_prob(ids))
    return 1 - missed
