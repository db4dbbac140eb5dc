# SPDX-License-Identifier: GPL-3.0-or-later
"""rows: what is measured. A row is one piece of work, done by each peer.

The servers (see servers.py) are
  sshd   OpenSSH, an address a host, on loopback
  link   the same behind an emulated link
  sim    tests/simhost, on loopback
"""
import dataclasses

KB, MB = 1000, 1000000
SERVERS = {
    "sshd": "sshd",
    "link": "sshd behind 50 ms, 0.1 % loss",
    "sim": "simulated",
}
# A line of output of a simulated host, and of ours on sshd.
LINE_BYTES = 64


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    server: str
    work: str         # "exec", "put" or "get"
    hosts: int
    fanout: int = 32
    size: int = 0     # bytes of a host: of its output, of the file
    sleep_s: int = 0
    repeat: int = 1   # runs that make one sample: for what is short

    @property
    def title(self):
        what = {"put": "put of ", "get": "get of ",
                "exec": "output of "}[self.work] + human(self.size)
        if self.sleep_s:
            what = "sleep %d" % self.sleep_s
        elif self.work == "exec" and not self.size:
            what = "true"
        if self.hosts == 1:
            return "%s, one host (%s)" % (what, SERVERS[self.server])
        return "%s, %s hosts (%s), fanout %d" % (
            what, format(self.hosts, ","), SERVERS[self.server], self.fanout)

    @property
    def kin(self):
        """Rows of the same kin differ in the number of hosts only, so that a
        small one foretells how long a large one takes."""
        return self.server, self.work, self.fanout, self.size, self.sleep_s

    @property
    def behaviour(self):
        """Of simulated hosts (see tests/simhost.c): whatever is asked for,
        each tool wraps it in its own way, this is what they do."""
        if self.sleep_s:
            return "exec=sleep=%d" % (1000 * self.sleep_s)
        return "exec=out=%d" % self.size if self.size else "exec=exit=0"


def human(size):
    for unit, name in (MB, "MB"), (KB, "KB"):
        if size >= unit:
            return "%d %s" % (size // unit, name)
    return "%d bytes" % size


def file_rows(server, name, hosts, size):
    return [Row("%s-%s-%s" % (server, work, name), server, work, hosts,
                size=size) for work in ("put", "get")]


def all_rows():
    return [
        Row("first-byte", "sshd", "exec", 1, size=6, repeat=20),
        Row("sshd-true", "sshd", "exec", 200),
        *(Row("sim-true-1000-f%d" % fanout, "sim", "exec", 1000, fanout)
          for fanout in (32, 256, 1000)),
        *(Row("sim-true-10000-f%d" % fanout, "sim", "exec", 10000, fanout)
          for fanout in (32, 256, 1000)),
        Row("sim-sleep", "sim", "exec", 1000, 256, sleep_s=1),
        Row("sshd-output", "sshd", "exec", 200, size=MB),
        Row("sim-output", "sim", "exec", 200, size=MB),
        *file_rows("sshd", "one", 1, 512 * MB),
        *file_rows("sshd", "many", 200, 10 * MB),
        Row("link-true", "link", "exec", 200),
        Row("link-output", "link", "exec", 200, size=MB),
        *file_rows("link", "one", 1, 32 * MB),
        *file_rows("link", "many", 200, MB),
    ]


def quick_rows():
    """One of each kin, small."""
    def small(row):
        size = row.size // 100 if row.size > KB else row.size
        hosts = 1 if row.hosts == 1 else max(2, row.hosts // 400)
        return dataclasses.replace(
            row, hosts=hosts, size=size, repeat=min(row.repeat, 2))
    kins = {}
    for row in all_rows():
        kins.setdefault(row.kin, row)
    return [small(row) for row in kins.values()]
