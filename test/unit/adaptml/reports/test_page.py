"""The page asks for nothing, allows only its own script and style, and stays within its size."""

import base64
import hashlib
import re

from adaptml.reports.html import Html, element
from adaptml.reports.page import LIMITS, MAX_BYTES, Section, facts, fitting, folded, page, warnings_list
from adaptml.reports.rows import Limits


def test_the_policy_names_exactly_the_style_and_the_script_of_the_page() -> None:
    made = page("T", "s", [])
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', made)
    assert policy.startswith("default-src &#x27;none&#x27;;")
    for tag in ("style", "script"):
        (code,) = re.findall(rf"<{tag}>(.*?)</{tag}>", made, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{tag}-src &#x27;sha256-{digest}&#x27;" in policy
    assert not re.search(r"\s(style|on[a-z]+)=", made)  # the policy would refuse them
    assert not re.search(r"(src|href|action)=", made)


def test_names_are_escaped_and_empty_sections_left_out() -> None:
    made = page("<T>", "a & b", [Section("x", "<H>", [element("p", "1")]), Section("y", "Gone", [None])])
    assert "<T>" not in made
    assert made.count("&lt;T&gt;") == 2
    assert '<a href="#x">&lt;H&gt;</a>' in made
    assert "Gone" not in made
    assert "a &amp; b" in made


def test_facts_and_warnings_are_text() -> None:
    assert facts([]) is None
    assert facts([("<n>", "<t>")]) == "<dl><div><dt>&lt;n&gt;</dt><dd>&lt;t&gt;</dd></div></dl>"
    assert warnings_list([]) is None
    assert warnings_list(["<w>"]) == '<ul class="warnings"><li>&lt;w&gt;</li></ul>'
    assert folded("<s>", Html("<i></i>")) == "<details><summary>&lt;s&gt;</summary><i></i></details>"


def test_a_page_that_is_too_large_gives_up_texts_and_then_rows() -> None:
    tried: list[Limits] = []

    def render(limits: Limits) -> str:
        tried.append(limits)
        return "é" * (limits.rows * limits.chars * 100)  # two bytes each

    made = fitting(render)
    assert len(made.encode()) <= MAX_BYTES
    assert tried == [Limits(200, 500), Limits(200, 200)]
    assert sorted(LIMITS, key=lambda limits: -limits.rows * limits.chars) == LIMITS


def test_what_never_fits_is_given_at_its_smallest() -> None:
    assert fitting(lambda limits: f"{limits.rows}" + " " * MAX_BYTES).startswith("10 ")
