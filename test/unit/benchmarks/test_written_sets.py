"""Texts that carry their class, written as a set in WRENCH's format: packages, mails, moods and kinds."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from adaptml.cli.support import command_app
from adaptml.errors import FrameError
from benchmarks import mails, snippets
from benchmarks.wrench_format import TEXT, read_classes, read_rows
from benchmarks.written_sets import votes, write_set

RULES = {"a": ["one", "two"], "b": ["three$"]}
runner = CliRunner()


def test_what_is_written_is_read_as_a_set(tmp_path: Path) -> None:
    n = 40
    texts = pd.DataFrame(
        {
            "name": [f"n{i}" for i in range(n)],
            "text": [f"{i} {word}" for i, word in enumerate(["ONE", "three", "two one", "four"] * 10)],
            "label": ["a", "b"] * 20,
        }
    )
    write_set(texts, tmp_path / "set", RULES, rows=30, gold=9, seed=3)
    assert read_classes(tmp_path / "set") == ["a", "b"]
    splits = {name: read_rows(tmp_path / "set", name, 2) for name in ("valid", "test", "train")}
    assert {name: len(rows.y) for name, rows in splits.items()} == {"valid": 9, "test": 7, "train": 14}
    ids = [key for rows in splits.values() for key in rows.ids]
    assert len(set(ids)) == 30
    known = texts.set_index("name")
    said = {"ONE": [0, -1, -1], "three": [-1, -1, 1], "one": [0, 0, -1], "four": [-1, -1, -1]}
    for name, rows in splits.items():
        if name != "train":  # whose labels are not read
            assert ["ab"[c] for c in rows.y] == known.loc[rows.ids, "label"].tolist()
        assert rows.texts[TEXT] == known.loc[rows.ids, "text"].tolist()
        assert rows.L.tolist() == [said[text.split()[-1]] for text in rows.texts[TEXT]]
    write_set(texts, tmp_path / "other", RULES, rows=30, gold=9, seed=4)
    assert read_rows(tmp_path / "other", "valid", 2).ids != splits["valid"].ids


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Five folders of mails: 60 in the first, spam in the last two, of which one in eleven stays."""
    for group, n in zip(mails.GROUPS, (60, 4, 2, 9, 9), strict=True):
        folder = tmp_path / "data" / group
        folder.mkdir(parents=True)
        for i in range(n):
            mail = f"Subject: {group} {i}\nTo: you\n\n<p>Some\n words</p>"
            (folder / f"{i:05}.json").write_text(json.dumps({"text": mail}))
    return tmp_path / "data"


def test_mails_are_read_and_spam_is_thinned_out(corpus: Path) -> None:
    found = mails.read_mails(corpus)
    assert found["label"].value_counts().to_dict() == {"ham": 66, "spam": 6}  # 66 // 11
    assert found.iloc[0].tolist() == ["easy-ham-1/00000", "easy-ham-1 0\nSome words", "ham"]
    assert found.equals(mails.read_mails(corpus))


def test_of_a_mail_with_parts_the_first_is_read() -> None:
    parts = "".join(
        f"--x\nContent-Type: text/{kind}\n\n{text}\n"
        for kind, text in (("plain", "first"), ("html", "second"))
    )
    mail = f"Subject: two\n parts\nContent-Type: multipart/alternative; boundary=x\n\n{parts}--x--\n"
    assert mails.text_of(mail) == "two parts\nfirst"
    assert len(mails.text_of(f"Subject: long\n\n{'word ' * 1000}")) == mails.CHARACTERS


def test_a_folder_without_mails_is_named(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(FrameError, match=r"easy-ham-1 holds no mails; expected the folder `data`"):
        mails.read_mails(tmp_path)
    (corpus / "spam-1" / "00003.json").write_text("[]")
    with pytest.raises(FrameError, match=r"00003.json holds no mail as JSON \(TypeError: "):
        mails.read_mails(corpus)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A hundred texts of each kind; tweets are good, bad and neither in turn."""
    folder = tmp_path / "judged"
    folder.mkdir()
    for kind, name in snippets.FILES.items():
        lines = [f"{i}\t{(1.5, -1.5, 0.5)[i % 3]}\t{kind} {i} &amp; more" for i in range(100)]
        (folder / f"{name}_GroundTruth.txt").write_text("\n".join([*lines, lines[0]]) + "\n")
    words = {"nice": 1.9, "great": 3.1, "awful": -2.0, "table": 0.1, ":)": 2.0}
    (folder / snippets.LEXICON).write_text("".join(f"{word}\t{value}\t0\n" for word, value in words.items()))
    return folder


def test_moods_and_their_rules(judged: Path) -> None:
    texts, rules = snippets.moods(judged)
    assert texts["label"].value_counts().to_dict() == {"good": 34, "bad": 33, "neither": 33}
    assert texts["text"][0] == "tweet 0 & more"  # each text once, without escapes
    assert {name: len(patterns) for name, patterns in rules.items()} == {"good": 4, "bad": 3, "neither": 3}
    assert votes("a great table, not nice", rules) == [0, 0, -1, -1, -1, -1, 1, -1, -1, -1]
    assert votes("awfully nice?", rules) == [0, -1, -1, -1, -1, -1, -1, 2, -1, -1]


def test_kinds_are_written_by_the_command(judged: Path, tmp_path: Path) -> None:
    command, to = command_app(snippets.command), tmp_path / "kinds"
    done = runner.invoke(command, [str(judged), str(to), "kind", "--rows", "200", "--gold", "20"])
    assert done.exit_code == 0, done.output
    said = "400 texts (tweet 100, product 100, film 100, editorial 100); 200 of them, 20 gold, are in"
    assert said in " ".join(done.output.split())
    assert read_classes(to) == [*snippets.FILES]
    assert len(read_rows(to, "test", 4).y) == 60


@pytest.mark.parametrize(
    ("file", "content", "text"),
    [
        ("tweets_GroundTruth.txt", None, "cannot be read; expected the folder of Hutto and Gilbert's data"),
        (
            "tweets_GroundTruth.txt",
            "1\t2.0\n",
            "has the line ['1', '2.0']; expected 3 parts with tabs between",
        ),
        ("tweets_GroundTruth.txt", "1\tgood\ttext\n", "is no number: could not convert string to float"),
        (snippets.LEXICON, "word\n", "has the line ['word']; expected 2 parts with tabs between"),
    ],
)
def test_bad_data_is_named(judged: Path, file: str, content: Any, text: str) -> None:
    (judged / file).unlink()
    if content is not None:
        (judged / file).write_text(content)
    with pytest.raises(FrameError) as error:
        snippets.moods(judged)
    assert text in str(error.value)
