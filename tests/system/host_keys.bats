#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# host_keys: point 4, whose host key is trusted, and that nothing is said to
# a host before.

load helper

setup_file() {
	# DEBUG: the log shows each request for authentication.
	lab_up "$BATS_FILE_TMPDIR/lab" -n 3 -o 'LogLevel DEBUG'
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_FILE_TMPDIR/other_ed25519"
	ssh-keygen -q -t ecdsa -N '' -f "$BATS_FILE_TMPDIR/other_ecdsa"
	ssh-keygen -q -t rsa -b 2048 -N '' -f "$BATS_FILE_TMPDIR/other_rsa"
}

teardown_file() {
	lab_down "$BATS_FILE_TMPDIR/lab"
}

setup() {
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	name="[127.77.0.1]:$LAB_PORT"
	rm -f "$(host_file web01 ran)"
	log_mark
}

# host_key TYPE: the lab's host key, other_key TYPE: one that is not.
host_key() {
	cut -d' ' -f 1,2 "$LAB_DIR/ssh_host_$1_key.pub"
}

other_key() {
	cut -d' ' -f 1,2 "$BATS_FILE_TMPDIR/other_$1.pub"
}

expect_trusted() {
	batch -h web01 -cmd 'echo "$LAB_HOST"' "$@"
	expect_status 0
	expect_output 'web01: web01'
}

# expect_refused REGEX...: denied for the host key, the command did not run,
# and no user name, key or password went to the host. A message matches.
expect_refused() {
	expect_refused_with
	[ $# -eq 0 ] || expect_match "$err" "$@"
}

expect_refused_with() {
	batch -h web01 -cmd 'echo ran; touch "$HOME/ran"' "$@"
	expect_status 4
	[ ! -s "$out" ]
	[ ! -e "$(host_file web01 ran)" ]
	expect_result web01 denied '.stage == "hostkey"'
	if log_since_mark | grep -q 'userauth-request'; then
		log_since_mark
		return 1
	fi
}

@test "a known host is trusted" {
	echo "$name $(host_key ed25519)" >"$known_hosts"
	expect_trusted
	# What the other tests look for in the log is there if it happens.
	log_since_mark | grep -q 'userauth-request'
}

@test "an unknown host is refused before anything is said to it" {
	: >"$known_hosts"
	expect_refused
}

@test "several unknown hosts are told once what to do, with a command that does it" {
	: >"$known_hosts"
	batch -g web,db -cmd true
	expect_status 4
	local count set
	count=$(jq -s length "$report")
	expect_line "$err" "    host key unknown: no key for port \
$LAB_PORT in $known_hosts; if you trust them, check the fingerprints that this \
shows, then append new_keys to $known_hosts; or use -host-key accept-new:"
	[ "$(grep -c 'host key unknown' "$err")" -eq 1 ]
	cd "$BATS_TEST_TMPDIR" || return
	set=$(sed -n 's/^    batch_run \(-h .* -list | ssh-keyscan .*\)/\1/p' "$err")
	bash -c "$batch_run $set" >fingerprints
	expect_match fingerprints 'SHA256:.*ED25519'
	cat new_keys >>"$known_hosts"
	batch -g web,db -cmd 'echo "$LAB_HOST"'
	expect_status 0
	[ "$(wc -l <"$out")" -eq "$count" ]
}

@test "a known_hosts file that is absent is an empty one, and said so" {
	expect_refused 'known_hosts, which does not exist'
}

@test "a known_hosts file that cannot be read is an error, not an empty one" {
	mkdir "$known_hosts"
	batch -h web01 -cmd true
	expect_status 2
	expect_match "$err" known_hosts
}

@test "a changed key is refused; file, line and the way to remove it are named" {
	printf '# comment\n%s %s\n' "$name" "$(other_key ed25519)" >"$known_hosts"
	expect_refused 'known_hosts:2' 'ssh-keygen.*-R'
}

@test "a host known with a key of a type it does not have is refused" {
	lab_up "$BATS_TEST_TMPDIR/one" -n 1 -o 'LogLevel DEBUG' \
	    -o 'HostKeyAlgorithms ssh-ed25519'
	log_mark
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	echo "[127.77.0.1]:$LAB_PORT $(other_key ecdsa)" >"$known_hosts"
	local refused=0
	expect_refused || refused=$?
	lab_down "$LAB_DIR"
	[ "$refused" -eq 0 ]
}

@test "a host known with another RSA key is not trusted by its ed25519 key" {
	echo "$name $(other_key rsa)" >"$known_hosts"
	batch -h web01 -cmd 'touch "$HOME/ran"'
	# libssh2 before 1.11 cannot even look at an RSA host key.
	[ "$status" -eq 4 ] || expect_status 3
	[ ! -e "$(host_file web01 ran)" ]
	not grep -q 'userauth-request' <(log_since_mark)
}

@test "a host is asked for the key type that is known of it" {
	echo "$name $(host_key ecdsa)" >"$known_hosts"
	expect_trusted
}

@test "one equal key is enough, also beside another type's wrong key" {
	printf '%s %s\n' "$name" "$(host_key ed25519)" \
	    "$name" "$(other_key rsa)" >"$known_hosts"
	expect_trusted
}

@test "a revoked key is refused, wherever the line stands" {
	printf '%s\n' "$name $(host_key ed25519)" \
	    "@revoked * $(host_key ed25519)" >"$known_hosts"
	expect_refused revoked
	printf '%s\n' "@revoked 127.77.0.1 $(host_key ed25519)" \
	    "$name $(host_key ed25519)" >"$known_hosts"
	expect_refused revoked
}

@test "a certificate authority's line does not make a plain key trusted" {
	echo "@cert-authority $name $(host_key ed25519)" >"$known_hosts"
	expect_refused
}

@test "patterns with wildcards match" {
	echo "[127.77.*.?]:$LAB_PORT $(host_key ed25519)" >"$known_hosts"
	expect_trusted
}

@test "a negated pattern takes its line out" {
	# The bare name has to be taken out as well: it is asked for, too.
	echo "*,!$name,!127.77.0.1 $(host_key ed25519)" >"$known_hosts"
	expect_refused
}

@test "hashed names match" {
	echo "$name $(host_key ed25519)" >"$known_hosts"
	ssh-keygen -q -H -f "$known_hosts" >/dev/null 2>&1
	grep -q '^|1|' "$known_hosts"
	expect_trusted
}

@test "a key known for the bare name is good for another port" {
	echo "127.77.0.1 $(host_key ed25519)" >"$known_hosts"
	expect_trusted
}

@test "another key under the bare name is no mismatch for another port" {
	echo "127.77.0.1 $(other_key ed25519)" >"$known_hosts"
	expect_trusted -host-key accept-new
}

@test "malformed lines are skipped with a warning that names file and line" {
	printf '%s\n' "$name" "$name ssh-ed25519 not!base64" \
	    "$name $(host_key ed25519)" >"$known_hosts"
	expect_trusted
	expect_match "$err" 'known_hosts:1' 'known_hosts:2'
}

@test "a marker that is not understood is a refusal" {
	printf '%s\n' "@future $name $(host_key ed25519)" \
	    "$name $(host_key ed25519)" >"$known_hosts"
	expect_refused
}

@test "host_key_alias is the name that is looked up" {
	write_inventory <<-END
	[web]
	web01 = address=127.77.0.1 port=$LAB_PORT user=$LAB_USER
	[host web01]
	identity_file = $LAB_DIR/id_ed25519
	host_key_alias = the-web
	END
	echo "the-web $(host_key ed25519)" >"$known_hosts"
	expect_trusted
	log_mark
	echo "$name $(host_key ed25519)" >"$known_hosts"
	expect_refused
}

@test "~/.ssh/known_hosts is used if no file is named" {
	mkdir -m 700 "$HOME/.ssh"
	echo "$name $(host_key ed25519)" >"$HOME/.ssh/known_hosts"
	batch_bare -h web01 -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web01: web01'
}

@test "accept-new trusts an unknown host and writes its key down" {
	batch -g web,db -host-key accept-new -cmd 'echo "$LAB_HOST"'
	expect_status 0
	[ "$(wc -l <"$known_hosts")" -eq 3 ]
	ssh-keygen -F "$name" -f "$known_hosts" >/dev/null
	# From now on it is known.
	batch -g web,db -cmd 'echo "$LAB_HOST"'
	expect_status 0
}

@test "accept-new that can't write the key down says so, and trusts nothing" {
	known_hosts=/proc/none/known_hosts
	batch -h web01 -host-key accept-new -cmd 'echo ran'
	expect_status 4
	[ ! -s "$out" ]
	expect_result web01 denied '.message |
	    test("new key can.t be kept: .*/known_hosts: No such file")'
}

@test "accept-new writes what ssh itself accepts" {
	batch -h web01 -host-key accept-new -cmd true
	expect_status 0
	ssh -F none -o StrictHostKeyChecking=yes -o BatchMode=yes \
	    -o UserKnownHostsFile="$known_hosts" -i "$LAB_DIR/id_ed25519" \
	    -p "$LAB_PORT" "$LAB_USER@127.77.0.1" true </dev/null
}

@test "accept-new adds to a file whose last line has no newline" {
	printf '%s' "[127.77.0.9]:1 $(other_key ed25519)" >"$known_hosts"
	batch -h web01 -host-key accept-new -cmd true
	expect_status 0
	expect_line "$known_hosts" "[127.77.0.9]:1 $(other_key ed25519)"
	ssh-keygen -F "$name" -f "$known_hosts" >/dev/null
}

@test "accept-new keeps to hashed names where the file has them" {
	echo "[127.77.0.9]:1 $(other_key ed25519)" >"$known_hosts"
	ssh-keygen -q -H -f "$known_hosts" >/dev/null 2>&1
	rm -f "$known_hosts.old"
	batch -h web01 -host-key accept-new -cmd true
	expect_status 0
	[ "$(grep -c '^|1|' "$known_hosts")" -eq 2 ]
	expect_no_match "$known_hosts" '127\.77'
	ssh-keygen -F "$name" -f "$known_hosts" >/dev/null
}

@test "accept-new still refuses a changed key" {
	echo "$name $(other_key ed25519)" >"$known_hosts"
	expect_refused_with -host-key accept-new
	[ "$(wc -l <"$known_hosts")" -eq 1 ]
}

@test "accept-new still refuses a revoked key" {
	local type
	for type in ed25519 ecdsa rsa; do
		echo "@revoked * $(host_key $type)" >>"$known_hosts"
	done
	expect_refused_with -host-key accept-new
	expect_match "$err" revoked
	[ "$(wc -l <"$known_hosts")" -eq 3 ]
}

@test "one host with a wrong key does not stop the others" {
	{
		echo "$name $(other_key ed25519)"
		grep -v '^\[127.77.0.1\]' "$LAB_KNOWN_HOSTS"
	} >"$known_hosts"
	batch -g web,db -cmd 'echo "$LAB_HOST"'
	expect_status 4
	expect_output 'web02: web02' 'db01: db01'
	expect_result web01 denied
}

@test "a password is not sent to a host whose key is refused" {
	write_inventory <<-END
	[web]
	web01 = address=127.77.0.1 port=$LAB_PORT user=$LAB_USER
	[host web01]
	password = secret
	END
	echo "$name $(other_key ed25519)" >"$known_hosts"
	expect_refused
}

@test "a host with nothing but an RSA key is reached or the way out is told" {
	lab_up "$BATS_TEST_TMPDIR/rsa" -n 1 \
	    -o 'HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256'
	batch -h web01 -cmd 'echo "$LAB_HOST"'
	lab_down "$BATS_TEST_TMPDIR/rsa"
	# libssh2 before 1.11 has no rsa-sha2 signatures for host keys.
	if pkg-config --atleast-version 1.11 libssh2; then
		expect_status 0
		expect_output 'web01: web01'
	else
		expect_status 3
		expect_match "$err" 'RSA' 'libssh2'
		expect_result web01 unreachable '.stage == "protocol"'
	fi
}
