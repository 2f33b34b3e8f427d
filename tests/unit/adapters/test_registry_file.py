"""Files of numbers that must not be called, as registries and people's tools write them."""

from __future__ import annotations

import csv
import gzip
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.number_plan import BadNumber
from dialer.adapters.registered_number import registered_forms
from dialer.adapters.registry_file import LINES_A_REPORT, read_registry
from dialer.errors import ConfigError

LIMA, CUSCO, MADRID = "+51999000111", "+51984765432", "+34612345678"


def write(folder: Path, text: str | bytes, name: str = "registry.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("cell", "country", "forms"),
    [
        ("+51999000111", "", (LIMA,)),
        (" '+51 999-000-111 ", "", (LIMA,)),
        ("0051999000111", "", (LIMA,)),
        ("0051999000111", "PE", (LIMA,)),
        ("51999000111", "PE", (LIMA,)),
        ("999000111", "pe", (LIMA,)),
        ("+34612345678", "PE", (MADRID,)),
        ("(215) 555-0100", "US", ("+12155550100",)),
        ("2155550100", "US", ("+12155550100",)),
        ("12155550100", "US", ("+12155550100",)),
        ("+5215512345678", "", ("+525512345678",)),
        ("5512345678", "MX", ("+525512345678",)),
        ("11 2345-6789", "AR", ("+541123456789", "+5491123456789")),
        ("+5491123456789", "", ("+5491123456789", "+541123456789")),
        ("+999999000111", "", None),  # no such country
        ("999000111", "", None),
        ("+5199900011100000", "", None),
        ("5.1999E+10", "PE", None),
        ("51999000111.0", "PE", None),
        ("=cmd|' /C calc'!A0", "PE", None),
        ("\x1b[31m999000111", "PE", None),
        ("", "PE", None),
        ("+", "PE", None),
    ],
)
def test_a_number_has_the_form_of_the_leads(cell: str, country: str, forms: tuple[str, ...] | None) -> None:
    if forms is None:
        with pytest.raises(BadNumber):
            registered_forms(cell, country)
    else:
        assert registered_forms(cell, country) == forms


@given(st.text(max_size=30), st.sampled_from(["", "PE", "US", "AR"]))
def test_whatever_is_written_is_a_number_or_a_bad_one(cell: str, country: str) -> None:
    try:
        forms = registered_forms(cell, country)
    except BadNumber:
        return
    assert all(form[0] == "+" and form[1:].isdigit() and form[1:].isascii() and len(form) <= 16 for form in forms)


@pytest.mark.parametrize(
    "content",
    [
        f"telefono\n{LIMA}\n{CUSCO}\n",
        f"{LIMA}\n\n{CUSCO}\n{LIMA}\n",
        "999000111\n984765432",
        f"Fecha;Teléfono;Motivo\n2026-01-02;{LIMA};x\n2026-01-03;{CUSCO};y\n".encode("utf-8-sig"),
        f"sep=;\r\nfecha;celular\r\n2026-01-02;{LIMA}\r\n2026-01-03;{CUSCO}\r\n",
        f"fecha\tnúmero\n2026-01-02\t{LIMA}\n2026-01-03\t{CUSCO}\n".encode("utf-16"),
        f"numero\n'{LIMA}\n{CUSCO}\n".encode("cp1252"),
        f"telefono_1,telefono_2\n{LIMA},{CUSCO}\n",
        gzip.compress(f"{LIMA}\n{CUSCO}\n".encode(), mtime=0),  # with the time, its name would change by the second
    ],
)
def test_numbers_are_read_however_they_are_written(tmp_path: Path, content: str | bytes) -> None:
    read = read_registry(write(tmp_path, content), country="PE")
    assert list(read.numbers) == [CUSCO, LIMA] and len(read.numbers) == 2
    assert (read.rejected, read.rejected_path) == (0, None)


def test_a_zip_with_area_codes_apart_as_the_american_registry_comes(tmp_path: Path) -> None:
    path = tmp_path / "2026-11-01_215.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("215.txt", "215,5550100\n215,5550101\n")
    assert list(read_registry(path).numbers) == ["+12155550100", "+12155550101"]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("216.txt", "216,5550100\n")
    with pytest.raises(ConfigError, match="expected one file in it, found 2"):
        read_registry(path)


def test_bad_lines_are_counted_and_kept_beside_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, f"telefono,nota\n{LIMA},\n12,=1+1\n,vacío\n{CUSCO},\n{MADRID},\n")
    read = read_registry(path, country="PE")
    assert (len(read.numbers), read.lines, read.rejected) == (3, 5, 2)
    assert read.rejected_path == tmp_path / "registry.rejected.csv"
    with read.rejected_path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["line", "reason", "telefono", "nota"]
    assert [(row[0], row[3]) for row in rows[1:]] == [("3", "'=1+1"), ("4", "vacío")]

    path.write_text(f"{LIMA}\n")
    assert read_registry(path).rejected_path is None and not (tmp_path / "registry.rejected.csv").exists()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "expected a line of column names, found nothing"),
        ("nombre,dni\nAna,12345678\n", "expected a first line of column names with one of numbers"),
        (f"fecha,celular bloqueado\n2026-01-01,{LIMA}\n", "expected a first line of column names"),
        (f"{LIMA},{CUSCO}\n", "expected a first line of column names"),
        ("abonado\n999000111\n", "expected a first line of column names"),
        ("telefono\n", "found none in 0 lines"),
        ("telefono\nAna\nLuis\n", "found none in 2 lines; line 2: expected a telephone number, was 'Ana'"),
        (f"telefono\n{LIMA}\n12\n13\n", "2 of 3 lines have none that is valid"),
        ("telefono\n20345678\n30456789\n", "2 of 2 lines have none that is valid"),
        (b"PK\x03\x04 a workbook", "Excel workbook"),
        (b"\x1f\x8b no gzip", "cannot be"),
        (f"telefono\n{LIMA}\n".encode("utf-16-le"), "NUL byte"),
        (f'telefono\n"{LIMA}\n', "never closed"),
    ],
)
def test_a_file_that_is_no_such_list_is_one_named_line(tmp_path: Path, content: str | bytes, fault: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(ConfigError) as caught:
        read_registry(path, country="PE")
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].startswith(str(path)) and fault in caught.value.faults[0]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["registry.csv"]


def test_a_long_file_tells_how_far_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, "".join(f"+51999{n:06}\n" for n in range(2 * LINES_A_REPORT + 1)))
    told: list[int] = []
    assert len(read_registry(path, on_lines=told.append).numbers) == 2 * LINES_A_REPORT + 1
    assert told == [LINES_A_REPORT, 2 * LINES_A_REPORT]


def test_a_list_that_looks_wrong_is_taken_when_forced(tmp_path: Path) -> None:
    path = write(tmp_path, f"telefono\n{LIMA}\n12\n13\n")
    assert list(read_registry(path, force=True).numbers) == [LIMA]


def test_the_path_in_a_fault_of_a_packed_file_is_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"nombre\nAna\n"), "robinson.csv.gz")
    with pytest.raises(ConfigError) as caught:
        read_registry(path)
    assert caught.value.faults[0].startswith(f"{path}:1: ")


def test_no_such_file_and_no_such_country(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_registry(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="XX: expected a country"):
        read_registry(write(tmp_path, f"{LIMA}\n"), country="XX")
