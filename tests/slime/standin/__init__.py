"""The parts of the stand-in job. Brings its stand-ins of torch and slime along into every process."""

import sys
from pathlib import Path

STUB = str(Path(__file__).resolve().parent.parent / "stub")
if STUB not in sys.path:
    sys.path.insert(0, STUB)
