"""What language models can do here. Imports the SDK: only `mcp.py` imports this module, when it is needed."""

import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field
from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app import __version__
from app.config import Settings
from app.errors import Busy, IndexUnavailable, InvalidInput, NotFound, TooManyRequests
from app.services import asking, searching
from app.storage import articles, references, resources, tags
from app.web.access import address_of
from app.web.mcp_shapes import Answer, Hits, Reply, Tags, answer_of, hit_of, passage_of, question_of, tag_of
from app.web.parameters import lang_named, tag_named
from app.web.state import State
from app.web.templating import base_url

log = logging.getLogger(__name__)

MOST_TAGS = 500
INSTRUCTIONS = """
{name} is a library of questions, each with one curated answer that names its sources, in Chinese and English.

To answer a question, use `ask`: it gives passages of the library word for word, or says that the library has no answer.
Nothing here is generated. To look around, use `search` and `list_tags`; to read a whole answer, `read_question`.

Whatever you take from here, cite the `url` and the `revision` that you got with it, and keep quotations as they stand.
When there is no answer, say so. Questions find answers in their own language: before you give up, ask in the other one.
""".strip()

Asked = Context[Any, Request]
Found = TypeVar("Found")
Lang = Annotated[
    str | None, Field(description="Only answers in this language: `zh` (all Chinese), `zh-Hant`, `en` or another code.")
]


def new_server(settings: Settings) -> MCPServer:
    """Return a server with all tools."""
    server = MCPServer(
        name="omniracle",
        title=settings.site_name,
        version=__version__,
        instructions=INSTRUCTIONS.format(name=settings.site_name),
        website_url=settings.base_url,
        subscriptions=False,  # they are streams without an end, and nothing here is told of by itself
    )
    for title, tool in (
        ("Ask the library", ask),
        ("Search the library", search),
        ("Read a question", read_question),
        ("List the topics", list_tags),
    ):
        server.add_tool(
            tool,
            title=title,
            description=inspect.getdoc(tool),
            annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
        )
    return server


async def ask(
    context: Asked,
    question: Annotated[str, Field(description="The question as a person would put it, in the words that matter.")],
    lang: Lang = None,
) -> Reply:
    """Answer a question with passages of the library, word for word; nothing is generated.

    Each passage names its article, revision, section and sources. When no passage has enough of what is asked for,
    `answer` is `no_answer`, with the reason and the nearest questions: then say that the library does not tell, or ask
    again in other words or in the other language (Chinese, English).
    """
    here, site = _here(context)
    found = await _in_turn(
        context, lambda: asking.ask(here.database, here.current_index(), question, lang=lang_named(lang))
    )
    return Reply(
        answer="passages" if found.quotes else "no_answer",
        passages=[passage_of(quote, site) for quote in found.quotes],
        reason=found.reason,
        missing=list(found.lacking),
        nearest=[question_of(near, site) for near in found.nearest],
    )


async def search(
    context: Asked,
    query: Annotated[
        str,
        Field(description='Words or a question. `"a phrase"`, `-word`, `tag:name` and `lang:zh` narrow the search.'),
    ],
    lang: Lang = None,
    tag: Annotated[str | None, Field(description="Only answers with this topic, as list_tags names it.")] = None,
    limit: Annotated[int, Field(ge=1, le=20, description="How many hits at most.")] = 10,
) -> Hits:
    """Find questions of the library, in Chinese (simplified and traditional alike) and English.

    Spelling mistakes and pinyin are understood. To answer a question, rather use `ask`.
    """
    here, site = _here(context)
    found = await _in_turn(
        context,
        lambda: searching.search(
            here.database, here.current_index(), query, size=limit, offset=0, tag=tag_named(tag), lang=lang_named(lang)
        ),
    )
    return Hits(total=found.page.total, hits=[hit_of(hit, site) for hit in found.page.items])


def read_question(
    context: Asked,
    slug: Annotated[str, Field(description="The question's slug, or one that it had formerly.")],
) -> Answer:
    """Read one question with its whole answer in Markdown, its sources and related questions."""
    here, site = _here(context)
    with _told(), here.database.read() as session:
        article = articles.find(session, slug)
        assert article.id is not None
        names = tags.names_of(session, [article.id]).get(article.id, ())
        cards = resources.of_article(session, article.id)
        related = here.related.of(session, article, references.twins(session, article))
    return answer_of(article, names, cards, related.cards, site)


def list_tags(context: Asked, lang: Lang = None) -> Tags:
    """List the topics of the library, the most frequent first, with how many questions each has."""
    here, site = _here(context)
    with _told(), here.database.read() as session:
        counted = tags.counted(session, MOST_TAGS, lang_named(lang))
    return Tags(tags=[tag_of(tag, site) for tag in counted])


async def _in_turn(context: Asked, find: Callable[[], Found]) -> Found:
    """Return what `find` finds, when it is the turn of who asks: they wait without a thread, as for any search."""
    here, _ = _here(context)
    with _told():
        async with here.searches.of(address_of(_request(context))):
            return await run_in_threadpool(find)


def _here(context: Asked) -> tuple[State, str]:
    """Return the stores of this worker, and the site's address as the client knows it."""
    request = _request(context)
    state: State = request.app.state.omniracle
    return state, base_url(request)


def _request(context: Asked) -> Request:
    request = context.request_context.request
    assert request is not None  # all comes over HTTP
    return request


@contextmanager
def _told() -> Iterator[None]:
    """Tell the model what it may do about an error; of any other the SDK only says that there was one."""
    try:
        yield
    except (InvalidInput, TooManyRequests, Busy) as error:
        raise ToolError(str(error)) from error
    except NotFound as error:
        raise ToolError(f"{error} Take a slug from what `search` or `ask` has found.") from error
    except (IndexUnavailable, OperationalError) as error:
        log.error("a tool has failed: %s", error)  # noqa: TRY400  as the pages do: it is known what this is
        raise ToolError("The library is busy or under repair. Please try again in a moment.") from error
