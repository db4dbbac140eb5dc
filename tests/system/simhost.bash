# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# simhost: what tests share that run against tests/simhost (see simhost.c for
# the behaviours). To be loaded after helper, in a test, setup or setup_file:
#
#	load helper
#	load simhost
#	setup() {
#		simhost_up <<-END
#		127.88.0.1
#		127.88.0.2 stall=write
#		END
#		simhost_inventory
#	}
#	teardown() {
#		simhost_down
#	}
#
# A test file should have addresses of its own, so that files can run at the
# same time; the port is a free one.

# What setup_file started is known to the tests too.
if [ -n "${simhost_dir:-}" ]; then
	known_hosts=$simhost_known_hosts
	simhost_addresses=$(cat "$simhost_dir/addresses")
fi

# simhost_up <<END: start it with this script. Sets and exports simhost_dir,
# simhost_port, simhost_root (ADDRESS below it is what clients see),
# simhost_key (a user key; any is let in), simhost_other_key.pub (of the hosts
# that present an other key), simhost_addresses (of the script, in its order,
# ranges expanded) and simhost_known_hosts; known_hosts is the latter.
simhost_up() {
	local key
	simhost_dir=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}
	simhost_dir=$(mktemp -d "$simhost_dir/simhost.XXXXXX")
	simhost_root=$simhost_dir/root
	simhost_key=$simhost_dir/id_ed25519
	simhost_other_key=$simhost_dir/other_key
	simhost_known_hosts=$simhost_dir/known_hosts
	known_hosts=$simhost_known_hosts
	cat >"$simhost_dir/script"
	for key in "$simhost_dir/host_key" "$simhost_other_key" "$simhost_key"; do
		ssh-keygen -q -t ed25519 -N '' -C '' -f "$key" </dev/null
	done
	# shellcheck disable=SC2154 # from helper
	"$top_builddir/tests/simhost" -p 0 \
	    -k "$simhost_dir/host_key" -K "$simhost_other_key" \
	    -s "$simhost_dir/script" -r "$simhost_root" \
	    -o "$simhost_dir/port" -c "$simhost_dir/counts" \
	    </dev/null >"$simhost_dir/out" 2>&1 3>&- &
	simhost_pid=$!
	wait_until simhost_has_begun || {
		cat "$simhost_dir/out"
		return 1
	}
	if [ ! -s "$simhost_dir/port" ]; then
		cat "$simhost_dir/out"
		return 1
	fi
	simhost_port=$(cat "$simhost_dir/port")
	simhost_expand <"$simhost_dir/script" >"$simhost_dir/addresses"
	# shellcheck disable=SC2034 # used by the tests
	simhost_addresses=$(cat "$simhost_dir/addresses")
	awk -v port="$simhost_port" -v key="$(cat "$simhost_dir/host_key.pub")" \
	    '{ print "[" $1 "]:" port, key }' "$simhost_dir/addresses" \
	    >"$known_hosts"
	# Not the addresses: too long a variable keeps programs from starting.
	export simhost_dir simhost_root simhost_key simhost_known_hosts
	export simhost_other_key simhost_pid simhost_port
}

# The addresses of a script, ranges expanded.
simhost_expand() {
	awk '
	function number(address,  a) {
		split(address, a, ".")
		return ((a[1] * 256 + a[2]) * 256 + a[3]) * 256 + a[4]
	}
	$1 ~ /^[0-9]/ {
		split($1, range, "-")
		last = number(range[2] != "" ? range[2] : range[1])
		for (n = number(range[1]); n <= last; n++)
			print int(n / 16777216) "." int(n / 65536) % 256 "." \
			    int(n / 256) % 256 "." n % 256
	}'
}

# It listens, or it has ended, which is no reason to wait longer.
simhost_has_begun() {
	[ -s "$simhost_dir/port" ] || ! alive "$simhost_pid"
}

# Stop it; also where it was not started. Fails if it did not end well, as
# sanitizers and assertions make it. What it printed is shown then.
simhost_down() {
	local pid=${simhost_pid:-} rc=0
	[ -n "$pid" ] || return 0
	simhost_pid=
	kill -TERM "$pid" 2>/dev/null || true
	wait_until not alive "$pid" || {
		kill -KILL "$pid" || true
		rc=1
	}
	# In teardown_file it may be no child of this shell: then 127.
	wait "$pid" 2>/dev/null || [ $? -eq 127 ] || rc=1
	if [ -s "$simhost_dir/out" ]; then
		cat "$simhost_dir/out"
		rc=1
	fi
	return $rc
}

# simhost_inventory [LINE]...: an inventory of the hosts of the script as sim1,
# sim2, ... in its order, group sim; further lines are added to [defaults].
simhost_inventory() {
	write_inventory < <(
		echo "[defaults]"
		echo "user = tester"
		echo "port = $simhost_port"
		echo "identity_file = $simhost_key"
		[ $# -eq 0 ] || printf '%s\n' "$@"
		echo "[sim]"
		awk '{ print "sim" NR " = address=" $1 }' \
		    "$simhost_dir/addresses"
	)
}

# simhost_counts: have it write what it counted so far, for simhost_count.
simhost_counts() {
	rm -f "$simhost_dir/counts"
	kill -USR1 "$simhost_pid"
	wait_until test -s "$simhost_dir/counts"
}

# simhost_count ADDRESS NAME: what was counted (simhost_script.c tells the
# names), after simhost_counts or simhost_down.
simhost_count() {
	awk -v address="$1" -v name="$2" \
	    '$1 == address && $2 == name { print $3 }' "$simhost_dir/counts"
}
