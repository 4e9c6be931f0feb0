"""Where the invented structures are: real communes, so that codes agree. Source: INSEE."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    insee_code: str
    name: str
    post_code: str
    region_code: str
    latitude: float
    longitude: float


METZ = Place("57463", "Metz", "57000", "44", 49.1081, 6.1955)
PLACES = (
    METZ,
    Place("57672", "Thionville", "57100", "44", 49.3577, 6.1683),
    Place("57227", "Forbach", "57600", "44", 49.1883, 6.9005),
    Place("54395", "Nancy", "54000", "44", 48.6881, 6.1734),
    Place("67482", "Strasbourg", "67000", "44", 48.5691, 7.7621),
    Place("59350", "Lille", "59000", "32", 50.6311, 3.0468),
    Place("69123", "Lyon", "69001", "84", 45.7580, 4.8351),
    Place("35238", "Rennes", "35000", "53", 48.1159, -1.6884),
    Place("44109", "Nantes", "44000", "52", 47.2316, -1.5483),
    Place("33063", "Bordeaux", "33000", "75", 44.8624, -0.5848),
    Place("13055", "Marseille", "13001", "93", 43.2803, 5.3806),
    Place("75056", "Paris", "75001", "11", 48.8589, 2.3470),
    Place("93066", "Saint-Denis", "93200", "11", 48.9295, 2.3591),
    Place("2A004", "Ajaccio", "20000", "94", 41.9348, 8.7013),
    Place("97411", "Saint-Denis", "97400", "04", -20.9330, 55.4460),
    # An overseas collectivity: no department, no region.
    Place("97502", "Saint-Pierre", "97500", "", 46.7811, -56.1764),
)
REGION_CODES = frozenset(
    {
        *("01", "02", "03", "04", "06", "11", "24", "27", "28", "32", "44"),
        *("52", "53", "75", "76", "84", "93", "94"),
    }
)
DEPARTMENT_CODES = frozenset(
    {
        *(f"{number:02d}" for number in range(1, 96) if number != 20),
        *("2A", "2B", "971", "972", "973", "974", "976"),
    }
)
