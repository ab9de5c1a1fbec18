"""Addresses that settings take, and what each may be."""

import re
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def checked_database_url(value: str) -> str:
    """Return the address of a database; raise ValueError for anything else."""
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
    return value


def checked_images(value: str) -> str:
    """Return where images are kept; raise ValueError for anything else."""
    parts = urlsplit(value)
    if "://" in value and (parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment):
        raise ValueError("must be a folder or s3://bucket/prefix")
    return value


def checked_base_url(value: str) -> str:
    """Return the address of a site, without anything behind its host; raise ValueError for anything else."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    parts = urlsplit(value.lower())
    is_host = re.fullmatch(r"[\w.-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?", parts.netloc)
    if not is_host or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be a host alone, such as https://answers.example.org: no path, no user, no query")
    return f"{parts.scheme}://{parts.netloc}"


def checked_issuer(value: str) -> str:
    """Return the address of a provider; raise ValueError for anything else."""
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must start with https://")
    return value
