"""What a form shows when it comes back: the texts that were typed, and what is wrong with each."""

from collections.abc import Mapping

from app.errors import InvalidFields, OmniracleError
from app.web.language import translate


class Form:
    """`form` in templates."""

    def __init__(self, values: Mapping[str, str] | None = None, error: OmniracleError | None = None) -> None:
        self._values = dict(values or {})
        self.message: str | None = None  # about the form as a whole
        self._errors: dict[str, str] = {}
        if isinstance(error, InvalidFields):
            self._errors = {each.field: translate(each.message, each.params) for each in error.problems}
        elif error is not None:
            self.message = translate(error.message, error.params)

    def value(self, field: str) -> str:
        """Return what was typed, empty at first."""
        return self._values.get(field, "")

    def error(self, field: str) -> str | None:
        """Return what is wrong with a field, in the reader's language; None for nothing."""
        return self._errors.get(field)
