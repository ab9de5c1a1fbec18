"""Every error that Omniracle raises on purpose.

OmniracleError
├── InvalidInput          what a person typed or sent cannot be used (HTTP 400 or 422)
├── Forbidden             the reader may not do this (HTTP 403)
├── NotFound              there is nothing at this address (HTTP 404)
└── OperatorError         this installation cannot go on; the message says what to do
    ├── SchemaMismatch    the database has another schema than this program
    └── IndexUnavailable  the search index cannot be opened or rebuilt
"""


class OmniracleError(Exception):
    """Base of all; `message` is an English gettext msgid, `params` fill its %(name)s places."""

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message % params if params else message)
        self.message = message
        self.params = params


class InvalidInput(OmniracleError):
    """What a person typed or sent cannot be used; the message says what to change."""


class Forbidden(OmniracleError):
    """The reader may not do this."""


class NotFound(OmniracleError):
    """There is nothing at this address."""


class OperatorError(OmniracleError):
    """The installation cannot go on; the message is one line and says what to do."""


class SchemaMismatch(OperatorError):
    """The database has another schema than this program."""


class IndexUnavailable(OperatorError):
    """The search index cannot be opened or rebuilt."""
