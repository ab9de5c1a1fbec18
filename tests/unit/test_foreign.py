"""Foreign Markdown: title, language, topics and text are found whatever the program it was written for."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.content.document import DocumentError
from app.content.foreign import read_foreign
from app.content.rendering import render

CHINESE = "没有谁分配任务：内核让各个进程竞争新的连接。策略不是轮询，这是我们测量过的结果。" * 3
TRADITIONAL = "沒有誰分配任務：核心讓各個行程競爭新的連線。這個策略不是輪詢，這是我們測量過的結果。" * 3


def read(text: str | bytes, path: str = "x.md", lang: str | None = None):
    return read_foreign(text if isinstance(text, bytes) else text.encode(), PurePosixPath(path), lang)


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("---\ntitle: T\n---\nx", "T", "x\n"),
        ('+++\ntitle = "T"\n+++\nx', "T", "x\n"),
        ("\ufeff---\r\ntitle: T\r\n---\r\nx\ry", "T", "x\ny\n"),
        ("# A `b` **c** [d](e)\n\nx", "A b c d", "x\n"),
        ("A title\n=======\nx", "A title", "x\n"),
        ('<h1 align="center">A <b>c</b></h1>\n\nx', "A c", "x\n"),
        ("# A {#id}\nx", "A", "x\n"),
        ("# A 标题 #\nx", "A 标题", "x\n"),
        ("```\n# no\n```\n\n# Yes\n\nx", "Yes", "```\n# no\n```\n\n\nx\n"),
        ("---\ntitle: T\n---\n# T\n\nx", "T", "x\n"),
        ("---\ntitle: T\n---\n# Another\n\nx", "T", "# Another\n\nx\n"),
        ("## Only a part\n\nx", "X y", "## Only a part\n\nx\n"),
    ],
)
def test_the_title(text, title, body):
    foreign = read(text, "x_y.md")
    assert (foreign.document.title, foreign.document.body) == (title, body)


@pytest.mark.parametrize(
    ("path", "title", "slug"),
    [
        ("2020-01-02-my_post.md", "My post", "2020-01-02-my-post"),
        ("git/README.md", "Git", "git"),
        ("a/index.md", "A", "a"),
        ("任务分配.md", "任务分配", "ren-wu-fen-pei"),
        ("A%20b.md", "A b", "a-20b"),
        ("README.md", "README", "readme"),
    ],
)
def test_names_from_the_path(path, title, slug):
    foreign = read("x", path)
    assert (foreign.document.title, foreign.slug) == (title, slug)


def test_the_slug_key_comes_first():
    assert read("---\nslug: /blog/My Post/\n---\nx", "a.md").slug == "my-post"


@pytest.mark.parametrize(
    ("text", "path", "lang", "expected"),
    [
        ("---\nlang: zh_TW\n---\nx", "a.md", "en", "zh-Hant"),
        ("---\nlanguage: en-US\n---\nx", "a.md", None, "en"),
        ("---\nlocale: nonsense!\n---\nx", "a.md", None, "en"),
        ("x", "a.md", "de", "de"),
        (CHINESE, "a.md", None, "zh"),
        (TRADITIONAL, "a.md", None, "zh-Hant"),
        (TRADITIONAL, "docs/zh/a.md", None, "zh-Hant"),
        (CHINESE, "docs/zh-hant/a.md", None, "zh-Hant"),
        (CHINESE, "docs/zh-CN/a.md", None, "zh"),
        ("Bom dia", "docs/pt-br/a.md", None, "pt"),
        ("Hola", "source/es/a.md", None, "es"),
        ("Not translated yet", "docs/zh/a.md", None, "en"),
        ("Types", "ts/a.md", None, "en"),
        (CHINESE, "README.zh-CN.md", None, "zh"),
        (f"{CHINESE}\n\n```python\n{'x = some_function(argument)' * 60}\n```", "a.md", None, "zh"),
    ],
)
def test_the_language(text, path, lang, expected):
    assert read(text, path, lang).document.lang == expected


@pytest.mark.parametrize(
    ("front", "path", "tags"),
    [
        ("tags: [A b, c]", "x/a.md", ("a-b", "c")),
        ("tags: a, b", "a.md", ("a", "b")),
        ("tags: a b", "a.md", ("a", "b")),
        ("categories:\n  - [Linux, Shell]\n  - Linux/Bash", "a.md", ("linux", "shell", "bash")),
        ("keywords: 数据库，索引", "a.md", ("数据库", "索引")),
        ("topics: [2024, true, null]", "a.md", ("2024",)),
        ("title: x", "docs/zh/docs/advanced/a.md", ("advanced",)),
        ("title: x", "content/en/docs/v3.5/learning/a.md", ("learning",)),
        ("title: x", "a.md", ()),
    ],
)
def test_topics(front, path, tags):
    assert read(f"---\n{front}\n---\nx", path).document.tags == tags


def test_dates_and_unknown_keys_are_kept():
    foreign = read(
        "---\ntitle: T\ndate: 2018-01-02 10:00:00 +0800\nweight: 3\naliases: [/old/path/]\nresources: x\n---\nx"
    )
    assert str(foreign.document.date) == "2018-01-02"
    assert foreign.document.extra == {"weight": 3, "imported_aliases": ["/old/path/"], "imported_resources": "x"}
    assert str(read("x", "2014-06-14-a.md").document.date) == "2014-06-14"
    assert read("---\ndate: soon\n---\nx").document.extra == {"imported_date": "soon"}


@pytest.mark.parametrize(
    "front",
    [
        "title: A: b: c\ntags: [x, y]\nother: z",
        'title: "A: b: c\ntags:\n  - x\n  - "y"\nother: z',
        "title: A: b: c\n\tx\ntags: [x, y]\nother: z",
    ],
)
def test_broken_yaml_is_read_line_by_line(front):
    foreign = read(f"---\n{front}\n---\nbody")
    document = foreign.document
    assert (document.title, document.tags, document.extra) == ("A: b: c", ("x", "y"), {"other": "z"})
    assert document.body == "body\n"
    assert "line by line" in foreign.notes[0]


def test_broken_toml_stays_in_the_text():
    foreign = read("+++\n= nonsense\n+++\nbody")
    assert "= nonsense" in foreign.document.body
    assert "stays in the text" in foreign.notes[0]


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (CHINESE.encode("gb18030"), "gb18030"),
        (TRADITIONAL.encode("big5"), "big5hkscs"),
        (CHINESE.encode("utf-16"), "utf-16-le"),
        ("some English".encode("utf-16-be"), "utf-16-be"),
        ("Être à la fête déjà".encode("latin-1"), ""),
        (CHINESE.encode() + b"\xff", "utf-8; 1 character"),
        (b"abcdef\x00gh", "1 control character"),
    ],
)
def test_encodings(raw, encoding):
    foreign = read(raw)
    assert encoding in " ".join(foreign.notes)
    assert foreign.notes
    assert foreign.document.body.strip()


def test_the_text_of_old_encodings_comes_out_right():
    assert read(CHINESE.encode("gb18030")).document.body.strip() == CHINESE
    assert read(TRADITIONAL.encode("big5")).document.body.strip() == TRADITIONAL


@pytest.mark.parametrize(
    ("text", "encoding", "path", "lang"),
    [
        ("Café déjà", "latin-1", "x.md", None),
        ("Être à la fête déjà", "latin-1", "x.md", None),
        ("Größe über Öl", "cp1252", "x.md", None),
        ("“Quoted” – it’s fine…", "cp1252", "x.md", None),
        ("Århus, ¡Hola! 10 °C", "cp1252", "x.md", None),
        ("crème brûlée", "cp1252", "zh/x.md", None),
        ("臺灣以什麼名義加入亞太經合會?", "gbk", "zh/x.md", None),
        ("任务分配", "gbk", "x.md", None),
        ("任务分配", "gbk", "zh/x.md", None),
        ("任务分配", "gbk", "x.md", "zh"),
        ("FastAPI 如何分配任务？", "gbk", "x.md", None),
        ("旮旯里的任务", "gbk", "x.md", None),
        ("旮旯里的虿尪任务", "gbk", "x.md", "zh"),
        ("\n".join("唐宋元明清" * 9), "gbk", "zh/x.md", None),
        ("任務分配", "big5", "x.md", None),
        ("任務分配", "big5", "x.md", "zh-Hant"),
        ("檔案", "big5", "zh-TW/x.md", None),
        (CHINESE, "gb18030", "x.md", "zh-Hant"),
        (TRADITIONAL, "big5", "x.md", "zh"),
        ("안녕하세요 세계", "cp949", "ko/x.md", None),
        ("これはテストです。", "cp932", "x.md", "ja"),
        ("Привет, мир", "cp1251", "ru/x.md", None),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy. " * 9, "cp1250", "x.md", None),
        ("Это длинный русский текст о том, как работает программа. " * 9, "cp1251", "x.md", None),
        (
            "L'été dernier, à la fenêtre, le garçon reçut une leçon de français où il fut très bon. " * 9,
            "cp1252",
            "x.md",
            None,
        ),
    ],
)
def test_short_texts_in_old_encodings(text, encoding, path, lang):
    assert read(text.encode(encoding), path, lang).document.body.strip() == text.strip()


def test_front_matter_says_what_encoding_to_expect():
    assert read("---\ntitle: 任务\nlang: zh\n---\n分配".encode("gbk")).document.body == "分配\n"
    assert read("---\nlang: zh-TW\ntitle: 檔案\n---\n內容".encode("big5")).document.body == "內容\n"


OURS = "---\ntitle: T\nlang: zh-CN\nverified: 2026-01-02\nrelated: [a]\ntranslation_of: b\n---\n\n文字\n"


def test_our_own_format_is_left_as_it_is():
    foreign = read(OURS)
    assert (foreign.source, foreign.notes) == (OURS, ())
    assert (foreign.document.translation_of, foreign.document.lang) == ("b", "zh-CN")


@pytest.mark.parametrize(
    "change", [("lang: zh-CN\n", ""), ("lang: zh-CN", "lang: zh\ncategories: [x]"), ("文字", "# T\n文字")]
)
def test_keys_of_ours_are_kept_in_other_formats_too(change):
    foreign = read(OURS.replace(*change))
    assert foreign.source != OURS.replace(*change)
    assert (foreign.document.translation_of, foreign.document.related, foreign.notes) == ("b", ("a",), ())


def test_a_renamed_key_is_noted():
    assert read("---\ntitle: T\naliases: [/old/]\nrelated: {a: 1}\n---\nx").notes == (
        "keys with another meaning here were kept as imported_aliases, imported_related",
    )


@pytest.mark.parametrize("raw", [b"", b"\n \t\n", b"\xef\xbb\xbf", b"\x00" * 100])
def test_nothing_is_lost_but_what_holds_no_text(raw):
    with pytest.raises(DocumentError, match="is empty"):
        read(raw)


def test_binary_data_are_no_text():
    with pytest.raises(DocumentError, match="binary"):
        read(bytes(range(256)) * 20)


def test_front_matter_alone_is_text_too():
    foreign = read("---\nname: Default\nabout: An issue.\n---\n")
    assert (foreign.document.title, foreign.document.body) == ("Default", "An issue.\n")
    assert "```yaml" in read("---\nlayout: home\nhero: {name: x}\n---\n").document.body


DIALECTS = {
    "mkdocs": ('!!! warning "Mind"\n    a\n\n    b\n\nc', "> [!WARNING] Mind\n> a\n>\n> b\n\n\nc"),
    "mkdocs details": ("??? note\n    a", "> [!NOTE]\n> a"),
    "mkdocs blocks": ("/// tip | Title\n\na\n\n///\nb", "> [!TIP] Title\n>\n> a\n>\n\nb"),
    "nested blocks": ("//// tab | One\n/// note\na\n///\n////", "**One**\n\n> [!NOTE]\n> a"),
    "docusaurus": (":::danger[Stop]\na\n:::\nb", "> [!CAUTION] Stop\n> a\n\nb"),
    "vuepress": ("::: tip 提示\na\n:::", "> [!TIP] 提示\n> a"),
    "docfx": ('::: moniker range=">=1"\na\n::: moniker-end', "a"),
    "docfx image": (':::image type="content" source="a.png" alt-text="b":::', "![b](a.png)"),
    "hugo": ("{{< note >}}\na\n{{< /note >}}", "> [!NOTE]\n> a"),
    "hugo highlight": ("{{< highlight go >}}\na\n{{< /highlight >}}", "```go\na\n```"),
    "jekyll highlight": ("{% highlight ruby %}\na\n{% endhighlight %}", "```ruby\na\n```"),
    "jekyll raw": ("{% raw %}\na\n{% endraw %}", "a"),
    "other tags stay": ("{{ site.title }} {% include x %}", "{{ site.title }} {% include x %}"),
    "code stays": ("```\n!!! note\n    a\n:::tip\n```", "```\n!!! note\n    a\n:::tip\n```"),
    "code within": (":::note\n```\n:::\n```\n:::", "> [!NOTE]\n> ```\n> :::\n> ```"),
    "headings without a space": ("##A##\n#b", "## A\n#b"),
    "heading names": ("## A {/*a*/}", "## A {#a}"),
    "components": ("<Tabs>\n\na\n\n</Tabs>", "a"),
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects(name):
    text, expected = DIALECTS[name]
    assert read(text).document.body.strip() == expected


def test_mdx():
    foreign = read(
        "import X from 'x'\nexport const a = 1\n\n# T\n\n{/* gone */}\na <X y={1} />\n\n<X>\nb\n</X>\n", "a.mdx"
    )
    assert foreign.document.title == "T"
    assert foreign.document.body.split() == ["a", "<X", "y={1}", "/>", "b"]
    assert len(foreign.notes) == 3


@pytest.mark.timeout(15)
@pytest.mark.parametrize(
    "text",
    [
        "!!! note" + " " * 200_000 + '"x',
        ":::image " * 50_000,
        "## a" + " #" * 200_000 + "x",
        "---\na: b: c\nt: " + " " * 200_000 + "x\n---\nx",
        "---\na" + " " * 1_000_000 + "\n---\nx",
        "```\n" * 100_000,
        "<h1>" * 100_000,
        "<h1\n" * 100_000,
        ":::note\n" * 100_000,
        "!!! note\n    x\n" * 30_000,
        "    " * 100 + "!!! note\n" * 20_000,
        "# " + "[a](" * 100_000,
        "===\n" * 100_000,
        "word " * 1_000_000,
    ],
    ids=range(14),
)
def test_no_file_takes_long(text):
    assert read(text).document.title


def test_every_ugly_file_is_read(shared_data):
    lost = []
    for path in sorted((shared_data / "raw_ugly").iterdir()):
        name = PurePosixPath(path.name.split("__", 1)[1].replace("__", "/"))
        foreign = read_foreign(path.read_bytes(), name)
        rendered = render(foreign.document.body, foreign.document.lang)
        if not rendered.text.strip():
            lost.append(path.name)
        assert "wzxhzdk" not in rendered.html
        assert "\x02" not in rendered.html
    assert len(lost) <= 2, lost


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_document_or_no_text(raw):
    try:
        foreign = read(raw)
    except DocumentError as error:
        assert str(error) in {"is empty", "is no text but binary data"}  # noqa: PT017
    else:
        assert foreign.document.title
        assert foreign.source.endswith("\n")


PIECES = [
    "---\n", "+++\n", "title: a\n", "tags: [", "x: {{ y }}\n", "# a\n", "\n", "- b\n", "&a *a\n", "a\n", ": ", '"',
    "!!x ", "\t", "===\n", "lang: 1\n", "date: 1\n", "slug: /\n", "title: [a]\n",
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_front_matter_is_survived(text):
    try:
        assert read(text).document.title
    except DocumentError as error:
        assert str(error) == "is empty"  # noqa: PT017


def test_tags_that_cannot_be_addresses_are_left_out():
    foreign = read_foreign(b"---\ntitle: T\ntags: ['..', ok]\n---\nText.\n", PurePosixPath("a/x.md"), None)
    assert foreign.document.tags == ("ok",)
