#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154
#
# bench: scripts/bench measures what it says, on whatever is installed, and
# leaves nothing behind.

load helper

setup() {
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
}

teardown() {
	batch_kill
}

bench() {
	status=0
	"$python" "$top_srcdir/tests/bench/bench.py" --build "$top_builddir" \
	    "$@" </dev/null >"$out" 2>"$err" 3>&- || status=$?
}

# Of this test, still there.
nothing_left() {
	[ -z "$(ls -A "$TMPDIR")" ] && ! pgrep -f "$TMPDIR" >/dev/null
}

# expect_results JQ-FILTER
expect_results() {
	jq -e "$1" results/RESULTS.json >/dev/null || {
		echo "expected of the results: $1"
		dump
		return 1
	}
}

@test "each row is measured with each peer that is there, and proven" {
	cd "$BATS_TEST_TMPDIR"
	bench --quick --out results --peers batch_run,bare,ssh,pdsh
	expect_status 0
	"$python" "$top_srcdir/tests/bench/bench.py" --quick --list >rows
	[ "$(jq -r '.rows[].name' results/RESULTS.json)" = \
	    "$(cut -d' ' -f 1 rows)" ]
	# Here or not; a peer may fail on a busy machine, ours never.
	expect_results 'all(.rows[]; .reason == null or
	    (.reason | startswith("not possible here")))'
	expect_results 'all(.rows[] | select(.reason == null);
	    .cells.batch_run.reason == null)'
	expect_results '[.rows[].cells.bare.reason // "" |
	    select(startswith("failed"))] == []'
	expect_results 'any(.rows[]; .cells.pdsh.reason |
	    . == null or . == "not installed")'
	expect_results 'all(.rows[] | select(.reason == null) | .cells[] |
	    select(.reason == null);
	    .samples | length == 1 and all(.wall_s > 0))'
	# Of what is over in no time, nothing may have been seen.
	expect_results '[.rows[].cells[].samples[]] |
	    (map(select(.cpu_s > 0 and .peak_kb > 0)) | length) * 2 > length'
	expect_results 'any(.rows[]; .server == "sshd" and .reason == null)'
	# A second's sleep is a second at least.
	expect_results 'all(.rows[] | select(.name == "sim-sleep") |
	    .cells[].samples[]; .wall_s >= 1)'
	while read -r name _; do
		expect_match results/RESULTS "^$name: "
		expect_match "$out" "^$name: "
	done <rows
	"$python" -c 'import sys, xml.dom.minidom as dom
dom.parse(sys.argv[1])' results/RESULTS.svg
	nothing_left
}

@test "every peer that is there can be measured" {
	cd "$BATS_TEST_TMPDIR"
	bench --quick --out results --rows '^sshd-put-one$'
	expect_status 0
	expect_results '.rows[0].cells | length > 4 and
	    .batch_run.reason == null'
	nothing_left
}

@test "a client that does not do its work is shown as failed" {
	cd "$BATS_TEST_TMPDIR"
	mkdir -p build/src build/tests
	ln -s "$(type -P true)" build/src/batch_run
	ln -s "$(type -P false)" build/src/batch_scp
	status=0
	"$python" "$top_srcdir/tests/bench/bench.py" --build build --quick \
	    --rows '^sshd-(true|output|put-many)' --peers batch_run \
	    --out results </dev/null >"$out" 2>"$err" 3>&- || status=$?
	expect_status 0
	expect_results '[.rows[].cells.batch_run.reason] == [
	    "failed: ran 0 times, on 0 of 2 hosts",
	    "failed: 0 bytes, 0 lines of output", "failed: exit 1"]'
}

@test "a client that takes longer than the limit is left out" {
	[ -x "$top_builddir/tests/simhost" ] || skip "there is no simhost"
	cd "$BATS_TEST_TMPDIR"
	bench --quick --rows '^sim-sleep' --peers batch_run --rounds 2 \
	    --limit 0.01 --out results
	expect_status 0
	expect_results '[.rows[].cells.batch_run.reason] ==
	    ["too long (> 0.01 min)"]'
	nothing_left
}

@test "interrupted it stops the servers and the client" {
	env --default-signal=INT "$python" \
	    "$top_srcdir/tests/bench/bench.py" --build "$top_builddir" \
	    --quick --rows '^sshd-put-many' --rounds 1000 \
	    </dev/null >"$out" 2>"$err" 3>&- &
	pid=$!
	wait_until grep -q '^sshd-put-many: batch_run' "$err"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	nothing_left
}
