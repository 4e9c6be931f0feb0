"""The part of France that the simulated partners know: real communes and departments, for codes that agree.

Source: INSEE, code officiel géographique; La Poste, base des codes postaux. Populations are rounded, the centres of
arrondissements are near the truth, the numbers of inter-municipal bodies are invented.
"""

from sandbox.gazetteer.places import (
    COMMUNES,
    COMMUNES_BY_CODE,
    DEPARTMENTS,
    REGIONS,
    Commune,
    Department,
    department_code_of,
)

__all__ = [
    "COMMUNES",
    "COMMUNES_BY_CODE",
    "DEPARTMENTS",
    "REGIONS",
    "Commune",
    "Department",
    "department_code_of",
]
