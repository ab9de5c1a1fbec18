"""A plugin: on which databases and by which search engines tests run, in what order, and in which processes."""

import gc
import math
import os
import time

import pytest
from _pytest.nodeid import NodeId

ENGINES = ["sqlite", "postgresql", "postgresql-search"]

_BEGAN = time.monotonic()
_FURTHER = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engines",
        type=lambda said: ENGINES if said == "all" else said.split(","),
        default=["sqlite"],
        help="what libraries are on, one after the other: sqlite, postgresql (a server made for the run), "
        "postgresql-search (the same, for tests marked `searches`; it searches too), or all",
    )
    parser.addoption(
        "--further-cases",
        type=float,
        default=math.inf,
        metavar="SECONDS",
        help="until when a run goes on to further cases of what was tried on another engine than SQLite with one case; "
        "they come last, and those that are left then are skipped",
    )


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors, as many tests wait for what a server of theirs does."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "postgresql" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("engines")
        engines = [name for name in chosen if _is_for(metafunc.definition, name)]
        ids = [pytest.HIDDEN_PARAM if name == "sqlite" else name for name in engines]
        metafunc.parametrize("postgresql", engines, indirect=True, ids=ids, scope="session")


def _is_for(test: pytest.Item, engine: str) -> bool:
    if test.get_closest_marker("sqlite"):
        return engine == "sqlite"
    return engine != "postgresql-search" or test.get_closest_marker("searches") is not None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order them for several processes: what takes longest comes first, and an engine is left for the next one once."""
    _mark_further_cases(items)
    for item in items:
        if hasattr(config, "workerinput") and (group := _group_of(item)):
            # What the mark `xdist_group` does; pytest-xdist 3.8 writes it where pytest 9.2 does not look any more.
            item._id = NodeId.parse(f"{item.nodeid}@{group}")
    items.sort(
        key=lambda item: (
            item.stash[_FURTHER], not _has_server(item), not item.get_closest_marker("e2e"), _engine_of(item)
        )
    )  # fmt: skip


def pytest_collection_finish() -> None:
    """Let the search for garbage pass over what stays to the end, thousands of tests: it was a third of the time."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.stash[_FURTHER] and time.monotonic() - _BEGAN > item.config.getoption("further_cases"):
        pytest.skip("no time was left for this further case of a test on another engine than SQLite")


def _mark_further_cases(items: list[pytest.Item]) -> None:
    tried: set[tuple[str, int]] = set()
    for item in items:
        test = item.nodeid.partition("[")[0], _engine_of(item)
        item.stash[_FURTHER] = _engine_of(item) > 0 and test in tried
        tried.add(test)


def _group_of(item: pytest.Item) -> str | None:
    """Return with what the test has to stay in one process: one server and browser are all that two processors bear."""
    if _has_server(item):
        return "server"
    if item.get_closest_marker("e2e"):
        return None
    further = " further" if item.stash[_FURTHER] else ""
    return f"{item.location[0]} {_engine_of(item)}{further}"  # a file shares its fixtures


def _has_server(item: pytest.Item) -> bool:
    return item.get_closest_marker("e2e") is not None and bool({"server", "browser"} & set(item.fixturenames))


def _engine_of(item: pytest.Item) -> int:
    """Return which of the engines it is tried on: the first one if it asks for none, or is for none of those chosen."""
    engine = item.callspec.params.get("postgresql") if hasattr(item, "callspec") else None
    return ENGINES.index(engine) if engine in ENGINES else 0
