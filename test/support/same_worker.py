"""Tests that share something made once (a server, a store, the example's workspace) run in one of pytest-xdist's workers.

Which ones belong together is seen from their fixtures, so that no test needs a mark. pytest-xdist's own `loadgroup`
asks for marks and hands them on inside the tests' ids, which pytest does not let it change from 9.2 on.
"""

from collections import Counter
from typing import Any

import pytest

CACHED = "same_worker/groups"
MADE_IN_SECONDS = {"empty_store"}  # session fixtures that each worker may make for itself


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The first worker leaves the group of each test where the scheduler, another process, finds it.

    Tests of the whole repository, which are slow and alone, come first, so that no worker is left with them.
    """
    items.sort(key=lambda item: item.path.parent.name != "unit")
    if getattr(config, "workerinput", {}).get("workerid") == "gw0":
        config.cache.set(CACHED, groups(items))  # type: ignore[union-attr]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hands out whole groups, those of most tests first, and all other tests one by one."""
    from xdist.scheduler import LoadScopeScheduling

    class GroupScheduling(LoadScopeScheduling):
        found: dict[str, str] | None = None

        def _split_scope(self, nodeid: str) -> str:
            if self.found is None:  # asked for the first time when all workers have collected
                self.found = config.cache.get(CACHED, {})  # type: ignore[union-attr]
            return self.found.get(nodeid, nodeid)

    return GroupScheduling(config, log) if config.getoption("dist") == "load" else None


def groups(items: list[pytest.Item]) -> dict[str, str]:
    """The group of each test that has one; of several, the one with most tests."""
    shared = {item.nodeid: _made_once(item) for item in items}
    tests = Counter(name for names in shared.values() for name in names)
    return {test: max(sorted(names), key=lambda name: tests[name]) for test, names in shared.items() if names}


def _made_once(item: pytest.Item) -> set[str]:
    """Session fixtures that a test uses, its module where it uses a module fixture, groups that it names itself."""
    made = {str(mark.args[0]) for mark in item.iter_markers("xdist_group")}
    made |= {mark.name for mark in item.iter_markers("torch")}  # importing it takes seconds
    for name, definitions in item._fixtureinfo.name2fixturedefs.items():  # type: ignore[attr-defined]
        for found in definitions:
            ours = found.baseid and name not in MADE_IN_SECONDS  # pytest's own and plugins' have no place
            if ours and found.scope != "function":
                made.add(name if found.scope == "session" else found.baseid)
    return made
