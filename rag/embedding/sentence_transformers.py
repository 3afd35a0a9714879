"""Serves any sentence-transformers model by name or path, and the packaged one as the fallback for ONNX."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from rag.embedding.base import Vectors
from rag.embedding.packaged import MODEL, model_folder, verify_weights
from rag.errors import ConfigurationError


class SentenceTransformerEmbedder:
    """A torch model. Importing it takes seconds and about 500 MB, so it is off the default path."""

    def __init__(self, model: str) -> None:
        from sentence_transformers import SentenceTransformer

        source = model
        if model == MODEL:
            folder = model_folder()
            verify_weights(folder)
            source = str(folder)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._model = SentenceTransformer(source, device="cpu")
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The embedding model {model!r} can't be loaded ({type(error).__name__}).",
                hint=f"Give a folder or the name of a model on this machine, or use {MODEL}.",
            ) from None
        self.model = f"{model}/torch-fp32"
        self.dimension = int(self._model.get_embedding_dimension() or 0)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit-length row per text, shape (len(texts), dimension)."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(vectors, dtype=np.float32)

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[Vectors, Vectors]]:
        """Return for each text its vector and those of its parts, each part embedded with the first line.

        How a model pools its tokens differs, so parts are embedded as texts of their own; the first line
        of the whole (its headings) stays in front of them.
        """
        wholes = self.embed(texts)
        flat = [
            f"{text.partition(chr(10))[0]}\n{text[start:end]}"
            for text, own in zip(texts, parts, strict=True)
            for start, end in own
        ]
        vectors = self.embed(flat)
        found, row = [], 0
        for whole, own in zip(wholes, parts, strict=True):
            found.append((whole, vectors[row : row + len(own)]))
            row += len(own)
        return found
