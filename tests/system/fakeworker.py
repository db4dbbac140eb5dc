# SPDX-License-Identifier: GPL-3.0-or-later
"""fakeworker: what stands in for batch_worker where only control is tested.

It is copied to a folder of its own as batch_worker, beside the program under
test, since a worker has no environment to be told anything by:

  script        what it does with each job whose host key was accepted, a line
                each: output TEXT, error TEXT (the same on stderr),
                progress BYTES TOTAL, sleep SECONDS,
                wait FILE (until it is there), die, authenticated,
                final (the result that follows is), as JOB (what follows is of),
                say TEXT (to its stderr, with escapes as in Python),
                result STATUS STAGE BYTES FILES UNCHANGED SHA256 MESSAGE
  holes         what it says of its libssh2, if it is there
  log.PID       what it was told: one line of JSON a frame

Before what only a host can do that has logged in, "authenticated" is told if
the script has not.

Lines may begin with "@HOST ": then they are for that host only; with
"@HOST#N " or "@#N ", for the Nth time that this worker was given it.
"""
import ctypes
import json
import os
import signal
import struct
import sys
import time

CONFIG, JOB, VERDICT, CREDIT, CANCEL, PING, RATE = 1, 2, 3, 5, 6, 7, 8
READY, HOSTKEY, OUTPUT, RESULT, PONG, PROGRESS, AUTHENTICATED = (
    9, 10, 12, 13, 14, 15, 16)
NO_JOB = 0xFFFFFFFF
STATUS = "ok failed unreachable denied timeout lost transfer error".split()
NEEDS_LOGIN = ("output", "error", "progress", "result ok", "result failed",
               "result lost", "result transfer")
STAGE = ("none dns connect throttled banner kex protocol hostkey auth channel "
         "command idle transfer local").split()

# The fields of what control sends: I 4 bytes, Q 8 bytes, s string, b bytes.
FIELDS = {
    CONFIG: "I:task I:slots I:credit I:window I:idle_timeout_ms I:has_input "
            "Q:input_bytes s:command b:env I:flags I:files I:file_mode "
            "Q:total_files Q:total_bytes Q:max_bytes Q:max_files Q:left_out "
            "s:left_out_why s:destination b:sources s:backup_suffix s:token "
            "b:local I:has_sandbox",
    JOB: "s:address I:port s:user s:algorithms b:keys I:has_password "
         "I:connect_timeout_ms I:command_timeout_ms s:local s:local_below",
    VERDICT: "I:verdict s:text",
    CREDIT: "I:count",
    CANCEL: "s:message",
    RATE: "Q:bytes_per_s",
    PING: "",
}

PR_SET_PDEATHSIG = 1

# As batch_worker does: it may be waiting when control is killed.
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
here = os.path.dirname(os.path.abspath(__file__))
log = open("%s/log.%d" % (here, os.getpid()), "w")
jobs = {}
times = {}
logged_in = set()
is_final = 0
as_job = None


def decode(kind, payload):
    message = {}
    for field in FIELDS[kind].split():
        how, name = field.split(":")
        if how in "IQ":
            size = struct.calcsize(">" + how)
            message[name] = struct.unpack(">" + how, payload[:size])[0]
        elif how == "s":
            size = payload.index(b"\0") + 1
            message[name] = payload[:size - 1].decode("utf-8", "replace")
        else:
            size = 4 + struct.unpack(">I", payload[:4])[0]
            message[name] = payload[4:size].decode("utf-8", "replace")
        payload = payload[size:]
    assert payload == b""
    return message


def string(text):
    return text.encode() + b"\0"


def data(value):
    return struct.pack(">I", len(value)) + value


def send(kind, job, payload):
    frame = struct.pack(">IBI", 5 + len(payload), kind, job) + payload
    while frame:
        frame = frame[os.write(4, frame):]


def read_exactly(size):
    got = b""
    while len(got) < size:
        more = os.read(3, size - len(got))
        if not more:
            sys.exit(0)
        got += more
    return got


def log_in(job):
    send(AUTHENTICATED, job, string("publickey"))
    logged_in.add(job)


def do(job, line):
    global is_final, as_job
    if line.startswith(NEEDS_LOGIN) and job not in logged_in:
        log_in(job)
    job = job if as_job is None else as_job
    verb, _, rest = line.partition(" ")
    words = rest.split(" ", 6)
    if verb in ("output", "error"):
        stream = 1 if verb == "output" else 2
        send(OUTPUT, job,
             struct.pack(">I", stream) + data(rest.encode() + b"\n"))
    elif verb == "progress":
        send(PROGRESS, job, struct.pack(">QQ", int(words[0]), int(words[1])))
    elif verb == "sleep":
        time.sleep(float(rest))
    elif verb == "wait":
        while not os.path.exists(os.path.join(here, rest)):
            time.sleep(0.02)
    elif verb == "authenticated":
        log_in(job)
    elif verb == "final":
        is_final = 1
    elif verb == "as":
        as_job = int(rest)
    elif verb == "say":
        os.write(2, rest.encode().decode("unicode_escape").encode("latin-1") +
                 b"\n")
    elif verb == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif verb == "result":
        status, stage, size, files, unchanged = words[:5]
        send(RESULT, job,
             struct.pack(">IIII", STATUS.index(status), STAGE.index(stage),
                         0, 0) +
             string("") + string(" ".join(words[6:])) + string("127.0.0.1") +
             struct.pack(">QQIIQQQ", 0, 0, 1, 1, int(size), int(files),
                         int(unchanged)) + string("".join(words[5:6])) +
             struct.pack(">I", is_final))
        is_final = 0


def run(job):
    for line in open(here + "/script"):
        host, _, rest = line.strip().partition(" ")
        if not host.startswith("@"):
            do(job, line.strip())
            continue
        host, _, nth = host[1:].partition("#")
        if host in ("", jobs[job]["address"]) and \
                nth in ("", str(times[job])):
            do(job, rest)


def holes():
    try:
        with open("%s/holes" % here) as f:
            return f.read().rstrip("\n")
    except FileNotFoundError:
        return ""


def main():
    while True:
        size, kind, job = struct.unpack(">IBI", read_exactly(9))
        message = decode(kind, read_exactly(size - 5))
        json.dump(dict(message, type=kind, job=job), log)
        log.write("\n")
        log.flush()
        if kind == CONFIG:
            send(READY, NO_JOB,
                 struct.pack(">I", message["slots"]) + string("") +
                 string(holes()))
        elif kind == PING:
            send(PONG, NO_JOB, b"")
        elif kind == JOB:
            jobs[job] = message
            times[job] = times.get(job, 0) + 1
            logged_in.discard(job)
            key = data(b"ssh-ed25519") + data(b"k" * 32)
            send(HOSTKEY, job, data(key) + string("127.0.0.1"))
        elif kind == VERDICT and message["verdict"] == 1:
            run(job)


main()
