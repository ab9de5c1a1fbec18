"""What a question's page says to search engines: schema.org, as JSON-LD.

A single curated answer is a TechArticle with citations; QAPage is for pages where readers can add answers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request

from app.models import Article, Section
from app.storage.resources import ResourceCard
from app.web.social import Picture
from app.web.templating import site_of


def linked_data(
    request: Request,
    article: Article,
    tags: Sequence[str],
    cards: Mapping[Section, Sequence[ResourceCard]],
    shown: Picture,
) -> dict[str, Any]:
    """Return the description of an article, of which other sites show a picture, and of the way to it."""
    site = site_of(request)
    publisher = {"@type": "Organization", "name": site.name, "url": f"{site.base_url}/"}  # the page names nobody else
    address = f"{site.base_url}/questions/{article.slug}"
    crumbs = [
        ("", site.name),
        *((f"/tags/{tag}", tag) for tag in tags[:1]),
        (f"/questions/{article.slug}", article.title),
    ]
    described: dict[str, Any] = {
        "@type": "TechArticle",
        "@id": address,
        "url": address,
        "headline": article.title[:110],
        "description": article.excerpt,
        "inLanguage": article.lang,
        "datePublished": (article.published or article.created_at).isoformat(),
        "dateModified": article.updated_at.isoformat(),
        "keywords": list(tags),
        "isPartOf": {"@type": "WebSite", "name": site.name, "url": f"{site.base_url}/"},
        "author": publisher,
        "publisher": publisher,
        "image": {"@type": "ImageObject", "url": shown.url, "width": 1200, "height": 630, "caption": shown.alt},
        "citation": [
            {"@type": "CreativeWork", "name": card.title, "url": card.url} for card in cards.get(Section.RESOURCES, ())
        ],
    }
    items = [
        {"@type": "ListItem", "position": number, "name": name, "item": f"{site.base_url}{path or '/'}"}
        for number, (path, name) in enumerate(crumbs, start=1)
    ]
    return {
        "@context": "https://schema.org",
        "@graph": [described, {"@type": "BreadcrumbList", "itemListElement": items}],
    }
