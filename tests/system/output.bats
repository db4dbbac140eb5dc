#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# output: point 1, what a run shows, where, and how it exits.

load helper

with_lab -n 6

teardown() {
	batch_kill
}

# Makes web02 and web03 fail with exit status 3, db02 with 7.
some_fail='case $LAB_HOST in web02|web03) exit 3;; db02) exit 7;; esac'

@test "every line of every host appears on stdout as 'host: line'" {
	batch -h db02 -g web -cmd 'echo "I am $LAB_HOST"; echo "  and done"'
	expect_status 0
	expect_output \
	    'web01: I am web01' 'web01:   and done' \
	    'web02: I am web02' 'web02:   and done' \
	    'web03: I am web03' 'web03:   and done' \
	    'web04: I am web04' 'web04:   and done' \
	    'db02: I am db02' 'db02:   and done'
}

@test "a host's lines keep their order" {
	batch -h web01 -cmd 'i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo $i; done'
	expect_status 0
	[ "$(cat "$out")" = "$(seq -f 'web01: %g' 2000)" ]
}

@test "stderr lines go to stderr with the same tag" {
	batch -g web -cmd 'echo to out; echo "to err of $LAB_HOST" >&2'
	expect_status 0
	expect_output 'web01: to out' 'web02: to out' 'web03: to out' \
	    'web04: to out'
	expect_line "$err" 'web01: to err of web01'
	expect_line "$err" 'web04: to err of web04'
}

@test "stdout carries the hosts' output and nothing else" {
	batch -g web,db -h 127.77.9.9:1 -cmd "$some_fail"
	[ ! -s "$out" ] || { dump; return 1; }
	[ -s "$err" ]
}

@test "an empty line is the tag alone" {
	batch -h web01 -cmd 'echo a; echo; echo b'
	expect_status 0
	printf 'web01: a\nweb01: \nweb01: b\n' | cmp - "$out"
}

@test "a last line without newline gets one" {
	batch -h web01,web02 -cmd 'printf "one\ntwo of $LAB_HOST"'
	expect_status 0
	expect_output 'web01: one' 'web01: two of web01' \
	    'web02: one' 'web02: two of web02'
	[ "$(tail -c 1 "$out" | od -An -tx1 | tr -d ' ')" = 0a ]
}

@test "a line appears while its command still runs" {
	batch_start -h web01 \
	    -cmd 'echo early; until [ -e "$HOME/go" ]; do sleep 0.1; done; echo late'
	wait_until grep -qFx 'web01: early' "$out"
	alive "$pid"
	touch "$(host_file web01 go)"
	batch_wait
	expect_status 0
	expect_lines 'web01: early' 'web01: late'
}

@test "hosts that write at the same time never share a line" {
	batch -g web,db -cmd 'i=0
	while [ $i -lt 300 ]; do
		i=$((i + 1))
		printf "$LAB_HOST "
		printf "%0200d " $i
		printf "$LAB_HOST\n"
	done'
	expect_status 0
	[ "$(wc -l <"$out")" -eq 1800 ]
	# tag, and the same name before and behind the number
	awk '$1 != $2 ":" || $2 != $4 || length($3) != 200 || NF != 4 {
		print
		bad = 1
	}
	END { exit bad }' "$out"
}

@test "progress with carriage returns becomes lines of its own" {
	batch -h web01 -cmd 'printf "10%%\r50%%\r100%%\ndone\n"'
	expect_status 0
	tr '\r' '\n' <"$out" >"$out.lines"
	printf 'web01: %s\n' '10%' '50%' '100%' 'done' | cmp - "$out.lines"
}

@test "lines that end in CR LF are not doubled" {
	batch -h web01 -cmd 'printf "a\r\nb\r\n"'
	expect_status 0
	tr -d '\r' <"$out" >"$out.lines"
	printf 'web01: a\nweb01: b\n' | cmp - "$out.lines"
}

@test "a line of a megabyte arrives whole" {
	batch -h web01,web02 -cmd 'head -c 1000000 /dev/zero | tr "\0" x; echo end'
	expect_status 0
	[ "$(wc -l <"$out")" -eq 2 ]
	awk '{ print length($0), substr($0, length($0) - 3) }' "$out" >"$out.l"
	# 7 of the tag, 3 of "end"
	printf '1000010 xend\n1000010 xend\n' | cmp - "$out.l"
}

@test "binary output is not changed when stdout is no terminal" {
	batch -h web01 -no-prefix -cmd \
	    'i=0; while [ $i -lt 256 ]; do [ $i -eq 13 ] || printf "\\$(printf %03o $i)"; i=$((i + 1)); done; echo'
	expect_status 0
	"$python" -c 'import sys
sys.stdout.buffer.write(bytes(i for i in range(256) if i != 13) + b"\n")' |
	    cmp - "$out"
}

@test "-no-prefix leaves the tags away" {
	batch -h web01 -no-prefix -cmd 'echo "plain $LAB_HOST"; echo err >&2'
	expect_status 0
	expect_lines 'plain web01'
	expect_line "$err" err
}

@test "-output none prints no host's output" {
	batch -g web -output none -cmd "echo text; echo text >&2; $some_fail"
	expect_status 1
	[ ! -s "$out" ]
	expect_no_match "$err" ': text'
	expect_result web01 ok
	expect_result web02 failed '.exit_code == 3'
}

@test "the summary counts by status" {
	batch -g web,db -h 127.77.9.9:1 -cmd "$some_fail"
	expect_match "$err" '7 hosts.*3 ok' '3 failed' '1 unreachable'
	expect_report 'length == 7'
}

@test "the summary folds the failed hosts with their reason" {
	batch -g web,db -cmd "$some_fail"
	expect_match "$err" 'failed.*3.*web\[02-03\]' 'failed.*7.*db02'
	expect_no_match "$err" 'ok.*web01'
}

@test "a summary of only successes names no host" {
	batch -g web,db -cmd true
	expect_status 0
	expect_match "$err" '6 hosts.*6 ok'
	expect_no_match "$err" 'web'
}

@test "-q prints no summary when all is well" {
	batch -g web -q -cmd 'echo text'
	expect_status 0
	[ ! -s "$err" ] || { dump; return 1; }
	[ "$(wc -l <"$out")" -eq 4 ]
}

@test "exit status 0: every host ok" {
	batch -g web,db -cmd true
	expect_status 0
	expect_report 'length == 6 and all(.status == "ok" and .ok and .exit_code == 0)'
}

@test "exit status 1: a command failed, and no other host is stopped by it" {
	batch -g web,db -fanout 1 -cmd "$some_fail; echo ran"
	expect_status 1
	expect_output 'web01: ran' 'web04: ran' 'db01: ran'
}

@test "exit status 3: a host is unreachable, the others run" {
	batch -h 127.77.9.9:1 -g web -cmd 'echo ran'
	expect_status 3
	expect_output 'web01: ran' 'web02: ran' 'web03: ran' 'web04: ran'
	expect_report 'map(select(.status == "unreachable")) | length == 1'
}

@test "exit status 4: a host key or authentication is refused" {
	grep -v '^\[127.77.0.2\]' "$LAB_KNOWN_HOSTS" >"$BATS_TEST_TMPDIR/known"
	known_hosts=$BATS_TEST_TMPDIR/known
	batch -g web -cmd 'echo ran'
	expect_status 4
	expect_output 'web01: ran' 'web03: ran' 'web04: ran'
	expect_result web02 denied
}

@test "the highest class of exit status wins" {
	batch -g web -h 127.77.9.9:1 -cmd "$some_fail"
	expect_status 3
	grep -v '^\[127.77.0.1\]' "$LAB_KNOWN_HOSTS" >"$BATS_TEST_TMPDIR/known"
	known_hosts=$BATS_TEST_TMPDIR/known
	batch -g web -h 127.77.9.9:1 -cmd "$some_fail"
	expect_status 4
}

@test "-S exits with the largest remote exit status" {
	batch -g web,db -S -cmd "$some_fail"
	expect_status 7
	batch -g web -S -cmd true
	expect_status 0
}

@test "the report has one record a host, with all that is known of it" {
	batch -g web,db -cmd "$some_fail"
	[ "$(wc -l <"$report")" -eq 6 ]
	expect_report '(map(.host) | sort) ==
	    ["db01", "db02", "web01", "web02", "web03", "web04"]'
	expect_report '(map(.seq) | unique | length) == 6'
	expect_result web01 ok '.ok == true and .exit_code == 0 and
	    (.address | startswith("127.77.0.1")) and .attempts == 1 and
	    (.started_at | type) == "string" and .cost_ms >= 0 and
	    .connect_ms >= 0 and .auth_ms >= 0'
	expect_result db02 failed '.ok == false and .exit_code == 7 and
	    .stage == "command"'
	expect_result web03 failed '.exit_code == 3'
}

@test "the report counts the bytes of both streams" {
	batch -h web01 -cmd 'head -c 100000 /dev/zero; echo error >&2'
	expect_status 0
	expect_result web01 ok '.stdout_bytes == 100000 and .stderr_bytes == 6'
}

@test "-color always colours the tags, -color never does not" {
	batch -h web01 -color always -cmd 'echo text'
	expect_status 0
	grep -q "$(printf '\033')\\[.*web01" "$out"
	batch -h web01 -color never -cmd 'echo text'
	expect_lines 'web01: text'
	batch -h web01 -color auto -cmd 'echo text'
	expect_lines 'web01: text'
}

@test "a host cannot drive the terminal" {
	on_terminal -- "$batch_run" -known-hosts "$known_hosts" -h web01 \
	    -color never \
	    -cmd 'printf "a\033]0;title\007b\033[2Jc\010d\233e\n"; printf "\033[5merr\n" >&2'
	expect_status 0
	expect_no_bytes "$out" $'\033' $'\007' $'\010' $'\233'
	expect_match "$out" '^web01: a.*title.*b.*c.*d.*e' '^web01: .*err'
}

@test "bidi overrides and bytes that are no text are escaped on a terminal" {
	on_terminal -- "$batch_run" -known-hosts "$known_hosts" -h web01 \
	    -color never \
	    -cmd 'printf "x\342\200\256y\377z\302\205w \303\251\n"'
	expect_status 0
	expect_no_bytes "$out" $'\342\200\256' $'\377' $'\302\205'
	# Letters stay.
	LC_ALL=C grep -q "$(printf '\303\251')" "$out"
}

@test "a last line without newline on stderr cannot drive the terminal either" {
	on_terminal -- "$batch_run" -known-hosts "$known_hosts" \
	    -h web01 -color never -cmd 'printf "\033[31mno newline" >&2; exit 9'
	expect_status 1
	expect_no_bytes "$out" $'\033[31m'
}
