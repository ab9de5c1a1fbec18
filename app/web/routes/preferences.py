"""A reader's choice of language, Chinese script and theme, kept in cookies."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from app.errors import InvalidInput
from app.web import language
from app.web.access import PUBLIC
from app.web.parameters import local_path
from app.web.templating import THEME_COOKIE, THEMES

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

YEAR_S = 365 * 24 * 3600


@router.post("/-/preferences")
def set_preferences(
    lang: Annotated[str, Form()] = "",
    theme: Annotated[str, Form()] = "",
    script: Annotated[str, Form()] = "",
    next_path: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Remember the choice and go back to the page it was made on."""
    choices = (
        (language.COOKIE, lang, language.LANGUAGES),
        (language.SCRIPT_COOKIE, script, (*language.SCRIPTS, language.AS_WRITTEN)),
        (THEME_COOKIE, theme, THEMES),
    )
    if any(value and value not in known for _, value, known in choices):
        raise InvalidInput("There is no such language or theme.")
    response = RedirectResponse(local_path(next_path), 303)
    for name, value, _ in choices:
        if value:
            response.set_cookie(name, value, max_age=YEAR_S, samesite="lax", httponly=True)
    return response
