"""Functions of the C library that misbehave at one moment: LD_PRELOAD gets what interposed() returns."""
import shutil
import subprocess

import pytest
from ldms import SANITIZED


def interposed(folder, source):
    """The library of this C source; a test that cannot have one skips."""
    cc = shutil.which("cc")
    if SANITIZED:
        pytest.skip("no library can come before the sanitizer's")
    if not cc:
        pytest.skip("no C compiler")
    (folder / "interposed.c").write_text(source)
    subprocess.run([cc, "-shared", "-fPIC", "-o", folder / "interposed.so", folder / "interposed.c", "-ldl"], check=True)
    return str(folder / "interposed.so")
