#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# backpressure: point 8. A reader of our stdout that is slow makes the hosts
# wait; nothing is lost and nothing piles up.

load helper

with_lab -n 6

teardown() {
	batch_kill
}

# 50 MB in lines of 1,024 bytes.
flood='yes "$(printf %01023d 0)" | head -c 52428800'

# pss_kb PID: the memory of that process and its children, shared pages
# counted once.
pss_kb() {
	local p
	for p in "$1" $(pgrep -P "$1"); do
		cat "/proc/$p/smaps_rollup" 2>/dev/null || true
	done | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'
}

@test "four hosts' floods through a slow reader lose no byte and take little memory" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	# Nothing is read for a while, then all.
	{
		sleep 6
		wc -c >"$BATS_TEST_TMPDIR/count"
	} <"$BATS_TEST_TMPDIR/pipe" 3>&- &
	local reader=$!
	env --default-signal=PIPE "$batch_run" -known-hosts "$known_hosts" \
	    -report "$report" -g web -no-prefix -cmd "$flood" \
	    </dev/null >"$BATS_TEST_TMPDIR/pipe" 2>"$err" 3>&- &
	pid=$!
	local most=0 now
	while alive "$pid"; do
		now=$(pss_kb "$pid")
		[ "$now" -le "$most" ] || most=$now
		sleep 0.2
	done
	batch_wait
	wait "$reader"
	: >"$out"
	expect_status 0
	[ "$(tr -d ' ' <"$BATS_TEST_TMPDIR/count")" = $((4 * 52428800)) ]
	expect_report 'length == 4 and all(.stdout_bytes == 52428800)'
	echo "most memory: $most kB"
	[ "$most" -gt 0 ]
	is_sanitized || [ "$most" -lt 40000 ]
}

@test "lines stay whole and in order under a slow reader" {
	{
		status=0
		timeout 120 "$batch_run" -known-hosts "$known_hosts" -g web \
		    -cmd 'seq 200000' </dev/null 2>"$err" 3>&- || status=$?
		echo "$status" >"$BATS_TEST_TMPDIR/status"
	} | {
		sleep 3
		cat >"$out"
	}
	status=$(cat "$BATS_TEST_TMPDIR/status")
	expect_status 0
	[ "$(wc -l <"$out")" -eq 800000 ]
	local host
	for host in web01 web04; do
		sed -n "s/^$host: //p" "$out" | cmp - <(seq 200000)
	done
}

@test "a line without end is passed on in pieces, not collected" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	tr -d '\n' <"$BATS_TEST_TMPDIR/pipe" 3>&- | tr -cd x | wc -c \
	    >"$BATS_TEST_TMPDIR/count" 3>&- &
	local reader=$!
	env --default-signal=PIPE "$batch_run" -known-hosts "$known_hosts" \
	    -report "$report" -h db01 -no-prefix \
	    -cmd 'head -c 100000000 /dev/zero | tr "\0" x' \
	    </dev/null >"$BATS_TEST_TMPDIR/pipe" 2>"$err" 3>&- &
	pid=$!
	local most=0 now
	while alive "$pid"; do
		now=$(pss_kb "$pid")
		[ "$now" -le "$most" ] || most=$now
		sleep 0.1
	done
	batch_wait
	wait "$reader"
	: >"$out"
	expect_status 0
	[ "$(tr -d ' ' <"$BATS_TEST_TMPDIR/count")" = 100000000 ]
	echo "most memory: $most kB"
	is_sanitized || [ "$most" -lt 40000 ]
}

@test "a flood on stderr behind a slow reader loses nothing either" {
	{
		status=0
		timeout 120 "$batch_run" -known-hosts "$known_hosts" -g web \
		    -no-prefix -q -cmd "{ $flood; } >&2" \
		    </dev/null 2>&1 >"$out" 3>&- || status=$?
		echo "$status" >"$BATS_TEST_TMPDIR/status"
	} | {
		sleep 3
		wc -c >"$BATS_TEST_TMPDIR/count"
	}
	: >"$err"
	status=$(cat "$BATS_TEST_TMPDIR/status")
	expect_status 0
	[ "$(tr -d ' ' <"$BATS_TEST_TMPDIR/count")" = $((4 * 52428800)) ]
}

@test "a flood from three hosts does not starve the fourth" {
	# shellcheck disable=SC2016
	batch_start -workers 1 -h web01,web02,web03,web04 -cmd \
	    'if [ $LAB_HOST = web04 ]; then sleep 1; echo hello; else yes; fi'
	wait_until grep -q 'web04: hello' "$out"
	kill -TERM "$pid"
	batch_wait
	expect_status 143
}

@test "a host whose output is still unread when its time is over is not ok" {
	local home
	for home in "$LAB_DIR"/home/*; do
		yes 0123456789 | head -c 90000 >"$home/90k"
	done
	timeout -k 5 60 "$batch_run" -known-hosts "$known_hosts" \
	    -report "$report" -g web,db -timeout 3 \
	    -cmd 'sleep 0.5; cat "$HOME/90k"' \
	    </dev/null 2>"$err" 3>&- | {
		wait_until grep -qs '"timeout"' "$report"
		cat
	} >"$out"
	[ "${PIPESTATUS[0]}" -eq 3 ]
	expect_report 'length == 6 and any(.status == "timeout") and
	    all((.ok | not) or .stdout_bytes == 90000)'
}
