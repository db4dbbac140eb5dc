#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# deadlines: point 7. Each test proves that a deadline ends what would last
# for ever (a run that hangs is a failed test), or that it leaves alone what
# it must not end.

load helper

with_lab -n 4

teardown() {
	batch_kill
	fakehosts_down
}

# expect_connect_timeout STAGE FAKEHOST-MODE...: a host that does so has a
# timeout at that stage, the others run.
expect_connect_timeout() {
	local stage=$1
	shift
	fakehost slow "$@"
	batch -h "127.0.0.1:$fake_port" -g web -connect-timeout 3 \
	    -cmd 'echo "$LAB_HOST"'
	expect_status 3
	expect_output 'web01: web01' 'web02: web02' 'web03: web03'
	expect_report 'map(select(.status != "ok")) | length == 1 and
	    .[0].status == "timeout" and .[0].stage == "'"$stage"'"'
	expect_match "$err" 'timeout.*127\.0\.0\.1'
}

@test "-connect-timeout ends a connection that is never made" {
	expect_connect_timeout connect full
}

@test "-connect-timeout ends the wait for a server that says nothing" {
	expect_connect_timeout banner silent
}

@test "-connect-timeout is not stretched by a server that drips bytes" {
	expect_connect_timeout banner drip
}

@test "-connect-timeout ends a server that talks without end before its banner" {
	fakehost slow flood
	batch -h "127.0.0.1:$fake_port" -g web -connect-timeout 3 \
	    -cmd 'echo "$LAB_HOST"'
	expect_status 3
	expect_output 'web01: web01' 'web02: web02' 'web03: web03'
	# It may as well be told that this is no SSH.
	expect_report 'map(select(.status != "ok")) | length == 1 and
	    (.[0].stage == "banner" or .[0].stage == "protocol")'
}

@test "-connect-timeout ends a key exchange that does not go on" {
	expect_connect_timeout kex say-hold 'SSH-2.0-stuck\r\n'
}

@test "-connect-timeout covers authentication" {
	# sshd takes its time over the key, for anybody it can run this for.
	[ "$(id -u)" -eq 0 ] || skip "needs root for AuthorizedKeysCommand"
	lab_up "$BATS_TEST_TMPDIR/slow" -n 1 -o 'AuthorizedKeysFile none' \
	    -o "AuthorizedKeysCommand $(command -v sleep) 300" \
	    -o 'AuthorizedKeysCommandUser root'
	batch -g web -connect-timeout 3 -cmd 'echo ran'
	lab_down "$BATS_TEST_TMPDIR/slow"
	expect_status 3
	expect_result web01 timeout '.stage == "auth"'
}

@test "a host's connect_timeout in the inventory is used" {
	fakehost slow silent
	write_inventory <<-END
	[web]
	web01 = address=127.0.0.1 port=$fake_port connect_timeout=1
	END
	batch -g web -cmd true
	expect_status 3
	expect_result web01 timeout '.stage == "banner"'
}

@test "a silent server is given up without being told otherwise" {
	fakehost slow silent
	batch -h "127.0.0.1:$fake_port" -cmd true
	expect_status 3
	expect_report '.[0].status == "timeout"'
}

@test "-connect-timeout does not end a command that takes longer" {
	batch -h web01 -connect-timeout 2 -cmd 'sleep 4; echo done'
	expect_status 0
	expect_output 'web01: done'
}

@test "-timeout ends a command that runs too long, the others finish" {
	batch -g web -timeout 2 \
	    -cmd 'echo begun; [ $LAB_HOST = web02 ] && sleep 300; echo done'
	expect_status 3
	expect_output 'web01: begun' 'web02: begun' 'web03: begun' \
	    'web01: done' 'web03: done'
	expect_result web02 timeout '.stage == "command"'
	expect_match "$err" 'timeout.*web02'
}

@test "-timeout is not stretched by output" {
	batch -h web01 -timeout 2 \
	    -cmd 'while :; do echo more; sleep 0.2; done'
	expect_status 3
	expect_result web01 timeout '.stage == "command"'
}

@test "-timeout ends a command that floods" {
	batch -h web01 -timeout 2 -cmd 'yes' -output none
	expect_status 3
	expect_result web01 timeout '.stage == "command"'
}

@test "after a timeout the command is stopped on the host" {
	# Its writes fail once the connection is gone.
	batch -h web01 -timeout 1 -cmd \
	    'echo $$ >"$HOME/pid"; trap "" HUP; while echo more; do sleep 0.1; done'
	expect_status 3
	wait_until not alive "$(cat "$(host_file web01 pid)")"
}

@test "a command that times out is sent a signal" {
	pkg-config --atleast-version 1.11 libssh2 ||
	    skip "this libssh2 cannot send signals"
	# A shell may say that its sleep was ended, to nobody.
	batch -h web01 -timeout 2 -cmd 'trap "" PIPE
	    trap "touch \"\$HOME/signalled\"; exit" TERM
	    while :; do sleep 0.1; done'
	expect_status 3
	wait_until test -e "$(host_file web01 signalled)"
}

@test "a host's timeout in the inventory is used" {
	{
		cat "$LAB_DIR/inventory.ini"
		printf '[host web01]\ntimeout = 1\n'
	} | write_inventory
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
	batch -h web01 -cmd 'sleep 300'
	expect_status 3
	expect_result web01 timeout '.stage == "command"'
}

@test "without -timeout a command is waited for" {
	batch -h web01 -cmd 'sleep 12; echo done'
	expect_status 0
	expect_output 'web01: done'
}

@test "-idle-timeout ends a command that falls silent" {
	batch -g web -idle-timeout 3 \
	    -cmd 'echo begun; [ $LAB_HOST = web02 ] && sleep 300; echo done'
	expect_status 3
	expect_result web01 ok
	expect_result web02 timeout '.stage == "idle"'
	expect_result web03 ok
}

@test "-idle-timeout starts anew with each byte" {
	batch -h web01 -idle-timeout 4 -cmd \
	    'i=0; while [ $i -lt 12 ]; do i=$((i + 1)); printf .; sleep 0.5; done'
	expect_status 0
	expect_output 'web01: ............'
}

@test "bytes on stderr count against -idle-timeout too" {
	batch -h web01 -idle-timeout 4 -cmd \
	    'i=0; while [ $i -lt 12 ]; do i=$((i + 1)); printf . >&2; sleep 0.5; done'
	expect_status 0
	expect_line "$err" 'web01: ............'
}

@test "time in which our own stdout is slow is not idle time" {
	{
		status=0
		timeout 120 "$batch_run" -known-hosts "$known_hosts" -g web \
		    -idle-timeout 2 -no-prefix \
		    -cmd 'head -c 20000000 /dev/zero | tr "\0" "\n"' \
		    </dev/null 2>"$err" 3>&- || status=$?
		echo "$status" >"$BATS_TEST_TMPDIR/status"
	} | {
		sleep 7
		wc -c >"$out"
	}
	status=$(cat "$BATS_TEST_TMPDIR/status")
	expect_status 0
	[ "$(tr -d ' ' <"$out")" = 60000000 ]
}

@test "a connection that falls silent for ever ends by -timeout" {
	proxied_inventory
	batch_start -h web01 -timeout 4 -cmd 'echo ready; sleep 300'
	wait_until grep -q ready "$out"
	touch "$BATS_TEST_TMPDIR/fakehost.proxy.stall"
	batch_wait
	expect_status 3
	expect_result web01 timeout '.stage == "command"'
}
