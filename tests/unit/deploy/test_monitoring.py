"""Alarms, dashboard, runbooks and the reference speak of figures that exist, and promtool agrees where it is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
CASES = Path(__file__).parent / "alerts_test.yml"
RUNBOOKS = ROOT / "docs" / "how-to" / "runbooks"
_METRIC = re.compile(r"traverse_[a-z_]+")
_SUFFIXES = ("_bucket", "_sum", "_count")


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return group["rules"]


def defined() -> set[str]:
    """The names in the code, counters with the ending that they are shown with."""
    found: set[str] = set()
    for path in (ROOT / "metrics.py", *(ROOT / "telemetry").glob("*.py")):
        for kind, name in re.findall(
            r'(Counter|Gauge|Histogram|GaugeMetricFamily)\(\s*"(traverse_\w+)"', path.read_text()
        ):
            found.add(f"{name}_total" if kind == "Counter" else name)
    return found


def used(expression: str) -> set[str]:
    return {
        next((name.removesuffix(end) for end in _SUFFIXES if name.endswith(end)), name)
        for name in _METRIC.findall(expression)
    }


def test_the_reference_names_every_figure_and_no_other():
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()

    assert set(re.findall(r"^\| `(traverse_\w+)`", page, re.MULTILINE)) == defined()
    assert len(defined()) > 20


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alarm_is_about_figures_that_exist_and_says_what_to_do(rule: dict[str, Any]):
    runbook = ROOT / rule["annotations"]["runbook_url"]

    assert used(rule["expr"]) <= defined()
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert rule["for"]
    headings = re.findall(r"^#.*", runbook.read_text(), re.MULTILINE)
    assert headings[0].endswith(f"(`{rule['alert']}`)")
    assert headings[1:] == ["## What it means", "## Where to look", "## What to do"]


def test_every_runbook_belongs_to_an_alarm_and_is_listed():
    pages = {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"}

    assert pages == {Path(rule["annotations"]["runbook_url"]).name for rule in rules()}
    assert set(re.findall(r"\(([a-z-]+\.md)\)", (RUNBOOKS / "README.md").read_text())) == pages


def test_the_dashboard_shows_figures_that_exist_each_panel_in_a_place_of_its_own():
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "traverse.json").read_text())
    panels = dashboard["panels"]

    assert all(
        used(target["expr"]) and used(target["expr"]) <= defined() for panel in panels for target in panel["targets"]
    )
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
    assert len({panel["id"] for panel in panels}) == len(panels)


needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)"
)


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607 (a tool of this machine)


@needs_promtool
def test_prometheus_takes_the_rules():
    checked = promtool("check", "rules", str(ALERTS))

    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
def test_prometheus_takes_the_example_of_its_configuration():
    # Of the syntax alone: the file with the token is the deployment's.
    checked = promtool("check", "config", "--syntax-only", str(ALERTS.with_name("prometheus.yml")))

    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
def test_each_alarm_is_given_for_what_it_is_about_and_not_before_its_time():
    checked = promtool("test", "rules", str(CASES))

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alarm_has_a_case_in_which_it_is_given():
    cases = yaml.safe_load(CASES.read_text())["tests"]

    given = {each["alertname"] for case in cases for each in case["alert_rule_test"] if each["exp_alerts"]}
    assert given == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("path", [*(ROOT / "deploy" / "systemd").glob("*.service")], ids=lambda path: path.name)
def test_a_unit_starts_again_with_pauses_and_has_time_to_end(path: Path):
    settings = dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE))

    assert settings["Restart"] == "always"
    assert int(settings["RestartSec"]) >= 1
    # The burst is reached before the interval is over, or systemd would start a broken process for ever.
    assert int(settings["StartLimitBurst"]) * int(settings["RestartSec"]) < int(settings["StartLimitIntervalSec"])
    assert int(settings["TimeoutStopSec"]) > 15


def test_the_compose_file_starts_every_part_after_the_migrations():
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]

    assert set(services) == {"postgres", "valkey", "migrate", "api", "worker"}
    for part in ("api", "worker"):
        assert services[part]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert services[part]["restart"] == "unless-stopped"


def test_the_compose_file_asks_each_part_that_answers_whether_it_can():
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]

    assert {part for part in services if "healthcheck" in services[part]} == {"postgres", "valkey", "api"}
    assert "/readyz" in " ".join(services["api"]["healthcheck"]["test"])
    for part in ("api", "worker"):
        assert services[part]["depends_on"]["valkey"]["condition"] == "service_healthy"


def test_the_image_of_the_compose_file_is_built_from_what_is_in_the_checkout():
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    build = compose["services"]["api"]["build"]
    recipe = (ROOT / "deploy" / build["context"] / build["dockerfile"]).resolve()
    steps = [line.split() for line in recipe.read_text().splitlines() if line and not line.startswith("#")]

    copied = [source for name, source, *_ in steps if name == "COPY"]
    assert copied == ["requirements/server.txt", "."]
    assert (ROOT / copied[0]).is_file()
    assert ["USER", "traverse"] in steps
    kept_out = set((ROOT / ".dockerignore").read_text().split())
    assert {".git", ".venv", ".traverse", "**/*.env"} <= kept_out
