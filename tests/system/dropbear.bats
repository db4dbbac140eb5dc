#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# dropbear: a smoke run against another SSH server than OpenSSH's.

load helper

setup_file() {
	if ! command -v dropbear >/dev/null; then
		export skip_reason="dropbear is missing"
		return
	fi
	temp_user_add || return 0
	local dir=$BATS_FILE_TMPDIR type key port tries=0
	for type in ed25519 ecdsa rsa; do
		dropbearkey -t $type -f "$dir/host_$type" >/dev/null 2>&1
	done
	ssh-keygen -q -t ed25519 -N '' -f "$dir/id_ed25519"
	ssh-keygen -q -t rsa -b 2048 -N '' -f "$dir/id_rsa"
	mkdir "$temp_home/.ssh"
	cat "$dir"/id_*.pub >"$temp_home/.ssh/authorized_keys"
	chmod -R go= "$temp_home"
	chown -R "$temp_user" "$temp_home"
	# It tells a taken port by ending.
	while :; do
		port=$((RANDOM % 12000 + 20000))
		dropbear -F -E -p "127.77.5.1:$port" -P "$dir/pid" \
		    -r "$dir/host_ed25519" -r "$dir/host_ecdsa" \
		    -r "$dir/host_rsa" </dev/null >"$dir/log" 2>&1 3>&- &
		dropbear_pid=$!
		if is_up "$dropbear_pid" "$port"; then
			break
		fi
		tries=$((tries + 1))
		[ $tries -lt 10 ]
	done
	export dropbear_pid
	for type in ed25519 ecdsa rsa; do
		key=$(dropbearkey -y -f "$dir/host_$type" | grep -E '^(ssh|ecdsa)-')
		echo "[127.77.5.1]:$port ${key% *}"
	done >"$dir/known_hosts"
	export LAB_KNOWN_HOSTS=$dir/known_hosts
	cat >"$dir/inventory.ini" <<-END
	[defaults]
	user = $temp_user
	port = $port
	identity_file = $dir/id_ed25519
	[web]
	drop1 = address=127.77.5.1
	[rsa]
	drop2 = address=127.77.5.1 identity_file=$dir/id_rsa
	END
	export BATCH_INVENTORY=$dir/inventory.ini
}

# is_up PID PORT: it listens; fails if it has ended.
is_up() {
	local tries=0
	until bash -c ": </dev/tcp/127.77.5.1/$2" 2>/dev/null; do
		alive "$1" || return 1
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return 1
		sleep 0.05
	done
	alive "$1"
}

teardown_file() {
	[ -z "${dropbear_pid:-}" ] || kill "$dropbear_pid"
	temp_user_del
}

setup() {
	skip_if_told
}

@test "a command's output and exit status" {
	batch -g web -cmd 'echo "I am $(id -un)"; echo err >&2; exit 3'
	expect_status 1
	expect_output "drop1: I am $temp_user"
	expect_line "$err" 'drop1: err'
	expect_result drop1 failed '.exit_code == 3'
}

@test "a command that succeeds" {
	batch -g web -cmd true
	expect_status 0
	expect_result drop1 ok
}

@test "an RSA key" {
	batch -g rsa -cmd 'echo ran'
	expect_status 0
	expect_output 'drop2: ran'
}

@test "a password" {
	{
		sed '/^identity_file/d' "$BATCH_INVENTORY"
		printf '[host drop1]\npassword = "%s"\n' "$temp_password"
	} | write_inventory
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
	batch -h drop1 -cmd 'echo ran'
	expect_status 0
	expect_output 'drop1: ran'
}

@test "a wrong password: denied" {
	{
		sed '/^identity_file/d' "$BATCH_INVENTORY"
		printf '[host drop1]\npassword = wrong\n'
	} | write_inventory
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
	batch -h drop1 -cmd 'echo ran'
	expect_status 4
	expect_result drop1 denied '.stage == "auth"'
}

@test "an unknown host key: denied" {
	known_hosts=$BATS_TEST_TMPDIR/none
	batch -g web -cmd 'echo ran'
	expect_status 4
	expect_result drop1 denied '.stage == "hostkey"'
}

@test "a command that dies of a signal has failed" {
	batch -g web -cmd 'kill -9 $$'
	expect_status 1
	expect_result drop1 failed '.signal | test("KILL")'
}

@test "a script and its input" {
	printf 'echo "$# $1"\n' >"$BATS_TEST_TMPDIR/script"
	batch -g web -script "$BATS_TEST_TMPDIR/script" -- 'a b' c
	expect_status 0
	expect_output 'drop1: 2 a b'
	head -c 2000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	batch -g web -stdin "$BATS_TEST_TMPDIR/data" -cmd 'sha256sum | cut -c 1-64'
	expect_status 0
	expect_output "drop1: $(sha256sum <"$BATS_TEST_TMPDIR/data" | cut -c 1-64)"
}

@test "twenty megabytes of output" {
	batch -g web -no-prefix -cmd 'yes "$(printf %01023d 0)" | head -c 20971520'
	expect_status 0
	[ "$(wc -c <"$out")" -eq 20971520 ]
}

@test "twenty sessions" {
	{
		cat "$BATCH_INVENTORY"
		printf '[many]\n'
		printf 'n%02d = address=127.77.5.1\n' $(seq 20)
	} | write_inventory
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
	# It takes five of a client that have not logged in yet.
	batch -g many -fanout 5 -cmd 'echo ran'
	expect_status 0
	[ "$(grep -c ': ran$' "$out")" -eq 20 ]
}
