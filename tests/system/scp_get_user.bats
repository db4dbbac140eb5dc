#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2088,SC2154
#
# scp_get_user: the login directory, and what an ordinary user may not read. If
# root runs the tests the hosts are those of a temporary user.

load helper
load scp
load scp_get

setup_file() {
	scp_user_up
}

teardown_file() {
	scp_user_down
}

setup() {
	skip_if_told
	scp_setup
	# What that user can read; the files are ours or theirs.
	below=scp_get_user.$BASHPID
	far=$login_home/$below
	scp_get_setup
	mkdir -m 755 "$far"
	echo hello >"$far/a"
	chmod 644 "$far/a"
}

teardown() {
	[ -n "${below:-}" ] || return 0
	chmod -R u+rwx "$far"
	rm -rf "$far"
}

# --- the login directory -----------------------------------------------------

@test "relative paths are in the login directory" {
	get -remote "$below/a" -local out
	expect_status 0
	expect_same "$far/a" "out/web01/$below/a"
	[ "$(ls -A out/web01)" = "$below" ]
	get -remote "./$below//a" -local '%h.txt'
	expect_status 0
	expect_same "$far/a" web01.txt
	expect_match "$out" "get \./$below//a -> web01.txt"
}

@test "a path that starts with ~/ is in the login directory" {
	get -remote "~/$below/a" -remote "~//$below/[a]" -local out
	expect_status 0
	expect_same "$far/a" "out/web01/$below/a"
	[ "$(ls -A out/web01)" = "$below" ]
}

@test "globs work in the login directory" {
	get -remote 'scp_get_user.*/?' -local out
	expect_status 0
	expect_same "$far/a" "out/web01/$below/a"
}

@test "the login directory itself can be fetched" {
	[ "$(id -u)" -eq 0 ] || skip "not all of a user's real home"
	echo top >"$login_home/$below.top"
	chmod 644 "$login_home/$below.top"
	local path
	for path in '~' '~/' . ./; do
		get -remote "$path" -local out
		expect_status 0
		expect_same_tree "$login_home" out/web01
		rm -r out
	done
	rm "$login_home/$below.top"
}

@test "sums are computed of relative paths, too" {
	write_random "$far/-large" 300000
	chmod 644 "$far/-large"
	(cd "$far" && ln -s -- -large link)
	get -remote "$below/-large" -local out -verify
	expect_status 0
	expect_result web01 ok ".sha256 == \"$(sha256 "$far/-large")\""
	get -remote "$below/-large" -local out -checksum
	expect_result web01 ok '.unchanged == 1'
}

# --- what is not permitted ---------------------------------------------------

@test "a file that may not be read is an error, and the rest goes on" {
	mkdir -m 755 "$far/tree"
	cp "$far/a" "$far/tree/free"
	cp "$far/a" "$far/tree/locked"
	chmod 000 "$far/tree/locked"
	batch -h web01,db01 -action get -remote "$far/tree" -remote "$far/a" \
	    -local out
	expect_status 3
	expect_report 'length == 2 and all(.status == "transfer" and
	    .stage == "transfer" and .files == 2 and .bytes == 12 and
	    (.message | test("1 of 3 .*tree/locked: opening it: Permission")))'
	expect_match "$err" 'db01: .*tree/locked: opening it: Permission denied'
	expect_same "$far/a" "$got/tree/free"
	expect_same "$far/a" "$got/a"
	[ "$(ls -A "$got/tree")" = free ]
	[ "$(ls -A "out/db01$far/tree")" = free ]
}

@test "one file that may not be read leaves the old one" {
	chmod 000 "$far/a"
	mkdir -p "$got"
	echo old >"$got/a"
	get -remote "$far/a" -local out
	expect_status 3
	expect_result web01 transfer '.files == 0 and
	    (.message | test("/a: opening it: Permission denied"))'
	[ "$(cat "$got/a")" = old ]
	expect_no_temporaries out
}

@test "a directory that may not be listed is an error, and the rest goes on" {
	mkdir -m 755 "$far/tree" "$far/tree/locked" "$far/tree/z"
	cp "$far/a" "$far/tree/locked/a"
	cp "$far/a" "$far/tree/z/a"
	chmod 711 "$far/tree/locked"
	[ "$(id -u)" -eq 0 ] || chmod 311 "$far/tree/locked"
	get -remote "$far/tree" -local out
	expect_status 3
	expect_result web01 transfer '.files == 1 and
	    (.message | test("tree/locked: listing it: Permission denied"))'
	expect_same "$far/a" "$got/tree/z/a"
	# What is in it can be had by its name.
	get -remote "$far/tree/locked/a" -local out
	expect_status 0
	expect_same "$far/a" "$got/tree/locked/a"
	get -remote "$far/tree/locked/*" -local out
	expect_status 3
	expect_result web01 transfer '.message | test("Permission denied")'
}
