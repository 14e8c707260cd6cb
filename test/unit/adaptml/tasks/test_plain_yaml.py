import pytest
import yaml

from adaptml.tasks.plain_yaml import MAX_DEPTH, read_yaml


@pytest.mark.parametrize("text", ["2026-11-05", "2026-13-45", "2026-11-05 10:00:00"])
def test_what_looks_like_a_date_is_text(text: str) -> None:
    assert read_yaml(f"title: {text}") == {"title": text}


def test_the_rest_is_as_yaml_has_it() -> None:
    text = "a: 1\nb: [yes, 1.5, 'no', ~]\nc: {d: e}\n"
    assert read_yaml(text) == yaml.safe_load(text)
    assert yaml.safe_load("a: 2026-11-05")["a"].year == 2026  # YAML's own loader is as it was


def test_lists_may_be_nested_so_deep_and_no_deeper() -> None:
    assert read_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    with pytest.raises(yaml.MarkedYAMLError, match=f"nested more than {MAX_DEPTH} deep"):
        read_yaml("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("a: 1\nb: 2\na: 3\n", "'a' is duplicated(.|\n)*line 3"),
        ("- {a: 1, a: 1}", "'a' is duplicated"),
        ("1: x\n1: y\n", "'1' is duplicated"),
        ("a: &x [1]\nb: *x\n", "alias(.|\n)*line 2"),
        ("a: !!python/name:os.system\n", "python/name"),
    ],
)
def test_what_would_surprise_is_refused_with_its_line(text: str, facts: str) -> None:
    with pytest.raises(yaml.YAMLError, match=facts):
        read_yaml(text)
