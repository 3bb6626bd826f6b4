"""The interactive-story task: graphs of episodes, prompts, answers, data."""
