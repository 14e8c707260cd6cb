"""Rules that are examples, kept in a file beside the task."""

from pathlib import Path

import pytest

from adaptml.errors import LabellingError
from adaptml.tasks import Task
from dataprogramming.lf_json import is_data, lf_from_json
from dataprogramming.lf_sources import source_of
from dataprogramming.lfs import load_lfs
from dataprogramming.like_lfs import like_lf, write_examples

LFS = """
from adaptml import like_lf
def get_lfs(params):
    return [like_lf("gifts", "gifts.json", params.labels.spam, "vec", above=0.9)]
"""


def test_examples_lie_beside_the_task(tmp_path: Path) -> None:
    write_examples(tmp_path / "gifts.json", {("posts", "é1"): [3.0, 4.0]}, {("posts", "2"): [1, 0]})
    (tmp_path / "lfs.py").write_text(LFS)
    task = Task(name="mails", classes=("ham", "spam"), lf_features=("vec",), folder=tmp_path)
    (lf,) = load_lfs(task)
    assert is_data(lf)
    assert lf.rule.hits([[3, 4], [1, 0], None]).tolist() == [True, False, False]
    assert lf_from_json(lf.to_json()).rule == lf.rule
    said = source_of(lf)
    assert said is not None
    assert "é1" in said
    assert "vector" not in said  # a difference of rules shows the rows, not their numbers


@pytest.mark.parametrize(
    ("content", "above", "facts"),
    [
        (None, 0.5, ["gifts.json cannot be read: No such file"]),
        ("[]", 0.5, ["gifts.json holds no examples", "choose the rows again"]),
        ('{"like": []}', 0.5, ["'gifts'", "like"]),
        ('{"like": [{"table_name": "t", "id": "1", "vector": [1]}]}', 2, ["'gifts'", "above", "2"]),
        (
            '{"like": [{"table_name": "t", "id": "1", "vector": [1]}, {"table_name": "t", "id": "2", "vector": [1, 2]}]}',
            0.5,
            ["vectors of 1 and of 2 numbers"],
        ),
    ],
)
def test_examples_that_cannot_be_used(
    tmp_path: Path, content: str | None, above: float, facts: list[str]
) -> None:
    if content is not None:
        (tmp_path / "gifts.json").write_text(content)
    with pytest.raises(LabellingError) as raised:
        like_lf("gifts", tmp_path / "gifts.json", "spam", "vec", above=above)
    assert [fact for fact in facts if fact not in str(raised.value)] == []
    assert "\n" not in str(raised.value)
