#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
#
# rekey: a host may exchange keys anew at any time, and offer anything then.

load helper
load simhost
load scp

chacha20='chacha20-poly1305@openssh.com'
gcm='aes256-gcm@openssh.com'
sha2=hmac-sha2
names=ext-info-c,kex-strict-c-v00@openssh.com,

setup_file() {
	lab_up "$BATS_FILE_TMPDIR/lab" -n 2 -o 'RekeyLimit 64K'
	simhost_up <<-END
	127.95.0.1-127.95.0.2 rekey=65536
	127.95.0.3 rekey=65536 rekey-offers=$names
	127.95.0.4-127.95.0.6
	127.95.1.1 rekey=65536 ciphers=aes128-ctr rekey-ciphers=aes256-ctr
	127.95.1.2 rekey=65536 ciphers=$chacha20 rekey-ciphers=aes128-ctr
	127.95.1.3 rekey=65536 ciphers=$gcm rekey-ciphers=aes128-ctr
	127.95.1.4 rekey=65536 ciphers=aes128-ctr macs=$sha2-256 rekey-macs=$sha2-512
	127.95.1.5 rekey=65536 ciphers=aes128-ctr macs=hmac-sha2-256
	127.95.1.6 rekey=65536 ciphers=$gcm
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
	batch -h 'sim[1-6]' -workers 1 -output none -cmd 'sim out=1000000'
	expect_status 0
	expect_report 'length == 6 and
	    all(.status == "ok" and .stdout_bytes == 1000000)'
	simhost_counts
	for n in 1 2 3; do
		[ "$(simhost_count 127.95.0.$n rekeys)" -ge 1 ]
	done
	[ "$(simhost_count 127.95.0.4 rekeys)" -eq 0 ]
}

# libssh2 takes the new ones for what it has the old keys of.
@test "a later key exchange changes neither ciphers nor MACs" {
	batch_run=$top_builddir/src/batch_run
	simhost_inventory
	batch -h 'sim[1-12]' -workers 1 -output none -cmd 'sim out=1000000'
	expect_status 3
	expect_report 'length == 12 and
	    all(.message // "" | test("worker|signal") | not)'
	expect_report 'map(select(.host | test("^sim([1-6]|11)$"))) |
	    all(.status == "ok" and .stdout_bytes == 1000000)'
	expect_report 'map(select(.host | test("^sim(7|10)$"))) |
	    all(.status == "lost")'
	# libssh2 1.10 has none of these.
	expect_report 'map(select(.host | test("^sim(8|9)$"))) |
	    all(.status == "lost" or .stage == "protocol")'
	expect_report 'map(select(.host == "sim12")) |
	    all(.status == "ok" or .stage == "protocol")'
}
