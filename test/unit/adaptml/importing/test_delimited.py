"""CSV and TSV as people have them: encodings, delimiters, quotes, rows that are too long."""

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adaptml.errors import FrameError
from adaptml.importing.delimited import Delimited
from adaptml.importing.dialect import encoding_of


def rows_of(source: Delimited) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for chunk in source.chunks():
        for name, values in chunk.columns.items():
            assert len(values) == chunk.rows
            found.setdefault(name, []).extend(values)
    return found


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        ("id,txt\na,grün\n", "utf-8", "CSV, UTF-8, comma"),
        ("id,txt\na,grün\n", "utf-8-sig", "CSV, UTF-8, comma"),
        ("id;txt\na;grün\n", "utf-16", "CSV, UTF-16, semicolon"),
        ("id\ttxt\na\tgrün\n", "utf-16-le", "TSV, utf-16-le, tab"),
        ("id|txt\r\na|grün\r\n", "utf-32", "CSV, utf-32, bar"),
        ("id;txt\na;grün\n" + "b;Die Tür der Häuser schließt für die Gäste früh\n" * 20, "cp1252", "CSV, cp1252, semicolon"),
        ("id;txt\na;grün\n" + "b;Это хороший день, но погода плохая\n" * 20, "cp1251", "CSV, cp1251, semicolon"),
    ],
    ids=lambda value: value if len(value) < 10 else "",
)  # fmt: skip
def test_encoding_and_delimiter_are_found_out_and_said(
    text: str, encoding: str, said: str, tmp_path: Path
) -> None:
    # cp1251 has no ü, and its test none
    path = written(tmp_path / "posts.csv", text if encoding != "cp1251" else text.replace("ü", "u"), encoding)
    source = Delimited(path)
    assert source.said == said
    assert rows_of(source)["txt"][0] in ("grün", "grun")


def test_what_is_found_out_late_in_a_file_counts(tmp_path: Path) -> None:
    """A first megabyte of ASCII says nothing of the second one."""
    text = "id,txt\n" + "a,plain text\n" * 100_000 + "b,für Gäste schön größer über Straße\n" * 50
    assert encoding_of(written(tmp_path / "posts.csv", text, "cp1252")) == "cp1252"
    assert encoding_of(written(tmp_path / "posts.csv", text, "utf-8")) == "utf-8"


def test_a_file_with_a_named_encoding_and_delimiter(tmp_path: Path) -> None:
    path = written(tmp_path / "posts.csv", "id^txt\na^naïve, cœur\n", "iso8859-15")
    assert rows_of(Delimited(path, "latin9", "^")) == {"id": ["a"], "txt": ["naïve, cœur"]}


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    path = written(tmp_path / "texts.csv", "txt\nGood morning, all\nWell; no\n\nYes\n")
    source = Delimited(path)
    assert source.said == "CSV, UTF-8, one column"
    assert rows_of(source) == {"txt": ["Good morning, all", "Well; no", "Yes"]}


def test_quotes_hold_delimiters_line_breaks_and_quotes(tmp_path: Path) -> None:
    path = written(tmp_path / "posts.csv", 'id,txt\r\na,"one, ""two""\r\nthree"\r\nb, "five" \r\n')
    assert rows_of(Delimited(path)) == {"id": ["a", "b"], "txt": ['one, "two"\r\nthree', ' "five" ']}


def test_a_long_text_is_no_limit(tmp_path: Path) -> None:
    path = written(tmp_path / "posts.csv", f"id,txt\na,{'x' * 500_000}\n")
    assert len(rows_of(Delimited(path))["txt"][0]) == 500_000


def test_names_that_are_empty_or_repeated_get_their_place(tmp_path: Path) -> None:
    path = written(tmp_path / "posts.csv", ",txt,txt\n1,a,b\n")
    assert rows_of(Delimited(path)) == {"column_1": ["1"], "txt": ["a"], "txt_3": ["b"]}


def test_a_delimiter_that_excel_declares_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path / "posts.csv", 'sep=|\r\nid|txt\r\na|"one, ""two"""\r\nb|three|four\r\n')
    source = Delimited(path)
    assert source.said == "CSV, UTF-8, bar"
    with pytest.raises(FrameError, match="line 4: 3 values"):
        rows_of(source)
    assert rows_of(Delimited(written(path, "sep=|\nid|txt\na|b\n"))) == {"id": ["a"], "txt": ["b"]}


def test_names_that_look_like_values_are_said(tmp_path: Path) -> None:
    path = written(tmp_path / "posts.csv", "1,good morning\n2,good night\n")
    assert Delimited(path).said.endswith("; the columns' names, from its first line: 1, good morning")


def test_a_packed_file(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv.gz"
    path.write_bytes(gzip.compress(b"id,txt\na,one\n"))
    assert rows_of(Delimited(path)) == {"id": ["a"], "txt": ["one"]}


@pytest.mark.parametrize(
    ("content", "facts"),
    [
        (b"", ["posts.csv is empty", "columns' names"]),
        (b"id,txt\na,one\nb,two, three\n", ["line 3: 3 values", "expected 2 (id, txt)", "--delimiter"]),
        (b'id,txt\na,"one\ntwo"\n\nb\n', ["line 5: 1 values"]),
        (b'id,txt\na,"one\nb,two\n', ["from line 2 on", "not closed"]),
        (b'id,txt\na,"one"two\n', ["line 2", "quotation mark"]),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(
    content: bytes, facts: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "posts.csv"
    path.write_bytes(content)
    with pytest.raises(FrameError) as refused:
        rows_of(Delimited(path))
    assert "posts.csv" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert [fact for fact in facts if fact not in str(refused.value)] == []


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ({"encoding": "ascii"}, ["not ascii", "c3 bc", "--encoding"]),
        ({"encoding": "klingon"}, ["no encoding 'klingon'", "cp1252"]),
        ({"delimiter": "::"}, ["'::'", "one character"]),
    ],
)
def test_a_wrong_choice_is_refused(options: dict[str, str], facts: list[str], tmp_path: Path) -> None:
    with pytest.raises(FrameError) as refused:
        rows_of(Delimited(written(tmp_path / "posts.csv", "id,txt\na,grün\n"), **options))
    assert [fact for fact in facts if fact not in str(refused.value)] == []


def test_a_packed_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv.gz"
    path.write_bytes(gzip.compress(b"id,txt\n" + bytes(range(32, 127)) * 1000)[:-20])
    with pytest.raises(FrameError, match=r"posts.csv.gz cannot be read"):
        Delimited(path)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
ENCODINGS = {"utf-8": None, "utf-8-sig": None, "utf-16": None, "utf-32": None, "gb18030": "gb18030"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    delimiter=st.sampled_from(",;\t|"),
)
def test_any_frame_of_texts_comes_back_equal(
    rows: list[tuple[str, str]], encoding: str, delimiter: str, tmp_path: Path
) -> None:
    made = io.StringIO(newline="")
    csv.writer(made, delimiter=delimiter).writerows([("one", "two"), *rows])
    path = written(tmp_path / "posts.csv", made.getvalue(), encoding)
    assert rows_of(Delimited(path, ENCODINGS[encoding], delimiter)) == {
        "one": [row[0] for row in rows],
        "two": [row[1] for row in rows],
    }
