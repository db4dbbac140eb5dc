#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_interrupted: puts that end in the middle. The target is the old file or
# the new one, whole; no temporary stays for long; and with -resume the next
# run goes on where the last one ended.

load helper
load scp

with_lab -n 2

setup() {
	scp_setup
	echo small >small
	# Large enough that a run with a limit of 1M is in the middle for long.
	write_random big 1000000
	truncate -s 4000000 big
	echo 'the end' >>big
	echo old >old
	cp old "$far/big"
}

teardown() {
	batch_kill
}

# Start a run and come back when it has sent a part of big. At this pace all of
# it would take more than a minute.
put_half() {
	put_start -local big -remote "$far/" -limit 48k "$@"
	wait_until has_temporary "$far" +15k
}

# expect_old: the target is as it was.
expect_old() {
	expect_same old "$far/big"
}

# The run was killed and is waited for. A zombie would count as a run.
killed() {
	wait "$pid" || true
	pid=
}

# --- ends that are cleaned up ------------------------------------------------

@test "SIGINT in the middle leaves the old file and no temporary" {
	put_half
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_result web01 cancelled '.files == 0 and .bytes == 0'
	expect_old
	expect_no_temporaries "$far"
}

@test "SIGTERM in the middle leaves the old file and no temporary" {
	put_half
	kill -TERM "$pid"
	batch_wait
	expect_status 143
	expect_result web01 cancelled
	expect_old
	expect_no_temporaries "$far"
}

@test "SIGINT in the middle of a tree leaves whole files and no temporary" {
	mkdir -p tree/sub
	local i
	for i in {1..20}; do
		write_random "tree/sub/f$i" 20000
	done
	mv big tree/sub/z
	put_start -local tree -remote "$far/" -limit 1M
	wait_until test -e "$far/tree/sub/f1"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_result web01 cancelled
	expect_no_temporaries "$far"
	expect_whole_files
	[ ! -e "$far/tree/sub/z" ]
}

# What there is of the tree is as it should be.
expect_whole_files() {
	local path
	find "$far/tree" -type f ! -name '.batch_scp.*' -printf '%P\n' \
	    >../arrived
	while read -r path; do
		expect_same "tree/$path" "$far/tree/$path"
	done <../arrived
}

@test "SIGINT ends the put on all hosts" {
	put_start -h db01 -local big -remote "$far/" -limit 48k -workers 2
	wait_until two_temporaries
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_report 'length == 2 and all(.status == "cancelled")'
	expect_old
	expect_no_temporaries "$far"
}

two_temporaries() {
	[ "$(temporaries "$far" | wc -l)" -eq 2 ]
}

# --- ends that leave a temporary ---------------------------------------------

@test "what a killed run leaves is removed by the next one, whatever it puts" {
	put_half
	kill -KILL "$pid"
	killed
	expect_old
	has_temporary "$far"
	put -local small -remote "$far/"
	expect_status 0
	expect_no_temporaries "$far"
	expect_old
}

@test "what a killed run leaves in a tree is removed, too" {
	mkdir -p tree/sub
	local i
	for i in {1..20}; do
		write_random "tree/sub/f$i" 20000
	done
	mv big tree/sub/z
	put_start -local tree -remote "$far/" -limit 1M
	wait_until test -e "$far/tree/sub/f1"
	wait_until has_temporary "$far"
	kill -KILL "$pid"
	killed
	has_temporary "$far/tree/sub"
	expect_whole_files
	echo new >tree/sub/z
	put -local tree/ -remote "$far/tree"
	expect_status 0
	expect_same_tree tree "$far/tree"
	expect_no_temporaries "$far"
}

@test "a killed worker loses the host, and the next run removes what it left" {
	put_half
	kill -KILL "$(workers "$pid")"
	batch_wait
	expect_status 3
	expect_result web01 lost '.stage == "transfer" and .files == 0'
	expect_old
	put -local small -remote "$far/small"
	expect_status 0
	expect_no_temporaries "$far"
}

@test "a killed sshd loses the host, and the next run removes what it left" {
	put_half
	# shellcheck disable=SC2046 # a list
	kill -KILL $(session_pids)
	batch_wait
	expect_status 3
	expect_result web01 lost '.stage == "transfer" and .files == 0'
	expect_old
	put -local small -remote "$far/"
	expect_status 0
	expect_no_temporaries "$far"
}

@test "what a run that goes on is writing is left alone" {
	put_half
	put -local small -remote "$far/"
	expect_status 0
	has_temporary "$far"
	alive "$pid"
	# With -resume, too.
	cp -p big other
	out=$out.2 err=$err.2 report=$report.2 put -local big -remote "$far/" \
	    -resume
	has_temporary "$far"
	alive "$pid"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	expect_same big "$far/big"
	expect_no_temporaries "$far"
}

@test "temporaries of other machines are removed when they are a day old" {
	local fresh=$far/.batch_scp.01234567.89abcdef.1234.5678.00
	local stale=$far/.batch_scp.01234567.89abcdef.1234.5678.01
	touch "$fresh"
	touch -d '2 days ago' "$stale"
	put -local small -remote "$far/"
	expect_status 0
	[ -e "$fresh" ]
	[ ! -e "$stale" ]
}

@test "files that only look like temporaries are never removed" {
	local name
	local -a names=(.batch_scp. .batch_scp.conf .batch_scp.backup.tar.gz \
	    .batch_scp.01234567.89abcdef.1234.5678 \
	    .batch_scp.01234567.89abcdef.1234.5678.00.orig \
	    .batch_scp.01234567.89ABCDEF.1234.5678.00)
	for name in "${names[@]}"; do
		touch -d '2001-02-03' "$far/$name"
	done
	put -local small -remote "$far/"
	expect_status 0
	for name in "${names[@]}"; do
		[ -e "$far/$name" ]
	done
}

@test "two runs that put to one name at once both succeed, the file is whole" {
	write_random one 700000
	write_random two 500000
	local first second
	put_start -local one -remote "$far/big" -limit 1M
	first=$pid
	out=$out.2 err=$err.2 report=$report.2 \
	    put_start -local two -remote "$far/big" -limit 1M
	second=$pid
	# A copy is of one file, even if another takes its name meanwhile.
	while alive "$first" || alive "$second"; do
		cp "$far/big" seen
		cmp -s old seen || expect_old_or_new one two seen
	done
	pid=$first
	batch_wait
	expect_status 0
	pid=$second
	batch_wait
	expect_status 0
	expect_old_or_new one two "$far/big"
	expect_no_temporaries "$far"
}

# strike KIND: what ends the put of $pid.
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

@test "a put that breaks off at ten random moments leaves the old or the new" {
	local kind moment seed=${SCP_SEED:-$RANDOM} i=0
	RANDOM=$seed
	write_random new 4000000
	head -c 3000000 /dev/zero >old
	for kind in worker sshd run interrupt worker sshd run interrupt run sshd
	do
		cp old "$far/new"
		# 0.4 seconds of sending, and what comes before and after it.
		moment=$(printf '0.%03d' $((RANDOM % 600)))
		echo "$((++i)): SCP_SEED=$seed, $kind after $moment s"
		put_start -local new -remote "$far/" -limit 10M -workers 1
		sleep "$moment"
		strike "$kind"
		if [ "$kind" = run ]; then
			killed
		else
			batch_wait
			expect_moment_result "$kind"
		fi
		expect_old_or_new old new "$far/new"
		rm -f "$far/new"
	done
	put -local new -remote "$far/" -verify
	expect_status 0
	expect_same new "$far/new"
	expect_no_temporaries "$far"
}

# What is told is true: ok only if the new file is there. What was struck before
# the transfer began may be tried again.
expect_moment_result() {
	case $1 in
	interrupt) [ "$status" -eq 130 ] || expect_status 0 ;;
	*) [ "$status" -eq 3 ] || expect_status 0 ;;
	esac
	# Without a record it was over before it began.
	[ -s "$report" ] || [ "$1" = interrupt ] || { dump; return 1; }
	[ -s "$report" ] || return 0
	case $1 in
	interrupt) expect_report 'all(.status == "ok" or .status == "cancelled")' ;;
	worker) expect_report 'all(.status == "ok" or .status == "lost")' ;;
	sshd) expect_report 'all(.status == "ok" or .status == "lost" or
	    .status == "unreachable")' ;;
	esac
	! jq -e '.ok' "$report" >/dev/null || expect_same new "$far/new"
}

# --- -resume -----------------------------------------------------------------

# Look at the part that put_half left. Sets part, inode.
look_at_part() {
	part=$(temporaries "$far")
	[ "$(wc -l <<<"$part")" -eq 1 ]
	[ "$(stat -c %s "$part")" -ge 16384 ]
	[ "$(stat -c %s "$part")" -lt "$(stat -c %s big)" ]
	inode=$(stat -c %i "$part")
	expect_old
}

# A run with -resume was interrupted.
put_part() {
	put_half -resume
	kill -INT "$pid"
	batch_wait
	expect_status 130
	look_at_part
}

# expect_resumed: the part has become the target.
expect_resumed() {
	expect_status 0
	expect_same big "$far/big"
	expect_stat %i "$inode" "$far/big"
	expect_no_temporaries "$far"
}

@test "with -resume a run that was interrupted is gone on with" {
	local part inode
	chmod 640 big
	put_part
	put -local big -remote "$far/" -resume
	expect_resumed
	expect_stat %a 640 "$far/big"
	expect_result web01 ok '.files == 1 and .bytes == 4000008'
}

@test "with -resume a run that was killed is gone on with" {
	local part inode
	put_half -resume
	kill -KILL "$pid"
	killed
	look_at_part
	put -local big -remote "$far/" -resume -verify
	expect_resumed
	expect_result web01 ok ".sha256 == \"$(sha256sum <big | cut -c 1-64)\""
}

@test "with -resume a lost host is gone on with, in a tree, too" {
	local inode
	mkdir -p tree/sub
	mv big tree/sub/
	put_start -local tree -remote "$far/" -limit 48k -resume
	wait_until has_temporary "$far" +15k
	# shellcheck disable=SC2046 # a list
	kill -KILL $(session_pids)
	batch_wait
	expect_result web01 lost
	inode=$(stat -c %i "$(temporaries "$far")")
	put -local tree -remote "$far/" -resume
	expect_status 0
	expect_same_tree tree "$far/tree"
	expect_stat %i "$inode" "$far/tree/sub/big"
	expect_no_temporaries "$far"
}

@test "a resumed run can be interrupted and resumed again" {
	local part inode first
	put_part
	first=$inode
	put_start -local big -remote "$far/" -limit 64k -resume
	wait_until has_grown "$(stat -c %s "$part")"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	look_at_part
	[ "$inode" = "$first" ]
	put -local big -remote "$far/" -resume
	expect_resumed
}

has_grown() {
	[ -n "$(find "$far" -name '.batch_scp.*' -size "+$1c")" ]
}

@test "a part whose bytes differ is not trusted" {
	local part inode
	put_part
	printf X | dd of="$part" bs=1 seek=5000 conv=notrunc status=none
	put -local big -remote "$far/" -resume
	expect_status 0
	expect_same big "$far/big"
	expect_no_temporaries "$far"
}

@test "a part of a file that has become another one is not trusted" {
	local part inode
	put_part
	write_random big 200000
	put -local big -remote "$far/" -resume
	expect_status 0
	expect_same big "$far/big"
	expect_no_temporaries "$far"
	# Shorter than the part.
	cp old "$far/big"
	write_random big 1000000
	truncate -s 4000008 big
	put_part
	write_random big 10
	put -local big -remote "$far/" -resume
	expect_status 0
	expect_same big "$far/big"
	expect_no_temporaries "$far"
}

@test "a part that is complete or empty is gone on with" {
	local part inode
	put_part
	cat big >"$part"
	put -local big -remote "$far/" -resume
	expect_resumed
	cp old "$far/big"
	put_part
	: >"$part"
	put -local big -remote "$far/" -resume
	expect_status 0
	expect_same big "$far/big"
	expect_no_temporaries "$far"
}

@test "a part is not written through a link" {
	local part inode
	put_part
	rm "$part"
	echo secret >"$far/other"
	chmod 640 "$far/other"
	ln -s other "$part"
	put -local big -remote "$far/" -resume
	[ "$(head -c 100 "$far/other" | tr -d '\0')" = secret ]
	expect_stat %a 640 "$far/other"
	expect_status 0
	[ ! -L "$far/big" ]
	expect_same big "$far/big"
	expect_no_temporaries "$far"
}

@test "the part of another name is left for that" {
	local part inode
	put_part
	cp big second
	put -local second -remote "$far/" -resume
	expect_status 0
	expect_same big "$far/second"
	not expect_stat %i "$inode" "$far/second" >/dev/null
	expect_stat %i "$inode" "$part"
	put -local big -remote "$far/" -resume
	expect_resumed
}

@test "without -resume parts are removed, not gone on with" {
	local part inode
	put_part
	put -local big -remote "$far/"
	expect_status 0
	expect_same big "$far/big"
	not expect_stat %i "$inode" "$far/big" >/dev/null
	expect_no_temporaries "$far"
}
