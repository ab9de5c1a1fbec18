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


def test_the_audit_fails_for_a_weakness_alone(monkeypatch, capsys):
    def audit(answer):
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, answer))
        with pytest.raises(SystemExit) as left:
            runpy.run_path(str(CI / "audit.py"), run_name="__main__")
        return left.value.code, capsys.readouterr().out

    weakness = '{"id": "PYSEC-1", "fix_versions": ["2.0"]}'
    weak = f'{{"name": "a", "version": "1.0", "vulns": [{weakness}]}}'
    unknown = '{"name": "b", "skip_reason": "not found"}'
    status, printed = audit(f'{{"dependencies": [{weak}, {unknown}]}}')
    assert status == 1
    assert printed.splitlines() == [
        "a 1.0: PYSEC-1, mended in 2.0",
        "Known weaknesses of packages: 1 in 1 packages; nothing can be learned about 1 others from here.",
    ]
    assert audit(f'{{"dependencies": [{unknown}]}}')[0] == 0


def test_the_audit_passes_where_nobody_answers(monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, ""))
    runpy.run_path(str(CI / "audit.py"), run_name="__main__")
    assert capsys.readouterr().out.endswith("not checked, for the advisories cannot be reached.\n")
