"""The charts of the page."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from adaptml.reports.charts import Series, bars, heat_map, line
from adaptml.reports.html import Html
from portal.rules.asked import Asked

Named = Mapping[str, Any]


def charts(look: Named, asked: Asked) -> list[Html]:
    """Coverage by class, labels beside gold, overlaps of rules, and what none reaches, round by round."""
    drawn = [_coverage(look), _labels(look)]
    names = [rule["name"] for rule in look["rules"]][: len(look["pairs"]["together"])]
    if len(names) > 1:
        drawn.append(_overlaps(look, names, asked))
    if len(look["rounds"]) > 1:
        shares = [one["uncovered"] / max(one["n"], 1) for one in look["rounds"]]
        tips = [
            f"{one['when'][:16]} {one['who']}: {share:.1%}"
            for one, share in zip(look["rounds"], shares, strict=True)
        ]
        drawn.append(line("Rows without a vote, round by round", np.array(shares), tips))
    return drawn


def _coverage(look: Named) -> Html:
    classes, n = look["classes"], max(look["n"], 1)
    covered = np.array([one["covered"] / n for one in classes])
    series = [Series("rows with a vote for it", covered, [f"{share:.1%}" for share in covered])]
    if look["n_gold"]:
        found = np.array([one["found"] / one["gold"] if one["gold"] else np.nan for one in classes])
        texts = [f"{one['found']} of {one['gold']}" if one["gold"] else "no gold" for one in classes]
        series.append(Series("its gold points that a rule finds", found, texts))
    return bars("Coverage by class", [one["class"] for one in classes], series)


def _labels(look: Named) -> Html:
    classes = look["classes"]
    voted = np.array([one["voted"] for one in classes], float)
    voted /= max(voted.sum(), 1)
    series = [Series("most votes, of the rows with votes", voted, [f"{share:.1%}" for share in voted])]
    if look["n_gold"]:
        gold = np.array([one["gold"] / look["n_gold"] for one in classes])
        series.append(Series("gold", gold, [f"{share:.1%}" for share in gold]))
    return bars("Labels by the votes, beside gold", [one["class"] for one in classes], series)


def _overlaps(look: Named, names: list[str], asked: Asked) -> Html:
    together, apart = (np.array(look["pairs"][kind], float) for kind in ("together", "apart"))
    votes = np.maximum(np.diag(together), 1)
    shares = together / votes[:, None]
    tips = [
        [
            f"{a}: {int(together[i, j])} of its {int(votes[i])} votes are where {b} votes, "
            f"{int(apart[i, j])} for another class"
            for j, b in enumerate(names)
        ]
        for i, a in enumerate(names)
    ]
    links = [
        [asked.url(bucket="overlaps", rule=a, other=b) if together[i, j] else "" for j, b in enumerate(names)]
        for i, a in enumerate(names)
    ]
    more = len(look["rules"]) - len(names)
    note = "Each row: of a rule's votes, those where the other rule votes too. A square leads to the rows."
    return heat_map(
        "Overlaps of rules",
        names,
        shares,
        tips,
        note + (f" {more} more rules are left out." if more else ""),
        links,
    )
