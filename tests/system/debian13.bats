#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2154
#
# debian13: what scripts/check-debian13 refuses, and that it leaves nothing
# behind, however it ends. A debootstrap of ours stands in for the real one; that
# all tests pass on Debian 13 only the script itself can tell.

load helper

setup() {
	export TMPDIR=$BATS_TEST_TMPDIR/tmp PATH=$BATS_TEST_TMPDIR/bin:$PATH
	mkdir "$TMPDIR" "$BATS_TEST_TMPDIR/bin"
	chmod 755 "$BATS_TEST_TMPDIR"
}

teardown() {
	[ -z "${pid-}" ] || kill -KILL "$pid" 2>/dev/null || true
}

# debootstrap COMMAND...: what stands in for it does.
debootstrap() {
	printf '#!/bin/sh\n%s\n' "$*" >"$BATS_TEST_TMPDIR/bin/debootstrap"
	chmod 755 "$BATS_TEST_TMPDIR/bin/debootstrap"
}

check_debian13() {
	status=0
	"$@" "$top_srcdir/scripts/check-debian13" ${folder+"$folder"} \
	    </dev/null >"$out" 2>"$err" 3>&- || status=$?
}

needs_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	unshare --mount --pid --fork --propagation private true ||
	    skip "no namespaces of its own here"
}

@test "without root check-debian13 says so and does nothing" {
	debootstrap touch "$TMPDIR/ran"
	if [ "$(id -u)" -eq 0 ]; then
		check_debian13 setpriv --reuid 65534 --clear-groups --regid 65534
	else
		check_debian13 env
	fi
	expect_status 2
	expect_match "$err" 'needs root'
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "check-debian13 takes no folder that has something else in it" {
	needs_root
	debootstrap touch "$TMPDIR/ran"
	folder=$BATS_TEST_TMPDIR/folder
	mkdir "$folder"
	echo mine >"$folder/file"
	check_debian13 env
	expect_status 2
	expect_match "$err" "$folder: neither empty nor"
	[ "$(ls -A "$folder")" = file ]
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "check-debian13 tells why debootstrap fails, and removes what it made" {
	needs_root
	debootstrap 'mkdir "$4/etc"; echo "E: no such mirror $5"; exit 3'
	DEBIAN_MIRROR=http://mirror.invalid/debian check_debian13 env
	expect_status 1
	expect_match "$out" 'Debian 13 \(trixie\)'
	expect_match "$err" 'E: no such mirror http://mirror.invalid/debian'
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "check-debian13 that is ended leaves no process, no mount, no file" {
	needs_root
	debootstrap 'mount -t tmpfs tmpfs "$4"
	    setsid tail -f "$0" "$4" & touch "'"$BATS_TEST_TMPDIR"'/runs"; wait'
	check_debian13 env &
	pid=$!
	wait_until test -e "$BATS_TEST_TMPDIR/runs"
	wait_until pgrep -f "^tail -f .*$TMPDIR"
	kill -TERM "$(pgrep -P "$pid" -f check-debian13)"
	wait "$pid"
	expect_no_match /proc/mounts "$TMPDIR"
	[ -z "$(pgrep -f "$TMPDIR")" ]
	[ -z "$(ls -A "$TMPDIR")" ]
}
