"""Where a value stands gives it away, and what only stands in such a place is left alone: names that manuals make up,
what a form checks a password by, the corners of an outline."""

from __future__ import annotations

import base64

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.surrogates.values import surrogate

_KEYS = [bytes([number]) * 32 for number in range(40)]


def _found(text: str) -> set[tuple[str, str]]:
    return {(found.entity, text[found.start : found.end]) for found in default_detector().structured(text)}


def test_every_column_of_an_insert_is_read_under_its_name() -> None:
    rows = "('ann_lee9', 'Pea#zYxD3n', '44-2291-77', 'MBX-4821'), ('tom_w7', 'Kx9#mPq2vL', '44-2291-78', 'MBX-4822')"
    found = _found(f"INSERT INTO users (username, password, account_number, medical_record_number) VALUES {rows};")
    assert found >= {
        *(("USERNAME", "ann_lee9"), ("USERNAME", "tom_w7"), ("SECRET", "Pea#zYxD3n"), ("SECRET", "Kx9#mPq2vL")),
        *(("BANK_ACCOUNT", "44-2291-77"), ("BANK_ACCOUNT", "44-2291-78"), ("MRN", "MBX-4821"), ("MRN", "MBX-4822")),
    }


def test_a_name_and_a_password_in_base64_are_a_secret_and_other_base64_behind_the_same_word_is_none() -> None:
    pair = base64.b64encode(b"svc_mail:Orchard7lane").decode()
    other = base64.b64encode(b"one sentence in plain words").decode()
    assert ("SECRET", pair) in _found(f'{{"auths": {{"reg.example.com": {{"auth": "{pair}"}}}}}}')
    assert not any(kind == "SECRET" for kind, _ in _found(f'{{"mode": {{"auth": "{other}"}}}}'))


@pytest.mark.parametrize(
    "text", ["비밀번호(Kxi@zkHy0u)", "密码（Kxi@zkHy0u）", "パスワード (Kxi@zkHy0u)", "비밀번호: Kxi@zkHy0u"]
)
def test_a_password_in_brackets_behind_its_word_in_another_script_ends_in_front_of_the_bracket(text: str) -> None:
    found = default_detector().detect(text)
    assert [(each.entity, text[each.start : each.end]) for each in found] == [("SECRET", "Kxi@zkHy0u")]


@pytest.mark.parametrize(
    ("value", "nothing"),
    [
        ("username: brave_otter21", "gcloud iam service-accounts create sa --display-name=batch-runner2"),
        ('"username": "o.lindt90"', '{"username": User._meta.get_field("screen_name")}'),
        ("user name rvdz417", 'fields = ["username", "password1", "password2"]'),
        ("Username: knut_berg", '"username": "test_user2", "user": "mysql_user"'),
        ("GPS 48.8566, 2.3522", "located at [[12.41579, 43.95795], [12.45055, 43.97972]]"),
        ("at 48.8566, 2.3522", "located at POLYGON((12.41579 43.95795,12.45055 43.97972,12.45389 43.98167))"),
        ("position 48.8566, 2.3522", "position 0.12345, 1.23456, 2.34567, 3.45678"),
        ("aged 34", "a cookie with a max-age of 36, and one with an age of 365 days"),
        ("call 0171 3920012", 'call "PST PDT|80 70|01010102|"'),
        ("NIR 255081416802538", "row 123137890123026 of 123147890123042"),
        ("password: Tr0ub4dor&3", "password: required|min:8|confirmed"),
        ("my password is Tr0ub4dor&3", "validate(password, user=None)"),
        ('token = "Tr0ub4dor&3"', 'token = "https://login.example.org/oauth2/token1"'),
        ("ring oh seven seven double oh nine one four two two", "count one two three four five six seven eight"),
        ("my pin is four four eight one", "the pin one two three"),
        ("orlam705 joined the channel", "python joined the channel"),
        ("contact 021 4006034", "contact 30736 2007-01-31"),
        ("ring me on 020 7946 0958", "ring 12  2019-08-16 22"),
        ("pass meadow71gate!", "pass --enable-gui=gtk3"),
        ('{"handle": "brave_otter21"}', '{"handle": "0198d3a7-1111-7222-8333-444455556666"}'),
        ("user name rvdz417", "account_name, account_key = pair"),
        ("geo:-22.8331,140.5273", "<coordinates>10.15,50.22,0 10.35,50.42,0 10.55,50.12,0</coordinates>"),
        ("orlam:x:1004:1004::/home¦/orlam:/bin/bash".replace("¦", ""), "daemon:x:1:1:daemon:/usr/sbin:/bin/false"),
        ("our website is bakery-lindqvist.com", "bakery-lindqvist.com/a and os.path.co"),
    ],
)
def test_what_only_stands_where_a_value_would_is_left_alone(value: str, nothing: str) -> None:
    kinds = {kind for kind, _ in _found(value)}
    assert kinds
    assert not kinds & {kind for kind, _ in _found(nothing)}


def test_a_line_that_goes_on_behind_a_date_of_birth_is_no_date() -> None:
    assert _found("Geburtsdatum: 14.06.1978, Kundennummer: 87577435") == {
        ("DATE_OF_BIRTH", "14.06.1978"),
        ("CUSTOMER_ID", "87577435"),
    }


def test_stand_ins_of_the_new_forms_are_nobodys() -> None:
    domains = {surrogate(key, "URL", "bakery-lindqvist.com") for key in _KEYS}
    assert len(domains) > len(_KEYS) // 2
    assert all(domain.endswith(".example.com") and "/" not in domain for domain in domains)
    assert all("example.com/" in surrogate(key, "URL", "docs.orchard.io/guide") for key in _KEYS)
    # A branch of an Indian bank has a zero behind its four letters, an American taxpayer's last digits begin anyhow.
    assert all(surrogate(key, "ROUTING_NUMBER", "EQDM0762980")[4] != "0" for key in _KEYS)
    assert all(surrogate(key, "SSN", "***-**-7253").startswith("***-**-") for key in _KEYS)


def test_a_number_that_is_said_digit_by_digit_is_one_value_of_its_kind() -> None:
    card = "four five three nine one one two seven oh oh three eight six two four four"
    assert _found(f"it is {card}, thanks") == {("CARD", card)}
    social = "four one seven two nine six one oh three"
    assert ("SSN", social) in _found(f"my social is {social}")


def test_what_a_login_is_handed_beside_its_name_and_both_are_found() -> None:
    assert _found('new UsernamePasswordCredentials("orlam", "lakeside4482")') == {
        ("USERNAME", "orlam"),
        ("SECRET", "lakeside4482"),
    }
    assert _found("htpasswd -b .htpasswd orlam lakeside4482") == {("USERNAME", "orlam"), ("SECRET", "lakeside4482")}


def test_the_stand_in_of_a_plus_code_is_another_place_and_a_wallet_keeps_its_network() -> None:
    made = {surrogate(key, "COORDINATES", "8FVC7G8F+3W") for key in _KEYS}
    assert len(made) > len(_KEYS) // 2
    assert all(code[8] == "+" and len(code) == 11 and code[:4] != "8FVC" for code in made)
    assert all(set(code) <= {*"23456789CFGHJMPQRVWX+"} for code in made)
    cash = surrogate(_KEYS[0], "CRYPTO_WALLET", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a")
    assert cash.startswith("bitcoincash:")
    assert "qpm2" not in cash
    stellar = surrogate(_KEYS[0], "CRYPTO_WALLET", "GTCH3MSBE4E5DKP7P4ZIMB7CLCO57RC4NJEP2KGG3YXMZMAVPASNUCFA")
    assert stellar.isupper()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("numero de empleado E13177", "E13177"),
        ("personeelsnummer EMP-78708", "EMP-78708"),
        ("numero de empleado es E13177", "E13177"),
        ("il veicolo targato EX-823-YS", "EX-823-YS"),
        ("account_pin=1264.", "1264"),
    ],
)
def test_no_letter_of_a_code_is_taken_for_a_word_in_front_of_it(text: str, value: str) -> None:
    assert value in {found for _, found in _found(text)}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Встреча 8 марта 1990 г.", "8 марта 1990"),
        ("Зустріч 23 жовтня 1986 року", "23 жовтня 1986"),
        ("Срещата е на 2 октомври 1993", "2 октомври 1993"),
        ("στις 5 Ιανουαρίου 1979.", "5 Ιανουαρίου 1979"),
        ("会议于2014年8月12日举行", "2014年8月12日"),
        ("会議は令和5年8月12日に", "令和5年8月12日"),
        ("회의는 2019년 7월 25일에", "2019년 7월 25일"),
        ("في 5 يناير 2019", "5 يناير 2019"),
        ("ב-5 בינואר 2019", "5 בינואר 2019"),
        ("बैठक 5 जनवरी 2019 को", "5 जनवरी 2019"),
        ("วันที่ 5 มกราคม พ.ศ. 2562", "5 มกราคม พ.ศ. 2562"),
    ],
)
def test_a_day_in_a_script_of_its_own_is_a_date_and_beside_birth_a_birthday(text: str, day: str) -> None:
    born = {"8 марта 1990": "родился", "2014年8月12日": "生于", "5 Ιανουαρίου 1979": "γεννήθηκε"}
    said = [(found.entity, text[found.start : found.end]) for found in default_detector().detect(text)]
    assert ("DATE", day) in said
    if day in born:
        birthday = f"{born[day]} {day}"
        assert [found.entity for found in default_detector().detect(birthday)] == ["DATE_OF_BIRTH"]


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("Ей 30 лет.", "30"),
        ("30-летний водитель", "30"),
        ("今年81歳です", "81"),
        ("만 73세 여성", "73"),
        ("ηλικίας 44 ετών", "44"),
    ],
)
def test_an_age_in_a_script_of_its_own_is_found_and_a_span_of_years_is_none(text: str, age: str) -> None:
    assert ("AGE", age) in {(found.entity, text[found.start : found.end]) for found in default_detector().detect(text)}
    assert "AGE" not in {found.entity for found in default_detector().detect("Прошло 30 лет. 21세기")}


def test_what_a_square_is_called_after_is_no_date_and_another_day_of_a_form_is_no_birthday() -> None:
    kinds = [("Place du 8 mai 1945", set[str]()), ("le 8 mai 1945", {"DATE"}), ("It took place 8 May 1945", {"DATE"})]
    for text, wanted in kinds:
        assert {kind for kind, _ in _found(text)} & {"DATE", "DATE_OF_BIRTH"} == wanted
    found = _found("DOB: 20.03.1967. Date of discharge: 11/20/2008.")
    assert {("DATE_OF_BIRTH", "20.03.1967"), ("DATE", "11/20/2008")} <= found
    assert ("DATE_OF_BIRTH", "11/20/2008") not in found
