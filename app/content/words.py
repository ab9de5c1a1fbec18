"""The few words of our own that stand in a rendered article, in the article's language."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Words:
    """Words of one language."""

    note: str
    tip: str
    important: str
    warning: str
    caution: str
    table: str
    link_here: str  # {}: the heading
    back: str
    footnotes: str
    done: str
    open: str


ALERTS = ("note", "tip", "important", "warning", "caution")

_ENGLISH = Words(
    note="Note",
    tip="Tip",
    important="Important",
    warning="Warning",
    caution="Caution",
    table="Table",
    link_here="Link to the section “{}”",
    back="Back to the text",
    footnotes="Footnotes",
    done="Done",
    open="Not done",
)
_CHINESE = Words(
    note="说明",
    tip="提示",
    important="重要",
    warning="警告",
    caution="小心",
    table="表格",
    link_here="“{}”一节的链接",
    back="回到正文",
    footnotes="脚注",
    done="已完成",
    open="未完成",
)
_TRADITIONAL = Words(
    note="說明",
    tip="提示",
    important="重要",
    warning="警告",
    caution="小心",
    table="表格",
    link_here="「{}」一節的連結",
    back="回到正文",
    footnotes="註腳",
    done="已完成",
    open="未完成",
)

assert set(ALERTS) <= {field.name for field in fields(Words)}


def words_for(lang: str) -> Words:
    """Return the words for an article in `lang`: Chinese ones in its script, else English ones."""
    language, *rest = lang.replace("_", "-").split("-")
    if language.lower() != "zh":
        return _ENGLISH
    return _TRADITIONAL if {"hant", "tw", "hk", "mo"} & {part.lower() for part in rest} else _CHINESE
