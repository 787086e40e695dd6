"""The root key wrapped by AWS KMS: boto3, extra ``aws``. Credentials, region and endpoint come from boto3's own chain.

The installation is the encryption context, which KMS authenticates and writes to its own log. One ``Decrypt`` at each
opening of a home, one ``GenerateDataKey`` when a root key is made; nothing on the way of a record.

Tested against moto's server, which shows the wire shape and the errors, and not what KMS itself does: moto decrypts
with disabled keys and keys pending deletion, and accepts deletion windows that AWS refuses.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from securevec.crypto.secret import SECRET_BYTES, Secret
from securevec.errors import (
    ConfigError,
    HomeRefused,
    KeyDestroyed,
    KeyDisabled,
    KeyRejected,
    KeyUnavailable,
    MissingExtra,
    SecurevecError,
)
from securevec.keyproviders.provider import (
    DESTROYED,
    NOT_OURS,
    HeldRoot,
    Params,
    checked_root,
    context,
    text_of,
    to_base64,
    wrapped_of,
)

KIND: Final = "aws-kms"
WAITING_DAYS: Final = 7
"""The shortest wait between asking for a KMS key's deletion and its end."""

_GONE: Final = frozenset({"NotFoundException"})
_REFUSED: Final = frozenset(
    {"AccessDeniedException", "InvalidCiphertextException", "IncorrectKeyException", "UnrecognizedClientException",
     "InvalidSignatureException", "ExpiredTokenException", "InvalidGrantTokenException"}
)  # fmt: skip
_STATE: Final = frozenset({"DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException"})


class AwsKmsProvider:
    """Root keys under one KMS key, or, with ``key=None``, each under a KMS key made for it."""

    kind: ClassVar[str] = KIND
    remote: ClassVar[bool] = True

    def __init__(self, *, key: str | None, client: Any = None) -> None:
        """``key`` is an ARN, key id or alias. ``client`` is a boto3 KMS client; default: one of the environment.

        Raises :class:`MissingExtra`, and :class:`ConfigError` when boto3 has no region.
        """
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise MissingExtra("boto3, which talks to AWS KMS,", extra="aws") from error
        self._failures: Any = (BotoCoreError, ClientError)
        self._key = key
        try:
            settings = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})
            self._client: Any = client or boto3.client("kms", config=settings)
        except BotoCoreError as error:
            raise ConfigError("boto3 has no region or profile for KMS.", next_step="Set AWS_DEFAULT_REGION.") from error

    def create(self, installation_id: str, *, successor: bool = False) -> tuple[HeldRoot, dict[str, object]]:
        key = self._key
        if key is None:
            made = self._call(
                "create_key", Description="securevec root", Tags=[{"TagKey": "securevec", "TagValue": "1"}]
            )
            key = str(made["KeyMetadata"]["Arn"])
        answer = self._call(
            "generate_data_key",
            KeyId=key,
            KeySpec="AES_256",
            EncryptionContext=_context(installation_id, ours=self._key is None),
        )
        secret = answer.get("Plaintext")
        if not isinstance(secret, bytes) or len(secret) != SECRET_BYTES:
            raise KeyRejected("KMS answered with something that is no key.", next_step="Check the endpoint.")
        root = HeldRoot(Secret(secret))
        return root, {
            "kind": KIND,
            # The ARN that KMS answered with: an alias may point at another key tomorrow.
            "key": str(answer["KeyId"]),
            "ours": self._key is None,
            "wrapped": to_base64(answer["CiphertextBlob"]),
            "key_id": root.key_id,
        }

    def load(self, params: Params, installation_id: str) -> HeldRoot:
        answer = self._call(
            "decrypt",
            KeyId=text_of(params, "key"),
            CiphertextBlob=wrapped_of(params, KIND),
            EncryptionContext=_context(installation_id, ours=_ours(params)),
        )
        if "Plaintext" not in answer:  # boto3 takes a body that is cut for an empty one
            raise KeyUnavailable("The answer of KMS is not whole.", next_step="Try again.")
        return checked_root(answer["Plaintext"], params)

    def promote(self, params: Params, installation_id: str) -> None:
        """Nothing to do: the home's description names the key."""

    def retire(self, params: Params, installation_id: str) -> str:
        if not _ours(params):
            return NOT_OURS
        key = text_of(params, "key").rpartition("/")[2]
        try:
            # What the home remembers is a file that somebody may have edited. A key is given up only if it opens the
            # root key as one that was made for it: nobody without the use of that key can write such a description.
            self.load(params, installation_id)
            answer = self._call("schedule_key_deletion", KeyId=key, PendingWindowInDays=WAITING_DAYS)
        except KeyDisabled:  # asked for before: nothing but the date is left to be told
            answer = self._call("describe_key", KeyId=key)["KeyMetadata"]
        except KeyDestroyed:
            return DESTROYED
        ends = answer.get("DeletionDate")
        if not isinstance(ends, datetime):
            raise KeyUnavailable("KMS does not say when the key is deleted.", next_step="Look it up in KMS.")
        return f"effective at {ends.astimezone(UTC).date().isoformat()}"

    def _call(self, operation: str, **arguments: object) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        except self._failures as error:
            raise _mapped(error) from error
        return answer

    def __repr__(self) -> str:
        return "AwsKmsProvider(<hidden>)"


def _ours(params: Params) -> bool:
    ours = params.get("ours")
    if not isinstance(ours, bool):
        raise HomeRefused("The key provider's `ours` is missing.", next_step="Restore installation.json from a backup.")
    return ours


def _context(installation_id: str, *, ours: bool) -> dict[str, str]:
    """Also says whose the KMS key is, so that a key which is its owner's cannot be passed off as ours and deleted."""
    return {**context(installation_id), "kms-key": "made for it" if ours else "its owner's"}


def _mapped(error: Any) -> SecurevecError:
    """An error of boto3 in our words. Its own are kept as the cause."""
    code = str((getattr(error, "response", None) or {}).get("Error", {}).get("Code", ""))
    if code in _GONE:
        return KeyDestroyed("KMS has no such key any more; what it wrapped is gone.")
    if code in _REFUSED:
        return KeyRejected(
            "KMS refused: the credentials may not use this key, or the root key is another installation's.",
            next_step="Check the key policy and installation.json.",
        )
    if code in _STATE:
        return KeyDisabled("The KMS key is disabled or about to be deleted.", next_step="Enable it, or cancel that.")
    return KeyUnavailable("AWS KMS did not answer.", next_step="Check network, region and credentials.")
