"""Embedding: the seam, and the model that comes with securevec."""

from securevec.embed.minilm import MiniLM
from securevec.embed.protocol import Embedder, ModelIdentity

__all__ = ["Embedder", "MiniLM", "ModelIdentity"]
