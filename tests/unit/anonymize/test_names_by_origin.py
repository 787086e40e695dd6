"""Names that no English list holds, and names with the family name in front. All people are made up."""

from __future__ import annotations

import pytest

from securevec.anonymize import BuiltinDetector, builtin_detector, default_detector
from securevec.anonymize.lexicon import places
from securevec.anonymize.names.inverted import inverted_names
from securevec.anonymize.names.syllables import is_syllabic

CHINESE = ("Qiu Mengyao", "Xu Zhenhua", "Jianhong Zhao", "Wei-Lin Hsu", "Cheung Kwok-wai", "Ouyang Ruoxi")
KOREAN = ("Kim Ji-won", "Baek Seung-hyun", "Hyejin Kwon", "Noh Tae-gyu", "Yoon Seo-yeon")
VIETNAMESE = ("Tran Van Duc", "Nguyễn Thị Hà", "Le Thi Kim Oanh", "Đặng Văn Linh")
NO_NAMES = ("Hong Kong", "Park Hotel", "Song Dance", "Long Range", "San Juan", "Man United", "Van Gogh", "Ma Bell")
ELSEWHERE = (
    "Bitte schicken Sie das Paket an [Renate Vogelsang].",
    "Der Vertrag wurde von [Torsten Baumgärtel] unterschrieben.",
    "Le contrat a été signé par [Gaëtan Marchadier].",
    "La paciente [Consuelo Arredondo] fue dada de alta.",
    "Včera volala [Zdeňka Procházková] kvůli faktuře.",
    "Umowę podpisał [Sławomir Gajewski].",
    "Kontrakten er underskrevet af [Bodil Vestergaard].",
)


def people(text: str, detector: BuiltinDetector) -> list[str]:
    return [text[f.start : f.end] for f in detector.detect(text) if f.entity == "PERSON"]


@pytest.fixture(scope="module")
def detector() -> BuiltinDetector:
    return default_detector()


@pytest.mark.parametrize("name", CHINESE + KOREAN + VIETNAMESE)
@pytest.mark.parametrize(
    "sentence",
    ["{} called about the invoice.", "Please forward the contract to {} before Friday.", "Payment received from {}."],
)
def test_a_name_of_syllables_is_a_person_and_no_place(name: str, sentence: str, detector: BuiltinDetector) -> None:
    assert people(sentence.format(name), detector) == [name]


@pytest.mark.parametrize("words", NO_NAMES)
def test_words_beside_a_family_name_are_no_name_of_syllables(words: str) -> None:
    assert not is_syllabic(words.split())


@pytest.mark.parametrize("marked", ELSEWHERE)
def test_a_full_name_is_found_in_a_sentence_of_another_language(marked: str, detector: BuiltinDetector) -> None:
    name = marked[marked.index("[") + 1 : marked.index("]")]
    assert people(marked.replace("[", "").replace("]", ""), detector) == [name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hier Clémence Rousselot a appelé au sujet de la facture.", "Clémence Rousselot"),
        ("Gestern Annegret Kühnemund getroffen.", "Annegret Kühnemund"),
    ],
)
def test_a_word_that_opens_a_foreign_sentence_is_no_part_of_the_name(
    text: str, name: str, detector: BuiltinDetector
) -> None:
    assert people(text, detector) == [name]


@pytest.mark.parametrize("greeting", ["Gracias", "Bonjour", "Grazie", "Obrigada"])
def test_a_word_of_thanks_alone_is_nobody(greeting: str, detector: BuiltinDetector) -> None:
    assert people(f"{greeting}, Lisandro", detector) == ["Lisandro"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1. Castellano, Rosa\n2. Pemberton, Hugh\n3. Zhou, Yifan",
         ["Castellano, Rosa", "Pemberton, Hugh", "Zhou, Yifan"]),
        ("Vandermeer, Pieter - absent\nSundaram, Kavitha - present", ["Vandermeer, Pieter", "Sundaram, Kavitha"]),
        ("Thistlewood, Ada M.\t41\tF", ["Thistlewood, Ada M."]),
        ("van der Meer, Pieter\n", ["van der Meer, Pieter"]),
        ("see Whitlock, M. and Brandvold, T. H. (2019)", ["Whitlock, M.", "Brandvold, T. H."]),
        ("Okafor, J. R., senior clerk, was absent.", ["Okafor, J. R."]),
    ],
)  # fmt: skip
def test_a_family_name_in_front_is_one_name_with_what_is_behind_it(text: str, names: list[str]) -> None:
    assert sorted(text[f.start : f.end] for f in inverted_names(text)) == sorted(names)


@pytest.mark.parametrize(
    "text",
    [
        "Berlin, Germany\nParis, France",
        "Anna, Ben\nTom, Kim",
        "Gracias, Lisandro",
        "We met Marlow, Jane and Peter.",
        "Section, A. and B.",
        "Dear Sir, Madam",
    ],
)
def test_a_comma_between_other_words_makes_no_name(text: str) -> None:
    assert inverted_names(text) == []


@pytest.mark.parametrize("year", ["In 2014 {} opened a bakery in Ghent.", "Since 2009 {} has run a bakery in Ghent."])
def test_a_year_beside_a_place_is_no_part_of_an_address(year: str, detector: BuiltinDetector) -> None:
    assert [f for f in detector.detect(year.format("Tran Van Duc")) if f.entity == "ADDRESS"] == []


def test_a_postcode_beside_a_town_is_still_one(detector: BuiltinDetector) -> None:
    text = "Delroy Winstanley, Hauptstraße 4, 1958 Uvrier"
    assert any(f.start <= text.index("1958") < f.end for f in detector.detect(text))


@pytest.mark.parametrize("text", ["Обадих се на Георги вчера.", "Hôm qua họ gọi về hóa đơn."])
def test_a_word_that_no_list_knows_is_no_place_on_a_hunch(text: str, detector: BuiltinDetector) -> None:
    assert [f for f in detector.detect(text) if f.entity == "LOCATION"] == []


@pytest.mark.parametrize("place", ["Mogadishu", "Kazakhstan", "Ouagadougou", "Albuquerque", "UK"])
def test_a_place_of_the_lists_is_found_in_a_plain_sentence(place: str, detector: BuiltinDetector) -> None:
    text = f"She has lived in {place} for ten years."
    assert any(text[f.start : f.end] == place and f.entity == "LOCATION" for f in detector.detect(text))


@pytest.mark.parametrize("sentence", ["{} won.", "It began in {}.", "The lawyer wrote to {} twice."])
@pytest.mark.parametrize("place", ["Lusaka", "Bucaramanga", "Antananarivo"])
def test_a_place_of_the_lists_needs_less_of_the_model(sentence: str, place: str, detector: BuiltinDetector) -> None:
    text = sentence.format(place)
    assert any(text[f.start : f.end] == place and f.entity == "LOCATION" for f in detector.detect(text))


def test_high_recall_keeps_the_places_that_balanced_drops() -> None:
    text = "We crossed Ilmeria on foot."
    assert not default_detector().detect(text)
    assert any(f.entity == "LOCATION" for f in builtin_detector("high").detect(text))


def test_places_are_lookup_keys_with_their_spaces() -> None:
    assert {"mogadishu", "new york city", "sao paulo", "essex"} <= places()
    assert all(place == place.strip().casefold() for place in places())


@pytest.mark.parametrize(
    "marked",
    [
        "Вчера звонила [Ольга Смирнова] по поводу счёта.",
        "Договор подписала [Екатерина Волкова].",
        "Уважаемый [Алексей Николаевич], ваш заказ готов.",
        "Договір підписала [Оксана Бондаренко].",
        "Χθες τηλεφώνησε ο [Γιώργος Παπαδόπουλος].",
        "Η κυρία [Ελένη Αντωνίου] υπέγραψε το συμβόλαιο.",
    ],
)
def test_a_full_name_in_cyrillic_or_greek_is_found(marked: str, detector: BuiltinDetector) -> None:
    name = marked[marked.index("[") + 1 : marked.index("]")]
    assert people(marked.replace("[", "").replace("]", ""), detector) == [name]
