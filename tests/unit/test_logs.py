"""What may be logged: known fields, without what looks personal; of libraries and exceptions, no values at all."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
import uvicorn

from logs import FIELDS, configure_logging, redact
from models.enums import NotificationStatus
from services.notification.summary import BatchSummary
from services.webhooks.engine import InboxSummary
from tests.log_setup import log_setup_kept

ROOT = Path(__file__).parents[2]
NIR = "185057800608442"
E_MAIL = "prenom.nom@exemple.test"
PHONE = "06 12 34 56 78"
PERSONAL = (NIR, "1 85 05 78 006 084 42", E_MAIL, PHONE, "+33612345678", "Confidentielle-Inventée")

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What a process in production writes, by line."""
    stream = io.StringIO()
    with log_setup_kept():
        configure_logging(level="INFO", as_json=True, stream=stream)
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def log_of_test() -> Any:
    return structlog.get_logger(f"tests.{uuid4().hex}")


def fail_over(value: str) -> None:
    raise ValueError(f"not a number: {value}")


def test_a_line_is_json_with_the_time_the_level_and_the_logger(lines: Lines):
    log_of_test().info("mail_sent", mail_id="7", attempts=2)

    (line,) = lines()
    assert (line["event"], line["level"], line["mail_id"], line["attempts"]) == ("mail_sent", "info", "7", 2)
    assert line["timestamp"].endswith("Z")
    assert line["logger"].startswith("tests.")


def test_unknown_fields_are_named_and_not_shown(lines: Lines):
    log_of_test().info("mail_sent", last_name="Confidentielle-Inventée", mail_id="7")

    (line,) = lines()
    assert line["unknown_fields"] == ["last_name"]
    assert "Inventée" not in json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize(
    "value", [NIR, "1 85 05 2A 006 084 42", E_MAIL, "prenom.nom%40exemple.test", PHONE, "+33612345678"]
)
def test_what_looks_personal_is_struck_out_of_known_fields(lines: Lines, value: str):
    log_of_test().info("mail_sent", reason=f"for {value}!", fields=[value])

    (line,) = lines()
    assert line["reason"] == "for [removed]!"
    assert line["fields"] == ["[removed]"]


@pytest.mark.parametrize(
    "text",
    [
        "0190b6a0-7c5e-7cc3-98c4-dc0c0c07398f",  # an id
        "90210001500012",  # a SIRET
        "999992612345",  # the number of an approval
        "2026-02-18T09:30:05.123456+00:00",
        "7d44df3c8f6e4e0f8e3a185057800608",  # the id of a request
        "stopped after 12345678 rows",
    ],
)
def test_ids_numbers_and_times_stay_readable(text: str):
    assert redact(text) == text


def test_objects_are_shown_by_their_type(lines: Lines):
    log_of_test().info("mail_sent", reason=ValueError(NIR))

    assert lines()[0]["reason"] == "<ValueError>"


@pytest.mark.parametrize("personal", PERSONAL)
def test_an_exception_is_its_class_and_its_place(lines: Lines, personal: str):
    try:
        fail_over(personal)
    except ValueError:
        log_of_test().exception("mail_sent")
        logging.getLogger("some.library").exception("It failed for %s", personal)

    text = json.dumps(lines(), ensure_ascii=False)
    assert personal not in text
    assert [line["error_class"] for line in lines()] == ["ValueError", "ValueError"]
    assert all(line["at"][-1].endswith("fail_over") for line in lines())


@pytest.mark.parametrize("personal", PERSONAL)
@pytest.mark.parametrize(
    "name", ["some.library", "uvicorn.access", "arq.worker", "httpx", "tortoise.db_client", "asyncpg"]
)
def test_the_arguments_of_libraries_are_left_away(lines: Lines, personal: str, name: str):
    logging.getLogger(name).error("HTTP Request: %s", f"https://exemple.test/?nom={personal}")

    (line,) = lines()
    assert line["event"] == "HTTP Request: %s"
    assert personal not in json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize("name", ["httpx", "httpcore.connection", "arq.worker", "tortoise.db_client", "redis"])
def test_what_libraries_tell_of_their_daily_work_is_not_written(lines: Lines, name: str):
    logging.getLogger(name).info("HTTP Request: %s", "https://exemple.test/")

    assert lines() == []


def test_a_server_that_had_logs_of_its_own_writes_into_ours():
    stream = io.StringIO()
    with log_setup_kept():
        uvicorn.Config("anything:app")  # with its default, it sets up logging for the whole process
        configure_logging(level="INFO", as_json=True, stream=stream)
        for name in ("uvicorn.access", "uvicorn.error"):
            logging.getLogger(name).info("Something %s", NIR)

    assert [json.loads(line)["logger"] for line in stream.getvalue().splitlines()] == [
        "uvicorn.access",
        "uvicorn.error",
    ]


def test_the_server_says_where_it_listens(lines: Lines):
    logging.getLogger("uvicorn.error").info("Uvicorn running on %s://%s:%d (Press CTRL+C to quit)", "http", "::1", 8000)

    assert lines()[0]["event"] == "Uvicorn running on http://::1:8000 (Press CTRL+C to quit)"


async def test_a_task_that_fails_unseen_does_not_tell_over_what(lines: Lines):
    asyncio.get_running_loop().default_exception_handler(
        {"message": "Task exception was never retrieved", "exception": ValueError(NIR), "task": NIR}
    )

    (line,) = lines()
    assert line["event"] == "Task exception was never retrieved"
    assert line["error_class"] == "ValueError"
    assert NIR not in json.dumps(line)


def test_the_exception_that_ends_a_process_does_not_tell_over_what(lines: Lines):
    try:
        fail_over(NIR)
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)

    (line,) = lines()
    assert (line["event"], line["error_class"]) == ("process_failed", "ValueError")
    assert NIR not in json.dumps(line)


def test_a_terminal_is_told_no_more_than_a_machine():
    stream = io.StringIO()
    with log_setup_kept():
        configure_logging(level="INFO", as_json=False, stream=stream)
        try:
            fail_over(NIR)
        except ValueError:
            log_of_test().exception("mail_sent", last_name="Confidentielle-Inventée")

    text = stream.getvalue()
    assert "mail_sent" in text
    assert NIR not in text
    assert "Inventée" not in text


# -- every line of this code base


def is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.IfExp) and is_constant(node.body) and is_constant(node.orelse)
    )


def calls_of_loggers() -> Iterator[tuple[str, ast.Call]]:
    folders = ("clients", "execution", "jobs", "models", "ops", "resolvers", "schema", "services", "webhooks")
    paths = [*ROOT.glob("*.py"), *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"debug", "info", "warning", "error", "exception", "critical"}
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "log"
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_line_that_is_logged_has_a_constant_for_event_and_known_fields():
    found = list(calls_of_loggers())

    wrong = [
        place
        for place, call in found
        if not (len(call.args) == 1 and is_constant(call.args[0]))
        or any(word.arg is not None and word.arg not in FIELDS for word in call.keywords)
    ]
    assert len(found) > 50
    assert wrong == []


def test_the_summaries_of_runs_have_known_fields():
    assert set(BatchSummary(batch_size=1).as_json()) <= FIELDS
    assert set(InboxSummary().as_json()) <= FIELDS
    assert {status.value for status in NotificationStatus} <= FIELDS
