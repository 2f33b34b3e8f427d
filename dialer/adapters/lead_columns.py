"""What the columns of a list mean, by their names in Spanish or English, whatever case and accents they are in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_SYNONYMS: dict[str, str] = {
    "lead_id": "id lead_id id_lead leadid id_registro",
    "person": "person person_id id_person dni documento nro_documento num_documento numero_documento "
    "numero_de_documento document document_id cedula ci rut curp nif nie dui identificacion id_persona id_cliente "
    "cliente_id customer_id",
    "debt": "debt debt_id cuenta credito obligacion account account_id account_number loan loan_id contrato operacion "
    "prestamo id_cuenta id_credito nro_cuenta nro_credito numero_cuenta numero_credito numero_de_cuenta "
    "numero_de_credito numero_obligacion",
    "name": "name nombre nombres nombre_completo nombre_cliente full_name cliente titular customer customer_name",
    "amount": "amount amount_due monto saldo deuda importe balance saldo_total saldo_vencido monto_vencido",
    "days_past_due": "days_past_due dpd mora dias_mora dias_de_mora dias_en_mora dias_atraso dias_de_atraso",
    "product": "product producto",
    "region": "region ciudad departamento provincia city",
    "priority": "priority prioridad",
    "zone": "zone timezone time_zone tz zona_horaria huso_horario",
    "country": "country country_code pais cod_pais",
}
_FIELD_OF = {name: field for field, names in _SYNONYMS.items() for name in names.split()}

# Columns of numbers of the person. A reference's or relative's number is a third party's: it is never dialled, and
# such a column stays among the extra ones.
_NUMBER = re.compile(
    r"(number|numero|phone|phone_number|telephone|telefono|tel|fono|celular|cel|cell|cellphone|movil|mobile|"
    r"numero_de_telefono|numero_telefono|nro_telefono|numero_celular)_?(\d{1,2})?"
    r"(_(casa|trabajo|oficina|celular|movil|fijo|personal|principal|alternativo|home|work|mobile|cell|main|alternate|"
    r"other|otro))?_?(\d{1,2})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where the fields of a lead stand in a row."""

    numbers: tuple[int, ...]  # in the order of the file, in which they are dialled
    fields: dict[str, int]
    extra: tuple[tuple[int, str], ...]  # the columns without a meaning here, by their names
    count: int


def read_columns(header: Sequence[str]) -> Columns:
    """Say what each column means. Of two columns with one meaning the first has it and the other is extra."""
    numbers: list[int] = []
    fields: dict[str, int] = {}
    extra: list[tuple[int, str]] = []
    for index, title in enumerate(header):
        name = plain_name(title)
        field = _FIELD_OF.get(name)
        if _NUMBER.fullmatch(name):
            numbers.append(index)
        elif field is not None and field not in fields:
            fields[field] = index
        elif title.strip():
            extra.append((index, title.strip()))
    return Columns(numbers=tuple(numbers), fields=fields, extra=tuple(extra), count=len(header))


def plain_name(title: str) -> str:
    """Return a column's name in plain small letters: `Teléfono  1` is `telefono_1`."""
    bare = unicodedata.normalize("NFKD", title.strip().casefold())
    letters = "".join(char for char in bare if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")
