"""`python -m supply_chain.pins`: what is installed is what was pinned, by hash, under a licence that we may use.

It asks nobody on the network, so it knows nothing of vulnerabilities: `make audit` asks for those.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SERVER, DEVELOPMENT = ROOT / "requirements" / "server.txt", ROOT / "requirements" / "dev.txt"

_HASH = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)

# Licences that may be combined into a work under the AGPL, version 3 (https://www.gnu.org/licenses/license-list.html).
_ACCEPTED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla Public License 2\.0|Zero-Clause|0BSD|Unlicense|CNRI"
    r"|LGPL|Lesser General Public License|HPND|matplotlib",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a file of requirements."""

    name: str
    version: str
    marker: str | None
    hashes: int

    @property
    def is_for_here(self) -> bool:
        return self.marker is None or Marker(self.marker).evaluate()


def main() -> None:
    server, development = read_pins(SERVER.read_text()), read_pins(DEVELOPMENT.read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    problems = [
        *problems_of_pins(server, SERVER.name),
        *problems_of_pins(development, DEVELOPMENT.name),
        *problems_between(server, development),
        *problems_of_project(project, server, development),
        *problems_of_installed(development),
        *problems_of_licences(server),
    ]
    if problems:
        sys.exit("\n".join(problems))
    sys.stdout.write(
        f"{len(development)} pins, {len(server)} of the server: hashes, versions and licences are in order.\n"
    )


def read_pins(text: str) -> Sequence[Pin | str]:
    """Return the requirements of a file; as text, what is none of the form `name==version`."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return [_read(line) for line in lines]


def problems_of_pins(pins: Sequence[Pin | str], file: str) -> Iterator[str]:
    """Everything is an exact version from the registry, with its hashes: no address, no option, no other index."""
    for pin in pins:
        if isinstance(pin, str):
            yield f"{file}: {pin[:60]}: `name==version` with hashes expected; run `make lock`"
        elif not pin.hashes:
            yield f"{file}: {pin.name}: without a hash; run `make lock`"


def problems_between(server: Sequence[Pin | str], development: Sequence[Pin | str]) -> Iterator[str]:
    """What is tested is what is deployed."""
    # A package may have several pins, each for other versions of Python.
    tested = {(pin.name, pin.version) for pin in development if isinstance(pin, Pin)}
    for pin in server:
        if isinstance(pin, Pin) and (pin.name, pin.version) not in tested:
            yield f"{pin.name}: {pin.version} for the server, another one in tests; run `make lock`"


def problems_of_project(
    project: Mapping[str, Any], server: Sequence[Pin | str], development: Sequence[Pin | str]
) -> Iterator[str]:
    """What pyproject.toml asks for is pinned, in a version that it accepts."""
    for wanted, pins, file in (
        (project["project"]["dependencies"], server, SERVER.name),
        (project["dependency-groups"]["dev"], development, DEVELOPMENT.name),
    ):
        for requirement in map(Requirement, wanted):
            name = canonicalize_name(requirement.name)
            versions = [pin.version for pin in pins if isinstance(pin, Pin) and pin.name == name]
            if not versions or not all(map(requirement.specifier.contains, versions)):
                found = ", ".join(versions) or "nothing"
                yield f"{file}: {requirement.name}: {found} pinned, {requirement} expected; run `make lock`"


def problems_of_installed(pins: Sequence[Pin | str]) -> Iterator[str]:
    for pin in pins:
        if isinstance(pin, Pin) and pin.is_for_here:
            installed = _installed(pin.name)
            if installed is None or installed.version != pin.version:
                found = "not installed" if installed is None else f"{installed.version} installed"
                yield f"{pin.name}: {found}, {pin.version} expected; run `make install`"


def problems_of_licences(pins: Sequence[Pin | str]) -> Iterator[str]:
    for pin in pins:
        installed = _installed(pin.name) if isinstance(pin, Pin) and pin.is_for_here else None
        if installed is not None and not is_accepted(licence := licence_of(installed)):
            yield (
                f"{installed.name}: licence {licence[:60]!r}: not known to go together with the AGPL-3.0; look at it,"
                " then add it to supply_chain/pins.py, or do without the package"
            )


def is_accepted(licence: str) -> bool:
    return _ACCEPTED.search(licence) is not None


def licence_of(installed: Distribution) -> str:
    """Return what a package says of its licence: an expression, classifiers, or the first line of a text."""
    metadata = installed.metadata
    expression = _first(metadata.get_all("License-Expression"))
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    text = _first(metadata.get_all("License")).strip().splitlines()
    return expression or "; ".join(classifiers) or (text[0] if text else "")


def _first(values: Sequence[str] | None) -> str:
    return values[0] if values else ""


def _read(line: str) -> Pin | str:
    text, *hashes = line.split(" --hash=")
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return line
    versions = [specifier.version for specifier in requirement.specifier if specifier.operator == "=="]
    if len(versions) != 1 or len(requirement.specifier) != 1 or requirement.url or "*" in versions[0]:
        return line
    marker = str(requirement.marker) if requirement.marker else None
    good = sum(_HASH.fullmatch(given.strip()) is not None for given in hashes)
    return Pin(canonicalize_name(requirement.name), versions[0], marker, good)


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
