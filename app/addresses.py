"""What an address in a setting has to look like; each raises ValueError for another one."""

import re
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def database_url(value: str) -> str:
    """Return the address of a database that can be used."""
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(value)
    except (ValueError, ArgumentError) as error:  # what they say may hold a part of the password
        raise ValueError(
            "must look like postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME, special characters as %XX"
        ) from error
    return value


def images(value: str) -> str:
    """Return the place of a store of images."""
    parts = urlsplit(value)
    if "://" in value and (parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment):
        raise ValueError("must be a folder or s3://bucket/prefix")
    return value


def base_url(value: str) -> str:
    """Return the address of a site, without what need not be there."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    parts = urlsplit(value.lower())
    is_host = re.fullmatch(r"[\w.-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?", parts.netloc)
    if not is_host or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be a host alone, such as https://answers.example.org: no path, no user, no query")
    return f"{parts.scheme}://{parts.netloc}"


def issuer(value: str) -> str:
    """Return the address of an OpenID Connect provider, as it names itself."""
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must start with https://")
    return value
