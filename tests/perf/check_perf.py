# SPDX-License-Identifier: GPL-3.0-or-later
"""check_perf: what a host costs, counted, not timed.

usage: check_perf.py BUILD_FOLDER [BOUNDS_FILE]

Runs `true` on N and on 2 N simulated hosts, under callgrind and under strace;
the difference is what N hosts cost, without what a run costs once. The hosts
share one key, and known_hosts has 10,000 hashed lines of that key, those in
use among them. Each count is printed beside its bound of the bounds file (see
there). Exit status: 0, 1 a bound is exceeded, 2 something failed, 77 skipped:
a tool is missing.
"""
import base64
import collections
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HOSTS = 60  # N
FANOUT = 30
LINES = 10000  # of known_hosts, of the large inventory
ADDRESS = "127.151.%d.%d"
LIMIT_S = 300  # only ends what hangs
# Calls that serve all hosts at once: waiting, and the pipes between control and
# worker (WORKER_JOB_FD, WORKER_RESULT_FD).
SHARED = r"(epoll_p?wait\(|poll\(|read\(3,|write\(4,)"


class Skip(Exception):
    pass


class Failure(Exception):
    pass


# --- counting ----------------------------------------------------------------


class Profile:
    """What callgrind wrote about a process: counts by object and callee."""

    def __init__(self, path):
        self.program = ""
        self.instructions = collections.Counter()  # by object
        self.calls = collections.Counter()  # by function
        names = {}
        obj = callee = None
        is_call = False  # the next line is the cost of a call
        with open(path) as f:
            for line in f:
                key, _, value = line.rstrip("\n").partition("=")
                if line.startswith("cmd: "):
                    self.program = os.path.basename(line.split()[1])
                elif key in ("ob", "cob", "cfn"):
                    number, _, name = value.partition(" ")
                    table = key.lstrip("c"), number
                    names.setdefault(table, name)
                    if key == "ob":
                        obj = os.path.basename(names[table])
                    elif key == "cfn":
                        callee = names[table]
                elif key == "fn":
                    number, _, name = value.partition(" ")
                    names.setdefault((key, number), name)
                elif key == "calls":
                    self.calls[callee] += int(value.split()[0])
                    is_call = True
                elif re.match(r"[-+*\d]", line):
                    if not is_call:
                        self.instructions[obj] += int(line.split()[1])
                    is_call = False

    def counts(self):
        crypto = sum(
            n for obj, n in self.instructions.items() if "libcrypto" in obj)
        return collections.Counter({
            "instructions": sum(self.instructions.values()) - crypto,
            "crypto-instructions": crypto,
            "allocations": sum(
                self.calls[f] for f in ("malloc", "calloc", "realloc")),
            "name-hashes": self.calls["EVP_MAC_init"],
        })


def process_name(program):
    return {"batch_run": "control", "batch_worker": "worker"}[program]


def run(command, env):
    """Run it, return its stderr."""
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          timeout=LIMIT_S, universal_newlines=True)
    if done.returncode != 0:
        raise Failure("%s\n%s" % (" ".join(command), done.stderr[-2000:]))
    return done.stderr


def callgrind(command, folder, env):
    """Counts of each process: {"control.instructions": 1, ...}"""
    out = tempfile.mkdtemp(dir=folder)
    run(["valgrind", "-q", "--tool=callgrind", "--trace-children=yes",
         "--callgrind-out-file=%s/%%p" % out] + command, env)
    counts = collections.Counter()
    for name in os.listdir(out):
        profile = Profile(os.path.join(out, name))
        for what, n in profile.counts().items():
            counts["%s.%s" % (process_name(profile.program), what)] += n
    return counts


def strace(command, folder, env):
    out = os.path.join(folder, "strace")
    run(["strace", "-f", "-qq", "-o", out] + command, env)
    programs, counts = {}, collections.Counter()
    with open(out) as f:
        for line in f:
            pid, call = line.split(None, 1)
            if re.match(r"execve\(", call):
                programs[pid] = os.path.basename(call.split('"')[1])
            if (pid in programs and re.match(r"\w+\(", call)
                    and not re.match(SHARED, call)):
                counts["%s.syscalls" % process_name(programs[pid])] += 1
    return counts


def frames(command, env):
    text = run(command + ["-debug"], env)
    return len(re.findall(r"^worker \d+ frame: .* job \d", text, re.M))


# --- what is run -------------------------------------------------------------


class Lab:
    """Simulated hosts, and the files to reach them."""

    def __init__(self, folder, build):
        self.folder = folder
        self.program = os.path.join(build, "src/batch_run")
        self.env = dict(PATH=os.environ["PATH"], HOME=folder, LC_ALL="C")
        for key in ("host_key", "id"):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                 self.path(key)], self.env)
        self.write("script", "%s-%s\n" % (address(0), address(2 * HOSTS)))
        self.server = subprocess.Popen(
            [os.path.join(build, "tests/simhost"), "-p", "0",
             "-k", self.path("host_key"), "-s", self.path("script"),
             "-r", self.path("root"), "-o", self.path("port")],
            stdin=subprocess.DEVNULL)
        self.port = int(self.wait_for("port"))
        self.write_inventory("inventory", 2 * HOSTS)
        self.write_inventory("large", LINES)
        self.write_known_hosts()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), 0o600)

    def wait_for(self, name):
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end and self.server.poll() is None:
            if os.path.exists(self.path(name)):
                with open(self.path(name)) as f:
                    text = f.read()
                if text.endswith("\n"):
                    return text
            time.sleep(0.05)
        raise Failure("simhost did not begin")

    def write_inventory(self, name, count):
        self.write(name, "[defaults]\nuser = tester\nport = %d\n"
                   "identity_file = %s\n[sim]\n" % (self.port, self.path("id"))
                   + "".join("sim%d = address=%s\n" % (i, address(i))
                             for i in range(1, count + 1)))

    def write_known_hosts(self):
        with open(self.path("host_key.pub")) as f:
            key = " ".join(f.read().split()[:2])
        self.write("known_hosts", "".join(
            "%s %s\n" % (hashed("[%s]:%d" % (address(i), self.port)), key)
            for i in range(1, LINES + 1)))

    def command(self, hosts):
        return [self.program, "-i", self.path("inventory"), "-known-hosts",
                self.path("known_hosts"), "-h", "sim[1-%d]" % hosts,
                "-fanout", str(FANOUT), "-workers", "1",
                "-connect-timeout", "60", "-retries", "0", "-cmd", "true"]

    def list_command(self):
        return [self.program, "-i", self.path("large"), "-h", "@sim", "-list"]

    def close(self):
        self.server.terminate()
        self.server.wait(LIMIT_S)


def address(i):
    return ADDRESS % (i // 250, i % 250 + 1)


def hashed(name):
    salt = hashlib.sha1(name.encode()).digest()
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return "|1|%s|%s" % tuple(
        base64.b64encode(b).decode() for b in (salt, digest))


def measure(lab):
    """All counts a host, by the names of the bounds file."""
    measured = {}
    for tool in (callgrind, strace):
        once = tool(lab.command(HOSTS), lab.folder, lab.env)
        twice = tool(lab.command(2 * HOSTS), lab.folder, lab.env)
        for name in twice:
            measured[name] = (twice[name] - once[name]) / HOSTS
    measured["frames"] = frames(lab.command(HOSTS), lab.env) / HOSTS
    listed = callgrind(lab.list_command(), lab.folder, lab.env)
    measured["inventory.instructions"] = (
        listed["control.instructions"] / LINES)
    return measured


# --- the verdict -------------------------------------------------------------


def read_bounds(path):
    """(versions that the counts of instructions are for, {name: bound})"""
    versions, bounds = "", {}
    with open(path) as f:
        for line in f:
            words = line.split("#")[0].split()
            if words and words[0] == "versions":
                versions = " ".join(words[1:])
            elif words:
                bounds[words[0]] = float(words[1])
    return versions, bounds


def versions_here(lab):
    text = subprocess.run([lab.program, "--version"], env=lab.env,
                          stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout
    libraries = re.findall(r"(?:libssh2|OpenSSL) \d+\.\d+", text)
    return " ".join([os.uname().machine] + libraries)


def judge(measured, bounds, is_same):
    """Print them. Returns whether all are within their bounds."""
    is_good = True
    print("%-30s %12s %12s" % ("a host", "measured", "bound"))
    for name, bound in bounds.items():
        count = measured.get(name)
        if count is None:
            raise Failure("%s: no such count" % name)
        note = ""
        if not is_same and re.search("instructions|allocations", name):
            note = "  not compared"
        elif count > bound:
            note = "  EXCEEDED"
            is_good = False
        print("%-30s %12.1f %12.0f%s" % (name, count, bound, note))
    return is_good


def check_tools(build):
    for tool in ("valgrind", "strace", "ssh-keygen"):
        if shutil.which(tool) is None:
            raise Skip("%s is missing" % tool)
    if not os.path.exists(os.path.join(build, "tests/simhost")):
        raise Skip("tests/simhost was not built (it needs libssh)")
    with open(os.path.join(build, "src/batch_run"), "rb") as f:
        if b"__asan_init" in f.read():
            raise Skip("valgrind does not run a build with sanitizers")
    if subprocess.run(["strace", "-qq", "-o", os.devnull, "true"],
                      stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("strace may not trace here")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    build = os.path.abspath(sys.argv[1])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bounds")
    versions, bounds = read_bounds(sys.argv[2] if sys.argv[2:] else path)
    check_tools(build)
    with tempfile.TemporaryDirectory(prefix="batch_perf.") as folder:
        lab = Lab(folder, build)
        try:
            here = versions_here(lab)
            measured = measure(lab)
        finally:
            lab.close()
    if here != versions:
        print("the bounds of instructions and allocations are for %s, "
              "this is %s" % (versions, here))
    return 0 if judge(measured, bounds, here == versions) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skip as why:
        print("check-perf: skipped: %s" % why)
        sys.exit(77)
    except (Failure, OSError, subprocess.SubprocessError) as why:
        print("check-perf: %s" % why, file=sys.stderr)
        sys.exit(2)
