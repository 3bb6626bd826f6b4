"""``judgekit profile``: what a profile says, what changed between two, whether one may be used."""

from __future__ import annotations

import json as json_
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judgekit.cli.judging import Json

if TYPE_CHECKING:
    from judgekit.calibration.profile import Calibrated, Profile

app = typer.Typer(help="Show, compare and check the profiles of judges.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="profile.json, as judgekit calibrate writes it.")]
GRID = 201  # scores of the judge at which two maps are compared


@app.command()
def show(profile: File, json: Json = False) -> None:
    """Show a profile: for each criterion its map, its figures, and what becomes of a few scores."""
    from datetime import date

    from judgekit.calibration.profile import Profile
    from judgekit.cli.show import rows

    found = Profile.load(profile)
    if json:
        print(found.model_dump_json(by_alias=True))
        return
    for line in [*_head(found), *found.check(date.today())]:
        print(line)
    for name, it in found.criteria.items():
        print(f"\n{_about(name, it)}")
        rows(("figure", "value", "low", "high", "items", ""), _figures(it))
        rows(("judge", "human", "low", "high", "reward", "supported"), _golden(it))
    for name, reason in found.unmapped.items():
        print(f"\n{name}: no map: {reason}")


@app.command()
def diff(
    old: File,
    new: Annotated[Path, typer.Argument(help="The profile to compare it with.")],
    json: Json = False,
) -> None:
    """Say what changed from one profile to another: the judge, the maps in points, the figures."""
    from judgekit.calibration.profile import Profile

    found = changes(Profile.load(old), Profile.load(new))
    if json:
        print(json_.dumps(found, allow_nan=False))
    else:
        _show_changes(found)


@app.command()
def check(
    profile: File,
    judge: Annotated[
        Path | None, typer.Option("--judge", help="judge.yaml, or its folder, to hold it against.")
    ] = None,
    json: Json = False,
) -> None:
    """Say whether a profile may be used: unchanged, not expired, its golden vectors as they were. Exit 2 if not."""
    from datetime import date

    from judgekit.calibration.profile import Profile

    found = Profile.load(profile)
    problems, remarks = _with_judge(found, judge) if judge else found.check(date.today()), found.remarks()
    if found.judge.fingerprint is None and not judge:
        remarks.append("it is of recorded ratings: no judge can be told to be the one that gave them")
    if json:
        facts = {"id": found.id, "expires": str(found.expires), "problems": problems, "remarks": remarks}
        print(json_.dumps(facts))
    for line in () if json else [*(problems or ["nothing speaks against it"]), *remarks]:
        print(f"{profile}: {line}")
    if problems:
        raise typer.Exit(2)


def _with_judge(profile: Profile, path: Path) -> list[str]:
    """Check a profile for a judge, whatever profile the judge's own file names."""
    from datetime import date

    from judgekit.errors import ConfigError, InputError
    from judgekit.judges.calibrated import problems, refuse_misfit
    from judgekit.judges.load import load_judge

    judge = load_judge(path, with_profile=False)
    try:
        refuse_misfit(judge, profile)
    except (ConfigError, InputError) as problem:
        return [str(problem), *problems(judge, profile, date.today())]
    return problems(judge, profile, date.today())


def _head(it: Profile) -> Iterator[str]:
    scale, data = it.scale, it.data
    yield f"judge: {it.judge.name}, {it.judge.fingerprint or 'without a fingerprint (recorded ratings)'}"
    yield f"made {it.created} by judgekit {it.fit.version}, counts until {it.expires}; {it.id}"
    people = "simulated raters" if data.simulated else "raters"
    yield f"from {data.items} items in {data.groups} groups by {data.raters} {people}, {scale.low:g} to {scale.high:g}"
    failed = [f"{gate.criterion}: {gate.wanted}" for gate in it.gates if not gate.passed]
    yield f"gates: {len(it.gates) - len(failed)} of {len(it.gates)} passed"
    yield from (f"  not passed: {words}" for words in failed)


def _about(name: str, it: Calibrated) -> str:
    of = {"criterion": "", "mean": " of the mean of the criteria", "value": " of the judge's value"}[it.of]
    low, high = it.support
    told = f"{name}: {it.map.type} map{of}, of {it.map.n} labels, from {low:g} to {high:g}"
    if it.interval is None:
        return told
    return f"{told}; {it.interval.coverage:.0%} intervals ({it.interval.type}, {it.interval.labels} labels)"


def _figures(it: Calibrated) -> Iterator[tuple[Any, ...]]:
    for name, figure in it.quality.items():
        yield name, figure.value, figure.low, figure.high, figure.n, figure.note
    for name, reason in it.unknown.items():
        yield name, None, None, None, None, reason


def _golden(it: Calibrated) -> Iterator[tuple[Any, ...]]:
    for one in it.golden:
        yield one.raw, one.score, one.low, one.high, one.reward, "yes" if one.supported else "no"


def changes(old: Profile, new: Profile) -> dict[str, Any]:
    """Return what changed: of the facts, [old, new] each; of each criterion that both have, map and figures."""
    facts = {name: [was, now] for name, was, now in _facts(old, new) if was != now}
    both = [name for name in old.criteria if name in new.criteria]
    return {
        "same": old == new,
        "facts": facts,
        "only_old": [name for name in old.criteria if name not in new.criteria],
        "only_new": [name for name in new.criteria if name not in old.criteria],
        "criteria": {name: _changed(old.criteria[name], new.criteria[name]) for name in both},
    }


def _facts(old: Profile, new: Profile) -> Iterator[tuple[str, Any, Any]]:
    parts = [it.model_dump(mode="json", include={"id", "created", "expires", "judge", "scale", "data", "fit"})
             for it in (old, new)]  # fmt: skip
    for key, was in parts[0].items():
        now = parts[1][key]
        if isinstance(was, dict):
            yield from ((f"{key}.{name}", was[name], now[name]) for name in was)
        else:
            yield key, was, now


def _changed(old: Calibrated, new: Calibrated) -> dict[str, Any]:
    import numpy as np

    lows, highs = zip(old.support, new.support, strict=True)
    raws = np.linspace(min(lows), max(highs), GRID)
    off = new.map.apply(raws) - old.map.apply(raws)
    worst = int(np.argmax(np.abs(off)))
    figures = {
        name: [was and was.value, now and now.value]
        for name in dict.fromkeys([*old.quality, *new.quality])
        for was, now in [(old.quality.get(name), new.quality.get(name))]
    }
    return {
        "map": [old.map.type, new.map.type],
        "support": [list(old.support), list(new.support)],
        "largest_change": float(off[worst]),
        "at": float(raws[worst]),
        "mean_change": float(np.abs(off).mean()),
        "quality": {name: values for name, values in figures.items() if values[0] != values[1]},
    }


def _show_changes(found: dict[str, Any]) -> None:
    from judgekit.cli.show import rows

    if found["facts"]:
        rows(("", "old", "new"), [(name, *values) for name, values in found["facts"].items()])
    if found["same"]:
        print("the same profile")
        return
    for name in ("old", "new"):
        if found[f"only_{name}"]:
            print(f"only the {name} one has {', '.join(found[f'only_{name}'])}")
    for name, it in found["criteria"].items():
        was, now = it["map"]
        kinds = was if was == now else f"{was}, now {now}"
        most = f"{it['largest_change']:+.3g} points (at {it['at']:.3g})"
        print(f"\n{name}: {kinds}; the human score changes by up to {most}, {it['mean_change']:.3g} on average")
        if it["quality"]:
            rows(("figure", "old", "new"), [(figure, *values) for figure, values in it["quality"].items()])
