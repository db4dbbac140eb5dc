#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# passwords: point 5 with passwords and keyboard-interactive. sshd checks the
# passwords of the system's users, so these tests add one for their time.

load helper

setup_file() {
	temp_user_add || return 0
	lab_up "$BATS_FILE_TMPDIR/lab" -n 3 -o "AllowUsers $temp_user" \
	    -o 'PasswordAuthentication yes' -o 'LogLevel DEBUG' \
	    -o 'UsePAM no'
}

teardown_file() {
	[ ! -d "$BATS_FILE_TMPDIR/lab" ] || lab_down "$BATS_FILE_TMPDIR/lab"
	temp_user_del
}

setup() {
	skip_if_told
	log_mark
}

teardown() {
	[ ! -d "$BATS_TEST_TMPDIR/pam" ] || lab_down "$BATS_TEST_TMPDIR/pam"
}

# password_inventory [SETTING...]: the lab's hosts for the temporary user,
# these lines in [host web01].
password_inventory() {
	{
		sed "s/^user .*/user = $temp_user/; /^identity_file/d" \
		    "$LAB_DIR/inventory.ini"
		[ $# -eq 0 ] || printf '[host web01]\n'
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$BATS_TEST_TMPDIR/inventory.ini"
	chmod 600 "$BATS_TEST_TMPDIR/inventory.ini"
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
}

expect_logged_in() {
	expect_status 0
	expect_output "web01: $temp_user"
	expect_no_match "$err" "$temp_password"
	expect_no_match "$report" "$temp_password"
}

# attempts METHOD: how often the server was asked.
attempts() {
	log_since_mark | grep -c "userauth-request.* method $1" || true
}

@test "the inventory's password, with ; and # in it" {
	password_inventory "password = \"$temp_password\""
	batch -h web01 -cmd 'id -un'
	expect_logged_in
}

@test "a password_file" {
	printf '%s\n' "$temp_password" >"$BATS_TEST_TMPDIR/secret"
	chmod 600 "$BATS_TEST_TMPDIR/secret"
	password_inventory "password_file = $BATS_TEST_TMPDIR/secret"
	batch -h web01 -cmd 'id -un'
	expect_logged_in
}

@test "a password_file that others may read is refused" {
	printf '%s\n' "$temp_password" >"$BATS_TEST_TMPDIR/secret"
	chmod 644 "$BATS_TEST_TMPDIR/secret"
	password_inventory "password_file = $BATS_TEST_TMPDIR/secret"
	batch -h web01 -cmd 'id -un'
	[ "$status" -ne 0 ]
	[ ! -s "$out" ]
	expect_match "$err" 'chmod 600'
	[ "$(attempts password)" -eq 0 ]
}

@test "a password_file that is absent is named" {
	password_inventory "password_file = $BATS_TEST_TMPDIR/absent"
	batch -h web01 -cmd 'id -un'
	[ "$status" -ne 0 ]
	expect_match "$err" "$BATS_TEST_TMPDIR/absent"
}

@test "a password_env" {
	password_inventory "password_env = BATCH_SECRET"
	export BATCH_SECRET=$temp_password
	batch -h web01 -cmd 'id -un'
	expect_logged_in
}

@test "a password_env that is not set is named" {
	password_inventory "password_env = BATCH_SECRET"
	unset BATCH_SECRET
	batch -h web01 -cmd 'id -un'
	[ "$status" -ne 0 ]
	expect_match "$err" BATCH_SECRET
}

@test "-ask-pass asks once on the terminal, for all hosts" {
	password_inventory
	on_terminal -e 'assword' -s "$temp_password" -- \
	    "$batch_run" -known-hosts "$known_hosts" -color never -ask-pass \
	    -g web,db -cmd 'id -un'
	expect_status 0
	expect_match "$out" "^web01: $temp_user" "^web02: $temp_user" \
	    "^db01: $temp_user"
	[ "$(grep -ci password "$out")" -eq 1 ]
	# Typed, not shown.
	! grep -qFe "$temp_password" "$out" || { dump; return 1; }
}

@test "-ask-pass without a terminal is an error" {
	password_inventory
	status=0
	timeout 60 setsid -w "$batch_run" -known-hosts "$known_hosts" \
	    -ask-pass -h web01 -cmd 'echo ran' \
	    </dev/null >"$out" 2>"$err" 3>&- || status=$?
	expect_status 2
	[ ! -s "$out" ]
	expect_match "$err" 'terminal|tty'
}

@test "a wrong password is tried once: denied" {
	password_inventory 'password = wrong'
	batch -h web01 -cmd 'echo ran'
	expect_status 4
	[ ! -s "$out" ]
	expect_result web01 denied '.stage == "auth"'
	[ "$(attempts password)" -eq 1 ]
	[ "$(attempts keyboard-interactive)" -eq 0 ]
}

@test "the key comes first, the password after it" {
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/key"
	password_inventory "password = \"$temp_password\"" \
	    "identity_file = $BATS_TEST_TMPDIR/key"
	batch -h web01 -cmd 'id -un'
	expect_logged_in
	[ "$(attempts publickey)" -ge 1 ]
	[ "$(attempts password)" -eq 1 ]
}

@test "a key that opens the host saves the password" {
	mkdir -p "$temp_home/.ssh"
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/key"
	cp "$BATS_TEST_TMPDIR/key.pub" "$temp_home/.ssh/authorized_keys"
	chown -R "$temp_user" "$temp_home/.ssh"
	lab_up "$BATS_TEST_TMPDIR/pam" -n 1 -o "AllowUsers $temp_user" \
	    -o 'PasswordAuthentication yes' -o 'LogLevel DEBUG' \
	    -o 'AuthorizedKeysFile .ssh/authorized_keys'
	log_mark
	password_inventory "password = \"$temp_password\"" \
	    "identity_file = $BATS_TEST_TMPDIR/key"
	batch -h web01 -cmd 'id -un'
	expect_logged_in
	[ "$(attempts password)" -eq 0 ]
}

@test "a host with a password does not lend it to another" {
	password_inventory "password = \"$temp_password\""
	batch -g web -cmd 'id -un'
	expect_status 4
	expect_output "web01: $temp_user"
	expect_result web02 denied '.stage == "auth"'
	[ "$(attempts password)" -eq 1 ]
}

# A lab whose hosts ask through PAM, or skip.
pam_up() {
	lab_up "$BATS_TEST_TMPDIR/pam" -n 1 -o "AllowUsers $temp_user" \
	    -o 'PasswordAuthentication no' -o 'LogLevel DEBUG' \
	    -o 'KbdInteractiveAuthentication yes' -o 'UsePAM yes'
	log_mark
	"$(command -v sshd)" -T -f "$LAB_DIR/sshd_config.1" |
	    grep -q '^usepam yes' || skip "this sshd has no PAM"
}

@test "keyboard-interactive is answered with the password" {
	pam_up
	password_inventory "password = \"$temp_password\""
	batch -h web01 -cmd 'id -un'
	expect_logged_in
	[ "$(attempts keyboard-interactive)" -ge 1 ]
	[ "$(attempts password)" -eq 0 ]
}

@test "keyboard-interactive with a wrong password is tried once" {
	pam_up
	password_inventory 'password = wrong'
	batch -h web01 -cmd 'echo ran' -connect-timeout 30
	expect_status 4
	expect_result web01 denied '.stage == "auth"'
	[ "$(attempts keyboard-interactive)" -eq 1 ]
}

@test "where both are offered a wrong password is still sent only once" {
	lab_up "$BATS_TEST_TMPDIR/pam" -n 1 -o "AllowUsers $temp_user" \
	    -o 'PasswordAuthentication yes' -o 'LogLevel DEBUG' \
	    -o 'KbdInteractiveAuthentication yes' -o 'UsePAM yes'
	log_mark
	password_inventory 'password = wrong'
	batch -h web01 -cmd 'echo ran' -connect-timeout 30
	expect_status 4
	[ $(($(attempts keyboard-interactive) + $(attempts password))) -eq 1 ]
}
