"""Writers that are killed at any moment: nothing is lost, nothing is found twice."""

import os
import random
import subprocess
import sys
import time

import pytest

from app.config import Settings
from app.search.index import SearchIndex
from app.services import indexing
from app.services.searching import search
from app.storage import articles
from app.storage.database import Database
from tests.e2e.conftest import PROJECT

pytestmark = pytest.mark.e2e

NUMBER = 120


def write_files(folder, generation):
    for number in range(NUMBER):
        text = f"---\ntitle: Paper n{number}\nlang: en\n---\ngeneration{generation} {'filler ' * 400}\n"
        (folder / f"n{number}.md").write_text(text)


def importing(folder, data):
    command = [sys.executable, "-m", "app", "import", str(folder)]
    environ = os.environ | {"OMNIRACLE_DATA_DIR": str(data)}
    return subprocess.Popen(command, cwd=PROJECT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_an_import_killed_at_any_moment_is_finished_by_the_next(tmp_path):
    folder, data = tmp_path / "tree", tmp_path / "var"
    folder.mkdir()
    environ = os.environ | {"OMNIRACLE_DATA_DIR": str(data)}
    subprocess.run([sys.executable, "-m", "app", "migrate"], cwd=PROJECT, env=environ, check=True, capture_output=True)
    rng = random.Random(9)
    for generation in range(5):
        write_files(folder, generation)
        process = importing(folder, data)
        time.sleep(rng.uniform(0.8, 3.0))
        process.kill()
        process.wait()
    assert importing(folder, data).wait(60) == 0

    settings = Settings(data_dir=data)
    database, index = Database.of(settings), SearchIndex(settings.index_dir)
    with database.read() as session:
        assert articles.count(session) == NUMBER
    assert indexing.drain(database, index) == 0
    assert search(database, index, "generation4").page.total == NUMBER
    for generation in range(4):
        assert search(database, index, f'"generation{generation}"').page.total == 0
    assert [hit.title for hit in search(database, index, "n77").page.items] == ["Paper n77"]
    index.close()
    database.close()
