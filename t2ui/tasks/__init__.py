"""The task families of the demo model's world: questions, pictures, graders.

Pure Python, Pillow and Monty: no model, no torch. ``TASKS`` maps a name to its family.
"""

from t2ui.tasks.base import SKILLS, SPLITS, Content, Example, Grade, Task
from t2ui.tasks.registry import TASKS, TRAINED, TWO_SKILL, UNSEEN, get_task, identify

__all__ = ["SKILLS", "SPLITS", "TASKS", "TRAINED", "TWO_SKILL", "UNSEEN", "Content", "Example", "Grade", "Task",
           "get_task", "identify"]
