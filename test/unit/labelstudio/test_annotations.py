"""One label set per annotator and point; whatever is left out on the way is counted."""

from typing import Any

import pytest

from adaptml.errors import AnnotationError
from adaptml.tasks import Task
from labelstudio.annotations import Annotations, collect
from labelstudio.export import parse_export


@pytest.fixture
def read(make_task: Any) -> Any:
    def run(*tasks: Any, task: Task | None = None) -> Annotations:
        return collect(parse_export(list(tasks), "here"), task or make_task(), "here")

    return run


def result(control: str, *names: str, kind: str = "choices") -> dict[str, Any]:
    return {"from_name": control, "to_name": "txt", "type": kind, "value": {kind: list(names)}}


def given(found: Annotations) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(label.key[1], label.annotator): label.classes for label in found.labels}


def test_one_column_per_annotator_and_none_where_never_seen(
    read: Any, exported: Any, annotation: Any
) -> None:
    found = read(
        exported("02", annotation(10, "dog", "cat"), annotation(9, "NONE")),
        exported("01", annotation(9, "left-wing")),
        exported("03"),
    )
    frame = found.frame()
    assert list(frame.columns) == ["table_name", "id", "9", "10"]
    assert frame["id"].tolist() == ["01", "02", "03"]
    assert frame["9"].tolist() == [["left-wing"], [], None]
    assert frame["10"].tolist() == [None, ["cat", "dog"], None]
    assert found.counts["none"] == 1


def test_cancelled_drafts_and_deleted_accounts_are_left_out(
    read: Any, exported: Any, annotation: Any
) -> None:
    skipped = annotation(3, result=[], was_cancelled=True)
    found = read(exported("1", skipped, annotation(None, "cat"), annotation(4, "dog"), drafts=[{"id": 1}]))
    assert given(found) == {("1", "4"): ("dog",)}
    assert (found.counts["cancelled"], found.counts["without_annotator"], found.counts["drafts"]) == (1, 1, 1)


def test_repeated_tasks_are_read_once(read: Any, exported: Any, annotation: Any) -> None:
    task = exported("1", annotation(3, "cat"), drafts=[{"id": 1}])
    found = read(task, task)
    assert given(found) == {("1", "3"): ("cat",)}
    counts = found.counts
    assert (counts["tasks"], counts["repeated_tasks"], counts["repeated_annotations"]) == (2, 1, 1)
    assert (counts["superseded"], counts["drafts"], counts["points_in_several_tasks"]) == (0, 1, 0)


def test_the_latest_copy_of_an_annotation_counts_wherever_it_stands(
    read: Any, exported: Any, annotation: Any
) -> None:
    early = annotation(3, "cat", id=7, updated_at="2026-11-22T08:00:00Z")
    late = annotation(3, "dog", id=7, updated_at="2026-11-23T08:00:00Z")
    untimed = annotation(3, "left-wing", id=7, updated_at=None, created_at=None)
    for copies in ((early, late, untimed), (untimed, late, early)):
        found = read(*(exported("1", copy) for copy in copies))
        assert given(found) == {("1", "3"): ("dog",)}
        counts = found.counts
        assert (counts["annotations"], counts["repeated_annotations"], counts["superseded"]) == (1, 2, 0)
    # Skipped since: the earlier answer counts no more.
    skipped = late | {"was_cancelled": True}
    found = read(exported("1", early), exported("1", skipped), exported("2", annotation(3, "cat")))
    assert given(found) == {("2", "3"): ("cat",)}
    assert found.counts["cancelled"] == 1


def test_annotations_without_an_id_are_no_copies(read: Any, exported: Any, annotation: Any) -> None:
    found = read(exported("1", annotation(3, "cat", id=None), annotation(4, "dog", id=None)))
    assert given(found) == {("1", "3"): ("cat",), ("1", "4"): ("dog",)}


def test_a_point_imported_twice_joins_its_annotations(read: Any, exported: Any, annotation: Any) -> None:
    again = exported("1", annotation(4, "dog")) | {"id": 99}
    found = read(exported("1", annotation(3, "cat")), again)
    assert given(found) == {("1", "3"): ("cat",), ("1", "4"): ("dog",)}
    assert (found.counts["repeated_tasks"], found.counts["points_in_several_tasks"]) == (0, 1)


def test_equal_ids_of_two_tables_are_two_points(read: Any, exported: Any, annotation: Any) -> None:
    found = read(exported("1", annotation(3, "cat")), exported("1", annotation(3, "dog"), table="other"))
    assert [(v.key, v.classes) for v in found.labels] == [
        (("other", "1"), ("dog",)),
        (("posts", "1"), ("cat",)),
    ]


def test_the_latest_annotation_counts_wherever_it_stands(read: Any, exported: Any, annotation: Any) -> None:
    late = annotation(3, "dog", updated_at="2026-11-23T08:00:00Z")
    early = annotation(3, "cat", updated_at="2026-11-22T08:00:00.5Z")
    for order in ((late, early), (early, late)):
        found = read(exported("1", *order))
        assert given(found) == {("1", "3"): ("dog",)}
        assert found.counts["superseded"] == 1


def test_results_of_one_annotation_are_joined(read: Any, exported: Any, annotation: Any) -> None:
    results = [
        result("label", "dog"),
        result("label", "right-wing", "left-wing", "cat", "dog"),
        result("note", "fine", kind="text"),
    ]
    found = read(exported("1", annotation(3, result=results)))
    assert given(found) == {("1", "3"): ("cat", "dog", "left-wing", "right-wing")}  # the task's order
    assert (found.counts["several_results"], found.counts["other_results"]) == (1, 1)


def test_other_controls_are_told_apart_by_their_choices(read: Any, exported: Any, annotation: Any) -> None:
    # `topic` holds the classes, whatever the control is called; `sure` holds something else, and NONE.
    results = [result("sure", "very", "NONE"), result("topic", "right-wing")]
    found = read(exported("1", annotation(3, result=results)))
    assert given(found) == {("1", "3"): ("right-wing",)}
    assert found.counts["other_results"] == 1


@pytest.mark.parametrize("name", ["NONE", "none", "N/A", "n/a "])
def test_none_in_any_writing(name: str, read: Any, exported: Any, annotation: Any) -> None:
    found = read(exported("1", annotation(3, name)), exported("2", annotation(3, "cat", name)))
    assert given(found) == {("1", "3"): (), ("2", "3"): ("cat",)}
    assert (found.counts["none"], found.counts["none_beside_classes"]) == (1, 1)


def test_nothing_chosen_is_no_class_and_counted(read: Any, exported: Any, annotation: Any) -> None:
    found = read(exported("1", annotation(3, result=[])))
    assert given(found) == {("1", "3"): ()}
    assert found.counts["without_choice"] == 1


def test_a_class_may_be_called_none(read: Any, exported: Any, annotation: Any, make_task: Any) -> None:
    found = read(exported("1", annotation(3, "none")), task=make_task(classes="none some"))
    assert given(found) == {("1", "3"): ("none",)}


def test_unknown_names_are_listed_all_with_their_counts(read: Any, exported: Any, annotation: Any) -> None:
    names = [f"z{i}" for i in range(7)]
    with pytest.raises(AnnotationError) as error:
        read(exported("1", annotation(3, "cat", *names), annotation(4, "z0", "wing")))
    assert str(error.value) == (
        "here holds 8 names in control 'label' that are not classes of task 'zoo': 'wing' (1 times), 'z0' (2 times), 'z1' (1 times), "
        "'z2' (1 times), 'z3' (1 times), 'z4' (1 times), 'z5' (1 times), 'z6' (1 times); its classes are "
        "cat, dog, left-wing, right-wing: fix the labelling page or the task file. A name that once was a class is told what it is now by `adaptml task classes zoo --add NAME`, "
        "and then --merge, --split or --drop"
    )


def test_two_controls_with_the_classes(read: Any, exported: Any, annotation: Any) -> None:
    with pytest.raises(AnnotationError) as error:
        read(exported("1", annotation(3, result=[result("first", "cat"), result("second", "dog")])))
    assert str(error.value) == (
        "here holds choices of 2 controls that could be this task's: 'first' ('cat' (1 times)), "
        "'second' ('dog' (1 times)); keep the task's classes in one control of the labelling page"
    )


def test_several_classes_in_a_multiclass_task(
    read: Any, exported: Any, annotation: Any, make_task: Any
) -> None:
    with pytest.raises(AnnotationError) as error:
        read(exported("1", annotation(3, "cat", "dog")), task=make_task("multiclass"))
    assert str(error.value) == (
        "here holds 1 annotations with several classes, and task 'zoo' is multiclass: "
        "posts/1 by 3: cat + dog; fix them in Label Studio, or set the task to multilabel"
    )
    found = read(
        exported("1", annotation(3, "cat")),
        exported("2", annotation(3, "NONE")),
        task=make_task("multiclass"),
    )
    assert given(found) == {("1", "3"): ("cat",), ("2", "3"): ()}


def test_nothing_that_counts_is_told_with_the_reasons(read: Any, exported: Any, annotation: Any) -> None:
    with pytest.raises(
        AnnotationError, match=r"^here holds 1 points and no annotation that counts: annotate"
    ):
        read(exported("2"))
    with pytest.raises(AnnotationError) as error:
        read(
            exported("1", annotation(3, result=[], was_cancelled=True), drafts=[{"id": 1}]),
            exported("2", annotation(3, "cat", import_id=7), annotation(None, "cat")),
        )
    assert str(error.value) == (
        "here holds 2 points and no annotation that counts (1 drafts: left out; 1 cancelled (skipped) "
        "annotations: left out; 1 annotations without an author (a deleted account, or an old export): left "
        "out; 1 annotations without the server's record of who made them (imported, or of an old export): "
        "left out; with --accept-claims they count for those whom they name)"
    )


def test_an_annotation_is_its_authors_whoever_changed_it(read: Any, exported: Any, annotation: Any) -> None:
    found = read(
        exported("01", annotation(3, "cat", updated_by=9), annotation(4, "dog", updated_by=9)),
        exported("02", annotation({"id": 3}, "dog", updated_by={"id": 9}), annotation(4, "cat")),
    )
    assert given(found) == {
        ("01", "3"): ("cat",), ("01", "4"): ("dog",), ("02", "3"): ("dog",), ("02", "4"): ("cat",),
    }  # fmt: skip
    assert found.notes() == [
        "3 annotations that another account changed last: they count as their author's: "
        "3's by 9, 2 times, 4's by 9, 1 times"
    ]


def test_what_another_sends_in_a_persons_name_never_replaces_that_persons_own(
    read: Any, exported: Any, annotation: Any
) -> None:
    own = annotation(3, "cat", updated_at="2026-11-22T08:00:00Z")
    forged = annotation(3, "dog", updated_by=4, updated_at="2026-11-23T08:00:00Z")
    for order in ((own, forged), (forged, own)):
        assert given(read(exported("1", *order))) == {("1", "3"): ("cat",)}


@pytest.mark.parametrize("record", [{"import_id": 5}, {"updated_by": None}, {"updated_by": {}}])
def test_a_claim_counts_only_where_it_is_accepted(
    record: Any, exported: Any, annotation: Any, make_task: Any
) -> None:
    tasks = parse_export([exported("1", annotation(3, "cat", **record), annotation(4, "dog"))], "here")
    found = collect(tasks, make_task(), "here")
    assert given(found) == {("1", "4"): ("dog",)}
    assert (found.counts["claims"], found.counts["accepted_claims"]) == (1, 0)
    found = collect(tasks, make_task(), "here", accept_claims=True)
    assert given(found) == {("1", "3"): ("cat",), ("1", "4"): ("dog",)}
    assert (found.counts["claims"], found.counts["accepted_claims"]) == (0, 1)


def test_ground_truth_is_kept(read: Any, exported: Any, annotation: Any) -> None:
    found = read(
        exported("1", annotation(3, "cat", ground_truth=True), annotation(4, "dog", ground_truth=None))
    )
    assert [(label.annotator, label.ground_truth) for label in found.labels] == [("3", True), ("4", False)]


@pytest.mark.parametrize(
    ("kind", "value", "classes"),
    [
        ("choices", "cat", ("cat",)),  # as text, where a list is usual
        ("choices", [["dog"], ["cat", None]], ("cat", "dog")),
        ("taxonomy", [["animal", "cat"]], ("cat",)),
        ("taxonomy", [["animal"], ["animal", "dog"]], ("dog",)),
        ("taxonomy", [["cat", "left-wing", "unheard of"]], ("left-wing",)),
        ("labels", ["dog", "cat"], ("cat", "dog")),
        ("hypertextlabels", ["dog"], ("dog",)),
        ("rectanglelabels", ["dog"], ("dog",)),
    ],
)
def test_every_control_that_can_hold_classes(
    kind: str, value: Any, classes: tuple[str, ...], read: Any, exported: Any, annotation: Any
) -> None:
    said = {
        "from_name": "topic",
        "to_name": "txt",
        "type": kind,
        "value": {kind: value, "start": 0, "end": 4},
    }
    assert given(read(exported("1", annotation(3, result=[said])))) == {("1", "3"): classes}


def test_labels_of_several_regions_are_one_label_set(read: Any, exported: Any, annotation: Any) -> None:
    regions = [result("spans", name, kind="labels") for name in ("dog", "cat", "dog")]
    assert given(read(exported("1", annotation(3, result=regions)))) == {("1", "3"): ("cat", "dog")}


def test_a_class_may_be_called_like_a_whole_path(
    read: Any, exported: Any, annotation: Any, make_task: Any
) -> None:
    said = {
        "from_name": "topic",
        "type": "taxonomy",
        "value": {"taxonomy": [["good", "other"], ["bad", "other"]]},
    }
    task = make_task(classes="good/other bad/other other")
    assert given(read(exported("1", annotation(3, result=[said])), task=task)) == {
        ("1", "3"): ("good/other", "bad/other")
    }
    with pytest.raises(AnnotationError, match=r"in control 'topic' that are not .* 'bad/none' \(1 times\)"):
        said = {"from_name": "topic", "type": "taxonomy", "value": {"taxonomy": [["bad", "none"]]}}
        read(exported("1", annotation(3, result=[said])), task=task)


def test_classes_in_a_control_that_holds_none_are_named_with_it(
    read: Any, exported: Any, annotation: Any, make_task: Any
) -> None:
    note = {"from_name": "note", "to_name": "txt", "type": "textarea", "value": {"text": ["cat"]}}
    for setting in ("multiclass", "multilabel"):
        with pytest.raises(AnnotationError) as error:
            read(exported("1", annotation(3, result=[note])), task=make_task(setting))
        assert str(error.value) == (
            "here holds 1 points and no annotation that counts (1 results of other controls: left out; 1 "
            "annotations with classes in a control that is not Choices, Taxonomy or Labels: left out: "
            "'cat' in 'note' (textarea), 1 times)"
        )
        found = read(
            exported("1", annotation(3, result=[note]), annotation(4, "dog")), task=make_task(setting)
        )
        assert given(found) == {("1", "4"): ("dog",)}
        assert found.counts["elsewhere"] == 1


def test_one_class_a_point_is_never_none_by_silence(
    read: Any, exported: Any, annotation: Any, make_task: Any
) -> None:
    sure = result("sure", "4", kind="rating")
    silent = exported("1", annotation(3, result=[]), annotation(4, result=[sure]), annotation(5, "NONE"))
    found = read(silent, task=make_task("multiclass"))
    assert given(found) == {("1", "5"): ()}
    assert (found.counts["without_class"], found.counts["without_choice"]) == (2, 0)
