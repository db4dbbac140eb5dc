#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# auth: point 5 with keys: files of all formats, the agent, passphrases.
# Passwords are in passwords.bats.

load helper

# DEBUG: the log shows each request for authentication.
with_lab -n 4 -o 'LogLevel DEBUG'

setup() {
	key=$BATS_TEST_TMPDIR/key
	log_mark
}

teardown() {
	[ -z "${agent_pid:-}" ] || kill "$agent_pid"
}

# The lab's hosts as they are, but with no identity configured.
inventory_without_identity() {
	{
		grep -v identity_file "$LAB_DIR/inventory.ini"
	} | write_inventory
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
}

# Let in who holds the key of this .pub file.
authorize() {
	cat "$1" >>"$LAB_DIR/authorized_keys"
}

# make_key SSH-KEYGEN-ARGUMENT...: $key, let in on the lab's hosts.
make_key() {
	ssh-keygen -q -N '' -C test -f "$key" "$@"
	authorize "$key.pub"
}

# expect_accepted TYPE: $key opens a host, by a signature of that type.
expect_accepted() {
	inventory_without_identity
	batch -h web01 -identity "$key" -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web01: web01'
	log_since_mark | grep -q "Accepted publickey for $LAB_USER .* $1 " || {
		log_since_mark
		return 1
	}
}

agent_start() {
	eval "$(ssh-agent -s -a "$BATS_TEST_TMPDIR/agent")" >/dev/null
	agent_pid=$SSH_AGENT_PID
	export SSH_AUTH_SOCK
}

# agent_add_stranger TYPE: a key that no host lets in.
agent_add_stranger() {
	ssh-keygen -q -t "$1" -N '' -f "$key.$1"
	ssh-add -q "$key.$1"
}

@test "an ed25519 key in OpenSSH's format" {
	make_key -t ed25519
	grep -q 'BEGIN OPENSSH' "$key"
	expect_accepted ED25519
}

@test "an ed25519 key in PKCS#8 format" {
	openssl genpkey -algorithm ed25519 -out "$key"
	chmod 600 "$key"
	{
		printf 'ssh-ed25519 '
		{
			printf '\0\0\0\013ssh-ed25519\0\0\0\040'
			openssl pkey -in "$key" -pubout -outform DER | tail -c 32
		} | base64 -w 0
		echo
	} >"$key.pub"
	authorize "$key.pub"
	expect_accepted ED25519
}

@test "ECDSA keys of all three sizes in OpenSSH's format" {
	local bits
	for bits in 256 384 521; do
		key=$BATS_TEST_TMPDIR/key$bits
		make_key -t ecdsa -b "$bits"
		expect_accepted ECDSA
		log_mark
	done
}

@test "an ECDSA key in PEM format" {
	make_key -t ecdsa -m PEM
	grep -q 'BEGIN EC PRIVATE KEY' "$key"
	expect_accepted ECDSA
}

@test "an ECDSA key in PKCS#8 format" {
	make_key -t ecdsa -b 384 -m PKCS8
	grep -q 'BEGIN PRIVATE KEY' "$key"
	expect_accepted ECDSA
}

@test "an RSA key in OpenSSH's format" {
	make_key -t rsa -b 2048
	grep -q 'BEGIN OPENSSH' "$key"
	expect_accepted RSA
}

@test "an RSA key in PEM format" {
	make_key -t rsa -b 3072 -m PEM
	grep -q 'BEGIN RSA PRIVATE KEY' "$key"
	expect_accepted RSA
}

@test "an RSA key in PKCS#8 format" {
	make_key -t rsa -b 2048 -m PKCS8
	grep -q 'BEGIN PRIVATE KEY' "$key"
	expect_accepted RSA
}

@test "RSA keys sign with SHA-2, never with SHA-1" {
	make_key -t rsa -b 2048
	expect_accepted RSA
	log_since_mark | grep -q 'rsa-sha2-'
	not grep -q 'pkalg ssh-rsa ' <(log_since_mark)
}

@test "an RSA key for a server that takes rsa-sha2-256 only" {
	make_key -t rsa -b 2048
	lab_up "$BATS_TEST_TMPDIR/sha256" -n 1 \
	    -o 'PubkeyAcceptedAlgorithms rsa-sha2-256'
	authorize "$key.pub"
	inventory_without_identity
	batch -h web01 -identity "$key" -cmd 'echo "$LAB_HOST"'
	lab_down "$BATS_TEST_TMPDIR/sha256"
	expect_status 0
	expect_output 'web01: web01'
}

@test "a key without its .pub file" {
	make_key -t ed25519
	rm "$key.pub"
	expect_accepted ED25519
}

@test "a key file with CR LF line ends" {
	make_key -t ecdsa -m PEM
	sed -i 's/$/\r/' "$key"
	expect_accepted ECDSA
}

@test "the inventory's identity_file is used, ~ is the home folder" {
	make_key -t ed25519
	mv "$key" "$HOME/id_test"
	inventory_without_identity
	printf '[host web02]\nidentity_file = ~/id_test\n' >>"$BATCH_INVENTORY"
	batch -h web02 -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web02: web02'
}

@test "the default identities in ~/.ssh are tried" {
	make_key -t ed25519
	mkdir -m 700 "$HOME/.ssh"
	mv "$key" "$HOME/.ssh/id_ed25519"
	# One that is not let in comes first.
	ssh-keygen -q -t ecdsa -N '' -f "$HOME/.ssh/id_ecdsa"
	inventory_without_identity
	batch -h web01 -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web01: web01'
}

@test "a key that is not let in: denied, and the others go on" {
	ssh-keygen -q -t ed25519 -N '' -f "$key"
	cp "$LAB_DIR/inventory.ini" "$BATS_TEST_TMPDIR/inventory.ini"
	printf '[host web02]\nidentity_file = %s\n' "$key" \
	    >>"$BATS_TEST_TMPDIR/inventory.ini"
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
	batch -g web -cmd 'echo "$LAB_HOST"'
	expect_status 4
	expect_output 'web01: web01' 'web03: web03'
	expect_result web02 denied '.stage == "auth"'
	expect_match "$err" 'denied.*web02'
}

@test "with nothing to offer a host is denied" {
	inventory_without_identity
	batch -h web01 -cmd 'echo ran'
	expect_status 4
	[ ! -s "$out" ]
	expect_result web01 denied '.stage == "auth"'
	expect_match "$err" 'no key or password to log in with as .*: the server takes '
}

@test "a key file that others may read is refused as ssh refuses it" {
	make_key -t ed25519
	chmod 644 "$key"
	inventory_without_identity
	batch -h web01 -identity "$key" -cmd 'echo ran'
	[ "$status" -ne 0 ]
	[ ! -s "$out" ]
	expect_match "$err" 'chmod 600'
	not grep -q 'Accepted publickey' <(log_since_mark)
}

@test "an identity file that is absent is named" {
	inventory_without_identity
	batch -h web01 -identity "$key.absent" -cmd 'echo ran'
	[ "$status" -ne 0 ]
	[ ! -s "$out" ]
	expect_match "$err" 'key\.absent'
}

@test "a file that is no key is named" {
	echo "no key at all" >"$key"
	chmod 600 "$key"
	inventory_without_identity
	batch -h web01 -identity "$key" -cmd 'echo ran'
	[ "$status" -ne 0 ]
	[ ! -s "$out" ]
	expect_match "$err" "$key"
}

@test "a key in ssh-agent is used" {
	make_key -t ed25519
	agent_start
	ssh-add -q "$key"
	rm "$key"
	inventory_without_identity
	batch -g web -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web01: web01' 'web02: web02' 'web03: web03'
}

@test "ECDSA and RSA keys in ssh-agent are used" {
	local type
	agent_start
	inventory_without_identity
	for type in ecdsa rsa; do
		key=$BATS_TEST_TMPDIR/key.$type
		make_key -t "$type"
		ssh-add -q -D
		ssh-add -q "$key"
		log_mark
		batch -h web01 -cmd 'echo "$LAB_HOST"'
		expect_status 0
		expect_output 'web01: web01'
	done
	not grep -q 'pkalg ssh-rsa ' <(log_since_mark)
}

@test "the agent holds the configured key: its encrypted file is not asked for" {
	ssh-keygen -q -t ed25519 -N '' -f "$key"
	authorize "$key.pub"
	agent_start
	ssh-add -q "$key"
	ssh-keygen -q -p -P '' -N secret -f "$key" >/dev/null
	inventory_without_identity
	batch -h web01 -identity "$key" -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web01: web01'
}

@test "an agent that is gone is a warning, the key file still works" {
	make_key -t ed25519
	export SSH_AUTH_SOCK=$BATS_TEST_TMPDIR/no-agent
	expect_accepted ED25519
	expect_match "$err" 'agent'
}

# expect_passphrase_once: $key, whose passphrase is "open sesame", opens all
# hosts after one question on the terminal.
expect_passphrase_once() {
	inventory_without_identity
	on_terminal -e 'passphrase' -s 'open sesame' -- \
	    "$batch_run" -known-hosts "$known_hosts" -color never \
	    -identity "$key" -g web,db -cmd 'echo "$LAB_HOST"'
	expect_status 0
	[ "$(grep -ci 'passphrase for' "$out")" -eq 1 ] || { dump; return 1; }
	expect_match "$out" '^web01: web01' '^web02: web02' '^web03: web03' \
	    '^db01: db01'
	expect_no_match "$out" sesame
}

@test "the passphrase of an OpenSSH key is asked once on the terminal" {
	make_key -t ed25519 -N 'open sesame'
	expect_passphrase_once
}

@test "the passphrase of a PEM key is asked once on the terminal" {
	make_key -t rsa -b 2048 -m PEM -N 'open sesame'
	grep -q ENCRYPTED "$key"
	expect_passphrase_once
}

@test "the passphrase of a PKCS#8 key is asked once on the terminal" {
	make_key -t ecdsa -m PKCS8 -N 'open sesame'
	grep -q 'BEGIN ENCRYPTED PRIVATE KEY' "$key"
	expect_passphrase_once
}

@test "an unlocked key leaves no agent and no socket behind" {
	make_key -t ed25519 -N 'open sesame'
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	# Seen by ssh-add, which the agent's socket is told to.
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/ssh-add" <<-END
	#!/bin/sh
	echo "\$SSH_AUTH_SOCK" >>"$BATS_TEST_TMPDIR/sockets"
	exec "$(command -v ssh-add)" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/ssh-add"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	expect_passphrase_once
	local socket
	socket=$(tail -n 1 "$BATS_TEST_TMPDIR/sockets")
	[ -n "$socket" ]
	[ ! -e "$socket" ]
	[ -z "$(find "$TMPDIR" -mindepth 1)" ]
	not grep -qF "$socket" /proc/net/unix
}

@test "an encrypted key without a terminal is an error that names it" {
	make_key -t ed25519 -N 'open sesame'
	inventory_without_identity
	status=0
	timeout 60 setsid -w "$batch_run" -known-hosts "$known_hosts" \
	    -h web01 -identity "$key" -cmd 'echo ran' \
	    </dev/null >"$out" 2>"$err" 3>&- || status=$?
	[ "$status" -ne 0 ]
	[ "$status" -ne 124 ]
	[ ! -s "$out" ]
	expect_match "$err" "$key" 'passphrase|encrypted'
}

# nokeys_batch OPTION...: a run on a server that takes passwords only; its log
# is $log.
nokeys_batch() {
	lab_up "$BATS_TEST_TMPDIR/nokeys" -n 1 -o 'LogLevel DEBUG' \
	    -o 'PubkeyAuthentication no' -o 'PasswordAuthentication yes'
	inventory_without_identity
	batch -h web01 "$@" -cmd 'echo ran'
	log=$BATS_TEST_TMPDIR/log
	cp "$LAB_DIR/sshd.log" "$log"
	lab_down "$BATS_TEST_TMPDIR/nokeys"
	not grep -q 'method password' "$log"
	expect_status 4
	expect_result web01 denied '.stage == "auth"'
	expect_match "$err" 'no key or password .*: the server takes .*password'
}

@test "after one key no method is tried that the server does not offer" {
	make_key -t rsa # which could sign in two ways
	nokeys_batch -identity "$key"
	[ "$(grep -c 'method publickey' "$log")" -eq 1 ]
	agent_start
	agent_add_stranger ed25519
	agent_add_stranger ecdsa
	nokeys_batch
	[ "$(grep -c 'method publickey' "$log")" -eq 1 ]
}

@test "a key is tried without asking what the server takes" {
	lab_up "$BATS_TEST_TMPDIR/debug" -n 1 -o 'LogLevel DEBUG'
	make_key -t ed25519
	inventory_without_identity
	batch -h web01 -identity "$key" -cmd true
	expect_status 0
	cp "$LAB_DIR/sshd.log" "$BATS_TEST_TMPDIR/log"
	ssh-keygen -q -t ed25519 -N '' -f "$key.stranger"
	batch -h web01 -identity "$key.stranger" -cmd 'echo ran'
	lab_down "$BATS_TEST_TMPDIR/debug"
	grep -q 'method publickey' "$BATS_TEST_TMPDIR/log"
	not grep -q 'method none' "$BATS_TEST_TMPDIR/log"
	expect_status 4
	expect_result web01 denied '.stage == "auth"'
	expect_match "$err" 'tried 1 key; the server takes' publickey
}

@test "each key is one attempt: MaxAuthTries of one more is enough" {
	lab_up "$BATS_TEST_TMPDIR/tries" -n 1 -o 'MaxAuthTries 3'
	agent_start
	agent_add_stranger ed25519
	agent_add_stranger ecdsa
	inventory_without_identity
	batch -h web01 -cmd 'echo ran'
	lab_down "$BATS_TEST_TMPDIR/tries"
	expect_status 4
	expect_result web01 denied '.stage == "auth"'
	expect_match "$err" 'tried 2 keys; the server takes .*publickey'
}

@test "a password is not sent to a server that takes only keys" {
	inventory_without_identity
	printf '[host web01]\npassword = secret\n' >>"$BATCH_INVENTORY"
	batch -h web01 -cmd 'echo ran'
	expect_status 4
	not grep -q 'method password' <(log_since_mark)
	not grep -q 'method keyboard-interactive' <(log_since_mark)
}
