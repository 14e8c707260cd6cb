"""What the last label run said of each rule."""

import pytest

from adaptml.project import Project
from adaptml.settings import Settings
from dataprogramming.last_label_run import last_label_run


def test_the_last_run_says_the_coverage_of_each_rule(tracking: Settings, pets: Project) -> None:
    assert last_label_run(pets, "pets") is None
    run_id = pets.label("pets", "posts", label_model="majority_vote").run_id
    found = last_label_run(pets, "pets")
    assert found is not None
    assert found.run_id == run_id
    assert found.coverage == pytest.approx({"cats": 3 / 6, "dogs": 3 / 6, "long": 2 / 6})
