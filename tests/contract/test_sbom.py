"""What the site is made of is known, and nothing in it asks to be given away with it unless we know that it does."""

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

    def run(answer):
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, answer))
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


@pytest.mark.parametrize("answer", ["", f'{{"dependencies": [{UNKNOWN}]}}'], ids=["no answer", "nothing known"])
def test_the_audit_says_when_it_has_checked_nothing(audit, answer):
    told = "NOT CHECKED for known weaknesses: 0 of N packages. No advisories can be reached from here."
    assert audit(answer) == (0, [told])
