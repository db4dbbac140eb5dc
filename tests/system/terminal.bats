#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# terminal: whatever a host sends, a terminal gets nothing from it but text, in
# every mode of output. Sent are 10,000 random texts and the known attacks; what
# may arrive is a grammar in terminal_text.py.

load helper
load simhost

setup_file() {
	lab_up "$BATS_FILE_TMPDIR/lab" -n 2
	export text=$BATS_FILE_TMPDIR/text
	text_tool lines 10000 >"$text.web01"
	# For a diff to have something to tell.
	sed 's/1/one/' "$text.web01" >"$text.db01"
}

teardown_file() {
	lab_down "$BATS_FILE_TMPDIR/lab"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	simhost_down
}

text_tool() {
	"$python" "$test_dir/terminal_text.py" "$@"
}

# shown OPTION...: a run on a terminal, with progress and colours.
shown() {
	TERM=xterm on_terminal -- "$batch_run" -known-hosts "$known_hosts" \
	    -color always -progress always "$@"
}

# shown_of_all OPTION...: the texts, on stdout.
shown_of_all() {
	shown -g web,db -cmd "cat '$text'.\$LAB_HOST" "$@"
	expect_status 0
}

# expect_text_only: what was shown is safe, and the attacks are told.
expect_text_only() {
	text_tool check "$out" || {
		dump
		return 1
	}
	LC_ALL=C grep -qaFe '\x1b]52;c;ZXZpbAo=\x07' "$out"
}

# expect_tagged N: the same, and every line is ours or one of N with a tag.
expect_tagged() {
	expect_text_only || return
	text_tool check "$out" '(web|db)01: ' >tagged
	[ "$(cat tagged)" -eq "$1" ]
}

# How many lines the hosts have to show.
lines_sent() {
	echo $(($(text_tool count "$text.web01") + \
	    $(text_tool count "$text.db01")))
}

@test "live: text only, and each line has its host's tag" {
	shown_of_all
	expect_tagged "$(lines_sent)"
}

@test "stdout and stderr at once" {
	shown -g web,db -cmd "cat '$text'.\$LAB_HOST & cat '$text'.\$LAB_HOST >&2
	    wait"
	expect_status 0
	expect_tagged $((2 * $(lines_sent)))
}

@test "one host's turn after the other's" {
	shown_of_all -ordered
	expect_tagged "$(lines_sent)"
}

@test "without tags" {
	shown_of_all -no-prefix
	expect_text_only
}

@test "without tags, one host, no newlines" {
	shown -h web01 -no-prefix -cmd "tr -d '\\n\\r' <'$text'.\$LAB_HOST"
	expect_status 0
	expect_text_only
}

@test "fold" {
	shown_of_all -output fold
	expect_text_only
}

@test "live,fold" {
	shown_of_all -output live,fold
	expect_text_only
}

@test "the fold of stderr" {
	shown -g web,db -output fold -cmd "cat '$text'.\$LAB_HOST >&2; exit 3"
	expect_status 1
	expect_text_only
}

@test "diff" {
	shown_of_all -diff
	expect_match "$out" 'reference'
	expect_text_only
}

@test "json: printable ASCII, which has every byte" {
	shown -h web01 -q -output json -progress never \
	    -cmd "head -c 50000 '$text'.\$LAB_HOST"
	expect_status 0
	tr -d '\r' <"$out" >json
	not env LC_ALL=C grep -qa '[^ -~]' json
	jq -r .stdout_b64 json | base64 -d |
	    cmp - <(head -c 50000 "$text.web01")
}

# hosts_say VALUE...: a host for each text and VALUE, in which %s is the text.
hosts_say() {
	text_tool values 100 >said
	simhost_up < <(
		kind=0
		for value in "$@"; do
			kind=$((kind + 1))
			awk -v kind="$kind" -v value="$value" '{
				split(value, around, "%s")
				print "127.94." kind "." NR, \
				    around[1] $0 around[2]
			}' said
		done
	)
	simhost_inventory
}

@test "what servers say before, instead of and at the end of a session" {
	[ -x "$top_builddir/tests/simhost" ] || skip "there is no simhost"
	hosts_say 'banner=says says=%s' 'disconnect=kex says=%s' \
	    'disconnect=auth says=%s' 'disconnect=exec says=%s'
	shown -g sim -retries 0 -vv -cmd true
	expect_status 4
	expect_text_only
}

@test "what SFTP servers say" {
	[ -x "$top_builddir/tests/simhost" ] || skip "there is no simhost"
	hosts_say 'write-fails=%s' 'symlink=%s'
	echo file >file
	local batch_run=$top_builddir/src/batch_scp
	shown -g sim -action put -local file -remote /
	expect_status 3
	expect_text_only
	# Nothing is told of where a link leads.
	shown -g sim -action get -remote / -local got
	expect_match "$out" 'got/sim1 \('
	text_tool check "$out"
}

@test "file names" {
	local batch_run=$top_builddir/src/batch_scp
	mkdir names far
	text_tool names 300 names
	shown -g web,db -action put -local names -remote "$PWD/far" -dry-run
	expect_status 0
	expect_text_only
	shown -g web,db -action get -remote "$PWD/names" -local got -dry-run
	expect_status 0
	expect_text_only
	# Where none of them can be written.
	mkdir far/names
	(cd names && find . -type f -print0) | (cd far/names && xargs -0 mkdir)
	shown -g web,db -action put -local names -remote "$PWD/far" -vv
	expect_status 3
	expect_match "$out" 'is a directory there'
	expect_text_only
}
