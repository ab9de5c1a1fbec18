import pytest
from typer.testing import CliRunner

from app.cli import app
from app.config import Settings


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """What `omniracle settings` prints in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields.values():
        monkeypatch.delenv(field.alias, raising=False)

    def run():
        result = CliRunner().invoke(app, ["settings"], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    return run


def lines(text):
    return {line.split()[0]: line.split(maxsplit=2)[1:] for line in text.splitlines() if line.startswith("  ")}


def test_each_setting_with_its_value_and_where_it_comes_from(shown, tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("OMNIRACLE_SITE_NAME=Our answers\nOMNIRACLE_PORT=81\n")
    monkeypatch.setenv("OMNIRACLE_PORT", "82")
    found = lines(shown())
    assert found.keys() == {field.alias for field in Settings.model_fields.values()}
    assert found["OMNIRACLE_SITE_NAME"] == [".env", "Our answers"]
    assert found["OMNIRACLE_PORT"] == ["environment", "82"]
    assert found["OMNIRACLE_HOST"] == ["default", "127.0.0.1"]
    assert found["OMNIRACLE_BASE_URL"] == ["default", "(not set)"]
    assert f"{tmp_path / '.env'} was read." in shown()


def test_what_is_used_when_nothing_is_set(shown, tmp_path):
    found = lines(shown())
    assert found["OMNIRACLE_DATA_DIR"] == ["default", str(tmp_path / "var")]
    assert found["DATABASE_URL"] == ["default", f"sqlite:///{tmp_path / 'var' / 'omniracle.db'}"]
    assert f"There is no {tmp_path / '.env'}." in shown()
    assert not (tmp_path / "var").exists()


def test_secrets_stay_hidden(shown, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://me:hunter2@localhost/site")
    (tmp_path / "key").write_text("hunter2" * 9)
    (tmp_path / ".env").write_text("OMNIRACLE_SECRET_KEY_FILE=key\nOMNIRACLE_ADMIN_PASSWORD=hunter2\n")
    text = shown()
    assert "hunter2" not in text
    found = lines(text)
    assert found["DATABASE_URL"] == ["environment", "(hidden)"]
    assert found["OMNIRACLE_SECRET_KEY"] == [".env", "(hidden, in key)"]
    assert found["OMNIRACLE_ADMIN_PASSWORD"] == [".env", "(hidden)"]
