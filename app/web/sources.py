"""What kind of page a resource is, told by its address: readers see it on the card before they go there."""

import re
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["code", "talk", "paper", "video", "docs", "law", "page"]

# The first that fits decides; the pattern is looked for in "host/path".
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("talk", r"^(stackoverflow\.com|[\w.-]+\.stackexchange\.com|news\.ycombinator\.com|(www\.)?zhihu\.com)/"),
    ("talk", r"^(www\.|old\.)?reddit\.com/|^(github|gitlab)\.com/[^/]+/[^/]+/(-/)?(issues|discussions|pull)\b"),
    ("talk", r"^(discuss|forum|forums|lists|groups)\."),
    ("code", r"^(github\.com|gitlab\.com|codeberg\.org|bitbucket\.org|gitee\.com|gist\.github\.com|git\.[\w.-]+)/."),
    ("video", r"^(www\.)?(youtube\.com|youtu\.be|vimeo\.com|bilibili\.com)/"),
    ("paper", r"^(arxiv\.org|(dx\.)?doi\.org|(www\.)?nber\.org|pubmed\.ncbi\.nlm\.nih\.gov|dl\.acm\.org)/|\.pdf$"),
    ("law", r"^(eur-lex\.europa\.eu|(www\.)?(ecfr|congress|legislation)\.gov(\.uk)?)/"),
    ("docs", r"^(docs?|developers?|devdocs|core|peps|wiki|support|help|learn)\.|^man7\.org/|\.readthedocs\.(io|org)/"),
    ("docs", r"^[\w.-]+/(docs?|documentation|manual|reference|guide|wiki)/|^fastapi\.tiangolo\.com/"),
    ("docs", r"^(www\.)?(kubernetes\.io|postgresql\.org|sqlite\.org|uvicorn\.dev|python\.org)/(docs?/)?"),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _KINDS)


def kind_of(url: str) -> Kind:
    """Return what kind of page an address leads to; `page` where nothing special is known."""
    try:
        parts = urlsplit(url.lower())
        place = f"{parts.hostname or ''}{parts.path or '/'}"
    except ValueError:
        return "page"
    return next((kind for kind, pattern in _COMPILED if pattern.search(place)), "page")
