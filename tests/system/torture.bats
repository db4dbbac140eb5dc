#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2154
#
# torture: whatever call fails, no run crashes, hangs, loses a result, says
# falsely that a host is ok, or fails without a word (see torture.py).
# TORTURE_ALL=stacks has a call from each place fail in turn (make check-long),
# TORTURE_ALL=calls each call, for hours.

load helper
load simhost

jobs=3

setup_file() {
	local job host
	[ -x "$top_builddir/tests/simhost" ] || return 0
	simhost_up < <(
		for ((job = 1; job <= jobs; job++)); do
			for host in 1 2 3; do
				echo "127.93.$job.$host"
			done
		done
	)
}

teardown_file() {
	simhost_down
}

setup() {
	[ -x "$top_builddir/tests/simhost" ] || skip "there is no simhost"
}

# torture KIND
torture() {
	local log=$BATS_TEST_TMPDIR/log
	"$python" "$test_dir/torture.py" ${TORTURE_ALL:+-a "$TORTURE_ALL"} -j "$jobs" \
	    "$top_builddir" "$BATS_TEST_TMPDIR" "$1" >"$log" 2>&1 3>&- || {
		head -c 20000 "$log"
		return 1
	}
	# It has had something to do.
	grep -qE '^# live: .* ([2-9]|[1-9][0-9]+) runs' "$log"
	sed 's/^# /#   /' "$log" >&3
}

@test "no memory" {
	! is_sanitized || skip "the sanitizers have an allocator of their own"
	torture malloc
}

@test "nothing can be written" {
	torture write
}

@test "nothing can be opened" {
	torture open
}

@test "no process and no thread can be made" {
	torture fork
}

@test "no socket and no pipe can be made" {
	torture socket
}
