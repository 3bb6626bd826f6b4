"""Policies evaluated: what they are asked, what they answer, the tables of EpisodeBench, POLARIS and RLCS.

`evaluate` asks a policy and fills a folder, which `Evaluation.load` reads again; `compare` holds two of them together.
"""

from __future__ import annotations

from judgekit.policy.asked import Data, StoryPrompt, load_data
from judgekit.policy.evaluation.comparing import Line, compare, lacking
from judgekit.policy.evaluation.folder import Evaluation, Settings
from judgekit.policy.evaluation.policy import open_policy
from judgekit.policy.evaluation.run import evaluate

__all__ = [
    "Data",
    "Evaluation",
    "Line",
    "Settings",
    "StoryPrompt",
    "compare",
    "evaluate",
    "lacking",
    "load_data",
    "open_policy",
]
