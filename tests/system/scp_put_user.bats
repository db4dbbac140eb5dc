#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2088,SC2154
#
# scp_put_user: the login directory, and what an ordinary user may not do. If
# root runs the tests the hosts are those of a temporary user.

load helper
load scp

setup_file() {
	scp_user_up
}

teardown_file() {
	scp_user_down
}

setup() {
	skip_if_told
	scp_setup
	# Where that user may write.
	below=scp_put_user.$BASHPID
	far=$login_home/$below
	mkdir "$far"
	give "$far"
	echo hello >a
}

teardown() {
	batch_kill
	[ -n "${below:-}" ] || return 0
	chmod -R u+rwx "$far"
	rm -rf "$far"
}

# give PATH...: they are the user's.
give() {
	[ "$(id -u)" -ne 0 ] || chown "$temp_user" "$@"
}

# expect_denied FILES REGEX
expect_denied() {
	expect_status 3
	expect_result web01 transfer '.stage == "transfer" and
	    .files == '"$1"' and (.message | test("'"$2"'"))'
	expect_no_temporaries "$far"
}

# --- the login directory -----------------------------------------------------

@test "relative paths are in the login directory" {
	put -local a -remote "$below"
	expect_status 0
	expect_same a "$far/a"
	put -local a -remote "$below/b"
	expect_status 0
	expect_same a "$far/b"
	put -local a -remote "$below/x/y/" -mkdir
	expect_status 0
	expect_same a "$far/x/y/a"
	expect_match "$out" "put a -> $below/x/y/a"
}

@test "a path that starts with ~/ is in the login directory" {
	put -local a -remote "~/$below/"
	expect_status 0
	expect_same a "$far/a"
	put -local a -remote "~//$below/b"
	expect_status 0
	expect_same a "$far/b"
	[ ! -e '~' ]
}

@test "the login directory itself is a destination" {
	local path
	for path in '~' '~/' . ./; do
		echo "for $path" >"$below.file"
		put -local "$below.file" -remote "$path" -verify
		cmp "$below.file" "$login_home/$below.file"
		rm "$login_home/$below.file"
		expect_status 0
	done
}

@test "a new name and a tree may be right in the login directory" {
	mkdir -p tree/sub
	cp a tree/sub
	put -local a -remote "$below.file"
	cmp a "$login_home/$below.file"
	rm "$login_home/$below.file"
	expect_status 0
	rmdir "$far"
	put -local tree/ -remote "$below"
	expect_status 0
	expect_same_tree tree "$far"
}

@test "sums are computed of relative paths, too" {
	write_random ./-large 300000
	put -local ./-large -remote "$below" -verify
	expect_status 0
	expect_same ./-large "$far/-large"
	put -local ./-large -remote "$below/" -checksum
	expect_result web01 ok '.unchanged == 1'
}

# --- what is not permitted ---------------------------------------------------

@test "a directory that may not be written to is an error" {
	mkdir "$far/locked"
	give "$far/locked"
	chmod 555 "$far/locked"
	put -local a -remote "$far/locked/"
	expect_denied 0 'locked/a: Permission denied'
	put -local a -remote "$far/locked/new"
	expect_denied 0 'locked/new: Permission denied'
	put -local a -remote "$far/locked/x/" -mkdir
	expect_denied 0 'locked/x: Permission denied'
	expect_match "$err" 'transfer, .*Permission denied \(1\): web01'
	ln -s nowhere link
	put -local link -remote "$far/locked/"
	expect_denied 0 'locked/link: .*Permission denied'
	mkdir tree
	put -local tree -remote "$far/locked/"
	expect_denied 0 'locked/tree: Permission denied'
	[ -z "$(ls -A "$far/locked")" ]
}

@test "a directory that may not be looked into is an error" {
	mkdir "$far/locked"
	give "$far/locked"
	chmod 000 "$far/locked"
	put -local a -remote "$far/locked/x/"
	expect_denied 0 'locked/x: Permission denied'
}

@test "a directory that may be written to but not listed is none" {
	mkdir "$far/drop"
	give "$far/drop"
	chmod 333 "$far/drop"
	put -local a -remote "$far/drop/"
	chmod 755 "$far/drop"
	expect_status 0
	expect_same a "$far/drop/a"
}

@test "what is not permitted in a tree costs that, no more" {
	mkdir -p tree/free tree/locked/sub
	echo 1 >tree/free/one
	echo 2 >tree/locked/two
	echo 3 >tree/locked/sub/three
	mkdir -p "$far/tree/locked"
	give "$far/tree" "$far/tree/locked"
	chmod 555 "$far/tree/locked"
	put -local tree -remote "$far"
	expect_denied 1 'not transferred; first: .*locked.*: Permission denied'
	expect_same tree/free/one "$far/tree/free/one"
	[ -z "$(ls -A "$far/tree/locked")" ]
}

@test "a read-only file is replaced where its directory can be written to" {
	echo old >"$far/a"
	chmod 444 a "$far/a"
	give "$far/a"
	put -local a -remote "$far/"
	expect_status 0
	expect_same a "$far/a"
	expect_stat %a 444 "$far/a"
}

@test "files of any mode arrive whole, whatever their owner may do then" {
	local mode
	for mode in 0 200 444; do
		put -local a -remote "$far/$mode" -mode "$mode"
		expect_status 0
		expect_stat %a "$mode" "$far/$mode"
		chmod 600 "$far/$mode"
		expect_same a "$far/$mode"
	done
}

@test "a read-only part is gone on with" {
	write_random big 300000
	truncate -s 3000000 big
	chmod 444 big
	put_start -local big -remote "$far/" -limit 250k -resume
	wait_until has_temporary "$far" +15k
	kill -INT "$pid"
	batch_wait
	expect_status 130
	# As it is when it breaks off after the last byte.
	chmod 444 "$(temporaries "$far")"
	put -local big -remote "$far/" -resume
	expect_status 0
	expect_same big "$far/big"
	expect_stat %a 444 "$far/big"
	expect_no_temporaries "$far"
}
