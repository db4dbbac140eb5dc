# SPDX-License-Identifier: GPL-3.0-or-later
"""bench: does the rows, round by round. See scripts/bench, which installs what
is missing and starts it."""
import argparse
import contextlib
import math
import os
import re
import resource
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
import build
import machine
import measure
import peers
import results
import rows
import servers
import verify

HERE = Path(__file__).resolve().parent
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
DESCRIPTORS = 65536
# What the files of the rows take, about.
MEMORY_FOLDER, MEMORY_FOLDER_BYTES = Path("/dev/shm"), 5 << 30


def positive(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(text + ": not a positive number")
    return int(text)


def parse_options():
    parser = argparse.ArgumentParser(
        prog="bench", description="batch_run and its peers, measured.")
    add = parser.add_argument
    add("--rounds", type=positive, metavar="N", help="default 3; quick: 1")
    add("--row-minutes", type=float, metavar="MINUTES", default=5,
        help="no further round of a row that took that long (default 5)")
    add("--rows", metavar="REGEX", default="", help="only those rows")
    add("--peers", metavar="LIST", type=peers.chosen,
        default=peers.PEERS, help="only those, with commas between")
    add("--quick", action="store_true",
        help="all rows with few hosts and small files")
    add("--limit", type=float, metavar="MINUTES", default=1,
        help="a client that takes longer for a row is left out (default 1)")
    add("--all", action="store_true", help="no limit")
    add("--out", type=Path, metavar="DIR",
        help="where RESULTS* go (default: tests/bench, if all is measured; "
        "else they are only printed)")
    add("--build", type=Path, metavar="DIR",
        help="a folder where all is built; default: build, made if need be")
    add("--keep", action="store_true",
        help="keep the servers' files, logs among them")
    add("--list", action="store_true", help="print the rows, run nothing")
    add("--no-install", action="store_true",
        help="measure the peers that are there")
    return parser.parse_args()


def raise_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in max(hard, DESCRIPTORS), hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
        except (ValueError, OSError):
            pass
    return soft


class Bench:
    def __init__(self, options, work, build, hosts):
        self.options = options
        self.work = work
        self.build = build
        self.servers = hosts
        self.peers = options.peers
        self.here = {peer.name: peers.is_here(peer, build)
                     for peer in self.peers}
        self.rounds = options.rounds or (1 if options.quick else 3)
        self.limit_s = 86400 if options.all else 60 * options.limit
        self.pace_s = {}  # (peer, kin of rows) -> wall a host

    def measure_row(self, row):
        cells = {peer.name: {
            "samples": [],
            "reason": None if self.here[peer.name] else "not installed"}
            for peer in self.peers}
        data = {"name": row.name, "title": row.title,
                "server": row.server, "hosts": row.hosts,
                "fanout": row.fanout,
                "first_byte": row.work == "exec" and row.hosts == 1,
                "reason": None, "rounds": 0, "cells": cells}
        try:
            task = self.task(row, self.servers.of(row))
        except servers.NotHere as e:
            data["reason"] = "not possible here: %s" % e
            return data
        begin = time.monotonic()
        for number in range(self.rounds):
            if time.monotonic() - begin > 60 * self.options.row_minutes and \
                    number > 0:
                break
            data["rounds"] = number + 1
            # Nobody is always the first.
            turn = number % len(self.peers)
            for peer in self.peers[turn:] + self.peers[:turn]:
                if not cells[peer.name]["reason"]:
                    self.sample(peer, task, cells[peer.name])
        task.source.unlink()
        return data

    def task(self, row, hosts):
        source = self.work / "source"
        if row.work == "exec":
            line = b"ready".ljust(rows.LINE_BYTES - 1, b".") + b"\n"
            text = (line * (row.size // len(line) + 1))[-row.size:]
            source.write_bytes(text if row.size else b"")
        else:
            piece = os.urandom(rows.MB)
            with open(source, "wb") as f:
                for begin in range(0, row.size, len(piece)):
                    f.write(piece[:row.size - begin])
        command = "cat %s" % source if row.size else "true"
        if row.sleep_s:
            command = "sleep %d" % row.sleep_s
        return peers.Task(row, hosts, command, source, self.work / "target",
                          self.work / "client", self.build)

    def sample(self, peer, task, cell):
        pace = peer.name, task.row.kin
        try:
            if self.pace_s.get(pace, 0) * task.row.hosts > self.limit_s:
                raise TooLong("not tried (> %g min expected)" % (
                    self.limit_s / 60))
            runs = [self.run(peer, task) for _ in range(task.row.repeat)]
        except (peers.CannotDo, servers.NotHere, RunFailed) as e:
            cell["reason"] = str(e)
            if isinstance(e, TooLong):
                self.pace_s[pace] = math.inf
            return
        mean = {key: statistics.fmean(run[key] for run in runs)
                for key in ("wall_s", "cpu_s", "peak_kb")}
        first = [run["first_byte_s"] for run in runs]
        mean["first_byte_s"] = None if None in first else \
            statistics.fmean(first)
        cell["samples"].append(mean)
        self.pace_s[pace] = mean["wall_s"] / task.row.hosts
        print("%s: %s: %.2f s" % (task.row.name, peer.name, mean["wall_s"]),
              file=sys.stderr)

    def run(self, peer, task):
        with self.files(task):
            command, env = peer.command(task)
            task.hosts.mark()
            try:
                result = measure.run(command, env, task.work, self.limit_s)
            except ValueError:
                raise RunFailed("failed: not measured") from None
            if result["status"] is None:
                task.hosts.settle()
                raise TooLong("too long (> %g min)" % (self.limit_s / 60))
            failure = verify.failure(task, result)
            if failure:
                raise RunFailed("failed: " + failure)
        return result

    @contextlib.contextmanager
    def files(self, task):
        """What a run finds, and the removal of what it leaves."""
        copies = [task.hosts.home(address) / peers.REMOTE
                  for address in task.hosts.addresses
                  if task.row.work != "exec"]
        task.target.mkdir()
        task.work.mkdir()
        try:
            if task.row.work == "get":
                for copy in copies:
                    # A client that was killed may have made one since.
                    copy.unlink(missing_ok=True)
                    os.link(task.source, copy)
            yield
        finally:
            shutil.rmtree(task.target)
            shutil.rmtree(task.work)
            for copy in copies:
                copy.unlink(missing_ok=True)


class RunFailed(Exception):
    """In a few words, why a run does not count."""


class TooLong(RunFailed):
    """Or it would be."""


@contextlib.contextmanager
def work_folder(options):
    """In memory, if that is large enough, so that no disk is measured."""
    where = None
    if not options.quick and MEMORY_FOLDER.is_dir() and \
            shutil.disk_usage(MEMORY_FOLDER).free > MEMORY_FOLDER_BYTES:
        where = MEMORY_FOLDER
    work = Path(tempfile.mkdtemp(prefix="batch_bench.", dir=where))
    try:
        yield work
    finally:
        if options.keep:
            print("kept: %s" % work, file=sys.stderr)
        else:
            shutil.rmtree(work)


def settings(bench, work):
    return {
        "rounds": "%d, none after %g min of a row" % (
            bench.rounds, bench.options.row_minutes),
        "limit of a run": "none" if bench.options.all
        else "%g min" % bench.options.limit,
        "files": "in memory" if MEMORY_FOLDER in work.parents else "on disk",
        "sshd hosts": "scripts/lab; commands by /bin/sh, without start-up "
        "files; ed25519 user key, no limit of sshd's",
        "simulated hosts": "tests/simhost",
        "link": "tests/bench/link.py",
        "batch_run, batch_scp": "defaults but fanout and connect-timeout",
        "bare": "tests/bench/bare.c: a blocking libssh2 loop in 32 processes",
        "algorithms": "each client's own choice: batch_run and batch_scp "
        "nistp256 and aes128-ctr; bare what libssh2 prefers; the others what "
        "OpenSSH or paramiko does",
        "ssh": "of one host; files with sftp",
        "pssh": "parallel-ssh -P; its file programs always compress",
        "paramiko": "tests/bench/pool.py: as many threads as the fanout says",
        "ansible": "module raw without ControlMaster; files with it and "
        "pipelining, modules copy and fetch",
    }


def measure_all(options, chosen, build, work):
    with servers.Servers(work, build, raise_descriptors()) as hosts:
        bench = Bench(options, work, build, hosts)
        data = {"machine": machine.facts(),
                "versions": machine.versions(
                    [p for p in bench.peers if bench.here[p.name]], build,
                    work),
                "settings": settings(bench, work), "rows": []}
        print(results.facts_text(data), flush=True)
        for row in chosen:
            data["rows"].append(bench.measure_row(row))
            print(results.row_text(data["rows"][-1]), flush=True)
        # Whoever is impatient now would leave servers behind.
        ignore_signals()
    return data


def stop(number, _):
    ignore_signals()
    sys.exit(128 + number)


def ignore_signals():
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def where_to_write(options):
    """A folder that is there, or None."""
    out = options.out
    if not out and not (options.quick or options.rows
                        or options.peers != peers.PEERS):
        out = HERE
    if out:
        try:
            out.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=out).close()
        except OSError as e:
            sys.exit("bench: %s: %s" % (out, e.strerror))
    return out


def main():
    options = parse_options()
    chosen = [row for row in (
        rows.quick_rows() if options.quick else rows.all_rows())
        if re.search(options.rows, row.name)]
    if not chosen:
        sys.exit("bench: no such row; --list tells them")
    if options.list:
        for row in chosen:
            print("%-20s %s" % (row.name, row.title))
        return
    for number in SIGNALS:
        signal.signal(number, stop)
    out = where_to_write(options)
    built = options.build.resolve() if options.build else build.build_all()
    with work_folder(options) as work:
        data = measure_all(options, chosen, built, work)
    if out:
        results.write(data, out)
        print("written: %s" % (out / "RESULTS*"), file=sys.stderr)


main()
