"""Dates and times on pages: in the reader's language, and as elements that programs can read."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache

from babel.dates import format_date as babel_date
from babel.dates import format_time as babel_time
from babel.dates import get_datetime_format
from markupsafe import Markup

from app.web import language


def format_date(value: datetime | date) -> str:
    """Return a day in words."""
    return _in_words(value.date() if isinstance(value, datetime) else value, _locale())


def format_datetime(value: datetime | date) -> str:
    """Return a moment in words; the day alone where no more is known."""
    if not isinstance(value, datetime):
        return format_date(value)
    locale = _locale()
    day, time = babel_date(value, "medium", locale=locale), babel_time(value, "short", locale=locale)
    return str(get_datetime_format("medium", locale=locale)).format(time, day) + " UTC"


def dated(value: datetime | date) -> Markup:
    """Return a day as an element."""
    return _element(value, format_date(value))


def timed(value: datetime | date) -> Markup:
    """Return a moment as an element."""
    return _element(value, format_datetime(value))


def logged(value: datetime) -> Markup:
    """Return a moment as an element and as logs have it, to the second and as long as all others."""
    return _element(value, f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


@lru_cache(maxsize=2000)
def _in_words(day: date, locale: str) -> str:
    return babel_date(day, "long", locale=locale)


def _element(value: datetime | date, words: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), words)


def _locale() -> str:
    return language.LOCALES[language.current.get()]


GLOBALS: dict[str, Callable[..., str]] = {
    each.__name__: each for each in (format_date, format_datetime, dated, timed, logged)
}
