"""Where a line may end, in Chinese and Latin text alike, and how good a place that is."""

import re
import unicodedata
from functools import lru_cache
from html import unescape
from typing import NamedTuple

NEVER_FIRST = frozenset("，。、：；？！）》」』】〕”’…—～·％‰℃々ーぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;?!)]}%")  # noqa: RUF001
NEVER_LAST = frozenset("（《「『【〔“‘￥([{$#")  # noqa: RUF001
STRAIGHT = frozenset("\"'")  # opens or closes: only a space tells

# What it costs to end a line, in parts of a line left empty, squared.
AFTER_CLAUSE = -0.012
AFTER_PARTICLE = 0.004
WITHIN_HAN = 0.06  # maybe within a word: no dictionary says so, only the list of those that questions are full of
AFTER_WEAK = 0.07
WITHIN_WORD = 0.3

CLAUSE_ENDS = frozenset("，。、：；？！,:;?!")
PARTICLES = frozenset("是在和与與或及把被让讓从從对對为為")
ENDING = PARTICLES | frozenset("的了到用将將吗嗎呢吧")
BEGINNING = PARTICLES | frozenset("怎什如哪该該应應能会會要不")
MOST_TOGETHER = 8  # Chinese signs that may stand together although none of them is known to be one word
ENCLITICS = frozenset("的了吗嗎呢吧们們着著过過得")
_WEAK = "a an the of to in on and or for is are with as at by do does how what why"
WEAK = frozenset(_WEAK.split())
_WORDS = """
为什 為什 什么 什麼 怎么 怎麼 怎样 怎樣 如何 哪些 哪个 哪個 哪里 哪裡 哪种 哪種 多少 是否 可以 能否 应该 應該 需要 使用
没有 沒有 以及 或者 还是 還是 如果 因为 因為 但是 不同 区别 區別 关系 關係 之间 之間 问题 問題 方法 时候 時候 时间 時間
参数 參數 任务 任務 策略 设置 設定 配置 部署 数据 資料 程序 程式 进程 线程 函数 函式 服务 服務 请求 請求 连接 連線 文件
代码 系统 系統 运行 執行 实现 實現 解决 解決 理解 选择 選擇 分配 处理 處理 管理 网络 網路 模型 学习 學習 项目 專案 接口
异步 后台 定时 性能 效能 测试 測試 安装 安裝 语言 語言 版本 变量 类型 对象 缓存 用户 信息 資訊 软件 軟體 开发 開發 环境
响应 響應 回应 回應 反应 反應 对应 對應 相应
"""
WORDS = frozenset(_WORDS.split())
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_PIECE = re.compile(r"<[^<>]*>|&[^&;\s]+;|.", re.DOTALL)


class Part(NamedTuple):
    """What stands together on one line."""

    text: str
    space: str  # before it, where no line begins
    cost: float  # of beginning a line with it


def parts_of(text: str) -> list[Part]:
    """Return the parts of a text between which a line may end."""
    parts: list[Part] = []
    for word in text.split():
        start = 0
        for end in range(1, len(word) + 1):
            if end < len(word) and not _may_part(word[end - 1], word[end]):
                continue
            part, space = word[start:end], " " if start == 0 and parts else ""
            start = end
            if space and _clings(parts[-1].text, part):
                parts[-1] = parts[-1]._replace(text=f"{parts[-1].text} {part}")
            else:
                parts.append(Part(part, space, _cost(parts[-1].text, space, part) if parts else 0))
    return parts


@lru_cache(maxsize=4096)
def with_breaks(html: str) -> str:
    """Return the HTML of a Chinese title with `<wbr>` where its lines may end, so that no word is torn.

    The style sheet allows no other places in `breaks`. What has no Chinese characters stays as it is.
    """
    if not _HAN.search(html):
        return html
    pieces = _PIECE.findall(html)
    signs = [place for place, piece in enumerate(pieces) if piece[0] != "<"]
    offsets = _breaks("".join(unescape(pieces[place]) for place in signs))
    begins = {signs[offset] for offset in offsets if offset < len(signs)}
    broken = "".join(f"<wbr>{piece}" if place in begins else piece for place, piece in enumerate(pieces))
    return f'<span class="breaks">{broken}</span>'


def _breaks(text: str) -> list[int]:
    """Return before which characters of a text a new line may begin, where no space says so."""
    if text != " ".join(text.split()):
        return []
    breaks: list[int] = []
    offset, together = 0, 0
    possible: list[int] = []
    for part in parts_of(text):
        if part.space or part.cost <= AFTER_PARTICLE:
            breaks += possible if together > MOST_TOGETHER else []
            possible, together = [], 0
            if offset and not part.space:
                breaks.append(offset)
        elif part.cost < WITHIN_WORD:
            possible.append(offset)
        offset += len(part.space) + len(part.text)
        together += len(part.text)
    return sorted(breaks + (possible if together > MOST_TOGETHER else []))


def is_wide(character: str) -> bool:
    """Say whether a character takes a whole square, as Chinese ones do."""
    return unicodedata.east_asian_width(character) in "WF"


def _may_part(left: str, right: str) -> bool:
    if right in NEVER_FIRST or left in NEVER_LAST or STRAIGHT & {left, right}:
        return False
    return is_wide(left) or is_wide(right)


def _clings(before: str, part: str) -> bool:
    """Say whether no line may end between two parts although a space is there: `.env` may begin one, `?` may not."""
    is_mark = part[0] in NEVER_FIRST and not (part[0].isascii() and any(map(str.isalnum, part)))
    return is_mark or before[-1] in NEVER_LAST


def _cost(before: str, space: str, part: str) -> float:
    left, right = before[-1], part[0]
    if left in CLAUSE_ENDS:
        return AFTER_CLAUSE
    if space:
        return AFTER_WEAK if before.lower() in WEAK else 0
    if right in ENCLITICS or left + right in WORDS:
        return WITHIN_WORD
    if left in ENDING or right in BEGINNING or not (is_wide(left) and is_wide(right)):
        return AFTER_PARTICLE
    return WITHIN_HAN
