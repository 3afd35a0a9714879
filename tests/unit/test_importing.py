"""Own questions from YAML and CSV: what passes is stored, what does not is refused with reasons."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from sqlalchemy import text as sql

from rag.errors import InvalidInput, StoreError
from rag.quiz import own_sources
from rag.quiz.importing import ImportReport
from rag.quiz.own_files import read_drafts
from rag.quiz.own_sources import OwnSources
from rag.quiz.own_templates import CSV_TEMPLATE, YAML_TEMPLATE
from rag.quiz_types import Evidence
from rag.services import Services
from rag.storage import questions as stored
from rag.types import Document

DOCUMENT = """# Caching

A cache keeps results for later. A stale entry is the price of speed, and a time to live bounds its age.
"""
QUOTE = "a time to live bounds its age"
HEAD = "question,option_a,option_b,option_c,option_d,correct,explanation,document,quote"
ROW = (
    "What limits how old a cached entry can get?,the time after which it expires,the size of the whole store,"
    "the number of its readers,the speed of the network,{correct},It expires after a set time.,{document},"
    "{quote}"
)
ANSWER = "I would keep it, since " + "words matter here and there " * 10


@pytest.fixture
def services(library_of: Callable[..., Services]) -> Services:
    return library_of({"caching.md": DOCUMENT})


def take(services: Services, text: str | bytes, name: str = "mine.csv", owner: str = "") -> ImportReport:
    content = text.encode() if isinstance(text, str) else text
    return services.study.import_bank(content, name, owner)


def row(correct: str = "A", document: str = "", quote: str = "") -> str:
    return f"{HEAD}\n{ROW.format(correct=correct, document=document, quote=quote)}\n"


def problems(report: ImportReport) -> list[str]:
    return [" ".join(item.reasons) for item in report.items]


@pytest.mark.parametrize(("text", "name"), [(CSV_TEMPLATE, "t.csv"), (YAML_TEMPLATE, "t.yaml")])
def test_the_templates_pass_and_the_same_file_adds_nothing_again(
    services: Services, text: str, name: str
) -> None:
    first = take(services, text, name)
    assert problems(first) == ["", ""]
    assert [item.state for item in first.items] == ["added", "added"]
    again = take(services, text, name)
    assert [item.state for item in again.items] == ["known", "known"]
    assert (again.added, again.updated) == (0, 0)
    assert len(services.study.questions.list("", "own")) == 2


def test_own_questions_can_be_asked_by_their_owner_alone_and_say_that_they_have_no_source(
    services: Services,
) -> None:
    take(services, row(), owner="ann")
    take(services, row(), owner="bob")
    assert services.study.pool.questions("") == []
    (asked,) = services.study.pool.questions("ann")
    assert asked.origin == "own"
    assert asked.evidence is None
    assert asked.options[asked.answer or 0] == "the time after which it expires"
    assert asked.whys[asked.answer or 0] == "It expires after a set time."


def test_a_quote_has_to_stand_in_the_document_that_is_named_by_id_or_title(services: Services) -> None:
    take(services, row(document="Caching", quote=QUOTE))
    (asked,) = services.study.pool.questions("")
    assert asked.evidence is not None
    assert DOCUMENT[asked.evidence.start : asked.evidence.end] == QUOTE
    assert asked.checks == ("form", "quote", "key_evidence")
    for document, quote, told in (
        ("caching", "a time to live is short", "'caching' does not say 'a time to live is short'. Copy it"),
        ("elsewhere", QUOTE, "The library has no document 'elsewhere'. Name it by its id or title"),
        ("", QUOTE, "It has a quote and names no document."),
        ("caching", "", "It names 'caching' and quotes nothing of it."),
    ):
        report = take(services, row(document=document, quote=quote))
        assert report.items[0].state == "refused"
        assert told in problems(report)[0]


def test_a_long_document_is_prepared_once_for_all_quotes_of_a_file(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    for module, name in ((own_sources, "Quoted"), (own_sources, "blocks")):
        real = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *given, real=real, name=name: parsed.append(name) or real(*given)
        )
    second = ROW.replace("What limits", "What else limits")
    lines = [line.format(correct="A", document="caching", quote=QUOTE.upper()) for line in (ROW, second)]
    report = take(services, "\n".join([HEAD, *lines]))
    assert problems(report) == ["", ""]
    assert sorted(parsed) == ["Quoted", "blocks"]


def test_the_section_of_a_quote_ends_at_headings_and_not_far_from_it() -> None:
    far = "Far. " * 400
    text = f"# One\n\nAbove.\n\n# Two\n\nThe quote.\n\n{far}\n\n# Three\n\nBelow.\n"
    document = Document("long", "Long", "notes", text, "h")
    library = SimpleNamespace(summaries=lambda: [document], document=lambda _: document)
    sources = OwnSources(library, "")
    evidence = sources.find("long", "the  QUOTE.")
    assert isinstance(evidence, Evidence)
    assert evidence.quote == "The quote"
    section = sources.section(evidence)
    assert section.startswith("# Two\n\nThe quote.\n\nFar.")
    assert text.index("# Two") + len(section) == evidence.end + 1_500
    crossing = sources.find("long", "Above. # Two")
    assert isinstance(crossing, Evidence)
    assert sources.section(crossing).startswith("# One\n\nAbove.\n\n# Two\n\nThe quote.")


def test_a_document_of_somebody_else_can_not_be_quoted(services: Services) -> None:
    text = "The launch is in May, and nobody knows."
    services.library.save(Document("secret", "Secret", "uploads", text, "h", owner="ann"), [], {}, [])
    report = take(services, row(document="secret", quote="The launch is in May"), owner="bob")
    assert "The library has no document 'secret'" in problems(report)[0]


def test_the_key_is_named_by_letter_number_or_text(services: Services) -> None:
    states = [
        take(services, row(correct)).items[0].state
        for correct in ("A", "a", "1", "The time after which it expires")
    ]
    assert states == ["added", "known", "known", "known"]


@pytest.mark.parametrize(
    ("options", "correct", "told"),
    [
        ("one|two|three", "", "correct is empty: name the right option by its letter"),
        ("one|two|three", "D", "correct is 'D', which is no option: name the right one by its letter"),
        ("2|4|6|8", "4", "correct is '4', which fits several options: name the right one by its letter"),
        ("2|4|6|8", "B", ""),
        ("one|two", "A", "options: at least 3 are needed, 2 are there"),
        ("one|two|three|four|five|six", "A", "options: at most 5 are allowed, 6 are there"),
    ],
)
def test_a_key_that_can_not_be_told_is_refused(options: str, correct: str, told: str) -> None:
    (read,) = read_drafts(f"question,options,correct\nHow many?,{options},{correct}\n".encode(), "a.csv")
    assert read.problems == ((told,) if told else ())


def test_tells_and_copied_options_are_refused_with_what_to_do(services: Services) -> None:
    long = "the time after which it expires, counted from the moment at which it was written to the store"
    report = take(services, row().replace("the time after which it expires", f'"{long}"'))
    assert "Make the options about equally long." in problems(report)[0]
    report = take(services, row().replace("the number of its readers", "all of the above"))
    assert "An option speaks of the other options. Replace it" in problems(report)[0]


def test_open_questions_need_points_and_an_answer_of_a_minute(services: Services) -> None:
    head = "question,points,model_answer,document,quote"
    points = "*It saves time|It saves money|Old entries are the price"
    good = f'Why is a cache kept?,{points},"{ANSWER}",caching,{QUOTE}'
    report = take(services, f"{head}\n{good}\n")
    assert problems(report) == [""]
    (asked,) = services.study.pool.questions("")
    assert [(point.claim, point.must_have) for point in asked.points] == [
        ("It saves time", True),
        ("It saves money", False),
        ("Old entries are the price", False),
    ]
    assert [point.evidence is not None for point in asked.points] == [True, False, False]
    report = take(services, f"{head}\nWhy is a cache kept?,One|Two,Because.,,\n")
    assert problems(report) == ["Points: at least 3 are needed, 2 are there."]
    report = take(services, f"{head}\nWhy is a cache kept?,One|Two|Two,Because.,,\n")
    assert problems(report) == [
        "The model answer has 1 words. Write 40 to 170 words: what is said in a minute. "
        "Two points say the same. Let each point say something else."
    ]


def test_problems_name_the_row_or_line_and_the_other_items_pass(services: Services) -> None:
    table = row() + "What is left?,one,two\n" + "Which one is it?,a b,c d,e f,g h,B,Since c d.,,,extra\n"
    report = take(services, table)
    assert [(item.place, item.state) for item in report.items] == [
        ("row 2", "added"),
        ("row 3", "refused"),
        ("row 4", "refused"),
    ]
    assert problems(report)[2] == (
        "It has more cells than line 1: put texts with a comma into quotation marks."
    )
    broken = YAML_TEMPLATE.replace("level: junior ", "level: guru ").replace("correct: true", "right: yes")
    report = take(services, broken, "mine.yaml")
    assert report.items[0].place == "line 4"
    assert problems(report)[0] == (
        "Level has to be 'junior', 'mid' or 'senior'. Options 1 right is not known here: rename or remove it."
    )


def test_a_corrected_question_replaces_the_earlier_one(services: Services) -> None:
    take(services, row())
    report = take(
        services, row().replace("It expires after a set time.", "A set time bounds how it expires.")
    )
    assert [item.state for item in report.items] == ["updated"]
    (asked,) = services.study.questions.list("", "own")
    assert "A set time bounds how it expires." in asked.whys


def test_an_earlier_version_stays_when_the_new_one_can_not_be_stored(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(services, row())
    before = services.study.questions.list("", "own")
    monkeypatch.setattr(stored, "insert", lambda table: sql("INSERT INTO no_such_table VALUES (1)"))
    with pytest.raises(StoreError):
        take(services, row().replace("It expires after a set time.", "A set time bounds how it expires."))
    assert services.study.questions.list("", "own") == before


def test_a_question_that_stands_twice_in_a_file_is_taken_once(services: Services) -> None:
    report = take(services, row() + ROW.format(correct="A", document="", quote="") + "\n")
    assert [item.state for item in report.items] == ["added", "refused"]
    assert problems(report)[1] == "Row 2 has the same question. Remove one of the two."


def test_formulas_html_and_markdown_stay_text(services: Services) -> None:
    hostile = row().replace(
        "What limits how old", "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)> $x^2$ limits"
    )
    assert take(services, hostile).added == 1
    (asked,) = services.study.questions.list("", "own")
    assert asked.prompt.startswith("=cmd|' /C calc'!A0 <img src=x onerror=alert(1)> $x^2$ limits")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_and_separators_of_spreadsheets_are_read(encoding: str) -> None:
    for separator in ",;\t":
        text = row().replace("a cached entry", "Zoë’s café entry").replace(",", separator)
        (read,) = read_drafts(text.replace("\n", "\r\n").encode(encoding), "a.csv")
        assert read.words == "What limits how old Zoë’s café entry can get?"
        assert read.question is not None


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "a.csv", "a.csv, line 1 names no column `question`."),
        (b"question,why\nx,y", "a.csv", "a.csv, line 1: the column `why` is not known."),
        (b'question\n"a', "a.csv", "a.csv, line 2 is not valid CSV"),
        (b"x" * 140_000 + b",question\n", "a.csv", "a.csv, line 1 is not valid CSV"),
        (b"topic,question,Topic\n", "a.csv", "a.csv, line 1: the column `topic` is there 2 times."),
        (b"question\n\n", "a.csv", "a.csv holds no question."),
        (b"PK\x03\x04\0\0", "a.csv", "a.csv is not a text file."),
        (b"question", "a.xlsx", "a.xlsx is neither YAML nor CSV."),
        (b"x" * 1_000_001, "a.csv", "a.csv is larger than 1,000,000 bytes."),
        (b"question\n" + b"x\n" * 501, "a.csv", "a.csv holds 501 questions, more than 500."),
        (b"", "a.yaml", "a.yaml holds no question."),
        (b"topic: [", "a.yaml", "a.yaml, line 2 is not valid YAML"),
        (b"topic: a\nopen: b", "a.yaml", "a.yaml, line 2: `open` has to be a list of questions."),
        (b"- one", "a.yaml", "a.yaml, line 1: a topic with `open` or `multiple_choice` is expected here."),
        (b"- open: []\n  open: []", "a.yaml", "a.yaml, line 1: this topic has two fields of the same name."),
        (b"quiz: []", "a.yaml", "a.yaml, line 1: `quiz` is not known here."),
        (b"a: &a [x]\nopen: [*a, *a]", "a.yaml", "a.yaml, line 2 uses an alias."),
        (b"open: " + b"[" * 50_000, "a.yaml", "a.yaml, line 1 is nested too deeply or too long."),
    ],
)
def test_files_that_are_no_bank_are_refused_with_their_line(content: bytes, name: str, told: str) -> None:
    with pytest.raises(InvalidInput) as error:
        read_drafts(content, name)
    assert str(error.value).startswith(told)
    assert error.value.hint


def test_yaml_makes_texts_and_nothing_else() -> None:
    text = "open:\n- !!python/object/apply:os.system [x]\nmultiple_choice:\n- question: no\n  level: 404\n"
    first, second = read_drafts(text.encode(), "a.yaml")
    assert first.problems == ("the item does not have the right form",)
    assert second.words == "no"


def test_what_the_items_give_away_together_is_told(services: Services) -> None:
    words = "mill lake road town farm hill wood pond gate wall roof door".split()
    lines = [f"What does the {word} do?,it waits up,it stops,it starts,it ends,A,It waits." for word in words]
    report = take(
        services, "\n".join(["question,option_a,option_b,option_c,option_d,correct,explanation", *lines])
    )
    assert report.added == 12
    longest = next(gate for gate in report.gates if gate.gate == "longest")
    assert (longest.value, longest.passed) == (1.0, False)
