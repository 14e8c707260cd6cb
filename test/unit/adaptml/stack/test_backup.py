from pathlib import Path

import pytest

from adaptml.stack.backup import Store, backup
from adaptml.stack.compose import Stack, StackError
from adaptml.stack.restore import restore
from adaptml.stack.secrets import make_secrets


def test_copies_of_folders_have_names_without_slashes() -> None:
    assert Store("/data/annotations", "/data/annotations").file == "data-annotations.tar"


def test_folders_that_cannot_be_used_are_refused(folder: Path) -> None:
    (folder / "file").write_text("")
    stack = Stack(folder, {"SECRETS": "file/secrets"})
    there, nowhere = folder / "there", folder / "file" / "monday"
    there.mkdir()
    messages = []
    for use in (
        lambda: make_secrets(stack),
        lambda: backup(stack, there),
        lambda: backup(stack, nowhere),
        lambda: restore(stack, there),
    ):
        with pytest.raises(StackError) as caught:
            use()
        messages.append(str(caught.value))
    assert messages == [
        f"{folder}/file/secrets cannot be written: Not a directory; expected to be the user who started the stack "
        "first, or root",
        f"{there} exists; expected a new folder for the backup: name another one",
        f"{nowhere} cannot be made: Not a directory; expected a place that this user may write to",
        f"{there} is no backup: it has no manifest.json; expected what `adaptml backup` wrote",
    ]
