#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154
#
# perf: what `make check-perf` makes of what callgrind and strace wrote, and of
# counts that are out of their bounds. It judges counts that are given here: to
# count takes longer, and other tools than the other tests need.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cat >counts <<-'END'
	versions x86_64 libssh2 1.10 OpenSSL 3.0
	# a host          measured        bound        floor
	worker.syscalls       60.5         70.0         23.3
	worker.bytes        1000.0       1100.0        366.7
	END
}

teardown() {
	batch_kill
}

check_perf() {
	status=0
	"$python" "$top_srcdir/tests/perf/check_perf.py" "$@" \
	    </dev/null >"$out" 2>"$err" 3>&- || status=$?
}

# judge <<END: the counts, by these bounds.
judge() {
	cat >bounds
	check_perf counts bounds
}

# evaluate FILE EXPRESSION: of Python, where lines are those of the file.
evaluate() {
	"$python" -B -c 'import sys
sys.path.insert(0, sys.argv[1])
from check_perf import *
lines = open(sys.argv[2]).read().splitlines(True)
print(eval(sys.argv[3]))' "$top_srcdir/tests/perf" "$1" "$2"
}

# A build that seems to be all that is needed, and of which only simhost runs:
# the commands of stdin.
fake_build() {
	mkdir -p bin build/src build/tests
	ln -s "$(type -P true)" bin/valgrind
	ln -s "$(type -P true)" bin/strace
	PATH=$PWD/bin:$PATH
	ln -s "$(type -P false)" build/src/batch_run
	{
		echo '#!/bin/sh'
		cat
	} >build/tests/simhost
	chmod 755 build/tests/simhost
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
}

simhost_is_gone() {
	[ -s simhost.pid ] && not alive "$(cat simhost.pid)" &&
	    [ -z "$(ls -A "$TMPDIR")" ]
}

# --- the verdict -------------------------------------------------------------

@test "counts within their bounds are good, and what is printed can be judged" {
	judge <<-'END'
	# The count may equal either.
	worker.syscalls 60.5 # at most
	worker.bytes 2000 1000
	END
	expect_status 0
	expect_line "$out" "versions x86_64 libssh2 1.10 OpenSSL 3.0"
	expect_match "$out" '^worker.syscalls +60.5 +60.5 +20.2$' \
	    '^worker.bytes +1000.0 +2000.0 +1000.0$'
	cp "$out" counts
	check_perf counts bounds
	expect_status 0
	cmp "$out" counts
}

@test "a count above its bound fails" {
	judge <<-'END'
	worker.syscalls 60
	worker.bytes 1100
	END
	expect_status 1
	expect_match "$out" '^worker.syscalls .* EXCEEDED$'
	expect_no_match "$out" '^worker.bytes .* [a-z]'
}

@test "a count below its floor fails: a third of the bound, or what is told" {
	judge <<-'END'
	worker.syscalls 182
	worker.bytes 1100
	END
	expect_status 1
	expect_match "$out" '^worker.syscalls .* TOO LOW'
	expect_no_match "$out" '^worker.bytes .* [a-z]'
	judge <<-'END'
	worker.syscalls 182 60
	worker.bytes 1100 1001
	END
	expect_status 1
	expect_match "$out" '^worker.bytes .* TOO LOW'
	expect_no_match "$out" '^worker.syscalls .* [a-z]'
}

@test "a count of nothing, or less, fails" {
	local count
	for count in 0.0 -3.5; do
		echo "worker.syscalls $count" >counts
		judge <<<'worker.syscalls 70'
		expect_status 1
		expect_match "$out" '^worker.syscalls .* TOO LOW'
	done
}

@test "a bound without a count, and a count without a bound, are errors" {
	judge <<-'END'
	worker.syscalls 70
	worker.bytes 1100
	worker.bites 1100
	END
	expect_status 2
	expect_match "$err" 'no such count: worker.bites$'
	judge <<<'worker.syscalls 70'
	expect_status 2
	expect_match "$err" 'no bound: worker.bytes$'
}

@test "a bounds file that cannot be understood is an error" {
	local line
	for line in "worker.bytes" "worker.bytes 1100 2 3" \
	    "worker.bytes many" "worker.syscalls 70"; do
		judge <<-END
		worker.syscalls 70
		$line
		worker.bytes 1100
		END
		expect_status 2
		expect_match "$err" "${line%% *}"
	done
}

@test "the bounds below a line of versions hold for those versions only" {
	judge <<-'END'
	worker.syscalls 70
	versions x86_64 libssh2 1.11 OpenSSL 3.5
	worker.bytes 1
	versions x86_64 libssh2 1.10 OpenSSL 3.0
	worker.bytes 1100
	END
	expect_status 0
	sed -i 's/1\.10/1.11/; s/3\.0/3.5/' counts
	check_perf counts bounds
	expect_status 1
	expect_match "$out" '^worker.bytes .* EXCEEDED$'
	sed -i 's/1\.11/1.12/' counts
	check_perf counts bounds
	expect_status 0
	expect_match "$out" '^worker.bytes .* no bound for these versions$'
	judge <<-'END'
	worker.syscalls 60
	versions x86_64 libssh2 1.11 OpenSSL 3.5
	worker.bytes 1
	END
	expect_status 1
	expect_match "$out" '^worker.syscalls .* EXCEEDED$'
}

@test "what could not be counted is told, and is no failure" {
	sed -i 's/60\.5/-/' counts
	judge <<-'END'
	worker.syscalls 70
	worker.bytes 1100
	END
	expect_status 0
	expect_match "$out" '^worker.syscalls .* not counted$'
}

# --- counting ----------------------------------------------------------------

@test "of callgrind's file the instructions by library and the calls count" {
	cat >profile <<-'END'
	# callgrind format
	version: 1
	cmd:  /a/b/batch_worker 77
	positions: line
	events: Ir

	ob=(1) /a/b/batch_worker
	fl=(1) ???
	fn=(1) main
	0 100
	+3 20
	cob=(2) /lib/libc.so.6
	cfn=(2) malloc
	calls=3 0
	* 900
	cob=(2)
	cfn=(3) calloc
	calls=4 0
	-1 900

	ob=(3) /lib/libcrypto.so.3
	fn=(4) EVP_MAC_init
	0 5000
	cob=(2)
	cfn=(2)
	calls=10 0
	0 900

	ob=(2)
	fn=(2)
	0 7
	cob=(3)
	cfn=(4)
	calls=2 0
	0 10000

	totals: 5127
	END
	[ "$(evaluate profile 'sorted(Profile(lines).counts().items())')" = \
	    "[('allocations', 17), ('crypto-instructions', 5000),\
 ('instructions', 127), ('name-hashes', 2)]" ]
	[ "$(evaluate profile 'Profile(lines).program')" = batch_worker ]
	# A cost that was not understood.
	sed -i 's/^+3 20$/subposition 3 20/' profile
	run evaluate profile 'Profile(lines)'
	[ "$status" -ne 0 ]
	[[ $output == *"do not add up"* ]]
}

# A fork that goes on after the child's first lines, threads of control and of
# the worker, one of a thread, calls that are resumed, one that fails.
@test "of strace's lines the calls of a thread are those of its process" {
	cat >calls <<-'END'
	10    execve("/a/batch_run", ["batch_run", "execve("], 0x1 /* 2 vars */) = 0
	10    clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
	11    setsid() = 11
	10    <... clone resumed>, child_tidptr=0x7f) = 11
	11    execve("/a/batch_worker", ["batch_worker"], 0x1 /* 0 vars */) = 0
	11    clone3({flags=CLONE_VM, stack_size=0x7fff00}, 88 <unfinished ...>
	12    rseq(0x7f, 0x20, 0, 0x53053053 <unfinished ...>
	11    <... clone3 resumed> => {parent_tid=[12]}, 88) = 12
	12    <... rseq resumed>) = 0
	12    clone3({flags=CLONE_VM} => {parent_tid=[13]}, 88) = 13
	13    read(5, "= 99", 4) = 4
	11    clone(child_stack=0x7f, flags=CLONE_VM) = -1 EAGAIN (Resource)
	11    epoll_wait(8, [], 1024, 0) = 0
	11    epoll_pwait(8,  <unfinished ...>
	10    vfork( <unfinished ...>
	14    read(3, "", 4) = 0
	10    <... vfork resumed>) = 14
	11    <... epoll_pwait resumed>[], 1024, 0, NULL, 8) = 0
	10    --- SIGCHLD {si_signo=SIGCHLD} ---
	10    poll([{fd=3, events=POLLIN}], 1, -1) = 1
	11    +++ exited with 0 +++
	END
	[ "$(evaluate calls '" ".join(sorted("%s.%s:%d" % (*key, n)
	    for key, n in system_calls(lines).items()))')" = \
	    "control.clone:1 control.execve:1 control.poll:1 control.read:1\
 control.setsid:1 control.vfork:1 worker.clone3:2 worker.clone:1\
 worker.epoll_pwait:1 worker.epoll_wait:1 worker.execve:1 worker.read:1\
 worker.rseq:1" ]
	echo '99 getpid() = 99' >>calls
	run evaluate calls 'system_calls(lines)'
	[ "$status" -ne 0 ]
	[[ $output == *"no parent of 99"* ]]
}

# --- what is run -------------------------------------------------------------

@test "without a tool it is skipped" {
	fake_build </dev/null
	mkdir empty
	ln -s "$(type -P "$python")" empty/python3
	python=python3 PATH=$PWD/empty check_perf build
	expect_status 77
	expect_match "$out" 'skipped: valgrind is missing'
}

@test "simhost does not stay when the rest fails to begin" {
	fake_build <<-'END'
	echo $$ >simhost.pid
	while [ "$1" != -o ]; do shift; done
	echo no port >"$2"
	exec sleep 60
	END
	check_perf build
	expect_status 2
	expect_match "$err" 'no port'
	simhost_is_gone
}

@test "simhost does not stay when it is terminated" {
	fake_build <<-'END'
	echo $$ >simhost.pid
	exec sleep 60
	END
	"$python" "$top_srcdir/tests/perf/check_perf.py" build \
	    </dev/null >"$out" 2>"$err" 3>&- &
	pid=$!
	wait_until test -s simhost.pid
	kill -TERM "$pid"
	batch_wait
	expect_status 143
	simhost_is_gone
}
