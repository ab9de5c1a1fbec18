"""The files in docs/deploy speak of what there is."""

import json
import re
import tomllib
from pathlib import Path

import typer

from app.cli import app as command_line
from app.config import Settings
from app.environment import load_settings
from app.web.routes import ROUTE_PATHS

PROJECT = Path(__file__).parent.parent.parent
DEPLOY = PROJECT / "docs" / "deploy"
CONTAINER = re.sub(r"\\\n\s*", "", (DEPLOY / "Containerfile").read_text())


def instructions(name):
    return re.findall(rf"^{name} (.+)$", CONTAINER, re.MULTILINE)


def container_environment():
    return dict(re.findall(r"(\w+)=(\S+)", instructions("ENV")[0]))


def test_the_container_gets_all_that_the_site_is_made_of():
    copied = {source for line in instructions("COPY") for source in line.split()[:-1]}
    assert all((PROJECT / source).exists() for source in copied)
    assert {"app/", "templates/", "static/", "content/", "pyproject.toml", ".ci/requirements.txt"} <= copied
    assert all(line.split()[-1] in ("./", *copied) for line in instructions("COPY"))
    assert not any(secret in copied for secret in (".", "./", ".env", "var/"))


def test_the_container_installs_what_make_setup_installs():
    makefile = (PROJECT / "Makefile").read_text()
    packages, project = (json.loads(line) for line in instructions("RUN") if line.startswith("["))
    for option in ("--require-hashes", "--no-deps", ":all:"):
        assert option in packages
        assert option in makefile
    assert packages[-2:] == ["-r", ".ci/requirements.txt"]
    assert {"--no-deps", "--no-build-isolation", "--editable", "."} <= set(project)
    version = re.match(r"docker\.io/library/python:(\d+\.\d+)-", instructions("FROM")[0])[1]
    assert f">={version}" == tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["requires-python"]


def test_the_container_is_set_up_by_settings_that_there_are():
    settings = load_settings(container_environment(), None)
    assert str(settings.data_dir) == instructions("VOLUME")[0] == "/data"
    assert settings.host == "0.0.0.0"
    assert str(settings.port) == instructions("EXPOSE")[0]
    assert instructions("USER")[0] not in ("root", "0")
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    program, command = json.loads(instructions("CMD")[0])
    assert program == "omniracle"
    assert command in typer.main.get_command(command_line).commands


def test_the_container_asks_for_a_page_that_there_is():
    python, option, code = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2])
    assert (python, option) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    asked = re.search(r"\{os\.environ\[\"(\w+)\"\]\}(/\w+)'", code)
    assert asked[1] in container_environment()
    assert asked[2] in ROUTE_PATHS


def test_proxies_ask_the_default_port_and_let_through_what_the_site_takes():
    port = Settings.model_fields["port"].default
    for name, limit in (("nginx.conf", r"client_max_body_size (\d+)m;"), ("Caddyfile", r"max_size (\d+)MiB")):
        text = (DEPLOY / name).read_text()
        assert f"127.0.0.1:{port}" in text
        assert int(re.search(limit, text)[1]) == Settings().request_mb


def test_the_settings_beside_the_unit_are_settings_that_there_are():
    settings = load_settings({}, DEPLOY / "omniracle.env")
    assert str(settings.data_dir) == "/var/lib/omniracle"
    assert re.search(r"^StateDirectory=omniracle$", (DEPLOY / "omniracle.service").read_text(), re.MULTILINE)
