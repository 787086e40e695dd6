"""Step 6: a tenant is deleted, and the receipt is checked as its recipient would."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from securevec.cli.demo.needles import search_files
from securevec.cli.demo.scene import Scene
from securevec.cli.demo.stage import Breach
from securevec.cli.output import pairs, table
from securevec.errors import KeyDestroyed, ReceiptInvalid, SecurevecError, TenantNotFound, TenantUnavailable

if TYPE_CHECKING:
    from securevec.proof.receipt import Receipt


def erase(scene: Scene) -> None:
    """Delete ``northgate``. A sealed payload copied out before is what a thief of an old disk would hold."""
    stage, store, house = scene.stage, scene.store, scene.northgate
    stage.step(6, f"{house.name} is deleted, with a receipt")
    stolen = scene.point(house, "crown came off")
    needle = str(stolen.payload["b"])[:48]
    before = search_files(scene.places.home, [needle]).found
    opened = _open(scene, stolen.id, needle=str(stolen.payload["b"]))
    scene.places.public_key.write_bytes(store.runtime.keys.signing_key().public_pem())

    result = store.delete_tenant(house.name)
    result.save(scene.places.receipt)
    receipt = _read(scene)
    manifest = receipt.predicate["manifest"]
    stage.document["receipt"] = {"file": str(scene.places.receipt), "key_id": receipt.key_id, "manifest": manifest}
    rows = [(entry["artefact"].split(" (")[0], entry["verdict"], entry["evidence"]) for entry in receipt.artefacts]
    stage.show(
        pairs(
            {
                "receipt": scene.places.receipt,
                "signed by": f"{receipt.key_id[:16]}..., checked with {scene.places.public_key.name} alone",
                "manifest": ", ".join(f"{number} {name}" for name, number in manifest.items()),
            }
        ),
        "",
        table(["artefact", "verdict", "evidence"], rows),
    )
    stage.attempts(
        [
            stage.attempt(
                "P6",
                "search through the handle that was open",
                lambda: f"{len(house.tickets.search('crown'))} hits",
                TenantUnavailable,
            ),
            stage.attempt("P6", "ask for the tenant by name", lambda: repr(store.tenant(house.name)), TenantNotFound),
            stage.attempt(
                "P5",
                f"open a payload copied out before ({opened} bytes then)",
                lambda: f"{_open(scene, stolen.id, needle=str(stolen.payload['b']))} bytes",
                KeyDestroyed,
            ),
            stage.attempt("P5", "find the sealed bytes in the home's files", lambda: _gone(scene, needle, before)),
            stage.attempt("P5", "find the tenant's name in the home's files", lambda: _gone(scene, house.name, 1)),
            stage.attempt("P5", "change one character of the receipt", lambda: _forge(scene), ReceiptInvalid),
        ]
    )


def _open(scene: Scene, point: UUID, *, needle: str) -> int:
    """The length of a sealed body opened where it belongs. Raises :class:`KeyDestroyed` once its key is gone."""
    from securevec.crypto.armour import from_text
    from securevec.crypto.context import Place
    from securevec.crypto.envelope import open_sealed, read_key_id

    blob = from_text(needle)
    key = scene.store.runtime.keys.key_by_id(read_key_id(blob))
    return len(open_sealed(key, blob, Place(key.tenant, key.collection, point, "body")))


def _read(scene: Scene) -> Receipt:
    from securevec.crypto.sign import load_public_pem
    from securevec.proof.receipt import read

    return read(scene.places.receipt.read_bytes(), public=load_public_pem(scene.places.public_key.read_bytes()))


def _gone(scene: Scene, value: str, control: int) -> str:
    if not control:
        raise Breach("not found before the deletion either: this proves nothing")
    searched = search_files(scene.places.home, [value])
    if searched.found:
        raise Breach("still there")
    return f"0 found in {searched.files} files, {searched.bytes / 1e6:.0f} MB"


def _forge(scene: Scene) -> str:
    """A character in the middle of the signed statement, in memory only."""
    from securevec.crypto.sign import load_public_pem
    from securevec.proof.receipt import read

    data = bytearray(scene.places.receipt.read_bytes())
    at = data.index(b'"payload": "') + 400
    data[at] = ord("A") if data[at] != ord("A") else ord("B")
    try:
        return read(bytes(data), public=load_public_pem(scene.places.public_key.read_bytes())).key_id
    except SecurevecError:
        raise
