#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# json: records on stdout and in the report, and what they carry.

load helper

with_lab -n 6

teardown() {
	batch_kill
}

@test "-output json prints one record a host and nothing else, as -report writes it" {
	batch -g web -h 127.77.9.9:1 -output json \
	    -cmd 'echo "out of $LAB_HOST"; echo err >&2; [ $LAB_HOST != web02 ]'
	expect_status 3
	cmp <(sort "$out") <(sort "$report")
	[ "$(wc -l <"$out")" -eq 5 ]
	expect_result web01 ok '.stdout == "out of web01\n" and
	    .stderr == "err\n" and .stdout_bytes == 13 and
	    .truncated == false and has("stdout_b64") == false'
	expect_result web02 failed '.stdout == "out of web02\n"'
	expect_result 127.77.9.9:1 unreachable '.stdout == "" and .stderr == ""'
	expect_no_match "$err" 'out of web|^err'
}

@test "a record is there as soon as its host is over" {
	batch_start -h web01,web02 -output json -cmd '[ $LAB_HOST = web02 ] ||
	    until [ -e "$HOME/go" ]; do sleep 0.1; done'
	wait_until grep -q '"host":"web02"' "$out"
	grep -q '"host":"web02"' "$report"
	alive "$pid"
	touch "$(host_file web01 go)"
	batch_wait
	expect_status 0
	[ "$(jq -r .host "$out" | paste -sd,)" = web02,web01 ]
}

@test "-ordered prints records in the order of the choice" {
	batch -h web04,web01,web03,web02 -ordered -output json \
	    -cmd '[ $LAB_HOST != web04 ] || sleep 0.5'
	expect_status 0
	[ "$(jq -r .host "$out" | paste -sd,)" = web04,web01,web03,web02 ]
	cmp "$out" "$report"
}

@test "bytes that are no UTF-8 can be had back" {
	batch -h web01,web02 -cmd '[ $LAB_HOST = web01 ] || exit 0
	    i=0; while [ $i -lt 256 ]; do printf "\\$(printf %03o $i)"; i=$((i + 1)); done
	    printf "\377" >&2'
	expect_status 0
	jq -r 'select(.host == "web01") | .stdout_b64' "$report" | base64 -d |
	    cmp - <("$python" -c 'import sys
sys.stdout.buffer.write(bytes(range(256)))')
	expect_result web01 ok '.stderr == "\ufffd" and .stderr_b64 == "/w=="'
}

@test "-capture bounds what a record carries, and truncated says so" {
	batch -h web01 -capture 10 -cmd 'seq 1000; echo short >&2'
	expect_status 0
	expect_result web01 ok '.stdout == "1\n2\n3\n4\n5\n" and
	    .stdout_bytes == 3893 and .stderr == "short\n" and .truncated'
	batch -h web01 -capture 3893 -cmd 'seq 1000'
	expect_result web01 ok '(.stdout | length) == 3893 and
	    (.truncated | not)'
	batch -h web01 -capture 0 -cmd 'echo text'
	expect_result web01 ok '.stdout == "" and .truncated'
	batch -h web01 -cmd 'head -c 3000000 /dev/zero | tr "\0" x'
	expect_result web01 ok '(.stdout | length) == 1048576 and
	    .stdout_bytes == 3000000 and .truncated'
}

@test "what is folded is whole though its record is cut" {
	batch -h web01 -output fold -capture 10 -cmd 'seq 1000'
	expect_status 0
	[ "$(tail -n 1 "$out")" = 1000 ]
	expect_result web01 ok '(.stdout | length) == 10'
}

@test "a -capture that is too large is a usage error" {
	batch -h web01 -capture 65M -cmd true
	expect_status 2
	expect_match "$err" 'capture.*64M'
}

@test "records on a terminal are ASCII" {
	on_terminal -- "$batch_run" -known-hosts "$known_hosts" -h web01 -q \
	    -output json -cmd 'printf "\033[2J\177\303\244\302\233\342\200\256"'
	expect_status 0
	expect_no_bytes "$out" $'\033' $'\177' $'\303' $'\302' $'\342'
	tr -d '\r' <"$out" | jq -e \
	    '.stdout == "\u001b[2J\u007f\u00e4\u009b\u202e"' >/dev/null
}

@test "a killed control process leaves whole lines in the report" {
	batch_start -g web,db -fanout 2 -cmd \
	    'head -c 300000 /dev/zero | tr "\0" x; case $LAB_HOST in db*) sleep 300;; esac'
	wait_until [ -e "$report" ]
	wait_until awk 'END { exit NR < 4 }' "$report"
	kill -KILL "$pid"
	wait "$pid" || true
	expect_report 'length == 4 and all(.stdout_bytes == 300000)'
}

@test "a run that cannot begin leaves the report of an earlier one" {
	local old=$BATS_TEST_TMPDIR/old
	echo earlier >"$old"
	batch_bare -known-hosts "$known_hosts" -h web01 -report "$old" \
	    -k "$BATS_TEST_TMPDIR/no-key" -cmd true
	expect_status 5
	expect_line "$old" earlier
	limited -n 24 -h web01 -report "$old" -cmd true
	expect_status 5
	expect_line "$old" earlier
	status=0
	"$batch_run" -known-hosts "$known_hosts" -h web01 -report "$old" \
	    -cmd true </dev/null >&- 2>"$err" 3>&- || status=$?
	expect_status 5
	expect_line "$old" earlier
	batch_bare -known-hosts "$known_hosts" -h web01 -report "$old" -cmd true
	expect_status 0
	[ "$(jq -r .host "$old")" = web01 ]
}

@test "a report that finds no room ends in whole lines and in exit status 5" {
	(
		trap '' XFSZ
		ulimit -f 200 # kB or half of that
		batch -g web -cmd 'head -c 90000 /dev/zero | tr "\0" x'
		echo "$status" >"$BATS_TEST_TMPDIR/status"
	)
	status=$(cat "$BATS_TEST_TMPDIR/status")
	expect_status 5
	expect_match "$err" 'report: '
	expect_report 'length >= 1 and length < 4'
}

@test "a slow reader of records gets all of them" {
	{
		status=0
		timeout 120 "$batch_run" -known-hosts "$known_hosts" -g web,db \
		    -output json -capture 2M \
		    -cmd 'head -c 1500000 /dev/zero | tr "\0" x' \
		    </dev/null 2>"$err" 3>&- || status=$?
		echo "$status" >"$BATS_TEST_TMPDIR/status"
	} | {
		sleep 1
		cat >"$out"
	}
	status=$(cat "$BATS_TEST_TMPDIR/status")
	expect_status 0
	[ "$(wc -l <"$out")" -eq 6 ]
	jq -es 'all((.stdout | length) == 1500000)' "$out" >/dev/null
}

@test "records of an interrupted run carry what came" {
	batch_start -g web -output json -cmd 'echo begun; touch "$HOME/b"; sleep 300'
	wait_until test -e "$(host_file web01 b)"
	wait_until test -e "$(host_file web02 b)"
	wait_until test -e "$(host_file web03 b)"
	wait_until test -e "$(host_file web04 b)"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	jq -es 'length == 4 and all(.status == "cancelled" and
	    .stdout == "begun\n")' "$out" >/dev/null
}

@test "batch_scp prints and folds what it says of each host" {
	local scp=$top_builddir/src/batch_scp
	echo text >"$BATS_TEST_TMPDIR/file"
	batch_run=$scp batch -g web -action put -output json \
	    -local "$BATS_TEST_TMPDIR/file" -remote .
	expect_status 0
	cmp <(sort "$out") <(sort "$report")
	expect_report 'length == 4 and all(.files == 1 and
	    (.stdout | test("^put .*/file -> file \\(5 B, .*\\)\n$")))'
	batch_run=$scp batch -g web -action get -output fold \
	    -remote file -local "$BATS_TEST_TMPDIR/to"
	expect_status 0
	expect_line "$out" 'web[01-04] (4)'
	[ "$(grep -c '^get file' "$out")" -eq 1 ]
}
