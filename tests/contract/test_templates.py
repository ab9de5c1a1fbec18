"""Every template compiles, has a title and keeps to the rules of the house."""

import re

import pytest

from app.config import STATIC_DIR, TEMPLATES_DIR
from app.web.assets import LAYERS
from app.web.templating import environment

TEMPLATES = sorted(path.relative_to(TEMPLATES_DIR).as_posix() for path in TEMPLATES_DIR.rglob("*.html"))


def test_there_are_templates():
    assert "question.html" in TEMPLATES


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_compiles_and_has_no_inline_script_or_style(name):
    environment().get_template(name)
    source = (TEMPLATES_DIR / name).read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=| type=\"application/ld\+json\">)", source)  # data runs nothing
    assert not re.search(r"<style|\sstyle=|\son\w+=", source)
    assert not re.search(r"(?:src|href)=\"https?:", source)
    assert "| safe" not in source
    assert "|safe" not in source


@pytest.mark.parametrize("name", [name for name in TEMPLATES if "/" not in name and name != "base.html"])
def test_pages_extend_the_base_and_have_a_title(name):
    source = (TEMPLATES_DIR / name).read_text()
    assert source.lstrip().startswith('{% extends "base.html" %}')
    assert "{% block title %}" in source


def test_every_style_sheet_is_in_the_cascade():
    assert {path.stem for path in (STATIC_DIR / "css").glob("*.css")} == set(LAYERS)


def test_scripts_are_small_and_load_nothing_from_elsewhere():
    scripts = list((STATIC_DIR / "js").rglob("*.js"))
    assert scripts
    assert sum(path.stat().st_size for path in scripts) < 30_000
    for path in scripts:
        assert not re.search(r"https?://(?!www\.w3\.org)", path.read_text()), path.name
