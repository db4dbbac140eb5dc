# SPDX-License-Identifier: GPL-3.0-or-later
"""verify: whether a run did its work. The hosts tell what ran there, and files
are compared byte by byte: what a client says of itself is not enough."""
import filecmp

from peers import REMOTE
from rows import LINE_BYTES

# Beside the hosts' own lines a client may write some about each of them.
LINES_ABOUT_HOST = 3
LINES_ABOUT_RUN = 10


def failure(task, result):
    """None if all is well, else in a few words what is not."""
    if result["status"] != 0:
        words = result["errors"].strip().split("\n")[-1]
        return "exit %d%s" % (result["status"], words and ": " + words[:60])
    if task.row.work == "exec":
        return wrong_output(task.row, result) or wrong_hosts(task)
    if task.row.work == "put":
        return wrong_files(task, [
            task.hosts.home(a) / REMOTE for a in task.hosts.addresses])
    return wrong_files(task, [
        path for path in task.target.rglob("*") if path.is_file()])


def wrong_hosts(task):
    row = task.row
    sessions, hosts = task.hosts.ran()
    if (sessions, hosts) != (row.hosts, row.hosts):
        return "ran %d times, on %d of %d hosts" % (sessions, hosts, row.hosts)
    return None


def wrong_output(row, result):
    least = row.hosts * (row.size // LINE_BYTES)
    most = least + row.hosts * LINES_ABOUT_HOST + LINES_ABOUT_RUN
    if result["bytes"] < row.hosts * row.size or not (
            least <= result["lines"] <= most):
        return "%d bytes, %d lines of output" % (
            result["bytes"], result["lines"])
    return None


def wrong_files(task, paths):
    if len(paths) != task.row.hosts:
        return "%d of %d files" % (len(paths), task.row.hosts)
    filecmp.clear_cache()
    bad = sum(not path.is_file() or
              not filecmp.cmp(path, task.source, shallow=False)
              for path in paths)
    return "%d files are wrong" % bad if bad else None
