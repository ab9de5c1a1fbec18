import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.content.rendering import render
from app.content.scripts import in_script, script_of


def test_phrases_get_the_right_characters():
    assert in_script("<p>头发与发现，面条与里面</p>", "hant", "zh") == "<p>頭髮與發現，麵條與裡面</p>"
    assert in_script("<p>頭髮與發現</p>", "hans", "zh-TW") == "<p>头发与发现</p>"


def test_phrases_are_read_over_the_places_where_lines_may_end():
    assert in_script("<h1>发<wbr>现头<wbr>发</h1>", "hant", "zh") == "<h1>發<wbr>現頭<wbr>髮</h1>"


def test_code_fields_and_names_stay():
    html = (
        "<code>发现</code><pre>发现</pre><kbd>发</kbd><textarea>发现</textarea>"
        '<input value="发现"><span translate="no">范后发</span><script>"发"</script>'
    )
    assert in_script(html, "hant", "zh") == html


def test_only_text_in_the_other_script_is_converted():
    html = '<i>后</i><p lang="zh-CN">后面 <i lang="ja">国</i></p><p lang="zh-Hant">后</p>'
    expected = '<i>后</i><p lang="zh-Hant">後面 <i lang="ja">国</i></p><p lang="zh-Hant">后</p>'
    assert in_script(html, "hant", "en") == expected


def test_what_is_read_out_is_converted_and_addresses_are_not():
    html = '<a href="/tags/发现" title="发现" aria-label="发现">x</a><img src="/发.png" alt="发现">'
    expected = '<a href="/tags/发现" title="發現" aria-label="發現">x</a><img src="/发.png" alt="發現">'
    assert in_script(html, "hant", "zh") == expected


def test_an_author_can_keep_a_name():
    html = render('作家<span translate="no">范后发</span>发现了。', "zh").html
    assert in_script(html, "hant", "zh") == '<p>作家<span translate="no">范后发</span>發現了。</p>'


@pytest.mark.parametrize(
    ("lang", "script"),
    [
        ("zh-Hans-HK", "hans"),
        ("zh", "hans"),
        ("zh-Hans", "hans"),
        ("zh-CN", "hans"),
        ("zh-Hant", "hant"),
        ("zh-HK", "hant"),
        ("en", None),
    ],
)
def test_the_script_of_a_language(lang, script):
    assert script_of(lang) == script


pieces = st.sampled_from(
    [
        "<p>",
        "</p>",
        '<b lang="en">',
        "</b>",
        "<code>",
        "</code>",
        "<br>",
        "发",
        "后",
        "a",
        "<",
        ">",
        '"',
        "&lt;",
        "<!-- 发 -->",
    ]
)


@given(st.lists(pieces, max_size=40).map("".join), st.sampled_from(["hant", "hans"]))
def test_whatever_the_html_its_tags_and_ascii_stay(html, script):
    def skeleton(text):
        return re.sub(r'[^\x00-\x7f]+|lang="[^"]*"', "", text)

    assert skeleton(in_script(html, script, "zh")) == skeleton(html)


def test_addresses_stay_as_they_are():
    html = "<p>见 https://zh.wikipedia.org/wiki/发现，头发</p>"
    assert in_script(html, "hant", "zh") == "<p>見 https://zh.wikipedia.org/wiki/发现，頭髮</p>"


@pytest.mark.parametrize("part", ["<a ", "<a b ", '<a "', "<!--", "<!", "<a '", "<a \"'"])
def test_what_is_no_html_takes_no_time(part):
    html = part * 60_000  # a pattern that goes back would need minutes, and the test's time limit ends it
    assert in_script(html, "hant", "zh") == html


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("头<mark>发</mark>与<mark>发</mark>现", "頭<mark>髮</mark>與<mark>發</mark>現"),
        ('头<a href="/发"><em>发</em></a>', '頭<a href="/发"><em>髮</em></a>'),
        ("<li>头</li><li>发</li>", "<li>頭</li><li>發</li>"),
        ("头<code>发</code>发", "頭<code>发</code>發"),
        ('头<span lang="en">发</span>发', '頭<span lang="en">发</span>發'),
        ("头<!-- 发 -->发", "頭<!-- 发 -->髮"),
    ],
)
def test_a_phrase_is_one_whatever_marks_are_in_it(html, expected):
    assert in_script(html, "hant", "zh") == expected


phrases = st.sampled_from(
    [*"头发现面条后里干系统理发台", "头发", "皇后", "以后", "“", "”", " ", "a", "&lt;", "https://a.b/发 "]
)
marks = st.sampled_from(["mark", "strong", "em", "a", "span", "del"])


@given(st.lists(st.tuples(phrases, st.none() | marks), max_size=30), st.sampled_from(["hant", "hans"]))
def test_marks_may_be_taken_away_before_or_after(pieces, script):
    html = "".join(f"<{mark}>{text}</{mark}>" if mark else text for text, mark in pieces)
    plain = "".join(text for text, _ in pieces)
    lang = "zh" if script == "hant" else "zh-Hant"
    assert re.sub(r"<[^>]*>", "", in_script(html, script, lang)) == in_script(plain, script, lang)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("他说“头发”。", "他說「頭髮」。"),
        ("“外‘里’外”", "「外『裡』外」"),
        ("“<code>发</code>”的", "「<code>发</code>」的"),
        ("使用 “workers” 参数", "使用 「workers」 參數"),
        ("头发，He said “hair” twice, it’s ‘so’.", "頭髮，He said “hair” twice, it’s ‘so’."),
        ("“没有结束", "“沒有結束"),
        ("<code>“发”</code>", "<code>“发”</code>"),
        ('<textarea placeholder="写“发”">“发”</textarea>', '<textarea placeholder="寫「發」">“发”</textarea>'),
        ('<p lang="en">The word “头发”</p>', '<p lang="en">The word “头发”</p>'),
    ],
)
def test_quotation_marks_are_those_of_the_script(text, expected):
    assert in_script(text, "hant", "zh") == expected


def test_quotation_marks_stay_for_readers_of_simplified_chinese():
    assert in_script("他說“頭髮”", "hans", "zh-Hant") == "他说“头发”"


def test_what_scripts_show_is_converted_and_what_they_send_is_not():
    html = '<form data-saved="头发" data-draft="/drafts/发" data-choice="发">'
    expected = '<form data-saved="頭髮" data-draft="/drafts/发" data-choice="发">'
    assert in_script(html, "hant", "zh") == expected
