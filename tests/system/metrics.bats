#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# metrics: what -metrics writes, when, and what becomes of a file that can't be
# written; -v. The format itself is for tests/unit/test_metrics.c.

load helper

# Two runs whose command waits for a file, NAME/go, take the ten seconds until
# the metrics are written again while other tests run; the last two tests look
# at them.
setup_file() {
	lab_up "$BATS_FILE_TMPDIR/lab" -n 6
	slow_start ticking -h web03,web01,web02,web04 -f 2
	slow_start failing -h web01,web02
	wait_until test -s "$BATS_FILE_TMPDIR/failing/dir/run.prom"
	rm -r "$BATS_FILE_TMPDIR/failing/dir"
}

teardown_file() {
	local run
	for run in ticking failing; do
		touch "$BATS_FILE_TMPDIR/$run/go"
		wait_until test -s "$BATS_FILE_TMPDIR/$run/status" ||
		    kill -KILL "$(cat "$BATS_FILE_TMPDIR/$run/pid")"
	done
	lab_down "$BATS_FILE_TMPDIR/lab"
}

setup() {
	prom=$BATS_TEST_TMPDIR/nightly.prom
}

teardown() {
	batch_kill
	fakehosts_down
}

# slow_start NAME OPTION...: web03 does not wait.
slow_start() {
	local dir=$BATS_FILE_TMPDIR/$1
	shift
	mkdir -p "$dir/dir"
	(
		status=0
		"$batch_run" -known-hosts "$LAB_KNOWN_HOSTS" "$@" \
		    -metrics "$dir/dir/run.prom" \
		    -cmd "test \$LAB_HOST = web03 ||
			until [ -e '$dir/go' ]; do sleep 0.1; done" \
		    </dev/null >"$dir/out" 2>"$dir/err" &
		echo $! >"$dir/pid"
		wait $! || status=$?
		echo $status >"$dir/status"
	) 3>&- &
}

# slow_look NAME: its files are those that helper and metric look at.
slow_look() {
	local dir=$BATS_FILE_TMPDIR/$1
	prom=$dir/dir/run.prom
	out=$dir/out
	err=$dir/err
}

# slow_end NAME: let its hosts end; sets status.
slow_end() {
	touch "$BATS_FILE_TMPDIR/$1/go"
	wait_until test -s "$BATS_FILE_TMPDIR/$1/status"
	status=$(cat "$BATS_FILE_TMPDIR/$1/status")
}

# metric NAME [LABEL]: the values of the series that have this label.
metric() {
	awk -v name="batch_$1{" -v label="${2:-}" '
	    index($0, name) == 1 && index($0, label) { print $NF }' "$prom"
}

# expect_metric VALUE NAME [LABEL]; no value: there is no such series.
expect_metric() {
	local value
	value=$(metric "$2" "${3:-}")
	[ "$value" = "$1" ] || {
		echo "expected of $2 ${3:-}: $1, not $value"
		grep "^batch_$2" "$prom"
		dump
		return 1
	}
}

is_metric() {
	[ "$(metric "$2" "${3:-}")" = "$1" ]
}

@test "at the end the metrics agree with the report" {
	local status_name statuses='ok failed unreachable denied timeout lost
	    transfer error cancelled skipped'
	batch -g web -h 127.77.9.9:1 -retries 2 -retry-delay 20ms \
	    -timeout 300ms -metrics "$prom" -cmd 'case $LAB_HOST in
		web01) echo out; echo error >&2;;
		web02) exit 3;;
		web03) sleep 60;;
	    esac'
	expect_status 3
	for status_name in $statuses; do
		expect_metric "$(jq -s --arg status "$status_name" \
		    'map(select(.status == $status)) | length' "$report")" \
		    results_total "status=\"$status_name\""
	done
	expect_metric 1 results_total 'status="timeout"'
	expect_metric "$(jq -s 'map(.attempts - 1) | add' "$report")" \
	    retries_total
	expect_metric 2 retries_total
	expect_metric 4 output_bytes_total 'stream="stdout"'
	expect_metric 6 output_bytes_total 'stream="stderr"'
	expect_metric "$(jq -s 'map(.cost_ms) | add / 1000' "$report")" \
	    host_seconds_sum
	expect_metric "$(jq -s 'map(.connect_ms) | add / 1000' "$report")" \
	    connect_seconds_sum
	expect_metric 4 connect_seconds_count
	expect_metric 4 auth_seconds_count
	expect_metric 0.6 error_ratio
	expect_metric 0.2 timeout_ratio
	expect_metric 3 exit_status
	expect_metric 0 running
	expect_metric 5 hosts '{tool="batch_run",run="nightly"}'
	expect_metric 0 queued_hosts
	expect_metric 0 in_flight_hosts
	expect_metric 0 workers
}

@test "batch_scp counts what it has transferred" {
	batch_run=$top_builddir/src/batch_scp
	head -c 1000 /dev/zero >"$BATS_TEST_TMPDIR/file"
	batch -g web -action put -local "$BATS_TEST_TMPDIR/file" -remote \
	    "$BATS_TEST_TMPDIR/copy" -metrics "$prom" -f 1
	expect_status 0
	expect_metric 4 hosts '{tool="batch_scp",run="nightly"}'
	expect_metric 4000 transferred_bytes_total
	expect_metric 0 exit_status
}

@test "a file that can't be written is an error before any host is asked" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	local file
	fakehost never silent
	for file in "$BATS_TEST_TMPDIR/none/nightly.prom" \
	    "$BATS_TEST_TMPDIR/fifo" "$BATS_TEST_TMPDIR" /dev/stdout; do
		batch -h "127.0.0.1:$fake_port" -metrics "$file" -cmd true
		expect_status 2
		expect_match "$err" "option -metrics: $file: "
		[ "$(wc -l <"$err")" -eq 1 ]
	done
	# The record of the run before is still there.
	echo kept >"$BATS_TEST_TMPDIR/kept"
	batch_bare -h "127.0.0.1:$fake_port" -report "$BATS_TEST_TMPDIR/kept" \
	    -metrics "$BATS_TEST_TMPDIR/none/nightly.prom" -cmd true
	expect_status 2
	[ "$(cat "$BATS_TEST_TMPDIR/kept")" = kept ]
	[ ! -s "$fake_log" ]
}

@test "a run that can't begin says so in its metrics" {
	batch -g web -k "$BATS_TEST_TMPDIR/nosuch" -metrics "$prom" -cmd true
	expect_status 5
	expect_metric 5 exit_status
	expect_metric 0 running
	expect_metric 4 queued_hosts
}

@test "so does one that is stopped" {
	batch_start -g web -metrics "$prom" -f 2 -cmd 'echo up; sleep 60'
	wait_until grep -q up "$out"
	expect_metric 1 running
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_metric 130 exit_status
	expect_metric 4 results_total 'status="cancelled"'
	expect_metric 0 in_flight_hosts
	expect_metric 0 queued_hosts
}

@test "and one whose reader is gone" {
	timeout 60 "$batch_run" -known-hosts "$known_hosts" -h web01 \
	    -metrics "$prom" -cmd yes 2>"$err" 3>&- | true
	expect_metric 141 exit_status
	expect_metric 0 running
}

@test "a reader never sees a part of the file" {
	local reader
	"$batch_run" -h 127.77.9.9:1 -q -metrics "$prom" -cmd true || true
	"$python" - "$prom" "$BATS_TEST_TMPDIR/stop" 3>&- <<-'END' &
	import os
	import sys
	seen = set()
	while not os.path.exists(sys.argv[2]):
	    with open(sys.argv[1], "rb") as file:
	        text = file.read()
	    last = text[text.rstrip(b"\n").rfind(b"\n") + 1:]
	    if not last.startswith(b"batch_host_seconds_count{") or \
	            not text.startswith(b"# HELP ") or text[-1:] != b"\n":
	        sys.exit("only a part: %r" % text)
	    seen.add(text)
	print(len(seen), "texts")
	sys.exit(len(seen) < 3)
	END
	reader=$!
	for _ in {1..20}; do
		batch -h 127.77.9.9:1 -q -metrics "$prom" -cmd true
		expect_status 3
	done
	touch "$BATS_TEST_TMPDIR/stop"
	wait $reader
	[ "$(echo "$BATS_TEST_TMPDIR"/.batch_metrics.*)" = \
	    "$BATS_TEST_TMPDIR/.batch_metrics.*" ]
}

@test "-v adds latencies to the summary" {
	local times='p50 [0-9.]+ m?s, p95 [0-9.]+ m?s'
	batch -g web -v -cmd true
	expect_status 0
	expect_match "$err" '^4 hosts: 4 ok' \
	    "^connect $times; auth $times; total $times\$"
	batch -g web -cmd true
	expect_no_match "$err" p95
	batch -h 127.77.9.9:1 -verbose -cmd true
	expect_match "$err" "^total $times\$"
}

@test "the metrics are written again while the run goes on" {
	slow_look ticking
	wait_until is_metric 2 in_flight_hosts
	expect_metric 1 running
	expect_metric '' exit_status
	expect_metric 1 results_total 'status="ok"'
	expect_metric 1 queued_hosts
	[ "$(metric workers)" -ge 1 ]
	slow_end ticking
	expect_status 0
	expect_metric 0 running
	expect_metric 0 exit_status
	expect_metric 4 results_total 'status="ok"'
}

@test "a file that can't be written any more costs the exit status only" {
	slow_look failing
	wait_until grep -q warning "$err"
	slow_end failing
	expect_status 5
	expect_match "$err" 'warning: metrics are not written: .*run.prom: No such' \
	    '^batch_run: /.*run.prom: No such file' '^2 hosts: 2 ok'
	[ "$(grep -c 'run.prom' "$err")" -eq 2 ]
}
