"""What a kept page is kept under: all that it depends on beside the content."""

import re

from starlette.requests import cookie_parser

from app.config import Settings
from app.web import language, notices
from app.web.access import session_cookie
from app.web.compression import coding_of
from app.web.parameters import prefers_markdown
from app.web.templating import THEME_COOKIE, THEMES

# Only for these one request waits for another that makes the same page.
PAGES = re.compile(r"/(?:about|feed\.atom|search|(?:questions|tags)(?:/[^/]+(?:/(?:feed|history)\.atom)?)?)?")
MAX_ADDRESS = 2000  # bytes of a path with its query
MAX_HEADER = 300  # bytes of the others that are part of the key as they were sent

Key = tuple[object, ...]
Asked = tuple[str | bytes | None, ...]  # what of a request decides, as it was sent


def key_of(asked: Asked, settings: Settings) -> Key | None:
    """Return all that a page depends on beside the content; None for what is for this request alone."""
    method, path, query, scheme, host, *said = asked
    assert isinstance(path, str)
    assert isinstance(query, bytes)
    assert isinstance(scheme, str)
    if method not in ("GET", "HEAD") or len(path) + len(query) > MAX_ADDRESS or not PAGES.fullmatch(path):
        return None
    if len(host or b"") > MAX_HEADER or len(said[3] or b"") > MAX_HEADER:
        return None
    cookie, accept_language, accept, accept_encoding, authorization = (
        value.decode("latin-1") if isinstance(value, bytes) else "" for value in said
    )
    cookies = cookie_parser(cookie)
    if authorization or session_cookie(settings, scheme) in cookies or notices.COOKIE in cookies:
        return None
    theme = cookies.get(THEME_COOKIE)
    return (
        path,
        query,
        # Addresses on the page begin as the request's where no setting says otherwise.
        None if settings.base_url else (scheme, host),
        language.negotiate(cookies.get(language.COOKIE), accept_language),
        path == "/" and (bool(accept_language) or language.COOKIE in cookies),  # it asks whether anything was said
        language.preferred_script(cookies.get(language.SCRIPT_COOKIE), accept_language),
        theme if theme in THEMES else None,
        prefers_markdown(accept),
        coding_of(accept_encoding),
    )
