# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# scp_hostile: what the tests of hostile servers share. To be loaded after scp
# and simhost.
#
# One simhost plays all hosts of a file. setup_file has a few runs on many of
# them at once (run_shared); the tests look at what came of it (use).

# A test file that uses this has addresses of its own, 127.88.NUMBER.*.
# hostile_up NUMBER <<END: a line is "GROUP HOST [BEHAVIOUR]...". To be called
# in setup_file. Sets and exports hostile_inventory.
hostile_up() {
	local net=127.88.$1 group host behaviours number=0
	export HOME=$BATS_FILE_TMPDIR/home
	mkdir -p "$HOME"
	cat >"$BATS_FILE_TMPDIR/hosts"
	while read -r group host behaviours; do
		number=$((number + 1))
		echo "$net.$number $behaviours"
	done <"$BATS_FILE_TMPDIR/hosts" >"$BATS_FILE_TMPDIR/script"
	simhost_up <"$BATS_FILE_TMPDIR/script"
	export hostile_inventory=$BATS_FILE_TMPDIR/inventory.ini
	{
		echo "[defaults]"
		echo "user = tester"
		echo "port = $simhost_port"
		echo "identity_file = $simhost_key"
		number=0
		while read -r group host behaviours; do
			number=$((number + 1))
			printf '[%s]\n%s = address=%s\n' "$group" "$host" \
			    "$net.$number"
			# What the host's clients see.
			ln -s "$simhost_root/$net.$number" \
			    "$BATS_FILE_TMPDIR/root.$host"
		done <"$BATS_FILE_TMPDIR/hosts"
	} >"$hostile_inventory"
	chmod 600 "$hostile_inventory"
	export BATCH_INVENTORY=$hostile_inventory
}

# root HOST: where its files are.
root() {
	readlink "$BATS_FILE_TMPDIR/root.$1"
}

# hosts_of GROUP
hosts_of() {
	awk -v group="$1" '$1 == group { print $2 }' "$BATS_FILE_TMPDIR/hosts"
}

# run_shared NAME ARGUMENT...: in setup_file; the result is kept under NAME. May
# go on in the background.
run_shared() {
	# shellcheck disable=SC2034 # used by batch
	local name=$1 input=/dev/null
	shift
	use_files "$name"
	batch "$@"
	echo "$status" >"$BATS_FILE_TMPDIR/$name.status"
}

use_files() {
	out=$BATS_FILE_TMPDIR/$1.out
	err=$BATS_FILE_TMPDIR/$1.err
	report=$BATS_FILE_TMPDIR/$1.report
}

# use NAME: what follows is about that run.
use() {
	use_files "$1"
	status=$(cat "$BATS_FILE_TMPDIR/$1.status")
}

# What follows is about runs of the test's own.
use_own() {
	out=$BATS_TEST_TMPDIR/out
	err=$BATS_TEST_TMPDIR/err
	report=$BATS_TEST_TMPDIR/report
}

# expect_rows <<END: of each line "HOST STATUS STAGE REGEX", where STAGE may be
# "-" and REGEX may have spaces or be missing: the host has that result, and
# its message matches. All that are wrong are shown.
expect_rows() {
	local host result stage text regex is_wrong=0
	local -A results=()
	while IFS=$'\t' read -r host text; do
		results[$host]=${results[$host]:-}$text
	done < <(jq -r '"\(.host)\t\(.status) " +
	    (if .stage == "" then "-" else .stage end) + " \(.message)"' \
	    "$report")
	while read -r host result stage regex; do
		text=${results[$host]:-nothing}
		[ "${text#"$result $stage "}" = "$text" ] ||
		    ! [[ ${text#"$result $stage "} =~ $regex ]] || continue
		is_wrong=1
		echo "expected of $host: $result $stage $regex"
		echo "got: $text"
	done
	return "$is_wrong"
}

# No worker has died of what a host sent, and nobody's words drive a terminal.
expect_no_harm() {
	expect_no_match "$err" \
	    'worker (killed|exited|ended)|killed by signal|malformed frame|sanitizer'
	expect_report 'all(.message | test("worker") | not)'
	expect_no_bytes "$err" $'\e' $'\r' $'\a'
	expect_no_bytes "$out" $'\e' $'\r' $'\a'
}
