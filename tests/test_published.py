"""The comparison with published figures: that it can fail, and that it does not."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from benchmarks import published

DATA = Path(os.environ.get("JUDGEKIT_DATA", "absent"))


def test_a_figure_is_the_same_to_the_digits_that_are_printed() -> None:
    assert published.Row("x", 0.125, 0.13, 2).same and published.Row("x", 0.125, 0.12, 2).same
    assert not published.Row("x", 0.1251, 0.12, 2).same
    assert not published.Row("x", 0.5 + 1e-9, 0.5, 12).same
    assert "DIFFERS" in str(published.Row("x", 0.2, 0.1, 2)) and "left out: 0.3" in str(
        published.Row("x", 0, 0, 2, 0.3)
    )


def test_the_comparison_can_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Truth 1 0 1; said 1 0 and nothing, which the paper counts as No: right 1 of 2 and 1 of 1, balanced .75."""
    folder = tmp_path / "ttcw"
    folder.mkdir()
    experts = "".join(f"s{story},1,{verdict}\n" for story, verdict in ((0, 1), (1, 0), (2, 1)))
    files = {
        "expert_verdicts": f"story_id,test,verdict\n{experts}",
        "llm_verdicts": "judge,story_id,test,verdict\nj,s0,1,1\nj,s1,1,0\nk,s2,1,1\n",
    }
    for name, text in files.items():
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
    for balanced, unlike in ((0.75, 0), (0.74, 1)):
        row = f"j,{balanced},1.0,0.5,0.67,0.5"
        (folder / "published_llm.csv").write_text(f"judge,balanced_accuracy,precision,recall,f1,corr\n{row}\n")
        rows = published.run(tmp_path, ["ttcw"])
        assert [row.same for row in rows].count(False) == unlike
        assert rows[0].ours == 1.0
    assert "1 differ." in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="JUDGEKIT_DATA does not name a folder with the published data")
@pytest.mark.parametrize(("study", "count"), [("alttest", 72), ("ttcw", 35), ("hanna", 9)])
def test_published_figures_come_out(study: str, count: int) -> None:
    if study == "hanna" and not (DATA / "hanna" / "hanna_metric_scores_llm.csv").is_file():
        pytest.skip("BLEU is here to six decimals only")
    rows = published.run(DATA, [study])

    assert len(rows) == count
    assert not [row for row in rows if not row.same]
