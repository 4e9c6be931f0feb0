"""Countries by INSEE code: the offline table that is the truth about them. Source: INSEE, code officiel géographique.

States as they stand today. A country that no longer exists, and a territory that belongs to another State, keep their
codes in old civil status records: such a code is shown as it is, and accepted from nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

FRANCE = "99100"


@dataclass(frozen=True, slots=True)
class CountryRecord:
    insee_code: str
    name: str


_TABLE = (
    ("991", "00 France|01 Danemark|02 Islande|03 Norvège|04 Suède|05 Finlande|06 Estonie|07 Lettonie|08 Lituanie|09 Allemagne|10 Autriche|11 Bulgarie|12 Hongrie|13 Liechtenstein|14 Roumanie|16 Tchéquie|17 Slovaquie|18 Bosnie-Herzégovine|19 Croatie|20 Monténégro|21 Serbie|22 Pologne|23 Russie|25 Albanie|26 Grèce|27 Italie|28 Saint-Marin|29 Vatican|30 Andorre|31 Belgique|32 Royaume-Uni|34 Espagne|35 Pays-Bas|36 Irlande|37 Luxembourg|38 Monaco|39 Portugal|40 Suisse|44 Malte|45 Slovénie|48 Biélorussie|51 Moldavie|55 Ukraine|56 Macédoine du Nord|57 Kosovo"),
    ("992", "01 Arabie saoudite|03 Irak|04 Iran|05 Liban|06 Syrie|07 Israël|08 Turquie|12 Afghanistan|13 Pakistan|14 Bhoutan|15 Népal|16 Chine|17 Japon|19 Thaïlande|20 Philippines|22 Jordanie|23 Inde|24 Birmanie|25 Brunei|26 Singapour|27 Malaisie|29 Maldives|31 Indonésie|34 Cambodge|35 Sri Lanka|36 Taïwan|38 Corée du Nord|39 Corée du Sud|40 Koweït|41 Laos|42 Mongolie|43 Viêt Nam|46 Bangladesh|47 Émirats arabes unis|48 Qatar|49 Bahreïn|50 Oman|51 Yémen|52 Arménie|53 Azerbaïdjan|54 Chypre|55 Géorgie|56 Kazakhstan|57 Kirghizstan|58 Ouzbékistan|59 Tadjikistan|60 Turkménistan|61 Palestine|62 Timor oriental"),
    ("993", "01 Égypte|02 Liberia|03 Afrique du Sud|04 Gambie|09 Tanzanie|10 Zimbabwe|11 Namibie|12 République démocratique du Congo|14 Guinée équatoriale|15 Éthiopie|16 Libye|17 Érythrée|18 Somalie|21 Burundi|22 Cameroun|23 République centrafricaine|24 Congo|26 Côte d'Ivoire|27 Bénin|28 Gabon|29 Ghana|30 Guinée|31 Burkina Faso|32 Kenya|33 Madagascar|34 Malawi|35 Mali|36 Mauritanie|37 Niger|38 Nigeria|39 Ouganda|40 Rwanda|41 Sénégal|42 Sierra Leone|43 Soudan|44 Tchad|45 Togo|46 Zambie|47 Botswana|48 Lesotho|49 Soudan du Sud|50 Maroc|51 Tunisie|52 Algérie|90 Maurice|91 Eswatini|92 Guinée-Bissau|93 Mozambique|94 Sao Tomé-et-Principe|95 Angola|96 Cap-Vert|97 Comores|98 Seychelles|99 Djibouti"),
    ("994", "01 Canada|04 États-Unis|05 Mexique|06 Costa Rica|07 Cuba|08 République dominicaine|09 Guatemala|10 Haïti|11 Honduras|12 Nicaragua|13 Panama|14 Salvador|15 Argentine|16 Brésil|17 Chili|18 Bolivie|19 Colombie|20 Équateur|21 Paraguay|22 Pérou|23 Uruguay|24 Venezuela|26 Jamaïque|28 Guyana|29 Belize|33 Trinité-et-Tobago|34 Barbade|35 Grenade|36 Bahamas|37 Suriname|38 Dominique|39 Sainte-Lucie|40 Saint-Vincent-et-les-Grenadines|41 Antigua-et-Barbuda|42 Saint-Christophe-et-Niévès"),
    ("995", "01 Australie|02 Nouvelle-Zélande|06 Samoa|07 Nauru|08 Fidji|09 Tonga|10 Papouasie-Nouvelle-Guinée|11 Tuvalu|12 Îles Salomon|13 Kiribati|14 Vanuatu|15 Îles Marshall|16 Micronésie|17 Palaos"),
)  # fmt: skip

COUNTRIES = {
    (code := continent + entry[:2]): CountryRecord(code, entry[3:])
    for continent, listed in _TABLE
    for entry in listed.split("|")
}


def country_of(insee_code: str) -> CountryRecord:
    """Return the country of a stored code; one that is not, or no longer, a State's has its code for a name."""
    return COUNTRIES.get(insee_code) or CountryRecord(insee_code, insee_code)
