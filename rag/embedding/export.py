"""Exports all-MiniLM-L6-v2 to an int8 ONNX file; run as a child process so that torch never enters the app.

`python -m rag.embedding.export TARGET` prints one line per step and leaves TARGET complete or not at all.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from rag.embedding.packaged import model_folder, verify_weights

MIN_COSINE = 0.97
STEPS = ("Checking the weights", "Loading the model", "Exporting", "Quantising", "Comparing")
PROBES = (
    "What is retrieval-augmented generation?",
    "ASGI servers handle many slow connections on one thread.",
    "How does HNSW trade memory for speed?",
    "Rate limits return HTTP status 429 with a Retry-After header.",
    "The cat sat on the mat.",
    "Prompt injection hides instructions inside a document that the model reads.",
    "def embed(texts: list[str]) -> list[list[float]]: ...",
    "Tokens cost money, so a long context is expensive, and it is not always better: "
    "irrelevant passages distract the model and hide the sentence that answers the question.",
)
"""The fixed set on which the int8 file is compared with the original."""


def export(target: Path) -> float:
    """Write the int8 model to `target` and return its lowest cosine to the original on PROBES.

    Raises RuntimeError when that is below MIN_COSINE; `target` is then not written.
    """
    _say(0)
    folder = model_folder()
    verify_weights(folder)
    _say(1)
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from sentence_transformers import SentenceTransformer

    from rag.embedding.onnx import OnnxEmbedder

    original = SentenceTransformer(str(folder), device="cpu")

    class TokenVectors(torch.nn.Module):
        """The transformer without its pooling, which numpy does for texts and for their sentences."""

        def __init__(self, transformer: Any) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.transformer(
                input_ids=input_ids,
                attention_mask=attention_mask,
                token_type_ids=torch.zeros_like(input_ids),
            ).last_hidden_state

    _say(2)
    module = TokenVectors(original[0].auto_model).eval()
    ids = torch.ones((2, 16), dtype=torch.int64)
    dynamic = {0: "batch", 1: "tokens"}
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        full, small = Path(scratch, "fp32.onnx"), Path(scratch, "int8.onnx")
        torch.onnx.export(
            module,
            (ids, torch.ones_like(ids)),
            str(full),
            input_names=["input_ids", "attention_mask"],
            output_names=["tokens"],
            dynamic_axes={"input_ids": dynamic, "attention_mask": dynamic, "tokens": dynamic},
            opset_version=17,
            dynamo=False,
        )
        _say(3)
        quantize_dynamic(full, small, weight_type=QuantType.QUInt8)
        _say(4)
        expected = original.encode(list(PROBES), normalize_embeddings=True)
        cosine = float((OnnxEmbedder(small, folder).embed(PROBES) * np.asarray(expected)).sum(1).min())
        if cosine < MIN_COSINE:
            raise RuntimeError(f"lowest cosine to the original is {cosine:.3f}, below {MIN_COSINE}")
        small.replace(target)
    return cosine


def _say(step: int) -> None:
    print(f"{step}/{len(STEPS)} {STEPS[step]}", flush=True)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    try:
        print(f"cosine {export(Path(sys.argv[1])):.4f}", flush=True)
    except Exception as error:  # the parent shows this line as the reason
        sys.exit(f"{type(error).__name__}: {error}")
