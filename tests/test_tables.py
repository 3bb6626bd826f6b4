"""Tables of three kinds say the same; broken ones are named with file and line; no file is written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from judgekit import InputError
from judgekit.files import read_table, write_new

ROWS = [{"id": "1", "text": 'a, "b"\nc', "score": "2"}, {"id": "2", "text": "写"}]


def test_three_forms_of_one_table(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    write_new(tmp_path / "t.jsonl", [ROWS[0], {**ROWS[1], "score": None}])
    (tmp_path / "t.CSV").write_text('id,text,score\n1,"a, ""b""\nc",2\n2,写,\n', encoding="utf-8-sig")
    parquet.write_table(arrow.Table.from_pylist(ROWS), tmp_path / "t.parquet")
    found = {name: list(read_table(tmp_path / name)) for name in ("t.jsonl", "t.CSV", "t.parquet")}

    assert found["t.jsonl"] == found["t.parquet"] == [(1, ROWS[0]), (2, ROWS[1])]
    assert found["t.CSV"] == [(2, ROWS[0]), (4, ROWS[1])]  # the lines where they begin


def test_nan_is_no_value(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"x": [1.5, float("nan"), None]}), tmp_path / "t.parquet")

    assert [row for _, row in read_table(tmp_path / "t.parquet")] == [{"x": 1.5}, {}, {}]


def test_a_cell_may_be_as_long_as_a_novel(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x\n" + "w" * 500_000 + "\n")

    assert len(next(read_table(tmp_path / "t.csv"))[1]["x"]) == 500_000


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("t.tsv", b"", "a table is read from .jsonl, .csv or .parquet, not from '.tsv'"),
        ("t", b"", "not from 'a bare name'"),
        ("t.csv", b"a,b\n1,2\n1\n", "t.csv:3: 1 cells, but the header has 2"),
        ("t.csv", b"a,b,a\n", "t.csv:1: the column 'a' stands twice"),
        ("t.csv", b'a\n"x"y\n', "t.csv:2: not CSV: "),
        ("t.csv", b'a\n"x\n', "t.csv:2: not CSV: unexpected end of data"),
        ("t.csv", b"a\n\xff\n", "not UTF-8, here or a little later"),
        ("t.csv", b"\na\n", "t.csv:1: has no header"),
        ("t.jsonl", b"{}\n[]\n", "t.jsonl:2: must be a JSON object"),
        ("t.parquet", b"PAR1 and nothing else", "not a sound Parquet file"),
    ],
)
def test_broken_tables(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as told:
        list(read_table(tmp_path / name))

    assert problem in str(told.value)


def test_no_such_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: No such file"):
        list(read_table(tmp_path / "none.csv"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is no file"):
        list(read_table(tmp_path / "folder.csv"))


def test_no_file_is_written_over_and_none_is_left_half(tmp_path: Path) -> None:
    assert write_new(tmp_path / "new" / "x.jsonl", [{"a": 1}]) == 1
    with pytest.raises(InputError, match="is there already"):
        write_new(tmp_path / "new" / "x.jsonl", [])
    with pytest.raises(ValueError, match="JSON"):
        write_new(tmp_path / "y.jsonl", [{"a": 1}, {"a": float("nan")}])

    assert (tmp_path / "new" / "x.jsonl").read_text() == '{"a": 1}\n'
    assert not (tmp_path / "y.jsonl").exists()
