"""What may be meant by an address at which there is nothing."""

import logging
import re
from urllib.parse import unquote

from fastapi import Request
from sqlalchemy.exc import OperationalError

from app.errors import OmniracleError
from app.search.query import MAX_LENGTH
from app.services.searching import Hit, search
from app.web.state import State

log = logging.getLogger(__name__)


def near(request: Request) -> tuple[str | None, list[Hit]]:
    """Return the words of the address, and what a search for them finds."""
    state: State = request.app.state.omniracle
    words = " ".join(re.findall(r"\w+", unquote(request.url.path).replace("_", " ")))[:MAX_LENGTH]
    words = re.sub(r"^(questions|tags|search)\b\s*", "", words)
    if not words:
        return None, []
    try:
        with state.searches.at_once() as has_turn:
            if has_turn:  # else others wait for their searches, and this one nobody has asked for
                return words, list(search(state.database, state.current_index(), words, size=5).page.items)
    except (OmniracleError, OperationalError) as error:
        log.warning("no search for a missing page: %s", error)
    return words, []
