#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
#
# cage_scp: what a worker that transfers can do beyond that, once it was taken
# over.

load helper
load scp
load cage

with_lab -n 1

teardown() {
	batch_kill
}

# What is sent and where to, and what is beside.
setup() {
	scp_setup
	mkdir source got beside
	write_random source/file 400000 # below 256 KB nothing is hashed
	echo secret >beside/secret
	ln -s ../beside/secret source/link
	ln -s ../beside got/out
}

put_source() {
	with_acts put -v -workers 1 -local source -remote "$far/"
}

get_file() {
	with_acts batch -v -h web01 -workers 1 -action get \
	    -remote "$PWD/source/file" -local got/ "$@"
}

expect_acts() {
	local line
	while read -r line; do
		expect_line "$err" "batch_scp: worker 0: $line"
	done
}

@test "a forbidden system call where a file is read, synced or hashed is a lost transfer" {
	taken_over 'read execute'
	put_source
	! lacks seccomp || skip "there is no seccomp here"
	expect_status 3
	expect_forbidden execve '.status == "lost"'
	taken_over 'sync execute'
	get_file
	expect_status 3
	expect_forbidden execve '.status == "lost"'
	taken_over 'nothing'
	get_file
	expect_status 0
	taken_over 'hash execute'
	get_file -checksum
	expect_status 3
	expect_forbidden execve '.status == "lost"'
}

@test "put: a worker reads its source, and nothing beside it" {
	taken_over 'read read source/file' 'read list source' \
	    'read read source/link' 'read read source/../beside/secret' \
	    'read list beside' 'read list .' 'read read /etc/passwd' \
	    "read read $LAB_DIR/id_ed25519" 'read read /proc/1/environ'
	put_source
	! lacks Landlock || skip "there is no Landlock here"
	expect_status 0
	expect_acts <<-END
	read source/file: done
	list source: done
	read source/link: Permission denied
	read source/../beside/secret: Permission denied
	list beside: Permission denied
	list .: Permission denied
	read /etc/passwd: Permission denied
	read $LAB_DIR/id_ed25519: Permission denied
	read /proc/1/environ: Permission denied
	END
}

@test "put: a worker writes nothing" {
	local path
	sha256sum source/file >sums
	for path in source/file source/new /proc/self/mem; do
		taken_over "read write $path"
		put_source
		! lacks seccomp || skip "there is no seccomp here"
		expect_forbidden openat '.status == "lost"'
	done
	sha256sum -c sums
	[ ! -e source/new ]
}

# start_slowly WHERE ARGUMENT...: a transfer on its way there; sets worker.
start_slowly() {
	batch_start -v -h web01 -workers 1 -limit 20k "${@:2}"
	wait_until has_temporary "$1" +1
	worker=$(workers "$pid")
}

# Of the worker: those permitted, those effective.
capabilities() {
	sed -nE 's/^Cap(Prm|Eff):\t//p' "/proc/$worker/status" | paste -sd ' '
}

own_capabilities() {
	sed -n 's/^CapPrm:\t//p' /proc/self/status
}

@test "a worker of root keeps what its transfer takes, a put nothing to write" {
	local task expected
	[ "$(id -u)" -eq 0 ] || skip "no capabilities to keep"
	# CAP_DAC_READ_SEARCH; of a get also _DAC_OVERRIDE, _FOWNER, _FSETID.
	for task in put:0x4 get:0x1e; do
		expected=$(printf '%016x' $((${task#*:} & 0x$(own_capabilities))))
		if [ "${task%:*}" = put ]; then
			start_slowly "$far" -action put -local source -remote "$far/"
		else
			start_slowly got -action get -remote "$PWD/source" -local got/
		fi
		lacks all || [ "$(capabilities)" = "$expected $expected" ]
		kill -INT "$pid"
		batch_wait
	done
}

@test "get: a worker writes below its directory, and nowhere else" {
	taken_over 'sync make got/new' 'sync make beside/new' \
	    'sync make got/../beside/new' 'sync make got/out/new' \
	    'sync write beside/secret' 'sync write got/out/secret' \
	    'sync read beside/secret' 'sync write source/file' \
	    'sync list .' 'sync write /proc/self/mem' \
	    "sync make $BATS_TEST_TMPDIR/tmp/new"
	get_file
	! lacks Landlock || skip "there is no Landlock here"
	expect_status 0
	expect_acts <<-END
	make got/new: done
	make beside/new: Permission denied
	make got/../beside/new: Permission denied
	make got/out/new: Permission denied
	write beside/secret: Permission denied
	write got/out/secret: Permission denied
	read beside/secret: Permission denied
	write source/file: Permission denied
	list .: Permission denied
	write /proc/self/mem: Permission denied
	make $TMPDIR/new: Permission denied
	END
	[ "$(ls beside)" = secret ]
	[ "$(cat beside/secret)" = secret ]
	[ "$(ls "$TMPDIR")" = taken_over ]
}
