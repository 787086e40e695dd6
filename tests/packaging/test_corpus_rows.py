"""The library refuses exactly those rows of the corpus that the truth file calls malformed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Final

import pytest

from securevec.errors import RecordError
from securevec.rows.minimize import minimize
from securevec.rows.readers import read_records
from securevec.rows.validate import validate
from securevec.schema import Record, describe

HELPDESK: Final = Path(__file__).resolve().parents[2] / "examples" / "corpora" / "helpdesk"


@pytest.fixture(scope="module")
def ticket() -> type[Record]:
    spec = importlib.util.spec_from_file_location("helpdesk_schema", HELPDESK / "schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.Ticket
    assert isinstance(found, type)
    assert issubclass(found, Record)
    return found


@pytest.mark.parametrize("file", ["larkfield.jsonl", "northgate.csv"])
def test_bad_rows_are_refused_and_no_other(file: str, ticket: type[Record]) -> None:
    lines = [json.loads(line) for line in (HELPDESK / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    truth = {line["row"]: line for line in lines if line["file"] == file}
    schema = describe(ticket)
    refused: set[int] = set()
    for row in read_records(HELPDESK / file):
        if row.value is None:
            refused.add(row.number)
            continue
        try:
            minimize(schema, validate(ticket, row.value))
        except RecordError:
            refused.add(row.number)
    assert refused == {number for number, line in truth.items() if "malformed" in line}
