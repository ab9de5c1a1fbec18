"""All that the running application answers to, from its own list of routes; for tests that leave nothing out."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI

SAFE = ("GET", "HEAD", "OPTIONS")
# Where a parameter's value has to have a form for its route to be reached; the rest is a number that nothing has.
EXAMPLES = {"slug": "bread", "version": "0", "name:path": "css/base.css", "number": "1"}


def surface(app: FastAPI) -> list[tuple[str, str]]:
    """Return every method and path of an application, as its routes write them; HEAD is answered wherever GET is."""
    return sorted(
        {(method, route.path) for route in _flat(app.routes) for method in route.methods - {"HEAD"}},
        key=lambda each: (each[1], each[0]),
    )


def address(path: str, **values: str) -> str:
    """Return an address that leads to the route with this path."""
    known = EXAMPLES | values
    return re.sub(r"\{([^}]+)\}", lambda found: known.get(found[1], "999999"), path)


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    for route in routes:
        if hasattr(route, "original_router"):
            yield from _flat(route.original_router.routes)
        else:
            yield route  # anything else that answers, a mounted application for example, has no methods and fails
