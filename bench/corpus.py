"""Writes the evaluation documents of ../shared/data as a tree of Markdown files, to import and measure."""

import gzip
import json
import random
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
FILES = ("zh_docs", "en_docs", "qa_zh_docs", "qa_en_docs")


def documents() -> Iterator[dict[str, object]]:
    """Yield every document, Chinese and English ones in turns."""
    sources = [_read(name) for name in FILES]
    while sources:
        for source in list(sources):
            document = next(source, None)
            if document is None:
                sources.remove(source)
            else:
                yield document


def multiplied() -> Iterator[dict[str, object]]:
    """Yield every document, and then again and again each with its paragraphs in another order, without an end."""
    yield from documents()
    for copy in count(2):
        for document in documents():
            paragraphs = str(document["body"]).split("\n\n")
            random.Random(f"{document['id']}-{copy}").shuffle(paragraphs)
            changed = {"id": f"{document['id']}-{copy}", "title": f"{document['title']} ({copy})"}
            yield document | changed | {"body": "\n\n".join(paragraphs)}


def write_tree(folder: Path, limit: int | None = None) -> int:
    """Write `limit` documents (None: all, each once) below `folder`, a file each with front matter; return how many."""
    written = 0
    for document in documents() if limit is None else islice(multiplied(), limit):
        header = {key: document[key] for key in ("title", "lang", "tags") if document.get(key)}
        front_matter = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in header.items())
        path = folder / str(document["lang"]) / f"{document['id']}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\n{front_matter}---\n\n{document['body']}", encoding="utf-8")
        written += 1
    return written


def _read(name: str) -> Iterator[dict[str, object]]:
    with gzip.open(SHARED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
