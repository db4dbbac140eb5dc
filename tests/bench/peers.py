# SPDX-License-Identifier: GPL-3.0-or-later
"""peers: the clients, and how each of them does a piece of work.

All of them get the same hosts, key and known_hosts file, refuse unknown host
keys, read no configuration of the user's, and give up on no host early. Beyond
that each has the settings that its manual recommends for speed; what they are
is here. In RUN, a function for each kind of work takes the row, the hosts and
the files, and gives a command line and its environment.
"""
import argparse
import dataclasses
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE_S = 600
# In the folder where a host's commands and files begin; and the same for those
# who insist on an absolute path.
REMOTE = "copy"
REMOTE_ABSOLUTE = "/proc/self/cwd/" + REMOTE


class CannotDo(Exception):
    """In a few words, why not."""


@dataclasses.dataclass
class Task:
    row: object       # rows.Row
    hosts: object     # servers.Hosts
    command: str      # of an exec row
    source: Path      # of a put row
    target: Path      # of a get row, an empty folder
    work: Path        # for a client's own files
    build: Path


def ssh_config(task):
    """Written anew for each task; its path."""
    path = task.work / "ssh_config"
    path.write_text("""\
User %s
Port %d
IdentityFile %s
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile %s
GlobalKnownHostsFile none
StrictHostKeyChecking yes
UpdateHostKeys no
BatchMode yes
PreferredAuthentications publickey
ConnectTimeout %d
LogLevel ERROR
""" % (task.hosts.user, task.hosts.port, task.hosts.key,
       task.hosts.known_hosts, PATIENCE_S))
    return str(path)


def batch_arguments(task):
    return ["-config", "none", "-hostfile", task.hosts.list,
            "-u", task.hosts.user, "-port", str(task.hosts.port),
            "-k", task.hosts.key, "-known-hosts", task.hosts.known_hosts,
            "-f", str(task.row.fanout),
            "-connect-timeout", "%ds" % PATIENCE_S]


def batch_exec(task):
    return [task.build / "src" / "batch_run", *batch_arguments(task),
            "-cmd", task.command], {}


def batch_put(task):
    return [task.build / "src" / "batch_scp", *batch_arguments(task),
            "-action", "put", "-local", task.source, "-remote", REMOTE], {}


def batch_get(task):
    return [task.build / "src" / "batch_scp", *batch_arguments(task),
            "-action", "get", "-remote", REMOTE, "-local", task.target], {}


def bare_exec(task):
    # More processes would measure how a process begins.
    return [task.build / "tests" / "bench" / "bare",
            "-n", str(min(task.row.fanout, 32)), "-u", task.hosts.user,
            "-p", str(task.hosts.port), "-k", task.hosts.key,
            "-K", task.hosts.known_hosts, task.hosts.list, task.command], {}


def only_address(task):
    if task.row.hosts > 1:
        raise CannotDo("one host only")
    return task.hosts.addresses[0]


def ssh_exec(task):
    return ["ssh", "-F", ssh_config(task), only_address(task),
            task.command], {}


def sftp_batch(task, line):
    address = only_address(task)
    batch = task.work / "sftp.batch"
    batch.write_text(line + "\n")
    return ["sftp", "-q", "-F", ssh_config(task), "-b", batch, address], {}


def ssh_put(task):
    return sftp_batch(task, "put %s %s" % (task.source, REMOTE))


def ssh_get(task):
    return sftp_batch(task, "get %s %s" % (REMOTE, task.target))


def pdsh_exec(task):
    return ["pdsh", "-R", "ssh", "-S", "-t", str(PATIENCE_S),
            "-f", str(task.row.fanout), "-w", "^%s" % task.hosts.list,
            task.command], {
                "PDSH_SSH_ARGS": "-F %s %%h" % ssh_config(task)}


def pdsh_files(_):
    raise CannotDo("pdcp wants pdsh on the hosts")


def clush(task, *arguments):
    # At its default of 8,192 descriptors it lowers the limit to that.
    return ["clush", "-S", "-O", "fd_max=%d" % max(8192, task.row.fanout * 8),
            "-o", "-F " + ssh_config(task), "-t", str(PATIENCE_S), "-u", "0",
            "-f", str(task.row.fanout),
            "--hostfile=%s" % task.hosts.list, *arguments], {}


def clush_exec(task):
    return clush(task, "-n", task.command)


def clush_put(task):
    return clush(task, "--copy", task.source, "--dest", REMOTE)


def clush_get(task):
    return clush(task, "--rcopy", REMOTE, "--dest", task.target)


def pssh(task, program, *arguments):
    return [program, "-h", task.hosts.list, "-p", str(task.row.fanout),
            "-t", "0", "-x", "-F " + ssh_config(task), *arguments], {}


def pssh_exec(task):
    return pssh(task, "parallel-ssh", "-P", task.command)


def pssh_put(task):
    return pssh(task, "parallel-scp", task.source, REMOTE_ABSOLUTE)


def pssh_get(task):
    return pssh(task, "parallel-slurp", "-L", task.target, REMOTE_ABSOLUTE,
                REMOTE)


def ansible(task, module, arguments, master):
    """No facts are gathered, as always without a playbook; pipelining; the
    module raw for a command, which needs no Python there. With ControlMaster
    only where one host has several connections."""
    config = task.work / "ansible.cfg"
    config.write_text("""\
[defaults]
host_key_checking = True
timeout = %d
local_tmp = %s/ansible
interpreter_python = /usr/bin/python3
[ssh_connection]
pipelining = True
usetty = False
control_path_dir = %s/cp
ssh_args = -F %s -o ControlMaster=%s -o ControlPersist=60s
""" % (PATIENCE_S, task.work, task.work, ssh_config(task), master))
    return ["ansible", "all", "-i", task.hosts.list,
            "-f", str(task.row.fanout), "-m", module, "-a", arguments], {
                "ANSIBLE_CONFIG": str(config)}


def ansible_exec(task):
    return ansible(task, "raw", task.command, "no")


def ansible_put(task):
    return ansible(task, "copy", "src=%s dest=%s" % (task.source, REMOTE),
                   "auto")


def ansible_get(task):
    return ansible(task, "fetch", "src=%s dest=%s/" % (
        REMOTE_ABSOLUTE, task.target), "auto")


def paramiko(task, *arguments):
    return [sys.executable, HERE / "pool.py", str(task.row.fanout),
            task.hosts.user, str(task.hosts.port), task.hosts.key,
            task.hosts.known_hosts, task.hosts.list, *arguments], {}


def paramiko_exec(task):
    return paramiko(task, "exec", task.command)


def paramiko_put(task):
    return paramiko(task, "put", task.source, REMOTE)


def paramiko_get(task):
    return paramiko(task, "get", REMOTE, task.target)


@dataclasses.dataclass
class Peer:
    name: str
    needs: str        # a program; "" for ours and for modules of Python
    version: list     # a command; "" for the folder of the build
    run: dict[str, Callable]

    def command(self, task):
        """Command line and environment; raises CannotDo."""
        do = self.run.get(task.row.work)
        if do is None:
            raise CannotDo("commands only")
        words, env = do(task)
        home = task.work / "home"
        home.mkdir(exist_ok=True)
        return ([str(word) for word in [*task.hosts.enter, *words]],
                {"PATH": PATH, "HOME": str(home), "LC_ALL": "C.UTF-8",
                 "TERM": "dumb", **env})


PEERS = [
    Peer("batch_run", "", ["src/batch_run", "--version"],
         {"exec": batch_exec, "put": batch_put, "get": batch_get}),
    Peer("bare", "", [], {"exec": bare_exec}),
    Peer("ssh", "ssh", ["ssh", "-V"],
         {"exec": ssh_exec, "put": ssh_put, "get": ssh_get}),
    Peer("pdsh", "pdsh", ["pdsh", "-V"],
         {"exec": pdsh_exec, "put": pdsh_files, "get": pdsh_files}),
    Peer("clush", "clush", ["clush", "--version"],
         {"exec": clush_exec, "put": clush_put, "get": clush_get}),
    Peer("pssh", "parallel-ssh", ["parallel-ssh", "--version"],
         {"exec": pssh_exec, "put": pssh_put, "get": pssh_get}),
    Peer("paramiko", "", [sys.executable, "-c",
                          "import paramiko; print(paramiko.__version__)"],
         {"exec": paramiko_exec, "put": paramiko_put, "get": paramiko_get}),
    Peer("ansible", "ansible", ["ansible", "--version"],
         {"exec": ansible_exec, "put": ansible_put, "get": ansible_get}),
]


def chosen(names):
    """The peers of a list with commas; for argparse."""
    wanted = names.split(",")
    unknown = set(wanted) - {peer.name for peer in PEERS}
    if unknown:
        raise argparse.ArgumentTypeError(
            "%s: not one of %s" % (", ".join(unknown), ", ".join(
                peer.name for peer in PEERS)))
    return [peer for peer in PEERS if peer.name in wanted]


def is_here(peer, build):
    if peer.name == "paramiko":
        return importlib.util.find_spec("paramiko") is not None
    if peer.name == "bare":
        return os.access(build / "tests" / "bench" / "bare", os.X_OK)
    return not peer.needs or shutil.which(peer.needs, path=PATH) is not None
