"""Delete the tenants of a list, keep a receipt of each, and check the receipts. Made for cron.

    python delete_tenants.py leavers.txt --home ./home --receipts ./receipts --pubkey issuer.pem

The list has one name a line; ``#`` begins a remark. Run it again after any failure: what is done is passed over, what
was begun goes on. Exit codes: 0 every tenant is gone and every receipt holds; 1 a receipt does not hold or says that
something could not be verified; 2 the list or an option is wrong; 3 a legal hold or a minimum forbids one of them;
4 something needed is not there; 5 one is fenced, its keys are gone, and its files wait for another process.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import securevec as sv
from securevec.crypto.sign import load_public_pem
from securevec.proof.receipt import read


def names(path: Path) -> list[str]:
    """The tenants of a list, each once, in its order."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def delete(store: sv.SecureStore, name: str, receipts: Path, public: bytes) -> int:
    """Delete one tenant and check what its receipt says. The answer is an exit code."""
    try:
        result = store.delete_tenant(name)
    except sv.errors.TenantNotFound:
        print("one of the list is not there: deleted before, or never made")
        return 0
    except sv.SecurevecError as error:
        print(f"refused or failed: {error}", file=sys.stderr)
        return error.exit_code
    if result.receipt is None:
        print(f"job {result.job_id} waits for {result.waiting_for or result.state}", file=sys.stderr)
        return sv.errors.DeletionIncomplete.exit_code
    return check(result.save(receipts / f"{result.job_id}.json"), public)


def check(path: Path, public: bytes) -> int:
    """Whether a receipt is genuine under the pinned key, and whether it claims everything it names."""
    try:
        receipt = read(path.read_bytes(), public=public)
    except sv.errors.ReceiptInvalid as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return error.exit_code
    unsure = [artefact for artefact in receipt.artefacts if artefact["verdict"] == "unverified"]
    print(f"{path.name}: genuine, {len(receipt.artefacts)} artefacts, {len(unsure)} not verified")
    return 1 if unsure else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Delete tenants, with receipts.")
    parser.add_argument("list", type=Path)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--key-file", type=Path, help="the root key, when it is not where it was made")
    parser.add_argument("--receipts", type=Path, required=True)
    # Pinned, from `securevec keys export-public`, and kept apart: a key out of the home would vouch for itself.
    parser.add_argument("--pubkey", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        listed, public = names(options.list), load_public_pem(options.pubkey.read_bytes())
        options.receipts.mkdir(parents=True, exist_ok=True)
    except (OSError, UnicodeDecodeError) as error:
        print(f"cannot be read: {error}", file=sys.stderr)
        return 2
    except sv.SecurevecError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    try:
        with sv.SecureStore.open(options.home, key_file=options.key_file, create=False, use_reserve=True) as store:
            store.run_jobs()  # what an earlier night had to leave
            codes = [delete(store, name, options.receipts, public) for name in listed]
    except sv.SecurevecError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    # The worst is said: something broken, then unfinished, then forbidden, then unsure.
    return next((code for code in (4, 5, 3, 2, 1) if code in codes), 0)


if __name__ == "__main__":
    raise SystemExit(main())
