"""What the columns of a list mean, by their names in Spanish or English, whatever case and accents they are in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compliance.places.tables import plain_name as plain_name

_SYNONYMS: dict[str, str] = {
    "lead_id": "id lead_id id_lead leadid id_registro",
    "person": "person person_id id_person dni documento nro_documento num_documento numero_documento "
    "numero_de_documento document document_id cedula ci rut curp nif nie dui identificacion id_persona id_cliente "
    "cliente_id customer_id",
    "debt": "debt debt_id credito obligacion loan loan_id contrato operacion prestamo id_credito nro_credito "
    "numero_credito numero_de_credito numero_obligacion",
    # Without a column of the debt this one names it.
    "account": "account account_id account_number cuenta id_cuenta nro_cuenta numero_cuenta numero_de_cuenta",
    "name": "name nombre nombres nombre_completo nombre_cliente full_name cliente titular customer customer_name",
    "amount": "amount amount_due monto saldo deuda importe balance saldo_total saldo_vencido monto_vencido",
    "days_past_due": "days_past_due dpd mora dias_mora dias_de_mora dias_en_mora dias_atraso dias_de_atraso",
    "product": "product producto",
    "region": "region ciudad departamento provincia city",
    # `estado` is not among them: lists use it for the state of a debt.
    "subdivision": "subdivision subdivision_code state state_code province iso_3166_2 comunidad_autonoma ccaa "
    "estado_residencia estado_de_residencia uf",
    "postal": "postal postal_code codigo_postal cod_postal cp zip zip_code zipcode postcode cep",
    "priority": "priority prioridad",
    "zone": "zone timezone time_zone tz zona_horaria huso_horario",
    "country": "country country_code pais cod_pais",
}
# Columns of the region in which some write a state or province by a name that is known: then it is the address's.
_STATES = frozenset({"provincia", "departamento"})
_FIELD_OF = {name: field for field, names in _SYNONYMS.items() for name in names.split()}

# Columns of numbers of the person. A reference's or relative's number is a third party's: it is never dialled, and
# such a column stays among the extra ones.
_NUMBER = re.compile(
    r"(number|numero|phone|phone_number|telephone|telefono|tel|fono|celular|cel|cell|cellphone|movil|mobile|"
    r"numero_de_telefono|numero_telefono|nro_telefono|numero_celular)_?(\d{1,2})?"
    r"(_(?P<place>casa|trabajo|oficina|celular|movil|fijo|personal|principal|alternativo|home|work|mobile|cell|main|alternate|"
    r"other|otro))?_?(\d{1,2})?"
)
_WORK = ("trabajo", "oficina", "work")
# The numbers' own carrier; with a digit that of the number column with the same one.
_NETWORK = re.compile(
    r"(network|red|carrier|operador|operadora|operador_movil|operador_telefonico|compania_telefonica|"
    r"empresa_telefonica|telco)_?(\d{1,2})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where the fields of a lead stand in a row."""

    numbers: tuple[int, ...]  # in the order of the file, in which they are dialled
    uses: tuple[str, ...]  # of each of `numbers`: "work" for one at the person's place of work
    networks: tuple[int | None, ...]  # of each of `numbers`: the column of its own carrier
    fields: dict[str, int]
    states: tuple[int, ...]  # columns, of the region or extra, in which a subdivision may stand
    extra: tuple[tuple[int, str], ...]  # the columns without a meaning here, by their names
    count: int


def read_columns(header: Sequence[str]) -> Columns:
    """Say what each column means. Of two columns with one meaning the first has it and the other is extra."""
    numbers: list[int] = []
    uses: list[str] = []
    digits: list[int] = []
    networks: dict[int | None, int] = {}
    fields: dict[str, int] = {}
    extra: list[tuple[int, str]] = []
    states = tuple(index for index, title in enumerate(header) if plain_name(title) in _STATES)
    for index, title in enumerate(header):
        name = plain_name(title)
        field = _FIELD_OF.get(name)
        if match := _NUMBER.fullmatch(name):
            numbers.append(index)
            uses.append("work" if match["place"] in _WORK else "")
            digits.append(int(match[2] or match[5] or 1))
        elif field is not None and field not in fields:
            fields[field] = index
        elif (match := _NETWORK.fullmatch(name)) and (which := _digit(match[2])) not in networks:
            networks[which] = index
        elif title.strip():
            extra.append((index, title.strip()))
    if "account" in fields and "debt" not in fields:
        fields["debt"] = fields.pop("account")
    extra += [(index, header[index].strip()) for digit, index in networks.items() if digit not in (None, *digits)]
    return Columns(
        numbers=tuple(numbers),
        uses=tuple(uses),
        networks=tuple(networks.get(digit, networks.get(None)) for digit in digits),
        fields=fields,
        states=states,
        extra=tuple(sorted(extra)),
        count=len(header),
    )


def _digit(text: str | None) -> int | None:
    return None if text is None else int(text)
