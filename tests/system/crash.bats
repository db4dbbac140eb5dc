#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# crash: whatever moment workers die at, each host has one result, and no
# command runs twice. CRASH_ROUNDS says how many runs there are (make
# check-long has 100).

load helper
load simhost

hosts=500

setup_file() {
	simhost_up <<<"127.92.0.1-127.92.1.244" # 500
	simhost_inventory
}

teardown_file() {
	simhost_down
}

setup() {
	# Programs of our own, so that their processes can be told from others.
	cp "$batch_run" "$top_builddir/src/batch_worker" "$BATS_TEST_TMPDIR"
	batch_run=$BATS_TEST_TMPDIR/batch_run
	cd "$BATS_TEST_TMPDIR" || return
}

# round N: one run; checks all that must hold of it.
round() {
	local seed=$((RANDOM * 32768 + RANDOM))
	simhost_counts
	cp "$simhost_dir/counts" before
	timeout -k 5 300 "$python" "$test_dir/watch.py" -k 12 -s $seed \
	    -o seen "$batch_run" -known-hosts "$simhost_known_hosts" \
	    -report "$report" -g sim -workers 4 -fanout 64 \
	    -cmd 'sim sleep=100 echo=done' </dev/null >"$out" 2>"$err" 3>&-
	simhost_counts
	status=$(jq .status seen)
	# Of each host: its result, its line if it is ok, what the server says.
	{
		jq -r '"result \(.host) \(.status)"' "$report"
		sed 's/^\(.*\): done$/line \1/' "$out"
		awk '$2 == "started" { print "before", $1, $3 }' before
		awk '$2 == "started" { print "after", $1, $3 }' \
		    "$simhost_dir/counts"
	} >facts
	awk -v addresses="$(tr '\n' ' ' <<<"$simhost_addresses")" '
		BEGIN {
			count = split(addresses, address, " ")
			for (i = 1; i <= count; i++)
				name[address[i]] = "sim" i
		}
		function wrong(what, host) { print what ": " host; bad = 1 }
		$1 == "result" { results[$2]++; status[$2] = $3; sum[$3]++ }
		$1 == "line" { lines[$2]++ }
		$1 == "before" { runs[name[$2]] -= $3 }
		$1 == "after" { runs[name[$2]] += $3 }
		END {
			for (i = 1; i <= count; i++) {
				host = "sim" i
				if (results[host] != 1)
					wrong("not one result", host)
				if (runs[host] > 1)
					wrong("ran twice", host)
				if (status[host] == "ok" && runs[host] != 1)
					wrong("ok without a run", host)
				if (status[host] == "ok" && lines[host] != 1)
					wrong("ok without its line", host)
				if (status[host] == "error" && runs[host] != 0)
					wrong("ran, and said it did not", host)
				if (status[host] !~ /^(ok|lost|error)$/)
					wrong(status[host], host)
			}
			printf "%d ok, %d lost, %d given up\n", sum["ok"],
			    sum["lost"], sum["error"]
			exit bad
		}' facts >verdict || {
		echo "seed $seed"
		head -n 20 verdict
		dump
		return 1
	}
	echo "# round $1: $(tail -n 1 verdict), $(jq .kills seen) workers" \
	    "killed, $(($(jq .peak_kb seen) / 1024)) MB" >&3
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || [ "$status" -eq 5 ]
	is_sanitized || [ "$(jq .peak_kb seen)" -lt 100000 ]
	[ -z "$(pgrep -f "$BATS_TEST_TMPDIR/batch_worker")" ]
}

@test "workers are killed at random moments: one result a host, no command twice" {
	local rounds=${CRASH_ROUNDS:-10} n
	[ -n "${CRASH_ROUNDS:-}" ] || not is_sanitized || rounds=3
	for ((n = 1; n <= rounds; n++)); do
		round "$n"
	done
}
