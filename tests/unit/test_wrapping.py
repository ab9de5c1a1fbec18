"""Titles on several lines."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.content.breaking import NEVER_FIRST, NEVER_LAST, is_wide, parts_of
from app.content.wrapping import ELLIPSIS, wrap

TEXTS = st.lists(
    st.one_of(
        st.text("的任务分配到不同进程什么策略圖書館カナー", min_size=1, max_size=12),
        st.text("abcXYZ019-_/.:", min_size=1, max_size=12),
        st.sampled_from("，。？！：、（）《》「」“”‘’…—·,.:;?!()[]%$#\"' 🚀"),
        st.text(max_size=3),
    ),
    max_size=40,
).map("".join)


def width_of(text):
    return sum(2 if is_wide(each) else 1 for each in text)


def compact(text):
    return "".join(text.split())


@settings(deadline=None)
@given(TEXTS, st.integers(2, 60), st.integers(1, 5))
def test_nothing_is_lost_and_no_line_is_too_wide(text, widest, most):
    lines, is_whole = wrap(text, width_of, widest, most)
    assert len(lines) <= most
    assert all(lines)
    assert all(width_of(line) <= widest for line in lines)
    shown = compact("".join(lines))
    if shown != compact(text):
        assert not is_whole
        assert shown.endswith(ELLIPSIS)
        assert compact(text).startswith(shown.removesuffix(ELLIPSIS))


@settings(deadline=None)
@given(TEXTS, st.integers(24, 60))
def test_punctuation_stays_where_it_belongs(text, widest):
    parts = [part.text for part in parts_of(text)]
    assume(all(width_of(part) <= widest for part in parts))
    lines = wrap(text, width_of, widest, 5).lines
    for line in lines[1:]:
        assert line[0] not in NEVER_FIRST or (line[0].isascii() and any(map(str.isalnum, line.split()[0])))
    for line in lines[:-1]:
        assert line[-1] not in NEVER_LAST
    words = text.split()
    for line in lines:
        for word in line.removesuffix(ELLIPSIS).split():
            assert any(word in each for each in words)


@settings(deadline=None)
@given(TEXTS, st.integers(10, 60))
def test_there_are_as_few_lines_as_can_be(text, widest):
    lines = wrap(text, width_of, widest, 1000).lines
    joined = " ".join(text.split())
    assert (len(lines) <= 1) == (width_of(joined) <= widest)


@pytest.mark.parametrize(
    ("text", "widest", "lines"),
    [
        (
            "FastAPI 设置 workers 参数后，任务分配到不同的 worker 用的是什么策略？",
            26,
            ["FastAPI 设置 workers", "参数后，任务分配到不同的", "worker 用的是什么策略？"],
        ),
        ("臺灣的圖書館如何整理軟體文件", 20, ["臺灣的圖書館", "如何整理軟體文件"]),
        ("什么是“事件循环”，它和“协程”有什么关系？", 26, ["什么是“事件循环”，", "它和“协程”有什么关系？"]),
        ("Should I use Gunicorn or Uvicorn workers?", 30, ["Should I use Gunicorn", "or Uvicorn workers?"]),
        ("How does one read the .env file ?", 20, ["How does one read", "the .env file ?"]),
        ("Celery", 20, ["Celery"]),
        (" ", 20, []),
    ],
)
def test_titles_break_at_good_places(text, widest, lines):
    assert wrap(text, width_of, widest, 3) == (lines, True)


def test_a_word_that_no_line_holds_is_cut_at_a_joint():
    assert wrap("uvicorn.workers.UvicornWorker", width_of, 20, 3) == (["uvicorn.workers.", "UvicornWorker"], False)


def test_what_has_no_room_is_left_out_at_the_end_of_a_word():
    lines, is_whole = wrap("任务分配到不同的进程，用的是什么策略？ And why is it so?", width_of, 16, 2)
    assert lines == ["任务分配到不同的", "进程，用的是…"]
    assert not is_whole
