# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
#
# scp_verify: what the tests of contents that are compared share. To be loaded
# after scp. On the hosts only the programs in $bin are found.

setup_file() {
	export bin=$BATS_FILE_TMPDIR/bin
	lab_up "$BATS_FILE_TMPDIR/lab" -n 2
	sed -i "s,SetEnv ,&PATH=$bin ," "$LAB_DIR/sshd_config.1"
	log_mark
	kill -HUP "$(cat "$LAB_DIR/sshd.1.pid")"
	wait_until is_listening
}

is_listening() {
	[ "$(log_since_mark | grep -c 'Server listening')" -eq 2 ]
}

teardown_file() {
	lab_down "$BATS_FILE_TMPDIR/lab"
}

# To be called in setup, after scp_setup.
scp_verify_setup() {
	sums=$BATS_TEST_TMPDIR/sums # a line for each sum the hosts computed
	rm -rf "$bin"
	mkdir "$bin"
	ln -s "$(command -v head)" "$bin/head"
	program sha256sum "echo >>'$sums'; exec $(command -v sha256sum)"
}

# program NAME TEXT: the hosts have it.
program() {
	printf '#!/bin/sh\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

# expect_sha256 FILE: it is in the record.
expect_sha256() {
	expect_result web01 ok ".sha256 == \"$(sha256 "$1")\""
}
