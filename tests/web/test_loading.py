import pytest

from app.web import templating
from app.web.loading import load_pages


@pytest.fixture
def loaded(tmp_path):
    """Load all pages as a new process does, and return the files that are kept."""

    def load():
        templating.environment.cache_clear()
        load_pages(tmp_path / "templates")
        return {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in (tmp_path / "templates").iterdir()}

    yield load
    templating.environment.cache_clear()


def test_each_template_is_translated_once(loaded):
    made = loaded()
    assert len(made) == len(templating.environment().list_templates())
    assert loaded() == made


def test_what_is_no_translation_of_this_template_is_made_anew(loaded):
    made = loaded()
    damaged, emptied, other, *_ = made
    damaged.write_bytes(made[damaged][1][: len(made[damaged][1]) // 2])
    emptied.write_bytes(b"")
    other.write_bytes(made[damaged][1])
    after = loaded()
    assert {file: text for file, (_, text) in after.items()} == {file: text for file, (_, text) in made.items()}


def test_a_folder_that_cannot_be_written_to_only_costs_time(loaded, tmp_path):
    loaded()
    for file in (tmp_path / "templates").iterdir():
        file.unlink()
        file.mkdir()  # nobody, not even root, can put a file in its place
        (file / "full").touch()
    templating.environment.cache_clear()
    load_pages(tmp_path / "templates")
    assert templating.environment().get_template("home.html")
