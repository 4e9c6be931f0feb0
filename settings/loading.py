"""The environment, read once."""

from __future__ import annotations

import os
from collections.abc import Mapping

from settings.consistency import problems_of
from settings.deployment import Settings, SettingsError
from settings.variables import read_variables


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment of the process, or another. Raises SettingsError with one line a problem."""
    values, problems = read_variables(Settings, os.environ if environ is None else environ)
    if not problems:
        settings = Settings(**values)
        problems = problems_of(settings)
        if not problems:
            return settings
    raise SettingsError("\n".join(problems))
