#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# secrets: where passwords, passphrases and private keys are while a run needs
# them, and that they are nowhere else. Each search finds something too, so that
# one that finds nothing means something. Where they come from, and how they
# are used, is in passwords.bats and auth.bats.

load helper
load simhost

# A name of each password; make_secrets says what it is.
names='one two three wrong expired half asked'

# What hosts do: sim1 to sim3 run a command, one whose end does not come but
# for the first; the others have faults of all kinds after a password was sent,
# or would have been.
setup_file() {
	make_secrets
	simhost_up <<-END
	127.93.0.1 methods=password password=$(secret one)
	127.93.0.2 methods=password password=$(secret two) exec=echo=up\\ssilent
	127.93.0.3 methods=keyboard-interactive password=$(secret three)
	127.93.0.4 methods=password password=right
	127.93.0.5 methods=keyboard-interactive password=right
	127.93.0.6 methods=password change-password
	127.93.0.7 partial password=right
	127.93.0.8 methods=password hangup-denied password=right
	127.93.0.9 methods=password no-auths=1 password=right
	127.93.0.10 methods=password silent=auth
	127.93.0.11 methods=password reset=auth
	127.93.0.12 methods=password disconnect=auth
	127.93.0.13 methods=password other-key
	127.93.0.14 methods=password refuse
	127.93.0.15 methods=password banner=garbage
	127.93.0.16 methods=password silent=kex
	127.93.0.17 methods=password hangup=channel
	127.93.0.18 methods=password no-exec
	127.93.0.19 methods=publickey
	127.93.0.20 methods=password password=$(secret asked) exec=echo=up\\ssilent
	127.93.0.21 exec=echo=up\\ssilent
	127.93.0.22 methods=keyboard-interactive password=$(secret three) exec=echo=up\\ssilent
	END
}

teardown_file() {
	simhost_down
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	batch_kill
	temp_user_del
}

hex() {
	od -An -v -tx1 | tr -d ' \n'
}

# They are in files, so that no environment has them but what a test means to;
# and long, so that a part of them outlives what is written over a block.
make_secrets() {
	local name
	mkdir "$BATS_FILE_TMPDIR/secret"
	for name in $names; do
		head -c 90 /dev/urandom | hex >"$BATS_FILE_TMPDIR/secret/$name"
	done
	chmod -R go= "$BATS_FILE_TMPDIR/secret"
}

secret() {
	cat "$BATS_FILE_TMPDIR/secret/$1"
}

# needles NAME...: of these passwords, as find_secret.py wants them.
needles() {
	local name
	for name in "$@"; do
		echo "$name $(printf %s "$(secret "$name")" | hex)"
	done
}

# found PLACE... <NEEDLES
found() {
	"$python" "$test_dir/find_secret.py" "$@"
}

# expect_found EXPECTED PLACE... <NEEDLES: this is where, and nowhere else.
expect_found() {
	local where
	where=$(found "${@:2}")
	[ "$where" = "$1" ] || {
		printf 'expected in %s:\n%s\nfound:\n%s\n' "${*:2}" "$1" "$where"
		dump
		return 1
	}
}

expect_not_found() {
	expect_found '' "$@"
}

# Control ends a worker that does not answer, and a search takes its time.
hold_control() {
	kill -STOP "$pid"
}

needs_memory() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to read a process's memory"
	not is_sanitized || skip "a sanitizer has memory of its own"
}

# with_password HOST NAME: of this host, in the inventory.
with_password() {
	printf '[host %s]\npassword = "%s"\n' "$1" "$(secret "$2")"
}

up_at_least() {
	[ "$(grep -c ': up' "$out")" -ge "$1" ]
}

has_ended() {
	grep -q "^$1 end: " "$err"
}

# The hosts of setup_file, with no key.
inventory_without_key() {
	simhost_inventory
	sed -i '/^identity_file/d' "$BATCH_INVENTORY"
}

# --- what is written ---------------------------------------------------------

# An inventory with passwords of all hosts, in all the ways there are.
all_passwords() {
	local i
	inventory_without_key
	{
		printf '[host sim1]\npassword_env = BATCH_ONE\n'
		printf '[host sim2]\npassword_file = %s\n' \
		    "$BATS_FILE_TMPDIR/secret/two"
		with_password sim3 three
		for i in 4 5 8 9 10 11 12 13 14 15 16 17 18 19; do
			with_password "sim$i" wrong
		done
		with_password sim6 expired
		with_password sim7 half
		printf '[host sim7]\nidentity_file = %s\n' "$simhost_key"
	} >>"$BATCH_INVENTORY"
}

# keep_processes FOLDER: what can be seen of the processes of the run.
keep_processes() {
	local p
	for p in $pid $(pgrep -P "$pid"); do
		tr '\0' '\n' <"/proc/$p/cmdline" >"$1/$p.cmdline"
		tr '\0' '\n' <"/proc/$p/environ" >"$1/$p.environ"
	done
}

# run_all NAME OPTION...: on all hosts, until all but sim2 have ended, and then
# sim2 with them; what it writes is in the folder NAME.
run_all() {
	local folder=$BATS_TEST_TMPDIR/$1 log
	shift
	mkdir "$folder" "$folder/seen"
	out=$folder/out
	err=$folder/err
	report=$folder/report
	log=$folder/log
	BATCH_ONE=$(secret one) batch_start -log "$log" \
	    -report-html "$folder/html" -metrics "$folder/metrics.prom" \
	    -outdir "$folder/outdir" -connect-timeout 2s -retries 1 \
	    -retry-delay 100ms -fanout 32 -workers 2 -auth-fail-limit 0 \
	    -h 'sim[1-19]' -cmd true "$@"
	wait_until grep -q 'sim2 auth: logged in' "$log"
	keep_processes "$folder/seen"
	wait_until ended_at_least 18
	kill -INT "$pid"
	batch_wait
	# Each host did what it is here for.
	expect_status 130
	expect_result sim1 ok
	expect_result sim3 ok
	expect_report 'map(select(.status == "denied")) | length > 5'
	expect_report 'map(select(.status == "timeout")) | length > 1'
}

ended_at_least() {
	[ "$(grep -o ' sim[0-9]* end: ' "$log" | sort -u | wc -l)" -ge "$1" ]
}

@test "no password is in a log, a report, a message, a command line, an environment" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to look into the processes"
	all_passwords
	run_all v -vv -output live
	run_all debug -debug -output fold
	run_all json -debug -output json
	run_all quiet -vv -q -output none -ordered
	# What is searched is there.
	grep -q 'Again: ' v/err
	grep -q '"host"' json/out
	grep -qr sim1 debug/html
	grep -q VERDICT debug/log
	cat v/seen/*.environ | grep -q "^HOME=$HOME"
	cat v/seen/*.cmdline | grep -qx batch_worker
	[ "$(needles two | found "$BATS_FILE_TMPDIR/secret/two")" = \
	    "two raw $BATS_FILE_TMPDIR/secret/two" ]
	# shellcheck disable=SC2086 # words
	needles $names | expect_not_found v debug json quiet
}

# --- core files --------------------------------------------------------------

# dies_without_core control|worker SIGNAL
dies_without_core() {
	local status=0
	mkdir "$1.$2"
	(
		cd "$1.$2" || exit
		ulimit -c unlimited 2>/dev/null || true
		batch_start -v -h sim2 -workers 1 -cmd true
		wait_until up_at_least 1
		kill -"$2" "$(our_processes "$1")"
		wait_until not alive "$pid"
		not wait "$pid"
	)
	[ -z "$(find "$1.$2" -name '*core*')" ]
}

@test "a crash of control or of a worker leaves no core file" {
	write_inventory < <(
		printf '[sim]\nsim2 = address=127.93.0.2 port=%s user=tester\n' \
		    "$simhost_port"
		with_password sim2 two
	)
	local signal
	mkdir dumps
	(
		cd dumps
		ulimit -c unlimited 2>/dev/null || true
		sh -c 'kill -SEGV $$' || true
	)
	[ -n "$(find dumps -name '*core*')" ] ||
	    echo "# there are no core files here" >&3
	for signal in ABRT SEGV; do
		dies_without_core worker "$signal"
		dies_without_core control "$signal"
	done
	batch_start -h sim2 -workers 1 -cmd true
	wait_until up_at_least 1
	for process in $(our_processes both); do
		grep -qE '^Max core file size +0 +0 ' "/proc/$process/limits"
	done
}

# What the temporary user needs to have sim2 and its password. Sets as_user,
# which runs what follows as that user.
user_files() {
	temp_user_add || skip "$skip_reason"
	as_user=(setpriv --reuid "$temp_user" --regid "$(id -g "$temp_user")"
	    --clear-groups env "HOME=$temp_home")
	"${as_user[@]}" test -x "$batch_run" ||
	    skip "others cannot reach the programs"
	write_inventory < <(
		printf '[sim]\nsim2 = address=127.93.0.2 port=%s user=tester\n' \
		    "$simhost_port"
		with_password sim2 two
	)
	cp "$known_hosts" "$BATCH_INVENTORY" "$temp_home"
	chown -R "$temp_user" "$temp_home"
}

# start_as_user: on sim2, until its command runs; sets pid.
start_as_user() {
	: >"$out"
	"${as_user[@]}" "$batch_run" -i "$temp_home/inventory.ini" \
	    -known-hosts "$temp_home/known_hosts" -h sim2 -workers 1 -v \
	    -cmd true </dev/null >"$out" 2>"$err" 3>&- &
	pid=$!
	wait_until up_at_least 1
}

@test "other processes of the user cannot look into control or a worker" {
	user_files
	start_as_user
	local process
	[ "$(ps -o user:32= -p "$pid")" = "$temp_user" ]
	[ "$(our_processes both | wc -l)" -eq 2 ]
	# Of a process that is not dumpable, /proc has root's files.
	[ "$("${as_user[@]}" stat -c %u /proc/self/environ)" -ne 0 ]
	for process in $(our_processes both); do
		[ "$(stat -c %u "/proc/$process/environ")" -eq 0 ]
		not "${as_user[@]}" head -c 1 "/proc/$process/environ"
	done
}

# --- swapped pages -----------------------------------------------------------

# locked_kb: how much of control's memory is locked.
locked_kb() {
	awk '/^VmLck:/ { print $2 }' "/proc/$pid/status"
}

@test "an ordinary user's passwords are in locked memory only" {
	needs_memory
	user_files
	start_as_user
	[ "$(locked_kb)" -ge 4096 ] || skip "ulimit -l is $(ulimit -l)"
	not grep -q 'memory: ' "$err"
	needles two | expect_found 'two raw locked' "$pid"
}

@test "where little memory can be locked the run goes on, and -v tells" {
	needs_memory
	user_files
	ulimit -l 64
	start_as_user
	grep -q '^batch_run memory: .* 64 kB are locked' "$err"
	[ "$(locked_kb)" -eq 64 ]
	kill -KILL "$pid"
	ulimit -l 0
	start_as_user
	grep -q '^batch_run memory: .* 0 kB are locked' "$err"
	needles two | expect_found 'two raw open' "$pid"
}

# --- wiped after use ---------------------------------------------------------

@test "control holds passwords in locked memory, until their hosts have ended" {
	needs_memory
	local i
	simhost_inventory
	{
		printf '[host sim1]\npassword_env = BATCH_ONE\n'
		printf '[host sim2]\npassword_file = %s\n' \
		    "$BATS_FILE_TMPDIR/secret/two"
		with_password sim3 three
		with_password sim20 asked
		# These are not chosen. iniparser reads them in several parts.
		for ((i = 0; i < 300; i++)); do
			with_password "other$i" wrong
		done
	} >>"$BATCH_INVENTORY"
	# sim20 waits for the slots of sim2 and sim21.
	BATCH_ONE=$(secret one) batch_start -v -h sim1,sim3,sim2,sim21,sim20 \
	    -fanout 2 -workers 2 -cmd true
	wait_until up_at_least 2
	wait_until has_ended sim1
	wait_until has_ended sim3
	needles one two three wrong asked |
	    expect_found 'asked raw locked
two raw locked' "$pid"
}

@test "a password that was typed is in locked memory only" {
	needs_memory
	simhost_inventory
	on_terminal -e 'assword' -s "$(secret asked)" -- sh -c '
	    echo $$ >pid
	    exec "$@"' sh "$batch_run" -known-hosts "$known_hosts" -ask-pass \
	    -h sim20 -cmd true &
	wait_until up_at_least 1
	pid=$(cat pid)
	needles asked | expect_found 'asked raw locked' "$pid"
	hold_control
	needles asked | expect_not_found "$(workers "$pid")" "$out"
	kill -KILL "$pid"
	wait
}

# key_parts FILE: the private numbers of the key, as needles.
key_parts() {
	if grep -q 'OPENSSH' "$1" && [[ $(cat "$1.pub") == ssh-ed25519* ]]; then
		echo "seed $(ed25519_seed "$1")"
		return
	fi
	cp "$1" pem
	ssh-keygen -q -p -P '' -N '' -m PKCS8 -f pem >/dev/null
	openssl pkey -in pem -noout -text | awk '
	    /^[^ ]/ {
		is_private = /^(priv|privateExponent|prime[12]|exponent[12]|coefficient):/
		name = substr($1, 1, length($1) - 1)
	    }
	    /^ / && is_private {
		gsub(/[ :]/, "")
		part[name] = part[name] $0
	    }
	    END { for (name in part) print name, part[name] }'
}

# The private part: 32 bytes, followed by the public part, in the private section
# of the file (PROTOCOL.key).
ed25519_seed() {
	grep -v -e ----- "$1" | base64 -d | "$python" -c '
import sys
blob = sys.stdin.buffer.read()
at = blob.rfind(b"ssh-ed25519") + 11 + 4 + 32 + 4
print(blob[at:at + 32].hex())'
}

# key_is_guarded OPTION...: a key that ssh-keygen makes with them logs in; it is
# in locked memory only, and in no worker.
key_is_guarded() {
	rm -f key key.pub
	ssh-keygen -q -N '' -C '' -f key "$@"
	key_parts key >parts
	[ -s parts ]
	batch_start -h sim21 -workers 1 -k key -cmd true
	wait_until up_at_least 1
	found "$pid" <parts >places
	cat places
	grep -q ' locked$' places
	not grep -q ' open$' places
	hold_control
	expect_not_found "$(workers "$pid")" <parts
	# A worker can be searched.
	echo "user $(printf tester | hex)" | found "$(workers "$pid")" |
	    grep -q '^user raw '
	kill -KILL "$pid"
	wait "$pid" || true
}

@test "private keys are in control's locked memory, and in no worker's" {
	needs_memory
	inventory_without_key
	key_is_guarded -t ed25519
	key_is_guarded -t rsa -b 2048
	key_is_guarded -t rsa -b 2048 -m PEM
	key_is_guarded -t ecdsa
	key_is_guarded -t ecdsa -m PKCS8
}

@test "a passphrase, and the key that it opens, are in no memory of ours" {
	needs_memory
	local phrase process
	phrase=$(secret asked)
	ssh-keygen -q -t ed25519 -N '' -C '' -f key
	key_parts key >parts
	echo "phrase $(printf %s "$phrase" | hex)" >>parts
	ssh-keygen -q -p -P '' -N "$phrase" -f key >/dev/null
	inventory_without_key
	on_terminal -e 'passphrase' -s "$phrase" -- sh -c '
	    echo $$ >pid
	    exec "$@"' sh "$batch_run" -known-hosts "$known_hosts" -k key \
	    -vv -h sim21 -cmd true &
	wait_until up_at_least 1
	pid=$(cat pid)
	echo "user $(printf tester | hex)" | found "$pid" | grep -q '^user'
	for process in $(our_processes both); do
		hold_control
		expect_not_found "$process" "/proc/$process/cmdline" \
		    "/proc/$process/environ" "$out" <parts
	done
	kill -KILL "$pid"
	wait
}

# worker_of USER: the worker that has the host of this user.
worker_of() {
	local worker
	for worker in $(workers "$pid"); do
		if echo "user $(printf %s "$1" | hex)" | found "$worker" |
		    grep -q '^user raw '; then
			echo "$worker"
		fi
	done
}

@test "a worker holds the password of its own host only, and only for the login" {
	needs_memory
	local first others
	simhost_inventory
	{
		# The login of sim10 does not go on, that of sim2 does.
		printf '[host sim10]\nuser = user-of-sim10\n'
		with_password sim10 wrong
		with_password sim2 two
		with_password sim22 three
		with_password sim20 asked # has to wait
	} >>"$BATCH_INVENTORY"
	batch_start -vv -h sim10,sim2,sim21,sim22,sim20 -connect-timeout 60s \
	    -fanout 4 -workers 2 -cmd true
	wait_until grep -q '^sim10 hostkey: .*accepted' "$err"
	wait_until up_at_least 3
	hold_control
	first=$(worker_of user-of-sim10)
	others=$(workers "$pid" | grep -vx "$first")
	[ "$(wc -w <<<"$first $others")" -eq 2 ]
	needles wrong two three asked | expect_found 'wrong raw open' "$first"
	needles wrong two three asked | expect_not_found "$others"
	key_parts "$simhost_key" | expect_not_found "$first" "$others"
}

# --- files that hold passwords -----------------------------------------------

# refused FILE OWNER MODE TEXT...: so it is not taken, and the message says so.
refused() {
	chown "$2" "$1"
	chmod "$3" "$1"
	batch -h sim2 -cmd true
	expect_status 2
	expect_match "$err" "$1: .*$3.*chmod 600 $1" "${@:4}"
	needles two | expect_not_found "$err"
	chown "$(id -u)" "$1"
	chmod 600 "$1"
}

@test "what holds a password is refused if others have access" {
	local file
	simhost_inventory
	printf '[host sim2]\npassword_file = %s\n' "$PWD/secret" \
	    >>"$BATCH_INVENTORY"
	cp "$BATS_FILE_TMPDIR/secret/two" secret
	mkdir links
	ln -s "$PWD/secret" links/secret
	for file in secret inventory.ini; do
		refused "$PWD/$file" "$(id -u)" 0640
		refused "$PWD/$file" "$(id -u)" 0604
		refused "$PWD/$file" "$(id -u)" 0620
		[ "$(id -u)" -ne 0 ] ||
		    refused "$PWD/$file" 12345 0600 'user 12345'
		# The other one as well.
		simhost_inventory
		with_password sim2 two >>"$BATCH_INVENTORY"
	done
	# A link is as good as what it leads to.
	simhost_inventory
	printf '[host sim2]\npassword_file = %s\n' "$PWD/links/secret" \
	    >>"$BATCH_INVENTORY"
	chmod 644 secret
	batch -h sim2 -cmd true
	expect_status 2
	expect_match "$err" "$PWD/links/secret: mode 0644 .*chmod 600"
}
