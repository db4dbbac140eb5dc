# SPDX-License-Identifier: GPL-3.0-or-later
"""pool: a pool of threads with paramiko, as many people have written it.

usage: pool.py FANOUT USER PORT KEY KNOWN_HOSTS HOSTS ACTION ARGUMENT...

  exec COMMAND        runs it, writes what the hosts write
  put LOCAL REMOTE    sends a file
  get REMOTE FOLDER   fetches one, as FOLDER/HOST

The key and the known_hosts file are read once. The exit status is 0 if all is
well with all hosts.
"""
import collections
import concurrent.futures
import os
import sys
import threading

import paramiko

PATIENCE_S = 600
PIECE_BYTES = 65536


def read_known(path):
    """Name -> its keys. A look-up in paramiko's own is linear."""
    known = collections.defaultdict(list)
    for name, keys in paramiko.HostKeys(path).items():
        known[name] += keys.items()
    return known


class Pool:
    def __init__(self, user, port, key, known):
        self.user = user
        self.port = int(port)
        self.key = paramiko.Ed25519Key.from_private_key_file(key)
        self.known = read_known(known)
        self.stdout = threading.Lock()

    def connect(self, host):
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        name = "[%s]:%d" % (host, self.port)
        for key_type, key in self.known[name]:
            client.get_host_keys().add(name, key_type, key)
        client.connect(
            host, self.port, self.user, pkey=self.key, allow_agent=False,
            look_for_keys=False, timeout=PATIENCE_S,
            banner_timeout=PATIENCE_S, auth_timeout=PATIENCE_S)
        return client

    def exec(self, client, _, command):
        _, stdout, _ = client.exec_command(command)
        while piece := stdout.channel.recv(PIECE_BYTES):
            with self.stdout:
                sys.stdout.buffer.write(piece)
        return stdout.channel.recv_exit_status() == 0

    def put(self, client, _, local, remote):
        client.open_sftp().put(local, remote)
        return True

    def get(self, client, host, remote, folder):
        client.open_sftp().get(remote, os.path.join(folder, host))
        return True

    def one(self, host, action, arguments):
        try:
            with self.connect(host) as client:
                return getattr(self, action)(client, host, *arguments)
        except (paramiko.SSHException, OSError, EOFError) as e:
            print("%s: %s" % (host, e), file=sys.stderr)
            return False


def main():
    fanout, user, port, key, known, hosts, action, *arguments = sys.argv[1:]
    pool = Pool(user, port, key, known)
    with open(hosts) as f:
        names = f.read().split()
    with concurrent.futures.ThreadPoolExecutor(int(fanout)) as executor:
        results = list(executor.map(
            lambda host: pool.one(host, action, arguments), names))
    sys.exit(0 if all(results) else 1)


main()
