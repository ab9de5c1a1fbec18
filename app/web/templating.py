"""Pages: the Jinja2 environment, and the context that every template can rely on."""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit
from uuid import NAMESPACE_OID, uuid5

from babel import Locale, UnknownLocaleError
from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from app import __version__
from app.config import STATIC_DIR, TEMPLATES_DIR
from app.content.breaking import with_breaks
from app.content.scripts import LANGS, Script, in_script, script_of
from app.models import Account, Article, Role
from app.storage import site
from app.web import language, times, wording
from app.web.access import account_of
from app.web.assets import Assets
from app.web.conditional import unless_known
from app.web.notices import forget_notice, notice_of
from app.web.sources import kind_of
from app.web.state import State

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"

TONES = 6  # colours that resource cards are told apart by
_DEFAULTS = {"page": 1, "sort": "newest"}


@dataclass(frozen=True)
class Site:
    """`site` in templates."""

    name: str
    base_url: str
    version: str = __version__


@dataclass(frozen=True)
class Viewer:
    """`viewer` in templates: who reads, and how."""

    lang: str
    script: Script | None  # in which Chinese is shown; None for as it was written
    theme: str
    path: str  # of this page with its query, to come back to
    account: Account | None

    @property
    def html_lang(self) -> str:
        """The interface language as the `lang` attribute."""
        return self.lang

    def may(self, role: str) -> bool:
        """Say whether the reader may do what `role` may."""
        return self.account is not None and Role(self.account.role).includes(Role(role))


@dataclass(frozen=True)
class Served:
    """`worker` in templates: the process that makes this page."""

    pid: int
    slot: int


def render(
    request: Request, template: str, *, status_code: int = 200, headers: dict[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """Return the page that `template` makes of `context` and the base context."""
    state: State = request.app.state.omniracle
    chosen = viewer(request)
    html = (
        environment()
        .get_template(template)
        .render(
            site=site_of(request),
            viewer=chosen,
            worker=Served(request.app.state.pid, state.table.slot),
            notice=notice_of(request),
            **context,
        )
    )
    html, shown_lang = in_script_of(chosen, html, chosen.lang)
    response = HTMLResponse(html, status_code, headers)
    response.headers["Vary"] = "Accept-Language, Cookie"
    response.headers["Content-Language"] = shown_lang
    response.headers.setdefault("Cache-Control", "private, no-cache")
    if not template.startswith("parts/"):  # a part that a script asks for tells nothing
        forget_notice(request, response)
    return response


def in_script_of(reader: Viewer, html: str, lang: str) -> tuple[str, str]:
    """Return HTML with its Chinese text in the reader's script, and the language in which it is then; it was `lang`."""
    if reader.script is None:
        return html, lang
    return in_script(html, reader.script, lang), LANGS[reader.script] if script_of(lang) else lang


def render_feed(request: Request, template: str, **context: Any) -> Response:
    """Return the Atom feed that `template` makes of `context`, or a 304 to who has it."""
    state: State = request.app.state.omniracle
    with state.database.read() as session:
        identity = site.identity(session)
    text = (
        environment()
        .get_template(template)
        .render(
            site=site_of(request),
            lang=language.current.get(),
            address=f"{base_url(request)}{quote(request.url.path)}",
            # The same for ever, whatever becomes of addresses (RFC 4287, 4.2.6).
            uid=lambda *parts: uuid5(NAMESPACE_OID, "/".join((identity, *map(str, parts)))).urn,
            **context,
        )
    )
    response = Response(text, media_type="application/atom+xml", headers={"Vary": "Accept-Language, Cookie"})
    return unless_known(request, response)


def site_of(request: Request) -> Site:
    """Return what templates know of the site."""
    state: State = request.app.state.omniracle
    return Site(state.settings.site_name, base_url(request))


def viewer(request: Request) -> Viewer:
    """Return who reads, from cookies and headers."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    query = f"?{request.url.query}" if request.url.query else ""
    return Viewer(
        lang=language.current.get(),
        script=language.preferred_script(
            request.cookies.get(language.SCRIPT_COOKIE), request.headers.get("accept-language", "")
        ),
        theme=theme if theme in THEMES else "auto",
        path=f"{request.url.path}{query}" if request.method == "GET" else "/",
        account=account_of(request),
    )


def named(article: Article) -> dict[str, object]:
    """Return what pages around an article, its history or its editor for example, show of it."""
    return {
        "slug": article.slug,
        "url": f"/questions/{article.slug}",
        "title": article.title,
        "lang": article.lang,
        "revision": article.revision,
    }


def reader_lang(request: Request) -> str | None:
    """Return the language that the reader asked for, by cookie or browser; None when nothing was said."""
    is_said = language.COOKIE in request.cookies or "accept-language" in request.headers
    return language.current.get() if is_said else None


def base_url(request: Request) -> str:
    """Return the public address of the site, without a slash at the end."""
    state: State = request.app.state.omniracle
    return state.settings.base_url or str(request.base_url).rstrip("/")


def with_code(text: str) -> Markup:
    """Return a text with what stands in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped first


@cache
def assets() -> Assets:
    """Return the static files."""
    return Assets(STATIC_DIR)


@cache
def environment() -> Environment:
    """Return the template environment."""
    env = _Environment(
        loader=FileSystemLoader(TEMPLATES_DIR),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # a worker has the templates of its own version
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=language.translate,
        ngettext=language.translate_plural,
        newstyle=True,
    )
    env.globals.update(
        static=lambda name: assets().url(name),
        url=_url,
        interface_languages=language.LANGUAGES,
        **times.GLOBALS,
        **wording.GLOBALS,
    )
    env.filters.update(
        monogram=_monogram, tone=_tone, browser=_browser, host=_host, groupby_consecutive=_runs,
        kind_of=kind_of, script_of=script_of, with_code=with_code, in_lang=_in_lang, breaks=_breaks,
    )  # fmt: skip
    return env


class _Context(Context):
    """Calls at once what does not ask for the context, which nearly nothing does: a page makes two hundred calls."""

    def call(self, called: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
        if hasattr(called, "jinja_pass_arg"):
            return super().call(called, *args, **options)
        options.pop("_loop_vars", None)
        options.pop("_block_vars", None)
        return called(*args, **options)


class _Environment(Environment):
    """Keeps what all templates know in a plain dictionary: each import of a macro looks through its names."""

    context_class = _Context

    def make_globals(self, own: Mapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(own or {})}


def _breaks(title: str) -> Markup:
    """Return a title, or what a search has marked in one, with the places where its lines may end."""
    return Markup(with_breaks(str(escape(title))))  # noqa: S704  escaped before


def _runs(items: Iterable[Any], attribute: str) -> list[list[Any]]:
    """Return runs of items that have the same value; unlike Jinja's own groupby, in the order in which they came."""
    return [list(run) for _, run in groupby(items, key=attrgetter(attribute))]


def _url(path: str, **query: object) -> Markup:
    """Return an address with its query; what is the default anyway is left out, so that each page has one address."""
    given = {name: value for name, value in query.items() if value not in (None, "", _DEFAULTS.get(name))}
    listed = "&".join(f"{name}={_quoted(str(value))}" for name, value in given.items())
    return Markup.escape(f"{path}?{listed}" if listed else path)


@lru_cache(maxsize=2000)
def _quoted(value: str) -> str:  # a page of answers has the same query in forty addresses
    return quote_plus(value)


def _monogram(site: str) -> str:
    """Return the letter by which a site is known: the first of its name, or of the domain when it has none."""
    labels = site.split(".")
    return (labels[-2] if len(labels) > 1 and " " not in site else site)[:1].upper()


def _tone(site: str) -> int:
    return zlib.crc32(site.encode()) % TONES


def _host(address: str) -> str:
    return urlsplit(address).hostname or address


def _browser(agent: str) -> str:
    """Return what a browser calls itself, in short: its name and its system."""
    names = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
               ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
    found = [next((name for sign, name in known if sign in agent), "") for known in (names, systems)]
    return " · ".join(filter(None, found)) or agent[:40] or "?"


@cache
def _in_lang(code: str) -> Markup:
    """Return the attributes of an element in a language: which one, and its direction where that is from the right."""
    try:
        is_rtl = Locale.parse(code, sep="-").text_direction == "rtl"
    except (ValueError, UnknownLocaleError):
        is_rtl = False
    return Markup('lang="{}" dir="rtl"' if is_rtl else 'lang="{}"').format(code)  # noqa: S704  format() escapes
