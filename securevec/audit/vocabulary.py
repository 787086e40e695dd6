"""Every word an audit record may hold. What is not listed here, or not a digest, id or number, cannot be logged.

The lists are closed on purpose: a free-text field is the place where a name ends up one day. A new word is added
here, in a change somebody reads.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from typing import Final, Literal

from securevec import errors

Action = Literal[
    "search",
    "get",
    "exists",
    "list",
    "verify",
    "leakage",
    "cloak.report",
    "count",
    "ingest",
    "import",
    "update",
    "delete",
    "restore",
    "release",
    "subject.find",
    "subject.export",
    "subject.erase",
    "tenant.open",
    "tenant.create",
    "tenant.suspend",
    "tenant.resume",
    "tenant.delete",
    "tenant.quota",
    "tenant.promote",
    "collection.open",
    "collection.create",
    "describe",
    "grant",
    "key.create",
    "key.destroy",
    "key.rotate",
    "key.reseal",
    "key.reindex",
    "key.recloak",
    "key.renew",
    "key.resurrogate",
    "job.advance",
    "recover",
    "export",
    "config",
    "hold",
    "hold.release",
    "retention.rule",
    "retention.plan",
    "retention.apply",
    "model.rule",
    "purge",
    "backup.create",
    "backup.restore",
    "backup.tombstones",
]
Phase = Literal["intent", "result", "single"]
Outcome = Literal["allowed", "denied", "failed", "recovered"]

DATA: Final[frozenset[str]] = frozenset(
    ["search", "get", "exists", "list", "verify", "count", "ingest", "import", "update", "delete", "restore", "recover"]
).union(["leakage", "cloak.report", "export", "release", "subject.find", "subject.export"])
"""Actions on data (OCSF class 6005); every other action manages an entity (3004)."""

SEALING: Final[frozenset[str]] = frozenset(
    {
        "delete",
        "subject.export",
        "subject.erase",
        "tenant.create",
        "tenant.suspend",
        "tenant.resume",
        "tenant.delete",
        "tenant.quota",
        "tenant.promote",
        "collection.create",
        "grant",
        "key.create",
        "key.destroy",
        "key.rotate",
        "key.reseal",
        "key.reindex",
        "key.recloak",
        "key.renew",
        "key.resurrogate",
        "job.advance",
        "recover",
        "export",
        "config",
        "hold",
        "hold.release",
        "retention.rule",
        "retention.apply",
        "model.rule",
        "purge",
        "backup.create",
        "backup.restore",
        "backup.tombstones",
    }
)
"""Destructive and administrative actions: their result is under a signed checkpoint before it is acknowledged."""

RULES: Final[frozenset[str]] = frozenset(
    {
        "admin-manages",
        "admin-operates",
        "creator-owns",
        "role-owner",
        "role-writer",
        "role-reader",
        "role-revealer",
        "default-deny",
        "fence",
        "engine-failed",
        "job",
    }
)
"""Built-in policy rules. Rules of other engines are named by a digest."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COUNTS: Final[frozenset[str]] = _words(
    """
        batches bytes candidates characters chunks collections deleted dropped embedded expired fields files found held
        hits holds identifiers kept keys missing named new opened points queries records redacted refilled refused
        replaced restored results returned rows sealed spans superseded tenants tokens unchanged updated violations
        writers
        """
)

ENTITIES: Final[frozenset[str]] = _words(
    """
        ADDRESS AGE AGE_SECRET_KEY ANTHROPIC_KEY API_KEY ATLASSIAN_TOKEN AUTH_HEADER AU_TFN AWS_ACCESS_KEY
        AWS_SECRET_KEY AZURE_SAS AZURE_STORAGE_KEY BANK_ACCOUNT BIC BR_CPF CARD CA_SIN CREDIT_CARD COORDINATES CRYPTO
        CRYPTO_WALLET CUSTOMER_ID DATABRICKS_TOKEN DATE DATE_OF_BIRTH DATE_TIME DEA DE_TAX_ID
        DIGITALOCEAN_TOKEN DISCORD_TOKEN DISCORD_WEBHOOK DRIVER_LICENSE EMAIL EMAIL_ADDRESS EMPLOYEE_ID ES_DNI FR_NIR
        GCP_API_KEY GCP_SERVICE_ACCOUNT GITHUB_TOKEN GITLAB_TOKEN GOOGLE_OAUTH GPS HEALTH_PLAN
        HUGGINGFACE_TOKEN IBAN IBAN_CODE IMEI IN_AADHAAR IN_PAN IP IP_ADDRESS ITIN IT_CODICE_FISCALE
        JFROG_TOKEN JWT LICENSE_PLATE LINEAR_TOKEN LOCATION MAC MAC_ADDRESS MAILCHIMP_KEY MAILGUN_KEY MEDICAL_LICENSE
        MEDICARE_ID MEMBER_ID MRN NAME NATIONAL_ID NHS NL_BSN NPI NPM_TOKEN NRP ONE_TIME_CODE OPENAI_KEY
        ORGANIZATION OTHER PASSPORT PASSWORD PERSON PHONE PHONE_NUMBER PRIVATE_KEY PYPI_TOKEN SECRET
        SENDGRID_KEY SHOPIFY_TOKEN SLACK_TOKEN SLACK_WEBHOOK SQUARE_TOKEN SSN STRIPE_KEY SUBJECT_ID TAX_ID
        TELEGRAM_TOKEN TERRAFORM_TOKEN TITLE TOKEN TWILIO_KEY UK_NINO URL URL_CREDENTIALS USERNAME
        US_BANK_NUMBER US_DRIVER_LICENSE US_ITIN US_PASSPORT US_SSN VAT VAULT_TOKEN VIN ZIP
        """
)
"""Entity types of the detector. Types of other detectors are counted as ``OTHER`` (:func:`fold_entities`)."""

ERRORS: Final[frozenset[str]] = frozenset(
    {name for name in vars(errors) if isinstance(getattr(errors, name), type)}
    | {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)}
)
"""Exception classes of securevec and of Python. Others appear as their nearest listed base (:func:`error_name`)."""

HEX: Final = re.compile(r"[0-9a-f]{8,64}\Z")
HEX32: Final = re.compile(r"[0-9a-f]{32}\Z")
EPOCH: Final = re.compile(r"(r[0-9]{1,15}/(b[0-9]{1,15}|never)|hold/[0-9a-f]{32})\Z")

Rule = frozenset[str] | re.Pattern[str] | type[int] | type[bool]
DETAIL: Final[Mapping[str, Rule]] = {
    "backend": frozenset({"memory", "edge", "qdrant", "chroma"}),
    "state": _words(
        """
        active suspended deleting deleted present absent pending live retiring open switched aborted finished
        resolved
        """
    ),
    "step": _words(
        """
        accepted cleared deleted redacted requested authorised hold_checked planned fenced tombstoned deleting shredded
        keys_destroyed
        watched
        removed dropped purged verifying verified receipted done held failed cancelled
        doubled copied switched abandoned
        rolled resealed doomed dual reindexed recloaked rewritten retired
        """
    ),
    "kind": _words(
        "ingest delete tenant_deletion tenant collection record subject retention installation root kek dek sign"
    ),
    "layout": frozenset({"shared", "collection", "shard"}),
    "role": frozenset({"owner", "writer", "reader", "revealer"}),
    "change": _words("created updated unchanged replaced removed granted revoked resumed"),
    "permission": _words(
        """
        tenant.create tenant.manage tenant.delete collection.create ingest search get count delete reveal release
        grant hold hold.release retention unsafe_vectors subject.find subject.export subject.erase
        """
    ),
    "purpose": _words("names actors namespaces sign kek id pseudonym token filter cloak content audit body vault"),
    "provider": frozenset({"file", "passphrase", "pkcs11", "aws-kms"}),
    "target": frozenset({"audit", "public_key", "receipt", "records", "home", "retention", "policy", "detector"}),
    "format": frozenset({"jsonl", "csv", "json", "pem", "records"}),
    "reason": _words(
        """
        policy hold limit fence isolation expired crash lease schema violation missing_key unavailable
        shutdown rejected not_found
        """
    ),
    "hold": HEX32,
    "key_id": HEX32,
    "shard": HEX32,
    "epoch": EPOCH,
    "digest": HEX,
    "model": HEX,
    "detector": HEX,
    "schema": HEX,
    "receipt": HEX,
    "k": int,
    "batch": int,
    "dimension": int,
    "fence": int,
    "generation": int,
    "retention_ms": int,
    "dry_run": bool,
    "filtered": bool,
    "include_vectors": bool,
    "purged": bool,
    "revealed": bool,
    "unnamed": bool,
    "unsafe_vectors": bool,
    "vault": bool,
}


def fold_entities(counts: Mapping[str, int]) -> dict[str, int]:
    """Redaction counts with unlisted entity types added up under ``OTHER``."""
    folded: dict[str, int] = {}
    for entity, count in counts.items():
        name = entity if entity in ENTITIES else "OTHER"
        folded[name] = folded.get(name, 0) + count
    return folded


def error_name(error: BaseException) -> str:
    """The class name to log for an exception: its own if listed, else that of its nearest listed base."""
    return next(base.__name__ for base in type(error).__mro__ if base.__name__ in ERRORS)
