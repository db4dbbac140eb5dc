#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# signals: point 9, second half. However a run ends, each host has a result
# and no process of ours is left.

load helper

with_lab -n 8

setup() {
	rm -f "$LAB_DIR"/home/*/ran
	command='echo begun; touch "$HOME/ran"; sleep 300; echo finished'
}

teardown() {
	batch_kill
	fakehosts_down
}

begun_at_least() {
	[ "$(grep -c ': begun$' "$out")" -ge "$1" ]
}

# start_some: 3 of 8 hosts run, the others wait; family are our processes.
start_some() {
	batch_start -g web,db -fanout 3 -workers 2 -cmd "$command"
	wait_until begun_at_least 3
	family="$pid $(workers "$pid")"
}

expect_no_family() {
	local p
	for p in $family; do
		wait_until not alive "$p"
	done
}

expect_cancelled() {
	expect_report 'length == 8 and (map(.host) | unique | length) == 8'
	expect_report 'all(.status == "cancelled" or .status == "lost" or
	    .status == "skipped")'
	expect_match "$err" '8 hosts.*cancelled'
	# Those that may have run it can be told from those that have not.
	expect_report 'map(select(.stage == "command")) | length == 3'
	expect_report 'map(select(.stage == "")) | length == 5'
	# No further host was begun.
	[ "$(find "$LAB_DIR/home" -name ran | wc -l)" -eq 3 ]
	expect_no_match "$out" finished
	expect_no_family
}

@test "SIGINT stops the run: summary, exit status 130" {
	start_some
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_cancelled
}

@test "SIGINT twice ends the run too" {
	start_some
	kill -INT "$pid"
	kill -INT "$pid" 2>/dev/null || true
	batch_wait
	expect_status 130
	expect_no_family
}

@test "SIGINT twice ends the run even while a host does not answer" {
	proxied_inventory
	batch_start -h web01 -cmd "$command"
	wait_until begun_at_least 1
	family="$pid $(workers "$pid")"
	touch "$BATS_TEST_TMPDIR/fakehost.proxy.stall"
	kill -INT "$pid"
	sleep 0.5
	kill -INT "$pid" 2>/dev/null || true
	batch_wait
	expect_status 130
	expect_no_family
}

@test "SIGTERM is like SIGINT, exit status 143" {
	start_some
	kill -TERM "$pid"
	batch_wait
	expect_status 143
	expect_cancelled
}

@test "the interrupt key on the terminal reaches control alone" {
	on_terminal -e 'web01: begun' -s '^C' -- \
	    "$batch_run" -known-hosts "$known_hosts" -report "$report" \
	    -color never -h web01,web02 -fanout 1 -cmd "$command"
	expect_status 130
	# Workers that died of it would be told as such.
	expect_report 'length == 2'
	expect_result web01 cancelled '.stage == "command"'
	expect_result web02 cancelled '.stage == "" and .attempts == 0'
	expect_no_match "$out" 'signal 2'
}

@test "a SIGHUP that nohup ignores does not stop the run" {
	(
		trap '' HUP
		"$batch_run" -known-hosts "$known_hosts" -h web01 \
		    -cmd 'echo ready; sleep 2; echo survived' \
		    </dev/null >"$out" 2>"$err" 3>&- &
		pid=$!
		wait_until grep -q ready "$out"
		kill -HUP "$pid"
		wait "$pid"
	)
	grep -q survived "$out"
}

@test "signals come before a host's failure in the exit status" {
	batch_start -h 127.77.9.9:1 -g web -cmd "$command"
	wait_until begun_at_least 4
	kill -INT "$pid"
	batch_wait
	expect_status 130
}

@test "when the reader of stdout is gone the run stops with 141, quietly" {
	local statuses
	timeout -k 5 120 env --default-signal=PIPE "$batch_run" \
	    -known-hosts "$known_hosts" -report "$report" -g web,db -fanout 3 \
	    -cmd 'touch "$HOME/ran"; yes "$LAB_HOST"' \
	    </dev/null 2>"$err" 3>&- | head -n 5 >"$out" &&
	    statuses=("${PIPESTATUS[@]}") || statuses=("${PIPESTATUS[@]}")
	status=${statuses[0]}
	expect_status 141
	[ "$(wc -l <"$out")" -eq 5 ]
	expect_no_match "$err" 'broken pipe|EPIPE'
	[ "$(wc -l <"$err")" -lt 10 ]
	# Not all were begun.
	[ "$(find "$LAB_DIR/home" -name ran | wc -l)" -lt 8 ]
}

@test "a caller that ignores SIGPIPE gets 141 as well" {
	local statuses
	timeout -k 5 120 env --ignore-signal=PIPE "$batch_run" \
	    -known-hosts "$known_hosts" -g web -cmd yes \
	    </dev/null 2>"$err" 3>&- | head -n 5 >"$out" &&
	    statuses=("${PIPESTATUS[@]}") || statuses=("${PIPESTATUS[@]}")
	status=${statuses[0]}
	expect_status 141
}

@test "a stdout on a full disk is an error, not silence" {
	[ -w /dev/full ] || skip "no /dev/full here"
	status=0
	timeout -k 5 120 "$batch_run" -known-hosts "$known_hosts" -g web \
	    -cmd 'echo text' </dev/null >/dev/full 2>"$err" 3>&- || status=$?
	expect_status 5
	expect_match "$err" 'space|stdout|output'
}

@test "after a normal end no process is left" {
	batch_start -g web,db -workers 2 -cmd 'echo begun; sleep 2'
	wait_until begun_at_least 1
	family="$pid $(workers "$pid")"
	batch_wait
	expect_status 0
	expect_no_family
}

@test "SIGTERM ends a run whose reader has stopped reading" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	exec 7<>"$BATS_TEST_TMPDIR/fifo"
	out=$BATS_TEST_TMPDIR/fifo batch_start -g web -cmd yes
	wait_until is_at_rest
	kill -TERM "$pid"
	batch_wait
	exec 7>&-
	expect_status 143
}
