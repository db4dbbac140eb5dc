#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# long_fold: the outputs of very many hosts, 20 lines each, all equal or all
# different, through the fold, the report and JSON, and the memory that it
# takes. FOLD_HOSTS says how many hosts (make check-long has 10,000).

load helper
load simhost

rule=---------------
hosts=${FOLD_HOSTS:-500}

teardown() {
	simhost_down
}

# hosts_up [different]: their output is equal, unless it is to be different.
hosts_up() {
	awk -v hosts="$hosts" -v kind="${1:-equal}" 'BEGIN {
		for (i = 0; i < hosts; i++) {
			printf "127.94.%d.%d", int(i / 250), i % 250 + 1
			if (kind == "different")
				printf " exec=echo=text-%d\\sout=1216", i
			print ""
		}
	}' >"$BATS_TEST_TMPDIR/script"
	simhost_up <"$BATS_TEST_TMPDIR/script"
	simhost_inventory
}

# watched ARGUMENT...: a run on all hosts with 20 lines of each. Its processes
# may have 150 MB at once, all together.
watched() {
	cd "$BATS_TEST_TMPDIR" || return
	timeout -k 5 600 "$python" "$test_dir/watch.py" -o seen "$batch_run" \
	    -known-hosts "$known_hosts" -g sim -fanout 256 -workers 2 \
	    -connect-timeout 120 -cmd 'sim out=1280' "$@" \
	    </dev/null >"$out" 2>"$err" 3>&-
	status=$(jq .status seen)
	expect_status 0
	echo "# $hosts hosts, $(($(jq .peak_kb seen) / 1024)) MB:" \
	    "${BATS_TEST_DESCRIPTION}" >&3
	is_sanitized || [ "$(jq .peak_kb seen)" -lt 150000 ]
}

# expect_records FILE OUTPUTS: one record a host, that many different outputs.
expect_records() {
	jq -es --argjson hosts "$hosts" --argjson outputs "$2" '
	    length == $hosts and (map(.host) | unique | length) == $hosts and
	    all(.ok and .truncated == false and
	    (.stdout | split("\n") | length) == 21) and
	    (map(.stdout) | unique | length) == $outputs' "$1" >verdict || {
		cat verdict
		dump
		return 1
	}
}

@test "equal outputs of many hosts are one group, and all are in the report" {
	hosts_up
	watched -output fold -report "$report"
	expect_line "$out" "sim[1-$hosts] ($hosts)"
	[ "$(wc -l <"$out")" -eq 23 ]
	expect_records "$report" 1
}

@test "different outputs of many hosts are all in the fold and in the report" {
	hosts_up different
	watched -output fold -report "$report"
	[ "$(grep -cFxe $rule "$out")" -eq $((2 * hosts)) ]
	[ "$(grep -c '^text-' "$out")" -eq "$hosts" ]
	[ "$(wc -l <"$out")" -eq $((23 * hosts)) ]
	# Groups of one host each: in the order of the choice.
	grep '^sim' "$out" >names
	sort -V names | cmp - names
	expect_records "$report" "$hosts"
}

@test "equal outputs of many hosts are a record of JSON each" {
	hosts_up
	watched -output json
	expect_records "$out" 1
}

@test "different outputs of many hosts are a record of JSON each, in order" {
	hosts_up different
	watched -output json -ordered -report "$report"
	jq -r .host "$out" >names
	sort -V names | cmp - names
	expect_records "$out" "$hosts"
	cmp "$out" "$report"
}
