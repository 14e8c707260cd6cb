"""What the demo prints, as the tests of several places read it."""

import json
import re


def figures(report: str) -> dict[str, tuple[float, float]]:
    """Setting → figures of the label model and of the end model on gold."""
    rows = re.findall(
        r"^(multiclass|multilabel)\s+\S.*?(\d\.\d{3}) \(\w+\)\s+(\d\.\d{3})", report, re.MULTILINE
    )
    return {name: (float(label_model), float(end_model)) for name, label_model, end_model in rows}


def check_report(report: str) -> None:
    """It reached its figures, and the service answered."""
    found = figures(report)
    assert min(found["multiclass"]) >= 0.97
    assert found["multilabel"][0] >= 0.97
    assert found["multilabel"][1] >= 0.93
    assert re.search(r"Krippendorff's alpha 0\.6[0-5]\d \(masi\): start again", report)
    answer = json.loads(next(line for line in report.splitlines() if line.startswith('{"table_name"')))
    assert answer["id"] == ["361"]
    assert (answer["cat"], answer["dog"], answer["bird"]) == ([1], [0], [1])
