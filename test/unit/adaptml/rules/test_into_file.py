"""Rules from forms are put into the text of lfs.py; whatever else stands there stays."""

import ast
from textwrap import dedent, indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import LabellingError
from adaptml.rules.core import Example
from adaptml.rules.into_file import with_rule
from adaptml.rules.source import (
    RuleSource,
    keyword_source,
    like_source,
    lookup_source,
    number_source,
    regex_source,
)

NEW = RuleSource(keyword_source("new", ["a"], "c", "t").rule, "new()", ())
ONE = Example.of("posts", "1", [0.5])
HEAD = "def get_lfs(params):\n"


def body(text: str) -> str:
    return HEAD + indent(dedent(text), "    ")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return []", "return [new()]"),
        ("return [a]  # why", "return [a, new()]  # why"),
        ("return [a, ]", "return [a, new()]"),
        ("return [\n    a,  # é 😾\n    # b is not ready\n]", "return [\n    a,  # é 😾\n    new(),\n    # b is not ready\n]"),
        ("return [\n    a  # why\n]", "return [\n    a,  # why\n    new(),\n]"),
        ("return [\n    a\n]", "return [\n    a,\n    new(),\n]"),
        ("return [a,\n        b]", "return [a,\n        b, new()]"),
        ("return [\n    (a), (  # one\n        b\n    )\n]", "return [\n    (a), (  # one\n        b\n    ),\n    new(),\n]"),
        ("return lfs", "return [\n    *lfs,\n    new(),\n]"),
        ("return a, b", "return [\n    *(a, b),\n    new(),\n]"),
        ("return (a, b)", "return [\n    *(a, b),\n    new(),\n]"),
        ("return a if b else c", "return [\n    *(a if b else c),\n    new(),\n]"),
        ("return (a + b)", "return ([\n    *(a + b),\n    new(),\n])"),
        ("return [\n    f(x)\n    for x in y\n]", "return [\n    *[\n        f(x)\n        for x in y\n    ],\n    new(),\n]"),
        ('return [f("""\nx""") for y in z]', 'return [\n    *[f("""\nx""") for y in z],\n    new(),\n]'),
    ],
)  # fmt: skip
def test_the_list_grows_by_one(before: str, after: str) -> None:
    assert with_rule(body(before), NEW) == body(after)
    other_ends = body(before).replace("\n", "\r\n")
    assert with_rule(other_ends, NEW) == body(after).replace("\n", "\r\n")


def test_a_list_that_grows_too_long_gets_a_line_an_item() -> None:
    long = "a" * 45
    expected = body(f"return [\n    {long},\n    {long},\n    new(),\n]")
    assert with_rule(body(f"return [{long}, {long}]"), NEW) == expected


KEYWORDS = keyword_source("bad", ["worst"], "spam", "text")


@pytest.mark.parametrize(
    ("head", "expected", "call"),
    [
        ("", "from adaptml import keyword_lf\n\n", "keyword_lf"),
        ('"""Rules."""\n', '"""Rules."""\n\nfrom adaptml import keyword_lf\n', "keyword_lf"),
        ("import re\n", "import re\nfrom adaptml import keyword_lf\n", "keyword_lf"),
        ("import adaptml as a\n", "import adaptml as a\n", "a.keyword_lf"),
        ("from adaptml import keyword_lf as k\n", "from adaptml import keyword_lf as k\n", "k"),
        ("from adaptml import Task, z\n", "from adaptml import Task, keyword_lf, z\n", "keyword_lf"),
        (
            "from dataprogramming.lfs import (\n    LFParams,\n)\n",
            "from dataprogramming.lfs import (\n    LFParams, keyword_lf,\n)\n",
            "keyword_lf",
        ),
    ],
)
def test_what_it_needs_is_imported_once(head: str, expected: str, call: str) -> None:
    text = with_rule(head + HEAD + "    return [a]\n", KEYWORDS)
    assert text == expected + HEAD + f'    return [a, {call}("bad", ["worst"], "spam", "text")]\n'
    assert with_rule(text, KEYWORDS).count("import") == text.count("import")


def test_a_function_is_renamed_in_the_call_and_not_in_texts() -> None:
    rule = lookup_source("lookup(", ["a"], "spam", "text", "words.txt")
    text = with_rule("import adaptml\n" + HEAD + "    return []\n", rule)
    assert text.endswith(
        'return [adaptml.keyword_lf("lookup(", adaptml.lookup("words.txt"), "spam", "text")]\n'
    )


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("def get_lfs(params:\n", ["line 1", "fix it first"]),
        ("x = 1\n", ["get_lfs is not defined", 'keyword_lf("bad"']),
        (
            HEAD + "    if params:\n        return [a]\n    yield b\n",
            ["does not end with `return`", "yourself"],
        ),
        (HEAD + "    return\n", ["does not end with `return`"]),
    ],
)
def test_a_file_without_a_place_for_it(text: str, facts: list[str]) -> None:
    with pytest.raises(LabellingError) as raised:
        with_rule(text, KEYWORDS)
    assert [fact for fact in ["lfs.py", *facts] if fact not in str(raised.value)] == []
    assert "\n" not in str(raised.value)


WORDS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), min_size=1, max_size=40)


@given(WORDS)
def test_the_code_says_what_was_typed(words: list[str]) -> None:
    wanted = [*dict.fromkeys(word.strip() for word in words if word.strip())]
    if not wanted:
        return
    text = with_rule(
        HEAD + "    return [\n        a,\n    ]\n", keyword_source("x", words, "é", "c", exact=True)
    )
    call = ast.parse(text).body[-1].body[0].value.elts[-1]  # type: ignore[attr-defined]
    assert [ast.literal_eval(part) for part in call.args] == ["x", wanted, "é", "c"]


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_pattern_is_written_as_it_is(pattern: str) -> None:
    import re

    try:
        re.compile(pattern)
    except re.error:
        return
    if pattern.strip():
        code = regex_source("x", pattern, "c", "t").code
        assert ast.literal_eval(ast.parse(code).body[0].value.args[1]) == pattern  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("make", "facts"),
    [
        (lambda: keyword_source("a", [" ", ""], "c", "t"), ["no word", "at least one"]),
        (lambda: keyword_source("id", ["a"], "c", "t"), ["'id'", "name of its own"]),
        (lambda: keyword_source("", ["a"], "c", "t"), ["''", "name of its own"]),
        (lambda: lookup_source("a", ["b"], "c", "t", "../b.txt"), ["'../b.txt'", ".txt"]),
        (lambda: lookup_source("a", ["# b"], "c", "t", "b.txt"), ["'# b'", "without #"]),
        (lambda: regex_source("a", "(", "c", "t"), ["no regular expression", "position 0"]),
        (lambda: regex_source("a", " ", "c", "t"), ["empty"]),
        (lambda: number_source("a", "c", "t", None, None), ["above, below or both"]),
        (lambda: number_source("a", "c", "t", 3, 2), ["above 3", "below 2"]),
        (lambda: like_source("a", [ONE], [], "c", "t", 1.5, "b.json"), ["above", "1"]),
        (lambda: like_source("a", [ONE], [], "c", "t", 0.5, "lfs.py"), ["'lfs.py'", ".json"]),
        (lambda: like_source("a", [], [], "c", "t", 0.5, "b.json"), ["like", "at least 1"]),
    ],
)
def test_forms_that_make_no_rule(make, facts: list[str]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LabellingError) as raised:
        make()
    assert [fact for fact in facts if fact not in str(raised.value)] == []
    assert "\n" not in str(raised.value)
