#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# descriptors: point 10, the limit of open files.

load helper

with_lab -n 120

teardown() {
	batch_kill
}

@test "a fanout that does not fit is lowered with one warning, all hosts are ok" {
	ulimit -n 64
	batch -g web,db -fanout 500 -workers 2 -cmd 'echo ran'
	expect_status 0
	[ "$(grep -c ': ran$' "$out")" -eq 120 ]
	[ "$(grep -ci 'fanout' "$err")" -eq 1 ] || { dump; return 1; }
	expect_no_match "$err" 'too many open files|EMFILE'
}

@test "32 descriptors are enough for commands, with one warning" {
	limited -n 32 -g web,db -workers 16 -cmd 'echo ran'
	expect_status 0
	[ "$(grep -c ': ran$' "$out")" -eq 120 ]
	[ "$(wc -l <"$err")" -eq 2 ] || { dump; return 1; }
	expect_match "$err" 'warning: -fanout 64 needs more descriptors'
}

@test "32 descriptors are enough for transfers of trees" {
	local tree=$BATS_TEST_TMPDIR/tree far=$BATS_TEST_TMPDIR/far
	batch_run=$top_builddir/src/batch_scp
	mkdir -p "$tree/a/b/c/d/e/f" "$far"
	touch "$tree"/{1..20} "$tree"/a/{1..20} "$tree"/a/b/c/d/e/f/{1..20}
	limited -n 32 -h 'web[01-10]' -action put -local "$tree" \
	    -remote "$far" -verify
	expect_status 0
	diff -r "$tree" "$far/tree"
	[ "$(wc -l <"$err")" -eq 2 ] || { dump; return 1; }
	limited -n 32 -h 'web[01-10]' -action get -remote "$tree" \
	    -local "$BATS_TEST_TMPDIR/got" -verify
	expect_status 0
	[ "$(find "$BATS_TEST_TMPDIR/got" -type f | wc -l)" -eq 600 ]
	diff -r "$tree" "$BATS_TEST_TMPDIR/got/web10$tree"
}

@test "with fewer than 32 descriptors nothing begins, and it is said why" {
	local limit
	for limit in 31 20 12; do
		log_mark
		limited -n "$limit" -g web -cmd 'echo ran'
		expect_status 5
		[ "$(cat "$err")" = "batch_run: \"ulimit -n\" allows $limit \
descriptors; at least 32 are needed" ] || { dump; return 1; }
		[ -z "$(log_since_mark)" ]
	done
}

@test "the soft limit is raised to the hard one" {
	[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 1024 ] ||
	    skip "the hard limit is too low"
	ulimit -Sn 64
	batch -g web,db -fanout 120 -workers 2 -cmd 'echo ran'
	expect_status 0
	[ "$(grep -c ': ran$' "$out")" -eq 120 ]
	expect_no_match "$err" 'fanout'
}

@test "120 hosts with the default fanout are all ok" {
	batch -g web,db -cmd 'echo ran'
	expect_status 0
	[ "$(grep -c ': ran$' "$out")" -eq 120 ]
	expect_match "$err" '120 hosts.*120 ok'
}
