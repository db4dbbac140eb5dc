# SPDX-License-Identifier: GPL-3.0-or-later
"""watch: runs a program, looks at its processes, may kill its children.

usage: watch.py [-k KILLS] [-s SEED] -o FILE COMMAND...

Runs COMMAND and looks at it and its children all the time. With -k, one of
the children that is there is killed (-9) at each of KILLS random moments.
FILE gets one JSON object:

  status      the exit status, or minus the signal
  kills       how many children were killed
  peak_kb     the most memory that all together had at once (PSS, so what they
              share counts once)
  fds         the most descriptors that one child had
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
from processes import children, descriptors, memory_kb

LOOK_S = 0.1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", type=int, default=0)
    parser.add_argument("-s", type=int, default=None)
    parser.add_argument("-o", required=True)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    chance = random.Random(options.s)
    process = subprocess.Popen(options.command)
    seen = {"kills": 0, "peak_kb": 0, "fds": 0}
    next_look = 0
    next_kill = time.monotonic() + chance.uniform(0, 0.2)
    while process.poll() is None:
        now = time.monotonic()
        pids = children(process.pid)
        if now >= next_look:
            next_look = now + LOOK_S
            size = sum(memory_kb(pid) for pid in pids + [process.pid])
            seen["peak_kb"] = max(seen["peak_kb"], size)
            seen["fds"] = max([seen["fds"]] + [descriptors(p) for p in pids])
        if seen["kills"] < options.k and now >= next_kill and pids:
            try:
                os.kill(chance.choice(pids), signal.SIGKILL)
                seen["kills"] += 1
            except ProcessLookupError:
                pass
            next_kill = now + chance.uniform(0, 0.2)
        time.sleep(0.005)
    seen["status"] = process.returncode
    with open(options.o, "w") as f:
        json.dump(seen, f)


main()
