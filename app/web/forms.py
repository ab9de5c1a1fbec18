"""Forms: what a browser has sent, and what is shown when it comes back: the texts, and what is wrong with each."""

import re
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from app.config import Settings
from app.errors import InvalidFields, InvalidInput, OmniracleError
from app.web.language import translate

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
MAX_FIELDS = 2000  # the editor sends eight for each resource
_NUMBER = re.compile(r"\d+")


def is_form(request: Request) -> bool:
    """Say whether a request brings a form."""
    return request.headers.get("content-type", "").startswith(FORM_TYPES)


def form_limits(settings: Settings) -> dict[str, int]:
    """Return what a form may have; one field may be all that a request may bring."""
    return {"max_fields": MAX_FIELDS, "max_part_size": settings.request_mb * 2**20}


async def read_form(request: Request) -> FormData:
    """Return the form that a browser sent; raise InvalidInput for one that cannot be read."""
    try:
        return await request.form(**form_limits(request.app.state.omniracle.settings))
    except HTTPException as error:
        request.state.is_unreadable = True  # half of it is gone: nobody may read on and take the rest for a form
        raise (unreadable(error) or error) from error
    except (LookupError, UnicodeError, ValueError) as error:  # a charset that nobody uses
        request.state.is_unreadable = True
        raise InvalidInput("This is not a form of the editor. Reload the editor and try again.") from error


def unreadable(error: HTTPException) -> InvalidInput | None:
    """Return what the reader of forms says in its own words; None for any other error."""
    limit = _NUMBER.search(error.detail)
    if error.status_code != HTTPStatus.BAD_REQUEST:
        return None
    if error.detail.startswith("Too many") and limit:
        return InvalidInput("A form may have %(most)s fields. Go back and send less at once.", most=limit[0])
    return damaged()


def damaged() -> InvalidInput:
    """Return what tells that something was sent that no browser sends."""
    return InvalidInput("What was sent is damaged: it cannot be read. Go back and send it again.")


class Form:
    """`form` in templates."""

    def __init__(self, values: Mapping[str, str] | None = None, error: OmniracleError | None = None) -> None:
        self._values = dict(values or {})
        self.message: str | None = None  # about the form as a whole
        self.errors: dict[str, str] = {}  # what is wrong with each field, in the reader's language
        if isinstance(error, InvalidFields):
            self.errors = {each.field: translate(each.message, each.params) for each in error.problems}
        elif error is not None:
            self.message = translate(error.message, error.params)

    def value(self, field: str) -> str:
        """Return what was typed, empty at first."""
        return self._values.get(field, "")

    def error(self, field: str) -> str | None:
        """Return what is wrong with a field; None for nothing."""
        return self.errors.get(field)

    @property
    def is_wrong(self) -> bool:
        """Whether the form comes back because something is wrong with it."""
        return bool(self.message or self.errors)
