# SPDX-License-Identifier: GPL-3.0-or-later
"""torture_runs: what torture.py runs, on which hosts, and what has to come of
it."""
import filecmp
import json
import os
import re
import shutil
import signal
import struct
import threading
import time

HOSTS = 3
COUNTS = struct.Struct("QQ4080s")  # struct counts of torture.c


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read().decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return ""


class Simhost:
    """What simhost.bash has started."""

    def __init__(self):
        self.folder = os.environ["simhost_dir"]
        self.root = os.environ["simhost_root"]
        self.port = os.environ["simhost_port"]
        self.key = os.environ["simhost_key"]
        self.known_hosts = os.environ["simhost_known_hosts"]
        self.pid = int(os.environ["simhost_pid"])
        self.lock = threading.Lock()

    def counts(self):
        path = self.folder + "/counts"
        with self.lock:
            if os.path.exists(path):
                os.unlink(path)
            os.kill(self.pid, signal.SIGUSR1)
            text = ""
            until = time.monotonic() + 30
            while not text and time.monotonic() < until:
                time.sleep(0.001)
                text = read(path)
        words = [line.split() for line in text.splitlines()]
        return {(address, name): int(count) for address, name, count in words}


class Place:
    """The hosts and the working directory of a job."""

    def __init__(self, simhost, folder, number):
        self.simhost = simhost
        self.folder = "%s/job%d" % (folder, number)
        self.work = self.folder + "/work"
        self.tree = self.folder + "/tree"
        self.counts = self.folder + "/counts"
        self.stale = {}
        self.addresses = {"sim%d" % n: "127.93.%d.%d" % (number, n)
                          for n in range(1, HOSTS + 1)}
        os.makedirs(self.tree + "/sub")
        with open(self.tree + "/large", "wb") as f:
            f.write(os.urandom(100000))
        with open(self.tree + "/sub/small", "wb") as f:
            f.write(b"small\n")
        self.write_inventory()

    def write_inventory(self):
        self.inventory = self.folder + "/inventory.ini"
        with open(self.inventory, "w") as f:
            f.write("[defaults]\nuser = tester\nport = %s\n"
                    "identity_file = %s\n" %
                    (self.simhost.port, self.simhost.key))
            f.write("[sim]\n")
            for host, address in self.addresses.items():
                f.write("%s = address=%s\n" % (host, address))
            f.write("[all]\n@sim =\n[host sim2]\nconnect_timeout = 30\n")

    def root(self, host):
        return "%s/%s" % (self.simhost.root, self.addresses[host])

    def clear(self):
        """As if there had been no run; simhost knows the roots themselves."""
        for host in self.addresses:
            for name in os.listdir(self.root(host)):
                shutil.rmtree(self.root(host) + "/" + name)
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work + "/tmp")
        with open(self.counts, "wb") as f:
            f.write(bytes(COUNTS.size))

    def started(self):
        """How many commands each host has begun, when all is quiet there. What
        stays open for long is not waited for again."""
        until = time.monotonic() + 10
        while True:
            counts = self.simhost.counts()
            still = {a: counts[a, "open"] for a in self.addresses.values()}
            if all(still[a] <= self.stale.get(a, 0) for a in still):
                break
            if time.monotonic() > until:
                self.stale = still
                break
        return {host: counts[address, "started"]
                for host, address in self.addresses.items()}


# --- runs --------------------------------------------------------------------


class Run:
    """What is run, and what has to be true of it. Its files are in
    place.work: out, err, report and what it makes."""
    tool = "batch_run"
    programs = ["batch_run", "batch_worker"]
    has_report = True

    def prepare(self, place):
        pass

    def arguments(self, place):
        raise NotImplementedError

    def command(self, build, place):
        words = ["%s/src/%s" % (build, self.tool), "-i", place.inventory, "-g",
                 "all"]
        if self.has_report:
            words += ["-known-hosts", place.simhost.known_hosts, "-workers",
                      "2", "-report", "report"]
        return words + self.arguments(place)

    def output(self, work):
        """What of it is the same every time."""
        return sorted(read(work + "/out").splitlines())

    def is_shown(self, work, host):
        """Whether stdout has what an ok host has sent."""
        return True

    def host_lacks(self, place, host):
        """What an ok host lacks; None: nothing."""
        return None

    def lacks(self, place):
        """What a run that says that all is well lacks."""
        return None


class List(Run):
    programs = ["batch_run"]
    has_report = False

    def arguments(self, place):
        return ["-list"]


class Live(Run):
    def arguments(self, place):
        return ["-outdir", "outdir", "-metrics", "metrics.prom", "-cmd",
                "sim echo=done err=640"]

    def is_shown(self, work, host):
        return host + ": done\n" in read(work + "/out")

    def lacks(self, place):
        for host in place.addresses:
            if read("%s/outdir/%s.out" % (place.work, host)) != "done\n":
                return "the output of %s in -outdir" % host
        if "batch" not in read(place.work + "/metrics.prom"):
            return "the metrics"
        return None


class Fold(Run):
    def arguments(self, place):
        return ["-output", "fold", "-report-html", "page.html", "-log", "log",
                "-cmd", "sim echo=done out=2000 err=64"]

    def output(self, work):
        return read(work + "/out")

    def lacks(self, place):
        page = read(place.work + "/page.html")
        for host in place.addresses:
            if host not in page or not page.rstrip().endswith("</html>"):
                return "%s in the page" % host
        return None


class Json(Run):
    def arguments(self, place):
        return ["-output", "json", "-ordered", "-cmd", "sim echo=done out=90000"]

    def is_shown(self, work, host):
        return '"host":"%s"' % host in read(work + "/out")

    def output(self, work):
        fields = ("host", "status", "stdout", "stderr", "truncated")
        return [[json.loads(line).get(field) for field in fields]
                for line in read(work + "/out").splitlines()]


class Transfer(Run):
    tool = "batch_scp"
    programs = ["batch_scp", "batch_worker"]

    def output(self, work):
        text = re.sub(r"\([^()]*\)", "", read(work + "/out"))
        return sorted(text.splitlines())

    def host_lacks(self, place, host):
        for name in ("large", "sub/small"):
            copy = "%s/%s" % (self.target(place, host), name)
            if (not os.path.isfile(copy) or not filecmp.cmp(
                    place.tree + "/" + name, copy, shallow=False)):
                return "%s/%s" % (host, name)
        return None


class Put(Transfer):
    def arguments(self, place):
        return ["-action", "put", "-local", place.tree, "-remote", "/to/",
                "-mkdir", "-preserve"]

    def target(self, place, host):
        return place.root(host) + "/to/tree"


class Get(Transfer):
    def prepare(self, place):
        for host in place.addresses:
            shutil.copytree(place.tree, place.root(host) + "/tree")

    def arguments(self, place):
        return ["-action", "get", "-remote", "/tree", "-local", "got"]

    def target(self, place, host):
        return "%s/got/%s/tree" % (place.work, host)


RUNS = {"list": List(), "live": Live(), "fold": Fold(), "json": Json(),
        "put": Put(), "get": Get()}
