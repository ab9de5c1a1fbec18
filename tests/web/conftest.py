"""The real application over the small library, called in-process."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.web.application import create_app


@pytest.fixture
def client(library) -> Iterator[TestClient]:
    with TestClient(create_app(library.settings), follow_redirects=False) as client:
        yield client


@pytest.fixture
def empty_client(empty_library) -> Iterator[TestClient]:
    with TestClient(create_app(empty_library.settings), follow_redirects=False) as client:
        yield client
