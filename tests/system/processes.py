# SPDX-License-Identifier: GPL-3.0-or-later
"""processes: what /proc tells of other processes. One that has ended has no
children, memory or descriptors."""
import os


def children(pid):
    pids = []
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                pids += [int(word) for word in f.read().split()]
    except OSError:
        pass
    return pids


def descendants(pid):
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def memory_kb(pid):
    """PSS: of pages that processes share, each has its part."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            for line in f:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def descriptors(pid):
    try:
        return len(os.listdir("/proc/%d/fd" % pid))
    except OSError:
        return 0
