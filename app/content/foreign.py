"""Foreign Markdown, whatever its dialect and encoding, turned into the site's own format."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from app.content import front_matter, language
from app.content.dialects import translate
from app.content.document import KEYS, MAX_TAG, MAX_TITLE, Document, DocumentError, normalised_tag, parse_document
from app.content.encoding import decode
from app.content.headings import title_from_path, without_title
from app.content.slugs import default_slug, slugify

MAX_TAGS = 20
MAX_VALUE = 2_000  # characters of a line of broken front matter

_LANG_KEYS = ("lang", "language", "locale")
_TAG_KEYS = ("tags", "tag", "categories", "category", "topics", "keywords")
_TAKEN_KEYS = {*_LANG_KEYS, *_TAG_KEYS, "title", "date", "slug"}
_FOREIGN_KEYS = {*_LANG_KEYS, *_TAG_KEYS} - set(KEYS)
_NAMES = ("slug", "aliases")  # keys that ask for addresses
# Folders that say where a text is kept, not what it is about.
_FOLDERS = (
    "docs doc documentation src source sources content contents posts post _posts blog articles article pages notes "
    "published translated wiki guide guides"
)
_PLAIN_FOLDERS = frozenset(_FOLDERS.split())
# Names of folders that are more often topics than languages.
_NO_LANGUAGES = frozenset(
    {"as", "cs", "id", "is", "la", "ml", "my", "no", "or", "os", "pl", "sh", "so", "to", "ts", "vi"}
)
_LINE = re.compile(r"^([A-Za-z_][\w-]*)[ \t]*:[ \t]*(.*?)[ \t]*$")
_NO_PROSE = re.compile(r"^ *(```|~~~)[^\n]*\n.*?^ *\1|`[^`\n]+`|<[^<>]*>|https?://[^\s)]+", re.DOTALL | re.MULTILINE)
_VERSION = re.compile(r"v?\d[\d.]*")
_NAMED_LANG = re.compile(
    rb"""\A(?:---|\+\+\+)[ \t]*\r?\n(?:.*\n)*?(?:lang|language|locale)[ \t]*[:=][ \t]*["']?([A-Za-z][\w-]*)"""
)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})")


@dataclass(frozen=True)
class Foreign:
    """A foreign file in the site's format, and what had to be changed on the way."""

    source: str
    document: Document
    slug: str  # the address it asks for
    notes: tuple[str, ...]


def read_foreign(raw: bytes, path: PurePosixPath, lang: str | None = None, *, own_names: bool = True) -> Foreign:
    """Return the file's bytes as a document; `lang` is the language of files that do not name theirs.

    A file that keeps to the site's own format already is left as it is. Without `own_names` it gets no address that
    it names. Raises DocumentError only when there is no text in it.
    """
    text, note = decode(raw, _expected_language(raw, path, lang))
    if own_names and note is None and (own := _own(text, path)):
        return own
    notes = [note] if note else []
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    values, body = _split(text, notes)
    body, changes = translate(body, mdx=path.suffix.lower() == ".mdx")
    notes += changes
    title, body = without_title(body, _one_line(values.get("title")))
    title = title or _one_line(values.get("name")) or title_from_path(path)
    if not body.strip():
        body = _instead_of_body(values, text)
        notes.append("has no text but its front matter")
    kept = {
        "title": title[:MAX_TITLE].strip() or "Untitled",
        "lang": _language(values, path, lang, f"{title}\n{body}", notes),
        "tags": _tags(values, path),
        "date": _date(values.get("date")) or _date(path.stem[:10]),
    }
    if len(title) > MAX_TITLE:
        notes.append(f"the title was cut after {MAX_TITLE} characters")
    source, document = _written(
        {key: value for key, value in kept.items() if value}, values, body, path, notes, own_names=own_names
    )
    slug = slugify(_one_line(values.get("slug")).strip("/").rpartition("/")[2]) if values.get("slug") else ""
    return Foreign(source, document, slug or default_slug(path), tuple(notes))


def _own(text: str, path: PurePosixPath) -> Foreign | None:
    """Return the text as it is if it keeps to the site's own format and nothing of another one would be lost."""
    head, body, kind = front_matter.split(text)
    try:
        values = front_matter.parse(head or "", kind or "yaml")
        document = parse_document(text, default_slug=default_slug(path))
    except (DocumentError, front_matter.FrontMatterError):
        return None
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    is_ours = "lang" in values and body.strip() and not _FOREIGN_KEYS & values.keys()
    if not is_ours or translate(body, mdx=path.suffix.lower() == ".mdx")[1]:
        return None
    if without_title(body, document.title)[1] != body:
        return None
    return Foreign(text, document, document.slug or default_slug(path), ())


def _expected_language(raw: bytes, path: PurePosixPath, lang: str | None) -> str | None:
    """Return the language that the file's front matter, `lang` or its path names, before its encoding is known."""
    if found := _NAMED_LANG.search(raw[:2_000]):
        return language.simplest(found[1].decode())
    if lang:
        return language.simplest(lang)
    for part in _parts(path):
        if named := _named(part):
            return named
    return None


def _instead_of_body(values: Mapping[str, Any], text: str) -> str:
    for key in ("description", "summary", "about"):
        if found := _one_line(values.get(key)):
            return found
    return f"```yaml\n{text.strip()}\n```" if values else text


def _split(text: str, notes: list[str]) -> tuple[dict[str, Any], str]:
    head, body, kind = front_matter.split(text)
    if head is None or kind is None:
        return {}, body
    try:
        return dict(front_matter.parse(head, kind)), body
    except front_matter.FrontMatterError as error:
        values = _line_by_line(head)
        if not values:
            notes.append(f"{error}; it stays in the text")
            return {}, text
        notes.append(f"{error}; it was read line by line")
        return values, body


def _line_by_line(head: str) -> dict[str, Any]:
    """Return what can be read of broken YAML: `key: value`, `key: [a, b]` and lists of `- value`."""
    values: dict[str, Any] = {}
    key = ""
    for line in head.split("\n"):
        if found := _LINE.match(line[:MAX_VALUE]):
            key, value = found[1], found[2]
            is_list = value.startswith("[") and value.endswith("]")
            items = [part.strip().strip("'\"") for part in value[1:-1].split(",")] if is_list else value.strip("'\"")
            values.setdefault(key, items)
        elif key and (item := re.match(r"\s*- +(.*)$", line)):
            if not values[key]:
                values[key] = []
            if isinstance(values[key], list):
                values[key].append(item[1].strip().strip("'\""))
    return values


def _language(values: Mapping[str, Any], path: PurePosixPath, lang: str | None, text: str, notes: list[str]) -> str:
    for key in _LANG_KEYS:
        if isinstance(values.get(key), str) and values[key].strip():
            if found := language.simplest(values[key]):
                return found
            notes.append(f"{key}: {values[key]!r:.60} is no known language tag")
    if lang and (found := language.canonical(lang)):
        return found
    detected = language.detect(_NO_PROSE.sub(" ", text[: 2 * language.SAMPLE_LENGTH]))
    for part in _parts(path):
        found = _named(part)
        if found is None:
            continue
        # A folder of translations also holds what nobody has translated yet: its script must agree.
        if found.split("-")[0] == detected.split("-")[0]:
            return found if len(part) > 2 else detected
        if detected == "en" and found.split("-")[0] not in {"zh", "ja", "ko", *language.SCRIPTS}:
            return found
    return detected


def _parts(path: PurePosixPath) -> tuple[str, ...]:
    """Return the folders, and the endings of the name before the last, where translations are marked."""
    return (*path.parts[:-1], *re.split(r"[._]", path.stem)[1:])


def _named(part: str) -> str | None:
    """Return the language that a part of a path names, else None."""
    if part.lower() in _NO_LANGUAGES or len(part) > 10:
        return None
    return language.simplest(part) if re.fullmatch(r"[A-Za-z]{2}(?:[-_][A-Za-z]{2,4})*", part) else None


def _tags(values: Mapping[str, Any], path: PurePosixPath) -> list[str]:
    words = [word for key in _TAG_KEYS for word in _words(values.get(key))]
    tags = [tag for word in words if (tag := normalised_tag(word)).strip(".") and len(tag) <= MAX_TAG]
    if not tags:
        folders = [normalised_tag(re.sub("[,/]", " ", part)) for part in path.parts[:-1]]
        about = (part for part in folders if not _is_plain(part) and len(part) <= MAX_TAG)
        tags = [tag for tag in [next(about, "")] if tag.strip(".")]
    return list(dict.fromkeys(tags))[:MAX_TAGS]


def _words(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [word for each in value.values() for word in _words(each)]
    if isinstance(value, list):
        return [word for each in value for word in (_split_words(each) if isinstance(each, str) else _words(each))]
    if value is None or isinstance(value, bool):
        return []
    text = str(value)
    return _split_words(text) if re.search("[,，、;/|]", text) else text.split()


def _split_words(text: str) -> list[str]:
    return [part.strip(" '\"[]#") for part in re.split("[,，、;/|\n]", text)]


def _is_plain(folder: str) -> bool:
    name = folder.partition(".")[0]  # pages.zh
    return not name or name in _PLAIN_FOLDERS or bool(_VERSION.fullmatch(folder)) or _is_language(name)


def _is_language(name: str) -> bool:
    return name not in _NO_LANGUAGES and language.canonical(name) is not None


def _date(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    found = _DATE.search(str(value)[:40]) if value is not None else None
    try:
        return dt.date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _written(
    kept: dict[str, Any],
    values: Mapping[str, Any],
    body: str,
    path: PurePosixPath,
    notes: list[str],
    *,
    own_names: bool,
) -> tuple[str, Document]:
    """Return the source, with the keys that we do not know, and the document it holds."""
    unknown: dict[str, Any] = {}
    renamed = []
    for key, value in values.items():
        if key in _TAKEN_KEYS and key in kept:
            continue
        if key not in KEYS or _is_ours(key, value, own_names=own_names):
            unknown[key] = _plain(value)
        else:  # a key of ours with another meaning elsewhere: Hugo's aliases are paths
            unknown[f"imported_{key}"] = _plain(value)
            renamed += [f"imported_{key}"] if key != "slug" else []  # what it asks for is the address
    try:
        source, document = _parsed(kept | {key: v for key, v in unknown.items() if key not in kept}, body, path)
    except (DocumentError, yaml.YAMLError, RecursionError) as error:
        notes.append(f"its other keys could not be kept ({str(error).splitlines()[0]:.100})")
        return _parsed(kept, body, path)
    if renamed:
        notes.append(f"keys with another meaning here were kept as {', '.join(renamed)}")
    return source, document


def _is_ours(key: str, value: Any, *, own_names: bool) -> bool:
    """Say whether a value is one that our key of this name may have."""
    if key == "slug" or (key in _NAMES and not own_names):
        return False
    try:
        _parsed({"title": "x", "lang": "en", key: _plain(value)}, "x", PurePosixPath("x.md"))
    except (DocumentError, yaml.YAMLError, RecursionError):
        return False
    return True


def _parsed(values: dict[str, Any], body: str, path: PurePosixPath) -> tuple[str, Document]:
    header = yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=1000)
    source = f"---\n{header}---\n\n{body.strip(chr(10))}\n"
    return source, parse_document(source, default_slug=default_slug(path))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | dt.date | None) else str(value)


def _one_line(value: Any) -> str:
    if value is None or isinstance(value, bool | Mapping):
        return ""
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return " ".join(text.split())
