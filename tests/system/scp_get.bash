# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
#
# scp_get: what the tests of get share. To be loaded after scp. They fetch from
# $far to out/, below the working directory.

# To be called in setup, after scp_setup.
scp_get_setup() {
	# Where what is below $far arrives, of web01.
	got=out/web01$far
}

get() {
	batch -h web01 -action get "$@"
}

get_start() {
	batch_start -h web01 -action get "$@"
}

# peak_kb COMMAND...: sets status, and peak_kb to the memory in kB that the
# largest of all its processes had.
peak_kb() {
	status=0
	"$python" -c '
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:], stdin=subprocess.DEVNULL)
with open(sys.argv[1], "w") as f:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=f)
sys.exit(code)' "$BATS_TEST_TMPDIR/peak" timeout -k 5 120 "$@" \
	    >"$out" 2>"$err" 3>&- || status=$?
	peak_kb=$(cat "$BATS_TEST_TMPDIR/peak")
}

# Have root's programs obey permissions as others' do: batch_run becomes one
# that does. Skips where that cannot be.
without_powers() {
	[ "$(id -u)" -eq 0 ] || return 0
	local drop=-dac_override,-dac_read_search mortal
	mortal=$BATS_TEST_TMPDIR/mortal
	cat >"$mortal" <<-END
	#!/bin/sh
	exec setpriv --bounding-set=$drop "$batch_run" "\$@"
	END
	chmod +x "$mortal"
	: >"$BATS_TEST_TMPDIR/unreadable"
	chmod 000 "$BATS_TEST_TMPDIR/unreadable"
	"$mortal" --version >/dev/null || skip "cannot do without root's powers"
	! setpriv --bounding-set=$drop cat "$BATS_TEST_TMPDIR/unreadable" \
	    2>/dev/null || skip "root reads all here"
	batch_run=$mortal
}
