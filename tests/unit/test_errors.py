import pytest

from app.errors import TooManyRequests


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "in a few seconds."), (30, "in a minute."), (60, "in a minute."), (61, "in 2 minutes."), (874, "15 minutes.")],
)
def test_a_wait_is_told_as_people_count(seconds, words):
    error = TooManyRequests(seconds, 10, 900)
    assert str(error).startswith("Too many requests: the limit is 10 in 15 min. ")
    assert str(error).endswith(words)
    assert error.retry_after_s == seconds
