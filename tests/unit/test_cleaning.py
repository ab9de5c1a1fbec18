"""No script survives, and nothing that is left open swallows what comes after it."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.content.cleaning import clean, text_of
from app.content.rendering import render

PAYLOADS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\n>alert(1)</script\n>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    '<img src="x" onerror="alert(1)">',
    "<img/src=x/onerror=alert(1)>",
    '<img """><script>alert(1)</script>">',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<a href=javascript:alert(1)>x</a>",
    '<a href="JaVaScRiPt:alert(1)">x</a>',
    '<a href="java&#x09;script:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href=" javascript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](java&#115;cript:alert(1))",
    "[x](JAVASCRIPT:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    '[x](https://a.org "onmouseover=alert(1)")',
    '[x](https://a.org"onmouseover="alert(1))',
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](a.png)',
    "<javascript:alert(1)>",
    "[x]\n\n[x]: javascript:alert(1)",
    '<div style="position:fixed;inset:0">x</div>',
    "<style>body{display:none}</style>",
    '<link rel=stylesheet href="//evil.example/x.css">',
    '<meta http-equiv=refresh content="0;url=//evil.example">',
    '<base href="//evil.example/">',
    "<p onclick=alert(1)>x</p>",
    "<b onmouseover\n=\nalert(1)>x</b>",
    "<x onclick=alert(1)>x</x>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    '```"><script>alert(1)</script>\nx\n```',
    "# x {#a onclick=alert(1)}",
    "[^<script>]: x",
    "\x02wzxhzdk:0\x03<script>alert(1)</script>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<template><script>alert(1)</script></template>",
    '<a title="`" href="x`><script>alert(1)</script>">',
    '<table background="javascript:alert(1)"><tr><td>x</td></tr></table>',
]
CONSTRUCTS = [
    "{}",
    "text {} text",
    "- {}",
    "1. a\n   {}",
    "> {}",
    "> [!NOTE]\n> {}",
    "# {}",
    "| a | b |\n|---|---|\n| {} | c |",
    "**{}**",
    "[{}](https://a.org)",
    "![{}](a.png)",
    "a[^1]\n\n[^1]: {}",
    "- [ ] {}",
    "<div>\n{}\n</div>",
    "<details><summary>{}</summary>\n\n{}\n\n</details>",
    "`{}`",
    "```\n{}\n```",
    "{}\n===",
]
_NAMES = (
    "href rel id class title lang dir aria-label name src alt width height srcset loading decoding media type checked "
    "disabled start reversed open data-lang colspan rowspan scope align span datetime role tabindex value"
)
ALLOWED = set(_NAMES.split())


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_no_script_survives(construct):
    for payload in PAYLOADS:
        out = render(construct.replace("{}", payload)).html
        for tag in re.findall(r"<[a-z][^>]*>", out):
            assert not re.match(r"<(?:script|style|iframe|svg|math|form|object|embed|link|meta|base|body)\b", tag), (
                payload
            )
            assert set(re.findall(r'\s([^\s="]+)=', re.sub(r'"[^"]*"', '""', tag))) <= ALLOWED, payload
            for url in re.findall(r'(?:href|src)="([^"]*)"', tag):
                scheme = re.sub(r"\s", "", url).lower()
                assert not scheme.startswith(("javascript:", "data:", "vbscript:")), payload


@pytest.mark.parametrize(
    "opening",
    [
        "<!--", "<!-- a\n\nb", "<textarea>", "<plaintext>", "<xmp>", "<title>", "<svg>", "<math>", "<template>",
        "<style>", "<script>", "<script>\nalert(1)\n", "<iframe>", "<noembed>", "<noscript>", "<select>", "<table>",
        "<a href='", '<b title="x', "<![CDATA[", "<?php", "<!DOCTYPE", "<div", "<div><!--", "<div>\n<textarea>",
        "<p><script>", "```\nx\n```\n<!--", "<frameset>", "<details><summary>", "<button>", "</body></html>",
        "text <!-- text", "text <textarea> text", "- <!--", "> <xmp>",
    ],
)  # fmt: skip
def test_what_is_left_open_swallows_nothing(opening):
    rendered = render(f"{opening}\n\nThe **text** after it.\n\n## And a heading")
    assert "<p>The <strong>text</strong> after it.</p>" in rendered.html
    assert [heading.text for heading in rendered.toc] == ["And a heading"]
    assert "The text after it." in rendered.text


def test_ids_of_authors_cannot_pose_as_ours():
    out = render('<a id="main"></a><p name=x>\n\n[a](#main) [b](#part)\n\n## Part').html
    assert '<a id="user-content-main"></a>' in out
    assert '<a href="#user-content-main">a</a> <a href="#part">b</a>' in out


def test_no_heading_takes_the_id_of_what_is_around_an_answer():
    out = render("# Page workers\n\n## Field {#field-reason}\n\n## Pages\n").html
    assert re.findall(r'id="([^"]+)"', out) == ["section-page-workers", "section-field-reason", "pages"]


def test_classes_of_authors_are_dropped():
    assert render('<div class="site-header highlight x">a</div>').html == '<div class="highlight">a</div>'
    assert render('<p class="x">a</p>').html == "<p>a</p>"


def test_html_that_is_harmless_stays():
    for html in (
        "<kbd>a</kbd>",
        "<sub>a</sub>",
        "<ruby>a<rt>b</rt></ruby>",
        "<mark>a</mark>",
        '<abbr title="b">a</abbr>',
    ):
        assert html in render(f"x {html} y").html


def test_text_leaves_out_what_is_not_text():
    html = render("## H\n\na[^1] `b` &amp; c<br>d\n\n|e|f|\n|-|-|\n|g|h|\n\n[^1]: n").html
    assert text_of(html) == "H\na b & c\nd\ne\nf\ng\nh\nn"


PIECES = [
    "<b>", "</b>", "<p>", "</p>", "<table>", "<tr>", "<td>", "<li>", "<a href='", "javascript:x", "https://e.org'>",
    "</a>", "<svg>", "<math>", "<mi>", "<mglyph>", "<desc>", "<foreignObject>", "<style>", "</style>", "<script>",
    "<!--", "-->", "<![CDATA[", "]]>", "<title>", "<textarea>", "<noscript>", "<template>", "<iframe>", "<xmp>",
    "<p title='", "<img src=x onerror=y>", "'>", '">', "<", "</", "&lt;", "&#60;", "\0", "<select>", "<option>",
    "<form>", "<input>", "<h2 id=x>", "<ruby><rt>", "<details>", "data:text/html,x", "a",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@example("<p><select><p>")
def test_what_is_clean_is_read_as_it_was_written(html):
    cleaned = clean(html, set())
    assert clean(cleaned, set()) == cleaned
