"""Markdown as GitHub reads it, with the classes that the style sheet knows."""

import re
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.content.rendering import Heading, render


def html(markdown: str, lang: str = "en") -> str:
    return render(markdown, lang).html


def skeleton(markdown: str) -> str:
    """Return the rendering without attributes, permalinks, wrappers and the space between tags."""
    out = re.sub(r'<a [^>]*class="headerlink"[^>]*>#</a>', "", html(markdown))
    out = re.sub(r"</?(?:div|span)[^>]*>", "", out)
    out = re.sub(r"<(\w+)[^>]*>", r"<\1>", out)
    return re.sub(r"\s*\n\s*|(?<=>)\s+(?=<)", "", out)


LISTS = {
    "directly after a line": ("Text:\n- a\n- b", "<p>Text:</p><ul><li>a</li><li>b</li></ul>"),
    "numbered, directly after a line": ("Text:\n1. a\n2. b", "<p>Text:</p><ol><li>a</li><li>b</li></ol>"),
    "a year is no list": ("Born in\n1986. Really", "<p>Born in1986. Really</p>"),
    "nested by two": ("- a\n  - b\n    - c", "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li></ul>"),
    "nested by four": ("- a\n    - b\n        - c", "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li></ul>"),
    "numbers nested by three": ("1. a\n   1. b\n2. c", "<ol><li>a<ol><li>b</li></ol></li><li>c</li></ol>"),
    "bullets below a number by two": ("1. a\n  - b\n2. c", "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>"),
    "bullets below a number by four": ("1. a\n    - b\n2. c", "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>"),
    "loose": ("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
    "loose by a paragraph": ("- a\n\n  b\n- c", "<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>"),
    "tight outside, loose inside": (
        "- a\n  - b\n\n  - c\n- d",
        "<ul><li>a<ul><li><p>b</p></li><li><p>c</p></li></ul></li><li>d</li></ul>",
    ),
    "parentheses": ("1) a\n2) b", "<ol><li>a</li><li>b</li></ol>"),
    "code in a tight item": ("- a\n  ```\n  x\n  ```\n- b", "<ul><li>a<pre><code>x</code></pre></li><li>b</li></ul>"),
    "code in a numbered item": (
        "1. a\n\n   ```\n   x\n\n   y\n   ```\n2. b",
        "<ol><li><p>a</p><pre><code>xy</code></pre></li><li><p>b</p></li></ol>",
    ),
    "code as the item": ("- ```\n  x\n  ```", "<ul><li><pre><code>x</code></pre></li></ul>"),
    "quote in an item": ("- a\n  > q", "<ul><li>a<blockquote><p>q</p></blockquote></li></ul>"),
    "list in a quote": ("> - a\n> - b", "<blockquote><ul><li>a</li><li>b</li></ul></blockquote>"),
    "lazy line": ("- a\nb", "<ul><li>ab</li></ul>"),
    "line that looks like a number": ("- a\n  2. b", "<ul><li>a2. b</li></ul>"),
    "a heading ends it": ("- a\n# b", "<ul><li>a</li></ul><h2>b</h2>"),
    "a break is no item": ("- a\n\n* * *", "<ul><li>a</li></ul><hr>"),
    "empty items": ("-\n- b", "<ul><li></li><li>b</li></ul>"),
    "bullet and number": ("- a\n1. b", "<ul><li>a</li></ul><ol><li>b</li></ol>"),
    "no-break space in front": ("- a\n- \u00a0b", "<ul><li>a</li><li>b</li></ul>"),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_lists(name):
    markdown, expected = LISTS[name]
    assert skeleton(markdown).replace("&nbsp;", "") == expected


def test_a_list_keeps_its_first_number():
    assert '<ol start="3">' in html("3. c\n4. d")


BLOCKS = {
    "fence directly after a line": ("a\n```\nb\n```\nc", "<p>a</p><pre><code>b</code></pre><p>c</p>"),
    "tilde fence": ("~~~\n```\n~~~", "<pre><code>```</code></pre>"),
    "longer fence": ("````\n```\n````", "<pre><code>```</code></pre>"),
    "fence left open": ("```\na\n\n- b", "<pre><code>a- b</code></pre>"),
    "fence in a quote": ("> ```\n> > a\n> ```\nb", "<blockquote><pre><code>&gt; a</code></pre></blockquote><p>b</p>"),
    "indented code": ("a\n\n    b\n\n    c\n\nd", "<p>a</p><pre><code>bc</code></pre><p>d</p>"),
    "setext": ("Title\n=====\ntext\n\nPart\n----", "<h2>Title</h2><p>text</p><h3>Part</h3>"),
    "heading directly after a line": ("a\n## b\nc", "<p>a</p><h2>b</h2><p>c</p>"),
    "closing marks": ("## b ##\n## C#", "<h2>b</h2><h2>C#</h2>"),
    "no heading without a space": ("#b", "<p>#b</p>"),
    "break": ("a\n\n---\nb\n***", "<p>a</p><hr><p>b</p><hr>"),
    "quotes stay apart": ("> a\n\n> b", "<blockquote><p>a</p></blockquote><blockquote><p>b</p></blockquote>"),
    "lazy quote": ("> a\nb", "<blockquote><p>ab</p></blockquote>"),
    "nested quotes": ("> a\n>> b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"),
    "hard breaks": ("a  \nb\\\nc", "<p>a<br>b<br>c</p>"),
    "strikethrough": ("~~a~~ ~b~", "<p><del>a</del> ~b~</p>"),
    "emphasis": ("*a* __b__ ***c*** a_b_c", "<p><em>a</em><strong>b</strong><strong><em>c</em></strong> a_b_c</p>"),
    "escapes": (r"\* \< \# \| \~", "<p>* &lt; # | ~</p>"),
    "table": (
        "text\n| a | b |\n|---|---|\n| 1 | `x\\|y` |\n\nafter",
        "<p>text</p><table><thead><tr><th>a</th><th>b</th></tr></thead>"  # noqa: ISC004
        "<tbody><tr><td>1</td><td><code>x|y</code></td></tr></tbody></table><p>after</p>",
    ),
    "table without outer pipes": (
        "a | b\n-|-\n1 | 2",
        "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
    ),
    "table in an item": (
        "- x\n  | a |\n  |---|\n  | 1 |",
        "<ul><li>x<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table></li></ul>",
    ),
    "cells must agree": ("a | b\n---|---|---", "<p>a | b---|---|---</p>"),
    "html with markdown inside": (
        "<details>\n<summary>s</summary>\n\n**b**\n\n</details>\n\nc",
        "<details><summary>s</summary><p><strong>b</strong></p></details><p>c</p>",
    ),
    "unknown tags are text": ("a List<String> <your-name>", "<p>a List&lt;String&gt; &lt;your-name&gt;</p>"),
    "reference link": ("[a][b] [b] [c] [b]\n\n[b]: /x", "<p><a>a</a><a>b</a> [c] <a>b</a></p>"),
    "image": ("![alt](a.png)", "<p><img></p>"),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks(name):
    markdown, expected = BLOCKS[name]
    assert skeleton(markdown) == expected


def test_code_is_coloured_by_classes():
    out = html('```python title="x"\nimport os\n```')
    assert out.startswith('<div class="highlight" data-lang="python"><pre tabindex="0"><code>')
    assert '<span class="kn">import</span>' in out


def test_code_keeps_its_tabs():
    assert "<code>a:\n\tb\n</code>" in html("```\na:\n\tb\n```\n- x\n\t- y")
    assert skeleton("- x\n\t- y") == "<ul><li>x<ul><li>y</li></ul></li></ul>"


@pytest.mark.parametrize("info", ["nonsense", "", "{.mermaid}", '"><b>', "a" * 500])
def test_code_in_an_unknown_language_stays_plain(info):
    assert "<code>a &lt; b\n</code>" in html(f"```{info}\na < b\n```")


def test_a_table_scrolls_and_keeps_its_alignment():
    out = html("|a|b|\n|:-:|-:|\n|1|2|", "zh")
    assert '<div aria-label="表格" class="table-scroll" role="region" tabindex="0"><table>' in out
    assert '<th align="center">a</th>' in out
    assert '<td align="right">2</td>' in out
    assert "style" not in out


@pytest.mark.parametrize(
    ("lang", "title"),
    [("en", "Warning"), ("de", "Warning"), ("zh", "警告"), ("zh-Hant", "警告"), ("zh-CN", "警告")],
)
def test_alerts(lang, title):
    out = html("> [!WARNING]\n> a\n> - b", lang)
    assert out.startswith(f'<div class="admonition warning">\n<p class="admonition-title">{title}</p>\n<p>a</p>')
    assert "<li>b</li>" in out


def test_a_note_is_named_in_the_script_of_its_answer():
    assert ">说明</p>" in html("> [!NOTE]\n> a", "zh")
    assert ">說明</p>" in html("> [!NOTE]\n> a", "zh-Hant")


def test_an_alert_may_have_its_own_title_and_an_unknown_one_is_a_quote():
    assert '<p class="admonition-title">Own</p>' in html("> [!tip] Own\n> a")
    assert skeleton("> [!FOO]\n> a") == "<blockquote><p>[!FOO]a</p></blockquote>"


def test_task_lists_have_names():
    out = html("- [ ] a\n- [x] b", "zh")
    assert '<ul class="task-list">' in out
    assert '<li class="task-list-item"><input aria-label="未完成" type="checkbox" disabled=""> a</li>' in out
    assert 'aria-label="已完成" type="checkbox" disabled="" checked=""' in out


def test_footnotes():
    rendered = render("a[^1] b[^1]\n\n[^1]: first\n\n    second", "zh")
    assert '<sup id="fnref:1"><a class="footnote-ref" href="#fn:1">1</a></sup>' in rendered.html
    assert '<div aria-label="脚注" class="footnote" role="doc-endnotes">' in rendered.html
    assert 'aria-label="回到正文" class="footnote-backref"' in rendered.html
    assert rendered.text == "a b\nfirst\nsecond"


def test_headings_have_readable_unique_ids_and_a_table_of_contents():
    rendered = render("## 设置 `workers`\n## A & B\n## A & B\n### x {#own}\n", "zh")
    assert rendered.toc == (
        Heading(2, "设置-workers", "设置 workers"),
        Heading(2, "a--b", "A & B"),
        Heading(2, "a--b-1", "A & B"),
        Heading(3, "own", "x"),
    )
    link = '<a aria-label="“x”一节的链接" class="headerlink" href="#own">#</a>'
    assert f'<div class="heading"><h3 id="own">x</h3>{link}</div>' in rendered.html.replace("\n", "")
    assert rendered.text == "设置 workers\nA & B\nA & B\nx"


def test_the_link_beside_a_heading_names_it():
    rendered = render('- ## "A" & `<b>` {x}\n\n  text')
    link = '<a aria-label="Link to the section “&quot;A&quot; &amp; &lt;b&gt; {x}”" class="headerlink"'
    assert link in rendered.html
    assert rendered.text == '"A" & <b> {x}\ntext'


def test_no_heading_is_an_h1():
    assert [heading.level for heading in render("# a\n## b\n###### c").toc] == [2, 3, 4]
    assert [heading.level for heading in render("## a\n### b").toc] == [2, 3]
    assert "<h1" not in html("<h1>a</h1>")


def test_levels_of_headings_have_no_gaps():
    body = "### a\n### b\n###### c\n#### d\n## e\n### f\n# g"
    assert [heading.level for heading in render(body).toc] == [2, 2, 3, 3, 2, 3, 2]


def test_chinese_lines_join_without_a_space():
    assert html("中文第一行，\n第二行\nword\nword") == "<p>中文第一行，第二行\nword\nword</p>"
    assert html("他说\n“好”\n“a”\n“b”") == "<p>他说“好”\n“a”\n“b”</p>"


def test_emphasis_beside_chinese_punctuation():
    assert html("**重点：**文字") == "<p><strong>重点：</strong>文字</p>"


@pytest.mark.parametrize(
    ("markdown", "href", "rest"),
    [
        ("见https://a.org/b然后", "https://a.org/b", "然后"),
        ("https://a.org/中文。", "https://a.org/中文", "。"),
        ("(https://a.org/b_(c))", "https://a.org/b_(c)", ")"),
        ("https://a.org/?a=1&b=2, c", "https://a.org/?a=1&amp;b=2", ", c"),
        ("<https://a.org>.", "https://a.org", "."),
        ("a@b.org。", "mailto:a@b.org", "。"),
    ],
)
def test_bare_links(markdown, href, rest):
    assert f'href="{href}"' in html(markdown)
    assert html(markdown).endswith(f"</a>{rest}</p>")


def test_links_leave_no_opener_and_images_load_late():
    assert '<a rel="noopener" href="https://a.org">' in html("[a](https://a.org)")
    assert '<a href="#b">' in html("[a](#b)")
    assert html("![a](b.png)") == '<p><img alt="a" decoding="async" loading="lazy" src="b.png"></p>'
    assert '<img loading="lazy" decoding="async" src="b.png">' in html("x <img src=b.png loading=eager>")


def test_every_thread_renders_by_itself():
    texts = [f"# t{n}\n\n" + f"- a{n}[^1]\n\n[^1]: n{n}\n" * 5 for n in range(8)]
    expected = [render(text) for text in texts]
    got: dict[int, object] = {}

    def work(number: int) -> None:
        got[number] = [render(texts[number]) for _ in range(5)][-1]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[number] for number in range(len(texts))] == expected


PIECES = [
    "\n", "\n\n", "  ", "    ", "\t", "- ", "1. ", "> ", "# ", "```", "~~~", "|", "---", "|-|-|\n", "*", "**", "_", "`",
    "[", "](", ")", "![", "<", ">", "<b>", "</b>", "<div>", "</div>", "<!--", "-->", "<script>", "</script>", "<table>",
    "<a href='", '<img src="', "onerror=alert(1)", 'style="x"', "javascript:alert(1)", "[^1]", "[^1]: ", "[x]: ",
    "[!NOTE]", "- [ ] ", "&", "&lt;", "&#x3c;", "\\", "https://a.org", "中文", "，", "a", "id=x", "=", "'", '"',
    "\x00", "\x02", "\x03", "\x02wzxhzdk:0\x03", "\ud800", "\u2028", "<?", "<![CDATA[", "<svg/onload=x>", "~~",
    "{#a}", "@", "%",
]  # fmt: skip
FRAGMENTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join)


@settings(max_examples=250, deadline=None)
@given(FRAGMENTS)
def test_nothing_fails_and_nothing_runs(markdown):
    out = render(markdown, "zh").html
    tags = re.findall(r"<[^>]*>", out)
    assert not re.search(r"<(?:script|style|iframe|svg|form|textarea|h1)\b", "".join(tags))
    for tag in tags:
        names = re.findall(r"\s([^\s=\"]+)(?:=\"[^\"]*\")?", tag)
        assert not [name for name in names if name.startswith("on") or name == "style"]
        assert not re.search(r'(?:href|src)="\s*(?:javascript|data|vbscript):', tag, re.IGNORECASE)
    assert "wzxhzdk" not in out or "wzxhzdk" in markdown
