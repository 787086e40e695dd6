"""Places and organizations in Chinese and Japanese, among words that were cut already.

A listed place that is a word on the cheapest way through its line is one ("昨天成都下了雨"), with the word for its kind
behind it. An organization is a listed one, or ends with a word for its kind ("银行", "病院") and begins with a place or
with a word as "national"; a legal form takes what stands beside it. Words that stand in front of organizations and are
no part of one are a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from securevec.anonymize.findings import Finding
from securevec.anonymize.names.scripts.lists import either, houses, japanese, listed_places

Piece = tuple[int, int, bool]
"""Start and end of a word in the text, and whether it is somebody's name."""

PLACE_PRIORITY: Final = 26
HOUSE_PRIORITY: Final = 31
"""Above people: a hospital is called after somebody now and then."""
_KINDS: Final = frozenset(["市", "省", "县", "区", "州", "镇", "乡", "村", "岛", "府"])
_NO_PLACE_BEHIND: Final = frozenset("人语话籍裔式菜队文版")
"""What makes a people, a language or a dish of the country in front."""
_BELOW: Final = re.compile("[一-鿿]{2,4}?[区县镇乡市](?!域|别|长|民|场|政)")
"""A district or town behind the name of what it lies in."""
_STOPS: Final = frozenset(
    "的 在 与 和 从 到 由 被 对 向 于 为 是 有 说 称 去 来 住 了 着 过 把 给 及 或 等 也 都 又 就 将 让 使 该 这 那 此 本 各 某 每 家 所 个 名 位 间 座 "
    "我 你 他 她 它 们 很 不 没 要 会 能 可 但 而 并 则 因 以 用 比 跟 同 至 自 往 经 请 叫 做 买 卖 开 上 下 前 后 里 外 年 月 日 时 全 多 两 几 一 诉 "
    "一家 这家 那家 两家 多家 该公司 一所 这所 一个 这个 那个 每个 各个 某个 毕业于 毕业 就职于 就职 任职于 任职 工作 宣布 签署 签订 记者 获悉 起诉 驳回 收购 加入 "
    "位于 来自 前往 访问 参观 通过 根据 按照 关于 以及 并且 因为 所以 但是 由于 没有 我们 他们 你们 自己 大型 附近 一些 所有 许多 其他 其它 昨天 今天 明天 去年 "
    "今年 明年 目前 现在 已经 正在 可以 进入 离开 经过 成为 担任 负责 作为 包括 属于 成立 创办 创建 建立 使用 要求 认为 表示 发现 得到 对于 战胜 击败 送往 送到 转入 "
    "进了 上市 投资 控股 合作 支持 帮助 需要 决定 开始 准备 继续 选择 申请 考入 考上 就读于 就读 任教于 供职于 隶属于 隶属 受雇于 联系 联络 问 在于 对方 双方 "
    "如果 虽然 为了 关闭 打开 下载 注册 登录 查询 办理 随后 曾 曾在 曾任 原 现 现任 前任 时任 出任 不同 相关 有关 各类 各种 任何 整个 主要 全部 部分 很多 不少 "
    "国内 国外 海外 境外 当地 本地 外国 民营 私营 国有 上市公司 商业 大型 小型 中型 知名 著名 重点 普通 综合 专科 附属 第三方 有限 母 子 总 分".split()
)
_FURTHEST: Final = 18
"""Characters of the longest such name but for its last word."""
_MOST: Final = 8
"""Words of it."""
_SHORTEST: Final = 2
_KANJI: Final = "一-鿿々ヶ"
_KATAKANA: Final = "ァ-ヺ"
_WHOLE: Final = f"{_KANJI}{_KATAKANA}A-Za-z0-9&・-"
_NO_PLACE_BEHIND_JAPANESE: Final = re.compile("人(?!口)|語|料理|製|系|軍|流|史|文学|映画|さん|氏|様|君|ちゃん")
_PLACE_BEHIND: Final = re.compile(
    "[市県府都区町村郡州駅港湾]|支店|支社|本社|在住|出身|産|行き|方面|空港|地方|大学|へ|から|まで|で(?!す)|に(?:住|引|行|到|向|移|あ|い)"
)
"""What stands behind a place that is a family name too."""
_KINDS_JAPANESE: Final = frozenset("市県府都区町村郡州島")
_BELOW_JAPANESE: Final = re.compile(f"[{_KANJI}]{{1,4}}?[市区町村郡](?!長|民|内|議|役)")
_LEADS_JAPANESE: Final = ("日本", "全国", "国立", "県立", "市立", "都立", "府立", "国際", "中央", "第一")


@lru_cache(maxsize=2)
def _known(script: str) -> re.Pattern[str]:
    more = {"hani": "(?:集团|股份有限公司|有限公司|公司|控股|医院|大学)?", "jpan": "(?:株式会社|グループ|本社)?"}
    return re.compile(either(houses()[script]["known"]) + more[script])


@lru_cache(maxsize=2)
def _ends(script: str) -> re.Pattern[str]:
    return re.compile(either(houses()[script]["ends"]))


@lru_cache(maxsize=1)
def _legal() -> re.Pattern[str]:
    forms = either(houses()["jpan"]["legal"])
    name = f"(?:[{_WHOLE}]{{2,16}}|[ぁ-ん]{{2,6}}[{_WHOLE}]{{1,10}})"
    return re.compile(f"{forms}{name}|[{_WHOLE}]{{2,16}}?(?:株式会社|有限会社|合同会社)")


def chinese_places(text: str, pieces: list[Piece]) -> Iterator[Finding]:
    """Places and organizations in ``text``, of which ``pieces`` are the words of one run in order."""
    if not pieces:
        return
    low, high = pieces[0][0], pieces[-1][1]
    places = _chinese(text, pieces)
    starts = {start for start, _, _ in pieces}
    taken: list[tuple[int, int]] = []
    for known in _known("hani").finditer(text, low, high):
        if known.start() in starts:
            taken.append(known.span())
    for kind in _ends("hani").finditer(text, low, high):
        start = _begins(text, pieces, places, kind)
        if start is not None:
            taken.append((start, kind.end()))
    yield from _both(places, taken)


def _chinese(text: str, pieces: list[Piece]) -> list[tuple[int, int]]:
    listed = listed_places("hani")
    found: list[tuple[int, int]] = []
    for at, (start, end, named) in enumerate(pieces):
        word = text[start:end]
        if named or (found and start < found[-1][1]):
            continue
        if word not in listed and not (word[-1] in _KINDS and word[:-1] in listed and len(word) > _SHORTEST):
            continue
        if word in listed and at + 1 < len(pieces) and text[slice(*pieces[at + 1][:2])] in _KINDS:
            end = pieces[at + 1][1]
        if text[end : end + 1] in _NO_PLACE_BEHIND:
            continue
        found.append((start, end))
        if text[end - 1] in _KINDS and (below := _BELOW.match(text, end, pieces[-1][1])):
            found.append(below.span())
    return found


def _begins(text: str, pieces: list[Piece], places: list[tuple[int, int]], kind: re.Match[str]) -> int | None:
    """Where the organization begins that ends with ``kind``, or ``None``."""
    at = next((place for place, piece in enumerate(pieces) if piece[1] > kind.start()), None)
    if at is None:
        return None
    inside, legal = frozenset(start for start, _ in places), kind.group() in houses()["hani"]["legal"]
    first, begun, sure = kind.start(), kind.start(), False
    for count in range(_MOST):
        place = at - count - (pieces[at][0] >= kind.start())
        if place < 0:
            break
        start, end, named = pieces[place]
        word = text[start : min(end, kind.start())]
        if named or word in _STOPS or kind.start() - start > _FURTHEST:
            break
        first = start
        if start in inside or word in houses()["hani"]["leads"]:
            begun, sure = start, True
    if legal and not sure and kind.start() - first >= _SHORTEST:
        return first
    return begun if sure and begun < kind.start() else None


def _both(places: list[tuple[int, int]], taken: list[tuple[int, int]]) -> Iterator[Finding]:
    """Organizations, the longest where they overlap, and the places outside them."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(taken, key=lambda span: span[0] - span[1]):
        if all(end <= low or high <= start for low, high in kept):
            kept.append((start, end))
            yield Finding(start, end, "ORG", 0.8, "script-house", HOUSE_PRIORITY)
    for start, end in places:
        if all(end <= low or high <= start for low, high in kept):
            yield Finding(start, end, "LOCATION", 0.8, "script-place", PLACE_PRIORITY)


def japanese_places(text: str, pieces: list[Piece]) -> Iterator[Finding]:
    """Places in the words of one run of kanji in Japanese ``text``. Organizations: :func:`japanese_houses`."""
    listed, families = listed_places("jpan"), japanese().families
    reached = -1
    for start, end, named in pieces:
        word = text[start:end]
        if named or start < reached or word not in listed:
            continue
        ambiguous = word in families and _PLACE_BEHIND.match(text, end) is None
        if ambiguous or _NO_PLACE_BEHIND_JAPANESE.match(text, end):
            continue
        end += text[end : end + 1] in _KINDS_JAPANESE and text[start:end] not in {"日本", "中国", "米国", "英国"}
        yield Finding(start, end, "LOCATION", 0.8, "script-place", PLACE_PRIORITY)
        reached = end
        if text[end - 1] in _KINDS_JAPANESE and (below := _BELOW_JAPANESE.match(text, end)):
            yield Finding(below.start(), below.end(), "LOCATION", 0.8, "script-place", PLACE_PRIORITY)
            reached = below.end()


_KATAKANA_RUN: Final = re.compile(f"[{_KATAKANA}・-]{{2,}}")
_MIXED_RUN: Final = re.compile(f"[{_WHOLE}]{{3,}}")


def japanese_houses(text: str) -> Iterator[Finding]:
    """Organizations in Japanese ``text``, and places in katakana."""
    listed = listed_places("jpan")
    for run in _KATAKANA_RUN.finditer(text):
        if run.group() in listed and not _NO_PLACE_BEHIND_JAPANESE.match(text, run.end()):
            yield Finding(run.start(), run.end(), "LOCATION", 0.8, "script-place", PLACE_PRIORITY)
    taken = [match.span() for match in _legal().finditer(text)]
    for known in _known("jpan").finditer(text):
        start, end = known.span()
        within = _is_katakana(text[start - 1 : start]) and _is_katakana(text[start])
        if not within and not (_is_katakana(text[end : end + 1]) and _is_katakana(text[end - 1])):
            taken.append((start, end))
    for run in _MIXED_RUN.finditer(text):
        for kind in _ends("jpan").finditer(run.group()):
            start = _begins_japanese(run.group()[: kind.start()], listed)
            if start is not None:
                taken.append((run.start() + start, run.start() + kind.end()))
    yield from _both([], taken)


def _begins_japanese(before: str, listed: frozenset[str]) -> int | None:
    """Where a place or a word as "national" begins that all the rest of ``before`` belongs to."""
    for start in range(max(0, len(before) - _FURTHEST), len(before)):
        rest = before[start:]
        if rest.startswith(_LEADS_JAPANESE) or any(rest[:size] in listed for size in range(2, min(7, len(rest)) + 1)):
            return start
    return None


def _is_katakana(char: str) -> bool:
    return "ァ" <= char <= "ヺ" or char == "-"
