"""`python -m supply_chain.secrets`: nothing that looks like a secret is among the files of the repository, but what was
looked at and written down in `secrets.json`.

detect-secrets finds keys by their form and by their entropy. Its search for words like "password" stays off: it finds
names of variables; ruff's rules S105 to S107 look for those outside of the tests. Files that were clean once are not
read again until they change (`.traverse/secrets-seen.json`), so that only the first run takes long.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[1]
REVIEWED = Path(__file__).with_name("secrets.json")
SEEN = ROOT / ".traverse" / "secrets-seen.json"

# Hashes, by the hundred; and what others wrote, as they published it.
_SKIPPED = (
    *("requirements/", "schema/static/", "tests/browser/vendor/", "supply_chain/secrets.json"),
    "examples/spa/operations.json",  # ids are hashes
    "docs/tutorial/tour.md",  # what a demo answered: its links are signed by keys that each demo makes anew
)
_SKIPPED_ENDINGS = (".svg", ".png", ".ico", ".woff2", ".lock", "package-lock.json")
_PLUGINS = (
    *("ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector"),
    *("DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector"),
    *("JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector"),
    *("PypiTokenDetector", "SendGridDetector", "SlackDetector", "SquareOAuthDetector", "StripeDetector"),
    *("TelegramBotTokenDetector", "TwilioKeyDetector"),
)
_SETTINGS: dict[str, Any] = {
    "plugins_used": [
        *({"name": name} for name in _PLUGINS),
        {"name": "Base64HighEntropyString", "limit": 4.5},
        {"name": "HexHighEntropyString", "limit": 3.0},
    ],
    "filters_used": [
        {"path": "detect_secrets.filters.heuristic.is_sequential_string"},
        {"path": "detect_secrets.filters.heuristic.is_potential_uuid"},
    ],
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that looks like a secret: never its value, a SHA-1 of it."""

    file: str
    kind: str
    hash: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what is found to secrets.json, to be looked at")
    is_writing: bool = parser.parse_args().write
    found = find(tracked_files(), seen={} if is_writing else _read(SEEN))
    if is_writing:
        known = {Finding(*entry): reason for *entry, reason in _reviewed()}
        entries = [{**asdict(one), "reason": known.get(one, "")} for one in sorted(found)]
        REVIEWED.write_text(json.dumps(entries, indent=1) + "\n")
    problems = problems_of(found, _reviewed())
    if problems:
        sys.exit("\n".join(problems))
    sys.stdout.write("No secret but those that were looked at.\n")


def tracked_files() -> Sequence[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 (the caller's git)
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    names = [name for name in listed.split("\0") if name and not name.startswith(_SKIPPED)]
    return [ROOT / name for name in names if not name.endswith(_SKIPPED_ENDINGS) and (ROOT / name).is_file()]


def find(files: Iterable[Path], *, seen: Mapping[str, Any]) -> set[Finding]:
    """Return what looks like a secret; remember which contents hold nothing of the kind."""
    rules = f"{version('detect-secrets')} {hashlib.sha256(json.dumps(_SETTINGS).encode()).hexdigest()}"
    clean: set[str] = set(seen.get("clean", ())) if seen.get("rules") == rules else set()
    still_clean: set[str] = set()
    found: set[Finding] = set()
    with transient_settings(_SETTINGS):
        for file in files:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            here: set[Finding] = set() if content in clean else set(_scan(file))
            found |= here
            if not here:
                still_clean.add(content)
    with suppress(OSError):
        SEEN.parent.mkdir(exist_ok=True)
        SEEN.write_text(json.dumps({"rules": rules, "clean": sorted(still_clean)}))
    return found


def problems_of(found: Iterable[Finding], reviewed: Iterable[Sequence[str]]) -> list[str]:
    reasons = {Finding(*entry): reason for *entry, reason in reviewed}
    found = set(found)
    return [
        *(
            f"{one.file}: {one.kind}: looks like a secret; if it is one, take it out and replace it where it is used."
            " If not: python -m supply_chain.secrets --write, and say why in supply_chain/secrets.json"
            for one in sorted(found)
            if not reasons.get(one, "").strip()
        ),
        *(
            f"{one.file}: {one.kind}: written down in secrets.json and not there any more; take it out of that file"
            for one in sorted(reasons.keys() - found)
        ),
    ]


def _scan(file: Path) -> Iterable[Finding]:
    name = file.relative_to(ROOT).as_posix()
    for secret in scan_file(str(file)):
        yield Finding(name, secret.type, secret.secret_hash)


def _reviewed() -> list[tuple[str, str, str, str]]:
    entries: Any = json.loads(REVIEWED.read_text()) if REVIEWED.exists() else []
    return [(entry["file"], entry["kind"], entry["hash"], entry["reason"]) for entry in entries]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


if __name__ == "__main__":
    main()
