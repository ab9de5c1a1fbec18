"""What search is compared with: SQLite FTS5 and tantivy over the very same terms."""

import sqlite3
from collections.abc import Callable, Sequence

import tantivy

from app.search.analysis import terms
from app.search.folding import fold

Search = Callable[[str, int], list[str]]
Document = tuple[str, str, str]  # id, title, text

MAX_TERMS = 48


def fts5(documents: Sequence[Document], title_weight: float) -> Search:
    """Return a search by FTS5's BM25 over our terms: character pairs and stems, scripts folded."""
    return _fts5(documents, title_weight, _terms)


def fts5_plain(documents: Sequence[Document]) -> Search:
    """Return a search by FTS5 as it comes: its own tokenizer, raw text."""
    return _fts5(documents, 1, lambda text: text.lower().split())


def tantivy_bm25(documents: Sequence[Document], title_weight: float) -> Search:
    """Return a search by tantivy over our terms."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    for name in ("title", "body"):
        builder.add_text_field(name, tokenizer_name="spaces", index_option="freq")
    schema = builder.build()
    index = tantivy.Index(schema)
    spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer("spaces", spaces)
    writer = index.writer(200_000_000)
    for number, title, body in documents:
        writer.add_document(tantivy.Document(id=number, title=" ".join(_terms(title)), body=" ".join(_terms(body))))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def search(text: str, limit: int) -> list[str]:
        parts = [
            (
                tantivy.Occur.Should,
                tantivy.Query.boost_query(tantivy.Query.term_query(schema, name, term, "freq"), boost),
            )
            for term in _distinct(_terms(text))
            for name, boost in (("title", title_weight), ("body", 1.0))
        ]
        if not parts:
            return []
        found = searcher.search(tantivy.Query.boolean_query(parts), limit)
        return [searcher.doc(address)["id"][0] for _, address in found.hits]

    return search


def _fts5(documents: Sequence[Document], title_weight: float, split: Callable[[str], list[str]]) -> Search:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE found USING fts5(id UNINDEXED, title, body)")
    connection.executemany(
        "INSERT INTO found VALUES (?, ?, ?)",
        ((number, _encoded(split(title), split), _encoded(split(body), split)) for number, title, body in documents),
    )

    def search(text: str, limit: int) -> list[str]:
        words = _distinct(split(text))
        if not words:
            return []
        quoted = " OR ".join('"' + _encoded([word], split).replace('"', '""') + '"' for word in words)
        statement = f"SELECT id FROM found WHERE found MATCH ? ORDER BY bm25(found, 0, {title_weight}, 1) LIMIT ?"
        return [row[0] for row in connection.execute(statement, (quoted, limit))]

    return search


def _encoded(words: Sequence[str], split: Callable[[str], list[str]]) -> str:
    # FTS5's tokenizer must not cut our terms again: they are written as letters.
    return " ".join(f"x{word.encode().hex()}" for word in words) if split is _terms else " ".join(words)


def _terms(text: str) -> list[str]:
    return [term.text for term in terms(fold(text))]


def _distinct(words: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(words))[:MAX_TERMS]
