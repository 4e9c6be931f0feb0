"""Where the invented people live: real communes, so that codes and departments agree. Source: INSEE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from demo.cast.dice import Dice
from models.departments import department_code_of


@dataclass(frozen=True, slots=True)
class Commune:
    insee_code: str
    name: str
    post_code: str
    latitude: float
    longitude: float

    @property
    def department(self) -> str:
        code = department_code_of(insee_code=self.insee_code)
        if code is None:
            raise ValueError(f'commune "{self.insee_code}": no such department')
        return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The columns of models.base.PostalAddressMixin, geocoded."""

    address_line_1: str
    post_code: str
    city: str
    insee_code: str
    department: str
    latitude: float
    longitude: float
    geocoding_score: float
    geocoded_at: datetime


METZ = Commune("57463", "Metz", "57000", 49.1081, 6.1955)

COMMUNES = (
    METZ,
    Commune("57672", "Thionville", "57100", 49.3577, 6.1683),
    Commune("57227", "Forbach", "57600", 49.1883, 6.9005),
    Commune("57631", "Sarreguemines", "57200", 49.1106, 7.0675),
    Commune("54395", "Nancy", "54000", 48.6881, 6.1734),
    Commune("54329", "Lunéville", "54300", 48.5904, 6.4972),
    Commune("55545", "Verdun", "55100", 49.1597, 5.3828),
    Commune("88160", "Épinal", "88000", 48.1801, 6.4499),
    Commune("67482", "Strasbourg", "67000", 48.5691, 7.7621),
    Commune("68224", "Mulhouse", "68100", 47.7493, 7.3257),
    Commune("68066", "Colmar", "68000", 48.1077, 7.3510),
    Commune("51454", "Reims", "51100", 49.2535, 4.0551),
    Commune("08105", "Charleville-Mézières", "08000", 49.7754, 4.7170),
    Commune("10387", "Troyes", "10000", 48.2971, 4.0746),
    Commune("59350", "Lille", "59000", 50.6311, 3.0468),
    Commune("59512", "Roubaix", "59100", 50.6879, 3.1881),
    Commune("59183", "Dunkerque", "59140", 51.0307, 2.3377),
    Commune("62498", "Lens", "62300", 50.4359, 2.8216),
    Commune("80021", "Amiens", "80000", 49.8987, 2.2847),
    Commune("02691", "Saint-Quentin", "02100", 49.8472, 3.2779),
    Commune("60057", "Beauvais", "60000", 49.4365, 2.0893),
    Commune("76540", "Rouen", "76000", 49.4413, 1.0912),
    Commune("76351", "Le Havre", "76600", 49.4959, 0.1313),
    Commune("14118", "Caen", "14000", 49.1847, -0.3722),
    Commune("50129", "Cherbourg-en-Cotentin", "50100", 49.6386, -1.6158),
    Commune("61001", "Alençon", "61000", 48.4306, 0.0931),
    Commune("35238", "Rennes", "35000", 48.1159, -1.6884),
    Commune("29019", "Brest", "29200", 48.4084, -4.4996),
    Commune("29232", "Quimper", "29000", 47.9972, -4.0979),
    Commune("56121", "Lorient", "56100", 47.7494, -3.3799),
    Commune("22278", "Saint-Brieuc", "22000", 48.5141, -2.7603),
    Commune("44109", "Nantes", "44000", 47.2316, -1.5483),
    Commune("49007", "Angers", "49000", 47.4819, -0.5629),
    Commune("72181", "Le Mans", "72000", 47.9882, 0.2000),
    Commune("85191", "La Roche-sur-Yon", "85000", 46.6705, -1.4264),
    Commune("37261", "Tours", "37000", 47.3948, 0.6949),
    Commune("45234", "Orléans", "45000", 47.8734, 1.9122),
    Commune("18033", "Bourges", "18000", 47.0837, 2.3955),
    Commune("28085", "Chartres", "28000", 48.4471, 1.4999),
    Commune("21231", "Dijon", "21000", 47.3319, 5.0322),
    Commune("25056", "Besançon", "25000", 47.2488, 6.0181),
    Commune("90010", "Belfort", "90000", 47.6459, 6.8499),
    Commune("58194", "Nevers", "58000", 46.9881, 3.1570),
    Commune("69123", "Lyon", "69001", 45.7580, 4.8351),
    Commune("69266", "Villeurbanne", "69100", 45.7719, 4.8902),
    Commune("42218", "Saint-Étienne", "42000", 45.4303, 4.3779),
    Commune("38185", "Grenoble", "38000", 45.1842, 5.7155),
    Commune("63113", "Clermont-Ferrand", "63000", 45.7856, 3.1155),
    Commune("73065", "Chambéry", "73000", 45.5822, 5.9064),
    Commune("74010", "Annecy", "74000", 45.9024, 6.1264),
    Commune("26362", "Valence", "26000", 44.9229, 4.9141),
    Commune("87085", "Limoges", "87000", 45.8567, 1.2260),
    Commune("86194", "Poitiers", "86000", 46.5846, 0.3715),
    Commune("17300", "La Rochelle", "17000", 46.1620, -1.1765),
    Commune("33063", "Bordeaux", "33000", 44.8624, -0.5848),
    Commune("64445", "Pau", "64000", 43.3200, -0.3500),
    Commune("47001", "Agen", "47000", 44.2028, 0.6256),
    Commune("31555", "Toulouse", "31000", 43.6007, 1.4328),
    Commune("81004", "Albi", "81000", 43.9258, 2.1468),
    Commune("34172", "Montpellier", "34000", 43.6100, 3.8742),
    Commune("30189", "Nîmes", "30000", 43.8323, 4.3430),
    Commune("66136", "Perpignan", "66000", 42.6990, 2.9045),
    Commune("13055", "Marseille", "13001", 43.2803, 5.3806),
    Commune("13001", "Aix-en-Provence", "13090", 43.5360, 5.3986),
    Commune("83137", "Toulon", "83000", 43.1364, 5.9334),
    Commune("06088", "Nice", "06000", 43.7031, 7.2528),
    Commune("84007", "Avignon", "84000", 43.9493, 4.8059),
    Commune("75056", "Paris", "75001", 48.8589, 2.3470),
    Commune("93066", "Saint-Denis", "93200", 48.9295, 2.3580),
    Commune("93048", "Montreuil", "93100", 48.8638, 2.4485),
    Commune("92050", "Nanterre", "92000", 48.8960, 2.2067),
    Commune("94028", "Créteil", "94000", 48.7837, 2.4546),
    Commune("95127", "Cergy", "95000", 49.0401, 2.0508),
    Commune("91228", "Évry-Courcouronnes", "91000", 48.6238, 2.4296),
    Commune("77288", "Melun", "77000", 48.5421, 2.6569),
    Commune("78646", "Versailles", "78000", 48.8025, 2.1177),
    Commune("2A004", "Ajaccio", "20000", 41.9347, 8.7013),
    Commune("2B033", "Bastia", "20200", 42.6865, 9.4247),
    Commune("97120", "Pointe-à-Pitre", "97110", 16.2376, -61.5343),
    Commune("97209", "Fort-de-France", "97200", 14.6369, -61.0694),
    Commune("97302", "Cayenne", "97300", 4.9346, -52.3303),
    Commune("97411", "Saint-Denis", "97400", -20.9335, 55.4474),
)  # fmt: skip

# Countries of birth with INSEE's codes, the frequent ones several times.
COUNTRIES_OF_BIRTH = (
    *("99352", "99352", "99350", "99350", "99351", "99139", "99341", "99335", "99326", "99208", "99397", "99312"),
    *("99109", "99131", "99114", "99155", "99155", "99212", "99206", "99122", "99127", "99134"),
)

_STREETS = (
    *("rue des Tilleuls", "rue du Moulin", "avenue de la Gare", "rue des Lilas", "place du Marché", "rue de l'Église"),
    *("chemin des Vignes", "rue Haute", "boulevard de la Liberté", "impasse des Cerisiers", "rue de la Fontaine"),
    *("allée des Érables", "rue du Lavoir", "quai des Tanneurs", "rue des Potiers", "avenue du Stade", "rue Basse"),
)


def address_in(commune: Commune, dice: Dice, geocoded_at: datetime) -> Address:
    """Return an invented address of the commune, within two kilometres of its centre."""
    return Address(
        address_line_1=f"{1 + int(dice.random() * 120)} {dice.pick(_STREETS)}",
        post_code=commune.post_code,
        city=commune.name,
        insee_code=commune.insee_code,
        department=commune.department,
        latitude=round(commune.latitude + dice.uniform(-0.02, 0.02), 6),
        longitude=round(commune.longitude + dice.uniform(-0.02, 0.02), 6),
        geocoding_score=round(dice.uniform(0.62, 0.98), 2),
        geocoded_at=geocoded_at,
    )
