"""The labelling page and the annotators' instructions."""

from typing import Any

import numpy as np
import pytest

from adaptml.errors import LabelStudioError
from adaptml.tasks.annotating import label_config
from adaptml.tasks.schema import ClassSpec
from labelstudio.project import check_page, instructions
from labelstudio.push import prediction


def test_instructions_are_the_coding_guide_and_run_nothing(make_task: Any) -> None:
    task = make_task(classes="cat dog")
    spec = ClassSpec(name="cat", description="Says <script>meow</script>.", examples=("a & b", "c"))
    html = instructions(task.model_copy(update={"classes": (spec, *task.classes[1:])}))
    assert html.splitlines() == [
        "<h2>Which is it about?</h2>",
        "<p>Choose all that apply.</p>",
        "<h3>cat</h3>",
        "<p>Says &lt;script&gt;meow&lt;/script&gt;.</p>",
        "<ul>",
        "<li>a &amp; b</li>",
        "<li>c</li>",
        "</ul>",
        "<h3>dog</h3>",
        "<h3>NONE</h3>",
        "<p>None of the above.</p>",
    ]


def test_a_page_with_other_classes(make_task: Any) -> None:
    task = make_task(classes="cat dog")
    check_page({"id": 3, "label_config": label_config(task)}, task)
    config = label_config(task).replace('"dog"', '"wolf"')
    with pytest.raises(LabelStudioError) as error:
        check_page({"id": 3, "label_config": config}, task)
    assert str(error.value) == (
        "the labelling page of project 3 does not have dog and also has wolf, unlike the task file of 'zoo'; "
        "run `adaptml annotate setup zoo`"
    )


def test_the_score_of_a_pre_annotation(make_task: Any) -> None:
    probs = np.array([0.7, 0.2, 0.1])
    single = make_task("multiclass", "cat dog bird")
    assert prediction(["cat"], probs, single, "r")["score"] == 0.7
    several = make_task("multilabel", "cat dog bird")
    assert prediction(["cat"], probs, several, "r")["score"] == 0.7
    assert prediction(["cat", "dog"], probs, several, "r")["score"] == 0.2
    none = prediction([], probs, several, "r")
    assert none["score"] == pytest.approx(0.3)
    assert none["result"][0]["value"] == {"choices": ["NONE"]}
