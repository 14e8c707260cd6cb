"""The page on agreement: the verdict, and the disputed points with their text and what everyone said."""

import json
import re
from dataclasses import replace
from typing import Any

import pandas as pd

from labelstudio.ability import Ability
from labelstudio.agreement import Agreement
from labelstudio.alpha import Alpha
from labelstudio.breakdown import (
    AnnotatorAgreement,
    ClassAgreement,
    Confusion,
    DisputedPoint,
    PairAgreement,
)
from labelstudio.precision import Precision
from labelstudio.report_page import agreement_report_page
from labelstudio.verdict import Verdict

ALPHA = Alpha(0.7, 0.6, 0.8)
DISPUTED = [
    DisputedPoint("posts", "p2", 1.0, {"anna": ["cat"], "bob": ["dog"]}),
    DisputedPoint("posts", "p1", 0.5, {"anna": ["cat", "dog"], "bob": ["cat"], "cleo": []}),
]
FOUND = Agreement(
    task="animals",
    setting="multilabel",
    measure="masi",
    points=9,
    compared=7,
    alphas={"masi": ALPHA, "nominal": Alpha(0.5)},
    verdict=Verdict.TENTATIVE,
    reason="alpha = 0.700 is at least 0.667.",
    classes=[ClassAgreement("cat", ALPHA, 2, 2), ClassAgreement("dog", Alpha(None), 2, 2)],
    pairs=[PairAgreement(("anna", "bob"), 2, 0.25, 0.125)],
    annotators=[
        AnnotatorAgreement("anna", 2, 0.25, 0.5, None),
        AnnotatorAgreement("bob", 2, 0.25, 0.5, 0.75),
        AnnotatorAgreement("cleo", 1, 0.0, 0.5, 0.75),
    ],
    confusions=[Confusion((["cat"], ["dog"]), 1), Confusion((["cat"], []), 1)],
    disputed=DISPUTED,
    abilities=[Ability("bob", 8, 0.75, 0.5, 0.875), Ability("anna", 9, 0.9, 0.8, 1.0)],
    precision=Precision(0.1, 0.2, 27, None),
    seed=3,
)


def test_abilities_and_what_would_narrow_the_interval() -> None:
    page = agreement_report_page(FOUND)
    assert "50.0% to 87.5%" in page
    assert "75.0%" in page
    assert "for 0.1, annotate about 27 more points alike" in page
    assert "A third person on some of the points tells them apart" in page
    three = replace(FOUND, abilities=[*FOUND.abilities, Ability("cleo", 1, 0.5, 0.1, 0.9)])
    assert "A third person" not in agreement_report_page(three)


def texts(asked: pd.DataFrame) -> pd.DataFrame:
    return asked.assign(text="text of " + asked["id"])


def data(page: str) -> dict[str, Any]:
    (found,) = re.findall(r'id="rows">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def rows(page: str, anchor: str) -> list[list[Any]]:
    (numbers,) = re.findall(rf'<details id="{anchor}" class="bucket" data-rows="([\d ]*)"', page)
    return [data(page)["rows"][int(number)] for number in numbers.split()]


def said(page: str, row: list[Any]) -> dict[str, str]:
    content = data(page)
    pairs = zip(row[3][::2], row[3][1::2], strict=True)
    return {content["voters"][person]: content["values"][label] for person, label in pairs}


def test_disputed_points_from_the_worst_on_with_text_and_what_everyone_said() -> None:
    page = agreement_report_page(FOUND, read_texts=texts)
    worst, other = rows(page, "disputed")
    assert worst[:3] == ["posts", "p2", ["text of p2"]]
    assert said(page, worst) == {"anna": "cat", "bob": "dog"}
    assert said(page, other) == {"anna": "cat + dog", "bob": "cat", "cleo": "(none)"}
    assert data(page)["judged"] is False


def test_points_behind_each_class_and_each_exchange() -> None:
    page = agreement_report_page(FOUND, read_texts=texts)
    assert [row[1] for row in rows(page, "class-0")] == ["p2", "p1"]
    assert [row[1] for row in rows(page, "class-1")] == ["p2", "p1"]
    assert [row[1] for row in rows(page, "pair-0")] == ["p2"]
    assert [row[1] for row in rows(page, "pair-1")] == ["p1"]


def test_verdict_and_measures() -> None:
    page = agreement_report_page(
        replace(FOUND, sample_warning="points were chosen"), lines=[("written to", "there")]
    )
    for fact in (
        "Tentative conclusions only. </strong>alpha = 0.700 is at least 0.667.",
        "7 of 9 labelled points",
        "0.600 to 0.800",
        "Annotators differ on 2 of 7 points.",
        "points were chosen",
        "<dd>there</dd>",
        "anna and bob",
        "25.0%",
        "seed 3",
    ):
        assert fact in page


def test_without_texts_none_is_in_the_page() -> None:
    assert "text of" not in agreement_report_page(FOUND)


def test_at_most_200_points_are_shown_the_worst_ones() -> None:
    points = [DisputedPoint("posts", f"p{i}", 1 - i / 1000, {"anna": ["cat"], "bob": []}) for i in range(300)]
    page = agreement_report_page(replace(FOUND, disputed=points), read_texts=texts)
    assert [row[1] for row in rows(page, "disputed")] == [f"p{i}" for i in range(200)]
    assert "200 of 300 rows, the most disputed ones" in page
    assert "chosen as the most disputed ones" in page
    assert "at random" not in page


def test_full_agreement() -> None:
    page = agreement_report_page(
        replace(FOUND, disputed=[], confusions=[], classes=[ClassAgreement("cat", ALPHA, 2, 0)])
    )
    assert "No point is disputed." in page
    assert 'class="bucket"' not in page


def test_names_and_texts_are_escaped() -> None:
    evil = "</script><b>\"'&"
    point = DisputedPoint(evil, evil, 1.0, {evil: [evil], "bob": []})
    people = [AnnotatorAgreement(evil, 1, 0, 0, None), AnnotatorAgreement("bob", 1, 0, 0, None)]
    found = replace(
        FOUND,
        task=evil,
        reason=evil,
        disputed=[point],
        annotators=people,
        classes=[ClassAgreement(evil, ALPHA, 1, 1)],
        confusions=[Confusion(([evil], []), 1)],
        pairs=[PairAgreement((evil, "bob"), 1, 0, 0)],
    )
    page = agreement_report_page(found, read_texts=lambda asked: asked.assign(text=evil))
    assert evil not in page
    assert "<b>" not in page
    assert rows(page, "pair-0")[0][:3] == [evil, evil, [evil]]
