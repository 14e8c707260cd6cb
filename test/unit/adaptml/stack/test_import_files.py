from pathlib import Path

import pytest

from adaptml.stack.compose import Stack, StackError
from adaptml.stack.import_files import import_files


def test_only_files_are_copied_into_the_stack(folder: Path) -> None:
    (folder / "pictures").mkdir()
    for name in ("posts.csv", "pictures"):
        with pytest.raises(StackError, match=rf"no file .*{name}; expected files to copy into the stack"):
            import_files(Stack(folder, {}), [folder / name], "posts")
