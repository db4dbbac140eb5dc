#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# workers: point 9, first half. A worker that dies costs the hosts that it had
# started, and no other; nothing runs twice. And what a worker may know, and
# which functions come in between libssh2 and libcrypto.

load helper

with_lab -n 16

setup() {
	go=$LAB_DIR/go
	rm -f "$go" "$LAB_DIR"/home/*/ran
	# Each host notes each run, then waits for the word.
	command='echo "$LAB_HOST" >>"$HOME/ran"
	    until [ -e "$HOME/../../go" ]; do sleep 0.1; done
	    echo done'
}

teardown() {
	batch_kill
	fakehosts_down
	touch "$go"
}

ran_count() {
	cat "$LAB_DIR"/home/*/ran 2>/dev/null | wc -l
}

ran_at_least() {
	[ "$(ran_count)" -ge "$1" ]
}

has_workers() {
	[ "$(workers "$pid" | wc -l)" -ge "$1" ]
}

# What holds after any death: 16 results, one a host, each command run once.
expect_each_host_once() {
	expect_report 'length == 16 and (map(.host) | unique | length) == 16'
	expect_report 'all(.status == "ok" or .status == "lost")'
	[ "$(ran_count)" -eq 16 ]
	[ "$(cat "$LAB_DIR"/home/*/ran | sort -u | wc -l)" -eq 16 ]
	# What is ok printed its line.
	[ "$(jq -s 'map(select(.status == "ok")) | length' "$report")" -eq \
	    "$(grep -c ': done$' "$out")" ]
}

@test "a worker killed in mid-run: each host has one result, no command runs twice" {
	batch_start -g web,db -fanout 6 -workers 2 -cmd "$command"
	wait_until ran_at_least 6
	has_workers 2
	kill -KILL "$(workers "$pid" | head -n 1)"
	# The hosts of its successor start while the others still wait.
	wait_until ran_at_least 9
	touch "$go"
	batch_wait
	expect_status 3
	expect_each_host_once
	expect_report 'map(select(.status == "lost")) | length == 3 and
	    all(.message | test("signal 9|SIGKILL|killed"; "i"))'
	expect_match "$err" '13 ok' '3 lost'
}

@test "the only worker killed: a new one takes over" {
	batch_start -g web,db -fanout 4 -workers 1 -cmd "$command"
	wait_until ran_at_least 4
	kill -KILL "$(workers "$pid")"
	wait_until ran_at_least 8
	touch "$go"
	batch_wait
	expect_status 3
	expect_each_host_once
	expect_report 'map(select(.status == "lost")) | length == 4'
}

@test "one worker after the other killed: the run still ends with all results" {
	batch_start -g web,db -fanout 4 -workers 2 -cmd "$command"
	local n victim
	for n in 4 6 8 10; do
		wait_until ran_at_least "$n"
		victim=$(workers "$pid" | head -n 1)
		kill -KILL "$victim"
		wait_until not alive "$victim"
	done
	touch "$go"
	batch_wait
	expect_status 3
	expect_each_host_once
}

@test "a host that was still connecting when its worker died is tried again" {
	fakehost silent silent
	batch_start -h "127.0.0.1:$fake_port" -workers 1 -connect-timeout 5 \
	    -cmd true
	wait_until test -s "$fake_log"
	kill -KILL "$(workers "$pid")"
	batch_wait
	expect_status 3
	# Not lost: its command cannot have started.
	expect_report 'length == 1 and .[0].status == "timeout"'
	[ "$(wc -l <"$fake_log")" -ge 2 ]
}

@test "a worker that stops dead of a crash signal is told as such" {
	batch_start -h web01 -workers 1 -cmd "$command"
	wait_until ran_at_least 1
	kill -SEGV "$(workers "$pid")"
	batch_wait
	expect_status 3
	expect_result web01 lost
}

@test "a worker that hangs is killed, its hosts are lost" {
	batch_start -h web01 -cmd "$command"
	wait_until ran_at_least 1
	kill -STOP "$(workers "$pid")"
	# Half a minute of silence.
	wait_until grep -q 'hangs' "$err" || wait_until grep -q 'hangs' "$err"
	batch_wait
	expect_status 3
	expect_result web01 lost
}

@test "killed workers leave no process behind" {
	batch_start -g web,db -fanout 4 -workers 2 -cmd "$command"
	wait_until ran_at_least 4
	local all victim
	all=$(workers "$pid")
	victim=$(workers "$pid" | head -n 1)
	kill -KILL "$victim"
	wait_until ran_at_least 6
	all="$all $(workers "$pid")"
	touch "$go"
	batch_wait
	local p
	for p in $all; do
		wait_until not alive "$p"
	done
}

@test "when control is killed its workers end" {
	batch_start -g web,db -fanout 4 -workers 2 -cmd "$command"
	wait_until ran_at_least 4
	local all p
	all=$(workers "$pid")
	[ -n "$all" ]
	kill -KILL "$pid"
	for p in $all; do
		wait_until not alive "$p"
	done
}

@test "there are never more workers than hosts" {
	batch_start -h web01,web02 -workers 8 -cmd "$command"
	wait_until ran_at_least 2
	[ "$(workers "$pid" | wc -l)" -le 2 ]
	touch "$go"
	batch_wait
	expect_status 0
}

# The functions that the worker has in the place of libcrypto's.
interposed() {
	sed -n 's/^\t\([A-Za-z0-9_]*\);$/\1/p' \
	    "$top_srcdir/src/worker/interpose.map"
}

@test "libssh2 calls the worker's functions in the place of libcrypto's" {
	local worker=$top_builddir/src/batch_worker
	cd "$BATS_TEST_TMPDIR"
	# glibc's dynamic linker tells; the worker ends at once, with 2.
	LD_BIND_NOW=1 LD_DEBUG=bindings "$worker" 2>trace || [ $? -eq 2 ]
	grep ' file [^ ]*/libssh2' trace >calls ||
	    skip "needs glibc, and libssh2 as a shared library"
	grep -Fw "$(interposed)" calls >ours
	grep -Fw EVP_Cipher ours # which each version calls
	not grep -v " to $worker " ours
}

@test "what is linked with another libcrypto does not find the worker's functions" {
	command -v nm >/dev/null || skip "nm is missing"
	local name
	nm -D "$top_builddir/src/batch_worker" >"$BATS_TEST_TMPDIR/symbols"
	for name in $(interposed); do
		grep " T $name@@OPENSSL_" "$BATS_TEST_TMPDIR/symbols"
	done
}
