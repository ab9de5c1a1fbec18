"""Examples for the API's description; a test holds each against its model."""

from typing import Any

_SITE = "https://answers.example.org"
_MOMENT = "2026-11-24T08:30:00Z"

Example = dict[str, Any]

_ITEM: Example = {
    "slug": "why-does-bread-need-salt",
    "url": f"{_SITE}/questions/why-does-bread-need-salt",
    "title": "Why does bread need salt?",
    "lang": "en",
    "tags": ["cooking"],
    "excerpt": "Salt slows the yeast down and gives the crumb its structure.",
    "updated_at": _MOMENT,
}

HITS: Example = {
    "query": "bread slat",
    "total": 1,
    "took_ms": 1.2,
    "generation": 42,
    "did_you_mean": "bread salt",
    "hits": [
        {name: value for name, value in _ITEM.items() if name != "excerpt"}
        | {
            "excerpt_html": "<mark>Salt</mark> slows the yeast down and gives the crumb its structure.",
            "score": 7.31,
            "matched": ["text", "typo"],
        }
    ],
}

SUGGESTIONS: Example = {
    "query": "why does br",
    "suggestions": [{"title": _ITEM["title"], "slug": _ITEM["slug"], "url": _ITEM["url"]}],
}

QUESTIONS: Example = {"total": 1, "page": 1, "pages": 1, "items": [_ITEM]}

QUESTION: Example = {
    "slug": _ITEM["slug"],
    "url": _ITEM["url"],
    "title": _ITEM["title"],
    "lang": "en",
    "tags": ["cooking"],
    "body_markdown": "Salt slows the yeast down and gives the crumb its structure.\n",
    "body_html": "<p>Salt slows the yeast down and gives the crumb its structure.</p>",
    "resources": [
        {
            "url": "https://example.org/bread",
            "title": "The chemistry of bread",
            "description": "What each ingredient does.",
            "site": "example.org",
            "section": "resources",
        }
    ],
    "related": [],
    "revision": 3,
    "updated_at": _MOMENT,
    "published": "2026-11-20",
    "verified": "2026-11-24",
    "review_after": "2027-11-24",
    "translations": [
        {
            "slug": "mian-bao-wei-shen-me-yao-fang-yan",
            "url": f"{_SITE}/questions/mian-bao-wei-shen-me-yao-fang-yan",
            "title": "面包为什么要放盐？",
            "lang": "zh",
        }
    ],
    "aliases": ["salt-in-bread"],
}

TAGS: Example = {"items": [{"name": "cooking", "url": f"{_SITE}/tags/cooking", "count": 12}]}

_REVISION: Example = {
    "number": 3,
    "url": f"{_ITEM['url']}/revisions/3",
    "title": _ITEM["title"],
    "author": "Ann",
    "message": "What salt does to the crumb",
    "created_at": _MOMENT,
}

REVISIONS: Example = {"total": 3, "page": 1, "pages": 1, "items": [_REVISION]}

REVISION: Example = _REVISION | {
    "source": f"---\ntitle: {_ITEM['title']}\nlang: en\ntags: [cooking]\n---\n\n{QUESTION['body_markdown']}"
}

WANTED: Example = {
    "total": 1,
    "page": 1,
    "pages": 1,
    "items": [
        {
            "query": "bread without yeast",
            "lang": "en",
            "searches": 5,
            "asks": 2,
            "first_at": "2026-11-20T07:00:00Z",
            "last_at": _MOMENT,
        }
    ],
}

NEW_QUESTION: Example = {
    "title": _ITEM["title"],
    "lang": "en",
    "tags": ["cooking"],
    "body_markdown": QUESTION["body_markdown"],
    "resources": [
        {"url": "https://example.org/bread", "title": "The chemistry of bread", "description": "What each part does."}
    ],
    "message": "First answer",
}

PROPOSED: Example = {"proposal": 7, "state": "pending", "url": f"{_SITE}/proposals/7"}
