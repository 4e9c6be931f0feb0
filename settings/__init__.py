"""Everything that a deployment decides, read once from the environment.

A partner without settings is off. A wrong setting stops the start with one sentence that names the variable.
"""

from settings.deployment import DEFAULT_DIAGORIENTE_URL, DEVELOPMENT_KEY, Environment, Settings, SettingsError
from settings.loading import load_settings
from settings.variables import Secret, Variable, variables_of

__all__ = [
    "DEFAULT_DIAGORIENTE_URL",
    "DEVELOPMENT_KEY",
    "Environment",
    "Secret",
    "Settings",
    "SettingsError",
    "Variable",
    "load_settings",
    "variables_of",
]
