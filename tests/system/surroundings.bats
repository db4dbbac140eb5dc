#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2086,SC2154
#
# surroundings: what the system, and no host, does to a run: it is stopped and
# goes on, the clock jumps, outputs are closed or full. Each has a stated
# outcome; nothing hangs, and nothing is told a hundred times.

load helper

with_lab -n 8

teardown() {
	batch_kill
	fakehosts_down
}

# --- stopped and continued ---------------------------------------------------

# stopped_longer_than_all_limits WHO: while it is stopped one host shows its
# key, web02 ends its command, and web03 is in the middle of its own.
stopped_longer_than_all_limits() {
	local victims first
	fakehost proxy proxy 127.77.0.1 "$LAB_PORT"
	first=127.0.0.1:$fake_port
	touch "$BATS_TEST_TMPDIR/fakehost.proxy.stall"
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	{
		cat "$LAB_KNOWN_HOSTS"
		echo "127.0.0.1 $(cut -d' ' -f 1,2 \
		    "$LAB_DIR/ssh_host_ed25519_key.pub")"
	} >"$known_hosts"
	batch_start -h "$first,web02,web03" -workers 1 -u "$LAB_USER" \
	    -k "$LAB_DIR/id_ed25519" -connect-timeout 3 -timeout 4 \
	    -idle-timeout 3 -cmd 'echo begun
	    case $LAB_HOST in
	    web02) sleep 1 ;;
	    web03) for i in 1 2 3 4 5 6; do sleep 1; echo $i; done ;;
	    esac'
	wait_until grep -q 'web02: begun' "$out"
	wait_until grep -q 'web03: begun' "$out"
	victims=$(our_processes "$1")
	kill -STOP $victims
	rm "$BATS_TEST_TMPDIR/fakehost.proxy.stall"
	sleep 6
	kill -CONT $victims
	batch_wait
	expect_result "$first" ok
	expect_result web02 ok
	# Its command ran on, and a worker that runs ends it in time.
	if [ "$1" = control ]; then
		expect_result web03 timeout '.stage == "command"'
	else
		expect_result web03 ok
	fi
}

# ask_agent MODE ARGUMENT...: a run whose key is in an agent that does not sign.
ask_agent() {
	local socket=$BATS_TEST_TMPDIR/agent agent
	"$python" "$test_dir/fakeagent.py" "$socket" "$LAB_DIR/id_ed25519.pub" \
	    "$1" >"$socket.out" 2>&1 3>&- &
	agent=$!
	disown "$agent"
	shift
	wait_until test -S "$socket"
	write_inventory < <(grep -v identity_file "$LAB_DIR/inventory.ini")
	SSH_AUTH_SOCK=$socket batch "$@" -cmd 'echo ran'
	kill "$agent"
}

hanging_agent() {
	ask_agent hang -h web01 -connect-timeout 1
	expect_status 3
	expect_result web01 timeout '.stage == "auth"'
	[ "$(wc -l <"$BATS_TEST_TMPDIR/agent.log")" -eq 1 ]
}

@test "time in which a host has no part is not held against it" {
	apart control stopped_longer_than_all_limits control
	apart worker stopped_longer_than_all_limits worker
	apart both stopped_longer_than_all_limits both
	# But there is an end to it.
	apart agent hanging_agent
	together
}

@test "an agent that refuses every signature is told of a few times" {
	ask_agent refuse -g web,db -fanout 2 -auth-fail-limit 0
	expect_status 4
	expect_report 'length == 8 and all(.status == "denied")'
	[ "$(wc -l <"$BATS_TEST_TMPDIR/agent.log")" -eq 8 ]
	[ "$(grep -c 'no signature' "$err")" -eq 3 ]
	expect_match "$err" 'more warnings like this are left out'
	expect_few_lines
}

# on_shell [-e REGEX -s LINE]... -- SCRIPT ARGUMENT...: run SCRIPT in a shell
# with job control on a terminal; "$@" is batch_run with these arguments.
on_shell() {
	local keys=()
	while [ "$1" != -- ]; do
		keys+=("$1")
		shift
	done
	rm -f "$report"
	on_terminal "${keys[@]}" -- bash -c "set -m; $2" - "$batch_run" \
	    -known-hosts "$known_hosts" -report "$report" -color never "${@:3}"
}

# Waits in the shell until the job is stopped.
until_stopped='until grep -q "^State:.T" /proc/$!/status; do sleep 0.1; done;'

expect_two_hosts() {
	expect_status 0
	expect_line "$out" $'web01: web01\r'
	expect_line "$out" $'web02: web02\r'
	expect_report 'length == 2 and all(.status == "ok")'
}

stopped_by_key() {
	on_shell -e begun -s '^Z' -- '"$@"; echo is stopped; sleep 1; fg' \
	    -h web01,web02 -cmd 'echo begun; sleep 0.5; echo $LAB_HOST'
	expect_two_hosts
	expect_match "$out" 'is stopped'
}

stopped_at_question() {
	on_shell -e 'Go on' -s '^Z' -e 'is stopped' -s yes -- \
	    '"$@"; echo is stopped; fg' -h web01,web02 -batch 1 -confirm \
	    -cmd 'echo $LAB_HOST'
	expect_two_hosts
}

asks_from_background() {
	on_shell -e 'Go on' -s yes -- \
	    "\"\$@\" & $until_stopped echo is stopped; fg" \
	    -h web01,web02 -batch 1 -confirm -cmd 'echo $LAB_HOST'
	expect_two_hosts
}

prints_from_background() {
	on_shell -- "stty tostop; \"\$@\" & $until_stopped echo is stopped; fg" \
	    -h web01,web02 -cmd 'echo $LAB_HOST'
	expect_two_hosts
	expect_match "$out" 'is stopped'
}

# While it is stopped the terminal echoes; then it asks again.
stopped_at_password() {
	on_shell -e 'Password' -s '^Z' -e 'Password' -s 'secret' -- \
	    '"$@"; stty -a; echo is stopped; fg; stty -a' \
	    -ask-pass -h web01,web02 -cmd 'echo $LAB_HOST'
	expect_match "$out" '^web01: web01'
	expect_report 'length == 2 and all(.status == "ok")'
	[ "$(grep -c 'Password' "$out")" -eq 2 ]
	[ "$(grep -cE '(^| )echo ' "$out")" -eq 2 ]
	expect_no_match "$out" secret
}

interrupted_at_password() {
	on_terminal -e 'Password' -s '^C' -- "$batch_run" \
	    -known-hosts "$known_hosts" -ask-pass -h web01 -cmd true
	expect_status 130
}

@test "Ctrl-Z, fg and bg do what they do to other programs" {
	apart key stopped_by_key
	apart question stopped_at_question
	apart reads asks_from_background
	apart prints prints_from_background
	apart password stopped_at_password
	apart interrupted interrupted_at_password
	together
}

# --- the clock ---------------------------------------------------------------

with_jumps() {
	local -x LD_PRELOAD=$top_builddir/tests/clock_jumps.so
	local -x ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
	"$@"
}

# So that it is known to jump.
expect_jumps() {
	expect_report '(map(.started_at[:13]) | unique | length) > 1'
	expect_report 'all(.cost_ms >= 0 and .cost_ms < 60000)'
}

jumps_in_run() {
	with_jumps batch -g web,db -timeout 30 -idle-timeout 30 \
	    -batch 4 -pause 500ms -cmd 'sleep 0.5; echo "$LAB_HOST"'
	expect_status 0
	[ "$(wc -l <"$out")" -eq 8 ]
	expect_jumps
}

jumps_before_timeout() {
	with_jumps batch -g web,db -timeout 1 -cmd 'sleep 300'
	expect_status 3
	expect_report 'length == 8 and all(.status == "timeout" and
	    .stage == "command" and .cost_ms >= 1000)'
	expect_jumps
}

jumps_in_transfer() {
	local batch_run=$top_builddir/src/batch_scp tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/sub"
	seq 1000 >"$tree/sub/file"
	with_jumps batch -g web,db -action put -local "$tree" \
	    -remote "$BATS_TEST_TMPDIR/far/%h" -mkdir -verify
	expect_status 0
	expect_jumps
	with_jumps batch -g web,db -action get -remote "$tree/sub/file" \
	    -local "$BATS_TEST_TMPDIR/got" -verify
	expect_status 0
	[ "$(find "$BATS_TEST_TMPDIR/got" -name file | wc -l)" -eq 8 ]
	expect_jumps
}

@test "a clock that jumps by days harms nothing and nobody" {
	apart run jumps_in_run
	apart timeout jumps_before_timeout
	apart transfer jumps_in_transfer
	together
}

# --- outputs that are closed or full -----------------------------------------

no_host_was_asked() {
	[ ! -s "$report" ] && [ -z "$(log_since_mark)" ]
}

@test "a stdout that is closed stops the run before it begins" {
	log_mark
	status=0
	"$batch_run" -known-hosts "$known_hosts" -report "$report" -g web \
	    -cmd 'echo ran' </dev/null >&- 2>"$err" || status=$?
	: >"$out"
	expect_status 5
	expect_match "$err" 'stdout is closed'
	no_host_was_asked
	# Unless nothing is to be printed.
	status=0
	"$batch_run" -known-hosts "$known_hosts" -report "$report" -g web \
	    -output none -cmd 'echo ran' </dev/null >&- 2>"$err" || status=$?
	expect_status 0
	expect_report 'length == 6 and all(.status == "ok")'
}

@test "a list or a help text that cannot be printed is an error" {
	local what
	for what in -list -list-folded --help --version; do
		status=0
		"$batch_run" -g web "$what" >/dev/full 2>"$err" || status=$?
		expect_status 5
		expect_match "$err" 'stdout: no space'
		status=0
		"$batch_run" -g web "$what" >&- 2>"$err" || status=$?
		expect_status 5
	done
}

@test "a stdout that gets full stops the run, each host has its result" {
	limited -f 64 -g web,db -fanout 4 -capture 0 \
	    -cmd 'seq 100000; sleep 300'
	expect_status 5
	expect_report 'length == 8 and all(.status == "cancelled")'
	[ "$(grep -c 'stdout: ' "$err")" -eq 1 ]
	expect_few_lines
}

@test "a report that gets full is told, keeps whole lines, and the run goes on" {
	limited -f 1 -g web,db -fanout 1 -cmd 'echo ran'
	expect_status 5
	[ "$(wc -l <"$out")" -eq 8 ]
	expect_match "$err" "$report: file too large" \
	    "$report: lacks [1-7] of 8 records" '8 hosts.*8 ok'
	expect_few_lines
	# What is there can be read.
	expect_report 'length > 0 and all(.status == "ok")'
	[ "$(tail -c 1 "$report")" = "" ]
}

# A warning comes before the first host.
without_stderr() {
	{
		echo garbage
		cat "$LAB_KNOWN_HOSTS"
	} >"$BATS_TEST_TMPDIR/known_hosts"
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	: >"$out"
	err=$1 batch -g web -cmd 'echo ran; echo ran >&2'
	err=/dev/null
	expect_status 0
	[ "$(wc -l <"$out")" -eq 6 ]
	expect_report 'length == 6 and all(.status == "ok")'
}

@test "without a stderr that can be written the run goes on" {
	without_stderr /dev/full
	exec 7> >(true)
	wait $!
	without_stderr /dev/fd/7
	exec 7>&-
	status=0
	"$batch_run" -known-hosts "$known_hosts" -report "$report" -g web \
	    -cmd 'echo ran; echo ran >&2' </dev/null >"$out" 2>&- || status=$?
	expect_status 0
	[ "$(wc -l <"$out")" -eq 6 ]
}

@test "signals end a run while nobody reads stderr" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	exec 7<>"$BATS_TEST_TMPDIR/fifo"
	err=$BATS_TEST_TMPDIR/fifo batch_start -g web -workers 2 -cmd 'yes >&2'
	wait_until is_at_rest
	# There is something to tell.
	kill -KILL "$(workers "$pid" | head -n 1)"
	wait_until is_at_rest
	kill -INT "$pid"
	kill -TERM "$pid" 2>/dev/null || true
	batch_wait
	exec 7>&-
	expect_status 130
	expect_report 'length == 6'
}

@test "a temporary file that cannot be made or filled stops the run before it begins" {
	log_mark
	input=$LAB_DIR/ssh_host_rsa_key
	TMPDIR=$BATS_TEST_TMPDIR/missing batch -g web -stdin - -cmd cat
	expect_status 2
	expect_match "$err" 'temporary file.*missing.*no such file'
	limited -f 1 -g web -stdin - -cmd cat
	expect_status 2
	expect_match "$err" 'temporary file.*TMPDIR.*too large'
	batch_run=$top_builddir/src/batch_scp
	TMPDIR=$BATS_TEST_TMPDIR/missing batch -g web -action put \
	    -local "$BATCH_INVENTORY" -remote "$BATS_TEST_TMPDIR/"
	expect_status 2
	expect_match "$err" 'temporary file.*missing.*no such file'
	no_host_was_asked
}

@test "workers make their temporary files in TMPDIR too" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to look into a worker"
	TMPDIR=$BATS_TEST_TMPDIR batch_start -h web01 -workers 1 \
	    -cmd 'echo up; sleep 60'
	wait_until grep -q up "$out"
	tr '\0' '\n' <"/proc/$(workers "$pid")/environ" |
	    grep -qFx "TMPDIR=$BATS_TEST_TMPDIR"
	kill -TERM "$pid"
	batch_wait
}
