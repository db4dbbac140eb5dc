#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
#
# rekey: a host may exchange keys anew at any time, and offer anything then.

load helper
load simhost
load scp

names=ext-info-c,kex-strict-c-v00@openssh.com,

setup_file() {
	lab_up "$BATS_FILE_TMPDIR/lab" -n 2 -o 'RekeyLimit 64K'
	simhost_up <<-END
	127.95.0.1-127.95.0.2 rekey=65536
	127.95.0.3 rekey=65536 rekey-offers=$names
	127.95.0.4-127.95.0.6
	END
}

teardown_file() {
	simhost_down
	lab_down "$BATS_FILE_TMPDIR/lab"
}

setup() {
	scp_setup
}

teardown() {
	batch_kill
}

@test "sshd exchanges keys anew while a command writes" {
	batch_run=$top_builddir/src/batch_run
	known_hosts=$LAB_KNOWN_HOSTS
	batch -g web -output none -cmd 'yes 0123456 | head -n 500000'
	expect_status 0
	expect_report 'length > 0 and
	    all(.status == "ok" and .stdout_bytes == 4000000)'
}

@test "sshd exchanges keys anew while files are transferred" {
	known_hosts=$LAB_KNOWN_HOSTS
	write_random a 4000000
	put -local a -remote "$far/" -verify
	expect_status 0
	expect_same a "$far/a"
	batch -h web01 -action get -remote "$far/a" -local back -verify
	expect_status 0
	expect_same a "back/web01/$far/a"
}

@test "a later key exchange may offer what only clients do" {
	local n
	batch_run=$top_builddir/src/batch_run
	simhost_inventory
	batch -g sim -workers 1 -output none -cmd 'sim out=1000000'
	expect_status 0
	expect_report 'length == 6 and
	    all(.status == "ok" and .stdout_bytes == 1000000)'
	simhost_counts
	for n in 1 2 3; do
		[ "$(simhost_count 127.95.0.$n rekeys)" -ge 1 ]
	done
	[ "$(simhost_count 127.95.0.4 rekeys)" -eq 0 ]
}
