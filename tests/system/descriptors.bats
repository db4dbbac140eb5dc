#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# descriptors: point 10, the limit of open files.

load helper

setup_file() {
	lab_up "$BATS_FILE_TMPDIR/lab" -n 120
}

teardown_file() {
	lab_down "$BATS_FILE_TMPDIR/lab"
}

teardown() {
	batch_kill
}

@test "a fanout that does not fit is lowered with one warning, all hosts are ok" {
	ulimit -n 64
	batch -g web,db -fanout 500 -workers 2 -cmd 'echo ran'
	expect_status 0
	[ "$(grep -c ': ran$' "$out")" -eq 120 ]
	[ "$(grep -ci 'fanout' "$err")" -eq 1 ] || { dump; return 1; }
	expect_no_match "$err" 'too many open files|EMFILE'
}

@test "the soft limit is raised to the hard one" {
	[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 1024 ] ||
	    skip "the hard limit is too low"
	ulimit -Sn 64
	batch -g web,db -fanout 120 -workers 2 -cmd 'echo ran'
	expect_status 0
	[ "$(grep -c ': ran$' "$out")" -eq 120 ]
	expect_no_match "$err" 'fanout'
}

@test "120 hosts with the default fanout are all ok" {
	batch -g web,db -cmd 'echo ran'
	expect_status 0
	[ "$(grep -c ': ran$' "$out")" -eq 120 ]
	expect_match "$err" '120 hosts.*120 ok'
}

@test "workers inherit no descriptor but their own" {
	exec 9<"$LAB_DIR/inventory.ini"
	batch_start -h web01 -workers 1 -cmd 'echo up; sleep 60'
	wait_until grep -q up "$out"
	local worker fds
	worker=$(workers "$pid")
	fds=$(find "/proc/$worker/fd" -type l -printf '%f %l\n')
	kill "$pid"
	batch_wait
	echo "$fds"
	[ -n "$fds" ]
	not grep -qE 'inventory|known_hosts|report|id_ed25519' <<<"$fds"
}
