# SPDX-License-Identifier: GPL-3.0-or-later
"""machine: what a result depends on: the machine, versions, the build."""
import datetime
import os
import platform
import re
import subprocess
from pathlib import Path

from build import TOP
from peers import PATH



def first_match(regex, path):
    try:
        found = re.search(regex, Path(path).read_text(), re.M)
    except OSError:
        return "unknown"
    return found.group(1).strip() if found else "unknown"


def said(command, cwd=None, home="/nonexistent"):
    """What a command prints, or "unknown"."""
    try:
        done = subprocess.run(
            list(map(str, command)), cwd=cwd, text=True, timeout=60,
            env={"PATH": PATH, "HOME": str(home)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def version_in(text):
    found = re.search(r"\d+(\.\w+)+", text)
    return found.group(0) if found else text


def facts():
    total_kb = first_match(r"^MemTotal: *(\d+)", "/proc/meminfo")
    return {
        "date": datetime.datetime.now().astimezone().isoformat(
            timespec="seconds"),
        "cpu": first_match(r"^model name\s*: (.*)", "/proc/cpuinfo"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": int(total_kb) // 1024 if total_kb.isdigit() else 0,
        "kernel": platform.release(),
        "system": first_match(r'^PRETTY_NAME="?([^"\n]*)', "/etc/os-release"),
        "load": os.getloadavg()[0],
    }


def versions(peers, build, home):
    """home: a folder for what they leave in theirs."""
    found = {}
    for peer in peers:
        if peer.name == "batch_run":
            ours = said([build / "src" / "batch_run", "--version"])
            found[peer.name] = "%s, commit %s" % (version_in(ours), said(
                ["git", "describe", "--always", "--dirty"], TOP))
            found["libraries"] = ours.split("\n")[-1]
        elif peer.version:
            found[peer.name] = version_in(said(peer.version, home=home))
    found["sshd"] = said(["ssh", "-V"])
    found["libssh (simhost)"] = said(["pkg-config", "--modversion", "libssh"])
    found["CFLAGS"] = " ".join(
        first_match(r"^%s = (.*)" % name, build / "Makefile")
        for name in ("CFLAGS", "HARDEN_CFLAGS"))
    return found
