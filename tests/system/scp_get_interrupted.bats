#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_get_interrupted: gets that end in the middle. The file here is the old
# one or the new one, whole; no temporary stays for long; and with -resume the
# next run goes on where the last one ended.

load helper
load scp
load scp_get

with_lab -n 2

setup() {
	scp_setup
	scp_get_setup
	echo small >"$far/small"
	# Large enough that a run with a limit of 1M is in the middle for long.
	write_random "$far/big" 1000000
	truncate -s 4000000 "$far/big"
	echo 'the end' >>"$far/big"
	echo old >old
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	mkdir -p "$got"
	cp old "$got/big"
}

teardown() {
	batch_kill
}

# Start a run and come back when it has a part of big. At this pace all of it
# would take more than a minute.
get_half() {
	get_start -remote "$far/big" -local out -limit 48k "$@"
	wait_until has_temporary out +15k
}

# expect_old: the file here is as it was.
expect_old() {
	expect_same old "$got/big"
}

# The run was killed and is waited for, and so are its workers.
killed() {
	wait "$pid" || true
	pid=
	wait_until no_writer
}

no_writer() {
	! find /proc/[0-9]*/fd -lname "$PWD/out/*.batch_scp.*" 2>/dev/null |
	    grep -q .
}

# --- ends that are cleaned up ------------------------------------------------

@test "SIGINT in the middle leaves the old file and no temporary" {
	get_half
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_result web01 cancelled '.files == 0 and .bytes == 0'
	expect_old
	[ -z "$(ls -A "$TMPDIR")" ]
	expect_no_temporaries out
}

@test "SIGTERM ends the get on all hosts" {
	get_start -h web01,db01 -remote "$far/big" -local out -limit 48k \
	    -workers 2
	wait_until two_temporaries
	touch "$(echo "$TMPDIR"/batch.*)/left"
	kill -TERM "$pid"
	batch_wait
	expect_status 143
	[ -z "$(ls -A "$TMPDIR")" ]
	expect_report 'length == 2 and all(.status == "cancelled")'
	expect_old
	expect_no_temporaries out
}

two_temporaries() {
	[ "$(temporaries out | wc -l)" -eq 2 ]
}

@test "a killed sshd loses the host, and leaves no temporary" {
	get_half
	# shellcheck disable=SC2046 # a list
	kill -KILL $(session_pids)
	batch_wait
	expect_status 3
	expect_result web01 lost '.stage == "transfer" and .files == 0'
	expect_old
	expect_no_temporaries out
}

@test "SIGINT in the middle of a tree leaves whole files and no temporary" {
	mkdir -p "$far/tree/sub"
	local i path
	for i in {1..20}; do
		write_random "$far/tree/sub/f$i" 20000
	done
	mv "$far/big" "$far/tree/sub/z"
	get_start -remote "$far/tree" -local out -limit 400k
	wait_until eval 'ls "$got"/tree/sub/f* >/dev/null 2>&1'
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_result web01 cancelled
	expect_no_temporaries out
	[ ! -e "$got/tree/sub/z" ]
	while read -r path; do
		expect_same "$far/$path" "$got/$path"
	done < <(find "$got/tree" -type f -printf 'tree/%P\n')
}

# --- ends that leave a temporary ---------------------------------------------

@test "what a killed run leaves is removed by the next one, whatever it gets" {
	get_half
	kill -KILL "$pid"
	killed
	expect_old
	has_temporary out
	get -remote "$far/small" -local out
	expect_status 0
	expect_no_temporaries out
	expect_old
}

@test "a killed worker loses the host, and the next run removes what it left" {
	get_half
	kill -KILL "$(workers "$pid")"
	batch_wait
	expect_status 3
	expect_result web01 lost '.stage == "transfer" and .files == 0'
	expect_old
	has_temporary out
	get -remote "$far/small" -local out
	expect_status 0
	expect_no_temporaries out
}

@test "what a run that goes on is writing is left alone" {
	get_half
	get -remote "$far/small" -local out
	expect_status 0
	has_temporary out
	alive "$pid"
	# With -resume, too.
	out=$out.2 err=$err.2 report=$report.2 get -remote "$far/big" \
	    -local out -resume
	has_temporary out
	alive "$pid"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_same "$far/big" "$got/big"
	expect_no_temporaries out
}

@test "temporaries of other machines are removed when they are a day old" {
	local fresh=$got/.batch_scp.01234567.89abcdef.1234.5678.00
	local stale=$got/.batch_scp.01234567.89abcdef.1234.5678.01
	touch "$fresh" "$got/.batch_scp.conf"
	touch -d '2 days ago' "$stale" "$got/.batch_scp.conf"
	get -remote "$far/small" -local out
	expect_status 0
	[ -e "$fresh" ]
	[ ! -e "$stale" ]
	[ -e "$got/.batch_scp.conf" ]
}

@test "a dry run removes nothing" {
	get_half
	kill -KILL "$pid"
	killed
	get -remote "$far/small" -local out -dry-run
	expect_status 0
	has_temporary out
}

# strike KIND: what ends the get of $pid.
strike() {
	local victims
	case $1 in
	worker) victims=$(workers "$pid" || true) ;;
	sshd) victims=$(session_pids) ;;
	run) victims=$pid ;;
	esac
	if [ "$1" = interrupt ]; then
		kill -INT "$pid" || true
	else
		# shellcheck disable=SC2086 # a list; they may be gone by now
		kill -KILL $victims 2>/dev/null || true
	fi
}

@test "a get that breaks off at ten random moments leaves the old or the new" {
	local kind moment seed=${SCP_SEED:-$RANDOM} i=0
	RANDOM=$seed
	write_random "$far/new" 4000000
	head -c 3000000 /dev/zero >old
	for kind in worker sshd run interrupt worker sshd run interrupt run sshd
	do
		cp old "$got/new"
		# 0.4 seconds of reading, and what comes before and after it.
		moment=$(printf '0.%03d' $((RANDOM % 600)))
		echo "$((++i)): SCP_SEED=$seed, $kind after $moment s"
		get_start -remote "$far/new" -local out -limit 10M -workers 1
		sleep "$moment"
		strike "$kind"
		if [ "$kind" = run ]; then
			killed
		else
			batch_wait
			expect_moment_result "$kind"
		fi
		expect_old_or_new old "$far/new" "$got/new"
	done
	get -remote "$far/new" -local out -verify
	expect_status 0
	expect_same "$far/new" "$got/new"
	expect_no_temporaries out
}

# What is told is true: ok only if the new file is here. What was struck before
# the transfer began may be tried again.
expect_moment_result() {
	case $1 in
	interrupt) [ "$status" -eq 130 ] || expect_status 0 ;;
	*) [ "$status" -eq 3 ] || expect_status 0 ;;
	esac
	[ -s "$report" ] || [ "$1" = interrupt ] || { dump; return 1; }
	[ -s "$report" ] || return 0
	case $1 in
	interrupt)
		expect_report 'all(.status == "ok" or .status == "cancelled")'
		;;
	worker) expect_report 'all(.status == "ok" or .status == "lost")' ;;
	sshd) expect_report 'all(.status == "ok" or .status == "lost" or
	    .status == "unreachable")' ;;
	esac
	! jq -e '.ok' "$report" >/dev/null || expect_same "$far/new" "$got/new"
}

# --- -resume -----------------------------------------------------------------

# Look at the part that get_half left. Sets part, inode.
look_at_part() {
	part=$(temporaries out)
	[ "$(wc -l <<<"$part")" -eq 1 ]
	[ "$(stat -c %s "$part")" -ge 16384 ]
	[ "$(stat -c %s "$part")" -lt "$(stat -c %s "$far/big")" ]
	inode=$(stat -c %i "$part")
	expect_old
}

# A run with -resume was interrupted.
get_part() {
	get_half -resume
	kill -INT "$pid"
	batch_wait
	expect_status 130
	look_at_part
}

# expect_resumed: the part has become the file.
expect_resumed() {
	expect_status 0
	expect_same "$far/big" "$got/big"
	expect_stat %i "$inode" "$got/big"
	expect_no_temporaries out
}

@test "with -resume a run that was interrupted is gone on with" {
	local part inode
	chmod 640 "$far/big"
	get_part
	get -remote "$far/big" -local out -resume
	expect_resumed
	expect_stat %a 640 "$got/big"
	expect_result web01 ok '.files == 1 and .bytes == 4000008'
}

@test "with -resume a run that was killed is gone on with" {
	local part inode
	get_half -resume
	kill -KILL "$pid"
	killed
	look_at_part
	get -remote "$far/big" -local out -resume -verify
	expect_resumed
	expect_result web01 ok ".sha256 == \"$(sha256 "$far/big")\""
}

@test "with -resume a worker that was killed is gone on with" {
	local part inode
	get_half -resume
	kill -KILL "$(workers "$pid")"
	batch_wait
	expect_result web01 lost
	look_at_part
	get -remote "$far/big" -local out -resume
	expect_resumed
}

@test "with -resume a lost host is gone on with, in a tree, too" {
	local inode
	mkdir -p "$far/tree/sub"
	mv "$far/big" "$far/tree/sub/"
	get_start -remote "$far/tree" -local out -limit 48k -resume
	wait_until has_temporary out +15k
	# shellcheck disable=SC2046 # a list
	kill -KILL $(session_pids)
	batch_wait
	expect_result web01 lost
	inode=$(stat -c %i "$(temporaries out)")
	get -remote "$far/tree" -local out -resume
	expect_status 0
	expect_same_tree "$far/tree" "$got/tree"
	expect_stat %i "$inode" "$got/tree/sub/big"
	expect_no_temporaries out
}

@test "a resumed run can be interrupted and resumed again" {
	local part inode first
	get_part
	first=$inode
	get_start -remote "$far/big" -local out -limit 64k -resume
	wait_until has_grown "$(stat -c %s "$part")"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	look_at_part
	[ "$inode" = "$first" ]
	get -remote "$far/big" -local out -resume
	expect_resumed
}

has_grown() {
	[ -n "$(find out -name '.batch_scp.*' -size "+$1c")" ]
}

@test "a part whose bytes differ is not trusted" {
	local part inode
	get_part
	printf X | dd of="$part" bs=1 seek=5000 conv=notrunc status=none
	get -remote "$far/big" -local out -resume
	expect_status 0
	expect_same "$far/big" "$got/big"
	expect_no_temporaries out
}

@test "a part of a file that has become another one is not trusted" {
	local part inode
	get_part
	write_random "$far/big" 200000
	get -remote "$far/big" -local out -resume
	expect_status 0
	expect_same "$far/big" "$got/big"
	expect_no_temporaries out
	# Shorter than the part.
	cp old "$got/big"
	write_random "$far/big" 1000000
	truncate -s 4000008 "$far/big"
	get_part
	write_random "$far/big" 10
	get -remote "$far/big" -local out -resume
	expect_status 0
	expect_same "$far/big" "$got/big"
	expect_no_temporaries out
}

@test "a part that is complete is gone on with, one that is empty replaced" {
	local part inode
	get_part
	cat "$far/big" >"$part"
	get -remote "$far/big" -local out -resume
	expect_resumed
	cp old "$got/big"
	get_part
	: >"$part"
	get -remote "$far/big" -local out -resume
	expect_status 0
	expect_same "$far/big" "$got/big"
	expect_no_temporaries out
}

@test "a part is not written through a link" {
	local part inode
	get_part
	echo secret >other
	ln -sf "$PWD/other" "$part"
	get -remote "$far/big" -local out -resume
	expect_status 0
	[ "$(cat other)" = secret ]
	[ ! -L "$got/big" ]
	expect_same "$far/big" "$got/big"
	# Nor a second name.
	rm -f "$part"
	cp old "$got/big"
	get_part
	ln "$part" second
	cp second copy
	get -remote "$far/big" -local out -resume
	expect_status 0
	expect_same copy second
	expect_same "$far/big" "$got/big"
}

@test "the part of another name is left for that" {
	local part inode
	get_part
	cp "$far/big" "$far/second"
	get -remote "$far/second" -local out -resume
	expect_status 0
	expect_same "$far/big" "$got/second"
	expect_stat %i "$inode" "$part"
	get -remote "$far/big" -local out -resume
	expect_resumed
}

@test "without -resume parts are removed, not gone on with" {
	local part inode
	get_part
	get -remote "$far/big" -local out
	expect_status 0
	expect_same "$far/big" "$got/big"
	expect_no_temporaries out
}
