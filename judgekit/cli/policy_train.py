"""``judgekit policy train``: a recipe in, a policy out, measured before and after."""

from __future__ import annotations

import json as json_
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judgekit.cli.judging import Json
from judgekit.cli.train_genrm import progress

if TYPE_CHECKING:
    from judgekit.models.local import LocalConfig
    from judgekit.policy.evaluation import Evaluation
    from judgekit.policy.recipe import Asking, PolicyRecipe
    from judgekit.policy.training import PolicyTraining
    from judgekit.report import Page

PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "vllm")


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name (storyworld-episodes), or its path.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the run; else runs/<recipe>. An unfinished one goes on.")
    ] = None,
    json: Json = False,
) -> None:
    """Train a policy: SFT if the recipe has it, then GRPO; evaluate before and after, and write one page.

    On several GPUs: accelerate launch --config_file FILE -m judgekit policy train ...

    Exit codes: 0 done, 1 paused (the judges' tokens are spent), 2 something for you to mend.
    """
    from judgekit.files import writable
    from judgekit.policy.recipe import PolicyRecipe
    from judgekit.policy.training import PolicyTraining
    from judgekit.policy.watching import PausedError
    from judgekit.training.stages import is_first

    plan, home = PolicyRecipe.load(recipe)
    folder = out or Path("runs") / (home.resolve().name if recipe.endswith("recipe.yaml") else Path(recipe).stem)
    writable(folder)
    training = PolicyTraining(folder, plan, home, say=progress, show=lambda state: _show(folder, plan, state))
    training.check()
    if is_first():
        _write(folder / "run.json", _facts(plan))
    try:
        before = training.sft.model if training.sft else training.base
        after = training.grpo.model
    except PausedError as paused:
        typer.echo(str(paused), err=True)
        raise typer.Exit(1) from None
    if is_first():
        _finish(training, before, after, as_json=json)


def _facts(plan: PolicyRecipe) -> dict[str, Any]:
    """Return what a run rests on: the recipe as it was read, versions, and the commit where it was started."""
    from judgekit.report.versions import commit, versions

    return {"recipe": plan.model_dump(mode="json"), "versions": versions(PACKAGES), "commit": commit()}


def _write(path: Path, facts: dict[str, Any]) -> None:
    path.write_text(json_.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _page(title: str, plan: PolicyRecipe, folder: Path, history: list[Any], lead: Page | None = None) -> Path:
    from judgekit.policy.page import add_run
    from judgekit.report import Page

    page = lead or Page(title)
    path = folder / "report.html"
    add_run(page, folder, plan.model_dump(mode="json"), history).save(path.with_suffix(".part")).replace(path)
    return path


def _show(folder: Path, plan: PolicyRecipe, state: Any) -> None:
    """Write the page of a run that goes on; no run ends for its page."""
    title = f"{folder.name}: step {state.global_step} of {state.max_steps}, {date.today()}"
    try:
        _page(title, plan, folder, state.log_history)
    except OSError as problem:
        progress(f"report.html of step {state.global_step} could not be written: {problem.strerror}")


def _finish(training: PolicyTraining, before: LocalConfig, after: LocalConfig, *, as_json: bool) -> None:
    """Evaluate, write ``result.json`` and the page, and show the table."""
    from judgekit.cli.policy_evaluate import progress_bar
    from judgekit.cli.policy_report import Report

    folder, history = training.folder, training.grpo.curve
    facts: dict[str, Any] = {"policy": str(training.save()), "left_out": training.grpo.left_out}
    page = None
    if (how := training.recipe.evaluation) is not None:
        pair = _evaluated(training, how, "before", before), _evaluated(training, how, "after", after)
        report = Report.of(pair, None, None, progress_bar)
        facts["evaluation"], page = report.facts, report.page
        page.title = f"{folder.name}: the policy after its training against before"
        if not as_json:
            report.show()
    facts["report"] = str(_page(folder.name, training.recipe, folder, history, page))
    _write(folder / "result.json", facts)
    print(json_.dumps(facts, allow_nan=False) if as_json else f"policy: {facts['policy']}\nreport: {facts['report']}")


def _evaluated(training: PolicyTraining, how: Asking, name: str, config: LocalConfig) -> Evaluation:
    from judgekit.cli.policy_evaluate import progress_bar
    from judgekit.judges.load import load_judge
    from judgekit.policy.evaluation import evaluate
    from judgekit.policy.evaluation.policy import LocalPolicy

    found = evaluate(
        LocalPolicy(config),
        how.data.load(),
        training.folder / "evaluation" / name,
        decoding=how.decoding,
        k=how.k,
        judge=load_judge(Path(how.judge)) if how.judge else None,
        play=how.play,
        band=how.length,
        size=how.batch,
        progress=progress_bar,
    )
    found.save(found.tables())
    return found
