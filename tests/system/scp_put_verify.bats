#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_put_verify: contents that are compared, files that need not be sent, and
# files that change while they are.

load helper
load scp
load scp_verify

setup() {
	scp_setup
	scp_verify_setup
}

teardown() {
	batch_kill
}

# --- -verify -----------------------------------------------------------------

@test "-verify has the host compute the sum of a large file" {
	write_random a 1000000
	put -local a -remote "$far/" -verify
	expect_status 0
	expect_same a "$far/a"
	expect_sha256 a
	[ "$(wc -l <"$sums")" -eq 1 ]
}

@test "-verify reads a small file back" {
	echo hello >a
	put -local a -remote "$far/" -verify
	expect_status 0
	expect_sha256 a
	[ ! -e "$sums" ]
}

@test "-verify works where there is no sha256sum" {
	rm "$bin/sha256sum"
	write_random a 1000000
	put -local a -remote "$far/" -verify
	expect_status 0
	expect_same a "$far/a"
	expect_sha256 a
}

@test "-verify works where no command can be run" {
	write_random a 1000000
	put -local a -remote "$far/" -verify -k "$(forced_key internal-sftp)"
	expect_status 0
	expect_same a "$far/a"
	expect_sha256 a
	[ ! -e "$sums" ]
}

@test "a sha256sum that fails, lies or talks nonsense is not believed" {
	local text
	write_random a 300000
	for text in 'exit 1' "echo $(sha256 /dev/null) -" 'echo hello' \
	    "$bin/head -c 100000 /dev/zero"; do
		program sha256sum "$text"
		rm -f "$far/a"
		put -local a -remote "$far/" -verify
		expect_status 0
		expect_same a "$far/a"
		expect_sha256 a
	done
}

@test "-verify never hands a shell a name that could mean something to one" {
	local name=$'-it\'s "one" $(touch x) `id`\n\xff * \\'
	write_random "./$name" 300000
	put -local "./$name" -remote "$far/" -verify
	expect_status 0
	expect_same "./$name" "$far/$name"
	expect_sha256 "./$name"
	# Of the temporary, whose name is ours.
	[ "$(wc -l <"$sums")" -eq 1 ]
	# This one is read back.
	put -local "./$name" -remote "$far/" -checksum
	expect_result web01 ok '.unchanged == 1'
	[ "$(wc -l <"$sums")" -eq 1 ]
}

# Until the run is half-way through a file of 400,000 bytes with a limit of
# 250k a second. Its worker holds still then. Sets worker, temporary.
stop_half_way() {
	wait_until has_temporary "$far" +15k
	worker=$(workers "$pid")
	kill -STOP "$worker"
	temporary=$(temporaries "$far" | head -n 1)
	[ -n "$temporary" ]
}

@test "-verify finds what was changed under way" {
	local worker temporary
	write_random a 400000
	echo old >"$far/a"
	put_start -local a -remote "$far/" -verify -limit 250k
	stop_half_way
	printf 'not what was sent' |
	    dd of="$temporary" conv=notrunc status=none
	kill -CONT "$worker"
	batch_wait
	expect_status 3
	expect_result web01 transfer '.files == 0 and .sha256 == null and
	    (.message | test("far/a: what arrived differs"))'
	[ "$(cat "$far/a")" = old ]
	expect_no_temporaries "$far"
}

@test "the size is compared also without -verify" {
	local worker temporary
	write_random a 400000
	echo old >"$far/a"
	put_start -local a -remote "$far/" -limit 250k
	stop_half_way
	truncate -s 500000 "$temporary"
	kill -CONT "$worker"
	batch_wait
	expect_status 3
	expect_result web01 transfer '.files == 0 and
	    (.message | test("has 500000 of its 400000 bytes"))'
	[ "$(cat "$far/a")" = old ]
	expect_no_temporaries "$far"
}

# --- -update, -checksum ------------------------------------------------------

@test "-update skips a file of the same size and time, and no other" {
	echo hello >a
	put -local a -remote "$far/" -update
	expect_status 0
	expect_result web01 ok '.files == 1 and .unchanged == 0 and .bytes == 6'
	local inode
	inode=$(stat -c %i "$far/a")
	put -local a -remote "$far/" -update
	expect_status 0
	expect_result web01 ok '.files == 1 and .unchanged == 1 and .bytes == 0'
	expect_stat %i "$inode" "$far/a"
	expect_match "$out" "^web01: put a -> $far/a \(unchanged, 0 B, "
	expect_match "$err" '0 B in 0 files, 1 unchanged'
	# Another time, another size.
	echo HELLO >a
	touch -d '2001-02-03 UTC' a
	put -local a -remote "$far/" -update
	expect_result web01 ok '.unchanged == 0'
	expect_same a "$far/a"
	echo 'longer than it was' >a
	touch -r "$far/a" a
	put -local a -remote "$far/" -update
	expect_result web01 ok '.unchanged == 0'
	expect_same a "$far/a"
}

@test "-checksum skips a file of the same content, whatever its time" {
	local size inode
	for size in 6 300000; do
		write_random a "$size"
		cp a "$far/a"
		touch -d '2001-02-03 UTC' a
		inode=$(stat -c %i "$far/a")
		put -local a -remote "$far/" -checksum
		expect_status 0
		expect_result web01 ok '.unchanged == 1 and .bytes == 0'
		expect_sha256 a
		expect_stat %i "$inode" "$far/a"
	done
	[ "$(wc -l <"$sums")" -eq 1 ]
}

@test "-checksum sends a file of the same size and time but other content" {
	local size
	for size in 6 300000; do
		write_random a "$size"
		write_random "$far/a" "$size"
		touch -r a "$far/a"
		put -local a -remote "$far/" -checksum
		expect_status 0
		expect_result web01 ok ".unchanged == 0 and .bytes == $size"
		expect_same a "$far/a"
	done
}

@test "-checksum works where there is no sha256sum" {
	rm "$bin/sha256sum"
	write_random a 299999
	printf Y >>a
	cp a "$far/a"
	put -local a -remote "$far/" -checksum
	expect_status 0
	expect_result web01 ok '.unchanged == 1'
	printf X | dd of="$far/a" bs=1 seek=299999 conv=notrunc status=none
	put -local a -remote "$far/" -checksum -verify
	expect_status 0
	expect_result web01 ok '.unchanged == 0'
	expect_sha256 a
	expect_same a "$far/a"
}

@test "-update and -checksum do not take a link for the file" {
	echo hello >a
	cp -p a "$far/other"
	ln -s other "$far/a"
	put -local a -remote "$far/" -update
	expect_status 0
	expect_result web01 ok '.unchanged == 0'
	[ ! -L "$far/a" ]
	expect_same a "$far/a"
}

@test "-dry-run with -update or -checksum tells only what would be sent" {
	echo hello >same
	echo hello >other
	cp -p same "$far/"
	echo HELLO >"$far/other"
	touch -d '2001-02-03 UTC' "$far/other"
	local option
	for option in -update -checksum; do
		put -local same other -remote "$far/" -dry-run "$option"
		expect_status 0
		expect_output "web01: would put other -> $far/other"
		[ "$(cat "$far/other")" = HELLO ]
	done
}

# --- one snapshot ------------------------------------------------------------

@test "files that change during the run are errors, old ones stay" {
	local worker temporary name
	echo stays >same
	echo one >replaced
	echo one >removed
	write_random a 200000
	write_random b 200000
	echo old >"$far/a"
	put_start -h db01 -fanout 1 -local same replaced removed b a \
	    -remote "$far/" -limit 250k
	for name in same replaced removed; do
		wait_until test -e "$far/$name"
	done
	stop_half_way
	# With size and time as they were.
	cp -p a copy
	printf X | dd of=a bs=1 seek=199999 conv=notrunc status=none
	touch -r copy a
	truncate -s 1000 b
	cp -p replaced other
	mv other replaced
	rm removed
	kill -CONT "$worker"
	batch_wait
	expect_status 5
	expect_result web01 error '.files == 3 and
	    (.message | test("2 of 5 not transferred; first: "))'
	expect_result db01 error '.files == 1 and
	    (.message | test("4 of 5 not transferred; first: "))'
	expect_match "$err" 'web01: a: has changed while it was sent' \
	    'web01: b: ' 'db01: a: has changed since the run began' \
	    'db01: b: has changed since' 'db01: replaced: has changed since' \
	    'db01: removed: No such file'
	[ "$(cat "$far/a")" = old ]
	[ ! -e "$far/b" ]
	expect_same same "$far/same"
	[ "$(cat "$far/replaced" "$far/removed")" = "one
one" ]
	expect_no_temporaries "$far"
}
