#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# rerun: the hosts of an earlier report, and the command that takes them.

load helper

setup_file() {
	lab_up "$BATS_FILE_TMPDIR/lab" -n 6
}

teardown_file() {
	lab_down "$BATS_FILE_TMPDIR/lab"
}

setup() {
	earlier=$BATS_TEST_TMPDIR/earlier.jsonl
	: >"$earlier"
}

teardown() {
	batch_kill
}

# earlier HOST STATUS [GROUP]: one more record of an earlier run.
earlier() {
	printf '{"seq":%d,"host":"%s","status":"%s","groups":[%s]}\n' \
	    "$(wc -l <"$earlier")" "$1" "$2" "${3:+\"$3\"}" >>"$earlier"
}

four_hosts() {
	earlier web03 failed web
	earlier web01 ok web
	earlier db02 unreachable db
	earlier web02 lost web
}

# The command of the summary's last line.
again() {
	tail -n 1 "$err" | sed -n 's/^Again: //p'
}

# Run it as pasted; sets status.
paste_again() {
	local command
	command=$(again)
	[ -n "$command" ] || { dump; return 1; }
	status=0
	timeout 60 sh -c "$command" <"$input" >"$out" 2>"$err" 3>&- ||
	    status=$?
}

@test "-rerun takes the hosts that were not ok, in the order of that run" {
	four_hosts
	batch_bare -rerun "$earlier" -list
	expect_status 0
	expect_lines web03 db02 web02
}

@test "-rerun takes those of the given statuses" {
	four_hosts
	batch_bare -rerun failed,ok "$earlier" -list
	expect_status 0
	expect_lines web03 web01
}

@test "with -h, -g or -hostfile only hosts that are in both are taken" {
	four_hosts
	batch_bare -g web -h db01 -rerun "$earlier" -list
	expect_lines web03 web02
	echo 'db[01-02]' >"$BATS_TEST_TMPDIR/hosts"
	batch_bare -hostfile "$BATS_TEST_TMPDIR/hosts" -rerun "$earlier" -list
	expect_lines db02
}

@test "when none is in both, it is told of which report" {
	four_hosts
	batch_bare -g db -x db02 -rerun "$earlier" -list
	expect_status 2
	expect_match "$err" 'no host left to run on: 3 of .*earlier.jsonl, but'
}

@test "a report of batch_scp is as good" {
	batch_run=$top_builddir/src/batch_scp
	batch -h web01,web02 -action get -remote absent \
	    -local "$BATS_TEST_TMPDIR"
	expect_status 3
	cp "$report" "$earlier"
	batch_run=$top_builddir/src/batch_run
	batch_bare -rerun transfer "$earlier" -list
	expect_lines web01 web02
}

@test "-x leaves hosts of the report out" {
	four_hosts
	batch_bare -rerun "$earlier" -x web03 -list
	expect_lines db02 web02
}

@test "a host that left the inventory is an error that names it, unless by -x" {
	four_hosts
	earlier old01 failed web
	earlier old02 failed web
	batch_bare -rerun "$earlier" -list
	expect_status 2
	expect_match "$err" 'earlier.jsonl: not in the inventory .*: old\[01-02\]'
	batch_bare -rerun "$earlier" -x 'old[01-02]' -list
	expect_status 0
}

@test "a host that was in no inventory is taken as it is" {
	earlier tester@127.77.9.9:2222 unreachable
	batch_bare -rerun "$earlier" -list
	expect_status 0
	expect_lines tester@127.77.9.9:2222
}

@test "a torn last line is passed over with a warning" {
	four_hosts
	printf '{"seq":4,"host":"db0' >>"$earlier"
	batch_bare -rerun "$earlier" -list
	expect_status 0
	expect_lines web03 db02 web02
	expect_match "$err" 'warning: .*earlier.jsonl:5: the last line'
}

@test "what is no report is an error with file and line" {
	four_hosts
	echo 'web01: hello' >>"$earlier"
	earlier web04 failed web
	batch_bare -rerun "$earlier" -cmd true
	expect_status 2
	expect_match "$err" 'earlier.jsonl:5: not a record'
}

@test "a host name in a report that stands for several is refused" {
	earlier 'web[01-04]' failed web
	batch_bare -rerun "$earlier" -cmd true
	expect_status 2
	expect_match "$err" 'earlier.jsonl:1: '
}

@test "no host with that status, and a wrong status, are usage errors" {
	four_hosts
	batch_bare -rerun denied "$earlier" -cmd true
	expect_status 2
	expect_match "$err" 'no host in it is denied .of 4'
	batch_bare -rerun unreachabel "$earlier" -cmd true
	expect_status 2
	expect_match "$err" 'option -rerun: .* did you mean unreachable'
	batch_bare -rerun "$earlier" failed -cmd true
	expect_status 2
	expect_match "$err" 'is no status.*the report comes last'
	batch_bare -rerun failed "$earlier" "$earlier" -cmd true
	expect_status 2
	expect_match "$err" 'one report'
}

@test "the summary's last line, pasted, runs the same where it failed" {
	local ran=$BATS_TEST_TMPDIR/ran
	batch -g web -x web04 -env 'GREETING=it'\''s me' \
	    -cmd 'echo "$GREETING $LAB_HOST"; test $LAB_HOST != web02 || [ -e "$HOME/go" ]'
	expect_status 1
	cp "$report" "$ran"
	touch "$(host_file web02 go)"
	paste_again
	expect_status 0
	expect_lines "web02: it's me web02"
	# What the first run has written is there still.
	cmp "$report" "$ran"
	jq -es 'map(.host) == ["web02"] and .[0].ok' "$report.2"
	[ -z "$(again)" ]
}

@test "what is pasted has each byte of the command, in one line" {
	local command=$'printf "%s" "it\'s\n\t\033[31m\\\\n" "\377"; false'
	batch -h web01 -output none -outdir "$BATS_TEST_TMPDIR/first" -cmd "$command"
	expect_status 1
	expect_no_bytes "$err" $'\033' $'\t' $'\377'
	status=0
	timeout 60 bash -c "$(again | sed 's:/first:/second:')" \
	    >"$out" 2>"$err" 3>&- </dev/null || status=$?
	expect_status 1
	[ -s "$BATS_TEST_TMPDIR/second/web01.out" ]
	cmp "$BATS_TEST_TMPDIR/first/web01.out" \
	    "$BATS_TEST_TMPDIR/second/web01.out"
}

@test "what is pasted fails again and can be pasted again" {
	batch -h web01,web02 \
	    -cmd 'echo "$LAB_HOST" >>"$HOME/times"; test $LAB_HOST = web02'
	expect_status 1
	paste_again
	expect_status 1
	paste_again
	expect_status 1
	expect_match "$err" ' -rerun [^ ]*/report\.3 -report [^ ]*/report\.4$'
	[ "$(wc -l <"$(host_file web01 times)")" -eq 3 ]
	[ "$(wc -l <"$(host_file web02 times)")" -eq 1 ]
}

@test "no command is told without a failure, without a report, with -q" {
	batch -h web01 -cmd true
	expect_no_match "$err" '^Again'
	batch_bare -known-hosts "$known_hosts" -h web01 -cmd false
	expect_match "$err" 'failed'
	expect_no_match "$err" '^Again'
	batch -q -h web01 -cmd false
	expect_match "$err" 'failed'
	expect_no_match "$err" '^Again'
	batch_bare -known-hosts "$known_hosts" -h web01 -cmd false \
	    -report /dev/null
	expect_no_match "$err" '^Again'
}

@test "the report may be the one that is written anew" {
	batch -h web01,web02 -cmd 'test $LAB_HOST = web01'
	expect_status 1
	cp "$report" "$earlier"
	batch_bare -known-hosts "$known_hosts" -rerun "$earlier" \
	    -report "$earlier" -cmd 'true'
	expect_status 0
	jq -es 'map(.host) == ["web02"] and .[0].ok' "$earlier"
}

@test "after Ctrl-C those that were cut short or not begun are taken" {
	batch_start -h 'web[01-03]' -f 1 \
	    -cmd 'echo here; test $LAB_HOST = web01 || sleep 60'
	wait_until grep -q '^web02: here' "$out"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_match "$err" '^Again: '
	cp "$report" "$earlier" # batch_bare removes it
	batch_bare -rerun "$earlier" -list
	expect_lines web02 web03
}
