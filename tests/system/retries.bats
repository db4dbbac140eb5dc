#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# retries: what did not start is tried again, what may have started never is.

load helper

with_lab -n 4

setup() {
	rm -f "$LAB_DIR"/home/*/ran
}

teardown() {
	batch_kill
	fakehosts_down
}

# behind NAME... : inventory hosts at the fake host; the lab's others too.
behind() {
	local name
	cp "$BATCH_INVENTORY" "$BATS_TEST_TMPDIR/inventory.ini"
	BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
	for name; do
		cat <<-END
		[at_$name]
		$name = address=127.0.0.1 port=$fake_port user=$LAB_USER
		[host $name]
		identity_file = $LAB_DIR/id_ed25519
		END
	done >>"$BATCH_INVENTORY"
	cat "$LAB_KNOWN_HOSTS" >"$BATS_TEST_TMPDIR/known_hosts"
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	echo "127.0.0.1 $(cut -d' ' -f 1,2 "$LAB_DIR/ssh_host_ed25519_key.pub")" \
	    >>"$known_hosts"
}

connections() {
	wc -l <"$fake_log"
}

@test "a host that comes back is tried again, and runs its command once" {
	fakehost flaky first 2 '' 127.77.0.1 "$LAB_PORT"
	behind flaky
	batch -h flaky -retries 3 -retry-delay 50ms \
	    -cmd 'echo "$LAB_HOST" >>"$HOME/ran"; echo done'
	expect_status 0
	expect_output 'flaky: done'
	expect_result flaky ok '.attempts == 3'
	[ "$(connections)" -eq 3 ]
	[ "$(wc -l <"$(host_file web01 ran)")" -eq 1 ]
}

@test "without -retries there are none" {
	fakehost flaky first 1 '' 127.77.0.1 "$LAB_PORT"
	behind flaky
	batch -h flaky -cmd true
	expect_status 3
	expect_result flaky unreachable '.attempts == 1'
	[ "$(connections)" -eq 1 ]
}

@test "retries run out" {
	fakehost bad say ''
	batch -h "127.0.0.1:$fake_port" -retries 2 -retry-delay 20ms -cmd true
	expect_status 3
	expect_report 'length == 1 and .[0].status == "unreachable" and
	    .[0].attempts == 3'
	[ "$(connections)" -eq 3 ]
}

@test "a login that takes too long is tried again" {
	fakehost bad silent
	batch -h "127.0.0.1:$fake_port" -retries 1 -retry-delay 20ms \
	    -connect-timeout 500ms -cmd true
	expect_status 3
	expect_report '.[0].status == "timeout" and .[0].stage == "banner" and
	    .[0].attempts == 2'
}

@test "an overloaded server is tried again, but once" {
	fakehost bad say 'Exceeded MaxStartups\r\n'
	batch -h "127.0.0.1:$fake_port" -retries 9 -retry-delay 20ms -cmd true
	expect_status 3
	expect_report '.[0].stage == "throttled" and .[0].attempts == 2 and
	    .[0].cost_ms >= 600 and
	    .[0].retry_ms >= 500 and .[0].retry_ms <= .[0].cost_ms'
}

@test "a name that does not exist is not tried again" {
	with_etc nsswitch.conf='hosts: files' -- \
	    "$batch_run" -known-hosts "$known_hosts" -report "$report" \
	    -h nosuch.invalid -retries 3 -retry-delay 20ms -cmd true
	expect_status 3
	expect_result nosuch.invalid unreachable \
	    '.stage == "dns" and .attempts == 1'
	expect_match "$err" 'no such host name'
}

@test "a name server that does not answer is asked again" {
	# Nobody listens there.
	with_etc nsswitch.conf='hosts: dns' \
	    resolv.conf=$'nameserver 127.77.9.9\noptions timeout:1 attempts:1' -- \
	    "$batch_run" -known-hosts "$known_hosts" -report "$report" \
	    -h some.invalid -retries 2 -retry-delay 20ms -connect-timeout 20 \
	    -cmd true
	expect_status 3
	expect_result some.invalid unreachable \
	    '.stage == "dns" and .attempts == 3'
}

@test "what is no SSH server is not tried again" {
	fakehost bad say 'HTTP/1.0 400 Bad Request\r\n\r\n'
	batch -h "127.0.0.1:$fake_port" -retries 3 -retry-delay 20ms -cmd true
	expect_status 3
	expect_report '.[0].stage == "protocol" and .[0].attempts == 1'
}

@test "what was denied is not tried again" {
	: >"$BATS_TEST_TMPDIR/empty"
	batch_bare -known-hosts "$BATS_TEST_TMPDIR/empty" -report "$report" \
	    -h web01 -retries 3 -retry-delay 20ms -cmd true
	expect_status 4
	expect_result web01 denied '.stage == "hostkey" and .attempts == 1'
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/wrong"
	batch -h web01 -k "$BATS_TEST_TMPDIR/wrong" -retries 3 \
	    -retry-delay 20ms -cmd true
	expect_status 4
	expect_result web01 denied '.stage == "auth" and .attempts == 1'
}

@test "a command that failed is not sent again" {
	batch -h web01 -retries 3 -retry-delay 20ms \
	    -cmd 'echo x >>"$HOME/ran"; exit 7'
	expect_status 1
	expect_result web01 failed '.attempts == 1'
	[ "$(wc -l <"$(host_file web01 ran)")" -eq 1 ]
}

@test "a command whose connection broke is not sent again" {
	fakehost flaky proxy 127.77.0.1 "$LAB_PORT"
	behind flaky
	batch_start -h flaky -retries 3 -retry-delay 20ms \
	    -cmd 'echo x >>"$HOME/ran"; sleep 60'
	wait_until test -s "$(host_file web01 ran)"
	touch "$BATS_TEST_TMPDIR/fakehost.flaky.cut"
	batch_wait
	expect_status 3
	expect_result flaky lost '.attempts == 1'
	[ "$(wc -l <"$(host_file web01 ran)")" -eq 1 ]
}

@test "a command that ran into its timeout is not sent again" {
	batch -h web01 -retries 3 -retry-delay 20ms -timeout 300ms \
	    -cmd 'echo x >>"$HOME/ran"; sleep 60'
	expect_status 3
	expect_result web01 timeout '.stage == "command" and .attempts == 1'
	[ "$(wc -l <"$(host_file web01 ran)")" -eq 1 ]
}

@test "who waits for a retry leaves its place to others" {
	fakehost flaky first 1 'Exceeded MaxStartups\r\n' 127.77.0.1 "$LAB_PORT"
	behind flaky
	batch -h flaky,web02,web03 -fanout 1 -retries 1 -retry-delay 50ms \
	    -cmd true
	expect_status 0
	expect_report 'map(.host) == ["web02", "web03", "flaky"] and
	    map(.attempts) == [1, 1, 2]'
}

@test "Ctrl-C ends the wait for a retry: what it waited after is the result" {
	fakehost bad say 'Exceeded MaxStartups\r\n'
	batch_start -h "127.0.0.1:$fake_port" -retries 3 -retry-delay 60 \
	    -cmd true
	wait_until test -s "$fake_log"
	sleep 0.5
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_report 'length == 1 and .[0].status == "unreachable" and
	    .[0].stage == "throttled" and .[0].attempts == 1 and
	    (.[0].message | test("MaxStartups"))'
}

@test "a worker that dies while its host waits for a retry is replaced" {
	fakehost flaky first 1 'Exceeded MaxStartups\r\n' 127.77.0.1 "$LAB_PORT"
	behind flaky
	batch_start -h flaky -workers 1 -retries 1 -retry-delay 50ms \
	    -cmd 'echo done'
	wait_until test -s "$fake_log"
	sleep 0.5
	kill -KILL "$(workers "$pid")"
	batch_wait
	expect_status 0
	expect_output 'flaky: done'
	expect_result flaky ok '.attempts == 2'
}

# --- with a worker that says what it is told to (fakeworker.py) ---------------

# fake_scp SCRIPT-LINE...: batch_scp with such a worker.
fake_scp() {
	fakeworker_up batch_scp
	printf '%s\n' "$@" >"$fake/script"
	printf 12345 >"$BATS_TEST_TMPDIR/five"
	write_inventory <<-'END'
	[web]
	web01 =
	END
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	batch -h web01 -host-key accept-new -action put \
	    -local "$BATS_TEST_TMPDIR/five" -remote /tmp/ -retries 5 \
	    -retry-delay 10ms -workers 1
}

@test "a transfer that did not begin is tried again" {
	fake_scp '@#1 result unreachable connect 0 0 0  refused' \
	    '@#2 authenticated' \
	    '@#2 result unreachable channel 0 0 0  no channel' \
	    '@#3 authenticated' '@#3 result ok none 5 1 0'
	expect_status 0
	expect_result web01 ok '.attempts == 3'
}

@test "a transfer that may have begun is not" {
	fake_scp 'authenticated' 'progress 1 5' \
	    'result unreachable channel 0 0 0  no channel'
	expect_status 3
	expect_result web01 unreachable '.attempts == 1'
	fake_scp 'authenticated' 'output put five' \
	    'result timeout channel 0 0 0  too slow'
	expect_result web01 timeout '.attempts == 1'
	fake_scp 'authenticated' 'result timeout channel 3 0 0  too slow'
	expect_result web01 timeout '.attempts == 1'
}

@test "nor what ended before its login, if it had logged in" {
	fake_scp 'authenticated' 'result timeout auth 0 0 0  too slow'
	expect_status 3
	expect_result web01 timeout '.attempts == 1'
}

@test "nor what another attempt can't change" {
	fake_scp 'final' 'result unreachable dns 0 0 0  no such host name'
	expect_result web01 unreachable '.attempts == 1'
}

@test "a login that is told twice ends the worker" {
	fake_scp 'authenticated' 'authenticated' 'result ok none 5 1 0'
	expect_status 3
	expect_result web01 lost
	expect_match "$err" 'malformed frame'
}
