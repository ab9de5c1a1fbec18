"""What ranking needs of one segment of the index beside its posting lists, as NumPy arrays, read once."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from whoosh.codec.whoosh3 import LENGTHS_COLUMN, _lenfield
from whoosh.columns import NumericColumn
from whoosh.fields import Schema
from whoosh.filedb.filetables import md5_hash
from whoosh.reading import SegmentReader
from whoosh.util.numeric import byte_to_length

from app.search import postings
from app.search.mapped import MappedStorage
from app.search.postings import Floats
from app.search.schema import ARTICLE_COLUMN, REVISION_COLUMN, TEXT_FIELDS

_LENGTHS = np.array([byte_to_length(code) for code in range(256)], np.float32)  # that a length byte stands for


class Segment:
    """One segment; documents are numbered from 0. Deletions are not its matter: they change, the rest never does."""

    def __init__(self, storage: MappedStorage, schema: Schema, segment: Any) -> None:
        self.id: str = segment.segment_id()
        self.reader = SegmentReader(storage, schema, segment)
        dictionary = self.reader._terms._tindex  # noqa: SLF001
        if dictionary.hashfn is md5_hash:
            dictionary.hashfn = postings.hashed
        self.size: int = segment.doc_count_all()
        self.lengths: dict[str, Floats] = {
            field: _LENGTHS[self._column(_lenfield(field), LENGTHS_COLUMN, "u1")] for field in TEXT_FIELDS
        }
        self.total_lengths = {field: float(self.reader.field_length(field)) for field in TEXT_FIELDS}
        self.article_ids: npt.NDArray[np.int32] = self._column("article", ARTICLE_COLUMN, ">i4").astype(np.int32)

    def revisions(self) -> npt.NDArray[np.int32]:
        """Return the revision of its article that each document is of."""
        return self._column("revision", REVISION_COLUMN, ">i4").astype(np.int32)

    def terms(self, field: str) -> list[str]:
        """Return all terms of a field, in order."""
        return [term.decode() for term in self.reader.lexicon(field)]

    @cached_property
    def languages(self) -> tuple[list[str], npt.NDArray[np.int32]]:
        """The languages, and the place of each document's own among them (-1: none)."""
        codes = sorted(self.terms("lang"), key=lambda code: code.count("-"))
        own = np.full(self.size, -1, np.int32)
        for place, code in enumerate(codes):  # zh-hant is found under zh too, and the longer one comes last
            own[self._documents("lang", code)] = place
        return codes, own

    @cached_property
    def tags(self) -> tuple[list[str], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """The tags, and all pairs of a document and the place of a tag of it, as two arrays."""
        names = self.terms("tags")
        lists = [self._documents("tags", name) for name in names]
        places = np.repeat(np.arange(len(names), dtype=np.int32), [len(documents) for documents in lists])
        documents = np.concatenate(lists) if lists else np.zeros(0, np.int32)
        return names, documents, places

    def _documents(self, field: str, term: str) -> postings.Documents:
        found = postings.read(self.reader, field, term)
        return np.zeros(0, np.int32) if found is None else found[0]

    def _column(self, field: str, column: NumericColumn, dtype: str) -> npt.NDArray[Any]:
        """Return a column of fixed width; documents after the last one with a value have none in the file."""
        values = np.zeros(self.size, dtype)
        perdoc = self.reader._perdoc  # noqa: SLF001  no public way to a whole column
        if perdoc.has_column(field):
            reader = perdoc.column_reader(field, column)
            count = min(reader._count, self.size)  # noqa: SLF001
            raw = reader._dbfile.get(reader._basepos, count * values.itemsize)  # noqa: SLF001
            values[:count] = np.frombuffer(raw, dtype)
        return values
