#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2086,SC2154
#
# limits: of processes, memory and descriptors, from the start or in mid-run
# (descriptors.bats has more of the latter). Each host has its result, and
# nothing is told a hundred times.

load helper

with_lab -n 8

teardown() {
	batch_kill
	temp_user_del
}

# limit_later WHO OPTION: 4 of 8 hosts run; then the limit of control, or of
# the worker, is lowered by prlimit(1).
limit_later() {
	local victims
	batch_start -g web,db -fanout 4 -workers 1 -cmd "echo begun
	    until [ -e '$out.go' ]; do sleep 0.1; done; echo ran"
	wait_until begun_at_least 4
	victims=$(our_processes "$1")
	prlimit --pid $victims "$2"
	touch "$out.go"
	batch_wait
	expect_report 'length == 8 and (map(.host) | unique | length) == 8'
	expect_few_lines
}

begun_at_least() {
	[ "$(grep -c ': begun$' "$out")" -ge "$1" ]
}

# Those that run end well; there is no descriptor for the others.
worker_without_descriptors() {
	limit_later worker --nofile=8
	expect_status 5
	expect_report 'map(.status) | sort ==
	    ["error", "error", "error", "error", "ok", "ok", "ok", "ok"]'
	expect_match "$err" 'error local, too many open files \(4\)'
}

control_without_descriptors() {
	limit_later control --nofile=4
	expect_status 5
	expect_report 'any(.status == "cancelled")'
}

# A new one takes its place, and has the limit that control has.
worker_without_memory() {
	limit_later worker --as=1
	expect_report 'map(select(.status == "ok")) | length >= 1'
}

# transfer_without_descriptors DIRECTORY ARGUMENT...: once there are some files
# in DIRECTORY, no more can be opened. What was in work at that time is told,
# the rest is not tried.
transfer_without_descriptors() {
	local batch_run=$top_builddir/src/batch_scp
	batch_start -h web01 -limit 20k "${@:2}"
	wait_until test -e "$1"
	prlimit --pid "$(workers "$pid")" --nofile=8
	batch_wait
	expect_status 5
	expect_result web01 error '.files < 500 and
	    (.message | test("too many open files"; "i"))'
	[ "$(wc -l <"$err")" -le 50 ] || { dump; return 1; }
}

@test "limits that are lowered in mid-run cost no host its result" {
	apart descriptors worker_without_descriptors
	apart control control_without_descriptors
	is_sanitized || apart memory worker_without_memory
	local tree=$BATS_TEST_TMPDIR/tree put=$BATS_TEST_TMPDIR/far/tree
	local get=$BATS_TEST_TMPDIR/got/web01$tree
	mkdir "$tree" "$BATS_TEST_TMPDIR/far"
	seq 500 | split -a 3 -l 1 - "$tree/file."
	sed -i 's/$/ and some more words, so that it takes a while/' "$tree"/*
	apart put transfer_without_descriptors "$put" -action put \
	    -local "$tree" -remote "$BATS_TEST_TMPDIR/far"
	apart get transfer_without_descriptors "$get" -action get \
	    -remote "$tree" -local "$BATS_TEST_TMPDIR/got"
	together
}

# as_temp_user PROCESSES ARGUMENT...: batch_run as the temporary user, who may
# have so many processes and threads.
as_temp_user() {
	status=0
	rm -f "$report"
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 HOME=$temp_home \
	    timeout -k 5 60 setpriv --reuid "$temp_user" \
	    --regid "$(id -g "$temp_user")" --clear-groups \
	    bash -c 'ulimit -u "$0" && exec "$@"' "$1" "$batch_run" \
	    -known-hosts "$temp_home/known_hosts" \
	    -i "$temp_home/inventory.ini" -report "$report" "${@:2}" \
	    </dev/null >"$out" 2>"$err" 3>&- || status=$?
}

temp_user_setup() {
	temp_user_files
	report=$temp_home/report
	{
		echo '[named]'
		echo 'n[001-200] = address=localhost port=1'
	} >>"$temp_home/inventory.ini"
}

@test "where no process and no thread can be made each host has a clear result" {
	temp_user_setup
	as_temp_user 1 -g web -cmd 'echo ran'
	expect_status 5
	expect_match "$err" 'fork of a worker: '
	# A worker, but no thread to look up names.
	as_temp_user 2 -g web,named -workers 2 -cmd 'echo ran'
	expect_status 5
	expect_match "$err" 'only 1 of 2 workers: fork of a worker: '
	expect_report 'map(select(.groups == ["named"])) | length == 200 and
	    all(.status == "error" and (.message | test("thread")))'
	expect_report 'map(select(.groups == ["web"])) | length == 6 and
	    all(.status == "ok")'
	expect_few_lines
	# One thread does it, one name after the other.
	as_temp_user 3 -g web,named -workers 1 -cmd 'echo ran'
	expect_status 3
	expect_report 'map(select(.groups == ["named"])) | length == 200 and
	    all(.status == "unreachable" and .stage == "connect")'
	expect_few_lines
}

@test "a worker that cannot be replaced ends the run, each host has its result" {
	local other worker
	temp_user_setup
	as_temp_user 2 -g web,db -workers 1 -fanout 2 \
	    -cmd 'echo begun; sleep 300' &
	pid=$!
	wait_until begun_at_least 2
	# Another program of the user takes the place of the worker.
	setpriv --reuid "$temp_user" --regid 0 --clear-groups sleep 60 3>&- &
	other=$!
	worker=$(pgrep -u "$temp_user" -x batch_worker)
	kill -KILL "$worker"
	wait_until not alive "$pid"
	kill "$other"
	expect_report 'map(.status) | sort == ["cancelled", "cancelled",
	    "cancelled", "cancelled", "cancelled", "cancelled", "lost", "lost"]'
	expect_match "$err" 'no new worker: fork'
	expect_few_lines
}

@test "workers that die with every host are told of a few times" {
	local n
	fakeworker_up batch_run
	echo die >"$fake/script"
	write_inventory <<-'END'
	[web]
	web[01-40] =
	END
	batch -g web -fanout 1 -host-key accept-new -max-startups 100 -cmd true
	expect_status 3
	expect_report 'length == 40 and all(.status == "lost")'
	[ "$(grep -c 'killed by signal 9; its hosts' "$err")" -eq 3 ]
	expect_match "$err" 'more warnings like this are left out'
	expect_few_lines
}

@test "a worker that does not run is told once" {
	fakeworker_up batch_run
	printf '#!/bin/sh\nexit 9\n' >"$fake/batch_worker"
	batch -g web,db -workers 2 -cmd true
	expect_status 5
	expect_report 'length == 8 and all(.status == "cancelled")'
	[ "$(grep -c 'status 9' "$err")" -eq 1 ]
	expect_few_lines
}
