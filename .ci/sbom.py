"""Write what the site is made of, with versions, digests and licences, as a CycloneDX 1.6 document.

Usage: sbom.py FILE. It tells of the packages in .ci/requirements.txt; their licences are what the installed packages
say of themselves.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

LOCK = Path(__file__).parent / "requirements.txt"
# What older packages say of their licence, in the words of SPDX.
SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",  # python-dateutil
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
}


def main() -> None:
    """Write the document and say where it is."""
    target = Path(sys.argv[1])
    document = sbom()
    target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"{target}: {len(document['components'])} packages, CycloneDX {document['specVersion']}")


def sbom() -> dict[str, object]:
    """Return the document; the same packages give the same one."""
    site = distribution("omniracle")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"bom-ref": "omniracle", "type": "application"} | _named(site)},
        "components": [
            {"bom-ref": f"pkg:pypi/{name}@{version}", "type": "library", "purl": f"pkg:pypi/{name}@{version}"}
            | _named(distribution(name))
            | {"hashes": [{"alg": "SHA-256", "content": digest} for digest in digests]}
            for name, version, digests in locked()
        ],
    }


def locked(lock: Path = LOCK) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the name, the version and the digests of every package in the lock file."""
    for pin in re.findall(r"^[^\s#].*(?:\n .*)*", lock.read_text(encoding="utf-8"), re.MULTILINE):
        name, version = re.match(r"([\w.-]+)==(\S+)", pin).groups()
        yield name, version, re.findall(r"sha256:(\w+)", pin)


def licence_of(package: Distribution) -> str:
    """Return the licence of an installed package as an SPDX expression, empty where it does not say."""
    told = package.metadata
    classifiers = [each.split(" :: ")[-1] for each in told.get_all("Classifier", ()) if each.startswith("License")]
    text = told.get("License", "")
    said = told.get("License-Expression") or ("" if "\n" in text else text) or " OR ".join(classifiers)
    return SPDX.get(said, said)


def _named(package: Distribution) -> dict[str, object]:
    licence = licence_of(package)
    licences = {"licenses": [{"expression": licence}]} if licence else {}
    return {"name": package.name, "version": package.version} | licences


if __name__ == "__main__":
    main()
