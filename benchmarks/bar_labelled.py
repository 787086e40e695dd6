"""How much of labelled texts the built-in detector finds: the set of this repository, and public sets beside it.

    python benchmarks/bar_labelled.py [--data FOLDER] [--json FILE]

``own.jsonl`` and ``styles.jsonl`` of ``benchmarks/labelled`` are always scored, the part that was read while the
detector was changed apart from the part that was not. FOLDER holds public sets as JSON Lines (sources and licences:
docs/names-model.md) and ``secret_cases.jsonl`` (Yelp/detect-secrets, Apache-2.0); without it the public figures stay
those of the last run, and name its detector. Parts that the names model was trained on are not scored. No text is
written anywhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from result import RESULTS, about, write
from score_detection import secrets

from securevec.anonymize import BuiltinDetector, evaluate
from securevec.anonymize.detectors import DETECTOR_VERSION

OWN: Final = Path(__file__).parent / "labelled" / "own.jsonl"
STYLES: Final = Path(__file__).parent / "labelled" / "styles.jsonl"

PUBLIC: Final[dict[str, tuple[float, str]]] = {
    "presidio_generated_large.jsonl": (0.0, "development: rules and templates were written beside it"),
    "presidio_generated_small.jsonl": (0.0, "made as the large one; its errors were not read"),
    "wikigold.jsonl": (0.75, "held out: the last quarter"),
    "wnut17_train.jsonl": (0.8, "held out: the last fifth"),
    "btc_a.jsonl": (0.0, "held out whole"),
    "btc_e.jsonl": (0.0, "held out whole"),
}
"""File, where the scored part begins, and how far the detector knows it. Sections b, f and g of the Broad Twitter
Corpus were trained on and are not here."""

BARS: Final[dict[str, dict[str, tuple[str, float]]]] = {
    "presidio_generated_large.jsonl": {
        **dict.fromkeys(("EMAIL", "IBAN", "IP", "CARD"), ("f1", 0.99)),
        "URL": ("f1", 0.95), "SSN": ("f1", 0.95), "PHONE": ("f1", 0.85), "PERSON": ("f1", 0.85),
        "ADDRESS": ("touched_by_any", 0.95),
    },
    "wikigold.jsonl": {"PERSON": ("f1", 0.80)},
}  # fmt: skip
SECRETS_FOUND: Final = 70


def scored(lines: list[str], detector: BuiltinDetector) -> dict[str, Any]:
    """Per entity: ``gold``, ``precision``, ``recall``, ``f1`` (overlap), ``exact_f1``, ``touched_by_any``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        result = evaluate(path, detector).as_json()
    if result["refused"]:
        raise SystemExit(f"{len(result['refused'])} lines cannot be scored")
    kept = ("gold", "precision", "recall", "f1", "touched_by_any")
    return {
        "texts": result["texts"],
        "entities": {
            name: {key: row[key] for key in kept} | {"exact_f1": row["exact"]["f1"]}
            for name, row in result["entities"].items()
            # A label that is not looked for (MISC, PRODUCT) says nothing about what is.
            if row["gold"] and (row["predicted"] or row["touched_by_any"] > 0.5)
        },
    }


def own(path: Path, detector: BuiltinDetector) -> dict[str, Any]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {part: scored([li for li in lines if json.loads(li)["part"] == part], detector) for part in ("read", "kept")}


def public(folder: Path, detector: BuiltinDetector) -> dict[str, Any]:
    sets: dict[str, Any] = {}
    for name, (begins, known) in PUBLIC.items():
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        sets[name] = {"known": known} | scored(lines[round(len(lines) * begins) :], detector)
    cases = secrets(folder / "secret_cases.jsonl")
    bars = {
        f"{name.removesuffix('.jsonl')}: {entity} {'touched' if key == 'touched_by_any' else key}": {
            "measured": sets[name]["entities"][entity][key],
            "least": least,
        }
        for name, wanted in BARS.items()
        for entity, (key, least) in wanted.items()
    }
    bars["secret_cases: found"] = {"measured": cases["true_positive"], "least": SECRETS_FOUND}
    return {"sets": sets, "secret_cases": cases, "bars": bars, "detector_version": DETECTOR_VERSION}


def main() -> int:
    parser = argparse.ArgumentParser(description="Score the built-in detector on labelled texts.")
    parser.add_argument("--data", type=Path, help="folder of the public sets")
    parser.add_argument("--json", type=Path, default=RESULTS / "labelled.json")
    asked = parser.parse_args()
    detector = BuiltinDetector()
    before = json.loads(asked.json.read_text(encoding="utf-8")) if asked.json.exists() else {}
    document: dict[str, Any] = about("bar_labelled.py --data FOLDER", "google-re2", "phonenumbers", "numpy") | {
        "own": own(OWN, detector),
        "styles": own(STYLES, detector),
        "public": public(asked.data, detector) if asked.data else before.get("public", {}),
        "detector_version": DETECTOR_VERSION,
        "detector": detector.digest,
        "first_measured": before.get("first_measured", {}),
    }
    write(asked.json, document)
    for name in ("own", "styles"):
        for part, row in document[name].items():
            print(f"{name}, {part}: {row['texts']} texts")
            for entity, f in row["entities"].items():
                print(f"  {entity:18}{f['gold']:5}  F1 {f['f1']:.3f}  touched {f['touched_by_any']:.3f}")
    missed = 0
    for name, bar in document["public"].get("bars", {}).items():
        said = "" if bar["measured"] >= bar["least"] else "  MISSED"
        missed += bool(said)
        print(f"{name:55} {bar['measured']:8.3f}  at least {bar['least']}{said}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
