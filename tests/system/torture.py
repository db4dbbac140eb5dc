# SPDX-License-Identifier: GPL-3.0-or-later
"""torture: runs in which a call fails (see ../torture.c), each looked at.

usage: torture.py [-a WHAT] [-j JOBS] BUILD FOLDER KIND [RUN]...

Of each RUN (torture_runs.py has them), all if none is named, there is a row for
each of its programs, once with one call of KIND that fails and once with all
from there on. A row is made with the 1st, 2nd, 3rd ... call, until it passes
untouched, and where there is more than one error, with each in turn. A step
grows with what came before: a sixth of that, and half of it for malloc, where
there are thousands; but not for those of some libraries. With -a stacks no call
is left out, of malloc those that come from a place like that of another, as far
as stacks tell; with -a calls it has all of these, too, which takes hours; and
with both of them each call fails with each error.

JOBS rows go on at the same time, each on hosts of its own, which simhost.bash
has started: the addresses 127.93.JOB.1 to .3. Tells what is wrong on stdout; the
exit status is 1 then.

Whatever fails, a run ends in time and not by a signal, with a documented exit
status, and if that is not 0 with a message; no worker dies of a signal; every
record is of a host, and who lacks one was told; a host that is ok has run the
command, once, or has the files; nobody has run it twice; with exit status 0 all
output is there; temporaries stay only where a process of ours died.
"""
import argparse
import errno
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
from torture_runs import COUNTS, RUNS, Place, Simhost, read

TIMEOUT_S = 20
STATUSES = range(6)  # EXIT STATUS in batch_run(1), but for signals
COMPLAINTS_MAX = 10

ERRORS = {
    "malloc": [errno.ENOMEM],
    "write": [errno.ENOSPC, errno.EIO],
    "open": [errno.EMFILE, errno.EACCES],
    "fork": [errno.EAGAIN],
    "socket": [errno.ENFILE],
}

# These are not careful with what malloc(3) gives them, so that all calls count.
CARELESS = [("list", "libiniparser")]

# glibc crashes there for want of memory, as of 2.36.
UNCHECKED = "getpwuid_r"


# --- one run -----------------------------------------------------------------


class Result:
    """What came of one run."""

    def __init__(self, run, place, status, strikes, where, started):
        self.run = run
        self.place = place
        self.status = status  # as of a process; None: it did not end
        self.strikes = strikes
        self.where = where
        self.started = started  # how often, by host
        self.err = read(place.work + "/err")
        self.records = {}
        self.wrong = []
        for line in read(place.work + "/report").splitlines():
            self.add_record(line)

    def add_record(self, line):
        try:
            record = json.loads(line)
            host = record["host"]
        except (ValueError, KeyError):
            self.wrong.append("no record: " + line[:200])
            return
        if host in self.records or host not in self.place.addresses:
            self.wrong.append("one record too many: " + host)
        self.records[host] = record

    def judge(self, expected):
        self.wrong += judge_end(self)
        self.wrong += judge_records(self)
        self.wrong += judge_files(self, expected)

    def is_ok(self, host):
        return self.records.get(host, {}).get("status") == "ok"

    def has_died(self):
        """Whether a process of ours ended before its time, and said so."""
        return re.search(r"worker (killed|exited|ended|\d+: )|lost|"
                         "out of memory", self.err)

    def has_crashed_in_libc(self):
        return (self.status in (-signal.SIGSEGV, -signal.SIGABRT) and
                UNCHECKED in self.where)

    def has_summary(self):
        return re.search(r"^\d+ hosts?: ", self.err, re.M)


def temporaries(folder):
    return [os.path.join(at, name) for at, folders, files in os.walk(folder)
            for name in folders + files if name.startswith(".batch_")]


def judge_end(r):
    messages = r.err + "".join(x["message"] for x in r.records.values())
    if r.status is None:
        yield "does not end"
    elif r.status < 0:
        yield "ended by signal %d" % -r.status
        return
    elif r.status not in STATUSES:
        yield "exit status %d" % r.status
    if r.status != 0 and not r.err:
        yield "exit status %s without a message" % r.status
    if re.search(r"killed by signal (?!9\b)", messages):
        yield "a worker died of a signal"
    if re.search(r"Sanitizer|runtime error", r.err):
        yield "a sanitizer has something to say"
    if r.status == 2 and any(r.started.values()):
        yield "exit status 2, but hosts have run something"
    if r.strikes == 0 and r.status != 0:
        yield "exit status %s of an untouched run" % r.status


def judge_records(r):
    for host in r.place.addresses:
        if r.run.has_report and host not in r.records and r.status not in (2, 5):
            yield "no record of %s" % host
        if r.started[host] > 1:
            yield "%s has run the command %d times" % (host, r.started[host])
        if not r.is_ok(host):
            continue
        if r.run.tool == "batch_run" and r.started[host] != 1:
            yield "%s is ok, and has run nothing" % host
        if (r.has_summary() and "stdout" not in r.err and
                not r.run.is_shown(r.place.work, host)):
            yield "%s is ok, but its output is not shown" % host
        lack = r.run.host_lacks(r.place, host)
        if lack:
            yield "%s is ok, but there is no %s" % (host, lack)
        if temporaries(r.place.root(host)):
            yield "%s is ok, and a temporary stays there" % host


def judge_files(r, expected):
    if r.status == 0:
        lack = r.run.lacks(r.place)
        if r.run.has_report and not all(map(r.is_ok, r.place.addresses)):
            yield "all is well, but not every host is ok"
        if r.run.output(r.place.work) != expected:
            yield "all is well, but the output is another"
        if lack:
            yield "all is well, but there is no " + lack
    left = temporaries(r.place.work) + os.listdir(r.place.work + "/tmp")
    for host in r.place.addresses:
        left += temporaries(r.place.root(host))
    if left and (r.status == 0 or not r.has_died()):
        yield "left behind: " + " ".join(left)


def wait(process):
    try:
        return process.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()  # its workers die with it
        process.wait()
        return None


def start(build, run, place, variables, more=()):
    place.clear()
    run.prepare(place)
    before = place.started()
    env = {"PATH": os.environ["PATH"], "HOME": place.work,
           "TMPDIR": place.work + "/tmp", "TERM": "dumb"}
    env.update(variables)
    options = os.environ.get("ASAN_OPTIONS", "")
    env["ASAN_OPTIONS"] = options + ":verify_asan_link_order=0"
    with open(place.work + "/out", "wb") as out, \
            open(place.work + "/err", "wb") as err:
        process = subprocess.Popen(
            run.command(build, place) + list(more),
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=place.work,
            env=env)
        status = wait(process)
    after = place.started()
    with open(place.counts, "rb") as f:
        _, strikes, where = COUNTS.unpack(f.read())
    return Result(run, place, status, strikes,
                  where.rstrip(b"\0").decode("ascii", "replace"),
                  {host: after[host] - before[host] for host in after})


# --- rows --------------------------------------------------------------------


class Row:
    """A run whose calls, or those of a library, fail one after the other."""

    def __init__(self, name, kind, program, comes_from, library=None):
        self.name = name
        self.kind = kind
        self.program = program
        self.comes_from = comes_from
        self.library = library
        self.made = 0

    def __str__(self):
        return "%s: %s in %s, %s" % (
            self.name, self.kind, self.library or self.program,
            "from there on" if self.comes_from == "on" else "once")

    def variables(self, options, place, nth, error):
        variables = {
            "LD_PRELOAD": options.build + "/tests/torture.so",
            "TORTURE_KIND": self.kind, "TORTURE_NTH": str(nth),
            "TORTURE_FROM": self.comes_from, "TORTURE_ERROR": str(error),
            "TORTURE_PROGRAM": self.program, "TORTURE_COUNTS": place.counts}
        if self.library:
            variables["TORTURE_CALLER"] = self.library
        elif options.a == "stacks" and self.kind == "malloc":
            variables["TORTURE_STACKS"] = "yes"
        return variables

    def options(self):
        """libseccomp makes thousands of blocks, the same ones in each run:
        one run in which it gets none will do."""
        if (self.kind, self.program) == ("malloc", "batch_worker") and \
                self.name != "live":
            return ["-sandbox", "off"]
        return []

    def make(self, options, place, expected):
        """Yields what is wrong."""
        run = RUNS[self.name]
        nth = 1
        while True:
            errors = ERRORS[self.kind]
            if not options.a:
                errors = [errors[nth % len(errors)]]
            for error in errors:
                r = start(options.build, run, place,
                          self.variables(options, place, nth, error),
                          self.options())
                self.made += 1
                r.judge(expected)
                if r.wrong and not r.has_crashed_in_libc():
                    yield self.tell(r, nth, error)
            if r.strikes == 0:
                return
            nth += self.step(options, nth)

    def step(self, options, nth):
        if options.a or self.library:
            return 1
        return max(1, nth // (2 if self.kind == "malloc" else 6))

    def tell(self, r, nth, error):
        return "%s, call %d, %s:\n%s\n--- err, exit status %s\n%s\n" \
            "--- %d hits, the first in\n%s" % (
                self, nth, errno.errorcode[error],
                "\n".join("    " + line for line in r.wrong), r.status,
                r.err[-2000:], r.strikes, r.where)


class Jobs:
    """Makes all rows, some at a time."""

    def __init__(self, options, rows):
        self.options = options
        self.simhost = Simhost()
        self.rows = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.complaints = []
        for row in rows:
            self.rows.put(row)

    def complain(self, text):
        with self.lock:
            self.complaints.append(text)
            print(text, flush=True)

    def is_enough(self):
        return len(self.complaints) >= COMPLAINTS_MAX

    def expected(self, place, name):
        """The output of a run in which nothing fails."""
        run = RUNS[name]
        r = start(self.options.build, run, place, {})
        output = run.output(place.work)
        r.judge(output)
        if r.wrong:
            self.complain("%s, untouched: %s\n%s" % (name, r.wrong, r.err))
        return output

    def job(self, number):
        place = Place(self.simhost, self.options.folder, number)
        while not self.is_enough():
            try:
                row = self.rows.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            for text in row.make(self.options, place,
                                 self.expected(place, row.name)):
                self.complain(text)
                if self.is_enough():
                    break
            print("# %s: %d runs, %.1f s" %
                  (row, row.made, time.monotonic() - began), flush=True)

    def guarded(self, number):
        try:
            self.job(number)
        except Exception as error:  # a row that was not made is a failure
            self.complain("job %d: %r" % (number, error))
            raise

    def make(self):
        threads = [threading.Thread(target=self.guarded, args=[number + 1])
                   for number in range(self.options.j)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.complaints


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-a", choices=["stacks", "calls"])
    parser.add_argument("-j", type=int, default=1)
    parser.add_argument("build")
    parser.add_argument("folder")
    parser.add_argument("kind", choices=ERRORS)
    parser.add_argument("runs", nargs="*", metavar="run")
    options = parser.parse_args()
    names = options.runs or RUNS
    rows = [Row(name, options.kind, program, comes_from)
            for name in names
            for program in RUNS[name].programs
            for comes_from in ("once", "on")]
    if options.kind == "malloc":
        rows += [Row(name, "malloc", "batch_run", "once", library)
                 for name, library in CARELESS if name in names]
    sys.exit(1 if Jobs(options, rows).make() else 0)


main()
