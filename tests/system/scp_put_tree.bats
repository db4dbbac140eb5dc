#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_put_tree: directories with all that is in them, and what in them can't
# be sent or is in the way there.

load helper
load scp

with_lab -n 2

# A small tree of 4 files and a link, 24 bytes.
setup() {
	scp_setup
	mkdir -p tree/sub/deep tree/empty
	echo one >tree/one
	echo two >tree/sub/two
	echo three >tree/sub/deep/three
	: >tree/none
	ln -s sub/two tree/link
}

teardown() {
	batch_kill
}

# --- where to ----------------------------------------------------------------

@test "a tree goes under its name" {
	put -local tree -remote "$far"
	expect_status 0
	[ "$(ls -A "$far")" = tree ]
	expect_same_tree tree "$far/tree"
	[ -d "$far/tree/empty" ]
	expect_no_temporaries "$far"
}

@test "with a slash at its end the content of a tree goes" {
	put -local tree/ -remote "$far/"
	expect_status 0
	expect_same_tree tree "$far"
}

@test "of . and .. the content goes" {
	cd tree/sub
	put -local . -remote "$far"
	expect_status 0
	expect_same_tree . "$far"
	put -local .. -remote "$far"
	expect_status 0
	expect_same ../one "$far/one"
	expect_same two "$far/sub/two"
}

@test "the content of a tree makes its destination, a tree's name does not" {
	chmod 750 tree
	put -local tree/ -remote "$far/new"
	expect_status 0
	expect_same_tree tree "$far/new"
	expect_stat %a 750 "$far/new"
	put -local tree/ -remote "$far/other/"
	expect_status 0
	expect_same_tree tree "$far/other"
	put -local tree -remote "$far/more"
	expect_status 3
	expect_result web01 transfer '.message | test("no such directory")'
	[ ! -e "$far/more" ]
	put -local tree -remote "$far/more" -mkdir
	expect_status 0
	expect_same_tree tree "$far/more/tree"
}

@test "only the last directory is made without -mkdir" {
	put -local tree/ -remote "$far/x/y/z"
	expect_status 3
	expect_result web01 transfer '.files == 0'
	[ -z "$(ls -A "$far")" ]
	put -local tree/ -remote "$far/x/y/z" -mkdir
	expect_status 0
	expect_same_tree tree "$far/x/y/z"
}

@test "several sources need a destination, in whatever order they come" {
	mkdir more
	echo more >more/file
	put -local more tree/ -remote "$far/new"
	expect_status 3
	[ ! -e "$far/new" ]
	put -local tree/ more -remote "$far/new"
	expect_status 3
	[ ! -e "$far/new" ]
	put -local tree/ more -remote "$far/new" -mkdir
	expect_status 0
	expect_same more/file "$far/new/more/file"
	rm -r "$far/new/more"
	expect_same_tree tree "$far/new"
}

@test "what is there already stays: nothing is deleted" {
	mkdir -p "$far/tree/sub/own"
	echo extra >"$far/tree/extra"
	echo extra >"$far/tree/sub/own/extra"
	echo old >"$far/tree/one"
	put -local tree -remote "$far"
	expect_status 0
	expect_same tree/one "$far/tree/one"
	[ "$(cat "$far/tree/extra" "$far/tree/sub/own/extra")" = "extra
extra" ]
	rm -r "$far/tree/extra" "$far/tree/sub/own"
	expect_same_tree tree "$far/tree"
}

# --- what it is there --------------------------------------------------------

@test "modes of new directories are kept, but their owner can always write" {
	chmod 555 tree/sub
	chmod 1777 tree/empty
	chmod 500 tree/sub/deep
	put -local tree -remote "$far"
	chmod 755 tree/sub tree/sub/deep
	expect_status 0
	expect_same_tree tree "$far/tree"
	expect_stat %a 755 "$far/tree/sub"
	expect_stat %a 700 "$far/tree/sub/deep"
	expect_stat %a 1777 "$far/tree/empty"
}

@test "directories that are there keep their mode and time" {
	mkdir -p "$far/tree/sub" "$far/tree/empty"
	chmod 711 "$far/tree/empty" "$far/tree/sub"
	touch -d '2003-04-05 UTC' "$far/tree/empty"
	put -local tree -remote "$far" -preserve
	expect_status 0
	expect_stat %a 711 "$far/tree/empty"
	expect_stat %a 711 "$far/tree/sub"
	expect_stat %Y "$(date -d '2003-04-05 UTC' +%s)" "$far/tree/empty"
}

@test "-preserve keeps the times of files and new directories" {
	touch -d '2001-02-03 04:05:06 UTC' tree/one tree/sub/deep/three
	touch -d '2002-02-03 04:05:06 UTC' tree/sub/deep tree/empty
	touch -d '2003-02-03 04:05:06 UTC' tree/sub
	touch -d '2004-02-03 04:05:06 UTC' tree
	put -local tree -remote "$far" -preserve
	expect_status 0
	local path
	for path in tree/one tree/sub/deep/three tree/sub/deep tree/empty \
	    tree/sub tree; do
		expect_stat %Y "$(stat -c %Y "$path")" "$far/$path"
	done
}

@test "-mode is for files, not for directories" {
	chmod 751 tree/sub
	put -local tree -remote "$far" -mode 600
	expect_status 0
	expect_stat %a 600 "$far/tree/sub/two"
	expect_stat %a 751 "$far/tree/sub"
}

@test "symbolic links are sent as they are, wherever they point" {
	ln -s /etc/passwd tree/absolute
	ln -s ../../outside tree/sub/outside
	ln -s nowhere tree/dangling
	ln -s sub tree/directory
	ln -s . tree/loop
	put -local tree -remote "$far"
	expect_status 0
	expect_same_tree tree "$far/tree"
	[ "$(readlink "$far/tree/absolute")" = /etc/passwd ]
	[ "$(readlink "$far/tree/directory")" = sub ]
	expect_result web01 ok '.files == 10 and .bytes == 14'
	# Again, over what is there.
	ln -sfn deep tree/directory
	put -local tree -remote "$far"
	expect_status 0
	expect_same_tree tree "$far/tree"
	expect_no_temporaries "$far"
}

@test "-follow sends what links point to" {
	ln -s sub tree/directory
	ln -s link tree/twice
	put -local tree -remote "$far" -follow
	expect_status 0
	[ -z "$(find "$far" -type l)" ]
	diff -r tree "$far/tree"
	expect_same tree/sub/deep/three "$far/tree/directory/deep/three"
}

@test "-follow leaves out loops and links to nothing, and sends the rest" {
	ln -s .. tree/sub/loop
	ln -s nowhere tree/dangling
	put -local tree -remote "$far" -follow
	expect_status 5
	expect_result web01 error '.files == 5 and
	    (.message | test("2 of 7 not transferred; first: tree/"))'
	expect_match "$err" 'tree/sub/loop: a loop of symbolic links' \
	    'tree/dangling: a symbolic link to nothing'
	rm tree/sub/loop tree/dangling
	diff -r tree "$far/tree"
}

@test "fifos and sockets are passed over with a warning, and not opened" {
	mkfifo tree/sub/pipe
	"$python" -c 'import socket
socket.socket(socket.AF_UNIX).bind("tree/socket")'
	put -local tree -remote "$far"
	expect_status 0
	expect_match "$err" 'warning: tree/sub/pipe: a fifo, not sent' \
	    'warning: tree/socket: a socket, not sent'
	[ ! -e "$far/tree/sub/pipe" ]
	[ ! -e "$far/tree/socket" ]
	rm tree/sub/pipe tree/socket
	expect_same_tree tree "$far/tree"
	expect_result web01 ok '.files == 5'
}

@test "what can't be read here is an error, and the rest is sent" {
	# Root reads all, unless it may not.
	if [ "$(id -u)" -eq 0 ]; then
		cat >"$BATS_TEST_TMPDIR/mortal" <<-END
		#!/bin/sh
		exec setpriv --bounding-set=-dac_override,-dac_read_search \\
		    "$batch_run" "\$@"
		END
		chmod +x "$BATS_TEST_TMPDIR/mortal"
		batch_run=$BATS_TEST_TMPDIR/mortal
		"$batch_run" --version || skip "cannot do without root's powers"
	fi
	chmod 000 tree/one tree/sub/deep
	! setpriv --bounding-set=-dac_override,-dac_read_search \
	    cat tree/one 2>/dev/null || skip "root reads all here"
	put -local tree -remote "$far"
	chmod 755 tree/sub/deep
	expect_status 5
	expect_result web01 error '.files == 3 and
	    (.message | test("2 of 5 not transferred; first: tree/one: Perm"))'
	expect_match "$err" 'tree/one: Permission denied' \
	    'tree/sub/deep: Permission denied'
	expect_same tree/sub/two "$far/tree/sub/two"
	[ ! -e "$far/tree/one" ]
	[ ! -e "$far/tree/sub/deep/three" ]
	# One that is all there would be: nothing is begun.
	put -local tree/one -remote "$far"
	expect_status 2
	expect_match "$err" 'tree/one: Permission denied'
}

@test "names in trees survive, whatever bytes they hold" {
	local name
	for name in 'two words ' $'new\nline' $'\xff\xfe' -dash '~' '*' "it's" \
	    $'\e[31m' ' ' $'\n' '...' 'back\slash'; do
		mkdir "tree/$name"
		printf x >"tree/$name/$name"
		ln -s -- "$name" "tree/$name/link"
	done
	put -local tree -remote "$far" -preserve
	expect_status 0
	expect_same_tree tree "$far/tree"
	[ "$(find tree -printf . | wc -c)" -eq \
	    "$(find "$far/tree" -printf . | wc -c)" ]
}

@test "a tree as deep as paths go arrives" {
	local i path=tree
	for i in {1..120}; do
		path=$path/d$i
	done
	mkdir -p "$path"
	echo bottom >"$path/file"
	put -local tree -remote "$far"
	expect_status 0
	expect_same "$path/file" "$far/$path/file"
	expect_same_tree tree "$far/tree"
}

# --- what is told ------------------------------------------------------------

@test "a tree has one line, with its files counted" {
	put -local tree -remote "$far/"
	expect_status 0
	[ "$(wc -l <"$out")" -eq 1 ]
	expect_match "$out" \
	    "^web01: put tree -> $far/tree \(5 files, 14 B, [0-9.]+ s\)\$"
	expect_result web01 ok '.files == 5 and .bytes == 14 and
	    .unchanged == 0 and .sha256 == null'
	expect_match "$err" '^1 host: 1 ok; 14 B in 5 files'
}

@test "-dry-run lists the files of a tree, and makes nothing" {
	put -local tree -remote "$far/" -dry-run
	expect_status 0
	expect_output "web01: would put tree/one -> $far/tree/one" \
	    "web01: would put tree/none -> $far/tree/none" \
	    "web01: would put tree/link -> $far/tree/link" \
	    "web01: would put tree/sub/two -> $far/tree/sub/two" \
	    "web01: would put tree/sub/deep/three -> $far/tree/sub/deep/three"
	put -local tree/ -remote "$far/new" -dry-run
	expect_status 0
	expect_match "$out" "would put tree/one -> $far/new/one"
	[ -z "$(ls -A "$far")" ]
}

@test "-update sends only what has changed of a tree" {
	rm tree/link
	put -local tree -remote "$far" -update
	expect_status 0
	echo changed >tree/sub/two
	put -local tree -remote "$far" -update
	expect_status 0
	expect_same_tree tree "$far/tree"
	expect_result web01 ok '.files == 4 and .unchanged == 3 and .bytes == 8'
	expect_match "$out" '\(1 of 4 files, 8 B, '
	expect_match "$err" '8 B in 1 file, 3 unchanged'
	put -local tree -remote "$far" -update
	expect_result web01 ok '.unchanged == 4 and .bytes == 0'
	expect_match "$out" '\(unchanged, 0 B, '
}

@test "-checksum and -verify work for all files of a tree" {
	rm tree/link
	write_random tree/large 300000
	put -local tree -remote "$far" -verify
	expect_status 0
	expect_same_tree tree "$far/tree"
	printf YYY >"$far/tree/one"
	echo TWO >"$far/tree/sub/two"
	put -local tree -remote "$far" -checksum
	expect_status 0
	expect_same_tree tree "$far/tree"
	expect_result web01 ok '.files == 5 and .unchanged == 3 and
	    .bytes == 8 and .sha256 == null'
}

@test "-backup keeps each file of a tree that is replaced" {
	put -local tree -remote "$far"
	cp -r tree old
	echo 1 >tree/one
	echo 3 >tree/sub/deep/three
	ln -sfn elsewhere tree/link
	put -local tree -remote "$far" -backup .bak
	expect_status 0
	expect_same tree/one "$far/tree/one"
	expect_same old/one "$far/tree/one.bak"
	expect_same old/sub/deep/three "$far/tree/sub/deep/three.bak"
	[ "$(readlink "$far/tree/link")" = elsewhere ]
	[ "$(readlink "$far/tree/link.bak")" = sub/two ]
	expect_no_temporaries "$far"
}

# --- what is in the way ------------------------------------------------------

@test "a file in the way of a directory costs what is in it, no more" {
	mkdir "$far/tree"
	echo mine >"$far/tree/sub"
	put -local tree -remote "$far"
	expect_status 3
	expect_result web01 transfer '.stage == "transfer" and .files == 3 and
	    (.message | test("tree/sub: is no directory there"))'
	expect_match "$err" 'tree/sub: 2 files in it not sent'
	[ "$(cat "$far/tree/sub")" = mine ]
	expect_same tree/one "$far/tree/one"
	[ -d "$far/tree/empty" ]
	expect_no_temporaries "$far"
}

@test "a directory in the way of a file costs that file" {
	mkdir -p "$far/tree/one/x"
	put -local tree -remote "$far"
	expect_status 3
	expect_result web01 transfer '.files == 4 and
	    (.message | test("1 of 5 .*tree/one: is a directory there"))'
	[ -d "$far/tree/one/x" ]
	expect_same tree/sub/two "$far/tree/sub/two"
	expect_no_temporaries "$far"
}

@test "a file in the way of the tree itself is an error" {
	echo mine >"$far/tree"
	put -local tree -remote "$far"
	expect_status 3
	expect_result web01 transfer '.files == 0 and
	    (.message | test("far/tree: is no directory there"))'
	put -local tree/ -remote "$far/tree"
	expect_status 3
	expect_result web01 transfer '.files == 0 and
	    (.message | test("far/tree: is no directory there"))'
	[ "$(cat "$far/tree")" = mine ]
}

@test "a link to a directory is a directory for a tree" {
	mkdir "$far/real" "$far/tree"
	ln -s ../real "$far/tree/sub"
	put -local tree -remote "$far"
	expect_status 0
	[ -L "$far/tree/sub" ]
	expect_same tree/sub/two "$far/real/two"
}

# --- many --------------------------------------------------------------------

@test "a tree of 5,000 files arrives whole" {
	local i
	for i in {1..50}; do
		mkdir "tree/d$i"
	done
	"$python" -c '
for i in range(5000):
    with open(f"tree/d{i % 50 + 1}/file{i}", "w") as f:
        f.write(f"{i}\n" * (i % 97))'
	put -local tree -remote "$far"
	expect_status 0
	expect_same_tree tree "$far/tree"
	expect_no_temporaries "$far"
	expect_result web01 ok ".files == 5005 and .bytes == $(
	    find tree -type f -printf '%s\n' | awk '{ n += $1 }
	    END { print n }')"
	expect_match "$out" "^web01: put tree -> $far/tree \(5005 files, "
}
