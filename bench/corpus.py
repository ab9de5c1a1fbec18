"""Writes the evaluation documents of ../shared/data as a tree of Markdown files, to import and measure."""

import gzip
import json
import random
import re
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
FILES = ("zh_docs", "en_docs", "qa_zh_docs", "qa_en_docs")
MIXED_OF = 3  # documents of one set and language
PIECES_OF_PARAGRAPH = 8

_CLAUSE = re.compile(r"[^,.;:!?，。；：！？、\n]+[,.;:!?，。；：！？、\n]*")
_PART_OF_TITLE = re.compile(r"[\u3000-\u9fff]|[^\s\u3000-\u9fff]+\s*|\s+")  # a Chinese character, or a word


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


def enlarged() -> Iterator[dict[str, object]]:
    """Yield every document, and then without an end others that are mixed of them."""
    kinds: dict[tuple[object, object], list[dict[str, object]]] = {}
    every = []
    for document in documents():
        every.append(document)
        kinds.setdefault((document.get("set"), document["lang"]), []).append(document)
        yield document
    for number in count(1):
        chance = random.Random(number)
        like = chance.choice(every)
        yield _mixed(number, chance.sample(kinds[like.get("set"), like["lang"]], MIXED_OF), chance)


def write_tree(folder: Path, limit: int | None = None) -> int:
    """Write `limit` documents (None: all, each once) below `folder`, a file each with front matter; return how many."""
    written = 0
    for document in documents() if limit is None else islice(enlarged(), limit):
        header = {key: document[key] for key in ("title", "lang", "tags") if document.get(key)}
        front_matter = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in header.items())
        path = folder / str(document["lang"]) / f"{document['id']}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\n{front_matter}---\n\n{document['body']}", encoding="utf-8")
        written += 1
    return written


def _mixed(number: int, sources: list[dict[str, object]], chance: random.Random) -> dict[str, object]:
    # Words, lengths and neighbours are those of real documents, but no whole passage is, so that none of these is
    # a right answer; each shares more with what a query asks for than another real document would.
    first, last = (_PART_OF_TITLE.findall(str(source["title"])) for source in sources[:2])
    pieces = [piece for source in sources for piece in _pieces(str(source["body"]))]
    chance.shuffle(pieces)
    kept = pieces[: max(1, len(pieces) // len(sources))]
    starts = range(0, len(kept), PIECES_OF_PARAGRAPH)
    body = "\n\n".join(" ".join(kept[start : start + PIECES_OF_PARAGRAPH]) for start in starts)
    title = f"{''.join(first[: len(first) // 2 + 1]).strip()} {''.join(last[len(last) // 2 :]).strip()}"
    return sources[0] | {"id": f"mixed-{number}", "title": title, "body": body}


def _pieces(body: str) -> Iterator[str]:
    for paragraph in body.split("\n\n"):
        if "```" in paragraph:
            yield f"\n\n{paragraph}\n\n"
        else:
            yield from _CLAUSE.findall(paragraph)


def _read(name: str) -> Iterator[dict[str, object]]:
    with gzip.open(SHARED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
