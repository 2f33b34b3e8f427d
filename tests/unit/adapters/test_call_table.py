"""Tables of calls from CSV: what is learned from, what is left out, and what is refused with its line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from dialer.adapters.call_table import evaluate_table, read_call_table
from dialer.errors import ConfigError
from tests.unit.models.drifting_calls import drifting_calls

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
Row = dict[str, object]
Change = Callable[[int, Row], Row]


def written(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return path


def calls(path: Path, change: Change = lambda _, row: row, rows: int = 700) -> Path:
    """A table of calls, ten minutes apart, each row changed as asked."""
    table, _ = drifting_calls(rows)
    made: list[Row] = []
    for place in range(rows):
        product, attempt, noise = table.columns[place]
        row: Row = {
            "calldate": (datetime(2026, 9, 1, 9) + timedelta(minutes=10 * place)).isoformat(" "),
            "product": "" if np.isnan(product) else ("card", "loan", "car", "house")[int(product)],
            "attempt": "" if np.isnan(attempt) else int(attempt),
            "noise": "" if np.isnan(noise) else round(float(noise), 4),
            "paid": int(table.label[place]),
        }
        made.append(change(place, row))
    return written(path, made)


def test_calls_are_told_by_time(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = evaluate_table(
        calls(tmp_path / "calls.csv"),
        label="paid",
        first_row=520,
        every=90,
        now=NOW,
        progress=lambda done, whole: seen.append((done, whole)),
    )
    assert found.columns == ("calldate: hour", "calldate: weekday", "product", "attempt", "noise")
    assert (found.rows, found.first_row, found.every, found.trainings) == (700, 520, 90, 2)
    assert seen == [(90, 180), (180, 180)]
    assert found.told == ()
    assert found.recalibrated.auc is not None and found.recalibrated.ece is not None


def test_columns_are_numbers_names_and_hours(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.csv",
        [
            {"at": f"2026-09-0{day} 10:30", "region": region, "amount": amount, "label": label}
            for day, region, amount, label in ((1, "Lima", "10.5", "yes"), (2, "", "x", "no"), (3, "Cusco", "7", "SI"))
        ],
    )
    table, told = read_call_table(path, label="label")
    assert table.names == ("at: hour", "at: weekday", "region", "amount")
    assert table.named == (False, True, True, False)
    assert table.columns[:, 0].tolist() == [10.5] * 3
    assert table.columns[:, 1].tolist() == [1.0, 2.0, 3.0]
    assert table.columns[0, 2] == 0.0 and np.isnan(table.columns[1, 2]) and table.columns[2, 2] == 1.0
    assert table.columns[0, 3] == 10.5 and np.isnan(table.columns[1, 3])
    assert table.label.tolist() == [True, False, True]
    assert told == ["amount: 1 of 3 cells are no numbers: taken as unknown"]


@pytest.mark.parametrize(
    "name",
    ["duration_s", "talk_s", "length_in_sec", "status", "Call Status", "billsec", "hangup_cause", "Duración", "result"],
)
def test_what_is_known_only_after_the_call_is_left_out(tmp_path: Path, name: str) -> None:
    table, told = read_call_table(calls(tmp_path / "c.csv", lambda place, row: {name: place % 7, **row}), label="paid")
    assert name not in table.names
    assert told == [f"{name}: known only after the call: left out"]


@pytest.mark.parametrize("name", ["previous_outcome", "marital_status", "days_since_result", "loan_duration_years"])
def test_what_was_known_before_is_learned_from(tmp_path: Path, name: str) -> None:
    table, told = read_call_table(calls(tmp_path / "c.csv", lambda place, row: {name: place % 7, **row}), label="paid")
    assert name in table.names and told == []


def test_decimal_commas_and_names_over_two_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text('label;"amount\n due"\nsi;10,5\nno;7\nno;inf\n')
    table, told = read_call_table(path, label="label")
    assert table.names == ("amount due",)
    assert table.columns[:2, 0].tolist() == [10.5, 7.0] and np.isnan(table.columns[2, 0])
    assert told == ["amount due: 1 of 3 cells are no numbers: taken as unknown"]


def test_identifiers_texts_and_empty_columns_are_left_out(tmp_path: Path) -> None:
    path = calls(
        tmp_path / "c.csv",
        lambda place, row: {"id": place, "who": f"P{place}", "blank": "", "born": "1980-02-03", **row},
    )
    table, told = read_call_table(path, label="paid", without=("noise",))
    assert table.names == ("calldate: hour", "calldate: weekday", "product", "attempt")
    assert [line.partition(":")[0] for line in told] == ["id", "who", "blank", "born"]


def test_rows_without_a_label_are_counted(tmp_path: Path) -> None:
    path = calls(tmp_path / "c.csv", lambda place, row: row | {"paid": "" if place < 3 else row["paid"]})
    table, told = read_call_table(path, label="paid")
    assert len(table) == 697 and told == ["paid: 3 rows do not say: left out"]


def _leaking(place: int, row: Row) -> Row:
    return row | {"segundos": 0 if row["paid"] == 0 else 30 + place % 50}


def _named_leak(place: int, row: Row) -> Row:
    return row | {"note": "sold" if row["paid"] else ("busy", "no", "later")[place % 3]}


def _filled_leak(place: int, row: Row) -> Row:
    return row | {"agreed": place % 90 if row["paid"] else ""}


def test_a_column_that_tells_the_label_is_refused_unless_left_out(tmp_path: Path) -> None:
    for number, leak in enumerate((_leaking, _named_leak, _filled_leak)):
        path = calls(tmp_path / f"{number}.csv", leak)
        name = ("segundos", "note", "agreed")[number]
        with pytest.raises(ConfigError, match=rf"csv:1: '{name}' by itself tells paid .*--without {name}"):
            read_call_table(path, label="paid")
        assert name not in read_call_table(path, label="paid", without=(name,))[0].names


def test_a_suspect_column_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = calls(tmp_path / "c.csv", lambda _, row: row | {"odd": int(row["paid"]) * 2 + rng.normal()})  # type: ignore[call-overload]
    told = read_call_table(path, label="paid")[1]
    assert len(told) == 1 and told[0].startswith("odd: by itself tells paid with AUC 0.9")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda at, row: row | {"paid": 2 if at == 40 else row["paid"]}, r"c\.csv:42: paid: expected yes or no .*'2'"),
        (lambda _, row: row | {"paid": 0}, "expected two classes of paid, found 0 only"),
        (
            lambda at, row: row | {"calldate": "2031-01-01 10:00" if at == 5 else row["calldate"]},
            r"c\.csv:7: calldate: 2031-01-01 10:00 is in the future",
        ),
        (
            lambda at, row: row | {"calldate": "2026-08-01 10:00" if at == 9 else row["calldate"]},
            r"c\.csv:11: calldate: 2026-08-01 10:00 comes after .*--order calldate",
        ),
        (
            lambda at, row: row | {"calldate": "soon" if at == 500 else row["calldate"]},
            r"c\.csv:502: calldate: expected a time as in .*'soon'",
        ),
        (lambda at, row: row | {"product": '"\x1b[31m'} if at < 0 else {"paid": row["paid"]}, "a column to learn from"),
    ],
)
def test_what_is_no_table_of_calls_is_refused_in_one_line(tmp_path: Path, change: Change, said: str) -> None:
    path = calls(tmp_path / "c.csv", change)
    with pytest.raises(ConfigError, match=said) as raised:
        evaluate_table(path, label="paid", every=400, now=NOW)
    assert len(raised.value.faults) == 1 and "\n" not in str(raised.value)


def test_faults_of_the_file_name_its_line(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    for text, said in (
        ("a,b\n1,0\n", r"c\.csv:1: expected a column 'paid', found 'a', 'b'"),
        ("a,a,paid\n1,2,0\n", r"c\.csv:1: expected each column once, found 'a' twice"),
        ("a,paid\n1,0\n1,0,3\n", r"c\.csv:3: expected 2 cells as the first line has, found 3"),
        ("a,paid\n1,0\n2,1\n", "expected at least 200 rows with a known paid, found 2"),
        ("", "expected a line of column names"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=said):
            evaluate_table(path, label="paid")
    with pytest.raises(ConfigError, match="cannot be read"):
        evaluate_table(tmp_path / "none.csv", label="paid")
    with pytest.raises(ConfigError, match="expected every >= 1"):
        evaluate_table(path, label="paid", every=0)


def test_rows_are_sorted_by_a_column_of_times(tmp_path: Path) -> None:
    straight = calls(tmp_path / "a.csv")
    rows: list[Row] = list(csv.DictReader(straight.read_text(encoding="utf-8").splitlines()))  # type: ignore[arg-type]
    turned = written(tmp_path / "b.csv", rows[::-1])
    one, two = (
        read_call_table(path, label="paid", order=order)[0]
        for path, order in ((straight, "rows"), (turned, "calldate"))
    )
    assert one.label.tolist() == two.label.tolist()
    assert np.array_equal(one.columns[:, 0], two.columns[:, 0])
    with pytest.raises(ConfigError, match="expected a column of times 'product'"):
        read_call_table(turned, label="paid", order="product", without=("calldate",))
