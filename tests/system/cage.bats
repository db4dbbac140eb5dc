#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2028,SC2030,SC2031,SC2034,SC2154
#
# cage: what a worker has and can do, as others see it, and what becomes of one
# that does more. What it can't open or call is in tests/unit/test_cage.c, of
# those that transfer also in cage_scp.bats; that it can do its work, in all
# other tests here.

load helper
load cage

with_lab -n 6

setup() {
	go=$LAB_DIR/go
	rm -f "$go"
	command='echo up; until [ -e "$HOME/../../go" ]; do sleep 0.1; done
	    echo "done"'
}

teardown() {
	batch_kill
	touch "$go"
	temp_user_del
}

# batch_refused ERRNO CALL... -- PROGRAM: run it so, see tests/refuse.c.
batch_refused() {
	status=0
	"$top_builddir/tests/refuse" "$@" -v -known-hosts "$known_hosts" \
	    -h web01 -cmd true <"$input" >"$out" 2>"$err" 3>&- || status=$?
}

# up ARGUMENT...: web01 runs the command; sets worker.
up() {
	rm -f "$out" # of the run before
	batch_start -v -h web01 -workers 1 -cmd "$command" "$@"
	is_up
}

is_up() {
	wait_until grep -q ': up$' "$out"
	worker=$(workers "$pid")
	[ -n "$worker" ]
}

down() {
	touch "$go"
	batch_wait
	expect_status 0
}

# field NAME: of the worker's status.
field() {
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$worker/status"
}

# limit NAME: of the worker, the soft and the hard one.
limit() {
	sed -nE "s/^$1 +([^ ]+) +([^ ]+) .*/\1 \2/p" "/proc/$worker/limits"
}

@test "a worker dumps no core and gains no privileges, with a sandbox or without" {
	local sandbox
	for sandbox in on off; do
		rm -f "$go"
		up -sandbox "$sandbox"
		[ "$(field NoNewPrivs)" = 1 ]
		[ "$(limit 'Max core file size')" = '0 0' ]
		[ "$(cat "/proc/$worker/oom_score_adj")" = 1000 ]
		down
	done
}

@test "a worker's memory is not for other processes of the user" {
	local as=()
	if [ "$(id -u)" -eq 0 ]; then
		temp_user_files
		as=(env "HOME=$temp_home" setpriv --reuid "$temp_user" --regid
		    "$(id -g "$temp_user")" --clear-groups)
		known_hosts=$temp_home/known_hosts
		BATCH_INVENTORY=$temp_home/inventory.ini
	fi
	"${as[@]}" "$batch_run" -known-hosts "$known_hosts" -h web01 \
	    -cmd "$command" </dev/null >"$out" 2>"$err" 3>&- &
	pid=$!
	is_up
	[ "$(field Uid | cut -f 1)" -ne 0 ]
	# Of a process that is not dumpable, /proc has root's files.
	[ "$("${as[@]}" stat -c %u /proc/self/environ)" -ne 0 ]
	[ "$(stat -c %u "/proc/$worker/environ")" -eq 0 ]
	down
}

@test "system calls, memory and capabilities are limited, unless -sandbox off" {
	up
	lacks seccomp || [ "$(field Seccomp)" = 2 ]
	lacks all || [ "$(limit 'Max address space' | grep -c unlimited)" -eq 0 ]
	lacks all || [ "$(field CapPrm)" = 0000000000000000 ]
	down
	rm "$go"
	up -sandbox off
	expect_match "$err" 'sandbox: off$'
	[ "$(field Seccomp)" = "$(sed -n 's/^Seccomp:\t//p' /proc/self/status)" ]
	[ "$(limit 'Max address space')" = \
	    "$(worker=self limit 'Max address space')" ]
	[ "$(field CapPrm)" = "$(worker=$pid field CapPrm)" ]
	down
}

@test "what the system lacks for the sandbox is told by -v, and only then" {
	batch -v -h web01 -cmd true
	expect_status 0
	if is_sanitized; then
		expect_match "$err" 'lacks all of it .built with a sanitizer'
	fi
	batch -h web01 -cmd true
	expect_no_match "$err" sandbox
}

# look_up HOSTS: localhost, where /etc/nsswitch.conf has that of hosts.
look_up() {
	taken_over 'lookup local'
	with_acts with_etc nsswitch.conf="hosts: $1" -- "$batch_run" -v \
	    -h localhost -workers 1 -cmd true
}

@test "where names take local sockets, these are open, and -v tells" {
	! is_sanitized || skip "sanitizers have no sandbox"
	look_up 'files mdns4_minimal'
	! lacks Landlock || skip "there is no Landlock here"
	expect_match "$err" "lacks a ban on local sockets .*nsswitch.conf"
	expect_match "$err" 'local : done'
	look_up 'files dns'
	expect_no_match "$err" "local sockets"
	lacks seccomp || expect_match "$err" 'local : Permission denied'
}

@test "a system that refuses parts of the sandbox is done without them" {
	[ -x "$top_builddir/tests/refuse" ] || skip "needs libseccomp"
	! is_sanitized || skip "sanitizers have no sandbox"
	local errno calls lacks
	batch -v -h web01 -cmd true
	! lacks . || skip "this system has not all of it"
	while read -r errno calls lacks; do
		# shellcheck disable=SC2086 # words
		batch_refused "$errno" ${calls//,/ } -- "$batch_run"
		expect_status 0
		[ "$(grep -c 'this system lacks' "$err")" -eq \
		    "$([ -n "$lacks" ] && echo 1 || echo 0)" ]
		[ -z "$lacks" ] || expect_match "$err" \
		    "^worker 0 sandbox: this system lacks $lacks$"
	done <<-'END'
	38 landlock_create_ruleset Landlock .Function not implemented.
	95 landlock_create_ruleset Landlock .Operation not supported.
	1 landlock_restrict_self Landlock .Operation not permitted.
	38 seccomp
	1 seccomp
	1 seccomp,prctl:22 seccomp .refused by the system.
	1 landlock_create_ruleset,seccomp,prctl:22 Landlock .*, seccomp .*
	1 mlockall,capset,setrlimit,prlimit64
	END
}

@test "a worker has few variables in its environment" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to look into a worker"
	export SECRET=1 TMPDIR=$BATS_TEST_TMPDIR LC_ALL=C.UTF-8 SSH_AUTH_SOCK=x
	up
	local names
	names=$(tr '\0' '\n' <"/proc/$worker/environ" | sed 's/=.*//' |
	    grep -vE '^(ASAN|UBSAN|LSAN)_OPTIONS$')
	[ "$names" = TMPDIR ]
	down
}

@test "a worker has no descriptor but its pipes, sockets, and what waits" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to look into a worker"
	local others
	exec 9<"$LAB_DIR/inventory.ini"
	up
	find "/proc/$worker/fd" -type l -printf '%f %l\n' >"$BATS_TEST_TMPDIR/fds"
	grep -q '^2 pipe:' "$BATS_TEST_TMPDIR/fds"
	others=$(grep -vE \
	    '^[01] /dev/null$|^[0-9]+ (pipe|socket|anon_inode):' \
	    "$BATS_TEST_TMPDIR/fds") || true
	[ -z "$others" ] || { echo "$others"; return 1; }
	down
}

begun_at_least() {
	[ "$(grep -c ': up$' "$out")" -ge "$1" ]
}

@test "a forbidden system call ends the worker, and its name is told" {
	taken_over 'signal execute'
	with_acts batch_start -v -g web -fanout 2 -workers 1 -cmd "$command"
	wait_until begun_at_least 2
	! lacks seccomp || skip "there is no seccomp here"
	kill -USR2 "$(workers "$pid")"
	# The hosts of its successor.
	wait_until begun_at_least 4
	touch "$go"
	batch_wait
	expect_status 3
	expect_forbidden execve '.status == "lost"'
	expect_report 'map(select(.status == "lost")) | length == 2'
	expect_report 'map(select(.status == "ok")) | length >= 2'
	expect_report 'length == (map(.host) | unique | length) and
	    all(.status == "ok" or .status == "lost")'
}

@test "-sandbox off lets a worker do what it wants" {
	taken_over 'signal execute'
	with_acts batch_start -h web01 -workers 1 -sandbox off -cmd "$command"
	wait_until begun_at_least 1
	kill -USR2 "$(workers "$pid")"
	batch_wait
	expect_status 3
	expect_result web01 lost \
	    '.message == "worker exited with status 0"'
	expect_no_match "$err" forbidden
}

@test "a forbidden system call where a name is looked up costs that host" {
	taken_over 'lookup execute'
	with_acts batch -v -h localhost,web01 -workers 1 -cmd true
	! lacks seccomp || skip "there is no seccomp here"
	expect_status 5
	expect_forbidden execve '.host == "localhost" and .status == "error"'
	expect_report 'length == 2'
}

@test "a worker that takes memory without end is refused it, and the others go on" {
	taken_over 'signal leak'
	with_acts batch_start -v -g web -fanout 4 -workers 2 -cmd "$command"
	wait_until begun_at_least 4
	! lacks all || skip "there is no limit here"
	local one
	one=$(workers "$pid" | head -n 1)
	kill -USR2 "$one"
	wait_until grep -q 'leak : Cannot allocate memory' "$err"
	[ "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' \
	    "/proc/$one/status")" -lt 100000 ]
	touch "$go"
	batch_wait
	expect_report 'length == 4 and (map(.host) | unique | length == 4) and
	    all(.status == "ok" or .status == "lost") and
	    (map(select(.status == "ok")) | length >= 2)'
}

@test "what a worker writes to stderr is told by control: escaped, and not all" {
	fakeworker_up batch_run
	{
		printf '%s\n' 'say \x1b]0;title\x07 \xff \x9b31m'
		printf 'say %s\n' "$(printf '%03000d' 0)"
		for i in {1..300}; do
			echo "say line $i"
		done
		echo 'result ok none 0 0 0'
	} >"$fake/script"
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	batch -h 127.0.0.1 -host-key accept-new -cmd true
	expect_status 0
	expect_line "$err" \
	    'batch_run: worker 0: \x1b]0;title\x07 \xff \x9b31m'
	expect_line "$err" 'batch_run: worker 0: line 50'
	expect_no_match "$err" 'line 300'
	expect_match "$err" 'more of what worker 0 says is left out'
	[ "$(wc -l <"$err")" -le 110 ]
	expect_no_bytes "$err" $'\e' $'\a'
}

@test "of a libssh2 with a known hole is warned once a run" {
	fakeworker_up batch_run
	printf 'libssh2 1.0 lacks \e[31ma fix\n' >"$fake/holes"
	echo 'result ok none 0 0 0' >"$fake/script"
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	batch -h '127.0.0.[1-4]' -workers 4 -fanout 4 -host-key accept-new \
	    -cmd true
	expect_status 0
	[ "$(find "$fake" -name 'log.*' | wc -l)" -eq 4 ]
	expect_line "$err" \
	    'batch_run: warning: libssh2 1.0 lacks \x1b[31ma fix; update it'
	[ "$(grep -c 'libssh2' "$err")" -eq 1 ]
	batch -h 127.0.0.1 -q -cmd true
	expect_status 0
	expect_no_match "$err" libssh2
}
