"""The benchmarks measure what they say: short forms of each, and controls that must come out at chance."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmarks import dpp, hanna_pairs, llmbar, policy_references, shared_prefix
from judgekit.judges import RubricJudge
from judgekit.models import LocalConfig, LocalModel

ROOT = Path(__file__).resolve().parents[1]
HANNA = ROOT.parent / "shared" / "data" / "hanna"
LLMBAR = ROOT.parent / "shared" / "data" / "llmbar"


def toy(ratings: list[dict[str, int]], prompts: int) -> hanna_pairs.Hanna:
    """Stories of ``prompts`` prompts with these ratings, all pairs within each prompt."""
    n = len(ratings)
    prompt = np.arange(n) % prompts
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n) if prompt[i] == prompt[j]]
    a, b = np.array(pairs).T
    total = np.array([sum(by.values()) for by in ratings])
    gap = total[a] - total[b]
    asked = np.abs(gap) >= hanna_pairs.MARGIN
    return hanna_pairs.Hanna([], [""] * n, prompt, np.array(["x"] * n), ratings, a, b, asked, (gap > 0) * 1.0)


def test_raters_who_agree_on_nothing_are_at_chance() -> None:
    """Pairs chosen by all ratings would put a random rater at .73; chosen by the others' alone, at one half."""
    rng = np.random.default_rng(0)
    data = toy([{r: int(rng.integers(1, 6, 6).sum()) for r in "xyz"} for _ in range(600)], 60)
    own, _, _ = hanna_pairs.against_other_raters(data, np.ones(len(data.a)))

    assert own.mean() == pytest.approx(0.5, abs=0.02)


def test_raters_who_agree_are_right() -> None:
    quality = np.random.default_rng(0).integers(6, 31, 200)
    data = toy([dict.fromkeys("xyz", int(q)) for q in quality], 20)
    own, judge, _ = hanna_pairs.against_other_raters(data, (quality[data.a] - quality[data.b]).astype(float))

    assert own.mean() == judge.mean() == 1.0


def test_hits_count_ties_half_and_leave_out_what_was_not_asked() -> None:
    found = hanna_pairs.hits(np.array([1.0, -1.0, 0.0, np.nan]), np.array([1.0, 1.0, 1.0, 1.0]))

    assert found[:3].tolist() == [1.0, 0.0, 0.5]
    assert np.isnan(found[3])


@pytest.mark.skipif(not HANNA.is_dir(), reason="the HANNA ratings are not beside this checkout")
def test_hanna_pairs_are_the_published_ones() -> None:
    """Exact counts, and a check of the protocols with a scorer that has nothing to learn from."""
    data = hanna_pairs.Hanna.read(HANNA)
    seen_train: list[int] = []

    def spy(stories, train, a, b):
        asked = set(data.prompt[a])
        assert not asked & set(data.prompt[stories])
        assert not asked & set(data.group[train])
        seen_train.append(len(train))
        return np.zeros(len(a))

    def spy_unseen(stories, train, a, b):
        systems = set(data.system[a]) | set(data.system[b])
        assert not systems & (
            set(data.system[stories]) | set(data.system[data.a[train]]) | set(data.system[data.b[train]])
        )
        return spy(stories, train, a, b)

    hanna_pairs.seen(data, spy)
    margin = hanna_pairs.unseen(data, spy_unseen)

    assert (len(data.a), int(data.asked.sum())) == (5280, 3050)
    assert int((data.asked & ~np.isnan(margin)).sum()) == 2201
    assert min(seen_train) > 1000


@pytest.mark.slow
@pytest.mark.skipif(not LLMBAR.is_dir(), reason="the LLMBar verdicts are not beside this checkout")
def test_llmbar_figures_are_the_published_ones(capfd: pytest.CaptureFixture[str]) -> None:
    assert llmbar.run(LLMBAR) == {"rows": 349, "mismatches": 0}
    assert "in 85 " in capfd.readouterr().out.lower()


def test_the_llmbar_comparison_can_fail(tmp_path: Path) -> None:
    """Three pairs with labels 1, 2, 1; order a, b says 1, nothing, 1, and order b, a says 1, 2, 2.

    Right in each order 2/3, in both 1/3, agreeing 1/3. Kappa counts nothing as 2: agreement 2/3, chance
    2/3 * 1/3 + 1/3 * 2/3 = 4/9, so (2/9) / (5/9) = .4.
    """
    rates = "acc_ab_pct,acc_ba_pct,acc_both_pct,acc_average_pct,positional_agreement_pct,kappa_between_orders"
    instances = "subset,idx,input,output_1,output_2,label\ns,0,p,x,y,1\ns,1,q,x,y,2\ns,2,r,x,y,1\n"
    verdicts = "subset,evaluator,strategy,idx,winner_ab,winner_ba\ns,e,t,0,1,1\ns,e,t,1,,2\ns,e,t,2,1,2\n"
    for name, text in (("instances", instances), ("verdicts", verdicts)):
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
    judged = llmbar.read(tmp_path)

    for kappa, unlike in ((0.4, 0), (0.5, 1)):
        row = f"s,e,t,3,{200 / 3},{200 / 3},{100 / 3},{200 / 3},{100 / 3},{kappa}\n"
        (tmp_path / "published.csv").write_text(f"subset,evaluator,strategy,n,{rates}\n{row}")
        assert llmbar.compare(tmp_path, judged) == (1, unlike)


def test_shared_prefix_compares_equal_things(tiny: Path) -> None:
    model = LocalModel(LocalConfig(provider="local", path=str(tiny), device="cpu"))
    judge, item = RubricJudge(shared_prefix.rubric(), model, ask="expected"), shared_prefix.sample(model, 200)
    plain = shared_prefix.one_call_a_criterion(judge, model, item)
    [score] = judge.score([item])

    assert len(plain) == 16
    assert score.criteria == pytest.approx(plain, abs=1e-4)


def test_all_ways_to_diversity_are_equal_and_one_factorisation_is_the_quickest() -> None:
    found = dpp.compared(groups=16, size=16, rounds=3)

    assert found["max_abs_difference"] < 1e-8
    assert found["ratio_loop"] > 5 and found["ratio_batched"] > 1.5


def test_the_comparison_of_diversity_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dpp, "schur", lambda kernels: dpp.loop(kernels) + 1e-6)
    found = dpp.compared(groups=2, size=4, rounds=1)

    assert found["max_abs_difference"] > 5e-7 and found["ratio_loop"] < 2


def test_the_table_of_the_gpu_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    dpp.on_gpu(1, "cpu")

    assert capsys.readouterr().out.count("they differ by") == 4


@pytest.mark.slow
def test_quickstart_in_short(tmp_path: Path) -> None:
    recipe = yaml.safe_load((ROOT / "training" / "genrm" / "storyworld.yaml").read_text(encoding="utf-8"))
    recipe["sft"]["trl"]["max_steps"] = recipe["grpo"]["trl"]["max_steps"] = recipe["classifier"]["trl"][
        "max_steps"
    ] = 2
    recipe["grpo"]["trl"] |= {"per_device_train_batch_size": 8, "max_completion_length": 8}
    recipe["decoding"] = {"max_tokens": 8}
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    code = (
        "from judgekit.cli import quickstart as q, main; import sys\n"
        f"q.TAUGHT, q.LABELLED, q.TEST, q.RECIPE = 24, 12, 12, {str(tmp_path / 'short.yaml')!r}\n"
        f"sys.argv = ['judgekit', 'quickstart', '--json', '--out', {str(tmp_path / 'out')!r}]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])

    assert [judge["name"] for judge in result["judges"]] == ["grpo", "sft", "teacher", "classifier", "zero_shot"]
    assert "Training: grpo" in (tmp_path / "out" / "run" / "report.html").read_text(encoding="utf-8")


def test_steps_to_the_level_that_the_poorer_run_ends_at() -> None:
    """Means of three: .1 .2 .3 .4 and .3 .4 .5 .6. The level is .4: after step 6 and after step 4."""
    slow, fast = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5], [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]

    assert policy_references.smooth(slow) == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert policy_references.steps_to_level({"with": [*fast], "without": [*slow]}) == {"with": 4, "without": 6}


def test_the_difference_is_paired_and_keeps_outlines_whole() -> None:
    units = len(policy_references.outlines("test"))
    noise = np.random.default_rng(0).normal(0.5, 0.2, units * policy_references.DRAWS)
    found = [{"with": list(noise + 0.1), "without": list(noise)} for _ in range(3)]
    difference = policy_references.estimate(found, "with", "without")

    assert difference.value == pytest.approx(0.1) and difference.high - difference.low < 1e-9
    assert difference.clusters == units and policy_references.estimate(found, "with").high > 0.61
