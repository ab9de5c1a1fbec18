"""Refusing what another site makes a browser send. No token is needed: browsers say where a request comes from."""

from urllib.parse import urlsplit

from fastapi import Request

from app.errors import CrossOrigin

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


async def refuse_cross_origin(request: Request) -> None:
    """Raise CrossOrigin for a request that changes something and comes from a page of another site."""
    if request.method not in SAFE_METHODS and is_foreign(request):
        raise CrossOrigin("This request came from another site and was refused.")


def is_foreign(request: Request) -> bool:
    """Say whether a page of another site made the browser send this."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    except ValueError:  # no origin at all
        return True
