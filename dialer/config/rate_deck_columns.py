"""What the columns of a rate deck mean, by their names in Spanish or English, whatever case and accents they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compliance.places.tables import plain_name

_SYNONYMS: dict[str, str] = {
    "prefix": "prefix prefijo code codigo dial_code dialcode dialing_code area_code destination_code codigo_destino "
    "prefijo_destino prefijo_de_destino codigo_de_area cod_area",
    "per_minute": "price_per_minute per_minute price rate price_min price_per_min rate_per_minute rate_per_min cost "
    "cost_per_minute precio tarifa precio_por_minuto precio_minuto precio_min tarifa_por_minuto tarifa_minuto costo "
    "costo_por_minuto costo_minuto valor_minuto",
    "billing": "billing billing_increment billing_increments increment increments interval intervals facturacion "
    "incremento incrementos intervalo cadencia_de_facturacion",
    "first_s": "first_s first first_increment initial_increment interval_1 minimum minimo primer_incremento "
    "incremento_inicial primeros_segundos",
    "step_s": "step_s step next_increment subsequent_increment additional_increment interval_n paso "
    "siguiente_incremento incremento_siguiente incremento_adicional",
    "connection_fee": "connection_fee connect_fee setup_fee cargo_de_conexion cargo_conexion cargo_por_conexion "
    "costo_de_conexion establecimiento costo_de_establecimiento",
    "attempt_fee": "attempt_fee fee_per_attempt cargo_por_intento costo_por_intento",
    "currency": "currency moneda divisa",
    "description": "description descripcion destination destino country pais name nombre network red operator operador",
}
_FIELD_OF = {name: field for field, names in _SYNONYMS.items() for name in names.split()}
_FREE_TEXT = "description"


@dataclass(frozen=True, slots=True)
class DeckColumns:
    """Where the fields stand in a row; what is not there is None."""

    prefix: int
    per_minute: int
    billing: int | None
    first_s: int | None
    step_s: int | None
    connection_fee: int | None
    attempt_fee: int | None
    currency: int | None
    unread: tuple[str, ...]  # the titles of columns without a meaning here


def deck_columns(header: Sequence[str]) -> DeckColumns:
    """Say what each column means. Raises `ValueError` with all that is missing or stands twice."""
    found: dict[str, int] = {}
    unread: list[str] = []
    faults: list[str] = []
    for index, title in enumerate(header):
        field = _FIELD_OF.get(plain_name(title))
        if field is None:
            unread += [title.strip()] if title.strip() else []
        elif field in found and field != _FREE_TEXT:
            faults.append(f"{title.strip()!r} says what {header[found[field]].strip()!r} says: remove one")
        else:
            found.setdefault(field, index)
    faults += _missing(found, header)
    if faults:
        raise ValueError("; ".join(faults))
    place = found.get
    return DeckColumns(
        prefix=found["prefix"],
        per_minute=found["per_minute"],
        billing=place("billing"),
        first_s=place("first_s"),
        step_s=place("step_s"),
        connection_fee=place("connection_fee"),
        attempt_fee=place("attempt_fee"),
        currency=place("currency"),
        unread=tuple(unread),
    )


def _missing(found: dict[str, int], header: Sequence[str]) -> Iterator[str]:
    titles = ", ".join(repr(title[:40]) for title in header[:8])
    for field, names in (("prefix", "prefix, prefijo"), ("per_minute", "price_per_minute, precio, tarifa")):
        if field not in found:
            yield f"expected a column of the {field.replace('_', ' ')} ({names}), found {titles}"
    steps = [field for field in ("first_s", "step_s") if field in found]
    if "billing" in found and steps:
        yield f"expected billing or first_s and step_s, found billing and {' and '.join(steps)}: remove one"
    elif "billing" not in found and len(steps) < 2:
        yield (
            "expected a column `billing`, such as 60/60 (first seconds, then steps), or columns `first_s` and `step_s`"
        )
