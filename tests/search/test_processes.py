"""Sets have another order in each process; what workers answer must not."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
from app.search.expansion import expand
from app.search.index import SearchIndex
from app.search.query import parse
from app.search.schema import Entry
from app.search.snippets import Marker

words = [f"{a}{b}{c}" for a in "bdfg" for b in "aeiou" for c in "klmnp"]
if WHAT == "excerpt":
    places = [word if place % 7 else "filler " * 50 + word for place, word in enumerate(words)]
    print(Marker(words, " ".join(words)).excerpt(" ".join(places)).html)
else:
    index = SearchIndex(Path(FOLDER))
    with index.build_lock(), index.building("x") as build, index.write_lock():
        build.fill([Entry(1, 1, "en", " ".join(words), (), (), "")])
        build.take_over(0, "")
    print(expand(parse("ba"), index.snapshot(), is_typing=True).slots)
"""


@pytest.mark.parametrize("what", ["excerpt", "completions"])
def test_all_workers_answer_alike(tmp_path, what):
    answers = set()
    for seed in range(3):
        program = f"WHAT, FOLDER = {what!r}, {str(tmp_path / str(seed))!r}\n{PROGRAM}"
        environ = os.environ | {"PYTHONHASHSEED": str(seed)}
        done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
        answers.add(done.stdout)
    assert len(answers) == 1
