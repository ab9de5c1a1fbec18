"""Posting lists of one segment as NumPy arrays.

whoosh3 keeps a list as blocks of up to 128 postings, each a length, a pickled tuple of facts and a pickled tuple (gaps
between document numbers, weights, values), deflated where that pays. The values are positions and most of the bytes,
but they come last: ranking inflates only the beginning of a block and reads the numbers off the pickle's records of
fixed size, six times faster than by Whoosh's matchers. That layout is private to whoosh3, so every list is checked
against what the term dictionary says of it, and read by the matchers when it is not as expected.
"""

import logging
import pickle
import struct
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from hashlib import md5
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from whoosh.codec.whoosh3 import WHOOSH3_HEADER_MAGIC, W3TermInfo
from whoosh.filedb.structfile import BufferFile
from whoosh.matching import Matcher
from whoosh.reading import SegmentReader

log = logging.getLogger(__name__)

_one_at_a_time = Lock()  # Whoosh's matchers share a position in the file

Documents = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]

_INT = struct.Struct("!i")
_FACTS_END = b"tq\x00."  # end of a pickled tuple
_TUPLE_END = b"tq\x00"  # end of the tuple of gaps inside the data
_WEIGHT = np.dtype([("opcode", "u1"), ("weight", ">f8")])
_WIDTH_OF_INT = {ord("K"): 1, ord("M"): 2, ord("J"): 4}  # pickle's opcodes for whole numbers
_FEW = 3  # postings; the pickle of so few looks otherwise


class Block(NamedTuple):
    """Up to 128 postings as they are on disk."""

    place: int  # in the file
    size: int  # in postings
    is_packed: bool  # its data are deflated
    data: bytes


BlockValues = tuple[Documents, tuple[bytes, ...]]  # documents, and the positions in each as Whoosh wrote them
KeepBlock = Callable[[int, Callable[[], BlockValues]], BlockValues]


class LayoutUnknown(Exception):
    """A list is not laid out as this module knows it."""


# What reading a list that is laid out otherwise may raise.
_ODDITIES = (
    LayoutUnknown,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
    pickle.UnpicklingError,
)


@lru_cache(8192)
def hashed(key: bytes) -> int:
    """Return the number by which a segment's dictionary is asked for a key, as Whoosh works it out.

    Every segment is asked for the same ones, and each would work it out anew.
    """
    return int.from_bytes(md5(key, usedforsecurity=False).digest()[-4:])


def frequency(reader: SegmentReader, field: str, term: str) -> int:
    """Return in how many documents `term` stands."""
    place = _place_in_dictionary(reader, field, term)
    return 0 if place is None else int(W3TermInfo.read_doc_freq(reader._terms._dbfile, place[0]))  # noqa: SLF001


def read(reader: SegmentReader, field: str, term: str) -> tuple[Documents, Floats] | None:
    """Return the numbers of the documents in which `term` stands, ascending, and how often; None when in none."""
    info = _info(reader, field, term)
    if info is None:
        return None
    try:
        blocks = [_read_head(block) for block in _blocks(reader, info)]
        documents = np.concatenate([documents for documents, _ in blocks])
        _check(documents, info)
        return documents, np.concatenate([weights for _, weights in blocks])
    except _ODDITIES as error:
        log.debug("list %s:%s is read the slow way: %r", field, term, error)
        return read_by_matcher(reader, field, term)


def read_by_matcher(reader: SegmentReader, field: str, term: str) -> tuple[Documents, Floats]:
    """Return the same as `read`, by Whoosh's own means."""
    documents: list[int] = []
    weights: list[float] = []
    with _one_at_a_time:
        matcher = _matcher(reader, field, term)
        while matcher.is_active():
            documents.append(matcher.id())
            weights.append(matcher.weight())
            matcher.next()
    return np.array(documents, np.int32), np.array(weights, np.float32)


def read_positions(
    reader: SegmentReader, field: str, term: str, documents: Documents, keep: KeepBlock | None = None
) -> dict[int, list[int]]:
    """Return the positions of `term` in those of `documents` (ascending) in which it stands.

    `keep` is called for each block with its place in the file and what reads it, and returns the block.
    """
    info = _info(reader, field, term)
    if info is None:
        return {}
    try:
        return _positions(reader, field, info, documents, keep or (lambda _place, load: load()))
    except _ODDITIES as error:
        log.debug("positions of %s:%s are read the slow way: %r", field, term, error)
        return positions_by_matcher(reader, field, term, documents)


def positions_by_matcher(reader: SegmentReader, field: str, term: str, documents: Documents) -> dict[int, list[int]]:
    """Return the same as `read_positions`, by Whoosh's own means."""
    positions: dict[int, list[int]] = {}
    with _one_at_a_time:
        matcher = _matcher(reader, field, term)
        for document in documents.tolist():
            if matcher.is_active():
                matcher.skip_to(document)
            if matcher.is_active() and matcher.id() == document:
                positions[document] = matcher.value_as("positions")
    return positions


def _positions(
    reader: SegmentReader, field: str, info: W3TermInfo, documents: Documents, keep: KeepBlock
) -> dict[int, list[int]]:
    decode = reader.schema[field].format.decode_positions
    positions: dict[int, list[int]] = {}
    numbers = documents.tolist()
    for block in _blocks(reader, info, reaching=numbers):
        inside, values = keep(block.place, partial(_read_values, block))
        places = np.minimum(inside.searchsorted(documents), block.size - 1)
        found = (inside[places] == documents).nonzero()[0]
        for at, place in zip(found.tolist(), places[found].tolist(), strict=True):
            positions[numbers[at]] = decode(values[place])
    return positions


def _read_values(block: Block) -> BlockValues:
    gaps, _, values = pickle.loads(zlib.decompress(block.data) if block.is_packed else block.data)  # noqa: S301
    return np.cumsum(gaps, dtype=np.int32), values


def _matcher(reader: SegmentReader, field: str, term: str) -> Matcher:
    """Return a matcher over all documents: `reader.postings` leaves out those that were deleted when it was opened."""
    kind = reader.schema[field]
    return reader._terms.matcher(field, kind.to_bytes(term), kind.format)  # noqa: SLF001


def _info(reader: SegmentReader, field: str, term: str) -> W3TermInfo | None:
    place = _place_in_dictionary(reader, field, term)
    return None if place is None else W3TermInfo.from_bytes(reader._terms._dbfile.get(*place))  # noqa: SLF001


def _place_in_dictionary(reader: SegmentReader, field: str, term: str) -> tuple[int, int] | None:
    """Return the place and length of what a segment's dictionary says of a term; None when it does not have it.

    The reader itself would ask a dozen functions for that, and a comparison of articles asks for thousands of terms.
    """
    terms = reader._terms  # noqa: SLF001
    key = terms._keycoder(field, term.encode("utf-8", "surrogatepass"))  # noqa: SLF001
    place: tuple[int, int] | None = next(terms._tindex.ranges_for_key(key), None)  # noqa: SLF001
    return place


def _blocks(reader: SegmentReader, info: W3TermInfo, reaching: Sequence[int] | None = None) -> Iterator[Block]:
    """Yield the blocks of a list; with `reaching`, only those in which some of these documents may be."""
    if info.is_inlined():
        raise LayoutUnknown("inlined")
    offset = info.extent()[0]
    file = reader._terms._postfile  # noqa: SLF001  there is no public way to the bytes
    if not isinstance(file, BufferFile):  # another kind of file has a position that threads would share
        raise LayoutUnknown("no buffer")
    if file.get(offset, len(WHOOSH3_HEADER_MAGIC)) != WHOOSH3_HEADER_MAGIC:
        raise LayoutUnknown("another header")
    offset += len(WHOOSH3_HEADER_MAGIC)
    length, last = 0, -1
    while length >= 0:  # the last block has a negative one
        (length,) = _INT.unpack(file.get(offset, _INT.size))
        block = file.get(offset + _INT.size, abs(length))
        end = block.index(_FACTS_END) + len(_FACTS_END)
        facts = pickle.loads(block[:end])  # noqa: S301  our own index; Whoosh itself reads it so
        if reaching is None or _may_hold(reaching, last, facts[1]):
            yield Block(offset, facts[0], bool(facts[3]), block[end:])
        last = facts[1]
        offset += _INT.size + abs(length)


def _may_hold(documents: Sequence[int], before: int, last: int) -> bool:
    """Say whether some of `documents` is greater than `before` and not greater than `last`."""
    place = bisect_right(documents, before)
    return place < len(documents) and documents[place] <= last


def _read_head(block: Block) -> tuple[Documents, Floats]:
    """Return the document numbers and weights of a block, without reading its positions."""
    data, count = block.data, block.size
    if count <= _FEW:
        gaps, weights, _ = pickle.loads(zlib.decompress(data) if block.is_packed else data)  # noqa: S301
        if weights is None:
            weights = 1.0
        return np.cumsum(gaps, dtype=np.int32), np.broadcast_to(np.float32(weights), count)
    head = zlib.decompressobj().decompress(data, 14 * count + 64) if block.is_packed else data
    if head[2:3] != b"(":
        raise LayoutUnknown("no tuple of gaps")
    first_width = _WIDTH_OF_INT[head[3]]
    start = 4 + first_width
    end = start + 2 * (count - 1)
    records = np.frombuffer(head, np.uint8, 2 * (count - 1), start)
    if head[end : end + len(_TUPLE_END)] == _TUPLE_END and (records[::2] == ord("K")).all():
        documents = np.empty(count, np.int32)
        documents[0] = int.from_bytes(head[4:start], "little")
        documents[1:] = records[1::2]
    else:  # some gap is wider than a byte
        end = head.index(_TUPLE_END, 3)
        documents = np.array(pickle.loads(head[: end + 1] + b"."), np.int32)  # noqa: S301
    return np.cumsum(documents, dtype=np.int32), _read_weights(head, end + len(_TUPLE_END), count)


def _read_weights(head: bytes, start: int, count: int) -> Floats:
    kind = head[start : start + 1]
    if kind == b"N":  # all are 1
        return np.ones(count, np.float32)
    if kind == b"G":  # all are alike
        return np.full(count, struct.unpack_from("!d", head, start + 1)[0], np.float32)
    records = np.frombuffer(head, _WEIGHT, count, start + 1)
    if kind != b"(" or not (records["opcode"] == ord("G")).all():
        raise LayoutUnknown("no tuple of weights")
    return records["weight"].astype(np.float32)


def _check(documents: Documents, info: W3TermInfo) -> None:
    is_sound = (
        len(documents) == info.doc_frequency()
        and documents[0] == info.min_id()
        and documents[-1] == info.max_id()
        and bool((documents[1:] > documents[:-1]).all())
    )
    if not is_sound:
        raise LayoutUnknown("the list is not what the dictionary says")
