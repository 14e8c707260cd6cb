from pathlib import Path

import pandas as pd
import pytest

from adaptml.features.lemmas import lemmatize
from adaptml.tasks import load_task
from dataprogramming.applier import apply_to_frame
from dataprogramming.lfs import load_lfs

REPOSITORY = Path(__file__).resolve().parents[3]
HAM, SPAM = 0, 1


def votes(text: str, parameters: dict[str, str] | None = None) -> dict[str, int]:
    task = load_task("youtube_spam", REPOSITORY / "tasks")
    lfs = load_lfs(task, parameters)
    frame = pd.DataFrame({"txt": [text], "txt_clean_lemma": [lemmatize(text)]})
    cast = apply_to_frame(lfs, frame, task.labels)[0].tolist()
    return {lf.name: vote for lf, vote in zip(lfs, cast, strict=True) if vote >= 0}


def test_spam_is_the_positive_class() -> None:
    task = load_task("youtube_spam", REPOSITORY / "tasks")
    assert (task.class_names, task.positive) == (["ham", "spam"], "spam")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plz subscribe", {"spam_subscribe": SPAM, "spam_please": SPAM}),
        ("CHECK this new video OUT", {"spam_check_out": SPAM}),
        ("http://example.org", {"spam_link": SPAM}),
        ("Listen to my new song", {"spam_my_own": SPAM}),
        ("Like this comment", {"spam_like_this": SPAM}),
        ("I earn 200 dollars a day, visit", {"spam_money": SPAM, "spam_call": SPAM}),
        ("A young rapper from Leeds with a dream", {"spam_artist": SPAM}),
        ("la " * 40, {"spam_long": SPAM}),
        ("Best song", {"ham_song": HAM, "ham_feeling": HAM, "ham_short": HAM}),
        ("Two billion views", {"ham_views": HAM, "ham_short": HAM}),
        ('<a href="http://www.youtube.com/watch?v=abc&t=3m40s">3:40</a>', {"ham_short": HAM}),
        ("My favourite song", {"ham_song": HAM, "ham_short": HAM}),
        ("la " * 20, {}),
    ],
)
def test_votes_on_hand_picked_comments(text: str, expected: dict[str, int]) -> None:
    assert votes(text) == expected


def test_the_lengths_are_parameters() -> None:
    assert votes("la " * 9) == {}
    assert votes("la " * 9, {"short_words": "9"}) == {"ham_short": HAM}
    assert votes("la " * 9, {"long_words": "9"}) == {"spam_long": SPAM}
