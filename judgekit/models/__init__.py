"""Language models behind one seam, and the journal that remembers what they said."""

from judgekit.models.base import Decoding, Model, Question, Readout, Reply, Request
from judgekit.models.fake import FakeModel
from judgekit.models.journal import Journal, JournaledModel
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.models.openai import OpenAIConfig, OpenAIModel

__all__ = [
    "Decoding",
    "FakeModel",
    "Journal",
    "JournaledModel",
    "LocalConfig",
    "LocalModel",
    "Model",
    "OpenAIConfig",
    "OpenAIModel",
    "Question",
    "Readout",
    "Reply",
    "Request",
]
