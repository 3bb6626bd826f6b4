"""Expected-score read-out that pays the prefix once, against one plain call to the model for each criterion.

Same tiny model, same 16 criteria, same stories, one run::

    python -m benchmarks.shared_prefix --json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time

from judgekit import Criterion, Rubric, RubricJudge, Sample
from judgekit.judges.asking import LEAD, Case
from judgekit.models import FakeModel, LocalConfig, LocalModel
from judgekit.models.tiny import save_tiny_model
from judgekit.rubrics.prompt import Questions
from judgekit.storyworld import World

CRITERIA = 16
ROUNDS = 9


def rubric() -> Rubric:
    ids = [f"quality_{letter}" for letter in "abcdefghijklmnop"]
    about = "How well the story does in this respect, from not at all to as well as could be hoped for."
    return Rubric(
        id="benchmark",
        title="Sixteen criteria",
        criteria=tuple(Criterion(id=i, title=f"Quality {i[-1]}", description=about, range=(1, 5)) for i in ids),
    )


def sample(model: LocalModel, tokens: int) -> Sample:
    """Return a story that makes the prompt about ``tokens`` long."""
    stories = iter(World(1).samples(400))
    text = ""
    while len(model.tokenizer(text)["input_ids"]) < tokens:
        text += f"{next(stories).response} "
    return Sample("Write a long story.", text)


def one_call_a_criterion(judge: RubricJudge, model: LocalModel, item: Sample) -> dict[str, float]:
    """Do what one would write by hand: the whole prompt for each criterion, softmax over the menu, expectation."""
    import torch

    case, values = Case.of(Questions(judge.rubric), model, item), {}
    for criterion in judge.rubric.criteria:
        question = case.question(criterion)
        ids = model.tokenizer(model.text(question.messages) + LEAD, add_special_tokens=False, return_tensors="pt")
        menu = [model.tokenizer(answer, add_special_tokens=False)["input_ids"][0] for answer in question.answers]
        with torch.inference_mode():
            logits = model.model(**ids.to(model.device), logits_to_keep=1).logits[0, -1]
        chances = logits[menu].float().softmax(-1).tolist()
        values[criterion.id] = sum(p * v for p, v in zip(chances, criterion.menu.values(), strict=True))
    return values


def timed(call, *arguments):
    start = time.perf_counter()
    result = call(*arguments)
    return result, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--model", help="a local model folder; a tiny random one by default")
    parser.add_argument("--tokens", type=int, default=400, help="tokens of story; the rubric adds about 1,100")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        case = Case.of(Questions(rubric()), FakeModel(""), Sample("Write a long story.", "A story."))
        prompts = [m["content"] for c in rubric().criteria for m in case.question(c).messages]
        texts = [s.response for s in World(0).samples(500)] + prompts  # so that its tokens are words, as in real ones
        path = arguments.model or save_tiny_model(folder, texts, layers=4, width=128)
        model = LocalModel(LocalConfig(provider="local", path=str(path)))
        judge = RubricJudge(rubric(), model, ask="expected")
        item = sample(model, arguments.tokens)
        one_call_a_criterion(judge, model, item)  # warm-up of the model itself
        shared, separate, differences = [], [], []
        for _ in range(ROUNDS):
            [score], seconds = timed(judge.score, [item])
            shared.append(seconds)
            plain, seconds = timed(one_call_a_criterion, judge, model, item)
            separate.append(seconds)
            differences += [abs(score.criteria[name] - value) for name, value in plain.items()]
        length = score.usage.input_tokens // CRITERIA
    # The best of each: what else runs on the machine only ever adds time.
    result = {"ratio": min(separate) / min(shared), "max_abs_difference": max(differences)}
    print(f"{CRITERIA} criteria, prompts of {length} tokens: {result['ratio']:.1f} times faster")
    if arguments.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
