#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# progress: when it is shown and when not, what else stands on the terminal,
# SIGUSR1, and who gets colours. The worker is fakeworker.py, unless said
# otherwise. What it looks like: screens.bats.

load helper

setup() {
	real_program=$batch_run
	fakeworker_up batch_run
	write_inventory <<-'END'
	[web]
	web[01-12] =
	END
}

teardown() {
	batch_kill
	fakehosts_down
}

# script: what the worker does with each host comes on stdin.
script() {
	cat >"$fake/script"
}

run_start() {
	batch_start -host-key accept-new -workers 1 -cmd true "$@"
}

has_worker() {
	compgen -G "$fake/log.*" >/dev/null
}

# run_terminal [OPTION]...: on a terminal that has escape sequences, or not.
run_terminal() {
	TERM=${term-xterm} on_terminal -- "$batch_run" -known-hosts /dev/null \
	    -host-key accept-new -workers 1 -cmd true "$@"
}

is_at() {
	expect_match "$err" "$1" >/dev/null
}

# ask REGEX: to be waited for; SIGUSR1 until it is answered so.
ask() {
	has_worker || return # a shell would die of it
	kill -USR1 "$pid"
	is_at "$1"
}

# --- progress ----------------------------------------------------------------

@test "lines are whole, in order, and progress is drawn between them" {
	script <<-'END'
	@web01 output begin
	@web01 sleep 0.7
	@web01 error middle
	@web01 sleep 0.7
	@web01 output end
	result ok none 0 0 0
	END
	run_terminal -h web01,web02 -color never
	expect_status 0
	expect_match "$out" '\[ *\] 0/2 done, 2 running' 'slowest: web01 0:01'
	[ "$(without_progress "$out" | head -n 3)" = \
	    "$(printf 'web01: %s\n' begin middle end)" ]
	without_progress "$out" | tail -n +4 | grep -qx '2 hosts: 2 ok (.* s)'
	[ "$(without_progress "$out" | wc -l)" -eq 4 ]
}

@test "progress is drawn ten times a second at most, whatever is printed" {
	local i
	for i in $(seq 100); do
		printf '@web01 output line %s\n@web01 sleep 0.01\n' "$i"
	done >"$fake/script"
	echo 'result ok none 0 0 0' >>"$fake/script"
	run_terminal -h web01,web02 -color never
	expect_status 0
	[ "$(without_progress "$out" | grep -c '^web01: line [0-9]*$')" -eq 100 ]
	# Ten times the seconds that the run took, and the first.
	local drawn tenths
	drawn=$(grep -aoF ' done, ' "$out" | wc -l)
	tenths=$(sed -nE 's/.*2 ok \(([0-9]+)\.([0-9]) s\).*/\1\2/p' "$out")
	echo "drawn $drawn times in $tenths tenths of a second"
	[ "$drawn" -ge 5 ]
	[ "$drawn" -le "$((tenths + 2))" ]
}

@test "no progress off terminals, on plain ones, with -q, if not wanted" {
	script <<-'END'
	sleep 0.4
	result ok none 0 0 0
	END
	local term=xterm option
	for option in -q '-progress never'; do
		# shellcheck disable=SC2086
		run_terminal -h web01 $option
		expect_status 0
		expect_no_bytes "$out" $'\033' ' done, '
	done
	for term in dumb ''; do
		run_terminal -h web01
		expect_status 0
		expect_no_bytes "$out" $'\033' ' done, '
	done
	TERM=xterm batch -host-key accept-new -h web01 -cmd true
	expect_no_bytes "$err" $'\033' ' done, '
	batch -host-key accept-new -h web01 -cmd true -progress always
	expect_match "$err" '\] 0/1 done, 1 running'
}

@test "a warning erases the progress, which comes back" {
	script <<-'END'
	@web01#1 wait never
	@web01#2 wait go
	result ok none 0 0 0
	END
	batch_start -host-key accept-new -workers 1 -fanout 1 -h web01 -cmd true \
	    -progress always
	wait_until is_at '0/1 done, 1 running'
	kill -KILL "$(workers "$pid")"
	batch_wait
	expect_status 3
	tr '\r' '\n' <"$err" | grep -qFx \
	    $'\033[Jbatch_run: warning: worker killed by signal 9; its hosts that had begun are lost, others begin again'
}

@test "a failed host has a line above the progress, but not each of many" {
	script < <(
		echo '@h30 wait go'
		echo '@h30 result ok none 0 0 0'
		echo '@h29 result ok none 0 0 0'
		echo '@h28 result lost command 0 0 0  connection lost'
		seq -f '@h%02g result failed command 0 0 0  exit 3' 27
	)
	run_start -h 'h[01-03,28-30]' -progress always
	wait_until is_at 'h28: lost command, connection lost'
	wait_until is_at 'h03: failed, exit 3'
	tr '\r' '\n' <"$err" >"$err.lines"
	expect_no_match "$err.lines" '^h29: ' '^h30: '
	wait_until is_at '] 5/6 done, 4 failed, 1 running'
	touch "$fake/go"
	batch_wait
	rm "$fake/go"
	run_start -h 'h[01-27,30]' -progress always
	wait_until is_at 'more hosts failed; see the summary'
	touch "$fake/go"
	batch_wait
	tr '\r' '\n' <"$err" >"$err.lines"
	[ "$(grep -cE '^(.\[J)?h[0-9]+: failed, exit 3$' "$err.lines")" -eq 20 ]
	[ "$(grep -c 'more hosts failed' "$err.lines")" -eq 1 ]
	# Who sees no progress has the summary.
	batch -host-key accept-new -workers 1 -h 'h[01-27]' -cmd true
	expect_no_match "$err" '^h[0-9]+: ' 'more hosts'
}

@test "hosts that were not started, or cancelled, have no line of their own" {
	script < <(
		echo '@h01 result failed command 0 0 0  exit 3'
		seq -f '@h%02g wait go' 2 4
	)
	run_start -h 'h[01-04]' -f 2 -progress always
	wait_until is_at 'h01: failed, exit 3'
	kill -INT "$pid"
	wait_until is_at '1/4 done|4/4 done'
	kill -INT "$pid" 2>/dev/null || true
	batch_wait
	expect_status 130
	tr '\r' '\n' <"$err" >"$err.lines"
	expect_no_match "$err.lines" '^(.\[J)?h0[234]: '
}

# --- SIGUSR1 -----------------------------------------------------------------

@test "SIGUSR1 tells how far a run is, and who takes long with what" {
	script < <(
		echo '@web01 result ok none 0 0 0'
		echo '@web02 result failed command 0 0 0  exit 3'
		echo '@web03 authenticated'
		echo '@web03 wait go'
		seq -f '@web%02g result ok none 0 0 0' 3 12
	)
	run_start -g web -f 3
	wait_until ask '^12 hosts: 2 done, 1 failed, 3 running, 7 waiting \('
	expect_match "$err" \
	    '^slowest: web03 command [0-9.]+ s, web04 connect .* s, web05 connect'
	expect_no_bytes "$err" $'\033'
	touch "$fake/go"
	batch_wait
	expect_status 1
}

@test "SIGUSR1 tells bytes of transfers" {
	fakeworker_up batch_scp
	script <<-'END'
	progress 250 0
	wait go
	result ok none 500 1 0
	END
	truncate -s 500 "$BATS_TEST_TMPDIR/file"
	batch_start -host-key accept-new -workers 1 -h web01,web02 -action put \
	    -local "$BATS_TEST_TMPDIR/file" -remote /tmp/
	wait_until ask '^2 hosts: 0 done, 2 running, 0 waiting; 250 B of 1\.0 kB \(25 %\) \('
	expect_match "$err" '^slowest: web01 transfer .* s, web02 (connect|auth) '
	touch "$fake/go"
	batch_wait
	expect_status 0
}

# It sleeps until somebody opens the other end.
waits_for_hosts() {
	[ "$(cat "/proc/$pid/comm")" = batch_run ] &&
	    grep -q '^State:.*S' "/proc/$pid/status"
}

@test "SIGUSR1 before a run begins is ignored" {
	script <<<'result ok none 0 0 0'
	mkfifo "$BATS_TEST_TMPDIR/hosts"
	run_start -hostfile "$BATS_TEST_TMPDIR/hosts"
	wait_until waits_for_hosts
	kill -USR1 "$pid"
	sleep 0.2
	echo web01 >"$BATS_TEST_TMPDIR/hosts"
	batch_wait
	expect_status 0
	expect_result web01 ok
}

is_over() {
	[ -s "$report" ] && [ -z "$(workers "$pid")" ]
}

@test "SIGUSR1 after a run has ended is ignored" {
	script <<<'result ok none 0 0 0'
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	exec 7<>"$BATS_TEST_TMPDIR/fifo"
	# Full, so the summary waits.
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/fifo" bs=4096 oflag=nonblock \
	    conv=notrunc 2>/dev/null || true
	err=$BATS_TEST_TMPDIR/fifo run_start -h web01
	wait_until is_over
	kill -USR1 "$pid"
	sleep 0.2
	kill -USR1 "$pid"
	tr -d '\0' <"$BATS_TEST_TMPDIR/fifo" >"$err" 3>&- 7>&- &
	exec 7>&-
	batch_wait
	expect_status 0
	wait
	expect_match "$err" '^1 host: 1 ok'
}

@test "SIGUSR1 is no second Ctrl-C" {
	script <<-'END'
	wait go
	result ok none 0 0 0
	END
	run_start -h web01
	wait_until ask '1 running'
	kill -INT "$pid"
	: >"$err"
	wait_until ask '^1 host: 0 done, 1 running'
	alive "$pid"
	touch "$fake/go"
	batch_wait
	expect_status 130
	expect_result web01 ok
}

@test "workers ignore SIGUSR1" {
	batch_run=$real_program
	fakehost quiet silent
	batch_start -h "127.0.0.1:$fake_port" -cmd true
	wait_until test -s "$fake_log"
	kill -USR1 "$(workers "$pid")"
	sleep 0.2
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_no_match "$err" 'worker killed'
	expect_report 'length == 1 and .[0].status == "cancelled"'
}

# --- colours -----------------------------------------------------------------

@test "a host's tag has one colour, on both streams; what failed is red" {
	script <<-'END'
	output out
	error err
	@web01 result failed command 0 0 0  exit 3
	@web02 result ok none 0 0 0
	END
	# A slow run's progress would say that one failed, too.
	run_terminal -h web01,web02 -progress never
	expect_status 1
	without_progress "$out" | sort >"$out.kept"
	diff - <(sed 's/([0-9.]* s)/(N s)/' "$out.kept") < <(printf '%b' \
	    '\033[32mweb01\033[0m: err\n\033[32mweb01\033[0m: out\n' \
	    '\033[35mweb02\033[0m: err\n\033[35mweb02\033[0m: out\n' \
	    '2 hosts: 1 ok, \033[31m1 failed\033[0m (N s)\n' \
	    '\033[31mfailed\033[0m, exit 3 (1): web01\n' | sort)
}

@test "NO_COLOR, plain terminals and -color decide on colours, -color first" {
	script <<-'END'
	output out
	result ok none 0 0 0
	END
	local colored=$'\033[32mweb01' term=xterm
	NO_COLOR=1 run_terminal -h web01
	expect_no_bytes "$out" "$colored"
	NO_COLOR=0 run_terminal -h web01 -color auto
	expect_no_bytes "$out" "$colored"
	NO_COLOR='' run_terminal -h web01
	grep -qF "$colored" "$out"
	NO_COLOR=1 run_terminal -h web01 -color always
	grep -qF "$colored" "$out"
	run_terminal -h web01 -color never
	expect_no_bytes "$out" "$colored"
	term=dumb
	run_terminal -h web01
	expect_no_bytes "$out" "$colored"
	run_terminal -h web01 -color always
	grep -qF "$colored" "$out"
}
