"""Serves all-MiniLM-L6-v2 with ONNX Runtime from an int8 file that is exported once."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as _reasons
from tokenizers import Encoding, Tokenizer

from rag.embedding.base import Progress, Vectors, no_progress
from rag.embedding.packaged import DIMENSION, MAX_TOKENS, MODEL, model_folder
from rag.errors import ConfigurationError

SIDE_BY_SIDE = 8
"""Texts from which on they are embedded at the same time."""


class OnnxEmbedder:
    """all-MiniLM-L6-v2 in int8. Safe to share between threads."""

    model = f"{MODEL}/onnx-int8"
    dimension = DIMENSION

    def __init__(self, weights: Path, tokenizer_folder: Path, threads: int = 2) -> None:
        self._threads = threads
        self._session = _open_session(weights, threads)
        self._batch_session = self._session if threads == 1 else _open_session(weights, 1)
        self._tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit-length row per text, shape (len(texts), 384); a text is cut at 256 word pieces."""
        pairs = self.embed_parts(texts, [()] * len(texts))
        return np.vstack([whole for whole, _ in pairs]) if pairs else np.zeros((0, DIMENSION), np.float32)

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[Vectors, Vectors]]:
        """Return for each text its vector, shape (384,), and the vectors of its parts, shape (parts, 384).

        Parts are character ranges; their vectors are means over their own tokens after the whole text was
        read, so a sentence is understood in its surroundings ("Late Chunking", Günther et al., 2024).
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        if len(texts) < SIDE_BY_SIDE:
            return [_read(self._session, *one) for one in zip(encodings, parts, strict=True)]
        # Texts side by side on one thread each are a third faster than one after the other on all threads.
        read = partial(_read, self._batch_session)
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(read, encodings, parts))


def _open_session(weights: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])


def _read(
    session: onnxruntime.InferenceSession, encoding: Encoding, parts: Sequence[tuple[int, int]]
) -> tuple[Vectors, Vectors]:
    """Return the vectors of one text and its parts.

    One text a run: int8 scales its activations by what is in a batch, so that a text's vector would depend
    on its company, and longer batches are no faster on a CPU.
    """
    ids = np.asarray([encoding.ids], np.int64)
    (tokens,) = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    return _pooled(tokens[0], encoding.offsets, parts)


def _pooled(
    tokens: Vectors, offsets: Sequence[tuple[int, int]], parts: Sequence[tuple[int, int]]
) -> tuple[Vectors, Vectors]:
    whole = _unit(tokens.mean(axis=0))
    vectors = np.empty((len(parts), tokens.shape[1]), np.float32)
    if parts:
        starts, ends = np.array(offsets).T
        for number, (start, end) in enumerate(parts):
            inside = (starts >= start) & (ends <= end) & (ends > starts)
            vectors[number] = _unit(tokens[inside].mean(axis=0)) if inside.any() else whole
    return whole, vectors


def _unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def open_onnx_embedder(data_dir: Path, progress: Progress = no_progress, threads: int = 2) -> OnnxEmbedder:
    """Return the embedder; where the int8 file is missing it is first exported into `data_dir`/models (10 s).

    Raises ConfigurationError when the weights are missing or damaged or the export fails its comparison.
    """
    weights = data_dir / "models" / f"{MODEL}-int8.onnx"
    weights.parent.mkdir(parents=True, exist_ok=True)
    if not weights.exists():
        with (weights.parent / ".export.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second process waits instead of exporting again
            if not weights.exists():
                _export_in_child(weights, progress)
    try:
        return OnnxEmbedder(weights, model_folder(), threads)
    except (_reasons.InvalidProtobuf, _reasons.InvalidArgument, _reasons.InvalidGraph, _reasons.Fail):
        weights.unlink(missing_ok=True)
        raise ConfigurationError(
            "The exported embedding model was damaged and has been removed.",
            hint="Start again: it is exported anew, which takes about 10 seconds.",
        ) from None


def _export_in_child(weights: Path, progress: Progress) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "rag.embedding.export", str(weights.resolve())],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        counted, _, step = line.strip().partition(" ")
        if "/" in counted:
            done, total = counted.split("/")
            progress(f"Preparing the embedding model: {step.lower()}", int(done), int(total))
    _, reasons = child.communicate()
    if child.returncode != 0:
        reason = (reasons.strip().splitlines() or ["it was killed"])[-1]
        raise ConfigurationError(
            f"The embedding model could not be exported: {reason}.",
            hint="Run `pip install -r requirements.txt` again, or set "
            "VIVA_EMBEDDING__BACKEND=sentence_transformers to use the original.",
        )
