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


def rated(name: str, *raters: str) -> list[dict[str, str]]:
    return [{"story_id": name, "rater": rater} for rater in raters]


def test_the_raters_of_hanna_have_their_columns() -> None:
    """W03 and W01 go to theirs, W09 fills the gap; of three others each has the column of its row."""
    found = published.columns(rated("s", "W03", "W09", "W01") + rated("t", "W07", "W05", "W06"))

    assert [[row["rater"] for row in story] for story in found] == [["W01", "W09", "W03"], ["W07", "W05", "W06"]]


def hanna(folder: Path, bleu: dict[str, str], claims: list[str]) -> list[published.Row]:
    """Stories a to d, rated 1 to 4 by W01 and W02, and one less by W03, with the BLEU of each."""
    files = {
        "stories": "story_id,prompt_id,system\n" + "".join(f"{story},0,{story}\n" for story in bleu),
        "human_ratings": "story_id,rater,relevance\n"
        + "".join(f"{story},W0{r},{i + 1 - (r == 3)}\n" for i, story in enumerate(bleu) for r in (3, 1, 2)),
        "auto_metrics": "story_id,BLEU\n" + "".join(f"{story},{value}\n" for story, value in bleu.items()),
    }
    for name, text in files.items():
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "published.csv").write_text("\n".join(["what,criterion,stat,published", *claims]))
    return list(published.hanna(folder))


def test_an_icc_by_hand(tmp_path: Path) -> None:
    """Items and raters add up, so there is no error. Variances: items 5/3, raters 1/3; (5/3) / 2 and (5/3) / (5/3)."""
    claims = [f"icc_raters,relevance,{claim}" for claim in ("ICC2,0.833333", "ICC2,0.833335", "ICC3,1.00000")]
    found = hanna(tmp_path, dict.fromkeys("abcd", "0.1"), claims)

    assert [row.same for row in found] == [True, False, True]
    assert "DIFFERS: no known reason" in str(found[1])


def test_a_reason_is_given_only_where_it_is_one(tmp_path: Path) -> None:
    """a and b are tied: Kendall is 5 / sqrt(5 * 6); apart, 6 / 6 or 4 / 6; the rounding does not make it -1."""
    claims = [f"corr_BLEU_vs_human_mean_overall_level,relevance,kendall,{tau}" for tau in ("0.91287", "1.00", "-1.00")]
    found = hanna(tmp_path, {"a": "0.0", "b": "0.0", "c": "0.000001", "d": "0.3"}, claims)

    assert [row.same for row in found] == [True, False, False]
    assert [row.reason for row in found] == ["", published.ROUNDED, ""]
    assert published.ROUNDED in str(found[1]) and "DIFFERS" in str(found[1])


@pytest.mark.skipif(not DATA.is_dir(), reason="JUDGEKIT_DATA does not name a folder with the published data")
@pytest.mark.parametrize(("study", "count"), [("alttest", 72), ("ttcw", 35), ("hanna", 36 + 9)])
def test_published_figures_come_out(study: str, count: int) -> None:
    rows = published.run(DATA, [study])
    unlike = [row for row in rows if not row.same]

    assert len(rows) == count
    if study == "hanna" and not (DATA / "hanna" / "hanna_metric_scores_llm.csv").is_file():
        assert len(unlike) == 5 and all(row.reason == published.ROUNDED for row in unlike)
    else:
        assert not unlike
