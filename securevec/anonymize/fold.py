"""Unicode folding with a map back to the original offsets.

Two views of a text are searched. The *skeleton* is for structured values: NFKC, accents stripped, look-alike letters
of other scripts turned into Latin, decimal digits of every script into ASCII, invisible characters removed, dashes and
spaces unified. The *plain* view is for names: the same without stripping accents or changing scripts.

Sources: Unicode Standard Annex 15 (normalization forms), DerivedCoreProperties (Default_Ignorable_Code_Point),
Unicode Technical Standard 39 (confusables; the table here is our own selection of single-letter Latin look-alikes).
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

_IGNORABLE_RANGES: Final = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFC),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)

_IGNORABLE: Final = frozenset(chr(code) for low, high in _IGNORABLE_RANGES for code in range(low, high + 1))

_SPECIAL: Final = {
    **dict.fromkeys(
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\u2800", " "
    ),
    **dict.fromkeys("\u2028\u2029\u0085", "\n"),
    **dict.fromkeys(
        "\u058a\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d\u30fc"
        "\u2043\u2053\u301c\u30a0\u223c\u02d7\u2796",
        "-",
    ),
    **dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\uff07\u2032\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201f\u2033\uff02", '"'),
    **dict.fromkeys("\u3002\uff61\u2024\ua4f8\u0701\u0702", "."),
    **dict.fromkeys("\u2044\u2215\u29f8\uff0f", "/"),
    **dict.fromkeys("\ua789\u02d0\u2236\uff1a\u05c3\u0589", ":"),
}

_CONFUSABLE: Final = {
    **dict(zip("абвгдеёзийіїјкмнорстухѕԁԛԝһӏьч", "a6brdee3uuiijkmhopctyxsdqwhlb4", strict=True)),
    **dict(zip("АВЕЁЅІЇЈКМНОРСТУХԌԚԜҺӀЗ", "ABEESIIJKMHOPCTYXGQWHI3", strict=True)),
    **dict(zip("αβγεικνορτυχωϲϳ", "aByeikvoptuxwcj", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC", strict=True)),
    **dict(zip("ɑɡɩʏᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢʙɢʜɪʟɴʀꜱ", "agiyacdejkmoptuvwzbghilnrs", strict=True)),
    **dict(zip("ıȷłŁøØđĐħĦŧŦ", "ijlLoOdDhHtT", strict=True)),
    **dict(zip("օսոհցԁռ", "ounhgdn", strict=True)),
    **dict.fromkeys("\u00b7\u2022\u2027\u2219\u22c5\u30fb\u0387", "."),
    **{chr(first + at): chr(65 + at) for first in (0x1F150, 0x1F170, 0x1F1E6) for at in range(26)},
}
"""Letters that look like one Latin letter or digit. Chosen so that a structured value stays readable to a person; dots
in the middle of a line, and letters of signs."""


_FEW: Final = 24
_ASCII: Final = bytes(range(128))


class Folded:
    """A folded text. ``span(start, end)`` gives the range of the original that a range of ``text`` came from."""

    __slots__ = ("_folded_at", "_original_at", "_sizes", "text")

    def __init__(
        self, text: str, folded_at: Sequence[int] = (), original_at: Sequence[int] = (), sizes: Sequence[int] = ()
    ) -> None:
        self.text = text
        self._folded_at = folded_at
        self._original_at = original_at
        # 0 marks a run mapped one to one; otherwise how many original characters the piece stands for.
        self._sizes = sizes

    @property
    def is_same(self) -> bool:
        """Whether positions in the folded text are those of the original."""
        return not self._folded_at

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Original range of folded ``[start, end)``, ``start < end``. A range that cuts a cluster gets all of it."""
        if not self._folded_at:
            return start, end
        first = bisect_right(self._folded_at, start) - 1
        last = bisect_right(self._folded_at, end - 1) - 1
        begin = self._original_at[first] + (start - self._folded_at[first] if self._sizes[first] == 0 else 0)
        finish = self._original_at[last]
        finish += self._sizes[last] or end - self._folded_at[last]
        return begin, finish


def is_ignorable(char: str) -> bool:
    """Whether the character is invisible in rendered text (Default_Ignorable_Code_Point)."""
    return char in _IGNORABLE


def odd_characters(text: str) -> set[str]:
    """The characters beyond ASCII. Looking at bytes takes a tenth of the time that a set of all characters does."""
    return set(text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass"))


def fold(text: str, *, skeleton: bool) -> Folded:
    """Fold ``text``. ASCII text is returned as it is, with an identity map. Linear in the length of the text."""
    if text.isascii():
        return Folded(text)
    images: dict[str, str] = {}
    irregular: list[str] = []
    for char in odd_characters(text):
        images[char], odd = _folding(char, skeleton)
        if odd:
            irregular.append(char)
    if not irregular:
        return Folded(_replaced(text, images))
    return _fold_irregular(text, images, irregular, skeleton)


@lru_cache(maxsize=65_536)
def _folding(char: str, skeleton: bool) -> tuple[str, bool]:
    """A character's image, and whether it is more than one character for another."""
    image = _fold_char(char, skeleton)
    return image, len(image) != 1 or _is_mark(char)


def _is_mark(char: str) -> bool:
    """Whether the character is drawn on the one before it; enclosing marks have no combining class."""
    return unicodedata.category(char) in {"Mn", "Me"} and not is_ignorable(char)


def _replaced(text: str, images: Mapping[str, str]) -> str:
    """``text`` with every character replaced by its image, as long as itself."""
    changed = {char: image for char, image in images.items() if char != image}
    if len(changed) <= _FEW and changed.keys().isdisjoint(changed.values()):
        # A table is asked for every character of the text; most texts hold a few kinds of odd ones.
        for char, image in changed.items():
            text = text.replace(char, image)
        return text
    return text.translate({ord(char): image for char, image in changed.items()})


def _fold_irregular(text: str, images: dict[str, str], irregular: list[str], skeleton: bool) -> Folded:
    table = {ord(char): image for char, image in images.items() if len(image) == 1}
    pieces: list[str] = []
    folded_at: list[int] = []
    original_at: list[int] = []
    sizes: list[int] = []
    length = position = 0

    def push(image: str, start: int, size: int) -> None:
        nonlocal length
        if image:
            pieces.append(image)
            folded_at.append(length)
            original_at.append(start)
            sizes.append(size)
            length += len(image)

    for start, end in _clusters(text, irregular):
        if start > position:
            push(text[position:start].translate(table), position, 0)
        cluster = text[start:end]
        image = images[cluster] if len(cluster) == 1 and cluster in images else _fold_cluster(cluster, skeleton)
        push(image, start, end - start)
        position = end
    if position < len(text):
        push(text[position:].translate(table), position, 0)
    return Folded("".join(pieces), folded_at or [0], original_at or [0], sizes or [0])


def _clusters(text: str, irregular: list[str]) -> Iterator[tuple[int, int]]:
    """Where the irregular characters stand, in order: each with the marks behind it, a mark with what it is drawn on.

    A mark on nothing is left out. A pattern of these characters would have to be compiled for nearly every text.
    """
    marks = frozenset(filter(_is_mark, irregular))
    reached, size = 0, len(text)
    for at in _places_of(irregular, text):
        start = at - 1 if text[at] in marks else at
        if start < reached or text[start] in marks:
            continue
        end = start + 1
        if not text[start].isspace():
            while end < size and text[end] in marks:
                end += 1
        if end > at:
            yield start, end
            reached = end


def _places_of(chars: list[str], text: str) -> list[int]:
    """Where any of these characters stand, in order."""
    if len(chars) > _FEW:
        wanted = frozenset(chars)
        return [at for at, char in enumerate(text) if char in wanted]
    found: list[int] = []
    for char in chars:
        at = text.find(char)
        while at >= 0:
            found.append(at)
            at = text.find(char, at + 1)
    return sorted(found)


def _fold_cluster(cluster: str, skeleton: bool) -> str:
    """A base character and its combining marks: composed for names, base alone for structured values."""
    visible = "".join(char for char in cluster if not is_ignorable(char))
    if not skeleton:
        return unicodedata.normalize("NFKC", visible)
    return "".join(_fold_char(char, True) for char in visible if not _is_mark(char))


@lru_cache(maxsize=65_536)
def _fold_char(char: str, skeleton: bool) -> str:
    if char.isascii():
        return char
    if char in _SPECIAL:
        return _SPECIAL[char]
    if is_ignorable(char):
        return ""
    if unicodedata.category(char) == "Nd":
        return str(unicodedata.decimal(char))
    if skeleton and (digit := unicodedata.digit(char, None)) is not None:
        # Encircled, in brackets, with a full stop.
        return str(digit)
    image = unicodedata.normalize("NFKC", char)
    if len(image) == 1 and image in _SPECIAL:
        return _SPECIAL[image]
    if not skeleton:
        return image
    bare = unicodedata.normalize("NFD", image)
    stripped = "".join(part for part in bare if not unicodedata.combining(part)) or ("" if image else image)
    return "".join(_CONFUSABLE.get(part, part) for part in stripped)


@lru_cache(maxsize=65_536)
def lookup_key(word: str) -> str:
    """How a word is looked up in word lists: case-folded, without accents, apostrophes and look-alike letters."""
    if word.isascii():
        return word.lower().replace("'", "")
    bare = unicodedata.normalize("NFKD", word)
    bare = "".join(char for char in bare if not unicodedata.combining(char) and not is_ignorable(char))
    if any("a" <= char.lower() <= "z" for char in bare):
        bare = "".join(_CONFUSABLE.get(char, char) for char in bare)
    return bare.casefold().replace("'", "")
