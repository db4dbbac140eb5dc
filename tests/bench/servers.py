# SPDX-License-Identifier: GPL-3.0-or-later
"""servers: the hosts that the clients are measured against.

Those of OpenSSH are a lab (scripts/lab). Each of them has a folder of its own,
where commands and files begin: ForceCommand is a script of two lines that goes
there. So one remote path serves for all hosts, and /bin/sh, which reads no
start-up file, runs the commands, whatever the user's login shell is. No limit
of sshd's is met.
"""
import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import measure

HERE = Path(__file__).resolve().parent
LAB = HERE.parent.parent / "scripts" / "lab"
SFTP_SERVERS = ("/usr/lib/openssh/sftp-server",
                "/usr/libexec/openssh/sftp-server")
HOST_SHELL = """\
cd "$HOME" || exit 1
case $SSH_ORIGINAL_COMMAND in
internal-sftp) exec %s ;;
*) exec /bin/sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac
"""
SIM_NETWORK = (127 << 24) + (88 << 16)
SIM_SPARE_DESCRIPTORS = 100
START_S = 60
SETTLE_S = 0.5


class NotHere(Exception):
    """What keeps a row from being measured on this machine."""


def wait_until(condition, what):
    deadline = time.monotonic() + START_S
    while not condition():
        if time.monotonic() >= deadline:
            raise NotHere(what)
        time.sleep(0.02)


@contextlib.contextmanager
def program(command, log):
    """A server that runs meanwhile. Of its own session, so that Ctrl-C does
    not end it before the clients."""
    with open(log, "wb") as f:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=f,
            stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def wait_for_file(path, process, log):
    wait_until(lambda: path.exists() or process.poll() is not None,
               path.name + " does not come")
    if not path.exists():
        words = log.read_text(errors="replace").split("\n")
        raise NotHere(next(filter(None, reversed(words)), "it ended"))


class Hosts:
    """What a client needs to know of the hosts. folder is for its files."""

    def __init__(self, folder, addresses, port, user, enter=()):
        self.folder = folder
        self.addresses = addresses
        self.port = port
        self.user = user
        self.enter = list(enter)  # before the client's command line
        self.key = folder / "id_ed25519"
        self.known_hosts = folder / "known_hosts"
        self.list = folder / "hosts"
        self.list.write_text("".join(a + "\n" for a in addresses))

    def mark(self):
        """Forget what ran so far."""

    def ran(self):
        """Since then: how often a command or subsystem was started, and at
        how many of the hosts."""

    def settle(self):
        """After a client that was killed: wait until the hosts have done all
        that it had asked for."""
        before, now = None, self.ran()
        while now != before:
            time.sleep(SETTLE_S)
            before, now = now, self.ran()

    def home(self, address):
        """Where its files are."""


class Lab(Hosts):
    def __init__(self, folder, enter=()):
        env = dict(re.findall(r"export (\w+)=(.*)",
                              (folder / "env").read_text()))
        self.names = {}
        for line in (folder / "names").read_text().splitlines():
            name, address = line.split()
            self.names[address] = name
        super().__init__(folder, list(self.names), int(env["LAB_PORT"]),
                         env["LAB_USER"], enter)
        self.log = folder / "sshd.log"
        self.mark()

    def mark(self):
        self.marked = self.log.stat().st_size

    def ran(self):
        with open(self.log, errors="replace") as f:
            f.seek(self.marked)
            text = f.read()
        return (text.count("Starting session: "),
                len(set(re.findall(r"Connection from .* on (\S+) port",
                                   text))))

    def home(self, address):
        return self.folder / "home" / self.names[address]


class Sim(Hosts):
    def __init__(self, folder, addresses, port, pid):
        super().__init__(folder, addresses, port, "tester")
        self.pid = pid
        self.counts = folder / "counts"
        key = (folder / "host_key.pub").read_text().strip()
        self.known_hosts.write_text("".join(
            "[%s]:%d %s\n" % (address, port, key) for address in addresses))
        self.mark()

    def execs(self):
        self.counts.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        wait_until(self.counts.exists, "simhost counts nothing")
        with open(self.counts) as f:
            return {line.split()[0]: int(line.split()[2])
                    for line in f if " execs " in line}

    def mark(self):
        self.marked = self.execs()

    def ran(self):
        new = [count - self.marked[address]
               for address, count in self.execs().items()]
        return sum(new), sum(count > 0 for count in new)


@contextlib.contextmanager
def lab(folder, count, server_enter=(), client_enter=()):
    sftp_server = next(filter(os.path.exists, SFTP_SERVERS), None)
    if sftp_server is None:
        raise NotHere("no sftp-server")
    shell = folder.parent / "host_shell"
    shell.write_text(HOST_SHELL % sftp_server)
    command = [*server_enter, LAB, "up", "-d", folder, "-n", str(count)]
    for line in ("ForceCommand /bin/sh %s" % shell, "MaxStartups 20000",
                 "LoginGraceTime 0"):
        command += ["-o", line]
    try:
        status, said = measure.finish(command, stderr=subprocess.STDOUT)
        if status != 0:
            raise NotHere(said.strip().split("\n")[-1])
        yield Lab(folder, client_enter)
    finally:
        log = folder / "sshd.log"
        if log.exists():
            log.rename(folder.with_suffix(".log"))  # for --keep
        subprocess.run([LAB, "down", "-d", folder], check=True,
                       stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def linked_lab(folder, count):
    if os.getuid() != 0:
        raise NotHere("needs root")
    if not os.path.exists("/dev/net/tun") or not shutil.which("ip"):
        raise NotHere("no TUN device or no ip")
    ready, log = folder.with_suffix(".ready"), folder.with_suffix(".link")
    with program([sys.executable, HERE / "link.py", ready], log) as process:
        wait_for_file(ready, process, log)
        ends = [["nsenter", "--net=" + path]
                for path in ready.read_text().split()]
        with lab(folder, count, *ends) as hosts:
            yield hosts


@contextlib.contextmanager
def sim(folder, simhost, row, descriptors):
    if not os.access(simhost, os.X_OK):
        raise NotHere("no simhost (libssh-dev)")
    # One that listens for each host; connections, also some that are ending.
    if descriptors < row.hosts + 2 * row.fanout + SIM_SPARE_DESCRIPTORS:
        raise NotHere("only %d descriptors" % descriptors)
    folder.mkdir()
    addresses = ["127.%d.%d.%d" % (n >> 16 & 255, n >> 8 & 255, n & 255)
                 for n in range(SIM_NETWORK + 1, SIM_NETWORK + 1 + row.hosts)]
    (folder / "script").write_text("%s-%s %s\n" % (
        addresses[0], addresses[-1], row.behaviour))
    for name in "host_key", "id_ed25519":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C",
                        "", "-f", folder / name], check=True)
    port, log = folder / "port", folder / "log"
    with program([simhost, "-p", "0", "-k", folder / "host_key",
                  "-s", folder / "script", "-r", folder / "root",
                  "-o", port, "-c", folder / "counts"], log) as process:
        wait_for_file(port, process, log)
        yield Sim(folder, addresses, int(port.read_text()), process.pid)


class Servers:
    """Starts what rows ask for, each once; stops all at the end."""

    def __init__(self, work, build, descriptors):
        self.simhost = build / "tests" / "simhost"
        self.descriptors = descriptors
        self.stack = contextlib.ExitStack()
        self.hosts = {}
        self.folders = (work / ("hosts%d" % n) for n in itertools.count())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self.stack.__exit__(*error)

    def of(self, row):
        key = row.server, row.hosts, row.server == "sim" and row.behaviour
        if key not in self.hosts:
            self.hosts[key] = self.stack.enter_context(self.start(row))
        return self.hosts[key]

    def start(self, row):
        folder = next(self.folders)
        if row.server == "sim":
            return sim(folder, self.simhost, row, self.descriptors)
        return {"sshd": lab, "link": linked_lab}[row.server](
            folder, row.hosts)
