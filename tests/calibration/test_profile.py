"""Profiles: values by hand, there and back, and every way in which a file can be wrong or not to be relied on."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import Curve, Linear
from judgekit.calibration.profile import Calibrated, Profile, Scale
from judgekit.errors import ConfigError, InputError
from tests.profiles import FLAT, LINE, criterion, profile_of

TODAY = date.today()


def edited(path: Path, change: Any) -> Profile:
    """Save a profile, change its JSON and read it again."""
    data = json.loads(profile_of().save(path).read_text())
    change(data)
    path.write_text(json.dumps(data))
    return Profile.load(path)


def test_values_by_hand() -> None:
    """1 + .5 * 3 = 2.5, and .7 to both sides; at 9 the line is at 5.5, held at 5; 0 lies below the support."""
    found = profile_of().apply("plot", [3.0, 9.0, 0.0, math.nan])

    assert found.score == pytest.approx([2.5, 5, 1, math.nan], nan_ok=True)
    assert found.low == pytest.approx([1.8, 4.3, 1, math.nan], nan_ok=True)
    assert found.high == pytest.approx([3.2, 5, 1.7, math.nan], nan_ok=True)
    assert found.supported.tolist() == [True, False, False, False]
    assert math.isnan(found.reward[3]) and found.reward[1] > found.reward[0] > found.reward[2]


def test_a_criterion_without_an_interval_has_none() -> None:
    it = Calibrated.made("criterion", LINE, None, {}, {"interval": "3 groups"})
    found = it.apply([3.0])

    assert found.score.tolist() == [2.5] and np.isnan([found.low, found.high]).all()
    assert it.golden[0].low is None and it.changed() == []


def test_golden_vectors_lie_in_and_around_the_support() -> None:
    """The support is 1 to 5, a quarter of it is 1: 0, 1, 3, 5, 6 become 1, 1.5, 2.5, 3.5, 4."""
    golden = profile_of().criteria["plot"].golden

    assert [one.raw for one in golden] == [0, 1, 3, 5, 6]
    assert [one.score for one in golden] == pytest.approx([1, 1.5, 2.5, 3.5, 4])
    assert [one.supported for one in golden] == [False, True, True, True, False]


def test_a_support_of_one_score_has_golden_vectors_too() -> None:
    point = Linear(type="shift", intercept=1.0, slopes=(1.0,), scale=(1.0, 5.0), support=((2.0, 2.0),), n=3)

    assert [one.raw for one in criterion(fitted=point).golden] == [1, 2, 2, 2, 3]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_rewards_rise_where_the_map_is_flat(data: st.DataObject) -> None:
    numbers = st.floats(-10, 10).map(lambda value: round(value, 3))
    x = sorted(data.draw(st.lists(numbers, min_size=1, max_size=8, unique=True)))
    y = sorted(data.draw(st.lists(st.floats(1, 5), min_size=len(x), max_size=len(x))))
    fitted = Curve(type="isotonic", x=tuple(x), y=tuple(y), scale=(1, 5), support=((x[0], x[-1]),), n=len(x))
    raws = sorted(data.draw(st.lists(numbers, min_size=2, max_size=30, unique=True)))

    found = criterion(fitted=fitted).apply(raws)

    assert (np.diff(found.score) >= -1e-9).all()
    assert (np.diff(found.reward) > 0).all()
    assert ((found.low <= found.high) & (found.low >= 1) & (found.high <= 5)).all()


def test_a_saved_profile_is_loaded_as_the_same(tmp_path: Path) -> None:
    made = profile_of()
    loaded = Profile.load(made.save(tmp_path / "profile.json"))

    assert loaded == made and loaded.check(TODAY) == []
    assert json.loads((tmp_path / "profile.json").read_text())["schema"] == "judgekit.profile/1"
    assert [path.name for path in tmp_path.iterdir()] == ["profile.json"]


def test_the_id_is_the_hash_of_the_rest(tmp_path: Path) -> None:
    data = json.loads(profile_of().save(tmp_path / "profile.json").read_text())
    name = data.pop("id")
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert name == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    def better(data: Any) -> None:
        data["criteria"]["plot"]["quality"]["item"]["value"] = 0.99

    [problem] = edited(tmp_path / "p.json", better).check(TODAY)

    assert "changed the file" in problem


def test_a_changed_map_is_noticed_under_a_new_id_too(tmp_path: Path) -> None:
    """The line 1 + .5 x becomes 2 + .5 x: the score 3 is mapped to 3.5, and was to 2.5."""

    def raised(data: Any) -> None:
        data["criteria"]["plot"]["map"]["intercept"] = 2.0

    forged = edited(tmp_path / "p.json", raised)
    forged = forged.model_copy(update={"id": forged.digest()})
    found = forged.check(TODAY)

    assert not any("changed the file" in problem for problem in found)
    assert "plot: the score 3 became 2.5 (1.8 to 3.2)" in found[2] and "becomes 3.5" in found[2]


def test_it_counts_until_the_day_it_expires() -> None:
    profile = profile_of()

    assert profile.check(profile.expires) == []
    assert "expired" in profile.check(profile.expires + timedelta(1))[0]


@pytest.mark.parametrize(
    ("path", "key", "value", "says"),
    [
        ((), "expirse", 1, "unknown key 'expirse'; did you mean 'expires'?"),
        ((), "schema", "judgekit.profile/2", "schema"),
        (("judge",), "nam", "x", "judge: unknown key 'nam'; did you mean 'name'?"),
        (("criteria", "plot"), "mapp", {}, "criteria.plot: unknown key 'mapp'; did you mean 'map'?"),
        (("criteria", "plot", "map"), "interscept", 1, "criteria.plot.map: not a calibration map: unknown key"),
        (("criteria", "plot", "map"), "intercept", "high", "intercept"),
        (("criteria", "plot", "map"), "type", "cubic", "criteria.plot.map"),
        (("criteria", "plot", "map"), "scale", [0, 5], "plot is mapped to another scale"),
        (("criteria", "plot", "map"), "slopes", [1, 2], "2 slopes for 1 columns"),
        (("criteria", "plot", "reward"), "tilt", 0, "above 0"),
        (("criteria", "plot", "interval"), "residuls", [], "did you mean 'residuals'?"),
        (("criteria", "plot", "interval"), "fold", [3], "numbers of 1 maps"),
        (("criteria", "plot", "interval"), "fold", [], "each residual has its fold"),
        (("criteria", "plot", "interval"), "by_category", True, "not by category"),
        (("criteria", "plot"), "golden", [], "criteria.plot.golden"),
        (("criteria", "plot"), "of", "mean", "exactly one gives the overall score"),
        (("criteria", "overall"), "of", "criterion", "exactly one gives the overall score"),
        (("data",), "items", "many", "data.items"),
        ((), "criteria", {}, "criteria"),
        ((), "created", "soon", "created"),
    ],
)
def test_a_wrong_file_names_the_place(path: Any, key: str, value: Any, says: str, tmp_path: Path) -> None:
    def wrong(data: Any) -> None:
        for step in path:
            data = data[step]
        data[key] = value

    with pytest.raises(ConfigError) as caught:
        edited(tmp_path / "p.json", wrong)

    assert says in str(caught.value) and str(caught.value).startswith(f"{tmp_path / 'p.json'}: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ('{"id": NaN}', "NaN is not a JSON number"),
        ('{"id": "a", "id": "b"}', "'id' stands twice"),
        ("[" * 200_000, "nested too deep"),
        ("[]", "must be a mapping"),
        ("{}", "'id' is missing"),
        ('"' + "x" * 1_000_001 + '"', "at most"),
    ],
)
def test_what_is_no_profile_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)

    with pytest.raises(ConfigError, match=says):
        Profile.load(tmp_path / "p.json")


def test_a_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Profile.load(tmp_path / "p.json")
    with pytest.raises(InputError, match="No such file"):
        profile_of().save(tmp_path / "no" / "p.json")


def test_an_unknown_criterion_is_named() -> None:
    with pytest.raises(InputError, match="did you mean 'plot'"):
        profile_of().apply("plott", [1.0])


def test_the_overall_score_and_its_parts() -> None:
    two = profile_of(unmapped={"style": "it does not vary"})
    one = profile_of({"plot": criterion()})

    assert (two.overall, two.parts) == ("overall", ("plot", "style"))
    assert (one.overall, one.parts) == ("plot", ("plot",))
    assert profile_of({"overall": criterion("value")}).parts == ()


def test_maps_of_another_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="another scale"):
        profile_of(scale=Scale(low=0, high=5))


def test_importing_calibration_stays_light_and_a_profile_needs_no_scipy(tmp_path: Path) -> None:
    profile_of().save(tmp_path / "p.json")
    code = (
        "import sys, judgekit.calibration; print('pydantic' in sys.modules)\n"
        "from judgekit.calibration.profile import Profile\n"
        f"Profile.load({str(tmp_path / 'p.json')!r}).apply('plot', [1.0]); print('scipy' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == (
        "False\nFalse\n"
    )


@pytest.mark.parametrize("fitted", [LINE, FLAT], ids=["linear", "isotonic"])
def test_a_million_scores_take_a_moment(fitted: Any) -> None:
    """About 30 ms for a map and 0.1 s for all of it, alone on a core; the bounds allow for a busy machine."""
    it, raws = criterion(fitted=fitted), np.random.default_rng(0).uniform(0, 6, 1_000_000)
    took = []
    for work in (it.map.apply, it.apply):
        start = time.process_time()
        work(raws)
        took.append(time.process_time() - start)

    assert took[0] < 0.5 and took[1] < 2
