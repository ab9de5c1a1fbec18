import pytest

from app.errors import TooManyRequests


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "in a few seconds."), (30, "in a minute."), (60, "in a minute."), (61, "in 2 minutes."), (874, "15 minutes.")],
)
def test_a_wait_is_told_as_people_count(seconds, words):
    error = TooManyRequests(seconds)
    assert str(error).endswith(words)
    assert error.retry_after_s == seconds
