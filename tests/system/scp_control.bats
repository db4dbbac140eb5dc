#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2088,SC2154
#
# scp_control: what control tells workers of a transfer and makes of what they
# say. The worker is fakeworker.py; nothing is connected to.

load helper

setup() {
	fakeworker_up batch_scp
	write_inventory <<-'END'
	[web]
	web[01-12] =
	END
	cd "$BATS_TEST_TMPDIR" || return
	mkdir tree
	printf 12345 >tree/five
	touch tree/none
	printf 123456 >six
	ok 0 0
}

teardown() {
	batch_kill
}

# script <<END: what workers do, see fakeworker.py.
script() {
	cat >"$fake/script"
}

ok() {
	echo "result ok none $1 $2 0" >"$fake/script"
}

put() {
	batch -host-key accept-new -action put -local tree -remote /tmp/ "$@"
}

get() {
	batch -host-key accept-new -action get -remote '/var/log/*.log' "$@"
}

# told JQ-FILTER: true of the array of all frames that workers got.
told() {
	jq -es "$1" "$fake"/log.* >/dev/null || {
		echo "expected of the frames: $1"
		cat "$fake"/log.*
		dump
		return 1
	}
}

@test "a put tells workers what, where to, and how much it is" {
	put -h web01 -remote '~/in/'
	expect_status 2 # twice
	batch -h web01 -host-key accept-new -action put -local tree/ six \
	    -remote '~/in/' -mode 0600 -update -verify -resume -mkdir -follow \
	    -backup .old -dry-run
	expect_status 0
	told '.[0] | .type == 1 and .task == 1 and .destination == "in/" and
	    .total_files == 3 and .total_bytes == 11 and .has_input == 1 and
	    .file_mode == 384 and .backup_suffix == ".old" and
	    .flags == (1 + 2 + 4 + 16 + 32 + 64 + 128 + 256) and
	    .idle_timeout_ms == 120000 and .left_out == 0 and .command == "" and
	    (.token | test("^[0-9a-f]{8}\\.[0-9a-f]+\\.[0-9a-f]+$"))'
	told '.[1] | .type == 2 and .local == "" and .local_below == ""'
}

@test "a mode that is not given is kept, an idle timeout of 0 is none" {
	put -h web01 -idle-timeout 0
	told '.[0] | .file_mode == 4294967295 and .flags == 256 and
	    .idle_timeout_ms == 0'
}

@test "~ is the login directory" {
	batch -h web01 -host-key accept-new -action put -local tree -remote '~'
	told '.[0].destination == "."'
	rm "$fake"/log.*
	batch -h web01 -host-key accept-new -action put -local tree -remote '~/'
	told '.[0].destination == "./"'
}

@test "a get tells workers what, and each host's directory" {
	get -h web01,web02 -remote '~/a b' -remote $'new\nline' -local logs/
	expect_status 0
	told '.[0] | .task == 2 and .has_input == 0 and .flags == 0 and
	    .sources == "/var/log/*.log\u0000a b\u0000new\nline\u0000" and
	    .max_bytes == 107374182400 and .max_files == 1000000'
	told 'map(select(.type == 2) | [.local, .local_below]) | sort ==
	    [["logs/", "web01"], ["logs/", "web02"]]'
}

@test "a get goes below the working directory if nothing else is said" {
	get -h web01 -max-size 1.5k -max-files 7
	told '.[0] | .max_bytes == 1536 and .max_files == 7'
	told '.[1] | .local == "." and .local_below == "web01"'
}

@test "a template is expanded host by host, its numbers padded" {
	get -g web -local 'logs/%n-%h.log'
	expect_status 0
	told '.[0].flags == 512'
	told 'map(select(.type == 2) | .local_below) | sort | length == 12 and
	    .[0] == "01-web01.log" and .[11] == "12-web12.log"'
	told 'map(select(.type == 2) | .local) | unique == ["logs"]'
}

@test "few hosts at once get large windows and many files, many get few" {
	get -h web01
	told '.[0] | .window == 4194304 and .files == 32'
	rm "$fake"/log.*
	batch -h 'x[1-300]' -f 300 -workers 1 -host-key accept-new -action get \
	    -remote /etc/hosts
	told '.[0] | .window == 262144 and .files == 2 and .slots == 300'
}

@test "where descriptors are short there are fewer files, then fewer hosts" {
	ulimit -n 220
	batch -h 'x[1-12]' -f 12 -workers 1 -host-key accept-new -action get \
	    -remote /etc/hosts
	expect_status 0
	expect_no_match "$err" fanout
	told '.[0] | .files == 2 and .slots == 12'
	rm "$fake"/log.*
	ulimit -n 80
	batch -h 'x[1-12]' -f 12 -workers 1 -host-key accept-new -action get \
	    -remote /etc/hosts
	expect_status 0
	expect_match "$err" 'fanout 12 needs more descriptors'
	told '.[0] | .files == 2 and .slots == 2'
}

@test "the worker's lines, records and the summary say what was moved" {
	script <<-'END'
	output put tree -> /tmp/tree (1.2 MB, 0.3 s)
	@web01 result ok none 1200000 3 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
	@web02 result transfer transfer 5 1 0  /tmp/tree: Permission denied
	END
	put -h web01,web02
	expect_status 3
	expect_output 'web01: put tree -> /tmp/tree (1.2 MB, 0.3 s)' \
	    'web02: put tree -> /tmp/tree (1.2 MB, 0.3 s)'
	expect_result web01 ok '.bytes == 1200000 and .files == 3 and
	    .unchanged == 1 and (.sha256 | length) == 64'
	expect_result web02 transfer '.stage == "transfer" and .bytes == 5 and
	    .sha256 == null and .message == "/tmp/tree: Permission denied"'
	expect_match "$err" \
	    '^2 hosts: 1 ok, 1 transfer; 1\.2 MB in 3 files, 1 unchanged \(' \
	    '^transfer, /tmp/tree: Permission denied \(1\): web02'
}

@test "a worker that dies while it transfers loses the host at that stage" {
	echo die >"$fake/script"
	put -h web01
	expect_status 3
	expect_result web01 lost '.stage == "transfer"'
}

@test "a result that is none ends the worker, not the run" {
	echo 'result ok none 1 1 0 not-a-hash' >"$fake/script"
	put -h web01
	expect_status 3
	expect_result web01 lost
	expect_match "$err" 'malformed frame'
	echo 'result ok none 1 1 2' >"$fake/script"
	put -h web01
	expect_result web01 lost
}

@test "-limit is shared among workers by the hosts that they have" {
	script <<-'END'
	@web02 result ok none 0 0 0
	@web01 wait go
	@web01 result ok none 0 0 0
	@web03 result ok none 0 0 0
	END
	batch_start -host-key accept-new -action put -local tree -remote /tmp/ \
	    -h 'web[01-03]' -f 3 -workers 2 -limit 300k
	# web01 and web03 are at one worker; web02 is done soon.
	wait_until eval 'grep -qs "\"type\": 3" "$fake"/log.*'
	sleep 0.5
	touch "$fake/go"
	batch_wait
	expect_status 0
	told 'map(select(.type == 8) | .bytes_per_s) |
	    index(204800) != null and index(102400) != null and
	    index(307200) != null and all(. <= 307200)'
	# A worker knows its share when its first job goes on.
	told 'map(.type) | index(8) < index(3)'
}

@test "without -limit no rates are told" {
	put -g web
	told 'map(select(.type == 8)) == []'
}

@test "progress tells bytes on a terminal, and is gone at the end" {
	script <<-'END'
	progress 3 5
	sleep 0.7
	@web02 sleep 0.7
	output put tree
	result ok none 5 2 0
	END
	TERM=xterm on_terminal -- "$batch_run" -known-hosts "$known_hosts" \
	    -color never -host-key accept-new -action put -local tree \
	    -remote /tmp/ -h web01,web02 -workers 1
	expect_status 0
	expect_match "$out" \
	    '\[#* *\] 0/2 done, 2 running' '[36] B of 10 B \([36]0 %\)' \
	    '\[#* *\] 1/2 done, 1 running'
	without_progress "$out" >"$out.kept"
	[ "$(head -n 2 "$out.kept" | sort)" = "$(printf '%s\n' \
	    'web01: put tree' 'web02: put tree')" ]
	[[ $(sed -n 3p "$out.kept") == '2 hosts: 2 ok; 10 B in 4 files ('* ]]
	[ "$(wc -l <"$out.kept")" -eq 3 ]
}
