#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# connection: point 3, addresses and names, and servers that cannot be reached
# or do not talk SSH.

load helper

setup_file() {
	local also=(-o 'ListenAddress 127.0.0.1')
	! has_ipv6 || also+=(-o 'ListenAddress ::1')
	lab_up "$BATS_FILE_TMPDIR/lab" -n 4 "${also[@]}"
}

teardown_file() {
	lab_down "$BATS_FILE_TMPDIR/lab"
}

teardown() {
	batch_kill
	fakehosts_down
}

has_ipv6() {
	grep -qs '^00000000000000000000000000000001 ' /proc/net/if_inet6
}

# trust NAME...: these names or addresses are known with the lab's key.
trust() {
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	local name
	for name; do
		echo "$name $(cut -d' ' -f 1,2 \
		    "$LAB_DIR/ssh_host_ed25519_key.pub")"
	done >>"$known_hosts"
}

@test "a host by its IPv4 address" {
	trust 127.0.0.1
	batch -h "$LAB_USER@127.0.0.1:$LAB_PORT" \
	    -identity "$LAB_DIR/id_ed25519" -cmd 'echo "$SSH_CONNECTION"'
	expect_status 0
	expect_match "$out" ': 127\.0\.0\.1 [0-9]+ 127\.0\.0\.1 '
}

@test "a host by its IPv6 address" {
	has_ipv6 || skip "no IPv6 on this machine"
	trust ::1
	batch -h "[::1]:$LAB_PORT" -user "$LAB_USER" \
	    -identity "$LAB_DIR/id_ed25519" -cmd 'echo "$SSH_CONNECTION"'
	expect_status 0
	expect_match "$out" ': ::1 [0-9]+ ::1 '
	expect_report '.[0].address | test("::1")'
}

@test "an IPv6 address in the inventory, known by [address]:port" {
	has_ipv6 || skip "no IPv6 on this machine"
	trust "[::1]:$LAB_PORT"
	write_inventory <<-END
	[web]
	web01 = address=::1 port=$LAB_PORT user=$LAB_USER
	[host web01]
	identity_file = $LAB_DIR/id_ed25519
	END
	batch -h web01 -cmd 'echo "$SSH_CONNECTION"'
	expect_status 0
	expect_match "$out" '^web01: ::1 '
}

@test "a host by its name" {
	trust localhost
	batch -h "$LAB_USER@localhost:$LAB_PORT" \
	    -identity "$LAB_DIR/id_ed25519" -cmd 'echo ran'
	expect_status 0
	expect_match "$out" 'ran$'
}

@test "if a name's first address refuses, the next one is tried" {
	trust many.test
	with_etc hosts="$(printf '%s many.test\n' 127.77.{9.1,9.2,0.3})" -- \
	    "$batch_run" -known-hosts "$known_hosts" -report "$report" \
	    -h "$LAB_USER@many.test:$LAB_PORT" \
	    -identity "$LAB_DIR/id_ed25519" -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_match "$out" ': web03$'
}

@test "if a name's IPv6 address refuses, its IPv4 address is tried" {
	has_ipv6 || skip "no IPv6 on this machine"
	with_etc hosts= -- true # or it is skipped
	trust both.test
	# Nobody listens at this port of ::1.
	lab_up "$BATS_TEST_TMPDIR/v4" -n 1
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	echo "both.test $(cut -d' ' -f 1,2 "$LAB_DIR/ssh_host_ed25519_key.pub")" \
	    >"$known_hosts"
	with_etc hosts=$'::1 both.test\n127.77.0.1 both.test' -- \
	    "$batch_run" -known-hosts "$known_hosts" -report "$report" \
	    -h "$LAB_USER@both.test:$LAB_PORT" \
	    -identity "$LAB_DIR/id_ed25519" -cmd 'echo "$LAB_HOST"'
	lab_down "$BATS_TEST_TMPDIR/v4"
	expect_status 0
	expect_match "$out" ': web01$'
}

@test "if a name's first address never answers, the next one gets its turn" {
	with_etc hosts= -- true # or it is skipped
	fakehost full full
	# The same port at an address that answers.
	lab_up "$BATS_TEST_TMPDIR/lab" -n 1 \
	    -o "ListenAddress 127.77.8.8:$fake_port"
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	echo "slow.test $(cut -d' ' -f 1,2 "$LAB_DIR/ssh_host_ed25519_key.pub")" \
	    >"$known_hosts"
	with_etc hosts=$'127.0.0.1 slow.test\n127.77.8.8 slow.test' -- \
	    "$batch_run" -known-hosts "$known_hosts" -report "$report" \
	    -h "$LAB_USER@slow.test:$fake_port" -connect-timeout 20 \
	    -identity "$LAB_DIR/id_ed25519" -cmd 'echo ran'
	lab_down "$BATS_TEST_TMPDIR/lab"
	expect_status 0
	expect_match "$out" ': ran$'
}

@test "a name with no address is unreachable at dns, and not tried again" {
	# Where there is no name server this takes a while to be known.
	batch -h nosuch.invalid -g web -connect-timeout 60 -cmd 'echo ran'
	expect_status 3
	[ "$(grep -c ': ran$' "$out")" -eq 3 ]
	expect_result nosuch.invalid unreachable \
	    '.stage == "dns" and .attempts == 1'
	expect_match "$err" 'unreachable.*nosuch\.invalid'
}

@test "many names with no address hold nobody up" {
	batch -h 'n[01-40].invalid' -g web -fanout 300 -connect-timeout 5 \
	    -cmd 'echo ran'
	expect_status 3
	[ "$(grep -c ': ran$' "$out")" -eq 3 ]
	expect_report 'map(select(.stage == "dns")) | length == 40'
}

@test "a port that nobody listens at is unreachable at connect" {
	batch -h "127.77.9.9:$LAB_PORT" -g web -cmd 'echo ran'
	expect_status 3
	[ "$(grep -c ': ran$' "$out")" -eq 3 ]
	expect_report 'map(select(.status == "unreachable")) |
	    length == 1 and .[0].stage == "connect" and
	    (.[0].message | test("refused"; "i"))'
}

# expect_unreachable STAGE FAKEHOST-MODE...: what that server gets us.
expect_unreachable() {
	local stage=$1
	shift
	fakehost bad "$@"
	batch -h "127.0.0.1:$fake_port" -g web -cmd 'echo ran' \
	    -connect-timeout 20
	expect_status 3
	[ "$(grep -c ': ran$' "$out")" -eq 3 ]
	expect_report 'map(select(.status == "unreachable")) |
	    length == 1 and .[0].stage == "'"$stage"'"'
}

@test "a server that closes at once is unreachable, not lost" {
	fakehost bad say ''
	batch -h "127.0.0.1:$fake_port" -cmd 'echo ran'
	expect_status 3
	expect_report '.[0].status == "unreachable"'
}

@test "a server that says it is overloaded is unreachable: throttled" {
	expect_unreachable throttled say 'Exceeded MaxStartups\r\n'
}

@test "OpenSSH 9.8's penalty is told as throttled too" {
	expect_unreachable throttled say 'Not allowed at this time\r\n'
}

@test "a server that does not talk SSH is unreachable: protocol" {
	expect_unreachable protocol say \
	    'HTTP/1.0 400 Bad Request\r\nServer: nginx\r\n\r\n'
}

@test "a server of SSH protocol 1 is unreachable: protocol" {
	expect_unreachable protocol say-hold 'SSH-1.5-old\r\n'
}

@test "garbage after the banner is unreachable, nothing crashes" {
	fakehost bad say \
	    'SSH-2.0-bad\r\n\u007f\u007f\u007f\u007f\u0001\u0002\u0003garbage garbage'
	batch -h "127.0.0.1:$fake_port" -g web -cmd 'echo ran'
	expect_status 3
	[ "$(grep -c ': ran$' "$out")" -eq 3 ]
	expect_report 'map(select(.status == "unreachable")) | length == 1'
}

@test "lines before the banner are allowed" {
	# Through a proxy that says something first.
	fakehost chatty proxy-after 'Welcome, be patient\r\n' 127.77.0.1 \
	    "$LAB_PORT"
	trust 127.0.0.1
	batch -h "$LAB_USER@127.0.0.1:$fake_port" \
	    -identity "$LAB_DIR/id_ed25519" -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_match "$out" ': web01$'
}

# expect_damage_noticed BIT STEP: this bit is wrong, on each connection so many
# bytes further on.
expect_damage_noticed() {
	fakehost bad damage "$1" "$2" 127.77.0.1 "$LAB_PORT"
	write_inventory <<-END
	[bad]
	d[001-200] = address=127.0.0.1 port=$fake_port user=$LAB_USER
	END
	trust 127.0.0.1
	batch -i "$BATS_TEST_TMPDIR/inventory.ini" -g bad -fanout 16 \
	    -identity "$LAB_DIR/id_ed25519" -retries 0 -connect-timeout 3s \
	    -timeout 3s -auth-fail-limit 0 -cmd 'seq 100'
	expect_report 'length == 200'
	expect_report 'all(.[];
	    .status | IN("ok", "unreachable", "lost", "timeout"))'
	# The exit status may come before the rest of the output, and is told so.
	expect_report 'all(.[] | select(.status == "ok");
	    .stdout_bytes == 292 or (.message | startswith("connection lost")))'
	expect_no_match "$err" 'killed'
}

@test "a wrong bit anywhere costs the connection, and nothing is believed" {
	expect_damage_noticed 16 20
	expect_report 'any(.status == "ok")'
	expect_report 'map(select(.status == "unreachable" and
	    .stage == "auth" and (.message | test("MAC")))) | length > 0'
	expect_report 'map(select(.status == "lost" and
	    (.message | test("MAC")))) | length > 0'
}

@test "a length that libssh2 can't take costs the connection, not the worker" {
	# The lowest bit of a length: no multiple of the cipher's block.
	expect_damage_noticed 1 20
	expect_report 'any(.status == "ok")'
}

@test "a wrong bit around the host's signature costs no worker" {
	# The name and its length are 15 bytes; libssh2 looks at neither.
	expect_damage_noticed 16 7
	expect_report 'any(.status == "unreachable")'
}

# kexinit NAME: a banner and a proposal, RFC 4253 section 7.1, whose key exchange
# is of that name, in the escapes of fakehost.py.
kexinit() {
	"$python" - "$1" <<-'END'
	import struct, sys
	names = (sys.argv[1:] + ["ssh-ed25519"] + 2 * ["aes128-ctr"] +
	         2 * ["hmac-sha2-256"] + 2 * ["none"] + 2 * [""])
	payload = bytes([20]) + bytes(16) + b"".join(
	    struct.pack(">I", len(name)) + name.encode() for name in names)
	payload += bytes(5)
	padding = 8 - (5 + len(payload)) % 8 + 8
	packet = struct.pack(">IB", 1 + len(payload) + padding, padding)
	for byte in b"SSH-2.0-bad\r\n" + packet + payload + bytes(padding):
	    print("\\u%04x" % byte, end="")
	END
}

@test "a server that offers what only clients do costs its connection, not the worker" {
	local name
	for name in ext-info-c kex-strict-c-v00@openssh.com; do
		fakehost "$name" say-hold "$(kexinit "$name")"
		batch -h "127.0.0.1:$fake_port" -retries 0 -cmd true
		expect_status 3
		expect_report 'all(.status == "unreachable")'
		expect_no_match "$err" 'killed'
	done
}

@test "a server's words cannot drive the terminal" {
	fakehost bad say '\u001b]0;title\u0007\u001b[2J\r\n'
	on_terminal -- "$batch_run" -known-hosts "$known_hosts" \
	    -color never -h "127.0.0.1:$fake_port" -cmd true
	expect_status 3
	expect_no_bytes "$out" $'\033' $'\007'
}

is_kept_alive() {
	ss -tno dst "127.77.0.1:$LAB_PORT" | grep -q keepalive
}

@test "connections are kept alive by TCP" {
	command -v ss >/dev/null || skip "ss is missing"
	batch_start -h web01 -cmd 'echo up; sleep 60'
	wait_until grep -q up "$out"
	# Not while the last packet waits for its acknowledgement.
	wait_until is_kept_alive
	kill "$pid"
	batch_wait
}
