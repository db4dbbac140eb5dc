#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# rolling: which hosts start when, and which do not start at all: waves,
# -max-fail, the order, the pace, refused logins.

load helper

with_lab -n 16 -o 'MaxAuthTries 20'

setup() {
	events=$LAB_DIR/events
	: >"$events"
	command='echo "start $LAB_HOST" >>"$HOME/../../events"
	    sleep 0.2
	    echo "end $LAB_HOST" >>"$HOME/../../events"'
}

teardown() {
	batch_kill
	fakehosts_down
}

# expect_span MS: the last host was begun so long after the first, at least.
expect_span() {
	expect_report 'map(.started_at | (.[:19] + "Z" | fromdate) * 1000 +
	    (.[20:23] | tonumber)) | max - min >= '"$1"
}

# expect_waves SIZE...: so many hosts ran at a time, and no host began before
# the wave before its own had ended.
expect_waves() {
	awk -v sizes="$*" '
	    BEGIN { count = split(sizes, size, " "); wave = 1 }
	    $1 == "start" && ended == size[wave] {
		started = ended = 0; wave++
	    }
	    $1 == "start" && ++started > size[wave] { exit failed = 1 }
	    $1 == "end" { ended++ }
	    END { exit failed || wave != count || ended != size[wave] }' \
	    "$events" || {
		echo "expected waves of $*"
		cat "$events"
		dump
		return 1
	}
}

@test "a canary, then waves; each ends before the next one starts" {
	batch -g web,db -batch 1,25%,50% -cmd "$command"
	expect_status 0
	expect_waves 1 4 8 3
	expect_report '.[0].host == "web01" and length == 16'
}

@test "a failed canary spares the others" {
	batch -g web,db -batch 1,100% -max-fail 0 -cmd 'exit 3'
	expect_status 3
	expect_result web01 failed
	expect_report 'map(select(.status == "skipped")) | length == 15 and
	    all(.attempts == 0 and
		.message == "not started: 1 host had failed (-max-fail 0)")'
	expect_match "$err" '^16 hosts: 1 failed, 15 skipped' \
	    '^skipped, not started: 1 host had failed \(-max-fail 0\) \(15\): '
}

@test "-max-fail lets those in flight finish" {
	batch -g web,db -f 4 -workers 1 -max-fail 2 \
	    -cmd "$command"'
	    case $LAB_HOST in web01|web02|web03) exit 1; esac'
	expect_status 3
	expect_report 'map(select(.status == "failed")) | length == 3'
	expect_report 'map(select(.status == "skipped")) | length > 8'
	[ "$(grep -c start "$events")" -eq "$(grep -c end "$events")" ]
	[ "$(grep -c start "$events")" -eq \
	    "$(jq -s 'map(select(.status != "skipped")) | length' "$report")" ]
}

@test "-max-fail of percents: so many may fail" {
	batch -g web,db -f 1 -max-fail 12% -cmd 'exit 1'
	expect_status 3
	# 1.92 of 16
	expect_report 'map(select(.status == "failed")) | length == 2'
	batch -g web,db -f 1 -max-fail 100% -cmd 'exit 1'
	expect_status 1
	expect_report 'map(select(.status == "failed")) | length == 16'
}

@test "-pause is between waves" {
	batch -h web01,web02 -batch 1 -pause 700ms -cmd true
	expect_status 0
	expect_span 650
	batch -h web01 -batch 1 -pause 60 -cmd true
	expect_report '.[0].cost_ms < 30000'
}

@test "-pause does not hold up a signal" {
	batch_start -h web01,web02 -batch 1 -pause 60 -cmd true
	wait_until test -s "$report"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_result web02 cancelled
}

# confirm [-e REGEX -s TEXT]... : four hosts in waves, on a terminal.
confirm() {
	on_terminal "$@" -- "$batch_run" -known-hosts "$known_hosts" \
	    -report "$report" -color never -h 'web[01-04]' -batch 1,2 \
	    -confirm -cmd 'echo "on $LAB_HOST"'
}

@test "-confirm asks before each wave but the first" {
	confirm -e '1 of 4 hosts done, 0 failed. Go on with the next 2' -s yes \
	    -e '3 of 4 hosts done, 0 failed. Go on with the next 1' -s Y
	expect_status 0
	expect_match "$out" 'on web04' '4 hosts: 4 ok'
	[ "$(grep -c 'Go on' "$out")" -eq 2 ]
}

@test "-confirm: no ends the run, the rest is skipped" {
	confirm -e 'next 2' -s maybe -e 'next 2' -s no
	expect_status 3
	[ "$(grep -c 'Go on' "$out")" -eq 2 ]
	expect_result web01 ok
	expect_report 'map(select(.status == "skipped")) | length == 3 and
	    all(.message == "not confirmed")'
}

@test "-confirm: Ctrl-C at the question ends the run" {
	confirm -e 'next 2' -s '^C'
	expect_status 130
	expect_report 'map(select(.status == "cancelled")) | length == 3'
	expect_match "$out" '^4 hosts: 1 ok, 3 cancelled'
}

@test "-confirm needs a terminal, and both of them -batch" {
	status=0
	setsid --wait "$batch_run" -known-hosts "$known_hosts" -h web01,web02 \
	    -batch 1 -confirm -cmd true </dev/null >"$out" 2>"$err" 3>&- ||
	    status=$?
	expect_status 2
	expect_match "$err" 'confirm: there is no terminal'
	batch -h web01 -pause 1 -cmd true
	expect_status 2
	expect_match "$err" 'option -pause goes with -batch'
	batch -h web01 -confirm -cmd true
	expect_status 2
	expect_match "$err" 'option -confirm goes with -batch'
}

@test "bad sizes are told" {
	batch -h web01 -batch 1,x -cmd true
	expect_status 2
	expect_match "$err" \
	    'option -batch: "x" is neither a number of hosts nor a percentage'
	batch -h web01 -max-fail 200% -cmd true
	expect_status 2
	expect_match "$err" 'option -max-fail: "200%" is too much'
}

@test "-shuffle has an order of its own, -seed the same one again" {
	local order="$BATS_TEST_TMPDIR/order" seed
	batch -g web,db -f 1 -shuffle -cmd true
	expect_status 0
	jq -r .host "$report" >"$order"
	[ "$(sort -u "$order" | wc -l)" -eq 16 ]
	seed=$(sed -n 's/.*-shuffle -seed \([0-9]*\)).*/\1/p' "$err")
	[ -n "$seed" ]
	batch -g web,db -f 1 -shuffle -seed "$seed" -cmd true
	[ "$(jq -r .host "$report")" = "$(cat "$order")" ]
	batch -g web,db -f 1 -shuffle -seed "$((seed + 1))" -cmd true
	[ "$(jq -r .host "$report")" != "$(cat "$order")" ]
}

@test "-rate spaces connections" {
	batch -g web,db -rate 20 -cmd true
	expect_status 0
	expect_span 700
}

@test "-rate bounds retries, too" {
	fakehost bad say ''
	batch -h "127.0.0.1:$fake_port" -rate 5 -retries 4 -retry-delay 0 \
	    -cmd true
	expect_status 3
	expect_report '.[0].attempts == 5 and .[0].cost_ms >= 750'
}

# names_at_fakehost COUNT: so many hosts of the inventory are the fake host.
names_at_fakehost() {
	write_inventory <<-END
	[gate]
	* = address=127.0.0.1 port=$fake_port
	gate[01-$1] =
	END
}

@test "one address gets 8 handshakes at once, or -max-startups" {
	fakehost gate silent
	names_at_fakehost 20
	batch_start -g gate -connect-timeout 2 -cmd true
	wait_until test -s "$fake_log"
	sleep 1
	[ "$(wc -l <"$fake_log")" -eq 8 ]
	batch_wait
	expect_status 3
	[ "$(wc -l <"$fake_log")" -eq 20 ]
	: >"$fake_log"
	batch_start -g gate -connect-timeout 3 -max-startups 0 -cmd true
	wait_until eval '[ "$(wc -l <"$fake_log")" -eq 20 ]'
	kill -INT "$pid"
	batch_wait
}

@test "who has logged in leaves the door to the next" {
	fakehost gate proxy 127.77.0.1 "$LAB_PORT"
	names_at_fakehost 12
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	echo "127.0.0.1 $(cut -d' ' -f 1,2 "$LAB_DIR/ssh_host_ed25519_key.pub")" \
	    >"$known_hosts"
	# None of them ends before all have logged in.
	batch_start -g gate -u "$LAB_USER" -k "$LAB_DIR/id_ed25519" \
	    -max-startups 2 -cmd 'echo up; read -r line <"$HOME/../../go"'
	mkfifo "$LAB_DIR/go"
	wait_until eval '[ "$(grep -c up "$out")" -eq 12 ]'
	kill -TERM "$pid"
	batch_wait
	rm "$LAB_DIR/go"
	expect_status 143
}

@test "a key that is refused 5 times in a row is not tried on more hosts" {
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/wrong"
	batch -g web,db -f 1 -k "$BATS_TEST_TMPDIR/wrong" -cmd true
	expect_status 4
	expect_report 'map(select(.status == "denied")) | length == 5'
	expect_report 'map(select(.status == "skipped")) | length == 11 and
	    all(.attempts == 0 and (.message | test(
		"^login as .* with key wrong failed 5 times in a row$")))'
	batch -g web,db -f 1 -k "$BATS_TEST_TMPDIR/wrong" -auth-fail-limit 2 \
	    -cmd true
	expect_report 'map(select(.status == "denied")) | length == 2'
	batch -g web,db -f 1 -k "$BATS_TEST_TMPDIR/wrong" -auth-fail-limit 0 \
	    -cmd true
	expect_report 'map(select(.status == "denied")) | length == 16'
}

@test "a refused key does not keep hosts with another one from being tried" {
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/wrong"
	cp "$BATCH_INVENTORY" "$BATS_TEST_TMPDIR/inventory.ini"
	BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
	local name
	for name in web01 web02 web03; do
		printf '[host %s]\nidentity_file = %s\n' "$name" \
		    "$BATS_TEST_TMPDIR/wrong"
	done >>"$BATCH_INVENTORY"
	batch -g web,db -f 1 -auth-fail-limit 2 -cmd true
	expect_status 4
	expect_report 'map(select(.status == "ok")) | length == 13'
	expect_result web03 skipped
}
