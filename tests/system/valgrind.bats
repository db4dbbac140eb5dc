#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# valgrind: no process of ours decides by what was never written, touches what
# is not its own, or has memory or descriptors left at its end that it forgot.
# Memory that is meant to last is in tests/valgrind.supp. Workers have no
# sandbox, since valgrind needs files and system calls that they do not.
#
# VALGRIND_ALL=1 has further runs (make check-long).

load helper

with_lab -n 3

setup() {
	! is_sanitized || skip "sanitizers and valgrind exclude each other"
	command -v valgrind >/dev/null || skip "valgrind is missing"
	logs=$BATS_TEST_TMPDIR/logs
	far=$BATS_TEST_TMPDIR/far
	mkdir "$logs" "$far" "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here" || return
}

teardown() {
	batch_kill
	fakehosts_down
}

# under_valgrind PROGRAM: let batch_run be a script that runs it so. Valgrind
# takes its time when a worker ends, longer than control would wait.
under_valgrind() {
	batch_run=$BATS_TEST_TMPDIR/${1##*/}
	cat >"$batch_run" <<-END
	#!/bin/bash
	# Of what it inherits, newer versions complain; bash reads this from 255.
	for fd in /proc/\$\$/fd/*; do
		fd=\${fd##*/}
		[ "\$fd" -le 2 ] || [ "\$fd" -eq 255 ] || eval "exec \$fd>&-"
	done
	export LD_PRELOAD='$top_builddir/tests/patient.so'
	exec valgrind --trace-children=yes --log-file='$logs/%p' \
	    --num-callers=30 --leak-check=full --show-leak-kinds=all \
	    --errors-for-leak-kinds=all --track-fds=yes --error-exitcode=99 \
	    --suppressions='$top_srcdir/tests/valgrind.supp' '$1' "\$@"
	END
	chmod +x "$batch_run"
}

# checked_run ARGUMENT..., checked_scp ARGUMENT...: as batch does.
checked_run() {
	under_valgrind "$top_builddir/src/batch_run"
	batch -sandbox off -workers 1 "$@"
}

checked_scp() {
	under_valgrind "$top_builddir/src/batch_scp"
	batch -sandbox off -workers 1 "$@"
}

# forgotten_descriptors LOG: where those were opened that the process had open
# at its end, but for inherited ones and the loop's of a worker, which lasts as
# long as the worker.
forgotten_descriptors() {
	sed 's/^==[0-9]*== *//' "$1" | awk '
	function tell() {
		if (about != "" && about !~ /inherited|uv_loop_init/)
			printf "%s", about
		about = ""
	}
	/^Open (file descriptor|AF_)/ { tell(); is_about = 1 }
	/^$/ { tell(); is_about = 0 }
	is_about { about = about $0 "\n" }
	END { tell() }'
}

# errors_expected LOG: sets errors. Newer versions count inherited descriptors, too.
errors_expected() {
	if [ -z "${counts_inherited:-}" ]; then
		counts_inherited=yes
		if valgrind --track-fds=yes true 7</dev/null 2>&1 |
		    grep -q 'ERROR SUMMARY: 0 errors'; then
			counts_inherited=no
		fi
	fi
	if [ "$counts_inherited" = no ]; then
		errors=0
	else
		errors=$(grep -c 'inherited from parent' "$1" || true)
	fi
}

# is_clean COUNT: so many processes ran to their end with nothing found.
is_clean() {
	local log count=0
	for log in "$logs"/*; do
		[ -f "$log" ] || break
		count=$((count + 1))
		errors_expected "$log"
		grep -q "ERROR SUMMARY: $errors errors" "$log" &&
		    grep -q 'FILE DESCRIPTORS: ' "$log" &&
		    [ -z "$(forgotten_descriptors "$log")" ] || return
	done
	[ "$count" -eq "$1" ]
}

# expect_clean COUNT EXIT-STATUS: of the run before.
expect_clean() {
	local log
	expect_status "$2"
	is_clean "$1" || {
		echo "expected $1 processes without errors"
		for log in "$logs"/*; do
			echo "--- ${log##*/}"
			forgotten_descriptors "$log"
			sed -n '/ HEAP SUMMARY/,$p' "$log" | head -n 50
		done
		dump
		return 1
	}
	rm -f "$logs"/*
}

only_if_all() {
	[ -n "${VALGRIND_ALL:-}" ] || skip "only with VALGRIND_ALL=1"
}

tree_make() {
	mkdir -p "$1/a/b" "$1/empty"
	seq 20000 >"$1/a/numbers"
	: >"$1/a/b/nothing"
	ln -s a/numbers "$1/link"
}

@test "what is to be found is found" {
	local fault
	under_valgrind "$top_builddir/tests/faulty"
	"$batch_run" nothing
	is_clean 1
	for fault in leak reachable uninitialised beyond descriptor; do
		rm -f "$logs"/*
		"$batch_run" "$fault" || true
		not is_clean 1
	done
}

@test "commands: ok, failed, unreachable, denied; fold, a page" {
	checked_run -h web01,web02,127.77.0.9:1,nobody@127.77.0.3 -output fold \
	    -report-html page.html \
	    -cmd 'echo out; echo err >&2; [ $LAB_HOST = web01 ]'
	expect_clean 2 4
	expect_report 'map(.status) | sort ==
	    ["denied", "failed", "ok", "unreachable"]'
	[ -s page.html ]
}

@test "a tree is sent and verified; a target is missing on one host" {
	tree_make tree
	checked_scp -h web01,web02 -action put -local tree -remote "$far/" \
	    -verify
	expect_clean 2 0
	diff -r tree "$far/tree"
	checked_scp -h web01 -action put -local tree -remote "$far/no/such/"
	expect_clean 2 3
}

@test "a tree is fetched and verified; a source is missing" {
	tree_make "$far/tree"
	checked_scp -h web01,web02 -action get -remote "$far/tree" -local . \
	    -verify
	expect_clean 2 0
	diff -r "$far/tree" "web01$far/tree"
	checked_scp -h web01 -action get -remote "$far/none" -local .
	expect_clean 2 3
}

# --- further runs ------------------------------------------------------------

@test "what users do wrong" {
	only_if_all
	checked_run -no-such-option
	expect_clean 1 2
	checked_run -h 'web[09-01]' -cmd true
	expect_clean 1 2
	write_inventory <<<'web01 = port=none'
	checked_run -h web01 -cmd true
	expect_clean 1 2
	checked_scp -h web01 -action put -local nothing -remote "$far"
	expect_clean 1 2
	checked_run -help-all
	expect_clean 1 0
}

@test "output as lines, as JSON, in files; logs, numbers, a rerun" {
	only_if_all
	checked_run -g web,db -debug -log log -outdir files -metrics numbers \
	    -ordered -cmd 'seq 3000; [ $LAB_HOST = web01 ]'
	expect_clean 2 1
	cp "$report" earlier
	checked_run -rerun earlier -output json -cmd 'echo $LAB_HOST; exit 3'
	expect_clean 2 1
	[ "$(jq -r .host "$out" | sort)" = "$(printf 'db01\nweb02')" ]
	checked_run -h 'web*,@db' -output fold -diff -fold-ignore '[0-9]+' \
	    -cmd 'seq 500; echo $LAB_HOST'
	expect_clean 2 0
	checked_run -g web,db -x web02 -list-folded
	expect_clean 1 0
}

@test "hosts that are slow, silent or not there; retries, waves, a limit" {
	only_if_all
	fakehost silent silent
	checked_run -h "web01,web02,127.0.0.1:$fake_port,127.77.0.9:1" \
	    -connect-timeout 5s -timeout 2s -retries 1 -retry-delay 1ms \
	    -batch 1,100% -max-fail 90% -rate 100 -cmd 'sleep 100'
	expect_clean 2 3
	expect_report 'map(.status) | sort ==
	    ["timeout", "timeout", "timeout", "unreachable"]'
}

@test "a script with input and settings; a new key; keys of an agent" {
	only_if_all
	echo 'echo "$1 $NAME"' >script
	seq 1000 >given
	known_hosts=$PWD/new
	eval "$(ssh-agent -a "$PWD/agent")" >/dev/null
	ssh-add -q "$LAB_DIR/id_ed25519"
	checked_run -h root@127.77.0.1 -port "$LAB_PORT" -host-key accept-new \
	    -user "$LAB_USER" -env NAME=value -no-prefix -script script \
	    -- argument
	kill "$SSH_AGENT_PID"
	expect_clean 2 0
	expect_lines "argument value"
	[ -s new ]
	checked_run -h web01 -no-prefix -stdin given -cmd 'cat'
	expect_clean 2 0
	cmp given "$out"
}

@test "an interrupted run" {
	only_if_all
	under_valgrind "$top_builddir/src/batch_run"
	batch_start -sandbox off -workers 1 -h web01,web02 \
	    -cmd 'echo up; sleep 100'
	wait_until grep -q up "$out"
	kill -INT "$pid"
	batch_wait
	expect_clean 2 130
}

@test "a tree is sent and fetched again, when it is there" {
	only_if_all
	tree_make tree
	checked_scp -h web01 -action put -local tree -remote "$far/"
	expect_clean 2 0
	checked_scp -h web01 -action put -local tree -remote "$far/"
	expect_clean 2 0
	checked_scp -h web01,web02 -action get -remote "$far/tree" -local .
	expect_clean 2 0
	checked_scp -h web01,web02 -action get -remote "$far/tree" -local .
	expect_clean 2 0
	diff -r tree "web02$far/tree"
}
