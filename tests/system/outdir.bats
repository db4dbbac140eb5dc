#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# outdir: each host's output in files, byte by byte.

load helper

with_lab -n 6

setup() {
	dir=$BATS_TEST_TMPDIR/dir
}

teardown() {
	batch_kill
}

every_byte='i=0; while [ $i -lt 256 ]; do printf "\\$(printf %03o $i)"; i=$((i + 1)); done'

@test "each host has its stdout and stderr in files, as they were" {
	batch -g web -outdir "$dir" -output none \
	    -cmd "$every_byte; printf \"err of \$LAB_HOST\" >&2"
	expect_status 0
	[ ! -s "$out" ]
	"$python" -c 'import sys
sys.stdout.buffer.write(bytes(range(256)))' >"$out.bytes"
	local host
	for host in web01 web02 web03 web04; do
		cmp "$out.bytes" "$dir/$host.out"
		[ "$(cat "$dir/$host.err")" = "err of $host" ]
	done
	[ "$(find "$dir" -type f | wc -l)" -eq 8 ]
}

@test "lines are printed as ever besides" {
	batch -h web01,web02 -outdir "$dir" -cmd 'printf "a\nb"'
	expect_status 0
	expect_output 'web01: a' 'web01: b' 'web02: a' 'web02: b'
	printf 'a\nb' | cmp - "$dir/web02.out"
}

@test "output is in its file while its command runs" {
	batch_start -h web01 -outdir "$dir" -output fold \
	    -cmd 'printf early; until [ -e "$HOME/go" ]; do sleep 0.1; done'
	wait_until grep -qs early "$dir/web01.out"
	alive "$pid"
	touch "$(host_file web01 go)"
	batch_wait
	expect_status 0
}

@test "the directory is made, and a large output arrives whole" {
	batch -h web01 -outdir "$dir/of/many//names" -output none \
	    -cmd 'seq 1000000'
	expect_status 0
	seq 1000000 | cmp - "$dir/of/many/names/web01.out"
}

@test "files of an earlier run are replaced, also by empty ones" {
	batch -g web -outdir "$dir" -cmd 'echo first; echo first >&2'
	batch -g web -h 127.77.9.9:1 -outdir "$dir" \
	    -cmd '[ $LAB_HOST = web02 ] || echo second'
	echo second | cmp - "$dir/web01.out"
	[ -e "$dir/web02.out" ]
	[ ! -s "$dir/web02.out" ]
	[ ! -s "$dir/web01.err" ]
	[ -e "$dir/127.77.9.9:1.out" ]
}

@test "a link in the place of a file is replaced, not followed" {
	mkdir "$dir"
	echo mine >"$BATS_TEST_TMPDIR/mine"
	ln -s "$BATS_TEST_TMPDIR/mine" "$dir/web01.out"
	mkfifo "$dir/web02.out"
	batch -h web01,web02 -outdir "$dir" -cmd 'echo text'
	expect_status 0
	[ "$(cat "$BATS_TEST_TMPDIR/mine")" = mine ]
	echo text | cmp - "$dir/web01.out"
	echo text | cmp - "$dir/web02.out"
	[ ! -L "$dir/web01.out" ]
}

@test "a directory that cannot be had stops the run before any host" {
	echo >"$BATS_TEST_TMPDIR/file"
	local bad
	for bad in "$BATS_TEST_TMPDIR/file" "$BATS_TEST_TMPDIR/file/dir" ''; do
		batch -h web01 -outdir "$bad" -cmd "touch \$HOME/ran"
		expect_status 2
		expect_match "$err" 'file|outdir'
		[ ! -e "$report" ]
	done
	[ ! -e "$(host_file web01 ran)" ]
}

@test "more hosts than open files" {
	local hosts='' i
	for i in $(seq 60); do
		hosts=$hosts,h$i
	done
	write_inventory < <(
		echo "[defaults]"
		echo "user = $LAB_USER"
		echo "port = $LAB_PORT"
		echo "identity_file = $LAB_DIR/id_ed25519"
		echo "host_key_alias = one"
		echo "[all]"
		for i in $(seq 60); do
			echo "h$i = address=127.77.0.1"
		done
	)
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	echo "one $(cut -d' ' -f 1,2 "$LAB_DIR/ssh_host_ed25519_key.pub")" \
	    >"$known_hosts"
	(
		ulimit -n 100
		batch -g all -fanout 8 -outdir "$dir" -output none \
		    -cmd 'echo text; echo text >&2'
		echo "$status" >"$BATS_TEST_TMPDIR/status"
	)
	status=$(cat "$BATS_TEST_TMPDIR/status")
	expect_status 0
	[ "$(cat "$dir"/*.out "$dir"/*.err | grep -c '^text$')" -eq 120 ]
}

@test "a file that takes no more is an error of the run, not silence" {
	(
		trap '' XFSZ
		ulimit -f 500
		batch -g web -outdir "$dir" -output none -cmd \
		    '[ $LAB_HOST = web02 ] && seq 1000000; sleep 20'
		echo "$status" >"$BATS_TEST_TMPDIR/status"
	)
	status=$(cat "$BATS_TEST_TMPDIR/status")
	expect_status 5
	expect_match "$err" 'dir/web02.out: '
	# The others are not waited for.
	expect_result web01 cancelled \
	    '.message == "a file of -outdir can'\''t be written"'
}

@test "memory for output that is to be folded is bounded, with what does not fit in a file" {
	[ -e /proc/self/smaps_rollup ] || skip "no smaps_rollup here"
	batch_start -g web -output fold -no-prefix \
	    -cmd 'yes "$LAB_HOST $(printf %01000d 0)" | head -c 20000000'
	local most=0 now
	while alive "$pid"; do
		now=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" \
		    2>/dev/null || true)
		[ "${now:-0}" -le "$most" ] || most=$now
		sleep 0.1
	done
	batch_wait
	expect_status 0
	echo "most memory: $most kB"
	[ "$(wc -c <"$out")" -gt 20000000 ]
	is_sanitized || [ "$most" -lt 100000 ]
}
