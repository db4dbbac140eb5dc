#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# fold: equal output once, under the names of its hosts; and -ordered.

load helper

with_lab -n 6

teardown() {
	batch_kill
	fakehosts_down
}

rule=---------------

has_lines() {
	[ "$(wc -l <"$2")" -eq "$1" ]
}

@test "equal output is printed once, the largest group first" {
	batch -g web,db -output fold \
	    -cmd 'case $LAB_HOST in web*) echo web;; db*) seq 2;; esac'
	expect_status 0
	expect_lines $rule 'web[01-04] (4)' $rule web \
	    $rule 'db[01-02] (2)' $rule 1 2
}

@test "stdout and stderr are apart, and each is where it belongs" {
	batch -g web -output fold -cmd 'echo out; echo err >&2'
	expect_status 0
	expect_lines $rule 'web[01-04] (4)' $rule out
	expect_line "$err" 'web[01-04] (4) stderr'
	expect_line "$err" err
}

@test "failed hosts are marked with how they ended" {
	batch -g web,db -h 127.77.9.9:1 -output fold -cmd '
	    case $LAB_HOST in
	    web01|web03) echo text; exit 3;;
	    db01) echo text; kill -TERM $$;;
	    *) echo text;;
	    esac'
	expect_status 3
	expect_lines $rule 'db02,web[02,04] (3)' $rule text \
	    $rule 'web[01,03] (2): failed, exit 3' $rule text \
	    $rule 'db01: failed, killed by signal TERM' $rule text \
	    $rule '127.77.9.9:1: unreachable connect, Connection refused'
}

@test "hosts that are ok and sent nothing are named in the last line" {
	batch -g web -output fold -cmd '[ $LAB_HOST != web02 ] || echo text'
	expect_status 0
	expect_lines $rule web02 $rule text \
	    $rule 'web[01,03-04] (3): ok, no output'
	batch -g web -output fold -cmd true
	expect_status 0
	[ ! -s "$out" ]
}

@test "dates and a host's own name make no difference" {
	batch -g web -output fold -cmd 'date; echo "$LAB_HOST is fine"'
	expect_status 0
	expect_line "$out" 'web[01-04] (4)'
	expect_line "$out" 'web01 is fine'
	[ "$(wc -l <"$out")" -eq 5 ]
}

@test "-fold-ignore takes away what differs, an empty one compares all" {
	batch -g web -fold-ignore 'pid [0-9]+' \
	    -cmd 'echo "pid $$ of $LAB_HOST"'
	expect_status 0
	expect_line "$out" 'web[01-04] (4)'
	batch -g web -fold-ignore '' -cmd 'echo "of $LAB_HOST"'
	expect_lines $rule web01 $rule 'of web01' $rule web02 $rule 'of web02' \
	    $rule web03 $rule 'of web03' $rule web04 $rule 'of web04'
}

@test "a -fold-ignore that is no regular expression stops the run before any host" {
	batch -g web -fold-ignore 'a(b' -cmd true
	expect_status 2
	expect_match "$err" 'fold-ignore.*a\(b'
	[ ! -e "$report" ]
}

@test "-diff shows what differs from the largest group, or from a host" {
	local command='seq 5; [ $LAB_HOST != web03 ] || echo more'
	batch -g web -diff -cmd "$command"
	expect_status 0
	expect_lines $rule 'web[01-02,04] (3), reference' $rule 1 2 3 4 5 \
	    $rule web03 $rule '--- web[01-02,04]' '+++ web03' \
	    '@@ -3,3 +3,4 @@' ' 3' ' 4' ' 5' '+more'
	batch -g web -output fold -diff WEB03 -cmd "$command"
	expect_lines $rule 'web03, reference' $rule 1 2 3 4 5 more \
	    $rule 'web[01-02,04] (3)' $rule '--- web03' '+++ web[01-02,04]' \
	    '@@ -3,4 +3,3 @@' ' 3' ' 4' ' 5' -more
	batch -g web -cmd "$command" -diff=web01
	expect_line "$out" '+more'
}

@test "-diff shows a host that is ok and wrote nothing, or alone something" {
	batch -g web -diff -cmd '[ $LAB_HOST = web03 ] || echo setting'
	expect_status 0
	expect_lines $rule 'web[01-02,04] (3), reference' $rule setting \
	    $rule web03 $rule '--- web[01-02,04]' '+++ web03' \
	    '@@ -1 +0,0 @@' -setting
	batch -g web -diff -cmd '[ $LAB_HOST != web03 ] || echo setting'
	expect_lines $rule 'web[01-02,04] (3), reference' $rule '(no output)' \
	    $rule web03 $rule '--- web[01-02,04]' '+++ web03' \
	    '@@ -0,0 +1 @@' +setting
}

@test "-diff with a host that is not chosen is a usage error" {
	batch -g web -diff db01 -cmd true
	expect_status 2
	expect_match "$err" 'diff.*db01'
}

@test "options of the fold go with it only" {
	batch -g web -output live -diff -cmd true
	expect_status 2
	expect_match "$err" 'diff.*fold'
	batch -g web -output json -fold-ignore x -cmd true
	expect_status 2
	expect_match "$err" 'fold-ignore.*fold or -report-html'
	batch -g web -output live -diff -report-html "$report.html" -cmd true
	expect_status 2
	expect_match "$err" 'diff.*fold'
}

@test "modes that would mix on stdout are refused" {
	local mode
	for mode in live,json fold,json live,none live,fold,json ''; do
		batch -g web -output "$mode" -cmd true
		expect_status 2
		expect_match "$err" 'output.* none of live\|fold\|live,fold\|json\|none$'
	done
}

@test "what batch.conf says of the output gives way to what is typed" {
	local conf=$BATS_TEST_TMPDIR/batch.conf
	printf '%s\n' '[batch]' 'output = live' 'fold-ignore = "[0-9]+"' >"$conf"
	chmod 600 "$conf"
	batch -config "$conf" -h web01 -cmd 'echo 1'
	expect_status 0
	expect_lines 'web01: 1'
	batch -config "$conf" -h web01,web02 -diff -cmd 'echo ${LAB_HOST#web}'
	expect_status 0
	expect_lines $rule 'web[01-02] (2)' $rule 01
}

@test "-output live,fold prints lines as they come, then the fold" {
	batch_start -g web -output live,fold -cmd 'echo early
	    until [ -e "$HOME/go" ]; do sleep 0.1; done; echo late'
	wait_until grep -qFx 'web04: early' "$out"
	expect_no_match "$out" "$rule"
	touch "$LAB_DIR"/home/web0{1,2,3,4}/go
	batch_wait
	expect_status 0
	[ "$(head -n 8 "$out" | grep -c '^web0[1-4]: ')" -eq 8 ]
	tail -n 5 "$out" >"$out.fold"
	printf '%s\n' $rule 'web[01-04] (4)' $rule early late | cmp - "$out.fold"
}

@test "large outputs come whole and once" {
	batch -g web -output fold -cmd 'seq 300000'
	expect_status 0
	{
		printf '%s\n' $rule 'web[01-04] (4)' $rule
		seq 300000
	} | cmp - "$out"
}

@test "Ctrl-C prints the fold of what came" {
	batch_start -g web -fanout 3 -output fold \
	    -cmd 'echo begun; echo >"$HOME/begun"; sleep 300'
	wait_until test -e "$(host_file web01 begun)"
	wait_until test -e "$(host_file web02 begun)"
	wait_until test -e "$(host_file web03 begun)"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_line "$out" \
	    'web[01-03] (3): cancelled command, interrupted by SIGINT'
	expect_line "$out" begun
	expect_line "$out" 'web04: cancelled, interrupted by SIGINT'
}

@test "a run answers while it compares large outputs" {
	local word ignore=()
	for word in a b c d e f g h; do # each takes its time
		ignore+=(-fold-ignore "no $word+ such (line|word)s*")
	done
	batch_start -g web -output fold "${ignore[@]}" \
	    -cmd 'seq 300000 | sed "s/^/$LAB_HOST no line /"'
	wait_until test -e "$report"
	wait_until has_lines 4 "$report"
	kill -USR1 "$pid"
	wait_until grep -q '^4 hosts: 4 done' "$err"
	[ ! -s "$out" ]
	batch_wait
	expect_status 0
	expect_line "$out" 'web[01-04] (4)'
	[ "$(wc -l <"$out")" -eq 300003 ]
}

@test "a host that does not answer keeps no output from the one who interrupts" {
	proxied_inventory
	batch_start -h web01 -output fold -cmd 'echo begun; sleep 300' \
	    -outdir "$BATS_TEST_TMPDIR/dir"
	wait_until grep -q begun "$BATS_TEST_TMPDIR/dir/web01.out"
	touch "$BATS_TEST_TMPDIR/fakehost.proxy.stall"
	kill -INT "$pid"
	sleep 0.3
	kill -INT "$pid" 2>/dev/null || true
	batch_wait
	expect_status 130
	expect_match "$out" '^web01: cancelled'
	expect_line "$out" begun
}

@test "the fold cannot drive the terminal" {
	on_terminal -- "$batch_run" -known-hosts "$known_hosts" -g web \
	    -output fold -color never \
	    -cmd 'printf "a\033[2J\303\244\n"; printf "\033[5m\n" >&2'
	expect_status 0
	expect_no_bytes "$out" $'\033'
	expect_match "$out" '^web\[01-04\] \(4\)' '^a\\x1b\[2J'
	LC_ALL=C grep -q "$(printf '\303\244')" "$out"
}

@test "a full disk under stdout is an error of the fold, too" {
	[ -w /dev/full ] || skip "no /dev/full here"
	status=0
	timeout -k 5 120 "$batch_run" -known-hosts "$known_hosts" -g web \
	    -output fold -cmd 'echo text' </dev/null >/dev/full 2>"$err" 3>&- ||
	    status=$?
	expect_status 5
	expect_match "$err" 'stdout'
}

# --- the same by others ------------------------------------------------------

some_output='case $LAB_HOST in
    web02) echo one;;
    db*) echo two; echo; echo "  three: 3";;
    *) echo four;;
    esac'

@test "clubak makes of our lines what the fold is" {
	command -v clubak >/dev/null || skip "clubak is missing"
	batch -g web,db -cmd "$some_output"
	expect_status 0
	clubak -b -S ': ' <"$out" >"$out.clubak"
	batch -g web,db -output fold -cmd "$some_output"
	diff "$out.clubak" "$out"
}

@test "dshbak reads our lines" {
	command -v dshbak >/dev/null || skip "dshbak is missing"
	batch -g web,db -cmd "$some_output"
	expect_status 0
	dshbak -c <"$out" >"$out.dshbak"
	expect_match "$out.dshbak" '^web\[01,03-04\]$' '^db\[01-02\]$' '^web02$'
	# Two rules a group, and its text.
	[ "$(wc -l <"$out.dshbak")" -eq $((3 * 3 + 5)) ]
}

# --- order -------------------------------------------------------------------

# The last of the choice ends first.
backwards='case $LAB_HOST in web04) n=0;; web03) n=1;; web02) n=2;; *) n=3;; esac
    until [ $n -eq 0 ] || [ -e "$HOME/../web0$((5 - n))/over" ]; do sleep 0.02; done
    echo "1 $LAB_HOST"; echo "2 $LAB_HOST"; echo "e $LAB_HOST" >&2
    touch "$HOME/over"'

@test "-ordered prints live lines in the order of the choice" {
	rm -f "$LAB_DIR"/home/*/over
	batch -h web01,web02,web03,web04 -ordered -cmd "$backwards"
	expect_status 0
	expect_lines 'web01: 1 web01' 'web01: 2 web01' \
	    'web02: 1 web02' 'web02: 2 web02' \
	    'web03: 1 web03' 'web03: 2 web03' 'web04: 1 web04' 'web04: 2 web04'
	[ "$(grep -c '^web0.: e web0.$' "$err")" -eq 4 ]
	grep '^web0' "$err" | sort -c
	expect_report 'map(.host) == ["web01", "web02", "web03", "web04"]'
}

@test "-ordered shows what the first host writes while it runs" {
	batch_start -h web01,web02 -ordered -cmd 'echo early
	    [ $LAB_HOST = web02 ] || until [ -e "$HOME/go2" ]; do sleep 0.1; done
	    echo late'
	wait_until grep -qFx 'web01: early' "$out"
	touch "$(host_file web01 go2)"
	batch_wait
	expect_lines 'web01: early' 'web01: late' 'web02: early' 'web02: late'
}

@test "-ordered prints groups in the order of the choice" {
	batch -h db01 -g web -ordered -output fold \
	    -cmd 'case $LAB_HOST in db01) echo db;; *) echo web;; esac'
	expect_status 0
	expect_lines $rule db01 $rule db $rule 'web[01-04] (4)' $rule web
}

@test "-ordered holds large outputs and loses nothing of them" {
	batch -g web -ordered -no-prefix -cmd 'seq 300000 | sed "s/^/$LAB_HOST /"'
	expect_status 0
	local host
	for host in web01 web02 web03 web04; do
		seq 300000 | sed "s/^/$host /"
	done | cmp - "$out"
}
