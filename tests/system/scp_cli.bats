#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_cli: options of batch_scp, and what a call must have to be run at all.

load helper

setup() {
	write_inventory <<-'END'
	[web]
	web01 = address=127.77.9.1 port=1
	web02 = address=127.77.9.2 port=1
	END
	cd "$BATS_TEST_TMPDIR" || return
	batch_run=$top_builddir/src/batch_scp
}

put() {
	batch_bare -h web01 -action put "$@"
}

get() {
	batch_bare -g web -action get "$@"
}

# expect_usage_error REGEX...: exit status 2, nothing on stdout, and a message
# that matches.
expect_usage_error() {
	expect_status 2
	[ ! -s "$out" ] || { dump; return 1; }
	expect_match "$err" "$@"
}

@test "-help-all lists every option on stdout and exits 0" {
	batch_bare -help-all
	expect_status 0
	[ ! -s "$err" ]
	local option
	for option in action local remote mode preserve follow update checksum \
	    verify resume backup mkdir dry-run limit max-size max-files \
	    progress i h g x hostfile list list-folded user port identity \
	    ask-pass known-hosts host-key fanout workers connect-timeout \
	    timeout idle-timeout output no-prefix color report metrics q v \
	    verbose sandbox help version
	do
		grep -qE -- "(^|[ ,|])--?$option([ ,=[]|\$)" "$out" || {
			echo "no -$option"
			dump
			return 1
		}
	done
}

@test "--version prints the program's name and version" {
	batch_bare --version
	expect_status 0
	expect_match "$out" '^batch_scp [0-9]+\.[0-9]+'
}

@test "-list prints the hosts and transfers nothing" {
	batch_bare -g web -list
	expect_status 0
	expect_lines web01 web02
	batch_bare -g web -action put -local absent -remote /tmp/ -list-folded
	expect_status 0
	expect_lines 'web[01-02]'
}

@test "without an action there is nothing to do: a usage error" {
	batch_bare -h web01 -local a -remote /tmp/
	expect_usage_error '-action'
	batch_bare -h web01 -action move -local a -remote /tmp/
	expect_usage_error 'move.*put.*get'
}

@test "without any host there is nothing to do: a usage error" {
	batch_bare -action put -local a -remote /tmp/
	expect_usage_error host
}

@test "put needs something to send and one place for it" {
	touch a
	put -remote /tmp/
	expect_usage_error '-local'
	put -local a
	expect_usage_error '-remote'
	put -local a -remote /tmp/ -remote /var/tmp/
	expect_usage_error '-remote'
}

@test "get needs something to fetch and one place for it" {
	get
	expect_usage_error '-remote'
	get -remote /etc/hosts -local a -local b
	expect_usage_error '-local'
	get -remote /etc/hosts -local ''
	expect_usage_error '-local.*empty'
}

@test "a local file that does not exist stops a put before any host" {
	put -local absent -remote /tmp/ -report "$report"
	expect_usage_error 'absent.*No such file'
	[ ! -s "$report" ]
}

@test "the words of a shell's glob after -local are all sent" {
	touch a.conf b.conf
	put -local a.conf b.conf absent.conf -remote /tmp/
	expect_usage_error 'absent\.conf'
	put -local a.conf b.conf -mkdir -remote /tmp/
	expect_status 3
	expect_match "$err" '1 unreachable'
	put -remote /tmp/ -local a.conf b.conf
	expect_status 3
}

@test "a word that belongs to no option is a usage error that says why" {
	touch a
	put -local a -remote /tmp/ /var/tmp/
	expect_usage_error 'unexpected.*"/var/tmp/".*-remote'
	put -local a -remote /tmp/ -mkdir b
	expect_usage_error 'unexpected.*"b"'
	put -local a -remote /tmp/ -- b
	expect_usage_error 'unexpected.*"b".*-local'
	get -remote /var/log/a.log /var/log/b.log
	expect_usage_error 'unexpected.*b\.log.*quote'
}

@test "options of the other action are usage errors that say so" {
	touch a
	get -remote /etc/hosts -mkdir
	expect_usage_error 'mkdir.*put'
	put -local a -remote /tmp/ -max-size 1G
	expect_usage_error 'max-size.*get'
	put -local a -remote /tmp/ -max-files 10
	expect_usage_error 'max-files.*get'
}

@test "-update and -checksum exclude each other" {
	get -remote /etc/hosts -update -checksum
	expect_usage_error '-update.*-checksum'
}

@test "a mode is one to four octal digits" {
	local mode
	touch a
	for mode in 888 rw 00644 '' -1 0x1; do
		put -local a -remote /tmp/ -mode "$mode"
		expect_usage_error mode
	done
	put -local a -remote /tmp/ -mode 4755
	expect_status 3
}

@test "a backup suffix is the end of a file's name" {
	get -remote /etc/hosts -backup ''
	expect_usage_error backup
	get -remote /etc/hosts -backup /../x
	expect_usage_error backup
}

@test "rates and sizes are numbers with units" {
	local size
	for size in '' 1.5 k 1kk -1 1,5M 10Q 99999999999999999999 1e9; do
		get -remote /etc/hosts -limit "$size"
		expect_usage_error limit
		get -remote /etc/hosts -max-size "$size"
		expect_usage_error max-size
	done
	get -remote /etc/hosts -limit 1023
	expect_usage_error 'limit.*less than 1K'
	get -remote /etc/hosts -max-size 0
	expect_usage_error 'max-size'
	get -remote /etc/hosts -max-files 0
	expect_usage_error 'max-files'
}

@test "an empty remote path and another user's home are usage errors" {
	touch a
	put -local a -remote ''
	expect_usage_error '-remote.*empty'
	put -local a -remote '~root/x'
	expect_usage_error '~root'
	get -remote /etc/hosts -remote '~x'
	expect_usage_error '~x'
}

@test "a template whose paths are the same for two hosts is a usage error" {
	get -remote /etc/hosts -local 'logs/%%'
	expect_usage_error 'web01 and web02.*logs/%'
	get -remote /etc/hosts -local 'logs/%x'
	expect_usage_error '%x'
	get -remote /etc/hosts -local 'logs/%h%'
	expect_usage_error '%h'
	get -remote /etc/hosts -local 'logs/%h/../all'
	expect_usage_error '\.\.'
	get -remote /etc/hosts -local 'logs/%n'
	expect_status 3
}

@test "a get needs a directory for temporary files" {
	TMPDIR=$PWD/none get -remote /etc/hosts
	expect_status 5
	expect_match "$err" 'none/batch.*: No such file'
	[ ! -s "$out" ]
}

@test "a typing error gets a suggestion" {
	put -local a -remote /tmp/ -verfiy
	expect_usage_error 'did you mean -verify'
}

@test "a record tells that nothing was transferred" {
	get -remote /etc/hosts -report "$report"
	expect_status 3
	expect_result web01 unreachable \
	    '.bytes == 0 and .files == 0 and .unchanged == 0 and .sha256 == null'
	expect_match "$err" '2 hosts: 2 unreachable; 0 B in 0 files'
}
