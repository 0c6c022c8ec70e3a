"""Invented people: names, addresses and what the law forbids to learn from."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.brokerage.columns import coded, identifiers, picked
from workbench.data.brokerage.market import TENANTS
from workbench.data.brokerage.people import People
from workbench.data.brokerage.schema import LANGUAGES

__all__ = ["contact_columns", "first_names"]

_FIRST = {
    "english": "Dana Mark Aisha Tom Ruth Jack Mia Leo Tess Cole Noor Grace",
    "spanish": "Luis Elena Carmen Mateo Lucía Diego Sofía Andrés Inés Pablo Rosa Javier",
    "mandarin": "Wei Min Jing Hao Lan Feng Ying Jun Mei Tao Xia Bo",
    "french": "Camille Hugo Léa Antoine Chloé Julien Manon Luc Élise Rémi Zoé Paul",
    "portuguese": "João Ana Rui Beatriz Tiago Marta Caio Lívia Davi Helena Nuno Clara",
    "hindi": "Priya Raj Anita Vikram Neha Arjun Kavya Rohan Meera Sanjay Pooja Dev",
}
_LAST = {
    "english": "Lind Hall Weber Byrne Osei Novak Reed Stone Walsh Barker Frost Quinn",
    "spanish": "Moreno Rivas Ortega Salas Fuentes Vidal Rojas Campos Luna Peña Soto Nieto",
    "mandarin": "Chen Lin Zhao Sun Guo Tang Xu Liang Song Deng Cao Yuan",
    "french": "Moreau Girard Lambert Rousset Faure Blanc Chevalier Marchand Perrin Colin Noël Roy",
    "portuguese": "Costa Nunes Prado Tavares Lopes Braga Teles Matos Veiga Duarte Serra Paiva",
    "hindi": "Shah Mehta Iyer Kapoor Rao Nair Joshi Bose Verma Saxena Pillai Malik",
}
_SIZE = 12
_FAMILY = ("single", "couple", "family_with_children", "multi_generation", "divorced", "widowed")
_ORIGINS = ("united_states", "mexico", "china", "canada", "brazil", "india", "nigeria", "germany")
_ORIGIN_OF_LANGUAGE = np.array([0, 1, 2, 3, 4, 5])


def first_names(people: People, base: int) -> np.ndarray:
    """Give the first name of each lead as str objects; leads of a person agree."""
    names = np.array([_FIRST[language].split() for language in LANGUAGES], dtype=object)
    chosen: np.ndarray = names[people.language, (base + people.person) % _SIZE]
    return chosen


def contact_columns(
    people: People, base: int, rng: np.random.Generator
) -> tuple[dict[str, pa.Array], pa.Array]:
    """Give the contacts of a chunk, and the contact of each lead.

    `base` is the number of the first contact of the chunk.
    """
    found, first = np.unique(people.contact, return_index=True)
    person, language = people.person[first], people.language[first]
    number = base + person
    given = number % _SIZE
    family = number // _SIZE % _SIZE
    n = len(people.contact)
    misspelt = found >= n
    code = (language * _SIZE + given) * _SIZE + family
    names = _all_names()
    full_name = coded(names, np.where(misspelt, code + len(names) // 2, code))
    # What depends on the person is drawn for every person, so that two contacts of one agree.
    draws = rng.random((4, n))[:, person]
    origin = np.where(
        draws[0] < np.where(language == 0, 0.8, 0.45),
        np.where(language == 0, 0, _ORIGIN_OF_LANGUAGE[language]),
        (draws[1] * len(_ORIGINS)).astype(np.int64),
    )
    born = 2023 - (21 + 60 * draws[2] ** 1.4).astype(np.int64)
    plain = pc.replace_substring_regex(
        pc.utf8_normalize(full_name.cast(pa.string()), "NFD"), r"\p{Mn}", ""
    )
    handle = pc.utf8_lower(pc.replace_substring(plain, " ", "."))
    local = pc.binary_join_element_wise(handle, pa.array(number).cast(pa.string()), "")
    ids = identifiers("C", base + found, 9)
    lead_contact = picked(ids, np.searchsorted(found, people.contact))
    columns = {
        "contact_id": ids,
        "tenant": coded([row[0] for row in TENANTS], people.tenant[first]),
        "full_name": full_name,
        "email": pc.binary_join_element_wise(local, "example.com", "@"),
        "phone": pc.binary_join_element_wise(
            pc.binary_join_element_wise("(", identifiers("", 200 + number % 700, 3), ""),
            identifiers("555-01", number % 100, 2), ") ",
        ),
        "preferred_language": coded(LANGUAGES, language),
        "family_status": coded(_FAMILY, (draws[3] ** 1.2 * len(_FAMILY)).astype(np.int64)),
        "birth_year": pa.array(born),
        "national_origin": coded(_ORIGINS, origin),
    }  # fmt: skip
    return columns, lead_contact


def _all_names() -> list[str]:
    """List every name by language, first and last name; then all of them misspelt."""
    names = [
        f"{first} {last}"
        for language in LANGUAGES
        for first in _FIRST[language].split()
        for last in _LAST[language].split()
    ]
    return [*names, *(_misspelt(name) for name in names)]


def _misspelt(name: str) -> str:
    """Give the name with its third letter left out: what a hurried agent types."""
    return name[:2] + name[3:]
