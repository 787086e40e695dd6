"""Part (d) of the leak check: ten things that go wrong, each fed with labelled values, and all that is said about it.

Each run is done through the library, where what an exception says in ``str``, ``repr``, its attributes and its printed
traceback is kept (local variables are not printed; who prints them prints content), and, where there is a command for
it, through the command line.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pytest

import securevec as sv
from securevec.anonymize import Finding
from securevec.cli.main import main
from securevec.state import home as homes
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedText, Matrix
from tests.support.corpus import TruthRow
from tests.support.helpdesk import ACTOR, COLLECTION, CORPUS, TENANTS, read_truth, ticket_class

FILE: Final = "larkfield.jsonl"
TENANT: Final = TENANTS[FILE]
_APART: Final = frozenset({"wrong passphrase", "malformed rows"})
COMMAND: Final = (sys.executable, "-c", "from securevec.cli.main import run; run()")
CANARY: Final = next(row for row in read_truth() if row.file == FILE).canaries[0]
DIMENSION: Final = HashEmbedder().identity.dimension


@dataclass(frozen=True, slots=True)
class Stage:
    """A filled home, open, a home with a passphrase, and corpus rows to fail with."""

    root: Path
    store: sv.SecureStore
    collection: sv.Collection[Any]
    raws: Sequence[Mapping[str, Any]]
    truths: Sequence[TruthRow]

    def value(self, label: str) -> str:
        """Some planted value of this label."""
        return next(item.value for row in self.truths for item in row.planted if item.label == label)


Run = Callable[[Stage], object]


class _QuotingDetector:
    """Fails as badly as a third party may: with the text in its message."""

    def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
        raise ValueError(f"cannot make sense of {field_name}: {text!r}")


class _QuotingEmbedder(HashEmbedder):
    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        raise RuntimeError(f"{CANARY} in {[item.text for item in texts]!r}")


def set_up(root: Path, backend: str | None = None) -> Stage:
    """Homes and a filled collection below ``root``. Close ``store`` when done."""
    store = sv.SecureStore.open(
        root / "home", key_file=root / "keys" / "root.key", embedder=HashEmbedder(), backend=backend
    )
    with sv.SecureStore.open(root / "sealed", passphrase="the right one", embedder=HashEmbedder()):
        pass
    collection = store.tenant(TENANT, create=True, actor=ACTOR).collection(ticket_class(), name=COLLECTION)
    truths = [row for row in read_truth() if row.file == FILE and not row.malformed]
    lines = (CORPUS / FILE).read_text(encoding="utf-8").splitlines()
    raws: list[dict[str, Any]] = [json.loads(lines[row.number - 1]) for row in truths[:40]]
    collection.ingest(raws[:20])
    return Stage(root, store, collection, raws, truths)


def _wrong_passphrase(stage: Stage) -> object:
    return sv.SecureStore.open(stage.root / "sealed", passphrase=f"not {CANARY}")


def _key_file_under_home(stage: Stage) -> object:
    home = stage.root / "other"
    return sv.SecureStore.open(home, key_file=home / f"{CANARY}.key", embedder=HashEmbedder())


def _locked_engine(stage: Stage) -> object:
    with sv.SecureStore.open(
        stage.root / "home", key_file=stage.root / "keys" / "root.key", embedder=HashEmbedder()
    ) as second:
        return second.tenant(TENANT, actor=ACTOR).collection(ticket_class(), name=COLLECTION)


def _bad_csv(stage: Stage) -> object:
    return stage.collection.ingest(bad_csv(stage.root))


def _malformed_rows(stage: Stage) -> object:
    reports = [stage.collection.ingest(path) for path in malformed_rows(stage.root)]
    if any(report.new for report in reports) or not all(report.refused for report in reports):
        raise AssertionError("malformed rows were taken")
    return reports


def _nan_vectors(stage: Stage) -> object:
    vectors = np.full((len(stage.raws), DIMENSION), np.nan, dtype=np.float32)
    report = stage.collection.ingest(stage.raws, vectors=vectors, vectors_of="anonymized_text")
    if len(report.refused) != len(stage.raws):
        raise AssertionError("vectors that are not numbers were taken")
    return report


def _unknown_filter_field(stage: Stage) -> object:
    return stage.collection.search("refund", where=sv.F("ssn_on_file") == stage.value("SSN"))


def _filter_of_wrong_type(stage: Stage) -> object:
    return stage.collection.search("refund", where=sv.F("opened") >= stage.value("EMAIL"))


def _over_limit(stage: Stage) -> object:
    first = dict(stage.raws[0])
    long_id = {**first, "id": stage.truths[0].id * 100}
    long_body = {**first, "body": str(first["body"]) * (11_000_000 // len(str(first["body"])))}
    report = stage.collection.ingest([long_id, long_body])
    if len(report.refused) != 2:
        raise AssertionError("records over the limit were taken")
    return report


def _over_limit_query(stage: Stage) -> object:
    return stage.collection.search(stage.value("EMAIL") * 50_000)


def _with_a_failing_detector(stage: Stage, act: Callable[[sv.Collection[Any]], object]) -> object:
    runtime = stage.store.runtime
    working, runtime.detector = runtime.detector, _QuotingDetector
    try:
        return act(stage.store.tenant(TENANT, actor=ACTOR).collection(ticket_class(), name="another"))
    finally:
        runtime.detector = working


def _failing_detector(stage: Stage) -> object:
    return _with_a_failing_detector(stage, lambda collection: collection.ingest(stage.raws))


def _failing_query_detector(stage: Stage) -> object:
    return _with_a_failing_detector(stage, lambda collection: collection.search(stage.value("EMAIL")))


def _failing_embedder(stage: Stage) -> object:
    with sv.SecureStore.open(
        stage.root / "fourth", key_file=stage.root / "keys" / "fourth.key", embedder=_QuotingEmbedder()
    ) as store:
        return store.tenant(TENANT, create=True, actor=ACTOR).collection(ticket_class()).ingest(stage.raws)


def _unknown_tenant(stage: Stage) -> object:
    return stage.store.tenant(stage.value("PERSON"))


def _actor_without_role(stage: Stage) -> object:
    return stage.store.tenant(TENANT, actor=sv.Actor(f"user:{stage.value('EMAIL')}"))


def _unknown_record(stage: Stage) -> object:
    return stage.collection.get(stage.truths[-1].id)


LIBRARY: Final[Mapping[str, tuple[type[BaseException] | None, Run]]] = {
    "wrong passphrase": (sv.errors.KeyRejected, _wrong_passphrase),
    "key file under the home": (sv.errors.HomeRefused, _key_file_under_home),
    "locked engine": (sv.errors.EngineLocked, _locked_engine),
    "bad CSV": (sv.errors.SourceError, _bad_csv),
    "malformed rows": (None, _malformed_rows),
    "NaN vectors": (None, _nan_vectors),
    "unknown filter field": (sv.errors.FilterError, _unknown_filter_field),
    "filter of the wrong type": (sv.errors.FilterError, _filter_of_wrong_type),
    "over-limit record": (None, _over_limit),
    "over-limit query": (sv.errors.LimitExceeded, _over_limit_query),
    "failing detector": (sv.errors.DetectorError, _failing_detector),
    "failing detector of a query": (sv.errors.DetectorError, _failing_query_detector),
    "failing embedder": (sv.errors.EmbedderError, _failing_embedder),
    "unknown tenant": (sv.errors.TenantNotFound, _unknown_tenant),
    "actor without a role": (sv.errors.TenantNotFound, _actor_without_role),
    "unknown record": (sv.errors.RecordNotFound, _unknown_record),
}
"""What goes wrong, the error it must end in (``None``: a report that refuses rows), and how it is brought about."""


def what_is_said(stage: Stage, name: str) -> str:
    """Do one run and return everything its outcome shows. Raises ``AssertionError`` when nothing went wrong."""
    expected, run = LIBRARY[name]
    try:
        outcome = run(stage)
    except Exception as error:
        if expected is None or not isinstance(error, expected):
            raise
        shown = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
        return "\n".join(shown)
    if expected is not None:
        raise AssertionError(f"{name}: nothing went wrong")
    reports = cast("list[sv.IngestReport]", outcome if isinstance(outcome, list) else [outcome])
    return "\n".join(f"{each}\n{each!r}\n{each._repr_html_()}\n{asdict(each)}" for each in reports)


def bad_csv(root: Path) -> Path:
    """A CSV of corpus rows whose first line is no header, and whose last cell never ends."""
    path = root / "bad.csv"
    with (CORPUS / "northgate.csv").open(newline="", encoding="utf-8") as lines:
        cells = list(csv.reader(lines))[1:12]
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([[*cells[0], cells[0][0], cells[0][0]], *cells[1:]])
        out.write('"' + cells[0][2])
    return path


def malformed_rows(root: Path) -> list[Path]:
    """Every malformed row of the corpus, and no other."""
    bad = {(row.file, row.number) for row in read_truth() if row.malformed}
    jsonl, table = root / "malformed.jsonl", root / "malformed.csv"
    lines = (CORPUS / "larkfield.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    jsonl.write_text("".join(line for at, line in enumerate(lines, 1) if ("larkfield.jsonl", at) in bad))
    with (CORPUS / "northgate.csv").open(newline="", encoding="utf-8") as source:
        rows = list(csv.reader(source))
    with table.open("w", newline="", encoding="utf-8") as out:
        kept = [row for at, row in enumerate(rows) if at == 0 or ("northgate.csv", at) in bad]
        csv.writer(out).writerows(kept)
    return [jsonl, table]


def commands(stage: Stage) -> dict[str, tuple[int, list[str], dict[str, str]]]:
    """Exit code, arguments and environment of each run that has a command."""
    key = {"SECUREVEC_KEY_FILE": str(stage.root / "keys" / "root.key")}
    free_key = {"SECUREVEC_KEY_FILE": str(stage.root / "keys" / "free.key")}
    home, free = ["--home", str(stage.root / "home")], ["--home", str(stage.root / "free")]
    place = f"{TENANT}/{COLLECTION}"
    over = stage.root / "over.jsonl"
    over.write_text(json.dumps({**stage.raws[0], "id": stage.truths[0].id * 100}, default=str) + "\n")
    jsonl, table = malformed_rows(stage.root)
    schema = ["--schema", f"{CORPUS / 'schema.py'}:Ticket"]
    return {
        "wrong passphrase": (
            4,
            ["tenant", "list", "--home", str(stage.root / "sealed")],
            {"SECUREVEC_PASSPHRASE": CANARY},
        ),
        "key file under the home": (
            3,
            ["init", "--home", str(stage.root / "third")],
            {"SECUREVEC_KEY_FILE": str(stage.root / "third" / "root.key")},
        ),
        "locked engine": (4, ["ingest", str(jsonl), "--to", f"{TENANT}/another-place", *schema, *home], key),
        "bad CSV": (2, ["ingest", str(bad_csv(stage.root)), "--to", place, *free], free_key),
        "malformed rows": (1, ["ingest", str(jsonl), str(table), "--to", place, *free], free_key),
        "unknown filter field": (
            2,
            ["search", place, "refund", "--where", f"ssn_on_file={stage.value('SSN')}", *free],
            free_key,
        ),
        "over-limit record": (1, ["ingest", str(over), "--json", "--to", place, *free], free_key),
        "unknown tenant": (3, ["tenant", "show", stage.value("PERSON"), *free], free_key),
        "unknown record": (3, ["get", place, stage.truths[-1].id, *free], free_key),
    }


def set_up_command_line(stage: Stage) -> None:
    """A home whose engine nobody holds, with a collection of the default model and nothing in it."""
    backend = homes.load(stage.root / "home").backend
    with sv.SecureStore.open(stage.root / "free", key_file=stage.root / "keys" / "free.key", backend=backend) as store:
        store.tenant(TENANT, create=True, actor=ACTOR).collection(ticket_class(), name=COLLECTION)


def run_commands(stage: Stage, capture: pytest.CaptureFixture[str] | None = None) -> dict[str, tuple[int, int, bytes]]:
    """Expected exit code, exit code, and everything written, of each command, in a process of its own.

    With ``capture`` only two of them are, which show what an interpreter says when it ends; the others are run in this
    process, and what they write to its two streams is taken from there.
    """
    return {
        name: (_in_a_process if capture is None or name in _APART else partial(_here, capture))(*entry)
        for name, entry in commands(stage).items()
    }


def _in_a_process(code: int, arguments: list[str], environment: dict[str, str]) -> tuple[int, int, bytes]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return code, done.returncode, done.stdout


def _here(
    capture: pytest.CaptureFixture[str], code: int, arguments: list[str], environment: dict[str, str]
) -> tuple[int, int, bytes]:
    capture.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        ended = main(arguments)
    written = capture.readouterr()
    return code, ended, (written.out + written.err).encode()
