"""What the picture of a page says, and where it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date
from fastapi import Request

from app.content.social_card import SocialCard, is_readable
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
    """Return what the picture of a question shows, in the language of its answer.

    A title in a script that cannot be drawn leaves its place to what the picture of the site shows.
    """
    if not is_readable(article.title):
        return site_card(site, topics)
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


def locales(lang: str, *others: str) -> list[str]:
    """Return a page's language and further ones as Open Graph writes them, each once; none where its own is not known.

    That is with a country: where a tag names none, the usual one.
    """
    return list(dict.fromkeys(filter(None, map(_locale, (lang, *others))))) if _locale(lang) else []


@cache
def _locale(lang: str) -> str | None:
    try:
        known = Locale.parse(lang, sep="-")
    except (ValueError, UnknownLocaleError):
        return None
    usual = get_global("likely_subtags")
    likely = usual.get(f"{known.language}_{known.script}") or usual.get(known.language, "")
    country = known.territory or likely.rpartition("_")[2]
    return f"{known.language}_{country}" if country.isalpha() else None  # some have the world for a country: 001


def picture(request: Request, path: str, card: SocialCard) -> Picture:
    """Return the picture at `path`; its address changes with what it shows, so that nobody shows an old one."""
    words = (*card.title, card.checked, card.sources, card.site)
    return Picture(f"{site_of(request).base_url}{path}?v={card.digest[:8]}", " · ".join(filter(None, words)))
