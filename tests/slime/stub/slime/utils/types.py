"""A sample, with the fields that hooks look at."""

import enum
from dataclasses import dataclass, field
from typing import Any


class Status(enum.Enum):
    COMPLETED = "completed"
    TRUNCATED = "truncated"


@dataclass
class Sample:
    group_index: int | None = None
    index: int | None = None
    prompt: Any = ""
    response: str = ""
    response_length: int = 0
    label: str | None = None
    reward: Any = None
    status: Status = Status.COMPLETED
    metadata: dict[str, Any] = field(default_factory=dict)
