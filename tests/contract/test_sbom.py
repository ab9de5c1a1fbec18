"""What the site is made of is known, and nothing in it asks to be given away with it unless we know that it does."""

import os
import re
import runpy
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

CI = Path(__file__).parent.parent.parent / ".ci"
SCRIPT = runpy.run_path(str(CI / "sbom.py"))
FREE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0",
    "Zlib",
}  # fmt: skip
# PostgreSQL's driver may be used by any program, as long as whoever passes it on lets others exchange it.
LINKED = {name: {"LGPL-3.0-only"} for name in ("psycopg", "psycopg-binary")}
# Whoever changes their files has to give the changes away; we change none, and only tests and checks use them.
COPYLEFT = {"certifi", "hypothesis", "pathspec"}


def test_the_document_is_valid(tmp_path):
    target = tmp_path / "sbom.json"
    done = subprocess.run([sys.executable, CI / "sbom.py", target], capture_output=True, text=True, check=True)
    assert re.fullmatch(r".*: \d\d packages, CycloneDX 1\.6\n", done.stdout)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(target.read_text()) is None


def test_every_package_of_the_lock_file_is_in_it_with_its_digests_and_licence():
    document = SCRIPT["sbom"]()
    pinned = re.findall(r"^([\w.-]+)==(\S+)", (CI / "requirements.txt").read_text(), re.MULTILINE)
    assert [each["purl"] for each in document["components"]] == [f"pkg:pypi/{name}@{it}" for name, it in pinned]
    for component in document["components"]:
        assert component["hashes"], component["name"]
        assert component["version"] == component["purl"].rpartition("@")[2]
        assert component["licenses"][0]["expression"], component["name"]


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_licence_is_one_that_we_know(lock):
    for name, _, _ in SCRIPT["locked"](CI / lock):
        licence = SCRIPT["licence_of"](distribution(name))
        allowed = FREE | LINKED.get(name, set())
        allowed |= {"MPL-2.0"} if name in COPYLEFT and lock == "requirements-dev.txt" else set()
        assert set(re.split(r" (?:AND|OR) ", licence)) <= allowed, (name, licence)


@pytest.fixture
def audit(monkeypatch, capsys):
    """The script that asks for known weaknesses, told by an answer; gives its status and what it prints."""

    def run(answer, said=""):
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, answer, said))
        try:
            runpy.run_path(str(CI / "audit.py"), run_name="__main__")
            status = 0
        except SystemExit as left:
            status = left.code
        return status, re.sub(r"of \d+ packages", "of N packages", capsys.readouterr().out).splitlines()

    return run


UNKNOWN = '{"name": "b", "skip_reason": "not found"}'


@pytest.mark.parametrize(
    ("weaknesses", "status", "printed"),
    [
        ('{"id": "PYSEC-1", "fix_versions": ["2.0"]}', 1, ["a 1.0: PYSEC-1, mended in 2.0", "1 found."]),
        ("", 0, ["0 found."]),
    ],
)
def test_the_audit_fails_for_a_weakness_alone(audit, weaknesses, status, printed):
    *found, number = printed
    known = f'{{"name": "a", "version": "1.0", "vulns": [{weaknesses}]}}'
    told = [*found, f"Checked 1 of N packages for known weaknesses: {number}"]
    assert audit(f'{{"dependencies": [{known}, {UNKNOWN}]}}') == (status, told)


TRACEBACK = "Traceback (most recent call last):\n  File ...\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (f'{{"dependencies": [{UNKNOWN}]}}', ""),
        ("", f"{TRACEBACK}requests.exceptions.ConnectionError: HTTPSConnectionPool(host='pypi.org', port=443): ..."),
        ("", f"{TRACEBACK}requests.exceptions.ProxyError: HTTPSConnectionPool(host='pypi.org', port=443): ..."),
        ("", f"{TRACEBACK}requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='pypi.org', port=443): ..."),
        ("", f"{TRACEBACK}pip_audit._service.interface.ServiceError\n"),
        (
            "",
            "ERROR:pip_audit._cli:No.\nERROR:pip_audit._cli:Tip: your network may be blocking this service.",
        ),
    ],
    ids=["nothing known", "no network", "no proxy", "no answer", "an error", "no connection"],
)
def test_the_audit_says_when_it_has_checked_nothing(audit, answer, said):
    told = "NOT CHECKED for known weaknesses: 0 of N packages. No advisories can be reached from here."
    assert audit(answer, said) == (0, [told])


@pytest.mark.parametrize(
    "said",
    [
        f"{TRACEBACK}requests.exceptions.ConnectionError: ...\n\nDuring handling ...\n\n{TRACEBACK}TypeError: no",
        f"{TRACEBACK}pip_audit._service.interface.ServiceError: Received malformed version from PyPI: x",
        "ERROR:pip_audit._cli:requirement a==1.0 does not contain a hash",
        "/usr/bin/python: No module named pip_audit",
        "",
    ],
    ids=["a mistake", "a wrong answer", "a lock file", "not installed", "nothing"],
)
def test_the_audit_fails_when_it_cannot_do_its_work(audit, said):
    status, printed = audit("", said)
    assert status == 1
    assert printed[:-1] == (said.splitlines() or [""])
    assert printed[-1] == "FAILED to check for known weaknesses: pip-audit ended with 1."


def test_the_audit_fails_for_an_answer_that_is_none(audit):
    with pytest.raises(ValueError, match="Expecting"):
        audit("<html>", "")


def test_the_audit_knows_how_this_pip_audit_says_that_nobody_answers(audit, tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"certifi==2026.1.1 --hash=sha256:{'0' * 64}\n")
    ways = dict.fromkeys(("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    own = {"no_proxy": "", "NO_PROXY": "", "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--format=json", "-r", lock]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | ways | own, cwd=tmp_path)
    assert audit(done.stdout, done.stderr)[0] == 0
    assert "NOT CHECKED" in audit(done.stdout, done.stderr)[1][0]
