"""What the teacher says of texts: a pool that ``train.py --pool`` learns from beside the labelled texts.

    python training/names/pool.py DATA_FOLDER TEACHER.pt WORDNET_FOLDER POOL.npz

The training parts twice in other casings and with other names, texts of the own generator, what WordNet 3.0 says of
people, places and things (glosses and examples with a capital in them; the folder holds ``data.noun`` and its like),
and the news of IDLE. Of texts that have labels the target is half label and half teacher.
"""

from __future__ import annotations

import argparse
import idlelib
import random
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from generator import Generator
from teacher import Pieces, cut, loaded, scores
from train import SEED, SOURCES, Augmenter, Sample, read, tokens_of

from securevec.anonymize.names.model import TAGS

DRAWS = 2
SYNTHETIC = 2_500
GLOSSES = 14_000
PARTS = 255
"""Probabilities count in parts of this."""
_INSIDE = re.compile(r"\w.*\b[A-Z]\w")


def glosses(folder: Path, rng: random.Random) -> list[str]:
    """What a dictionary says, of names with the name in front in one of the ways that texts have."""
    made: list[str] = []
    for path in sorted(folder.glob("data.*")):
        for line in path.read_text(encoding="latin-1").splitlines():
            if line.startswith("  "):
                continue
            fields, _, gloss = line.partition(" | ")
            said = [part.strip() for part in re.split(r';\s*(?=")', gloss) if part.strip()]
            words = fields.split()
            name = words[4].replace("_", " ").split("(")[0]
            named = name[0].isupper() and " @i " in fields
            for number, part in enumerate(said):
                text = part.strip('" ')
                if number == 0 and named:
                    text = rng.choice(
                        [f"{name}, {text}", f"{name} was the {text}.", f"{name}: {text}", f"({name}) {text}"]
                    )
                if _INSIDE.search(text):
                    made.append(text[:1].upper() + text[1:] if rng.random() < 0.5 else text)
    rng.shuffle(made)
    return made[:GLOSSES]


def news() -> Iterator[str]:
    folder = Path(idlelib.__file__).parent
    for path in sorted(folder.glob("N[Ee][Ww][Ss]*.txt")):
        for part in re.split(r"\n\s*\n", path.read_text(encoding="utf-8", errors="replace")):
            if _INSIDE.search(part):
                yield part.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description="Let the teacher label a pool of texts.")
    parser.add_argument("data", type=Path)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("wordnet", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    rng = random.Random(SEED + 100)
    generator = Generator(rng)
    augmenter = Augmenter(generator, rng)
    known: list[Sample] = []
    for _ in range(DRAWS):
        known += [augmenter.vary(s) for name in SOURCES for s in read(options.data / name, part="train")]
    made = [generator.draw() for _ in range(SYNTHETIC)]
    known += [tokens_of(text, [list(span) for span in spans]) for text, spans in made]
    plain = [tokens_of(text, []) for text in (*glosses(options.wordnet, rng), *news())]
    known, plain = ([s for s in cut(group) if s[0]] for group in (known, plain))
    samples = known + plain
    print(f"{len(known)} with labels, {len(plain)} without, {sum(len(s[0]) for s in samples)} tokens", flush=True)
    answers = scores(loaded(options.teacher), [s[0] for s in samples], Pieces())
    targets = []
    for index, ((_, tags), answer) in enumerate(zip(samples, answers, strict=True)):
        target = torch.softmax(torch.tensor(answer), 1).numpy()
        if index < len(known):
            target = target / 2 + np.eye(len(TAGS), dtype=np.float32)[tags] / 2
        targets.append(np.round(target * PARTS).astype(np.uint8))
    texts = "\x1e".join("\x1f".join(tokens) for tokens, _ in samples)
    np.savez_compressed(options.out, texts=np.frombuffer(texts.encode(), np.uint8), targets=np.concatenate(targets))


if __name__ == "__main__":
    main()
