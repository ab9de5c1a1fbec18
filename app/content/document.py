"""A document in the site's own format: front matter with known keys, then Markdown."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from app.content import front_matter, language
from app.errors import InvalidInput

MAX_TITLE = 300
MAX_SLUG = 80
MAX_TAG = 60
MAX_URL = 2000
MAX_RESOURCE_TITLE = 500
KEYS = (
    "title", "lang", "tags", "slug", "aliases", "translation_of", "date", "verified", "review_after",
    "resources", "more", "related",
)  # fmt: skip
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class DocumentError(InvalidInput):
    """The document cannot be used; the message names the key, what is wrong and what to do."""


@dataclass(frozen=True)
class Resource:
    """A page elsewhere that the answer rests on or leads to."""

    url: str
    title: str
    description: str = ""
    site: str | None = None
    archive: str | None = None


@dataclass(frozen=True)
class Document:
    """A question with its answer, as its file says it."""

    title: str
    lang: str
    body: str
    tags: tuple[str, ...] = ()
    slug: str | None = None
    aliases: tuple[str, ...] = ()
    translation_of: str | None = None
    date: dt.date | None = None
    verified: dt.date | None = None
    review_after: dt.date | None = None
    resources: tuple[Resource, ...] = ()
    more: tuple[Resource, ...] = ()
    related: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


def parse_document(source: str, *, default_slug: str) -> Document:
    """Return the document that `source` holds.

    `default_slug` is the article's name where the source does not name one. Raises DocumentError for anything that
    does not keep to the format.
    """
    _refuse_control_characters(source)
    raw, body, kind = front_matter.split(source)
    if raw is None or kind is None:
        raise DocumentError("front matter: is missing: begin the file with `---`, `title: …`, `lang: …` and `---`")
    try:
        values = front_matter.parse(raw, kind)
    except front_matter.FrontMatterError as error:
        raise DocumentError(str(error)) from error
    body = body.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    slug = _slug(values, "slug")
    own = slug or default_slug
    title = _title(values)
    translation_of = _slug(values, "translation_of")
    return Document(
        title=title,
        lang=_lang(values, f"{title}\n{body}"),
        body=body,
        tags=_tags(values),
        slug=slug,
        aliases=_slugs(values, "aliases", own),
        translation_of=None if translation_of == own else translation_of,
        date=_date(values, "date"),
        verified=_date(values, "verified"),
        review_after=_date(values, "review_after"),
        resources=_resources(values, "resources"),
        more=_resources(values, "more"),
        related=_slugs(values, "related", own),
        extra={key: value for key, value in values.items() if key not in KEYS},
    )


def normalised_tag(text: str) -> str:
    """Return a tag as it is stored: compatibility forms folded, lower case, hyphens for spaces."""
    return re.sub(r"[\s_-]+", "-", unicodedata.normalize("NFKC", text).casefold()).strip("-")


def usable_url(url: str) -> bool:
    """Say whether `url` is a whole address of a page, as a card may lead to."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return is_whole and len(url) <= MAX_URL and not re.search(r'[\s"<>\\^`{|}]', url)


def _refuse_control_characters(source: str) -> None:
    found = _CONTROL.search(source)
    if found:
        line = source.count("\n", 0, found.start()) + 1
        raise DocumentError(f"line {line}: holds the control character U+{ord(found[0]):04X}: remove it")


def _title(values: Mapping[str, Any]) -> str:
    title = _text(values.get("title"), "title")
    if not title:
        raise DocumentError("title: is missing: add a line `title: …`")
    if len(title) > MAX_TITLE:
        raise DocumentError(f"title: has {len(title)} characters: shorten it to {MAX_TITLE}")
    return title


def _lang(values: Mapping[str, Any], text: str) -> str:
    value = values.get("lang")
    if value is None:
        return language.detect(text)
    if not isinstance(value, str) or (found := language.canonical(value)) is None:
        raise DocumentError(f"lang: {value!r} is no known language tag: write for example zh, zh-Hant or en")
    return found


def _tags(values: Mapping[str, Any]) -> tuple[str, ...]:
    tags = [normalised_tag(_text(tag, "tags")) for tag in _list(values, "tags")]
    for tag in tags:
        if not tag:
            raise DocumentError("tags: holds an empty tag: remove it")
        if len(tag) > MAX_TAG:
            raise DocumentError(f"tags: {tag[:20]}… is longer than {MAX_TAG} characters: shorten it")
        if "/" in tag or "," in tag:
            raise DocumentError(f"tags: {tag!r} holds a slash or comma: write a list of plain words")
        if not tag.strip("."):  # a browser takes . and .. in an address for folders
            raise DocumentError(f"tags: {tag!r} is no word: write a list of plain words")
    return tuple(dict.fromkeys(tags))


def _slugs(values: Mapping[str, Any], key: str, own: str) -> tuple[str, ...]:
    # An article is no alias and no relation of itself.
    slugs = [_checked_slug(value, key) for value in _list(values, key)]
    return tuple(slug for slug in dict.fromkeys(slugs) if slug != own)


def _slug(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    return None if value is None else _checked_slug(value, key)


def _checked_slug(value: Any, key: str) -> str:
    slug = _text(value, key)
    if not SLUG.fullmatch(slug) or len(slug) > MAX_SLUG:
        raise DocumentError(
            f"{key}: {slug[:90]!r} is no slug: use lower-case ASCII letters, digits and single hyphens, "
            f"at most {MAX_SLUG} characters"
        )
    return slug


def _date(values: Mapping[str, Any], key: str) -> dt.date | None:
    value = values.get(key)
    if isinstance(value, dt.datetime):
        return value.date()
    if value is None or isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value).strip())
    except ValueError:
        raise DocumentError(f"{key}: {value!r} is no date: write it as 2026-11-23") from None


def _resources(values: Mapping[str, Any], key: str) -> tuple[Resource, ...]:
    return tuple(_resource(value, f"{key}[{number}]") for number, value in enumerate(_list(values, key), start=1))


def _resource(value: Any, where: str) -> Resource:
    if not isinstance(value, Mapping):
        raise DocumentError(f"{where}: must hold the keys url and title, not only {value!r:.80}")
    unknown = [str(key) for key in value if key not in {"url", "title", "description", "site", "archive"}]
    if unknown:
        raise DocumentError(f"{where}.{unknown[0]}: is not known here: use url, title, description, site, archive")
    title = _text(value.get("title"), f"{where}.title")
    if not title:
        raise DocumentError(f"{where}.title: is missing: name the page")
    if len(title) > MAX_RESOURCE_TITLE:
        raise DocumentError(f"{where}.title: has {len(title)} characters: shorten it to {MAX_RESOURCE_TITLE}")
    archive = value.get("archive")
    return Resource(
        url=_url(value.get("url"), f"{where}.url"),
        title=title,
        description=" ".join(_text(value.get("description"), f"{where}.description", lines=True).split()),
        site=_text(value.get("site"), f"{where}.site") or None,
        archive=None if archive is None else _url(archive, f"{where}.archive"),
    )


def _url(value: Any, where: str) -> str:
    url = _text(value, where)
    if len(url) > MAX_URL:
        raise DocumentError(f"{where}: is longer than {MAX_URL} characters: use a shorter address")
    if not usable_url(url):
        raise DocumentError(f"{where}: {url[:80]!r} is no web address: write it whole, beginning with https://")
    return url


def _text(value: Any, where: str, *, lines: bool = False) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        raise DocumentError(f"{where}: {value!r:.80} is no text: put it in quotes")
    text = str(value).strip()
    found = _NO_TEXT.search(text)
    if found:
        raise DocumentError(f"{where}: holds the character U+{ord(found[0]):04X}, which is no text: remove it")
    if not lines and re.search(r"[\n\r\u2028\u2029\x85]", text):
        raise DocumentError(f"{where}: must be a single line")
    return text


def _list(values: Mapping[str, Any], key: str) -> list[Any]:
    value = values.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise DocumentError(f"{key}: must be a list: write `{key}: [{value!s:.40}]`")
    return value
