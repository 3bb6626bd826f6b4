"""What NeMo-Gym's own code makes of our reward, as JSON: python of_nemo_gym.py FOLDER.

Of NeMo-Gym run: a resources server with its routes and request models, and the collection of rollouts with its files of
results and failures, twice, the second time to resume. Stood in for are ray, the other servers and the trackers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absent import stand_in
from reward_file import verified
from seen import SEEN

[FOLDER] = sys.argv[1:]
sys.path.append(FOLDER)
stand_in("ray", "aiohttp", "wandb", "hydra", "mlflow", "yappi", "gprof2dot", "pydot", "devtools")

import httpx2  # noqa: E402
from fastapi.responses import JSONResponse  # noqa: E402
from nemo_gym.base_resources_server import (  # noqa: E402
    BaseResourcesServerConfig,
    BaseVerifyRequest,
    SimpleResourcesServer,
)
from nemo_gym.rollout_collection import RolloutCollectionConfig, RolloutCollectionHelper  # noqa: E402

TEXTS = {"good": "0.7 1", "silent": "fail 1", "poor": "0.1 0"}


class Row(BaseVerifyRequest, extra="allow"):
    """A verify request with the row's own fields."""


class StoryServer(SimpleResourcesServer):
    """The server of docs/rewards.md."""

    async def verify(self, body: Row) -> JSONResponse:
        return JSONResponse(await verified(body.model_dump(mode="json")))


SERVER = StoryServer.model_construct(
    config=BaseResourcesServerConfig.model_construct(name="story", host="127.0.0.1", port=1, entrypoint="app.py")
)


async def asked(body: dict[str, Any]) -> Any:
    """POST to the server's /verify."""
    transport = httpx2.ASGITransport(app=SERVER.setup_webserver())
    async with httpx2.AsyncClient(transport=transport, base_url="http://story") as client:
        answer = await client.post("/verify", json=body)
    return answer.json() if answer.status_code == 200 else answer.text


def response(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    said = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    about = {"parallel_tool_calls": False, "tool_choice": "auto", "tools": []}
    return {"id": "r", "created_at": 0, "model": "m", "object": "response", "output": [said], **about}


class Collection(RolloutCollectionHelper):
    """The collection, whose agent says the text that a row names, and asks the resources server."""

    def run_examples(self, examples: list[dict[str, Any]], *_: Any, **__: Any) -> Iterator[Any]:
        async def run(row: dict[str, Any]) -> Any:
            return row, await asked({**row, "response": response(TEXTS[row["says"]])})

        return map(run, examples)


def collected(folder: Path, *, resume: bool) -> dict[str, Any]:
    config = RolloutCollectionConfig(
        agent_name="teller",
        input_jsonl_fpath=str(folder / "rows.jsonl"),
        output_jsonl_fpath=str(folder / "out.jsonl"),
        resume_from_cache=resume,
        disable_aggregation=True,
        upload_rollouts_to_wandb=False,
    )
    with contextlib.redirect_stdout(sys.stderr):
        asyncio.run(Collection().run_from_config(config))
    files = {"results": "out.jsonl", "failures": "out_failures.jsonl"}
    return {name: [json.loads(line) for line in (folder / file).open()] for name, file in files.items()}


def main() -> None:
    keys = ["says", "reward", "reward_components", "_ng_failure_class", "_ng_failure_judge_error", "mask_sample"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [{"responses_create_params": {"input": "write"}, "says": says, "reference": "truth"} for says in TEXTS]
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        first = collected(folder, resume=False)
        saw = SEEN[0]
        TEXTS["silent"] = "0.2 1"
        second = collected(folder, resume=True)
    found = {
        when: {kind: [{key: row.get(key) for key in keys} for row in rows] for kind, rows in files.items()}
        for when, files in (("first", first), ("second", second))
    }
    print(json.dumps({**found, "asked": len(SEEN), "saw": [saw.prompt, saw.completion, saw.sample.reference]}))


if __name__ == "__main__":
    main()
