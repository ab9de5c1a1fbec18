import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.search.query import MAX_LENGTH, MAX_TERMS, parse


def test_plain_words():
    query = parse("fastapi workers 策略")
    assert query.terms == ("fastapi", "worker", "策略")
    assert [word.raw for word in query.words] == ["fastapi", "workers", "策略"]


def test_phrase_exclusion_and_filters():
    query = parse('tag:FastAPI lang:zh -gunicorn "event loop" async')
    assert query.tags == ("fastapi",)
    assert query.langs == ("zh",)
    assert [[term.text for term in part] for part in query.excluded] == [["gunicorn"]]
    assert [[term.text for term in part] for part in query.phrases] == [["event", "loop"]]
    assert query.terms == ("event", "loop", "async")


def test_full_width_operators_work():
    query = parse("标签：fastapi “任务分配”")
    assert query.tags == ("fastapi",)
    assert len(query.phrases) == 1


def test_a_hyphen_inside_a_word_excludes_nothing():
    assert parse("keep-alive --workers").excluded == ()
    assert parse("--workers").terms == ("worker",)
    assert parse("keep-alive").terms == ("keep", "aliv")


@pytest.mark.parametrize("text", ["", " ", "*", '"', "-", "😀", "\x00\x01", "?!", "“”"])
def test_nothing_to_search_for_is_no_error(text):
    query = parse(text)
    assert (query.words, query.is_filter) == ((), False)


def test_too_long_is_a_clear_error():
    with pytest.raises(InvalidInput, match=str(MAX_LENGTH)):
        parse("x" * (MAX_LENGTH + 1))


def test_terms_are_bounded():
    text = " ".join(f"w{n}" for n in range(120))
    assert len(parse(text).terms) == MAX_TERMS


@given(st.text(max_size=MAX_LENGTH))
def test_no_input_is_a_syntax_error(text):
    parse(text)
