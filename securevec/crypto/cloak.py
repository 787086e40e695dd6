"""The vector cloak: keyed geometry-preserving obfuscation (docs/formats.md section 5.5). Not encryption.

A secret rotation per collection, and with ``noise`` a displacement that whoever has the key takes away again. Distances
between the vectors of one collection stay as they are, so a store can search, and so whoever has enough known pairs of
text and vector, or enough texts of the same kind, can find the rotation: docs/threat-model.md says how many.

The rotation is Haar-distributed: the QR factor of a Gaussian matrix with a positive diagonal (Mezzadri, "How to
generate random matrices from the classical compact groups", Notices of the AMS 54, 2007). The noise is uniform in a
ball, as in Scale-And-Perturb (Fuchsbauer, Ghosal, Hauke, O'Neill, SCN 2022), without its scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NoReturn, TypeVar

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from securevec.crypto.kdf import h16_hex, hmac256, lp
from securevec.errors import ConfigError, VectorError
from securevec.types import Matrix

F = TypeVar("F", np.float32, np.float64)

VERSION: Final = 1
MAX_NOISE: Final = 3.0
"""Beyond 4 the noise is as long as the vector, and a store that keeps unit lengths could not be undone."""
_BALL: Final = 4.0
"""Noise of strength ``beta`` lies in a ball of radius ``beta / 4`` around a vector of length one."""
_SIGMAS: Final = 8.0
"""How many standard deviations of the noise in one direction are taken for the most there is."""
_BLOCK: Final = 16


@dataclass(frozen=True, slots=True)
class Cloak:
    """How the vectors of a collection are obfuscated: rotated, and with ``noise`` (0 to 3) displaced as well.

    Raises :class:`ConfigError` for another strength.
    """

    noise: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "noise", _strength(self.noise))

    @property
    def mode(self) -> Literal["rotate", "rotate+noise"]:
        return "rotate+noise" if self.noise else "rotate"


class VectorCloak:
    """The cloak of one collection under its key. Deterministic up to rounding, on every platform.

    ``key`` is the collection's ``cloak`` key, ``collection`` its raw id. Setting up takes the time of one QR
    factorization (dimension 384: tens of milliseconds, 1,536: about a second).
    """

    __slots__ = ("_back", "_forth", "_noise_key", "_salt", "digest", "dimension", "noise")

    def __init__(self, key: bytes, *, collection: bytes, dimension: int, noise: float) -> None:
        place = lp(collection, dimension.to_bytes(4, "big"))
        self.dimension: Final = dimension
        self.noise: Final = noise
        self.digest: Final = cloak_digest(key, collection=collection, dimension=dimension, noise=noise)
        rotation = _rotation(hmac256(key, b"securevec/cloak-rotation/v1" + place), dimension)
        self._forth: Matrix = np.ascontiguousarray(rotation.T, dtype=np.float32)
        self._back: Matrix = np.ascontiguousarray(rotation, dtype=np.float32)
        self._noise_key = hmac256(key, b"securevec/cloak-noise/v1" + place)
        self._salt = hmac256(key, b"securevec/cloak-seed/v1" + place)

    def __repr__(self) -> str:
        return "VectorCloak(<hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a VectorCloak is never pickled or copied")

    @property
    def radius(self) -> float:
        """The longest displacement of a vector of length one."""
        return self.noise / _BALL

    def rotate(self, vectors: Matrix) -> Matrix:
        """The vectors (one, or rows) in the collection's own space. Lengths and angles stay. Raises
        :class:`VectorError` for another dimension or what is not finite."""
        return self._times(vectors, self._forth)

    def rotate_back(self, vectors: Matrix) -> Matrix:
        """What :meth:`rotate` was given."""
        return self._times(vectors, self._back)

    def displace(self, rotated: Matrix, seeds: Sequence[bytes]) -> Matrix:
        """Rows of length one, each with the noise of its seed; as they are in mode ``rotate``.

        Equal seeds give equal noise, so what is stored again is not averaged out of its noise. The results are not of
        length one.
        """
        return rotated + self._displacements(seeds) if self.noise else rotated

    def restore(self, stored: Matrix, seeds: Sequence[bytes]) -> Matrix:
        """The rotated rows as they were before :meth:`displace`, whatever length the store gave them.

        With ``u`` the stored direction, ``n`` the noise and ``t u - n`` of length one, ``t`` is the positive root of
        ``t^2 - 2 t (u . n) + n . n - 1``. Raises :class:`VectorError` for a row that is zero or not finite.
        """
        if not self.noise:
            return stored
        lengths = np.linalg.norm(stored.astype(np.float64), axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise VectorError("A stored vector is zero or not finite.")
        directions = stored / lengths
        noise = self._displacements(seeds).astype(np.float64)
        along = (directions * noise).sum(axis=1, keepdims=True)
        lengths = along + np.sqrt(along**2 + 1.0 - (noise**2).sum(axis=1, keepdims=True))
        return np.asarray(lengths * directions - noise, dtype=np.float32)

    def score_at_most(self, shown: float) -> float:
        """The highest true similarity of a vector whose displaced one has the similarity ``shown``.

        But for a displacement of eight standard deviations along one direction, which does not occur.
        """
        aside = min(self.radius, _SIGMAS * self.radius / math.sqrt(self.dimension))
        return max(shown, 0.0) * math.sqrt(1.0 + self.radius**2 + 2.0 * aside) + aside

    def _times(self, vectors: Matrix, matrix: Matrix) -> Matrix:
        if vectors.ndim not in (1, 2) or vectors.shape[-1] != self.dimension:
            raise VectorError(f"A vector to cloak has {self.dimension} components.")
        with np.errstate(over="ignore", invalid="ignore"):
            made = np.asarray(vectors, dtype=np.float32) @ matrix
        if not np.isfinite(made).all():
            raise VectorError("A vector to cloak is not finite.")
        return made

    def _displacements(self, seeds: Sequence[bytes]) -> Matrix:
        """One row a seed, uniform in the ball of :attr:`radius`.

        The keystream of a row is AES-256-CTR from the counter block ``first 12 bytes of HMAC(salt, seed), 0``: its
        first four bytes decide the length, the others are Box-Muller pairs. All rows in one call of the cipher.
        """
        dimension, pairs = self.dimension, (self.dimension + 1) // 2
        blocks = -(-(4 + 8 * pairs) // _BLOCK)
        counters = np.empty((len(seeds), blocks, 4), dtype=">u4")
        nonces = b"".join([hmac256(self._salt, seed)[:12] for seed in seeds])
        counters[:, :, :3] = np.frombuffer(nonces, dtype=">u4").reshape(len(seeds), 1, 3)
        counters[:, :, 3] = np.arange(blocks)
        # ECB over counter blocks that are all different is CTR, without one call a row.
        encryptor = Cipher(algorithms.AES(self._noise_key), modes.ECB()).encryptor()  # noqa: S305  # counter blocks
        stream = np.frombuffer(encryptor.update(counters.tobytes()), dtype="<u4").reshape(len(seeds), blocks * 4)
        uniform = ((stream[:, : 1 + 2 * pairs] >> 8).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-24)
        normals = _normals(uniform[:, 1 : 1 + pairs], uniform[:, 1 + pairs :])[:, :dimension]
        lengths = np.float32(self.radius) * uniform[:, :1] ** np.float32(1.0 / dimension)
        return np.asarray(normals * (lengths / np.linalg.norm(normals, axis=1, keepdims=True)), dtype=np.float32)


def _strength(noise: object) -> float:
    if not isinstance(noise, int | float) or isinstance(noise, bool) or not 0 <= noise <= MAX_NOISE:
        raise ConfigError(f"The noise of a cloak is a number from 0 to {MAX_NOISE:g}.")
    return float(noise)


def cloak_digest(key: bytes, *, collection: bytes, dimension: int, noise: float) -> str:
    """Names the cloak of a collection without telling it (32 hex digits): key, dimension and noise."""
    described = lp(collection, dimension.to_bytes(4, "big"), f"{noise!r}".encode())
    return h16_hex(key, b"securevec/cloak-id/v1" + described)


def _rotation(key: bytes, dimension: int) -> NDArray[np.float64]:
    """The orthogonal matrix of a key: AES-256-CTR from a zero counter, 53-bit uniforms, Box-Muller, QR."""
    count = dimension * dimension
    pairs = (count + 1) // 2
    keystream = Cipher(algorithms.AES(key), modes.CTR(bytes(_BLOCK))).encryptor().update(bytes(16 * pairs))
    uniform = ((np.frombuffer(keystream, dtype="<u8") >> 11).astype(np.float64) + 0.5) * 2.0**-53
    gaussian = _normals(uniform[None, :pairs], uniform[None, pairs:])[0, :count].reshape(dimension, dimension)
    orthogonal, triangular = np.linalg.qr(gaussian)
    return orthogonal * np.where(np.diagonal(triangular) < 0.0, -1.0, 1.0)


def _normals(first: NDArray[F], second: NDArray[F]) -> NDArray[F]:
    """Box and Muller's pairs (1958): all cosines of a row, then all sines. Uniforms lie between 0 and 1."""
    lengths = np.sqrt(-2.0 * np.log(first))
    angles = (2.0 * math.pi) * second
    return np.concatenate([lengths * np.cos(angles), lengths * np.sin(angles)], axis=1)
