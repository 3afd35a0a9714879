"""Shows the jobs that read files into the library: what each file is at, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from pages.shared import people, sanitise, wording
from pages.shared.failures import attempt, draw_kept
from rag.services import Services
from rag.storage.jobs import Job, JobFile
from rag.storage.library import DocumentSummary

SHOWN = 8
"""Files of a job that are listed one by one; the rest is counted."""
LONGEST_NAME = 100
KEPT_IN_VIEW = timedelta(days=1)
"""How long a job that went well is shown; one with a failure stays until it is hidden."""
LEAST_BETWEEN_REDRAWS_S = 3.0
TOKENS_A_SECOND = 1_200
"""Word pieces that a rebuild embeds in a second on one slow core; the rest of its work hardly counts."""
_UNFINISHED = ("queued", "running")
_ORDER = ("running", "failed", "added", "updated", "unchanged", "cancelled", "queued")
_FAILURE = "sources_jobs_failure"
_SEEN, _DRAWN_AT = "sources_files_seen", "sources_files_drawn_at"


def draw(ready: Services) -> None:
    """Draw the reader's jobs; while one is unfinished, this part alone is drawn anew every second."""
    draw_kept(_FAILURE)
    jobs = _jobs(ready)
    if not jobs:
        return
    st.session_state[_SEEN] = _finished(jobs)
    st.session_state[_DRAWN_AT] = time.monotonic()
    runs = any(job.state in _UNFINISHED for job in jobs)
    st.fragment(_draw_jobs, run_every=1.0 if runs else None)(ready)


def draw_rebuild(ready: Services, documents: Sequence[DocumentSummary]) -> None:
    """Draw a menu with the button that reads and embeds all documents anew."""
    seconds = sum(document.tokens for document in documents) / TOKENS_A_SECOND
    runs = any(job.kind == "rebuild" and job.state in _UNFINISHED for job in _jobs(ready))
    with st.popover("Index", icon=":material/build:", type="tertiary", key="sources_index"):
        st.markdown(
            "Rebuilding reads every document again, cuts it into chunks and embeds them anew. It mends a "
            f"damaged index. It takes {_about(seconds)}; questions are answered meanwhile."
        )
        if runs:
            st.markdown("The index is being rebuilt: how far it is stands above the list.")
        st.button(
            "Rebuild the index",
            icon=":material/restart_alt:",
            key="sources_rebuild",
            disabled=runs,
            on_click=attempt,
            args=(_FAILURE, ready.rebuild),
        )


def _jobs(ready: Services) -> list[Job]:
    """Return the jobs to show, the newest first: the reader's own, and rebuilding, which all share."""
    reader = people.reader()
    jobs = ready.jobs.list(reader)
    if reader:
        jobs += [job for job in ready.jobs.list("") if job.kind == "rebuild"]
    now = datetime.now(UTC)
    return [
        job
        for job in jobs
        if now - job.updated_at < KEPT_IN_VIEW
        or job.state in _UNFINISHED
        or any(file.state == "failed" for file in job.files)
    ]


def _finished(jobs: Sequence[Job]) -> tuple[int, int]:
    """Return how many files and how many jobs are finished."""
    files = sum(file.state not in _UNFINISHED for job in jobs for file in job.files)
    return files, sum(job.state not in _UNFINISHED for job in jobs)


def _draw_jobs(ready: Services) -> None:
    if _FAILURE in st.session_state:  # drawn here, the next second would wipe it away
        st.rerun()
    jobs = _jobs(ready)
    _follow(jobs)
    titles: Mapping[str, str] = {}
    if any(file.document_id for job in jobs for file in job.files):
        titles = {document.id: document.title for document in ready.library.summaries()}
    running = [job for job in jobs if job.state in _UNFINISHED]
    ended = [job for job in jobs if job.state not in _UNFINISHED]
    with st.container(key="sources_jobs", gap="small"):
        for job in running:
            _draw_job(ready, job, titles)
        if ended:
            with st.container(
                horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
            ):
                st.caption("Finished", width="content")
                st.button(
                    "Hide finished",
                    type="tertiary",
                    icon=":material/done_all:",
                    key="sources_hide_finished",
                    on_click=attempt,
                    args=(_FAILURE, ready.jobs.delete_finished, people.reader()),
                    help="Their documents stay.",
                )
        for job in ended:
            _draw_job(ready, job, titles)


def _follow(jobs: Sequence[Job]) -> None:
    """Let the whole page follow when more is finished than it shows: the list, and the end of a job."""
    files, ended = _finished(jobs)
    seen_files, seen_ended = st.session_state[_SEEN]
    is_due = time.monotonic() - st.session_state[_DRAWN_AT] >= LEAST_BETWEEN_REDRAWS_S
    if ended != seen_ended or (files != seen_files and is_due):
        st.rerun()


def _draw_job(ready: Services, job: Job, titles: Mapping[str, str]) -> None:
    files = sorted(job.files, key=lambda file: (_ORDER.index(file.state), file.position))
    with st.container(border=True, gap="small", key=f"sources_job_{job.id}"):
        if job.state in _UNFINISHED:
            done = sum(file.state not in _UNFINISHED for file in job.files)
            with st.container(
                horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
            ):
                st.markdown(f"**{_heading(job)}**" + (f" · {done:,} done" if len(files) > 1 else ""))
                st.button(
                    "Cancel",
                    type="tertiary",
                    icon=":material/close:",
                    key=f"sources_cancel_{job.id}",
                    on_click=attempt,
                    args=(_FAILURE, ready.jobs.cancel, job.id),
                )
        for file in files[:SHOWN]:
            _draw_file(job, file, titles)
        if len(files) > SHOWN:
            st.caption(f"and {_counted(files[SHOWN:])}")


def _heading(job: Job) -> str:
    if job.kind == "rebuild":
        return "Rebuilding the index"
    return f"Adding {wording.count(len(job.files), 'file')}"


def _counted(files: Sequence[JobFile]) -> str:
    """Return e.g. "12 added, 3 waiting"."""
    words = {"queued": "waiting", "running": "being read", "failed": "not added"}
    counts = {state: sum(file.state == state for file in files) for state in _ORDER}
    return ", ".join(f"{number:,} {words.get(state, state)}" for state, number in counts.items() if number)


def _draw_file(job: Job, file: JobFile, titles: Mapping[str, str]) -> None:
    """Draw one file: a bar while it is read, then what became of it."""
    shown = file.name if len(file.name) <= LONGEST_NAME else f"{file.name[:LONGEST_NAME]}…"
    name = f"**{sanitise.label(shown) or 'Unnamed'}**"
    if job.kind == "rebuild" and job.state not in _UNFINISHED:
        name = f"**{_heading(job)}**"
    if file.size:
        name += f" · {wording.size(file.size)}"
    if file.state == "running":
        st.progress(_share(file), text=f"{name} · {_stage(job, file)}")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{name} · {_outcome(job, file, titles)}")
        if file.document_id in titles and st.button(
            "Open", key=f"sources_job_open_{job.id}_{file.position}", type="tertiary"
        ):
            st.query_params.from_dict({"doc": file.document_id})
            st.rerun()


def _share(file: JobFile) -> float:
    """Return how far a file is, 0 to 1: embedding takes nearly all of the time."""
    if file.stage == "embedding" or not file.stage:
        return 0.1 + 0.85 * min(1.0, file.done / file.total) if file.total else 0.1
    return {"reading": 0.03, "cutting": 0.07, "saving": 0.97}[file.stage]


def _stage(job: Job, file: JobFile) -> str:
    if job.kind == "rebuild":
        return f"{file.done:,} of {wording.count(file.total, 'document')}" if file.total else "Starting"
    match file.stage:
        case "reading":
            return "Reading"
        case "cutting":
            return "Cutting into chunks"
        case "embedding":
            return f"Embedding {file.done:,} of {wording.count(file.total, 'window')}"
        case "saving":
            return "Saving"
    return "Starting"


def _outcome(job: Job, file: JobFile, titles: Mapping[str, str]) -> str:
    """Return what became of a file, with an icon and in words."""
    title = sanitise.label(titles.get(file.document_id, ""))
    gone = "" if title or job.kind == "rebuild" else ", removed since"
    chunks = wording.count(file.chunks, "chunk")
    match file.state:
        case "queued":
            return ":material/schedule: Waiting"
        case "added":
            return f":material/check_circle: Added, {chunks}{gone}"
        case "updated" if job.kind == "rebuild":
            return f":material/check_circle: Rebuilt, {chunks}"
        case "updated":
            return f":material/check_circle: Updated, {chunks}{gone}"
        case "unchanged":
            here = f": the same file is already here as “{title}”" if title else gone
            return f":material/check_circle: Unchanged{here}"
        case "cancelled":
            return ":material/block: Cancelled"
    told = f"{sanitise.label(file.error)} {sanitise.label(file.hint)}".strip()
    if job.kind == "rebuild" and 0 < file.total <= file.done:  # it came to its end
        return f":orange[:material/warning: Rebuilt, with exceptions.] {told}"
    verb = "rebuilt" if job.kind == "rebuild" else "added"
    return f":red[:material/error: Not {verb}.] {told}"


def _about(seconds: float) -> str:
    """Return e.g. "about 2 minutes"."""
    return "less than a minute" if seconds < 45 else f"about {wording.count(round(seconds / 60), 'minute')}"
