"""The reference says what the code says, and the pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import generate
from docs.partner_pages import PARTNERS, partner_pages
from models.enums import Partner
from settings import DEVELOPMENT_KEY, Settings, variables_of

DOCS = Path(generate.__file__).parent
ROOT = DOCS.parent
PAGES = sorted([*DOCS.rglob("*.md"), *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"))])


def test_the_committed_page_on_settings_is_the_one_that_settings_write():
    assert generate.SETTINGS_PAGE.read_text(encoding="utf-8") == generate.settings_page()


def test_every_variable_has_its_row():
    page = generate.settings_page()

    rows = re.findall(r"^\| `([A-Z0-9_]+)` \|", page, flags=re.MULTILINE)

    assert sorted(rows) == sorted(name.upper() for name in variables_of(Settings))


def test_the_page_shows_no_key_and_no_environment(monkeypatch: pytest.MonkeyPatch):
    before = generate.settings_page()
    monkeypatch.setenv("SECRET_KEY", "a-secret-of-this-very-deployment-only")
    monkeypatch.setenv("PORT", "9999")

    assert generate.settings_page() == before
    assert DEVELOPMENT_KEY not in before


@pytest.mark.parametrize("variable", ["SECRET_KEY", "ENCRYPTION_KEYS", "FINGERPRINT_KEY", "AUTH_JWKS_URL"])
def test_what_production_requires_is_marked(variable: str):
    [row] = [line for line in generate.settings_page().splitlines() if line.startswith(f"| `{variable}` |")]

    assert "**Required** in production" in row


@pytest.mark.parametrize(
    "row",
    [
        "| `PORT` | whole number, from 1 to 65535 | `8000` | port the API listens on |",
        "| `REQUEST_DEADLINE` | seconds, above 0 | `10` | longest operation |",
        "| `FT_CLIENT_SECRET` | secret | none | France Travail, OAuth2 secret |",
    ],
)
def test_a_row_tells_form_limits_and_default(row: str):
    assert row in generate.settings_page()


def test_a_page_that_is_out_of_date_fails_the_check_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(generate, "SETTINGS_PAGE", tmp_path / "settings.md")

    missing = generate.main(["--check"])
    written = generate.main([])
    current = generate.main(["--check"])
    (tmp_path / "settings.md").write_text("older", encoding="utf-8")
    stale = generate.main(["--check"])

    assert (missing, written, current, stale) == (1, 0, 0, 1)
    assert "python -m docs.generate" in capsys.readouterr().err


def links() -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        found += [(page, target) for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    return found


@pytest.mark.parametrize(("page", "target"), links(), ids=lambda value: str(value).removeprefix(f"{ROOT}/"))
def test_a_link_leads_to_a_page_or_heading_that_exists(page: Path, target: str):
    path, _, anchor = target.partition("#")

    found = (page.parent / path).resolve() if path else page

    assert found.exists()
    if anchor:
        headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_can_be_reached_from_the_index():
    linked = {(page.parent / target.partition("#")[0]).resolve() for page, target in links()}

    pages = {page for page in PAGES if page.is_relative_to(DOCS)} - {DOCS / "README.md"}
    assert pages - linked == set()


def test_every_partner_has_its_page_and_the_committed_ones_are_those_that_the_code_writes():
    pages = partner_pages(generate.settings_rows)

    assert len(pages) == len(Partner)
    for path, page in pages.items():
        assert path.read_text(encoding="utf-8") == page


def test_a_page_on_a_partner_tells_settings_bounds_memory_and_cast():
    sirene = partner_pages(generate.settings_rows)[PARTNERS / "sirene.md"]

    assert "| `SIRENE_MAX_PER_MINUTE` | number, above 0 to 30 | `25` |" in sirene
    assert "| breaker | opens after 5 failures in a row, for 30 s |" in sirene
    assert "| `establishment` | 1 d | 7 d | 1 h |" in sirene
    assert "| `90215000200019` | closed |" in sirene


def test_no_secret_is_a_bound():
    assert "secret key" not in partner_pages(generate.settings_rows)[PARTNERS / "metabase.md"]
