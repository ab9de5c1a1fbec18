from pathlib import Path

import pytest

from app.environment import load_settings
from app.errors import OperatorError


def load(tmp_path: Path, **environ: str):
    return load_settings(environ, tmp_path / ".env")


def test_defaults(tmp_path):
    settings = load(tmp_path)
    assert settings.port == 8000
    assert settings.workers >= 2
    assert settings.resolved_database_url.endswith("var/omniracle.db")


def test_the_environment_wins_over_the_file(tmp_path):
    (tmp_path / ".env").write_text("OMNIRACLE_PORT=9000\nOMNIRACLE_HOST=0.0.0.0\n")
    settings = load(tmp_path, OMNIRACLE_PORT="9001")
    assert (settings.host, settings.port) == ("0.0.0.0", 9001)


def test_an_unknown_name_is_refused_with_a_hint(tmp_path):
    with pytest.raises(OperatorError, match=r"OMNIRACLE_PROT.*did you mean OMNIRACLE_PORT"):
        load(tmp_path, OMNIRACLE_PROT="9000")


def test_names_of_other_programs_are_ignored(tmp_path):
    assert load(tmp_path, PATH="/bin", UVICORN_PORT="1").port == 8000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OMNIRACLE_PORT", "http"),
        ("OMNIRACLE_PORT", "0"),
        ("WEB_CONCURRENCY", "-1"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "postgresql+psycopg://me:secret@db.example.org:port/answers"),
        ("OMNIRACLE_BASE_URL", "example.org"),
        ("OMNIRACLE_REGISTRATION", "maybe"),
        ("OMNIRACLE_SECRET_KEY", "short"),
        ("OMNIRACLE_OIDC_ISSUER", "http://id.example.org"),
        ("OMNIRACLE_OIDC_ISSUER", "https://id.example.org"),  # without OMNIRACLE_OIDC_CLIENT_ID
        ("OMNIRACLE_API_READS", "-1"),
        ("OMNIRACLE_SEARCH_ENGINE", "elastic"),
        ("OMNIRACLE_SEARCH_ENGINE", "postgresql"),  # with a database in a file
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path, name, value):
    with pytest.raises(OperatorError, match=name):
        load(tmp_path, **{name: value})


def test_a_secret_is_never_shown(tmp_path):
    with pytest.raises(OperatorError) as caught:
        load(tmp_path, OMNIRACLE_SECRET_KEY="hunter2")
    assert "hunter2" not in str(caught.value)


def test_a_secret_comes_from_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("k" * 40 + "\n")
    assert load(tmp_path, OMNIRACLE_SECRET_KEY_FILE=str(secret)).secret_key == "k" * 40
    with pytest.raises(OperatorError, match="cannot be read"):
        load(tmp_path, OMNIRACLE_SECRET_KEY_FILE=str(tmp_path / "none"))
    with pytest.raises(OperatorError, match="Both"):
        load(tmp_path, OMNIRACLE_SECRET_KEY="k" * 40, OMNIRACLE_SECRET_KEY_FILE=str(secret))


def test_the_secret_in_the_data_folder_can_become_the_setting_as_it_is(tmp_path):
    """So that several hosts, or another machine, open what is sealed in the database."""
    settings = load(tmp_path, OMNIRACLE_DATA_DIR=str(tmp_path))
    kept = settings.signing_key()
    written = settings.secret_file.read_text()
    (tmp_path / ".env").write_text(f"OMNIRACLE_SECRET_KEY={written}\n")
    assert load(tmp_path).signing_key() == kept
    assert load(tmp_path, OMNIRACLE_SECRET_KEY=written).signing_key() == kept
    (tmp_path / ".env").unlink()
    assert load(tmp_path, OMNIRACLE_SECRET_KEY_FILE=str(settings.secret_file)).signing_key() == kept


def test_a_data_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    settings = load(tmp_path, OMNIRACLE_DATA_DIR=str(tmp_path / "file" / "var"))
    with pytest.raises(OperatorError, match="OMNIRACLE_DATA_DIR") as caught:
        settings.prepare_data_dir()
    assert "\n" not in str(caught.value)
