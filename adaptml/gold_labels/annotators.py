"""Who the annotators are: gold has the numbers of their accounts, as Label Studio gives them."""

import json

from adaptml.project import Project

STANDING = "standing.json"  # beside the annotations; `labelstudio.standing` writes it


def annotator_names(project: Project, task: str) -> dict[str, str]:
    """Number of an annotator's account → name, as far as it was known when annotations were last pulled."""
    try:
        found = json.loads((project.settings.annotations(task) / STANDING).read_text(encoding="utf-8"))
        return {str(one["annotator"]): str(one["name"]) for one in found["people"] if one["name"]}
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # none yet, or of another version
        return {}
