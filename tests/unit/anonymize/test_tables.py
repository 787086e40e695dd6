"""Cells of tables are read with the head of their column."""

from __future__ import annotations

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.rules.tables import cells, pairs


def found(text: str) -> list[tuple[str, str]]:
    return [(f.entity, text[f.start : f.end]) for f in default_detector().detect(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Party\tRole\tAccount\nacme\tpayee\t67520190\nother\tpayer\t44276297",
        "| Party | Role | Account |\n|---|---|---|\n| acme | payee | 67520190 |\n| other | payer | 44276297 |",
        "Wer | Rolle | Konto\nacme | payee | 67520190\nother | payer | 44276297\n",
    ],
)
def test_a_number_under_the_head_that_names_it_is_found(text: str) -> None:
    accounts = [value for entity, value in found(text) if entity == "BANK_ACCOUNT"]
    assert accounts == ["67520190", "44276297"]


def test_a_number_under_another_head_stays() -> None:
    numbers = [value for _, value in found("Party\tOrdered\nacme\t67520190\nother\t44276297") if value.isdigit()]
    assert numbers == []


def test_a_form_names_its_right_cell_in_its_left_one() -> None:
    text = "Sort code | 99-12-34\nCustomer no. | 4821037\nFull name | Ozrick Tolliveaux"
    assert found(text) == [
        ("SORT_CODE", "99-12-34"),
        ("CUSTOMER_ID", "4821037"),
        ("PERSON", "Ozrick Tolliveaux"),
    ]


def test_a_name_under_a_head_for_people_is_found_whatever_it_looks_like() -> None:
    text = "Customer\tBranch\nOzrick Tolliveaux\tLeeds Road\nquenby varn\tMill Lane"
    assert ("PERSON", "Ozrick Tolliveaux") in found(text)
    assert ("PERSON", "quenby varn") in found(text)
    assert not any(entity == "PERSON" and "Leeds" in value for entity, value in found(text))


def test_offsets_are_those_of_the_text_also_behind_folded_letters() -> None:
    text = "Größe ﬁne\nName\tKonto\nŻółć Straßen\t67520190\n\u200bx\t44276297"
    accounts = [f for f in default_detector().detect(text) if f.entity == "BANK_ACCOUNT"]
    assert [text[f.start : f.end] for f in accounts] == ["67520190", "44276297"]


def test_lines_of_unequal_length_are_no_table() -> None:
    assert list(cells("Account | of | things\n67520190 | 5\n\n| a |\n| b |")) == []


def test_a_margin_of_bars_is_no_row_and_a_rule_of_one_stroke_parts_no_table() -> None:
    manual = " |  account\n |  67520190\n |\n |  44276297\n"
    assert list(cells(manual)) == []
    for rule in ("|---|", "---|", " | ", "|"):
        rows = f"Role | Account\n{rule}\npayee | 67520190\n"
        assert [rows[cell.start : cell.end] for cell in cells(rows) if cell.head == "Account"] == ["67520190"]


def test_a_long_text_full_of_bars_takes_time_in_line_with_its_length() -> None:
    assert sum(1 for _ in cells("a | b | c\n" * 50_000)) == 3 * 49_999
    assert list(cells("|" * 500_000)) == []


def test_the_answer_of_a_database_is_a_table_with_lines_around_it() -> None:
    text = (
        "+----+---------------+-----+\n| id | passport_no   | cvv |\n+----+---------------+-----+\n"
        "|  1 | 533380006     | 221 |\n|  2 | 533380007     | 118 |\n+----+---------------+-----+\n"
    )
    assert [each for each in found(text) if each[0] in {"PASSPORT", "ONE_TIME_CODE"}] == [
        ("PASSPORT", "533380006"), ("ONE_TIME_CODE", "221"), ("PASSPORT", "533380007"), ("ONE_TIME_CODE", "118"),
    ]  # fmt: skip


def test_rows_of_a_dump_stand_under_the_columns_that_it_names_once() -> None:
    text = (
        "COPY public.users (id, login, full_name, birth_date) FROM stdin;\n"
        "7\tmkstern\tquenby varn\t1975-03-14\n8\t\\N\tOzrick Tolliveaux\t1981-07-02\n\\.\n\nafter 1999-01-01"
    )
    assert [each for each in found(text) if each[0] in {"USERNAME", "DATE_OF_BIRTH"}] == [
        ("USERNAME", "mkstern"), ("DATE_OF_BIRTH", "1975-03-14"), ("DATE_OF_BIRTH", "1981-07-02"),
    ]  # fmt: skip
    assert ("PERSON", "quenby varn") in found(text)


def test_a_long_dump_takes_time_in_line_with_its_length() -> None:
    dump = "COPY t (a, b) FROM stdin;\n" + "x\ty\n" * 50_000
    assert sum(1 for _ in cells(dump + "\\.\n")) >= 100_000
    assert len(list(cells("COPY t (a, b) FROM stdin;\n" * 20_000 + "\t|"))) <= 2


def test_a_name_in_front_of_a_sign_is_all_that_stands_there_and_begins_with_a_letter() -> None:
    text = (
        f"?a.b-c=1&x=2 ab==3 9ab=4 _ab=5 caf\u00e9=6 {'n' * 41}=7 {'n' * 42}=8 ab =9 user_id='10 11' "
        f'empty="" long={"v" * 200} longer={"v" * 201}'
    )
    read = [(cell.head, text[cell.start : cell.end]) for cell in pairs(text, bool)]
    assert read == [
        ("a.b-c", "1"), ("ab", "=3"), ("caf\u00e9", "6"), ("n" * 41, "7"), ("user_id", "10 11"), ("long", "v" * 200),
    ]  # fmt: skip
    assert [*pairs(text, lambda name: name == "ab")] == [cell for cell in pairs(text, bool) if cell.head == "ab"]


def test_a_long_text_full_of_signs_takes_time_in_line_with_its_length() -> None:
    assert sum(1 for _ in pairs("name=value&" * 50_000, bool)) == 50_000
    assert [*pairs("=" * 500_000, bool)] == []
    assert [*pairs("n" * 500_000 + "=", bool)] == []
