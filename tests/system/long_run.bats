#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# long_run: very many hosts, 3 % of each of 21 faults among them. LONG_HOSTS
# says how many hosts.

load helper
load simhost

# The faults, and what becomes of such a host, all in one run with one retry:
# BEHAVIOUR -> STATUS STAGE ATTEMPTS EXECS, where EXECS is how many commands
# were sent to it. Every 33rd host has the first one, and so on; the rest, and
# "good" here, are well.
faults() {
	cat <<-'END'
	refuse -> unreachable connect 2 0
	blackhole -> timeout connect 2 0
	reset=connect -> unreachable connect 2 0
	silent=banner -> timeout banner 2 0
	banner=http -> unreachable protocol 1 0
	banner=maxstartups -> unreachable throttled 2 0
	silent=kex -> timeout kex 2 0
	hangup=kex -> unreachable connect 2 0
	other-key -> denied hostkey 1 0
	deny -> denied auth 1 0
	silent=auth -> timeout auth 2 0
	disconnect=auth -> denied auth 1 0
	no-channel -> unreachable channel 2 0
	reset=channel only=1 -> ok - 2 1
	reset=exec -> lost command 1 1
	exec=exit=3 -> failed command 1 1
	exec=signal=KILL -> failed command 1 1
	exec=no-status -> lost command 1 1
	reset=stream -> lost command 1 1
	silent=exec -> timeout command 1 1
	delay=kex:500 -> ok - 1 1
	END
}

setup_file() {
	export hosts=${LONG_HOSTS:-10000}
	[ -n "${LONG_HOSTS:-}" ] || not is_sanitized || hosts=1000
	faults | awk -v hosts="$hosts" '
		{ split($0, part, / *-> */); fault[NR - 1] = part[1] }
		END {
			for (i = 0; i < hosts; i++)
				printf "127.93.%d.%d %s\n", int(i / 250),
				    i % 250 + 1, fault[i % 33]
		}' >"$BATS_FILE_TMPDIR/script"
	simhost_up <"$BATS_FILE_TMPDIR/script"
	simhost_inventory
}

teardown_file() {
	simhost_down
}

@test "thousands of hosts, most with faults: each ends as it should" {
	cd "$BATS_TEST_TMPDIR"
	[ "$hosts" -ge 100 ]
	timeout -k 5 600 "$python" "$test_dir/watch.py" -o seen "$batch_run" \
	    -known-hosts "$simhost_known_hosts" -report "$report" -g sim \
	    -fanout 1000 -workers 2 -retries 1 -retry-delay 100ms -connect-timeout 20s \
	    -timeout 20s -auth-fail-limit 0 -cmd 'sim out=640' \
	    </dev/null >"$out" 2>"$err" 3>&-
	status=$(jq .status seen)
	expect_status 4
	simhost_counts
	jq -r '"result \(.seq) \(.status) \(if .stage == "" then "-" else
	    .stage end) \(.attempts)"' "$report" >facts
	awk '$2 == "execs" { print "execs", $1, $3 }' "$simhost_dir/counts" \
	    >>facts
	faults | awk -v hosts="$hosts" '
		function wrong(what) { print what; bad = 1 }
		FILENAME == "-" {
			split($0, part, / *-> */)
			expected[FNR - 1] = part[2]
			next
		}
		$1 == "result" {
			seen[$2] = $3 " " $4 " " $5
			results[$2]++
			sum[$3]++
		}
		$1 == "execs" {
			split($2, byte, ".")
			execs[byte[3] * 250 + byte[4] - 1] = $3
		}
		END {
			for (i = 0; i < hosts; i++) {
				want = "ok - 1 1"
				if (i % 33 in expected)
					want = expected[i % 33]
				got = seen[i] " " execs[i] + 0
				if (results[i] != 1)
					wrong(results[i] + 0 " results: " i)
				else if (got != want)
					wrong(want " wanted, " got ": host " i)
			}
			for (name in sum)
				printf "%d %s, ", sum[name], name
			printf "%d hosts\n", hosts
			exit bad
		}' - facts >verdict || {
		head -n 30 verdict
		tail -n 1 verdict
		dump
		return 1
	}
	# Each ok host has its 10 lines.
	awk -F: 'FNR == NR { lines[$1]++; next }
	    lines[$1] != 10 { print "lines:", lines[$1] + 0, $1; bad = 1 }
	    END { exit bad }' "$out" \
	    <(jq -r 'select(.ok) | .host' "$report") >wrong || {
		tail -n 20 wrong
		return 1
	}
	echo "# $(tail -n 1 verdict), $(($(jq .peak_kb seen) / 1024)) MB," \
	    "$(jq .fds seen) descriptors a worker" >&3
	# One a host in flight, and no more, though each had ten hosts' turns.
	[ "$(jq .fds seen)" -lt $((1000 / 2 + 50)) ]
	is_sanitized || [ "$(jq .peak_kb seen)" -lt 200000 ]
}
