"""Where the lines of a Chinese title may end."""

import re
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.content.breaking import with_breaks


def shown(title):
    return re.sub("</?span[^>]*>", "", with_breaks(escape(title))).replace("<wbr>", "|")


@pytest.mark.parametrize("word", ["任务", "策略", "怎么", "参数", "设置"])
def test_no_known_word_is_torn(word):
    for around in ("FastAPI{}如何", "的{}在和分配{}后的{}，{}", "一二三四五六七八九{}十一二三四五六七"):
        title = around.replace("{}", word)
        assert shown(title).count(word) == title.count(word)


def test_lines_end_at_particles_and_in_stretches_that_are_long():
    assert shown("后台任务在响应之后执行") == "后台任务|在|响应之后执行"
    assert "|" not in shown("整理文件柜")
    assert shown("图书馆馆员整理文件柜").count("|") > 3
    assert shown("How do workers work?") == "How do workers work?"


def test_marks_and_entities_stay_where_they_are():
    marked = "<mark>后台</mark>任务在响应之后 &lt;b&gt; 执行"
    broken = "<mark>后台</mark>任务<wbr>在<wbr>响应之后 &lt;b&gt; 执行"
    assert with_breaks(marked) == f'<span class="breaks">{broken}</span>'


@given(st.text(alphabet="任务的在分配，。（ab <&'", max_size=40))
def test_without_its_breaks_it_is_the_title(title):
    assert unescape(shown(title).replace("|", "")) == title


@pytest.mark.timeout(15)
def test_a_heading_of_any_length_is_broken():
    # No clock is read here: what is quadratic takes minutes, and the time limit ends it.
    assert with_breaks("中" * 200_000).count("<wbr>") > 1_000
