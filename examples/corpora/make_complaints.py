"""Writes the complaints corpus: letters in four formats and a register, in two parts, with their truth.

    python examples/corpora/make_complaints.py --seed 11 --out examples/corpora/complaints

The same seed gives the same bytes. Needs the standard library only. The parts ``dev`` and ``heldout`` share neither
sentences, layouts, names, streets nor merchants; nobody who works on the detector reads the misses of ``heldout``.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import helpdesk_values as values
from complaint_files import WRITERS
from complaint_text import Case, Document
from helpdesk_text import Text
from make_helpdesk import label_all

HERE = Path(__file__).parent
SPLITS = ("dev", "heldout")
FORMATS = ["md"] * 70 + ["html"] * 40 + ["pdf"] * 16 + ["docx"] * 16
RECORDS = 90
LINES = 320
COLUMNS = (
    *("complaint_id", "customer", "received", "channel", "summary", "resolution", "status"),
    *("handler_mail", "device_ip", "private_note"),
)


def canary(rng: Random) -> str:
    """A value of an undeclared place, to be found again nowhere."""
    return f"canary-{rng.getrandbits(64):016x}"


def fits_winansi(text: Text) -> bool:
    """Whether the fonts of a PDF can show it."""
    try:
        text.value.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def letters(seed: int, split: str, pool: dict[str, Any]) -> list[tuple[str, bytes, Document, list[str]]]:
    """Path in the corpus, bytes, document and canaries of every file of a part."""
    rng = Random(f"{seed}/{split}/order")
    formats = list(FORMATS)
    rng.shuffle(formats)
    made: list[tuple[str, bytes, Document, list[str]]] = []
    for number, extension in enumerate(formats, start=1):
        rng = Random(f"{seed}/{split}/{number}")
        case = Case(rng, pool, split, latin=extension == "pdf")
        layout = pool["layout"][number % len(pool["layout"])]
        document = case.document(layout)
        for block in document.blocks:
            for cell in block.cells:
                label_all(cell)
        if extension == "pdf" and not all(fits_winansi(cell) for block in document.blocks for cell in block.cells):
            extension = "docx"
        marks = [canary(rng) for _ in range(3)] if extension != "md" else []
        name = f"{number:03d}-{document.kind}"
        if rng.random() < 0.06:
            name += "-" + values.ascii_fold(case.text("{me_last}", document).value)
        content = WRITERS[extension](document, rng, marks)
        made.append((f"{split}/letters/{name}.{extension}", content, document, marks))
    return made


def register(seed: int, split: str, pool: dict[str, Any]) -> tuple[bytes, list[dict[str, Any]]]:
    """The register of a part as CSV, and its truth line by line. ``row`` counts from 1, the header not counted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    truth: list[dict[str, Any]] = []
    for number in range(1, RECORDS + 1):
        rng = Random(f"{seed}/{split}/register/{number}")
        case = Case(rng, pool, split)
        done = Document("register")
        customer = case.text(rng.choice(["{me}", "{email}"]), done)
        summary = case.text(rng.choice(pool["register"]["summary"]), done)
        resolution = case.text(rng.choice(pool["register"]["resolution"]), done)
        for text in (summary, resolution):
            label_all(text)
        received = datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(minutes=rng.randint(0, 400_000))
        marks = [canary(rng), f"{rng.choice(['desk', 'case', 'team'])}{values.digits(rng, 5)}@mail.example.com"]
        ip = f"10.{rng.randint(64, 127)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
        cells = [
            f"CMP-2026-{split[0].upper()}{number:03d}{values.digits(rng, 3)}", customer.value,
            received.isoformat(), rng.choice(["mail", "app", "phone", "letter"]), summary.value, resolution.value,
            rng.choice(["open", "open", "upheld", "rejected"]), marks[1], ip, f"not for the customer: {marks[0]}",
        ]  # fmt: skip
        line: dict[str, Any] = {"file": f"{split}/register.csv", "row": number, "split": split, "id": cells[0]}
        if number in (17, 41, 66):
            index, value, why = {
                17: (2, cells[2][:19], "received has no time zone"),
                41: (4, "", "summary is empty"),
                66: (0, "", "complaint_id is missing"),
            }[number]
            cells[index], line["malformed"] = value, why
            summary = Text() if index == 4 else summary
        writer.writerow(cells)
        line["spans"] = {"customer": customer.spans, "summary": summary.spans, "resolution": resolution.spans}
        line["near"], line["canaries"] = done.near, [*marks, ip]
        truth.append(line)
    return out.getvalue().encode(), truth


def lines(documents: Sequence[Document], seed: int) -> list[dict[str, Any]]:
    """A sample of single lines with their spans, every label in it. It ships with the package, for ``doctor``."""
    cells = [cell for document in documents for block in document.blocks for cell in block.cells]
    cells = list({cell.value: cell for cell in cells if 10 <= len(cell.value) <= 400}.values())
    Random(f"{seed}/lines").shuffle(cells)
    seen: dict[str, int] = {}
    picked: list[Text] = []
    # First what is rare, then whatever comes, with and without values.
    for cell in cells:
        if any(seen.get(label, 0) < 12 for _, _, label, _ in cell.spans):
            picked.append(cell)
            for _, _, label, _ in cell.spans:
                seen[label] = seen.get(label, 0) + 1
    picked += [cell for cell in cells if cell not in picked][: LINES - len(picked)]
    return [
        {"text": cell.value, "spans": [[start, end, label] for start, end, label, _ in cell.spans]} for cell in picked
    ]


def to_lines(items: Sequence[dict[str, Any]]) -> bytes:
    """One JSON object a line."""
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items).encode()


def main() -> None:
    """Write the corpus and the sample of lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path, default=HERE / "complaints")
    parser.add_argument("--lines", type=Path, default=HERE.parents[1] / "securevec/cli/recall/lines.jsonl")
    options = parser.parse_args()
    truth: list[dict[str, Any]] = []
    for split in SPLITS:
        pool = tomllib.loads((HERE / "pools" / f"complaints_{split}.toml").read_text(encoding="utf-8"))
        made = letters(options.seed, split, pool)
        folder = options.out / split / "letters"
        folder.mkdir(parents=True, exist_ok=True)
        for path, content, document, marks in made:
            (options.out / path).write_bytes(content)
            truth.append(
                {
                    "file": path, "split": split, "kind": document.kind, "format": path.rsplit(".", 1)[1],
                    "title": document.blocks[0].cells[0].value, "values": document.planted,
                    "near": document.near, "canaries": marks,
                }
            )  # fmt: skip
        content, rows = register(options.seed, split, pool)
        (options.out / split / "register.csv").write_bytes(content)
        truth += rows
        if split == "heldout":
            options.lines.parent.mkdir(parents=True, exist_ok=True)
            options.lines.write_bytes(to_lines(lines([document for _, _, document, _ in made], options.seed)))
    (options.out / "truth.jsonl").write_bytes(to_lines(truth))


if __name__ == "__main__":
    main()
