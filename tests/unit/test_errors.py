import inspect
import pickle

import pytest

from app import errors
from app.content.front_matter import FrontMatterError
from app.errors import InvalidFields, OmniracleError, Problem, TooManyRequests
from app.services.contributing import EditConflict

PROBLEM = Problem("name", "Use at most %(most)s characters.", {"most": 80})
MADE_OF = {"problem": PROBLEM, "retry_after_s": 60, "most": 10, "period_s": 900}
KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, OmniracleError)]


def made(kind):
    """Return an error of this class, whatever its constructor takes."""
    if kind is InvalidFields:
        return kind(PROBLEM, PROBLEM)
    names = [each.name for each in inspect.signature(kind).parameters.values() if each.kind != each.VAR_KEYWORD]
    error = kind(*(MADE_OF.get(name, "100 % of it") for name in names))
    error.params |= {"more": 1}
    return error


@pytest.mark.parametrize("kind", [*KINDS, FrontMatterError, EditConflict])
def test_another_process_is_told_of_an_error_as_it_is(kind):
    error = made(kind)
    told = pickle.loads(pickle.dumps(error))
    assert (type(told), str(told), vars(told)) == (kind, str(error), vars(error))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "in a few seconds."), (30, "in a minute."), (60, "in a minute."), (61, "in 2 minutes."), (874, "15 minutes.")],
)
def test_a_wait_is_told_as_people_count(seconds, words):
    error = TooManyRequests(seconds, 10, 900)
    assert str(error).startswith("Too many requests: the limit is 10 in 15 min. ")
    assert str(error).endswith(words)
    assert error.retry_after_s == seconds
