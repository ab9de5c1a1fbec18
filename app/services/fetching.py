"""Which pages of other sites are fetched, and what came of it: addresses that a person typed, so nothing is trusted.

Only http and https, only addresses of the public Internet, whatever they wrap.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

# All of IPv6 that is given to networks, and IPv4 behind NAT64; whatever else wraps an IPv4 address leads to places of
# our own network at best. What `ipaddress` takes for global beside: documentation, relays and gateways nearby.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GIVEN = [ipaddress.ip_network("2000::/3"), _NAT64]
_RESERVED = [ipaddress.ip_network(net) for net in ("3fff::/20", "192.0.0.0/24", "192.88.99.0/24")]


class FetchFailed(Exception):
    """A page could not be fetched; `kind` says in what way."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind  # refused, no host, timeout, connection, redirects


@dataclass(frozen=True)
class Fetched:
    """What another site has answered."""

    url: str  # after redirects
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes  # the beginning, where it is long
    moved_for_good: bool  # all redirects on the way, at least one, were permanent


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public Internet, whatever other address it wraps."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = [parsed]
    if isinstance(parsed, ipaddress.IPv6Address):
        if not any(parsed in network for network in _GIVEN):
            return False
        inner += [part for part in (parsed.sixtofour, *(parsed.teredo or ())) if part is not None]
        if parsed in _NAT64:
            inner = [ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)]
    return all(
        each.is_global and not each.is_multicast and not any(each in network for network in _RESERVED) for each in inner
    )


def checked(url: str) -> str:
    """Return a URL in ASCII; raise FetchFailed for one that is not fetched."""
    try:
        parts = urlsplit(url)
        host = (
            (parts.hostname or "").encode("idna").decode() if not (parts.hostname or "").isascii() else parts.hostname
        )
        port = parts.port
    except ValueError as error:  # UnicodeError too
        raise FetchFailed("refused", url) from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise FetchFailed("refused", url)
    if port is not None and port < 1024 and port not in (80, 443):  # mail servers and the like
        raise FetchFailed("refused", url)
    address = f"[{host}]" if ":" in host else host
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
    return f"{parts.scheme}://{address}{f':{port}' if port else ''}{path}{query}"
