import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from app.search.query import parse
from app.search.snippets import Marker


def marker(text):
    query = parse(text)
    return Marker(query.terms, query.typed)


def marked(html):
    return re.findall("<mark>(.*?)</mark>", html)


def test_marks_stems_and_whole_runs():
    assert marked(marker("distribute worker").whole("How are requests distributed to workers?").html) == [
        "distributed",
        "workers",
    ]
    assert marked(marker("任务分配").whole("关于任务分配的策略").html) == ["任务分配"]


def test_marks_the_other_script_and_says_so():
    snippet = marker("任務分配").whole("关于任务分配的策略")
    assert marked(snippet.html) == ["任务分配"]
    assert snippet.has_variant
    assert not marker("任务分配").whole("关于任务分配的策略").has_variant


def test_shows_the_part_where_most_terms_stand():
    text = "开头。" * 200 + "内核让进程竞争连接。" + "结尾。" * 200
    html = marker("内核 竞争 连接").excerpt(text).html
    assert marked(html) == ["内核", "竞争连接"]
    assert html.startswith("… ")
    assert html.endswith(" …")


def test_markup_in_the_text_is_escaped():
    html = marker("alert").whole("<script>alert(1)</script> & so on").html
    assert html == "&lt;script&gt;<mark>alert</mark>(1)&lt;/script&gt; &amp; so on"


# Documents have no control characters; two of them hold the places of the marks until the text is escaped.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x01\x02"), max_size=300)


@given(texts, st.text(max_size=40))
def test_nothing_but_marks_is_added(text, query):
    html = marker(query).whole(text).html
    bare = html.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert (
        unescape(bare).split() == text.split()
        or "\x1c" in text
        or re.sub(r"\s", "", unescape(bare)) == re.sub(r"\s", "", text)
    )
