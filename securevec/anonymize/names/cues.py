"""Phrases that say a person's name comes next, or has just been."""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize.lexicon import names
from securevec.anonymize.rules.matching import ANYWHERE, engine

LOOK_BACK: Final = 48
"""Characters of context in front of a candidate."""

PEOPLE: Final = "|".join(sorted(names().people_nouns))

ABROAD: Final = "|".join(
    (
        r"mein name ist|ich hei(?:ß|ss)e|ich bin|hier (?:ist|schreibt|spricht)|(?:gesprochen|sprach|telefonat) mit",
        r"(?:je )?m'appelle|je suis|je me nomme|au nom de|parlé (?:à|avec)|ici",
        r"(?:me )?llamo|mi nombre es|soy|hablé con|a nombre de|mi chiamo|sono|parlato con|a nome di",
        r"mijn naam is|ik ben|ik heet|gesproken met|ten name van|nazywam się|jestem|rozmawiał[ae]m z|na nazwisko",
        r"(?:jag|jeg) (?:heter|är|er|hedder)|mitt namn är|(?:mitt|mit) navn er|(?:pratade|snakket|talte) med",
        r"nimeni on|olen|(?:o )?meu nome é|chamo-me|me chamo|falei com|em nome de",
    )
)
"""Introductions in German, French, Spanish, Italian, Dutch, Polish, the Nordic languages and Portuguese."""

_INTRODUCTION: Final = re.compile(
    r"(?:\b(?:my name is|name's|name is|names? (?:are|was)|called|calls? (?:me|him|her)|this is|i am|i'm|it's|it is)"
    r"|\b(?:we are|here is)"
    r"|\b(?:spoke|spoken|speak|speaking|talk|talked|talking|chatted) (?:with|to)|\bask(?:ed)? for|\bon behalf of"
    rf"|\b(?:{PEOPLE})(?:,|'s name is| is| named| called|:)?"
    r"|name[\"']?\s?[:=|]|\b(?:contact|attn|from|to|cc|by|requester|reporter|assignee|kin|clinician|signed|sender|recipient"
    r"|witness|user|owner|complainant|payee|beneficiary|holder|prepared by|reviewed by)[\"']?\s?[:=|]"
    rf"|\b(?:{ABROAD})"
    r"|\b(?:named|introduc(?:e|ing)|meet with|appointment with|registered as|known as|formerly|n[eé]e|forwarded to)"
    r"|\b(?:referr(?:ed|al) (?:from|to|by)|assigned to|booked (?:for|with|by)|starring|tribute to|signed|attn|c/o)"
    r"|\b[a-z]{2,10}(?:ed|en|wn|ung) by"
    r"|\b(?:tell|told|ask|asked|thank|inform|remind|let|calling|call|texted|emailed|phoned|shouted at|yelled at|met)"
    r"|,\\?[\"'] (?:says?|said|asks?|asked|replied|writes?|wrote|added|explains?|explained|shouts?|shouted))"
    r"(?:[,:|] ?[\"']?| [\"']?)\Z"
)  # fmt: skip
_GREETING: Final = re.compile(
    r"(?:^|[\n.!?\"] ?)(?:dear|hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|greetings"
    r"|liebe[rs]?|hallo|guten (?:tag|morgen|abend)|bonjour|bonsoir|chère?|hola|querid[oa]|estimad[oa]|gentile|car[oa]"
    r"|ciao|beste|geachte|hej|hei|kära|kjære|szanown[ya]|drog[ia]|olá|prezad[oa]|attention)(?: there)?[:,]? ?\Z"
)
_CLOSING: Final = re.compile(
    r"\b(?:regards|sincerely|cheers|wishes|faithfully|truly|yours|thanks(?: again| a lot| so much| in advance)?"
    r"|thank you(?: very much)?|best|respectfully|cordially|love|greetings|grü(?:ß|ss)en?|gru(?:ß|ss)|cordialement"
    r"|salutations(?: distinguées)?|saludos|atentamente|saluti|groet(?:en)?|pozdrawiam|poważaniem|pozdrowieniami"
    r"|hälsningar|hilsen|terveisin|cumprimentos|atenciosamente|abraços)"
    r"[,.!]?\s{1,4}\Z"
)
_WEAK: Final = re.compile(
    r"\b(?:by|emailed|texted|phoned|saw|informed|contact|contacted|meet|visit|see|join(?:ed)?|for)\s\Z"
)
_PLACE: Final = re.compile(
    r"\b(?:saint|sainte|santa|san|são|st\.?|via|rue|avenue|rua|calle|plaza|avenida|mount|lake|port|north|south|east|west"
    r"|new|the princess|university of|city of|republic of)\s\Z"
)
_LAST_OF_INTRODUCTION: Final = names().people_nouns | names().introduction_ends
_LAST_OF_LETTER: Final = names().letter_ends
_LAST_OF_WEAK: Final = frozenset(
    [
        "by",
        "emailed",
        "texted",
        "phoned",
        "saw",
        "informed",
        "contact",
        "contacted",
        "meet",
        "visit",
        "see",
        "join",
        "joined",
        "for",
    ]
)
_LAST_OF_PLACE: Final = names().place_words

MAILBOX: Final = re.compile(r"[\"']?[ \t]?[<(\[](?:mailto:)?[^\s@<>()\[\]]{1,64}@")
"""An e-mail address in brackets right behind a name: the display name of a mail header or a quotation."""
SIGNATURE: Final = re.compile(r"(?:^|\n)[ \t]*(?:-{1,2}|~|/)[ \t]*\Z")
BELONGING: Final = re.compile(
    r"'s? (?:son|daughter|wife|husband|mother|father|mum|mom|dad|brother|sister|partner|account|address|appointment"
    r"|results?|record|file|birthday|phone|number|email|e-mail|prescription|medication|insurance|chart|room|bed|surgery"
    r"|doctor|carer|discharge|assistant|secretary|desk|office|letter|message|call|house|name)\b"
)
VOCATIVE: Final = re.compile(r", (?:can|could|would|please|i|i'm|will|you|we|how|what|why|where|when|is|are|do)\b")
DIALOGUE: Final = re.compile(r":\s?\\?\"")
NEXT_WORD: Final = re.compile(r"[ \t]+([a-z']+)")


_FAST_INTRODUCTION: Final = engine(
    # No letter beyond ASCII is in the texts that this is asked of, so any byte that is none in ASCII stands for it.
    re.sub(r"[^\x00-\x7f]", r"\\xff", _INTRODUCTION.pattern)
    .replace(r"\s", r"[\t-\r\x1c-\x1f ]")
    .replace(r"\Z", r"\z")
    .encode(),
    captures=False,
)


def _introduced(text: str) -> bool:
    """What ``_INTRODUCTION`` says. RE2 says the same of ASCII text in a tenth of the time, read from its end."""
    if not text.isascii():
        return _INTRODUCTION.search(text) is not None
    return _FAST_INTRODUCTION.Match(ANYWHERE, text.encode(), 0, len(text))[0][1] >= 0


class Before:
    """The lower-case text in front of a candidate, asked only for what its last word makes possible."""

    __slots__ = ("_last", "text")

    def __init__(self, lowered: str, start: int) -> None:
        self.text = lowered[max(0, start - LOOK_BACK) : start]
        self._last = last_word(self.text[-24:])

    def introduces(self) -> bool:
        """An introduction, a label, a greeting or a closing line."""
        if self._last in _LAST_OF_INTRODUCTION and _introduced(self.text):
            return True
        if self._last not in _LAST_OF_LETTER:
            return False
        return bool(_GREETING.search(self.text) or _CLOSING.search(self.text))

    def suggests(self) -> bool:
        """Words that people follow more often than things do."""
        return self._last in _LAST_OF_WEAK and _WEAK.search(self.text) is not None

    def is_place(self) -> bool:
        """Words that make a place or street of a person's name."""
        return self._last in _LAST_OF_PLACE and _PLACE.search(self.text) is not None


_BACKWARDS: Final = re.compile(r"[^\w]{0,6}([a-z]{1,2}'[^\W\d_]+|[^\W\d_]+)")


def last_word(text: str) -> str:
    r"""The word at the end of ``text``, behind it at most six signs: ``([^\W\d_]+(?:'[a-z]{1,2})?)[^\w]{0,6}\Z``.

    Read backwards: that pattern would be tried at every letter.
    """
    match = _BACKWARDS.match(text[::-1])
    return match.group(1)[::-1] if match else ""
