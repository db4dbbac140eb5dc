# SPDX-License-Identifier: GPL-3.0-or-later
"""build: makes what is measured, where it is not there."""
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent


def is_done(command):
    return subprocess.run(
        command, cwd=TOP, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0


def build_all():
    """In build/, as scripts/quickstart does; at -O2, configure's default."""
    build = TOP / "build"
    steps = [["make", "-C", build, "-j%d" % os.cpu_count(), "all",
              "tests/bench/bare"]]
    if not (build / "config.status").exists():
        build.mkdir(exist_ok=True)
        steps[:0] = [["autoreconf", "-i"],
                     ["sh", "-c", "cd build && ../configure"]]
    for step in steps:
        done = subprocess.run(step, cwd=TOP, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit("bench: %s:\n%s" % (
                " ".join(map(str, step)), done.stdout[-3000:]))
    # Without libssh there is none, and no simulated hosts; it may have come
    # after configure ran.
    simhost = ["make", "-C", build, "tests/simhost"]
    if not is_done(simhost) and is_done(["pkg-config", "--exists", "libssh"]):
        is_done(["sh", "-c", "cd build && ./config.status --recheck && "
                 "./config.status"])
        is_done(simhost)
    return build
