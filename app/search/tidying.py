"""Which documents of an index to write anew, together, so that it has few segments.

Every save adds a segment, and every segment makes each search a little slower. Segments are joined when FANOUT of about
the same size have come together (Lucene's LogMergePolicy), so that a document is written anew once for each such size.
Whoosh would join them while somebody waits for a save, and takes longer for it than to write the documents anew.
"""

import numpy as np

from app.search.snapshot import Snapshot

FANOUT = 5
# Of the largest segments that are joined, in powers of FANOUT: more would keep saves from the index for many seconds.
LEVELS = 4


def scattered(snapshot: Snapshot) -> list[int]:
    """Return the ids of the articles to write anew in one change; none where the segments are few enough."""
    living = [
        snapshot.article_ids[base : base + segment.size][snapshot.alive[base : base + segment.size]]
        for base, segment in zip(snapshot.bases, snapshot.segments, strict=True)
    ]
    for level in range(LEVELS, 0, -1):
        of_level = [ids for ids in living if FANOUT ** (level - 1) <= len(ids) < FANOUT**level]
        if len(of_level) >= FANOUT:
            return sorted(np.concatenate([ids for ids in living if len(ids) < FANOUT**level]).tolist())
    return []
