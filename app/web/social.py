"""What the picture of a page says, and where it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from babel.dates import format_date
from fastapi import Request

from app.content.social_card import SocialCard
from app.models import Article
from app.web import language
from app.web.templating import site_of

TOPICS = 8  # more never have room


@dataclass(frozen=True)
class Picture:
    """`picture` in templates."""

    url: str
    alt: str


def question_card(site: str, article: Article, topics: Sequence[str], sources: int) -> SocialCard:
    """Return what the picture of a question shows, in the language of its answer."""
    chosen = "zh-Hans" if article.lang.split("-")[0] == "zh" else "en"
    words = language.catalogue(chosen)
    checked = counted = ""
    if article.verified:
        day = format_date(article.verified, "long", locale=language.LOCALES[chosen])
        checked = words.gettext("Facts checked on %(date)s") % {"date": day}
    if sources:
        counted = words.ngettext("%(count)s source", "%(count)s sources", sources) % {"count": sources}
    return SocialCard((article.title,), tuple(topics[:TOPICS]), site, checked, counted)


def site_card(site: str, topics: Sequence[str]) -> SocialCard:
    """Return what the picture of the site shows: its promise, in every language."""
    promises = (language.catalogue(each).gettext("Answers you can check") for each in language.LANGUAGES)
    return SocialCard(tuple(promises), tuple(topics[:TOPICS]), site)


def picture(request: Request, path: str, card: SocialCard) -> Picture:
    """Return the picture at `path`; its address changes with what it shows, so that nobody shows an old one."""
    words = (*card.title, card.checked, card.sources, card.site)
    return Picture(f"{site_of(request).base_url}{path}?v={card.digest[:8]}", " · ".join(filter(None, words)))
