"""Places and organizations where nothing keeps words apart or no word has a capital, and what only looks like one."""

from __future__ import annotations

import pytest

from securevec.anonymize import BuiltinDetector, default_detector
from securevec.anonymize.names.edges import tidy
from securevec.anonymize.names.model import Stretch

_KINDS = frozenset({"PERSON", "LOCATION", "ORG", "ADDRESS"})


@pytest.fixture(scope="module")
def detector() -> BuiltinDetector:
    return default_detector()


def _found(detector: BuiltinDetector, text: str) -> set[tuple[str, str]]:
    return {(text[f.start : f.end], f.entity) for f in detector.detect(text) if f.entity in _KINDS}


def _wanted(marked: str) -> tuple[str, set[tuple[str, str]]]:
    """The text of a line whose names stand in brackets behind a letter, and these names."""
    kinds = {"P": "PERSON", "L": "LOCATION", "O": "ORG", "A": "ADDRESS"}
    text, wanted = "", set[tuple[str, str]]()
    for piece in marked.split("["):
        head, bar, rest = piece.partition("|")
        name, _, behind = rest.partition("]")
        text += name + behind if bar else piece
        if bar:
            wanted.add((name, kinds[head]))
    return text, wanted


@pytest.mark.parametrize(
    "marked",
    [
        "下周[P|陈立群]从[L|青岛]飞往[L|德国]。",
        "她在[O|浙江省肿瘤医院]做手术，住在[L|宁波市]。",
        "[O|深圳市蓝鲸科技有限公司]起诉了[O|中国农业银行]。",
        "[O|国家图书馆]在[L|中关村]。",
        "来週、[L|仙台市]から[L|イタリア]へ行きます。",
        "[O|美国国家气象局]发布了警告。",
        "彼女は[L|東京都][L|目黒区]に住んでいる。",
        "[O|株式会社青葉商会]は[L|広島]に支店を出す。",
        "[O|岡山地方裁判所]で証言した。",
        "[L|포르투갈]에서 [L|대구]로 왔다.",
        "[O|부산대학교병원]과 [O|주식회사 새봄]이 계약했다.",
        "زار الوفد [O|جامعة القاهرة] ثم سافر إلى [L|تونس].",
        "او در [O|بانک صادرات] کار می‌کند.",
        "הוא עובד ב[O|בנק לאומי] וגר ב[L|חולון].",
        "वह [O|पटना विश्वविद्यालय] में पढ़ता है।",
        "เขาย้ายไป[O|โรงพยาบาลศิริราช]แล้ว",
    ],
)
def test_places_and_organizations_are_found_in_scripts_without_capitals(detector: BuiltinDetector, marked: str) -> None:
    text, wanted = _wanted(marked)
    assert _found(detector, text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "他是挪威籍船员，会说阿根廷语。",
        "这家公司和那所大学都很大。",
        "人民法院的工作很重要。",
        "フランス語を勉強しています。",
        "この病院は大きい。銀行は九時からです。",
        "동네 병원에 갔다가 은행에 들렀다.",
        "밥을 먹은 후에 신용카드로 계산했다.",
        "دخلت المريضة إلى مستشفى خاص أمس.",
        "בית חולים פרטי גדול",
        "एक निजी अस्पताल में भर्ती है।",
    ],
)
def test_a_people_a_language_and_a_kind_alone_are_no_names(detector: BuiltinDetector, text: str) -> None:
    assert _found(detector, text) == set()


@pytest.mark.parametrize(
    "marked",
    [
        "[P|Leena Hirvonen] työskentelee Oulussa, ja [O|Turun yliopisto] maksaa.",
        "Dün [L|Konya]'da [O|Selçuk Üniversitesi] için toplantı vardı.",
        "Dnes [O|Krajský soud v Plzni] jednal, a pak byla přestávka.",
        "La empresa [O|Aceites Requena] vende a su cliente en [L|Murcia].",
        "Директор [P|Виктор Садков] работает в [O|Газпроме].",
        "Mødet mellem [L|Aarhus] og [L|Odense] er udsat.",
    ],
)
def test_bodies_and_cases_of_other_languages(detector: BuiltinDetector, marked: str) -> None:
    text, wanted = _wanted(marked)
    assert wanted <= _found(detector, text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Syötä luku, joka on suurempi kuin edellinen, ja jatka.", "Syötä"),
        ("Kaydet ve daha sonra formu gibi yeniden açın.", "Kaydet"),
        ("Убедитесь, что страница открыта.", "Убедитесь"),
    ],
)
def test_first_words_and_callings_of_other_languages_name_nobody(
    detector: BuiltinDetector, text: str, name: str
) -> None:
    assert not any(found.startswith(name) for found, entity in _found(detector, text) if entity == "PERSON")


@pytest.mark.parametrize(
    "marked",
    [
        "The seller was advised by [O|Hollister, Brandt & Keane] in [L|Leeds].",
        "He is Chief Financial Officer of [O|Dunmore Instruments, Inc.] in [L|Tulsa].",
        "Please send it to [O|Wuckert, Runte and Sons] today.",
        "THE PARCEL WAS SENT TO [L|WHITSTABLE].",
        "she works at [O|royal bolton hospital] and lives at [A|forty two cheviot road]",
        "[O|Buffalo] beat [O|Dallas] 27-20 on Sunday.",
        "[O|BALTIMORE] AT [O|SEATTLE]",
        "They met at [A|One Liberty Plaza] on Monday.",
    ],
)
def test_firms_teams_and_texts_of_one_casing(detector: BuiltinDetector, marked: str) -> None:
    text, wanted = _wanted(marked)
    assert _found(detector, text) == wanted


def test_what_somebody_is_and_a_case_are_cut_off() -> None:
    text = "Mia cugina Ornella torna. Konya'da kar var."
    cousin, town = Stretch(0, 18, "PERSON", 3.0), Stretch(26, 34, "LOCATION", 3.0)
    assert [text[each.start : each.end] for each in tidy(text, [cousin, town], abroad=True)] == ["Ornella", "Konya"]


def test_letters_of_a_degree_are_no_state_and_a_label_is_no_surname(detector: BuiltinDetector) -> None:
    assert _found(detector, "Seen by Martin Kowalski, MD today.") == {("Martin Kowalski", "PERSON")}
    assert ("MD", "LOCATION") in _found(detector, "They moved to Rockville, MD in 2012.")
    found = _found(detector, "PATIENT: MARTIN KOWALSKI  REFERRED BY: clinic")
    assert ("MARTIN KOWALSKI", "PERSON") in found
