#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_get_verify: contents that are compared, and files that need not be
# fetched.

load helper
load scp
load scp_get
load scp_verify

setup() {
	scp_setup
	scp_get_setup
	scp_verify_setup
}

teardown() {
	batch_kill
}

# --- -verify -----------------------------------------------------------------

@test "-verify has the host compute the sum of a large file" {
	local name='two words, -a_b.c'
	write_random "$far/$name" 1000000
	get -remote "$far" -local out -verify
	expect_status 0
	expect_same "$far/$name" "$got/$name"
	expect_sha256 "$far/$name"
	[ "$(wc -l <"$sums")" -eq 1 ]
}

@test "no name is a command for the host's shell" {
	local name=$'-it\'s "one" $(touch x) `id`\n\xff * \\'
	write_random "$far/$name" 300000
	get -remote "$far" -local out -verify
	expect_status 0
	expect_same "$far/$name" "$got/$name"
	expect_sha256 "$far/$name"
	get -remote "$far" -local out -checksum
	expect_result web01 ok '.unchanged == 1'
	[ "$(find "$far" -type f -printf .)" = . ]
}

@test "-verify reads a small file again" {
	echo hello >"$far/a"
	get -remote "$far/a" -local out -verify
	expect_status 0
	expect_sha256 "$far/a"
	[ ! -e "$sums" ]
}

@test "-verify works where there is no sha256sum" {
	rm "$bin/sha256sum"
	write_random "$far/a" 1000000
	get -remote "$far/a" -local out -verify
	expect_status 0
	expect_same "$far/a" "$got/a"
	expect_sha256 "$far/a"
}

@test "a sha256sum that fails, lies or talks nonsense is not believed" {
	local text
	write_random "$far/a" 300000
	for text in 'exit 1' "echo $(sha256 /dev/null) -" 'echo hello' \
	    "$bin/head -c 100000 /dev/zero"; do
		program sha256sum "$text"
		rm -rf out
		get -remote "$far/a" -local out -verify
		expect_status 0
		expect_same "$far/a" "$got/a"
		expect_sha256 "$far/a"
	done
}

@test "-verify finds what was changed here under way" {
	local worker
	write_random "$far/a" 300000
	mkdir -p "$got"
	echo old >"$got/a"
	get_start -remote "$far/a" -local out -verify -limit 250k
	wait_until has_temporary out +15k
	worker=$(workers "$pid")
	kill -STOP "$worker"
	printf 'not what was sent' |
	    dd of="$(temporaries out)" conv=notrunc status=none
	kill -CONT "$worker"
	batch_wait
	expect_status 3
	expect_result web01 transfer '.files == 0 and .sha256 == null and
	    (.message | test("far/a: differs from what was received"))'
	[ "$(cat "$got/a")" = old ]
	expect_no_temporaries out
}

@test "-verify finds that the file was changed there under way" {
	local worker
	write_random "$far/a" 300000
	mkdir -p "$got"
	echo old >"$got/a"
	get_start -remote "$far/a" -local out -verify -limit 250k
	wait_until has_temporary out +15k
	worker=$(workers "$pid")
	kill -STOP "$worker"
	# It has been read already.
	printf 'something else' | dd of="$far/a" conv=notrunc status=none
	kill -CONT "$worker"
	batch_wait
	expect_status 3
	expect_result web01 transfer '.message | test("far/a: differs")'
	[ "$(cat "$got/a")" = old ]
	expect_no_temporaries out
}

@test "only the sum of a single file is told" {
	echo one >"$far/a"
	echo two >"$far/b"
	get -remote "$far/a" -remote "$far/b" -local out -verify
	expect_status 0
	expect_result web01 ok '.files == 2 and .sha256 == null'
}

# --- -update, -checksum ------------------------------------------------------

@test "-update skips a file of the same size and time, and no other" {
	echo hello >"$far/a"
	touch -d '2005-06-07 08:09:10 UTC' "$far/a"
	get -remote "$far/a" -local out -update
	expect_status 0
	expect_result web01 ok '.files == 1 and .unchanged == 0 and .bytes == 6'
	expect_stat %Y "$(stat -c %Y "$far/a")" "$got/a"
	local inode
	inode=$(stat -c %i "$got/a")
	get -remote "$far/a" -local out -update
	expect_status 0
	expect_result web01 ok '.files == 1 and .unchanged == 1 and .bytes == 0'
	expect_stat %i "$inode" "$got/a"
	expect_match "$out" "^web01: get $far/a -> $got/a \(unchanged, 0 B, "
	expect_match "$err" '0 B in 0 files, 1 unchanged'
	# Another time, another size.
	echo HELLO >"$far/a"
	get -remote "$far/a" -local out -update
	expect_result web01 ok '.unchanged == 0'
	expect_same "$far/a" "$got/a"
	echo 'longer than it was' >"$far/a"
	touch -r "$got/a" "$far/a"
	get -remote "$far/a" -local out -update
	expect_result web01 ok '.unchanged == 0'
	expect_same "$far/a" "$got/a"
}

@test "-checksum skips a file of the same content, whatever its time" {
	local size inode
	mkdir -p "$got"
	for size in 0 6 300000; do
		write_random "$far/a" "$size"
		cp "$far/a" "$got/a"
		touch -d '2001-02-03 UTC' "$far/a"
		inode=$(stat -c %i "$got/a")
		get -remote "$far/a" -local out -checksum
		expect_status 0
		expect_result web01 ok '.unchanged == 1 and .bytes == 0'
		expect_stat %i "$inode" "$got/a"
	done
	[ "$(wc -l <"$sums")" -eq 1 ]
	expect_no_temporaries out
}

@test "-checksum fetches a file of the same size and time but other content" {
	local size
	mkdir -p "$got"
	for size in 6 300000; do
		write_random "$far/a" "$size"
		write_random "$got/a" "$size"
		touch -r "$far/a" "$got/a"
		get -remote "$far/a" -local out -checksum
		expect_status 0
		expect_result web01 ok ".unchanged == 0 and .bytes == $size"
		expect_same "$far/a" "$got/a"
	done
}

@test "-checksum works where there is no sha256sum" {
	rm "$bin/sha256sum"
	write_random "$far/a" 299999
	printf Y >>"$far/a"
	mkdir -p "$got"
	cp "$far/a" "$got/a"
	get -remote "$far/a" -local out -checksum
	expect_status 0
	expect_result web01 ok '.unchanged == 1'
	printf X | dd of="$got/a" bs=1 seek=299999 conv=notrunc status=none
	get -remote "$far/a" -local out -checksum -verify
	expect_status 0
	expect_result web01 ok '.unchanged == 0'
	expect_sha256 "$far/a"
	expect_same "$far/a" "$got/a"
}

@test "-update and -checksum do not take a link for the file" {
	echo hello >"$far/a"
	mkdir -p "$got"
	cp -p "$far/a" "$got/other"
	local option
	for option in -update -checksum; do
		rm -f "$got/a"
		ln -s other "$got/a"
		get -remote "$far/a" -local out "$option"
		expect_status 0
		expect_result web01 ok '.unchanged == 0'
		[ ! -L "$got/a" ]
		expect_same "$far/a" "$got/a"
	done
}

@test "a link of the same text is found unchanged" {
	ln -s elsewhere "$far/link"
	local option
	for option in -update -checksum; do
		rm -rf out
		get -remote "$far/link" -local out "$option"
		expect_result web01 ok '.unchanged == 0 and .files == 1'
		get -remote "$far/link" -local out "$option"
		expect_result web01 ok '.unchanged == 1 and .files == 1'
	done
}
