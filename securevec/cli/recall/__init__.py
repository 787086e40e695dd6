"""The detector measured where it runs: on labelled lines that ship with the package.

``lines.jsonl`` holds single lines of the held-out part of the complaints corpus (examples/corpora/make_complaints.py
writes it). Whoever works on the detector looks at its figures only. Lines stand alone here, without the neighbours that
tell what a number is in a document, so values that only such words give away score lower than in a whole text.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Final

from securevec.anonymize import Evaluation, Names, builtin_detector, evaluate

FLOOR: Final = {
    "EMAIL": 0.98, "PHONE": 0.95, "CARD": 0.95, "IBAN": 0.95, "IP": 0.95, "NATIONAL_ID": 0.9, "SECRET": 0.85,
    "URL_CREDENTIALS": 0.95, "CRYPTO_WALLET": 0.95, "ADDRESS": 0.9, "PERSON": 0.85,
}  # fmt: skip
"""What this release finds of each, less a margin: below it the installed rules or lists are not the shipped ones."""


def measured(names: Names = "small") -> Evaluation:
    """The built-in detector on the shipped lines. Raises ``ConfigError``, ``DetectorError`` or ``MissingExtra`` when it
    cannot run."""
    with as_file(files("securevec.cli.recall").joinpath("lines.jsonl")) as path:
        return evaluate(path, builtin_detector("balanced", names=names))
