"""The contract of key providers, against each of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from securevec.keyproviders.aws_kms import AwsKmsProvider
from securevec.keyproviders.choosing import provider_from
from securevec.keyproviders.file import FileProvider
from securevec.keyproviders.passphrase import PassphraseProvider
from securevec.keyproviders.provider import Provider
from securevec.testing.keyproviders import ProviderContract
from tests.support.keyservices import NEEDS_TOKEN, kms_client


class TestKeyFile(ProviderContract):
    binds_installation = False  # a key file is put in place by its owner, for whom it likes
    evidence = "removed from live files"

    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[[], Provider]:
        return lambda: FileProvider(tmp_path / "keys" / "root.key", tmp_path / "home")


class TestPassphrase(ProviderContract):
    binds_installation = False  # the salt does that: it is the installation's own
    destroys = False
    evidence = "removed from live files; the passphrase still opens a copy of its salt"

    @pytest.fixture
    def make(self) -> Callable[[], Provider]:
        return lambda: PassphraseProvider("correct horse battery staple")


@NEEDS_TOKEN
class TestToken(ProviderContract):
    evidence = "destroyed (provider evidence)"

    @pytest.fixture
    def make(self, token: dict[str, str]) -> Callable[[], Provider]:
        def make() -> Provider:
            provider = provider_from("pkcs11", token)
            assert provider is not None
            return provider

        return make


class TestAwsKms(ProviderContract):
    # moto decrypts under a key that is to be deleted: real KMS does not, and nothing here shows it.
    destroys = False
    evidence = "effective at 20"

    @pytest.fixture
    def make(self, kms: str) -> Callable[[], Provider]:
        return lambda: AwsKmsProvider(key=None, client=kms_client(kms))


class TestAwsKmsKeyOfItsOwner(ProviderContract):
    destroys = False
    evidence = "kept by its owner"

    @pytest.fixture
    def make(self, kms: str) -> Callable[[], Provider]:
        key = kms_client(kms).create_key()["KeyMetadata"]["Arn"]
        return lambda: AwsKmsProvider(key=key, client=kms_client(kms))
