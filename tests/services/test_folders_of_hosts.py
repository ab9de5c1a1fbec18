"""Hosts whose content folders are at different states: none undoes what another one or people have done."""

import shutil
from contextlib import closing
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlmodel import select

from app.cli.preparing import prepare
from app.config import Settings
from app.models import Proposal
from app.services import accounts, git_exchange, removing, syncing
from app.services.backup import back_up
from app.services.exporting import export
from app.services.own_files import OwnFiles
from app.services.restoring import restore
from app.services.syncing import sync
from app.storage import articles
from app.storage.database import Database
from tests.services.test_exchange import edit_on_site
from tests.services.test_git import git

TEA = "---\ntitle: How hot is tea?\nlang: en\n---\n{}\n"
LINES = TEA.format("First.\n\nSecond.\n\nThird.\n\nFourth.\n\nFifth.")


@pytest.fixture
def hosts(database_server, tmp_path):
    """Two hosts that have started with the same folder."""
    name = database_server.create()
    made = [host(tmp_path, each, database_server.url(name)) for each in ("new", "old")]
    for settings in made:
        write(settings, "tea.md", TEA.format("Ninety degrees."))
        write(settings, "bread.md", TEA.format("With salt.").replace("hot is tea", "salty is bread"))
        prepare(settings)
    yield made
    database_server.drop(name)


def host(folder, name, url):
    settings = Settings(data_dir=folder / name, content_dir=folder / f"{name}-content", database_url=url)
    settings.prepare_data_dir()
    return settings


def write(settings, path, content):
    (settings.content_dir / "food").mkdir(parents=True, exist_ok=True)
    (settings.content_dir / "food" / path).write_text(content)


def with_lines(*hosts):
    """Let the hosts start with five lines about tea."""
    for settings in hosts:
        write(settings, "tea.md", LINES)
        prepare(settings)


def by_hand(settings):
    """Do what `omniracle sync` does."""
    with closing(Database(settings.resolved_database_url)) as database:
        return sync(database, None, settings.content_dir, own=OwnFiles.of(settings, database))


def save(settings, slug, source):
    """Save what somebody has written on the site."""
    with closing(Database(settings.resolved_database_url)) as database:
        edit_on_site(SimpleNamespace(database=database), slug, source)


def shown(settings):
    """Return path, number of the revision and text of each article, by slug."""
    with closing(Database(settings.resolved_database_url)) as database, database.read() as session:
        found = articles.by_ids(session, articles.ids_after(session, 0, 100))
    return {each.slug: (each.path, each.revision, each.body.strip()) for each in found}


def lines(settings):
    return shown(settings)["tea"][2].split("\n\n")


def waiting(settings):
    with closing(Database(settings.resolved_database_url)) as database, database.read() as session:
        return [(each.id, each.source) for each in session.exec(select(Proposal))]


def said(capsys, settings):
    """Return what a start says of the files."""
    capsys.readouterr()
    prepare(settings)
    return capsys.readouterr().err


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
    prepare(old)
    write(old, "oolong.md" if is_renamed else "tea.md", TEA.format("Sixty degrees."))
    prepare(old)
    assert shown(old)["oolong" if is_renamed else "tea"][2] == "Sixty degrees."


def test_an_empty_folder_takes_no_part(hosts, capsys):
    _, old = hosts
    before = shown(old)
    shutil.rmtree(old.content_dir / "food")
    assert said(capsys, old).count("stay") == 1
    assert shown(old) == before


def test_a_folder_that_is_empty_for_a_while_brings_nothing_back(hosts):
    new, old = hosts
    (new.content_dir / "food/tea.md").rename(new.content_dir / "food/oolong.md")
    prepare(new)
    write(new, "oolong.md", TEA.format("Eighty degrees.").replace("tea", "oolong"))
    prepare(new)
    before = shown(new)
    away = old.content_dir.rename(old.content_dir.with_name("away"))  # what it is mounted at is there
    old.content_dir.mkdir()
    prepare(old)
    old.content_dir.rmdir()
    away.rename(old.content_dir)
    prepare(old)
    assert shown(old) == before


def test_a_change_of_a_file_whose_article_is_deleted_is_brought_in_once_it_is_restored(hosts):
    new, _ = hosts
    with closing(Database(new.resolved_database_url)) as database:
        ann = accounts.sign_up(database, email="ann@example.org", name="Ann", password="four words make one")
        removing.delete(database, ann, "tea", "Not true any more.")
        write(new, "tea.md", TEA.format("Eighty degrees."))
        for _ in range(2):
            prepare(new)
        removing.restore(database, ann, "tea")
    prepare(new)
    assert shown(new)["tea"][1:] == (2, "Eighty degrees.")


def test_an_older_text_comes_back_when_it_was_put_back_or_is_synced_by_hand(hosts):
    new, old = hosts
    write(new, "tea.md", TEA.format("Eighty degrees."))
    prepare(new)
    write(new, "tea.md", TEA.format("Ninety degrees."))
    prepare(new)
    assert shown(new)["tea"][1:] == (3, "Ninety degrees.")
    write(new, "tea.md", TEA.format("Eighty degrees."))
    prepare(new)
    prepare(old)
    assert shown(new)["tea"][1:] == (4, "Eighty degrees.")
    by_hand(old)
    assert shown(new)["tea"][1:] == (5, "Ninety degrees.")
    prepare(new)
    assert shown(new)["tea"][1:] == (5, "Ninety degrees.")


def test_a_text_that_was_merged_comes_back_by_no_start(hosts):
    new, old = hosts
    with_lines(new, old)
    save(old, "tea", LINES.replace("Fifth", "5"))
    write(old, "tea.md", LINES.replace("First", "1"))
    prepare(old)
    assert lines(old) == ["1.", "Second.", "Third.", "Fourth.", "5."]
    write(new, "tea.md", LINES.replace("Third", "3"))
    prepare(new)
    assert lines(new) == ["1.", "Second.", "3.", "Fourth.", "5."]
    before = shown(new)
    for each in (old, new, old):
        prepare(each)
    assert (shown(new), waiting(new)) == (before, [])


def test_a_clash_waits_for_a_reviewer_once(hosts):
    new, old = hosts
    with_lines(new, old)
    write(new, "tea.md", LINES.replace("Third", "3"))
    prepare(new)
    write(old, "tea.md", LINES.replace("Third", "Drei"))
    prepare(old)
    assert lines(old)[2] == "3."
    before = waiting(old)
    assert [source for _, source in before] == [LINES.replace("Third", "Drei")]
    for each in (old, new, old):
        prepare(each)
    assert waiting(old) == before


@pytest.mark.parametrize("start", [prepare, by_hand])
def test_a_change_of_an_older_file_is_merged_with_what_another_host_has_brought_in(hosts, start):
    new, old = hosts
    with_lines(new, old)
    write(new, "tea.md", LINES.replace("Fifth", "5"))
    prepare(new)
    write(old, "tea.md", LINES.replace("First", "1"))
    start(old)
    assert lines(old) == ["1.", "Second.", "Third.", "Fourth.", "5."]
    prepare(new)
    assert lines(old) == ["1.", "Second.", "Third.", "Fourth.", "5."]


def test_a_file_that_was_moved_stays_there_though_its_address_is_the_same(hosts):
    new, old = hosts
    (new.content_dir / "drinks").mkdir()
    (new.content_dir / "food/tea.md").rename(new.content_dir / "drinks/tea.md")
    for each in (new, old, new, old):
        prepare(each)
        assert shown(each)["tea"][0] == "drinks/tea.md"


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_new_text_under_a_former_name_is_taken_and_the_name_is_not(hosts, is_changed):
    new, old = hosts
    with_lines(new, old)
    (new.content_dir / "food/tea.md").rename(new.content_dir / "food/oolong.md")
    if is_changed:
        write(new, "oolong.md", LINES.replace("Fifth", "5"))
    prepare(new)
    write(old, "tea.md", LINES.replace("First", "1"))
    prepare(old)
    path, _, body = shown(old)["oolong"]
    assert path == "food/oolong.md"
    assert body.split("\n\n")[::4] == ["1.", "5." if is_changed else "Fifth."]
    before = shown(old)
    for each in (old, new):
        prepare(each)
        assert shown(old) == before


def test_a_host_that_comes_back_empty_takes_only_what_is_new(hosts, capsys):
    new, old = hosts
    with_lines(new, old)
    write(new, "tea.md", LINES.replace("First", "1"))
    (new.content_dir / "food/bread.md").rename(new.content_dir / "food/toast.md")
    prepare(new)
    before = shown(new)
    shutil.rmtree(old.data_dir)
    old.prepare_data_dir()
    write(old, "milk.md", TEA.format("Cold.").replace("tea", "milk"))
    for _ in range(2):
        told = said(capsys, old)
        assert told.count("`omniracle sync`") == 2
        assert "food/tea.md" in told
        assert "food/bread.md" in told
        assert shown(old) == before | {"milk": ("food/milk.md", 1, "Cold.")}
    by_hand(old)
    assert lines(old)[0] == "First."
    assert shown(old)["bread"][0] == "food/bread.md"
    assert "`omniracle sync`" not in said(capsys, old)


def test_all_files_are_new_to_an_empty_database(hosts, database_server):
    _, old = hosts
    name = database_server.create()
    other = old.model_copy(update={"database_url": database_server.url(name)})
    (other.content_dir / "drinks").mkdir()
    (other.content_dir / "drinks/tea.md").write_text(TEA.format("A drink.").replace("hot", "cold"))
    prepare(other)
    assert set(shown(other)) == {"tea", "tea-2", "bread"}
    database_server.drop(name)


@pytest.mark.parametrize("start", [prepare, by_hand])
def test_what_was_exported_on_one_host_is_not_taken_for_what_another_has(hosts, tmp_path, start):
    one, two = (settings.model_copy(update={"content_dir": tmp_path / "content"}) for settings in hosts)
    with_lines(one)
    shutil.copytree(one.content_dir, tmp_path / "of-two")
    prepare(two)
    save(one, "tea", LINES.replace("Fifth", "5"))
    with closing(Database(one.resolved_database_url)) as database:
        assert export(database, one.content_dir, own=OwnFiles.of(one, database)).written
    shutil.rmtree(tmp_path / "content")
    (tmp_path / "of-two").rename(tmp_path / "content")  # the same path on another machine
    write(two, "tea.md", LINES.replace("First", "1"))
    start(two)
    assert lines(two) == ["1.", "Second.", "Third.", "Fourth.", "5."]


@pytest.mark.parametrize("start", [prepare, by_hand])
def test_a_file_is_not_taken_for_a_change_of_what_another_host_has_exported(hosts, tmp_path, start):
    one, two = hosts
    with_lines(one)
    with closing(Database(one.resolved_database_url)) as database:
        with database.write() as session:  # as if it had been written on the site
            session.execute(text("DELETE FROM source_file WHERE path = 'food/tea.md'"))
        own = OwnFiles.of(one, database)
        export(database, one.content_dir, own=own)
        shutil.rmtree(two.content_dir)
        two.content_dir.mkdir()
        prepare(two)
        shutil.copytree(one.content_dir, two.content_dir, dirs_exist_ok=True)
        save(one, "tea", LINES.replace("Fifth", "5"))
        export(database, one.content_dir, own=own)
    write(two, "tea.md", LINES.replace("First", "1"))
    start(two)
    assert lines(two) == ["First.", "Second.", "Third.", "Fourth.", "5."]
    assert [source for _, source in waiting(two)] == [LINES.replace("First", "1")]


@pytest.mark.parametrize("is_renamed_here", [False, True])
def test_a_change_of_what_was_exported_here_is_one_though_another_host_has_renamed_the_file(hosts, is_renamed_here):
    new, old = hosts
    own = "oolong.md" if is_renamed_here else "tea.md"
    (new.content_dir / "food/tea.md").rename(new.content_dir / "food" / own)
    prepare(new)
    save(new, "oolong" if is_renamed_here else "tea", TEA.format("Eighty degrees."))
    with closing(Database(new.resolved_database_url)) as database:
        export(database, new.content_dir, own=OwnFiles.of(new, database))
    (old.content_dir / "food/tea.md").rename(old.content_dir / "food/sencha.md")
    prepare(old)
    write(new, own, TEA.format("Seventy degrees."))
    prepare(new)
    path, _, body = shown(new)["sencha"]
    assert (path, body, waiting(new)) == ("food/sencha.md", "Seventy degrees.", [])


def test_a_first_start_that_was_killed_is_gone_on_with(hosts, database_server, monkeypatch):
    name = database_server.create()
    new = hosts[0].model_copy(update={"database_url": database_server.url(name)})
    (new.content_dir / "other").mkdir()
    (new.content_dir / "other/tea.md").write_text(TEA.format("Of herbs."))
    stored = syncing.store

    def killed(database, found, work):
        if found.path == "other/tea.md":
            raise KeyboardInterrupt
        return stored(database, found, work)

    monkeypatch.setattr(syncing, "store", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(new)
    monkeypatch.undo()
    assert shown(new).keys() == {"bread", "tea"}
    write(new, "tea.md", TEA.format("Eighty degrees."))
    prepare(new)
    assert {slug: text for slug, (_, _, text) in shown(new).items()} == {
        "bread": "With salt.",
        "tea": "Eighty degrees.",
        "tea-2": "Of herbs.",
    }
    database_server.drop(name)


@pytest.mark.parametrize("is_changed_after", [False, True])
def test_what_was_brought_in_after_a_backup_is_not_passed_over_when_it_is_restored(
    hosts, database_server, tmp_path, capsys, is_changed_after
):
    new, old = hosts
    back_up(new, tmp_path / "backup.tar.gz", {})
    write(new, "tea.md", TEA.format("Eighty degrees."))
    write(new, "milk.md", TEA.format("Cold.").replace("tea", "milk"))
    prepare(new)
    name = database_server.create()
    again = [each.model_copy(update={"database_url": database_server.url(name)}) for each in (new, old)]
    restore(again[0], tmp_path / "backup.tar.gz")
    if is_changed_after:
        for text in ("With more salt.", "With much salt."):
            save(again[1], "bread", TEA.format(text).replace("hot is tea", "salty is bread"))
    assert "food/tea.md: may be older" in said(capsys, again[0])
    assert shown(again[1])["milk"][2] == "Cold."
    assert shown(again[1])["tea"][1:] == (1, "Ninety degrees.")
    by_hand(again[0])
    assert shown(again[1])["tea"][1:] == (2, "Eighty degrees.")
    database_server.drop(name)


def test_a_record_that_is_cut_off_or_of_another_database_is_none(hosts, capsys):
    new, old = hosts
    write(new, "tea.md", TEA.format("Eighty degrees."))
    prepare(new)
    before = shown(new)
    for record in (b"", b"[]", b'{"files": {}, "site": "x", "revision": [0, ""]}', b'{"site": 1}'):
        (old.data_dir / "content.json").write_bytes(record)
        assert "food/tea.md" in said(capsys, old)
        assert shown(old) == before


def test_what_is_changed_after_a_pull_is_a_change_of_what_was_pulled(hosts, tmp_path):
    new, _ = hosts
    with_lines(new)
    git(new.content_dir, "init", "--quiet", "--initial-branch=main")
    git(new.content_dir, "add", "--all")
    git(new.content_dir, "commit", "--quiet", "-m", "all")
    git(tmp_path, "clone", "--quiet", str(new.content_dir), "upstream")
    git(new.content_dir, "remote", "add", "origin", str(tmp_path / "upstream"))
    git(new.content_dir, "fetch", "--quiet")
    git(new.content_dir, "branch", "--quiet", "--set-upstream-to", "origin/main")
    (tmp_path / "upstream/food/tea.md").write_text(LINES.replace("Third", "3"))
    git(tmp_path / "upstream", "commit", "--quiet", "-am", "three")
    with closing(Database(new.resolved_database_url)) as database:
        git_exchange.pull(database, None, new.content_dir, own=OwnFiles.of(new, database))
    assert lines(new)[2] == "3."
    write(new, "tea.md", LINES.replace("Third", "Drei"))
    prepare(new)
    assert (lines(new)[2], waiting(new)) == ("Drei.", [])
