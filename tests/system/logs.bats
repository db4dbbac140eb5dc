#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# logs: what -v, -vv, -debug and -log tell of a run, and what they don't.

load helper

with_lab -n 4

setup() {
	log=$BATS_TEST_TMPDIR/log
}

teardown() {
	fakehosts_down
}

# expect_order FILE REGEX...: lines that match, one after the other.
expect_order() {
	local file=$1 from=1 regex line
	shift
	for regex in "$@"; do
		line=$(tail -n "+$from" "$file" | grep -nEe "$regex" |
		    head -n 1 | cut -d : -f 1)
		[ -n "$line" ] || {
			echo "nothing from line $from on matches: $regex"
			dump
			return 1
		}
		from=$((from + line))
	done
}

@test "without -v nothing is told, with it each host's begin and end" {
	batch -g web -x web02 -cmd 'test $LAB_HOST != web01'
	expect_status 1
	expect_no_match "$err" ' (begin|end): '
	batch -v -g web -x web02 -cmd 'test $LAB_HOST != web01; echo out'
	expect_order "$err" "^web01 begin: 127.* port $LAB_PORT as $LAB_USER\$" \
	    '^web01 end: ok \('
	batch -v -h web01 -cmd 'exit 3'
	expect_order "$err" '^web01 end: failed, exit 3 \('
	expect_no_match "$err" '^web01 (auth|hostkey|command): '
}

@test "-v tells why a host is tried again, and that it is" {
	batch -v -h 127.0.0.1:1 -retries 1 -retry-delay 0.01 -cmd true
	expect_order "$err" '^127.0.0.1:1 begin: .* as [^,]*$' \
	    '^127.0.0.1:1 retry: unreachable connect, .*; attempt 2 follows$' \
	    '^127.0.0.1:1 begin: .*, attempt 2$' \
	    '^127.0.0.1:1 end: unreachable connect, '
}

@test "-vv tells each stage, the host's key, and the key of the login" {
	local key
	batch -vv -h web01 -cmd true
	expect_status 0
	expect_order "$err" '^web01 begin: ' \
	    '^web01 connect: connected to 127.* \([0-9]+ ms\)$' \
	    '^web01 hostkey: [A-Z0-9a-z ]+ key SHA256:[^ ]+ accepted$' \
	    "^web01 auth: .* takes the key $LAB_DIR/id_ed25519; signing\$" \
	    "^web01 auth: logged in as $LAB_USER by publickey with $LAB_DIR/" \
	    '^web01 command: sent \([0-9]+ ms\)$' '^web01 end: ok'
	expect_no_match "$err" ' frame: '
	key=$(sed -n 's/^web01 hostkey: .* \(SHA256:[^ ]*\) .*/\1/p' "$err")
	cat "$LAB_DIR"/ssh_host_*_key.pub | ssh-keygen -lf - | grep -qF "$key"
	# -v twice is the same.
	batch -v -v -h web01 -cmd true
	expect_order "$err" '^web01 hostkey: '
}

@test "-vv tells of each key that the server does not take" {
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/stranger"
	batch -vv -h web01 -k "$BATS_TEST_TMPDIR/stranger" -cmd true
	expect_status 4
	expect_order "$err" "^web01 hostkey: " \
	    "^web01 auth: the server refuses the key $BATS_TEST_TMPDIR/stranger \\(ssh-ed25519\\)\$" \
	    '^web01 end: denied auth, .*the server takes '
	ssh-keygen -q -t rsa -b 2048 -N '' -f "$BATS_TEST_TMPDIR/rsa"
	batch -vv -h web01 -k "$BATS_TEST_TMPDIR/rsa" -cmd true
	expect_order "$err" 'refuses the key .*/rsa \(rsa-sha2-512\)$' \
	    'refuses the key .*/rsa \(rsa-sha2-256\)$' '^web01 end: denied'
	batch -v -h web01 -k "$BATS_TEST_TMPDIR/stranger" -cmd true
	expect_no_match "$err" '^web01 auth'
}

@test "-vv tells why a host's key is refused" {
	known_hosts=/dev/null
	batch -vv -h web01 -cmd true
	expect_status 4
	expect_order "$err" '^web01 hostkey: .* refused: ' \
	    '^web01 end: denied hostkey, '
}

@test "-debug tells of workers, frames and the scheduler" {
	batch -debug -g web -batch 1,100% -cmd true
	expect_status 0
	expect_order "$err" '^scheduler wave: wave 1: 1 ' \
	    '^worker 0 start: process [0-9]+$' '^web01 scheduler: given to ' \
	    '^worker [0-9]+ frame: HOSTKEY from it, job 0, [0-9]+ bytes$' \
	    '^scheduler wave: wave 2: ' '^worker 0 end: process '
}

@test "batch_scp tells the same of a transfer" {
	batch_run=$top_builddir/src/batch_scp
	echo content >file
	batch -vv -h web01 -action put -local file -remote there
	expect_status 0
	expect_order "$err" '^web01 auth: logged in' '^web01 transfer: sent ' \
	    '^web01 end: ok'
	rm file
}

@test "-log takes the events, with times, and stderr is as without" {
	batch -log "$log" -h web01 -cmd 'echo x >&2'
	expect_status 0
	expect_no_match "$err" ' (begin|end): '
	expect_line "$err" 'web01: x'
	expect_order "$log" \
	    '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z web01 begin: ' \
	    '^[^ ]+ web01 end: ok'
	expect_no_match "$log" 'web01: x'
	# It is appended to; -vv goes there, too.
	batch -log "$log" -vv -h web02 -cmd true
	expect_order "$log" ' web01 begin: ' ' web02 hostkey: '
}

@test "a log tells where each run begins and ends, and how" {
	batch -log "$log" -h web01,web02 -cmd 'test $LAB_HOST = web01'
	expect_status 1
	batch -log "$log" -h web03 -cmd true
	expect_order "$log" 'Z batch_run begin: process [0-9]+, hosts: 2$' \
	    ' web02 end: ' 'Z batch_run end: process [0-9]+, exit status 1$' \
	    'Z batch_run begin: process [0-9]+, hosts: 1$' ' web03 end: ' \
	    'Z batch_run end: process [0-9]+, exit status 0$'
	[ "$(sed -nE 's/.* begin: process ([0-9]+), .*/\1/p' "$log")" = \
	    "$(sed -nE 's/.* end: process ([0-9]+), .*/\1/p' "$log")" ]
	batch -v -h web01 -cmd true
	expect_no_match "$err" '^batch_run (begin|end)'
}

@test "warnings and errors are in the log, too" {
	echo 'web01 nonsense' >"$BATS_TEST_TMPDIR/kh"
	known_hosts=$BATS_TEST_TMPDIR/kh
	batch -log "$log" -h web01 -cmd true
	expect_match "$err" 'batch_run: warning: '
	expect_match "$log" 'Z batch_run: warning: '
}

@test "a log that can't be opened stops the run before any host" {
	batch -log "$BATS_TEST_TMPDIR/no/log" -h web01 -cmd true
	expect_status 2
	expect_match "$err" 'no/log: No such file'
}

@test "a log that can't be written any more is told of once, the run goes on" {
	[ -e /dev/full ] || skip "/dev/full is missing"
	batch -log /dev/full -vv -g web -cmd true
	expect_status 0
	[ "$(grep -c '^batch_run: /dev/full: No space left on device; the log ends here$' "$err")" -eq 1 ]
}

@test "a log where the report goes is refused, and the report left as it was" {
	echo before >"$BATS_TEST_TMPDIR/both"
	batch_bare -log "$BATS_TEST_TMPDIR/both" \
	    -report "$BATS_TEST_TMPDIR/both" -h web01 -cmd true
	expect_status 2
	expect_match "$err" '^batch_run: options -report and -log: both would write .*/both; '
	expect_match "$BATS_TEST_TMPDIR/both" '^before$'
}

@test "messages are escaped, on stderr and in the log" {
	local bad=$BATS_TEST_TMPDIR/$'no\033]0;evil\007'
	batch_bare -config "$bad" -h web01 -cmd true
	expect_status 2
	expect_match "$err" 'no\\x1b]0;evil\\x07: No such file'
	expect_no_bytes "$err" $'\033' $'\007'
	batch -log "$log" -h web01 -script "$bad"
	expect_status 2
	expect_match "$log" 'no\\x1b]0;evil\\x07: No such file'
	expect_no_bytes "$log" $'\033' $'\007'
}

@test "no secret and no command is in a log" {
	export BATCH_TEST_SECRET=s3cretpass
	write_inventory <<-END
	[web]
	web01 = address=127.77.0.1 port=$LAB_PORT user=$LAB_USER
	[host web01]
	password_env = BATCH_TEST_SECRET
	identity_file = $LAB_DIR/id_ed25519
	END
	batch -debug -h web01 -env T=t0psecret -cmd 'echo c0mmand >/dev/null'
	expect_status 0
	expect_order "$err" '^web01 auth: logged in'
	expect_no_bytes "$err" s3cretpass t0psecret c0mmand
}

@test "what a server says is escaped in a log" {
	fakehost evil say "$(printf 'HTTP \033]0;evil\007')\r\n"
	write_inventory <<-END
	[web]
	web01 = address=127.0.0.1 port=$fake_port user=me
	END
	batch -vv -h web01 -cmd true
	expect_status 3
	expect_order "$err" '^web01 end: unreachable '
	expect_no_bytes "$err" $'\033' $'\007'
}

@test "on one terminal, no line of a host is torn by a line of the log" {
	local line='printf %3000s | tr " " x; echo; printf %3000s | tr " " y'
	on_terminal -- "$batch_run" -known-hosts "$known_hosts" -debug \
	    -g web,db -color never -cmd "$line; echo; $line"
	expect_status 0
	tr -d '\r' <"$out" >"$out.plain"
	[ "$(grep -cE '^[a-z0-9]+: (x{3000}|y{3000})$' "$out.plain")" -eq 16 ]
	[ "$(grep -cE 'xxx|yyy' "$out.plain")" -eq 16 ]
}
