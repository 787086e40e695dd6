"""What every key provider must do, as one suite of tests: derive from :class:`ProviderContract` and say how yours is
made. It is run here against a key file, a passphrase, a PKCS#11 token and AWS KMS.
"""

from __future__ import annotations

import base64
import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final, cast

import orjson
import pytest

from securevec.errors import HomeRefused, KeyDestroyed, KeyRejected, SecurevecError
from securevec.keyproviders.provider import Provider

INSTALLATION: Final = "0123456789abcdef0123456789abcdef"
OTHER: Final = "f" * 32


class ProviderContract(ABC):
    """``make`` returns a provider; called twice in a test, the second is another process on the same keys."""

    binds_installation: bool = True
    """Whether a wrapped root key opens for its own installation only."""
    destroys: bool = True
    """Whether a retired root key can be loaded no more."""
    evidence: str = ""
    """How what :meth:`Provider.retire` says begins."""

    @pytest.fixture
    @abstractmethod
    def make(self) -> object: ...

    def _made(self, make: object) -> Provider:
        assert callable(make)
        return cast("Provider", make())

    def test_a_root_key_is_found_again_by_what_was_remembered(self, make: object) -> None:
        root, remembered = self._made(make).create(INSTALLATION)
        kept: Mapping[str, object] = orjson.loads(orjson.dumps(remembered))
        again = self._made(make).load(kept, INSTALLATION)
        assert again.key_id == root.key_id
        assert again.secret() == root.secret()

    def test_what_is_remembered_holds_no_secret(self, make: object) -> None:
        provider = self._made(make)
        root, remembered = provider.create(INSTALLATION)
        text, secret = orjson.dumps(remembered), root.secret().bytes()
        shown = repr(provider) + repr(root)
        for spelled in (secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(secret)):
            assert spelled not in text
            assert spelled.decode("latin-1") not in shown
        with pytest.raises(TypeError):
            pickle.dumps(root.secret())

    def test_a_successor_is_another_key_and_both_load_until_one_is_retired(self, make: object) -> None:
        provider = self._made(make)
        old, first = provider.create(INSTALLATION)
        new, second = provider.create(INSTALLATION, successor=True)
        assert old.key_id != new.key_id
        assert provider.load(first, INSTALLATION).secret() == old.secret()
        provider.promote(second, INSTALLATION)
        provider.promote(second, INSTALLATION)
        fresh = self._made(make)
        assert fresh.load(second, INSTALLATION).secret() == new.secret()
        assert fresh.load(first, INSTALLATION).secret() == old.secret()
        said = fresh.retire(first, INSTALLATION)
        assert said.startswith(self.evidence)
        assert fresh.retire(first, INSTALLATION).startswith(self.evidence)
        if self.destroys:
            with pytest.raises((KeyDestroyed, KeyRejected)):
                self._made(make).load(first, INSTALLATION)
        assert self._made(make).load(second, INSTALLATION).secret() == new.secret()

    def test_a_root_key_of_another_installation_does_not_load(self, make: object) -> None:
        if not self.binds_installation:
            return
        provider = self._made(make)
        _, remembered = provider.create(INSTALLATION)
        with pytest.raises((KeyRejected, SecurevecError)) as caught:
            provider.load(remembered, OTHER)
        assert isinstance(caught.value, KeyRejected)

    def test_every_edit_of_what_is_remembered_is_refused_in_our_words(self, make: object) -> None:
        provider = self._made(make)
        root, remembered = provider.create(INSTALLATION)
        for name in remembered:
            for edited in _edits(remembered, name):
                try:
                    found = provider.load(edited, INSTALLATION)
                except SecurevecError:
                    continue
                # A salt is not authenticated: then the id tells.
                assert found.key_id != root.key_id

    def test_an_edited_description_destroys_nobody_elses_key(self, make: object) -> None:
        """A home's files cannot make its rotation give up a key that did not wrap the home's root key."""
        provider = self._made(make)
        root, remembered = provider.create(INSTALLATION)
        if "key" not in remembered:
            return
        other, theirs = self._made(make).create(OTHER)
        claims: list[dict[str, object]] = [{"key": theirs["key"]}]
        if "ours" in remembered:
            claims.append({"ours": True})
        for edited in ({**remembered, **claim} for claim in claims):
            if edited != remembered:
                with pytest.raises(KeyRejected):
                    provider.retire(edited, INSTALLATION)
        assert self._made(make).load(theirs, OTHER).secret() == other.secret()
        assert self._made(make).load(remembered, INSTALLATION).secret() == root.secret()

    def test_parameters_of_another_kind_are_refused(self, make: object) -> None:
        provider = self._made(make)
        _, remembered = provider.create(INSTALLATION)
        with pytest.raises(HomeRefused):
            provider.load({**remembered, "kind": "abacus"}, INSTALLATION)


def _edits(remembered: Mapping[str, object], name: str) -> list[dict[str, object]]:
    value = remembered[name]
    without = {key: each for key, each in remembered.items() if key != name}
    edits: list[object] = [None, 7, ""]
    if isinstance(value, str) and value:
        last = len(value) // 2
        edits += [value[:-4], value[:last] + ("A" if value[last] != "A" else "B") + value[last + 1 :]]
    return [without, *({**remembered, name: edit} for edit in edits if edit != value)]
