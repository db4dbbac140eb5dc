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
[ -z "${simhost_known_hosts:-}" ] || known_hosts=$simhost_known_hosts

# simhost_up <<END: start it with this script. Sets and exports simhost_dir,
# simhost_port, simhost_root (ADDRESS below it is what clients see),
# simhost_key (a user key; any is let in), simhost_addresses (of the script, in
# its order) and simhost_known_hosts; known_hosts is the latter.
simhost_up() {
	local address algorithm key rest
	simhost_dir=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}
	simhost_dir=$(mktemp -d "$simhost_dir/simhost.XXXXXX")
	simhost_root=$simhost_dir/root
	simhost_key=$simhost_dir/id_ed25519
	simhost_known_hosts=$simhost_dir/known_hosts
	known_hosts=$simhost_known_hosts
	cat >"$simhost_dir/script"
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$simhost_dir/host_key" </dev/null
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$simhost_key" </dev/null
	# shellcheck disable=SC2154 # from helper
	"$top_builddir/tests/simhost" -k "$simhost_dir/host_key" -p 0 \
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
	simhost_addresses=$(sed -n 's/^[[:blank:]]*\([0-9.]\{1,\}\).*/\1/p' \
	    "$simhost_dir/script")
	read -r algorithm key rest <"$simhost_dir/host_key.pub"
	for address in $simhost_addresses; do
		echo "[$address]:$simhost_port $algorithm $key"
	done >"$known_hosts"
	export simhost_dir simhost_root simhost_key simhost_known_hosts
	export simhost_pid simhost_port simhost_addresses
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
	local address number=0
	write_inventory < <(
		echo "[defaults]"
		echo "user = tester"
		echo "port = $simhost_port"
		echo "identity_file = $simhost_key"
		[ $# -eq 0 ] || printf '%s\n' "$@"
		echo "[sim]"
		for address in $simhost_addresses; do
			number=$((number + 1))
			echo "sim$number = address=$address"
		done
	)
}

# simhost_count ADDRESS NAME: what was counted (simhost_script.c tells the
# names), after simhost_down.
simhost_count() {
	awk -v address="$1" -v name="$2" \
	    '$1 == address && $2 == name { print $3 }' "$simhost_dir/counts"
}
