"""Help without a browser: every term that a template explains is known, and the tour has six stops."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import portal
from portal.showing import environment

TEMPLATES = Path(portal.__file__).parent / "templates"


def terms() -> dict[str, str]:
    found: Any = environment().get_template("terms.html").module
    return dict(found.TERMS)


def test_every_term_that_a_page_explains_is_known() -> None:
    used = {
        (path.name, name or other)
        for path in TEMPLATES.rglob("*.html")
        for name, other in re.findall(
            r"""\bterm\((?:"([^"]+)"|'([^']+)')""", path.read_text(encoding="utf-8")
        )
    }
    assert len(used) > 10
    assert {one for one in used if one[1] not in terms()} == set()


@pytest.mark.parametrize(("name", "text"), terms().items())
def test_each_is_explained_in_one_sentence(name: str, text: str) -> None:
    assert text.endswith(".")
    assert not re.search(r"[.!?] [A-Z]", text)
    assert name[0].islower() or name in ("F1", "MASI distance", "Krippendorff's alpha")


def test_the_page_of_help_has_them_all(client: TestClient) -> None:
    page = client.get("/help").text
    assert page.count("<dt>") == len(terms())
    assert len(re.findall(r'href="/[^"]+tour=\d"', page)) == 6


def test_a_stop_of_the_tour_is_shown_where_the_address_names_it(client: TestClient) -> None:
    pages = {
        tour: client.get("/help", params={"tour": tour}).text for tour in ("1", "3", "6", "7", "<b>", "")
    }
    assert "1 of 6: The table" in pages["1"]
    assert "3 of 6: Its rows" in pages["3"]
    assert "6 of 6: Served" in pages["6"]
    assert [tour for tour, page in pages.items() if "tour-title" in page] == ["1", "3", "6"]
    assert [tour for tour, page in pages.items() if "Back</a>" in page] == ["3", "6"]
