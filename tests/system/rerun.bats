#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# rerun: the hosts of an earlier report, and the command that takes them.

load helper

with_lab -n 6

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

# The command that the summary tells.
again() {
	sed -n 's/^Again[^:]*: //p' "$err"
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

@test "when none is in both there is nothing to run, which is no error" {
	four_hosts
	batch_bare -g db -x db02 -rerun "$earlier" -list
	expect_status 0
	expect_output
	expect_match "$err" \
	    'earlier.jsonl: of 3 hosts that would run again none is chosen'
	[ "$(wc -l <"$err")" -eq 1 ]
}

@test "when all are ok, or none has that status, there is nothing to run" {
	four_hosts
	batch_bare -rerun denied "$earlier" -cmd true -report "$report"
	expect_status 0
	expect_line "$err" \
	    "batch_run: $earlier: none of 4 hosts is denied: nothing to run"
	[ ! -e "$report" ]
	: >"$earlier"
	earlier web01 ok web
	earlier web02 ok web
	batch_bare -rerun "$earlier" -cmd true
	expect_status 0
	expect_line "$err" \
	    "batch_run: $earlier: all 2 hosts are ok: nothing to run"
	batch_bare -rerun notok "$earlier" -q -cmd true
	expect_status 0
	[ ! -s "$err" ]
}

@test "a report that has fewer records than its run had hosts is told of" {
	batch_start -h 'web[01-03]' -f 1 \
	    -cmd 'echo here; test $LAB_HOST = web02 && sleep 60; exit 1'
	wait_until grep -q '^web02: here' "$out"
	kill -KILL "$pid"
	batch_wait
	jq -es 'map([.host, .hosts]) == [["web01", 3]]' "$report"
	cp "$report" "$earlier" # batch_bare removes it
	batch_bare -rerun "$earlier" -list
	expect_status 0
	expect_lines web01
	expect_match "$err" "warning: $earlier: has records of 1 of the 3 hosts" \
	    "-rerun notok,missing $earlier with the -h, -g or -hostfile"
	batch_bare -rerun notok,missing "$earlier" -h 'web[03,02,01]' -list
	expect_lines web01 web03 web02
	[ ! -s "$err" ]
	batch_bare -rerun missing "$earlier" -g web -x web04 -list
	expect_lines web02 web03
	# What is not known is not "nothing to run".
	batch_bare -rerun denied "$earlier" -list
	expect_status 2
	expect_match "$err" 'records of 1 of the 3 .*-rerun denied,missing'
	# Nor are those that the choice does not name, either.
	batch_bare -rerun notok,missing "$earlier" -h web02 -list
	expect_status 0
	expect_lines web02
	expect_match "$err" 'of the 3 hosts of its run, and of the others -h, -g and -hostfile choose 1 only'
	batch_bare -rerun ok,missing "$earlier" -h web01 -list
	expect_status 2
	# A name that a shell reads otherwise, and one that looks like an option.
	cp "$earlier" "$BATS_TEST_TMPDIR/a b"
	batch_bare -rerun "$BATS_TEST_TMPDIR/a b" -list
	expect_match "$err" "-rerun notok,missing '$BATS_TEST_TMPDIR/a b' with"
	cd "$BATS_TEST_TMPDIR"
	cp "$earlier" ./-r
	batch_bare -rerun=-r -list
	expect_match "$err" '-rerun notok,missing ./-r with'
}

@test "of a report without a record the hosts are missing" {
	batch_bare -rerun "$earlier" -list
	expect_status 2
	expect_match "$err" 'earlier.jsonl: there is no record in it.*missing'
	batch_bare -rerun missing "$earlier" -h web01 -list
	expect_status 0
	expect_lines web01
	batch_bare -rerun missing "$earlier" -list
	expect_status 2
	expect_match "$err" 'option -rerun: missing goes with -h, -g'
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

@test "a wrong status, and no report, are usage errors" {
	four_hosts
	batch_bare -rerun failed,lost -cmd true
	expect_status 2
	expect_match "$err" \
	    'option -rerun: the report is missing after "failed,lost"'
	batch_bare -rerun -list
	expect_status 2
	expect_match "$err" 'option -rerun needs a value, and -list is an option'
	batch_bare -rerun "$earlier.absent" -list
	expect_status 2
	expect_match "$err" 'option -rerun: .*absent: No such file'
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

@test "hosts that may have run the command are counted, and can be left out" {
	batch -h 'web[01-03],127.0.0.1:1' -timeout 2 -cmd '
	    [ $LAB_HOST = web01 ] && exit 0; [ $LAB_HOST = web02 ] && exit 1
	    sleep 60'
	expect_status 3
	expect_line "$err" "2 of these 3 hosts may have run the command already; -rerun unreachable $report leaves them out"
	batch -h web03 -timeout 1 -cmd 'sleep 60'
	expect_line "$err" \
	    'each of these hosts may have run the command already'
	# Of those that failed this is known.
	batch -h web01,web02 -cmd false
	expect_match "$err" '^Again: '
	expect_no_match "$err" 'may have run'
	batch -h web01,127.0.0.1:1 -cmd false
	expect_match "$err" '^1 of these 2 hosts .*-rerun unreachable '
	batch -h 127.0.0.1:1 -cmd true
	expect_match "$err" '^Again: '
	expect_no_match "$err" 'may have run'
}

@test "a command whose input breaks off here may have run" {
	truncate -s 50M "$BATS_TEST_TMPDIR/input"
	batch_start -h web01 -stdin "$BATS_TEST_TMPDIR/input" -cmd '
	    echo here; until [ -e "$HOME/read" ]; do sleep 0.05; done; cat' \
	    -output none -outdir "$BATS_TEST_TMPDIR/out.d"
	wait_until grep -q here "$BATS_TEST_TMPDIR/out.d/web01.out"
	truncate -s 0 "$BATS_TEST_TMPDIR/input"
	touch "$(host_file web01 read)"
	batch_wait
	expect_status 5
	expect_result web01 error '.stage == "command"'
	expect_line "$err" \
	    'each of these hosts may have run the command already'
}

@test "transfers can be repeated: nothing is counted" {
	batch_run=$top_builddir/src/batch_scp
	batch -h web01,127.0.0.1:1 -action get -remote absent \
	    -local "$BATS_TEST_TMPDIR"
	expect_match "$err" '^Again: '
	expect_no_match "$err" 'may have run'
}

@test "what came from a pipe is to be given again" {
	echo input >"$BATS_TEST_TMPDIR/input"
	batch -h web01 -stdin "$BATS_TEST_TMPDIR/input" -cmd false
	expect_match "$err" '^Again: '
	input=$BATS_TEST_TMPDIR/input
	batch -h web01 -stdin - -cmd false
	expect_match "$err" '^Again \(give it the same input\): .* -stdin - '
	batch -h web01 -script <(echo false)
	expect_match "$err" '^Again \(give it the same input\): '
}

@test "the summary's command, pasted, runs the same where it failed" {
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
