"""Two hosts whose content folders are at different states: the one that is behind undoes nothing when it starts."""

import shutil
from contextlib import closing

import pytest

from app.cli.preparing import prepare
from app.config import Settings
from app.services.syncing import sync
from app.storage import articles
from app.storage.database import Database

TEA = "---\ntitle: How hot is tea?\nlang: en\n---\n{}\n"


@pytest.fixture
def hosts(database_server, tmp_path):
    """Two hosts that have started with the same folder."""
    database = database_server.create()
    made = []
    for name in ("new", "old"):
        settings = Settings(
            data_dir=tmp_path / name,
            content_dir=tmp_path / f"{name}-content",
            database_url=database_server.url(database),
        )
        settings.prepare_data_dir()
        write(settings, "tea.md", TEA.format("Ninety degrees."))
        write(settings, "bread.md", TEA.format("With salt.").replace("hot is tea", "salty is bread"))
        prepare(settings)
        made.append(settings)
    yield made
    database_server.drop(database)


def write(settings, path, text):
    (settings.content_dir / "food").mkdir(parents=True, exist_ok=True)
    (settings.content_dir / "food" / path).write_text(text)


def shown(settings):
    """Return path, number of the revision and text of each article, by slug."""
    with closing(Database(settings.resolved_database_url)) as database, database.read() as session:
        found = articles.by_ids(session, articles.ids_after(session, 0, 100))
    return {each.slug: (each.path, each.revision, each.body.strip()) for each in found}


@pytest.mark.parametrize("is_renamed", [False, True])
@pytest.mark.parametrize("is_changed", [False, True])
def test_who_starts_with_the_older_folder_reverts_nothing(hosts, is_renamed, is_changed):
    new, old = hosts
    if is_renamed:
        (new.content_dir / "food/tea.md").rename(new.content_dir / "food/oolong.md")
    if is_changed:
        write(new, "oolong.md" if is_renamed else "tea.md", TEA.format("Eighty degrees."))
    write(new, "added.md", TEA.format("Seventy degrees.").replace("tea", "sencha"))
    (new.content_dir / "food/bread.md").unlink()
    prepare(new)
    expected = shown(new)
    assert expected["oolong" if is_renamed else "tea"][1:] == (
        (2, "Eighty degrees.") if is_changed else (1 + is_renamed, "Ninety degrees.")
    )
    for host in (old, new, old):
        prepare(host)
        assert shown(host) == expected

    # What is written there is taken all the same, and with the newer folder nothing is left to do.
    write(old, "bread.md", TEA.format("With more salt.").replace("hot is tea", "salty is bread"))
    prepare(old)
    assert shown(old)["bread"][1:] == (2, "With more salt.")
    shutil.rmtree(old.content_dir)
    shutil.copytree(new.content_dir, old.content_dir)
    write(old, "oolong.md" if is_renamed else "tea.md", TEA.format("Sixty degrees."))
    prepare(old)
    assert shown(old)["oolong" if is_renamed else "tea"][2] == "Sixty degrees."


def test_an_empty_folder_takes_no_part(hosts, capsys):
    _, old = hosts
    before = shown(old)
    shutil.rmtree(old.content_dir / "food")
    capsys.readouterr()
    prepare(old)
    assert capsys.readouterr().err.count("stay") == 1
    assert shown(old) == before


def test_who_wants_an_older_text_back_says_so(hosts, capsys):
    new, _ = hosts
    write(new, "tea.md", TEA.format("Eighty degrees."))
    prepare(new)
    write(new, "tea.md", TEA.format("Ninety degrees."))
    capsys.readouterr()
    prepare(new)
    assert "`omniracle sync`" in capsys.readouterr().err
    assert shown(new)["tea"][1:] == (2, "Eighty degrees.")
    with closing(Database(new.resolved_database_url)) as database:
        sync(database, None, new.content_dir)
    assert shown(new)["tea"][1:] == (3, "Ninety degrees.")
