"""Uploads documents that others wrote, and damaged ones, and asks each good one a question.

Run `python3 -m tests.bench.real_documents FOLDER`. The folder holds the files of DOCUMENTS, which are shipped
in public packages: papers in the npm package pdf-parse 1.1.1, a data model in the source of pypdf 7.1.1,
forms in that of python-docx-ng 2.1.0, a policy in that of docx2html 0.2.3, manuals in Debian's libtasn1-doc,
shared-mime-info, libffi8 and base-passwd, tables and descriptions in scikit-learn, guides in streamlit.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rag.services import Services, build_services
from rag.settings import load_settings
from rag.storage.jobs import JobFile
from rag.types import Answer, Ask, Completed
from tests.hostile import HOSTILE

DOCUMENTS = (
    ("01-valid.pdf", "What does the trace-based compilation technique reconcile?", "speed of compilation"),
    ("02-valid.pdf", "How were atomic distributions and interface characteristics studied?", "SIMS"),
    ("04-valid.pdf", "How many sprints did the test comprise, and how long were they?", "10 sprints of 20 m"),
    ("libtasn1.pdf", "Which type is not handled by this version of libtasn1?", "REAL type"),
    ("shared-mime-info-spec.pdf", "What is the default priority of a treemagic element?", "value is 50"),
    ("GeoBase_NHNC1_Data_Model_UML_EN.pdf", "Which packages constitute the NHNC1?", "Four packages"),
    (
        "docx2html__missing_content.docx",
        "Who calls the Intake Clinician once the patient is medically cleared?",
        "the nurse or doctor will call the Intake Clinician",
    ),
    (
        "python-docx-ng__sdt-content-controls.docx",
        "When did both parties sign the contract?",
        "3 August 2026",
    ),
    ("python-docx-ng__frm-form-fields.docx", "Whose name is on the membership application?", "Alice Ashby"),
    ("The-Basics.html", "What must nfixedargs be greater than?", "greater than zero"),
    ("Memory-Usage.html", "When will ffi_closure_alloc fail?", "security settings"),
    ("users-and-groups.html", "Who owns the files in the news spool?", "user and group"),
    ("linnerud_exercise.csv", "How many jumps go with 162 situps?", "5 162 60"),
    ("session-state.md", "What does persist_state keep?", "persist_state"),
    ("performance.md", "What is st.cache_data for?", "cache_data"),
    ("breast_cancer.rst", "How many instances does the breast cancer dataset have?", "569"),
    ("california_housing.rst", "What is a block group?", "smallest geographical unit"),
)
"""File, question, and words that a cited sentence of this very file has to hold."""
UNFINISHED = {"queued", "running"}


def uploaded(services: Services, files: Sequence[tuple[str, bytes]]) -> list[tuple[JobFile, float]]:
    """Upload the files one job each and return what became of them, with the seconds that it took."""
    outcomes = []
    for name, content in files:
        started = time.perf_counter()
        job_id = services.upload([(name, content)])
        while (job := services.jobs.get(job_id)) is None or job.files[0].state in UNFINISHED:
            time.sleep(0.02)
        outcomes.append((job.files[0], time.perf_counter() - started))
    return outcomes


def answer(services: Services, question: str) -> Answer:
    """Return the embedded answer."""
    for event in services.answerer().stream(Ask(question)):
        if isinstance(event, Completed):
            return event.answer
    raise AssertionError("an answer ends with Completed")


def quoted(services: Services, document_id: str, question: str, words: str) -> bool:
    """Tell whether the answer quotes the document with these words, exactly at the place it names."""
    document = services.document(document_id)
    assert document is not None
    services.retriever.refresh()
    return any(
        words.lower() in " ".join(cited.quote.split()).lower()
        and document.text[cited.start : cited.end] == cited.quote
        for cited in answer(services, question).citations
        if cited.document_id == document_id
    )


def main() -> None:
    """Print what became of every file, and the parent's growth."""
    folder = Path(sys.argv[1])
    good = [(name, (folder / name).read_bytes()) for name, _, _ in DOCUMENTS]
    bad = [(case.name, case.build()) for case in HOSTILE]
    with tempfile.TemporaryDirectory() as data:
        services = build_services(load_settings({}, data_dir=Path(data), load_knowledge=False))
        services.start_jobs()
        uploaded(services, [("first.md", b"# First\n\nThe worker is warm now.\n")])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        right = 0
        for (_, question, words), (file, seconds) in zip(DOCUMENTS, uploaded(services, good), strict=True):
            is_right = file.state == "added" and quoted(services, file.document_id, question, words)
            right += is_right
            print(
                f"{'right' if is_right else 'WRONG'} {file.name}: {file.state}, {file.chunks} chunks, "
                f"{seconds:.1f} s {file.error}"
            )
        refused, longest = 0, 0.0
        for file, seconds in uploaded(services, bad):
            refused += file.state == "failed" and bool(file.error and file.hint)
            longest = max(longest, seconds)
            print(f"{file.state} {seconds:.1f} s: {file.name[:50]!r}: {file.error} {file.hint}")
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{right} of {len(good)} good documents answered with a quote from the right place")
        print(f"{refused} of {len(bad)} bad files refused with a message, the longest after {longest:.1f} s")
        print(f"the server's process (id {os.getpid()}) grew by {grown:.0f} MB at most")
        services.close()


if __name__ == "__main__":
    main()
