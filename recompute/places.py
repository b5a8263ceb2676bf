"""Codes of places, typed in from the lists of the institutions that use them."""

# Institut National de la Statistique, codes of governorates since 2000 -> ISO 3166-2.
GOVERNORATES = {
    "11": "TN-11", "12": "TN-12", "13": "TN-13", "14": "TN-14", "15": "TN-21", "16": "TN-22", "17": "TN-23",
    "21": "TN-31", "22": "TN-32", "23": "TN-33", "24": "TN-34", "31": "TN-51", "32": "TN-52", "33": "TN-53",
    "34": "TN-61", "41": "TN-41", "42": "TN-42", "43": "TN-43", "51": "TN-81", "52": "TN-82", "53": "TN-83",
    "61": "TN-71", "62": "TN-72", "63": "TN-73",
}  # fmt: skip
# Countries as the consular register writes them -> ISO 3166-1.
COUNTRIES = {
    "France": "FRA", "Italie": "ITA", "Libye": "LBY", "Allemagne": "DEU", "Arabie saoudite": "SAU", "Belgique": "BEL",
    "Canada": "CAN", "Suisse": "CHE", "Emirats Arabes Unis": "ARE", "Algérie": "DZA", "Etats-Unis": "USA",
    "Qatar": "QAT", "Royaume-Uni": "GBR", "Espagne": "ESP", "Oman": "OMN", "Maroc": "MAR", "Koweït": "KWT",
    "Turquie": "TUR", "Roumanie": "ROU",
}  # fmt: skip
