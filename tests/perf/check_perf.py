# SPDX-License-Identifier: GPL-3.0-or-later
"""check_perf: what a host costs, counted, not timed.

usage: check_perf.py BUILD_FOLDER|COUNTS_FILE [BOUNDS_FILE]

Runs `true` on as many simulated hosts as are in flight at a time, and on 120,
under callgrind and under strace; the difference is what the further hosts cost,
without what a run costs once. The hosts share one key, and known_hosts has
10,000 hashed lines of that key, those in use among them. Under strace one host
is in flight at a time: with more, a call serves as many hosts as happen to be
ready, and each run counts otherwise.

Each count is printed beside its bound and floor of the bounds file (see
there). COUNTS_FILE is what an earlier run printed, to be judged again. Exit
status: 0, 1 a count is out of its bounds, 2 something failed, 77 skipped: a
tool is missing.
"""
import base64
import collections
import contextlib
import hashlib
import hmac
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HOSTS = 120
FANOUT = 30  # under callgrind
LINES = 10000  # of known_hosts, of the large inventory
ADDRESS = "127.151.%d.%d"
LIMIT_S = 300  # only ends what hangs
PROCESSES = {"batch_run": "control", "batch_worker": "worker"}
WAITS = re.compile(r"epoll_p?wait2?|p?poll")
STRACED = ["%s.%s" % (process, what) for process in PROCESSES.values()
           for what in ("syscalls", "wakeups")]


class Skip(Exception):
    pass


class Failure(Exception):
    pass


# --- counting ----------------------------------------------------------------


class Profile:
    """What callgrind wrote about a process: counts by object and callee."""

    def __init__(self, lines):
        self.program = ""
        self.instructions = collections.Counter()  # by object
        self.calls = collections.Counter()  # by function
        names = {}
        obj = callee = total = None
        is_call = False  # the next line is the cost of a call
        for line in lines:
            key, _, value = line.rstrip("\n").partition("=")
            if line.startswith("cmd: "):
                self.program = os.path.basename(line.split()[1])
            elif line.startswith("totals: "):
                total = int(line.split()[1])
            elif key in ("ob", "cob", "fn", "cfn"):
                number, _, name = value.partition(" ")
                table = key.lstrip("c"), number
                names.setdefault(table, name)
                if key == "ob":
                    obj = os.path.basename(names[table])
                elif key == "cfn":
                    callee = names[table]
            elif key == "calls":
                self.calls[callee] += int(value.split()[0])
                is_call = True
            elif re.match(r"[-+*\d]", line):
                if not is_call:
                    self.instructions[obj] += int(line.split()[1])
                is_call = False
        if sum(self.instructions.values()) != total:
            raise Failure("callgrind's counts do not add up to its total")

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
    if program not in PROCESSES:
        raise Failure("%s: not a program of ours" % program)
    return PROCESSES[program]


def system_calls(lines):
    """{(process, call): how often} of the lines of strace -f. A thread's calls
    are its process's; so are a child's, until it is a program of its own."""
    parents, programs, calls = {}, {}, collections.Counter()
    for line in lines:
        pid, call = line.split(None, 1)
        # Maybe of a call that was resumed, after the child's first lines.
        created = re.match(
            r"(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (\d+)$", call)
        if created:
            parents[created[1]] = pid
        if call.startswith("execve("):
            programs[pid] = os.path.basename(call.split('"')[1])
        begun = re.match(r"(\w+)\(", call)
        if begun:
            calls[pid, programs.get(pid), begun[1]] += 1
    counts = collections.Counter()
    for (pid, program, call), n in calls.items():
        while program is None:
            if pid not in parents:
                raise Failure("strace shows no parent of %s" % pid)
            pid = parents[pid]
            program = programs.get(pid)
        counts[process_name(program), call] += n
    return counts


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
    # valgrind needs what a worker gives up.
    run(["valgrind", "-q", "--tool=callgrind", "--trace-children=yes",
         "--callgrind-out-file=%s/%%p" % out] + command + ["-sandbox", "off"],
        env)
    counts = collections.Counter()
    for name in os.listdir(out):
        with open(os.path.join(out, name)) as f:
            profile = Profile(f)
        for what, n in profile.counts().items():
            counts["%s.%s" % (process_name(profile.program), what)] += n
    return counts


def strace(command, folder, env):
    out = os.path.join(folder, "strace")
    run(["strace", "-f", "-qq", "-o", out] + command, env)
    counts = collections.Counter(dict.fromkeys(STRACED, 0))
    with open(out) as f:
        for (process, call), n in system_calls(f).items():
            counts["%s.syscalls" % process] += n
            if WAITS.fullmatch(call):
                counts["%s.wakeups" % process] += n
    return counts


def strace_refusal():
    """Why strace may not trace here, as in a container. None: it may."""
    tried = subprocess.run(["strace", "-qq", "-o", os.devnull, "true"],
                           stderr=subprocess.PIPE, universal_newlines=True)
    if tried.returncode == 0:
        return None
    return (tried.stderr.splitlines() or ["strace failed"])[0]


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
        self.write("script", "%s-%s\n" % (address(0), address(HOSTS)))
        self.simhost = [
            os.path.join(build, "tests/simhost"), "-p", "0",
            "-k", self.path("host_key"), "-s", self.path("script"),
            "-r", self.path("root"), "-o", self.path("port")]

    @contextlib.contextmanager
    def up(self):
        """The hosts are there, and the files that need their port."""
        server = subprocess.Popen(self.simhost, stdin=subprocess.DEVNULL)
        try:
            self.port = self.wait_for_port(server)
            self.write_inventory("inventory", HOSTS)
            self.write_inventory("large", LINES)
            self.write_known_hosts()
            yield
        finally:
            server.terminate()
            server.wait(LIMIT_S)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), 0o600)

    def wait_for_port(self, server):
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end and server.poll() is None:
            if os.path.exists(self.path("port")):
                with open(self.path("port")) as f:
                    text = f.read()
                if text.endswith("\n"):
                    return int(text)
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

    def command(self, hosts, fanout):
        return [self.program, "-i", self.path("inventory"), "-known-hosts",
                self.path("known_hosts"), "-h", "sim[1-%d]" % hosts,
                "-fanout", str(fanout), "-workers", "1",
                "-connect-timeout", "60", "-retries", "0", "-cmd", "true"]

    def list_command(self):
        return [self.program, "-i", self.path("large"), "-h", "@sim", "-list"]


def address(i):
    return ADDRESS % (i // 250, i % 250 + 1)


def hashed(name):
    salt = hashlib.sha1(name.encode()).digest()
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return "|1|%s|%s" % tuple(
        base64.b64encode(b).decode() for b in (salt, digest))


def check_tools(build):
    for tool in ("valgrind", "strace", "ssh-keygen"):
        if shutil.which(tool) is None:
            raise Skip("%s is missing" % tool)
    if not os.path.exists(os.path.join(build, "tests/simhost")):
        raise Skip("tests/simhost was not built (it needs libssh)")
    with open(os.path.join(build, "src/batch_run"), "rb") as f:
        if b"__asan_init" in f.read():
            raise Skip("valgrind does not run a build with sanitizers")


def versions_here(lab):
    text = subprocess.run([lab.program, "--version"], env=lab.env,
                          stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout
    libraries = re.findall(r"(?:libssh2|OpenSSL) \d+\.\d+", text)
    if len(libraries) != 2:
        raise Failure("--version does not tell the libraries")
    return " ".join([os.uname().machine] + libraries)


def a_host(tool, lab, fanout):
    """What this tool counts, a host."""
    few, many = (tool(lab.command(hosts, fanout), lab.folder, lab.env)
                for hosts in (fanout, HOSTS))
    return {name: (many[name] - few[name]) / (HOSTS - fanout)
            for name in many}


def measure(build):
    """(versions, {name of the bounds file: count, None: not counted})"""
    check_tools(build)
    refusal = strace_refusal()
    with tempfile.TemporaryDirectory(prefix="batch_perf.") as folder:
        lab = Lab(folder, build)
        with lab.up():
            here = versions_here(lab)
            measured = a_host(callgrind, lab, FANOUT)
            measured.update(dict.fromkeys(STRACED) if refusal
                            else a_host(strace, lab, 1))
            measured["frames"] = (
                frames(lab.command(HOSTS, FANOUT), lab.env) / HOSTS)
            listed = callgrind(lab.list_command(), lab.folder, lab.env)
            measured["inventory.instructions"] = (
                listed["control.instructions"] / LINES)
    if refusal:
        print("# system calls are not counted: %s" % refusal)
    return here, measured


# --- the verdict -------------------------------------------------------------


def read_table(path):
    """Lines of (versions, name, words that follow) of a bounds file or of what
    was printed. versions are those of the block; None: before the first."""
    versions = None
    with open(path) as f:
        for line in f:
            words = line.split("#")[0].split()
            if words and words[0] == "versions":
                versions = " ".join(words[1:])
            elif words:
                yield versions, words[0], words[1:]


def read_bounds(path):
    """[(versions, name, bound, floor)]"""
    bounds = []
    for versions, name, words in read_table(path):
        try:
            bound, *rest = map(float, words)
            floor, = rest or (bound / 3,)
        except ValueError:
            raise Failure("%s: %s: a bound should follow, and maybe a floor"
                          % (path, name))
        bounds.append((versions, name, bound, floor))
    return bounds


def read_counts(path):
    """As measure() returns them."""
    here, measured = None, {}
    for here, name, words in read_table(path):
        measured[name] = None if words[0] == "-" else float(words[0])
    return here, measured


def bounds_for(here, bounds, measured):
    """{name: (bound, floor)}; a name that has bounds for other versions only is
    not in it."""
    names = {name for _, name, _, _ in bounds}
    for what, those in (("no such count", names - measured.keys()),
                        ("no bound", measured.keys() - names)):
        if those:
            raise Failure("%s: %s" % (what, ", ".join(sorted(those))))
    applied = {}
    for versions, name, bound, floor in bounds:
        if versions in (None, here):
            if name in applied:
                raise Failure("two bounds: %s" % name)
            applied[name] = bound, floor
    return applied


def verdict(count, bound, floor):
    """(whether the count is good, what to say about it)"""
    if count is None:
        return True, "  not counted"
    if bound is None:
        return True, "  no bound for these versions"
    if count > bound:
        return False, "  EXCEEDED"
    if count < floor:
        return False, "  TOO LOW: lower the bound, or the counting is broken"
    return True, ""


def judge(here, measured, bounds):
    """Print them. Returns whether all are within their bounds."""
    applied = bounds_for(here, bounds, measured)
    row = "%-30s %12s %12s %12s"
    are_good = True
    print("versions %s" % here)
    print(row % ("# a host", "measured", "bound", "floor"))
    for name in dict.fromkeys(name for _, name, _, _ in bounds):
        numbers = measured[name], *applied.get(name, (None, None))
        is_good, note = verdict(*numbers)
        are_good = are_good and is_good
        texts = ("-" if n is None else "%.1f" % n for n in numbers)
        print(row % (name, *texts) + note)
    return are_good


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    source = os.path.abspath(sys.argv[1])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bounds")
    bounds = read_bounds(sys.argv[2] if sys.argv[2:] else path)
    here, measured = (
        measure(source) if os.path.isdir(source) else read_counts(source))
    return 0 if judge(here, measured, bounds) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skip as why:
        print("check-perf: skipped: %s" % why)
        sys.exit(77)
    except (Failure, OSError, subprocess.SubprocessError) as why:
        print("check-perf: %s" % why, file=sys.stderr)
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        sys.exit(2)
