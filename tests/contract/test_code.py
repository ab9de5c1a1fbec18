"""What no part of the program does, whatever is sent to it."""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
MODULES = sorted((PROJECT / "app").rglob("*.py"))
SCRIPTS = sorted((PROJECT / "static").rglob("*.js"))
# What makes objects of bytes, reads XML, or makes up numbers that can be guessed.
NEVER_IMPORTED = {"pickle", "marshal", "shelve", "dill", "joblib", "jsonpickle", "xml", "lxml", "xmltodict", "random"}
IMPORTED = {
    ("app/search/postings.py", "pickle"),  # Whoosh's index, which is the site's own: nobody sends one, no backup has it
    ("app/web/routes/crawlers.py", "xml.sax.saxutils"),  # writes
    ("app/content/bounds.py", "xml.etree.ElementTree"),  # a type: Markdown's tree
    ("app/content/extensions.py", "xml.etree.ElementTree"),
}
UNSAFE_LOADERS = {"Loader", "CLoader", "FullLoader", "CFullLoader", "UnsafeLoader", "CUnsafeLoader"}
BUILDERS = {"eval", "exec", "compile", "__import__"}


def test_nothing_that_is_sent_becomes_an_object_or_code():
    found = set()
    for path in MODULES:
        name = path.relative_to(PROJECT).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = (
                    [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
                )
                found |= {(name, each) for each in modules if each.split(".")[0] in NEVER_IMPORTED}
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in BUILDERS, (name, node.lineno)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "yaml":
                assert node.attr not in UNSAFE_LOADERS, (name, node.lineno)
            if isinstance(node, ast.keyword) and node.arg == "shell":
                raise AssertionError((name, node.value.lineno))
    assert found == IMPORTED


def test_scripts_make_no_code_of_text_and_keep_nothing_but_choices():
    assert SCRIPTS
    kept = set()
    for path in SCRIPTS:
        text = path.read_text()
        assert not re.search(r"\beval\(|\bFunction\(|\bsetTimeout\(\s*[\"'`]|document\.write", text), path.name
        if re.search(r"localStorage|sessionStorage|indexedDB", text):
            kept.add(path.name)
    assert kept == {"shortcuts.js"}  # whether keys are for reviewing
