"""A configuration is checked without loading OpenCV or torch."""

import subprocess
import sys

SCRIPT = """
import sys
from borderlab.motion.names import MOTION_MODEL_NAMES
assert "dis_medium" in MOTION_MODEL_NAMES
print(sorted({"cv2", "torch", "numpy"} & set(sys.modules)))
"""


def test_names_load_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
