"""Every error that Omniracle raises on purpose.

OmniracleError
├── InvalidInput          what a person typed or sent cannot be used (HTTP 400 or 422)
│   └── InvalidFields     the same, field by field of a form
├── SignInNeeded          the reader has to sign in first (HTTP 401, pages lead to the form)
├── Forbidden             the reader may not do this (HTTP 403)
│   ├── CrossOrigin       a page of another site made the browser send this (HTTP 403)
│   └── ProofNeeded       the reader has to prove again who they are (HTTP 403, with a form to do so)
├── NotFound              there is nothing at this address (HTTP 404)
│   └── Gone              there was something, and it was deleted (HTTP 410)
├── AlreadyRunning        the same is being done at this moment (HTTP 409)
├── TooManyRequests       the reader has to wait (HTTP 429)
├── Busy                  too many wait for the same already (HTTP 503)
├── ImagesUnavailable     the store of the images does not answer (HTTP 503)
├── ProbeFailed           the site could not ask itself (HTTP 503)
├── ProviderUnavailable   the site through which people sign in does not answer (HTTP 503)
└── OperatorError         this installation cannot go on; the message says what to do
    ├── SchemaMismatch    the database has another schema than this program
    └── IndexUnavailable  the search index cannot be opened or rebuilt
"""

import dataclasses
import math
from typing import Any


class OmniracleError(Exception):
    """Base of all; `message` is an English gettext msgid, `params` fill its %(name)s places."""

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message % params if params else message)
        self.message = message
        self.params = params

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process is told of it, without the constructor, which takes something else in each class.
        return Exception.__new__, (type(self), *self.args), self.__dict__


class InvalidInput(OmniracleError):
    """What a person typed or sent cannot be used; the message says what to change."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is wrong with one field of a form; the message as in OmniracleError."""

    field: str
    message: str
    params: dict[str, object] = dataclasses.field(default_factory=dict)


class InvalidFields(InvalidInput):
    """What a person typed cannot be used, field by field."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message, **problems[0].params)
        self.problems = problems


class SignInNeeded(OmniracleError):
    """The reader has to sign in first."""


class Forbidden(OmniracleError):
    """The reader may not do this."""


class CrossOrigin(Forbidden):
    """A page of another site made the reader's browser send this; nothing of it may be offered to be sent again."""


class ProofNeeded(Forbidden):
    """The reader has to prove again who they are; `problem` is what is wrong with a password that was tried."""

    def __init__(self, problem: Problem | None = None) -> None:
        super().__init__("Confirm that it is you before you change this.")
        self.problem = problem


class NotFound(OmniracleError):
    """There is nothing at this address."""


class Gone(NotFound):
    """There was something at this address, and it was deleted."""


class AlreadyRunning(OmniracleError):
    """The same is being done at this moment, and only one may do it."""


class TooManyRequests(OmniracleError):
    """The reader has to wait for `retry_after_s` seconds: no more than `most` are possible in `period_s` seconds."""

    def __init__(self, retry_after_s: int, most: int = 0, period_s: int = 0) -> None:
        minutes, period = (math.ceil(seconds / 60) for seconds in (retry_after_s, period_s))
        if not most:
            super().__init__("Too many requests in a short time. Please try again in a few seconds.")
        elif minutes > 1:
            message = (
                "Too many requests: the limit is %(most)s in %(period)s min. Please try again in %(minutes)s minutes."
            )
            super().__init__(message, most=most, period=period, minutes=minutes)
        elif retry_after_s > 10:
            message = "Too many requests: the limit is %(most)s in %(period)s min. Please try again in a minute."
            super().__init__(message, most=most, period=period)
        else:
            message = "Too many requests: the limit is %(most)s in %(period)s min. Please try again in a few seconds."
            super().__init__(message, most=most, period=period)
        self.retry_after_s = retry_after_s


class Busy(OmniracleError):
    """Too many wait for the same already."""

    def __init__(self) -> None:
        super().__init__("The library is busy or under repair. Please try again in a moment.")


class ImagesUnavailable(OmniracleError):
    """The store of the images does not answer, or refuses."""

    def __init__(self) -> None:
        super().__init__("The images cannot be reached at the moment. Please try again later.")


class ProbeFailed(OmniracleError):
    """The site could not ask itself; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__("The experiment failed. See the log for the reason.")
        self.reason = reason


class ProviderUnavailable(OmniracleError):
    """The OpenID Connect provider does not answer, or not as it must; the log says why."""

    def __init__(self, provider: str) -> None:
        super().__init__("%(provider)s is not responding. Please try again later.", provider=provider)


class OperatorError(OmniracleError):
    """The installation cannot go on; the message is one line and says what to do."""


class SchemaMismatch(OperatorError):
    """The database has another schema than this program."""


class IndexUnavailable(OperatorError):
    """The search index cannot be opened or rebuilt."""
