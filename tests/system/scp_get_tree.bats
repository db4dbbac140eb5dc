#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_get_tree: directories with all that is in them, and what in them can't
# be fetched or is in the way here.

load helper
load scp
load scp_get

with_lab -n 3

# A small tree of 4 files and a link, 14 bytes.
setup() {
	scp_setup
	scp_get_setup
	tree=$far/tree
	mkdir -p "$tree/sub/deep" "$tree/empty"
	echo one >"$tree/one"
	echo two >"$tree/sub/two"
	echo three >"$tree/sub/deep/three"
	: >"$tree/none"
	ln -s sub/two "$tree/link"
}

teardown() {
	batch_kill
}

# --- where to ----------------------------------------------------------------

@test "a tree goes below the host's directory with its full path" {
	get -remote "$tree" -local out
	expect_status 0
	expect_same_tree "$tree" "$got/tree"
	[ -d "$got/tree/empty" ]
	[ "$(ls -A out)" = web01 ]
	[ "$(ls -A "$got")" = tree ]
	expect_no_temporaries out
	# The slash makes no difference there.
	get -remote "$tree/" -local slash
	expect_status 0
	expect_same_tree "$tree" "slash/web01$tree"
}

@test "into a template a tree goes under its name, or what is in it" {
	get -remote "$tree" -local '%h'
	expect_status 0
	[ "$(ls -A web01)" = tree ]
	expect_same_tree "$tree" web01/tree
	get -remote "$tree/" -local '%h-in/'
	expect_status 0
	expect_same_tree "$tree" web01-in
	get -remote "$tree/." -local '%h-dot'
	expect_status 0
	expect_same_tree "$tree" web01-dot
}

@test "what is here already stays: nothing is deleted" {
	mkdir -p "$got/tree/sub/own"
	echo extra >"$got/tree/extra"
	echo extra >"$got/tree/sub/own/extra"
	echo old >"$got/tree/one"
	get -remote "$tree" -local out
	expect_status 0
	expect_same "$tree/one" "$got/tree/one"
	[ "$(cat "$got/tree/extra" "$got/tree/sub/own/extra")" = "extra
extra" ]
	rm -r "$got/tree/extra" "$got/tree/sub/own"
	expect_same_tree "$tree" "$got/tree"
}

# --- what it is here ---------------------------------------------------------

@test "modes of new directories are kept, but their owner can always write" {
	chmod 555 "$tree/sub"
	chmod 1775 "$tree/empty"
	chmod 500 "$tree/sub/deep"
	get -remote "$tree" -local out
	chmod 755 "$tree/sub" "$tree/sub/deep"
	expect_status 0
	expect_same_tree "$tree" "$got/tree"
	expect_stat %a 755 "$got/tree/sub"
	expect_stat %a 700 "$got/tree/sub/deep"
	expect_stat %a 775 "$got/tree/empty"
}

@test "-preserve keeps the times of files and new directories" {
	touch -d '2001-02-03 04:05:06 UTC' "$tree/one" "$tree/sub/deep/three"
	touch -d '2002-02-03 04:05:06 UTC' "$tree/sub/deep" "$tree/empty"
	touch -d '2003-02-03 04:05:06 UTC' "$tree/sub"
	touch -d '2004-02-03 04:05:06 UTC' "$tree"
	get -remote "$tree" -local out -preserve
	expect_status 0
	local path
	for path in tree/one tree/sub/deep/three tree/sub/deep tree/empty \
	    tree/sub tree; do
		expect_stat %Y "$(stat -c %Y "$far/$path")" "$got/$path"
	done
}

@test "directories that are here keep their mode and time" {
	mkdir -p "$got/tree/empty" "$got/tree/sub"
	chmod 711 "$got/tree/empty" "$got/tree/sub"
	touch -d '2003-04-05 UTC' "$got/tree/empty"
	get -remote "$tree" -local out -preserve
	expect_status 0
	expect_stat %a 711 "$got/tree/empty"
	expect_stat %a 711 "$got/tree/sub"
	expect_stat %Y "$(date -d '2003-04-05 UTC' +%s)" "$got/tree/empty"
}

@test "without -preserve times are those of the transfer" {
	touch -d '2001-02-03 UTC' "$tree/one" "$tree/sub" "$tree/empty"
	get -remote "$tree" -local out
	expect_status 0
	local path
	for path in one sub empty; do
		[ "$got/tree/$path" -nt "$tree/$path" ]
	done
}

@test "-mode is for files, not for directories" {
	chmod 751 "$tree/sub"
	get -remote "$tree" -local out -mode 600
	expect_status 0
	expect_stat %a 600 "$got/tree/sub/two"
	expect_stat %a 751 "$got/tree/sub"
}

@test "symbolic links are fetched as they are, wherever they point" {
	ln -s /etc/passwd "$tree/absolute"
	ln -s ../../outside "$tree/sub/outside"
	ln -s nowhere "$tree/dangling"
	ln -s sub "$tree/directory"
	ln -s . "$tree/loop"
	get -remote "$tree" -local out
	expect_status 0
	expect_same_tree "$tree" "$got/tree"
	[ "$(readlink "$got/tree/absolute")" = /etc/passwd ]
	expect_result web01 ok '.files == 10 and .bytes == 14'
	# Again, over what is there.
	ln -sfn deep "$tree/directory"
	get -remote "$tree" -local out
	expect_status 0
	expect_same_tree "$tree" "$got/tree"
	expect_no_temporaries out
}

@test "-follow fetches what links point to" {
	ln -s sub "$tree/directory"
	ln -s link "$tree/twice"
	get -remote "$tree" -local out -follow
	expect_status 0
	[ -z "$(find out -type l)" ]
	diff -r "$tree" "$got/tree"
	expect_same "$tree/sub/deep/three" "$got/tree/directory/deep/three"
}

@test "-follow comes to an end in a loop, and fetches the rest" {
	ln -s .. "$tree/sub/loop"
	ln -s nowhere "$tree/dangling"
	get -remote "$tree" -local out -follow
	expect_status 3
	expect_result web01 transfer '.files >= 5 and
	    (.message | test("not transferred; first: "))'
	expect_match "$err" 'tree/dangling: following the link: No such file' \
	    '(loop/)+sub/loop: '
	expect_same "$tree/sub/two" "$got/tree/sub/two"
	expect_same "$tree/sub/two" "$got/tree/link"
	expect_no_temporaries out
}

@test "special files are left out with a note, and not opened" {
	mkfifo "$tree/sub/pipe"
	"$python" -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$tree/socket"
	get -remote "$tree" -local out
	expect_status 0
	expect_match "$err" 'web01: .*/tree/sub/pipe: left out: a fifo' \
	    'web01: .*/tree/socket: left out: a (socket|special|not)|left out'
	[ ! -e "$got/tree/sub/pipe" ]
	[ ! -e "$got/tree/socket" ]
	rm "$tree/sub/pipe" "$tree/socket"
	expect_same_tree "$tree" "$got/tree"
	expect_result web01 ok '.files == 5'
}

@test "temporaries of batch_scp there are left out with a note" {
	# As it names them (worker/temp_name.h), of a run elsewhere.
	touch "$tree/sub/.batch_scp.01234567.89abcdef.1.1.00"
	get -remote "$tree" -local out
	expect_status 0
	expect_match "$err" 'tree/sub: left out: \.batch_scp\.01234567'
	expect_no_temporaries out
}

@test "names in trees survive, whatever bytes they hold" {
	local name
	for name in 'two words ' $'new\nline' $'\xff\xfe' -dash '~' '*' "it's" \
	    $'\e[31m' ' ' $'\n' '...' 'back\slash'; do
		mkdir "$tree/$name"
		printf x >"$tree/$name/$name"
		ln -s -- "$name" "$tree/$name/link"
	done
	get -remote "$tree" -local out -preserve
	expect_status 0
	expect_same_tree "$tree" "$got/tree"
	[ "$(find "$tree" -printf . | wc -c)" -eq \
	    "$(find "$got/tree" -printf . | wc -c)" ]
}

@test "a deep tree arrives" {
	local i path=tree
	for i in {1..120}; do
		path=$path/d$i
	done
	mkdir -p "$far/$path"
	echo bottom >"$far/$path/file"
	get -remote "$tree" -local out
	expect_status 0
	expect_same "$far/$path/file" "$got/$path/file"
	expect_same_tree "$tree" "$got/tree"
}

# --- what is told ------------------------------------------------------------

@test "a tree has one line, with its files counted" {
	get -remote "$tree" -local out
	expect_status 0
	[ "$(wc -l <"$out")" -eq 1 ]
	expect_match "$out" \
	    "^web01: get $tree -> $got/tree \(5 files, 14 B, [0-9.]+ s\)\$"
	expect_result web01 ok '.files == 5 and .bytes == 14 and
	    .unchanged == 0 and .sha256 == null'
	expect_match "$err" '^1 host: 1 ok; 14 B in 5 files'
}

@test "-dry-run lists what is in a tree, and makes nothing" {
	get -remote "$tree/sub" -local out -dry-run
	expect_status 0
	expect_output "web01: would get $tree/sub -> $got/tree/sub" \
	    "web01: would get $tree/sub/two -> $got/tree/sub/two" \
	    "web01: would get $tree/sub/deep -> $got/tree/sub/deep" \
	    "web01: would get $tree/sub/deep/three -> $got/tree/sub/deep/three"
	[ -z "$(ls -A)" ]
}

@test "-update fetches only what has changed of a tree" {
	rm "$tree/link"
	get -remote "$tree" -local out -update
	expect_status 0
	expect_result web01 ok '.files == 4 and .unchanged == 0'
	echo changed >"$tree/sub/two"
	get -remote "$tree" -local out -update
	expect_status 0
	expect_same_tree "$tree" "$got/tree"
	expect_result web01 ok '.files == 4 and .unchanged == 3 and .bytes == 8'
	expect_match "$out" '\(1 of 4 files, 8 B, '
	expect_match "$err" '8 B in 1 file, 3 unchanged'
	get -remote "$tree" -local out -update -dry-run
	expect_status 0
	[ ! -s "$out" ]
	get -remote "$tree" -local out -update
	expect_result web01 ok '.unchanged == 4 and .bytes == 0'
	expect_match "$out" '\(unchanged, 0 B, '
}

@test "-checksum and -verify work for all files of a tree" {
	write_random "$tree/large" 300000
	get -remote "$tree" -local out -verify
	expect_status 0
	expect_same_tree "$tree" "$got/tree"
	printf YYY >"$got/tree/one"
	echo TWO >"$got/tree/sub/two"
	get -remote "$tree" -local out -checksum
	expect_status 0
	expect_same_tree "$tree" "$got/tree"
	expect_result web01 ok '.files == 6 and .unchanged == 4 and
	    .bytes == 8 and .sha256 == null'
}

@test "-backup keeps each file of a tree that is replaced" {
	get -remote "$tree" -local out
	cp -r "$tree" old
	echo 1 >"$tree/one"
	echo 3 >"$tree/sub/deep/three"
	ln -sfn elsewhere "$tree/link"
	get -remote "$tree" -local out -backup .bak
	expect_status 0
	expect_same "$tree/one" "$got/tree/one"
	expect_same old/one "$got/tree/one.bak"
	expect_same old/sub/deep/three "$got/tree/sub/deep/three.bak"
	[ "$(readlink "$got/tree/link")" = elsewhere ]
	[ "$(readlink "$got/tree/link.bak")" = sub/two ]
	expect_no_temporaries out
}

# --- what is in the way ------------------------------------------------------

@test "a file in the way of a directory costs what is in it, no more" {
	mkdir -p "$got/tree"
	echo mine >"$got/tree/sub"
	get -remote "$tree" -local out
	expect_status 5
	expect_result web01 error '.stage == "local" and .files == 3'
	expect_match "$err" "web01: $got/tree/sub: "
	[ "$(cat "$got/tree/sub")" = mine ]
	expect_same "$tree/one" "$got/tree/one"
	[ -d "$got/tree/empty" ]
	expect_no_temporaries out
}

@test "a link in the way of a directory is not followed" {
	mkdir -p "$got/tree" elsewhere
	ln -s "$PWD/elsewhere" "$got/tree/sub"
	get -remote "$tree" -local out -preserve
	expect_status 5
	expect_result web01 error '.files == 3'
	[ -z "$(ls -A elsewhere)" ]
	[ -L "$got/tree/sub" ]
	expect_same "$tree/one" "$got/tree/one"
	local option
	for option in -update -checksum -dry-run; do
		get -remote "$tree" -local out "$option"
		[ -z "$(ls -A elsewhere)" ]
	done
}

@test "a directory in the way of a file or link costs that" {
	mkdir -p "$got/tree/one/x" "$got/tree/link"
	get -remote "$tree" -local out
	expect_status 5
	expect_result web01 error '.files == 3 and
	    (.message | test("2 of 5 .*: is a directory"))'
	[ -d "$got/tree/one/x" ]
	expect_same "$tree/sub/two" "$got/tree/sub/two"
	expect_no_temporaries out
}

@test "what a host takes away meanwhile is an error, unless it is open" {
	write_random "$tree/sub/big" 300000
	cp "$tree/sub/big" big
	get_start -h db01 -fanout 1 -remote "$tree/sub/big" -local out \
	    -limit 300k
	wait_until has_temporary out +15k
	rm -r "$tree"
	batch_wait
	expect_status 3
	expect_result web01 ok
	expect_same big "$got/tree/sub/big"
	expect_result db01 transfer '.files == 0 and
	    (.message | test("/sub/big: .*No such file"))'
	expect_no_temporaries out
}

# --- many --------------------------------------------------------------------

@test "a tree of 5,000 files arrives whole, from three hosts at once" {
	"$python" - "$tree" <<-'END'
	import os
	import sys
	for i in range(50):
	    os.mkdir(f"{sys.argv[1]}/d{i}")
	for i in range(5000):
	    with open(f"{sys.argv[1]}/d{i % 50}/file{i}", "w") as f:
	        f.write(f"{i}\n" * (i % 97))
	END
	batch -g web,db -action get -remote "$tree" -local out
	expect_status 0
	local host bytes
	bytes=$(find "$tree" -type f -printf '%s\n' |
	    awk '{ n += $1 } END { print n }')
	for host in web01 web02 db01; do
		expect_same_tree "$tree" "out/$host$tree"
		expect_result "$host" ok ".files == 5005 and .bytes == $bytes"
	done
	expect_no_temporaries out
	expect_match "$out" "^web01: get $tree -> $got/tree \(5005 files, "
}

@test "a dry run lists a large tree to its end, of a get and of a put" {
	"$python" - "$tree" <<-'END'
	import os
	import sys
	for i in range(3000):
	    os.mknod(f"{sys.argv[1]}/sub/{'long' * 50}{i}")
	END
	get -remote "$tree/sub" -local out -dry-run -timeout 30
	expect_status 0
	[ "$(grep -c "^web01: would get $tree/sub/long" "$out")" -eq 3000 ]
	put -local "$tree/sub" -remote "$far/" -dry-run -timeout 30
	expect_status 0
	[ "$(grep -c "^web01: would put $tree/sub/long" "$out")" -eq 3000 ]
}
