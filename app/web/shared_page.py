"""A kept page for all workers of the host: without the number of the one that made it, which stands on it.

What comes before the number is compressed once. What comes after it, a kilobyte, is sent as it is, together with the
number of the worker that sends: a block of a stream of gzip or brotli may be that.
"""

import gzip
import hashlib
import json
import struct
import time
import zlib

import brotli

from app.storage.shared_pages import RUN, SharedPage
from app.web.conditional import etag_of
from app.web.kept_page import KeptPage, MadeOf, Shared

LONGEST_BLOCK = 0xFFFF
OF_WORKER = {b"content-length", b"etag", b"last-modified", b"x-served-by"}


def digest_of(key: tuple[object, ...]) -> bytes:
    """Return the key under which the page of a PageCache's key is shared."""
    return hashlib.blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def without_worker(key: bytes, page: KeptPage, pid: int) -> SharedPage | None:
    """Return a page that the worker `pid` has made, for all; None for one that does not name it."""
    coding = dict(page.headers).get(b"content-encoding", b"").decode()
    html = {"gzip": gzip.decompress, "br": brotli.decompress, "": bytes}[coding](page.body)
    before, named, after = html.rpartition(b"PID %d</b>" % pid)
    head, tail = before + named[:4], named[-4:] + after
    if not named or len(tail) > LONGEST_BLOCK // 2:
        return None
    about = {
        "coding": coding,
        "headers": [(name.decode(), value.decode("latin-1")) for name, value in page.headers if name not in OF_WORKER],
        "route": page.route,
        "viewed": page.shared.viewed,
        "made_of": page.shared.made_of,
        "length": len(head),
        "checksum": zlib.crc32(head),
    }
    return SharedPage(key, page.version, page.good_until, RUN, json.dumps(about), _compressed(coding, head), tail)


def for_worker(shared: SharedPage, pid: int) -> KeptPage:
    """Return the page as the worker `pid` sends it."""
    about = json.loads(shared.about)
    made_of = about["made_of"]
    number = str(pid).encode()
    body = _joined(about["coding"], shared.head, number + shared.tail, about["length"], about["checksum"])
    etag = etag_of(body).encode()
    headers = [(name.encode(), value.encode("latin-1")) for name, value in about["headers"]]
    headers += [(b"content-length", b"%d" % len(body)), (b"x-served-by", number), (b"etag", etag)]
    return KeptPage(
        headers=headers,
        body=body,
        etag=etag,
        route=about["route"],
        shared=Shared(about["viewed"], MadeOf(tuple(made_of[0]), made_of[1])),
        version=shared.version,
        made_at=time.monotonic(),
        good_until=shared.good_until,
    )


def _compressed(coding: str, head: bytes) -> bytes:
    """Return the beginning of a stream, up to where a new block can follow."""
    if coding == "gzip":
        packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        return packer.compress(head) + packer.flush(zlib.Z_SYNC_FLUSH)
    if coding == "br":
        packer = brotli.Compressor(quality=5)
        return bytes(packer.process(head) + packer.flush())
    return head


def _joined(coding: str, head: bytes, tail: bytes, length: int, checksum: int) -> bytes:
    """Return the stream of which `head` is the beginning and `tail`, not compressed, is the last block."""
    size = len(tail)
    if coding == "gzip":  # RFC 1951, 3.2.4, and RFC 1952, 2.3.1
        total = (length + size) & 0xFFFFFFFF
        end = struct.pack("<LL", zlib.crc32(tail, checksum), total)
        return b"".join((head, b"\x01", struct.pack("<HH", size, size ^ 0xFFFF), tail, end))
    if coding == "br":  # RFC 7932, 9.2: an uncompressed meta-block, and an empty one that is the last
        return b"".join((head, ((size - 1) << 3 | 1 << 19).to_bytes(3, "little"), tail, b"\x03"))
    return head + tail
