# SPDX-License-Identifier: GPL-3.0-or-later
"""measure: runs a client once and tells what it cost.

usage: measure.py    a program of its own, started by run() below; reads what
                     to run from stdin, writes the result to stdout (JSON)

All processes that the client starts are descendants of this one, and it is
their subreaper: also those that cut loose from their parents are reaped here,
so that RUSAGE_CHILDREN is the CPU time of them all. Nothing else is started
here; the servers are elsewhere. Memory is the PSS of all of them together,
looked at again and again; looking takes at most a tenth of the time. Wall
time ends when the client does; what it leaves behind is killed then.

stdout of the client is a pipe, read and counted here, thrown away; a slow
reader is no part of the measurement.
"""
import ctypes
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parent.parent / "system"))
from processes import descendants, memory_kb

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
PIPE_BYTES = 1 << 20
LOOK_S = 0.005  # at least
LOOK_SHARE = 10


def run(command, env, cwd, limit_s):
    """The result of main() below, a dict."""
    _, answer = finish([sys.executable, __file__], json.dumps({
        "command": command, "env": env, "cwd": str(cwd), "limit_s": limit_s}))
    return json.loads(answer)


def finish(command, words="", stderr=None):
    """Runs it with words on stdin; exit status and stdout. If we are
    interrupted it is asked to end, and waited for. It has a session of its
    own, since Ctrl-C is for us."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=stderr, text=True, start_new_session=True)
    try:
        answer, _ = process.communicate(words)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    return process.returncode, answer


class Output:
    """Counts what comes through the client's stdout."""

    def __init__(self, pipe):
        self.fd = pipe.fileno()
        os.set_blocking(self.fd, False)
        self.bytes = self.lines = 0
        self.first_at = None

    def read(self):
        """Returns how many bytes came; 0 at the end, None if none is there."""
        try:
            piece = os.read(self.fd, PIPE_BYTES)
        except BlockingIOError:
            return None
        if piece and self.first_at is None:
            self.first_at = time.monotonic()
        self.bytes += len(piece)
        self.lines += piece.count(b"\n")
        return len(piece)


class Memory:
    """The most that all descendants had at once."""

    def __init__(self):
        self.peak_kb = 0
        self.next_at = 0

    def look(self):
        begin = time.monotonic()
        if begin < self.next_at:
            return
        pids = descendants(os.getpid())
        self.peak_kb = max(self.peak_kb, sum(map(memory_kb, pids)))
        end = time.monotonic()
        self.next_at = end + max(LOOK_S, LOOK_SHARE * (end - begin))


def wait_for(process, output, limit_s):
    """Until the process ends. Returns the memory, and whether it ended."""
    memory = Memory()
    deadline = time.monotonic() + limit_s
    with selectors.DefaultSelector() as selector:
        pidfd = os.pidfd_open(process.pid)
        selector.register(pidfd, selectors.EVENT_READ)
        selector.register(output.fd, selectors.EVENT_READ)
        while True:
            memory.look()
            now = time.monotonic()
            ready = {key.fd for key, _ in selector.select(
                max(0, min(memory.next_at, deadline) - now))}
            if output.fd in ready and output.read() == 0:
                selector.unregister(output.fd)
            if pidfd in ready or time.monotonic() >= deadline:
                os.close(pidfd)
                return memory, pidfd in ready


def end_all():
    """Kills and reaps all descendants."""
    while True:
        for pid in descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def watch(spec, errors):
    begin = time.monotonic()
    process = subprocess.Popen(
        spec["command"], env=spec["env"], cwd=spec["cwd"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
        pipesize=PIPE_BYTES)
    output = Output(process.stdout)
    memory, has_ended = wait_for(process, output, spec["limit_s"])
    wall_s = time.monotonic() - begin
    status = process.wait() if has_ended else None
    while output.read():
        pass
    end_all()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_kb": memory.peak_kb,
        "first_byte_s": output.first_at and output.first_at - begin,
        "status": status,  # minus the signal; None: the limit was reached
        "bytes": output.bytes,
        "lines": output.lines,
    }


def main():
    def stop(*_):
        end_all()
        os._exit(1)
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_PDEATHSIG, signal.SIGTERM),
                          (PR_SET_CHILD_SUBREAPER, 1)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            sys.exit("measure: prctl: " + os.strerror(ctypes.get_errno()))
    signal.signal(signal.SIGTERM, stop)
    spec = json.load(sys.stdin)
    with tempfile.TemporaryFile() as errors:
        result = watch(spec, errors)
        errors.seek(0)
        result["errors"] = errors.read().decode(errors="replace")[-2000:]
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
