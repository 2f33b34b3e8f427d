from pathlib import Path

import pytest

from dialer.config.yaml_lines import MAX_BYTES, parse_yaml, read_yaml
from dialer.errors import ConfigError

FILE = Path("c.yaml")


def _fault(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, FILE)
    assert len(caught.value.faults) == 1
    return str(caught.value)


def test_values_are_plain_and_have_their_lines():
    document = parse_yaml('a: 1\nb:\n  - c: "07"\n    d: [2.5, true, ~, no, 2026-12-24, 0x10, 010]\n', FILE)
    assert document.data == {"a": 1, "b": [{"c": "07", "d": [2.5, True, None, "no", "2026-12-24", 16, 10]}]}
    assert type(document.data["b"][0]["c"]) is str
    assert document.line(("b", 0, "d", 3)) == 4
    assert document.line(("b", 0, "missing", 7)) == 3
    assert document.line(("nowhere",)) == 1
    assert document.raw["b", 0, "d", 6] == "010"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: &x [1]\nb: *x", 1, "anchors"),
        ("a: *x", 1, "anchors"),
        ("b: 1\n<<: {a: 1}", 2, "merges"),
        ("a: !!python/object:os.system x", 1, "tags"),
        ("? !!str a\n: 1", 1, "plain key"),
        ("? [a]\n: 1", 1, "plain key"),
        ("a: 1\nb: 2\na: 3", 3, "'a' stands twice (first in line 1)"),
        ("a: 1\n---\nb: 2", 2, "one document"),
        ("%YAML 1.1\n---\na: yes", 2, "directives"),
        ("a: [1", 1, "not YAML"),
        ("a: 1\n\tb: 2", 2, "not YAML"),
        ("a: x\0", 1, "not YAML"),
        ("- 1", 1, "`key: value`"),
        ("", 1, "was nothing"),
        ("a: " + "[" * 100_000, 1, "20 levels"),
    ],
)
def test_what_a_campaign_does_not_need_is_refused_by_line(text, line, says):
    fault = _fault(text)
    assert fault.startswith(f"c.yaml:{line}: ")
    assert says in fault


def test_an_alias_bomb_is_refused_before_it_grows():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(20)
    )
    assert "anchors" in _fault(bomb)


def test_a_file_must_be_small_readable_and_utf_8(tmp_path):
    big, latin = tmp_path / "big.yaml", tmp_path / "latin.yaml"
    big.write_bytes(b"a" * (MAX_BYTES + 1))
    latin.write_bytes(b"a: 1\nb: caf\xe9\n")
    for path, says in ((big, "at most 1 MiB"), (latin, "latin.yaml:2: expected UTF-8"), (tmp_path / "no", "cannot be")):
        with pytest.raises(ConfigError, match=says):
            read_yaml(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(path).data == {"a": 1}
