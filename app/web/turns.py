"""Turns: what takes a worker long is done a few at a time, so that everybody else is answered meanwhile."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.services.accounts import Key
from app.web.access import address_of
from app.web.state import Here, State


class InTurn(APIRoute):
    """A route whose requests wait for their turn, by the addresses that they come from.

    They wait without a thread, and the answer is sent when the turn is over: a slow client holds up nobody.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return what answers a request."""
        handle = super().get_route_handler()

        async def handle_in_turn(request: Request) -> Response:
            state: State = request.app.state.omniracle
            async with state.searches.of(address_of(request)):
                return await handle(request)

        return handle_in_turn


async def _rendering_turn(request: Request, here: Here) -> AsyncIterator[None]:
    async with here.renderings.of(_client_of(request)):
        yield


async def _decoding_turn(request: Request, here: Here) -> AsyncIterator[None]:
    async with here.decodings.of(_client_of(request)):
        yield


async def _image_turn(request: Request, here: Here) -> AsyncIterator[None]:
    async with here.image_reads.of(_client_of(request)):
        yield


def _client_of(request: Request) -> str:
    """Return by whom a request is counted: the account that it was found to be of, else the address."""
    key: Key | None = getattr(request.state, "key", None)
    return f"account {key.account.id}" if key else address_of(request)


# For routes that render or merge what somebody has sent, or decode an image. They come after what says who sends it and
# what reads a form: nobody has a turn whose text is still on its way. The turn is over before the answer is sent.
RenderingTurn = Annotated[None, Depends(_rendering_turn, scope="function")]
DecodingTurn = Annotated[None, Depends(_decoding_turn, scope="function")]
# For routes that ask the store of the images for something. Who puts one in has a turn of those who decode.
ImageTurn = Annotated[None, Depends(_image_turn, scope="function")]


def takes_turns(route: object) -> bool:
    """Say whether the requests of a route wait for a turn."""
    dependant = getattr(route, "dependant", None)
    calls = {each.call for each in dependant.dependencies} if dependant else set()
    return not calls.isdisjoint((_rendering_turn, _decoding_turn, _image_turn))
