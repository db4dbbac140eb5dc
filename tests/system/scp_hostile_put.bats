#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_hostile_put: servers that refuse, lie, stall, break off or talk nonsense
# while files are sent to them (see tests/simhost.c for what they do). Whatever
# they do: the old file or the new one is there, whole, what is told is true,
# and the other hosts of the run are served.

load helper
load scp
load scp_get
load simhost
load scp_hostile

# All have /in with old files a and big, and get new ones, and the link ln.
setup_file() {
	[ -x "$top_builddir/tests/simhost" ] || return 0
	hostile_up 2 <<-'END'
	main honest1
	main disk-full disk-full=100000
	main write-fails write-fails=\e[31mno\e[0m\nmore
	main open-fails open-fails
	main close-fails close-fails
	main setstat-fails setstat-fails
	main fsync-fails fsync-fails
	main rename-fails rename-fails
	main symlink-fails symlink-fails
	main stat-fails stat-fails
	main remove-fails remove-fails
	main opendir-fails opendir-fails
	main readdir-fails readdir-fails
	main full-and-kept disk-full=100000 remove-fails
	main lies-size lies-size
	main no-extensions no-extensions
	main no-posix-rename no-posix-rename
	main no-fsync no-fsync
	main no-limits no-limits
	main short-read short-read
	main shuffle shuffle
	main slow slow=20
	main version2 version=2
	main text-first text-first
	main no-sftp no-sftp
	main garbage garbage
	main huge-packet huge-packet
	main zero-packet zero-packet
	main bad-id bad-id
	main bad-type bad-type
	main long-handle long-handle
	main many-attrs many-attrs
	main endless names=endless
	main slash names=slash
	main drop-init drop=init
	main drop-stat drop=stat
	main drop-open drop=open
	main drop-write drop=write
	main drop-write3 drop=write drop-after=3
	main drop-setstat drop=setstat
	main drop-fsync drop=fsync
	main drop-close drop=close
	main drop-rename drop=rename
	main drop-rename2 drop=rename drop-after=2
	main drop-symlink drop=symlink
	main honest2
	verify no-exec
	verify exec-sha exec-sha
	verify exec-lies exec-lies
	verify corrupt corrupt
	verify corrupt-sha corrupt exec-sha
	verify corrupt-lies corrupt exec-lies
	verify unreadable read-fails
	verify unreadable-sha read-fails exec-sha
	verify verify-short short-read shuffle
	backup honest3
	backup no-hardlink no-hardlink
	backup no-rename no-posix-rename
	backup no-both no-extensions
	backup hardlink-fails hardlink-fails
	backup rename-fails-too rename-fails
	mkdir honest4
	mkdir mkdir-fails mkdir-fails
	mkdir mkdir-no-ext no-extensions
	aside aside1 no-posix-rename drop=rename drop-after=1
	aside aside2 no-posix-rename drop=rename drop-after=2
	aside aside3 no-posix-rename drop=rename drop-after=3
	aside aside4 no-posix-rename drop=remove
	aside aside5 no-posix-rename drop=close
	stall honest5
	stall stall-init stall=init
	stall stall-limits stall=limits
	stall stall-stat stall=stat
	stall stall-open stall=open
	stall stall-write stall=write
	stall stall-setstat stall=setstat
	stall stall-fsync stall=fsync
	stall stall-close stall=close
	stall stall-rename stall=rename
	stall stall-symlink stall=symlink
	stall stall-opendir stall=opendir
	command exec-stall exec-stall
	command honest6 exec-sha
	END
	mkdir "$BATS_FILE_TMPDIR/old" "$BATS_FILE_TMPDIR/new"
	cd "$BATS_FILE_TMPDIR/old" || return
	echo old >a
	write_random big 200000
	local host
	while read -r _ host _; do
		cp -R . "$(root "$host")/in"
	done <"$BATS_FILE_TMPDIR/hosts"
	cd ../new || return
	echo new >a
	write_random big 300000
	ln -s a ln
	# The servers that say nothing are waited for meanwhile.
	run_shared stall -g stall -action put -local a big ln -remote /in/ \
	    -connect-timeout 5 -idle-timeout 5 &
	local stall=$!
	run_shared command -g command -action put -local a big ln \
	    -remote in/ -verify -timeout 6 &
	local command=$!
	run_shared main -g main -action put -local a big ln -remote /in/
	# Commands see the path from where the login directory is.
	run_shared verify -g verify -action put -local a big ln -remote in/ \
	    -verify
	run_shared backup -g backup -action put -local a big ln -remote /in/ \
	    -backup .bak
	run_shared mkdir -g mkdir -action put -local a big ln \
	    -remote /new/x/ -mkdir
	run_shared aside -g aside -action put -local a -remote /in/
	wait "$stall" "$command"
}

teardown_file() {
	simhost_down
}

setup() {
	[ -x "$top_builddir/tests/simhost" ] || skip "there is no simhost"
	scp_setup
	old=$BATS_FILE_TMPDIR/old
	new=$BATS_FILE_TMPDIR/new
}

# expect_new HOST...: it has all that was sent, and nothing else.
expect_new() {
	local host
	for host in "$@"; do
		expect_same_tree "$new" "$(root "$host")/in"
	done
}

# expect_old HOST...: both files are as they were, and there is nothing else.
expect_old() {
	local host
	for host in "$@"; do
		expect_same "$old/a" "$(root "$host")/in/a"
		expect_same "$old/big" "$(root "$host")/in/big"
		expect_no_temporaries "$(root "$host")"
	done
}

# --- what holds for all ------------------------------------------------------

@test "no worker dies, and no host's words drive a terminal" {
	local run
	for run in main verify backup mkdir aside stall command; do
		use "$run"
		expect_no_harm
		[ "$(jq -r .host "$report" | sort)" = \
		    "$(hosts_of "$run" | sort)" ]
	done
}

@test "the honest hosts are served" {
	use main
	expect_result honest1 ok '.files == 3 and .bytes == 300004'
	expect_result honest2 ok '.files == 3 and .bytes == 300004'
	use stall
	expect_result honest5 ok '.files == 3'
	use command
	expect_result honest6 ok '.files == 3'
	expect_new honest1 honest2 honest5 honest6
}

@test "the old file or the new one is there, whole, at every host" {
	local host
	for host in $(hosts_of main) $(hosts_of verify) $(hosts_of stall) \
	    $(hosts_of command) honest3 no-hardlink; do
		expect_old_or_new "$old/a" "$new/a" "$(root "$host")/in/a"
		expect_old_or_new "$old/big" "$new/big" "$(root "$host")/in/big"
	done
}

@test "what is told to be there is there" {
	local run host
	for run in main verify stall command; do
		use "$run"
		for host in $(jq -r 'select(.ok).host' "$report"); do
			expect_new "$host"
		done
		# And what is not told to be there is not.
		for host in $(jq -r 'select(.files == 0).host' "$report"); do
			case $host in
			# These broke off before they said so.
			drop-* | stall-*) continue ;;
			esac
			expect_same "$old/a" "$(root "$host")/in/a"
			expect_same "$old/big" "$(root "$host")/in/big"
		done
	done
}

@test "no temporary is left where the server can be asked" {
	local host
	for host in $(hosts_of main) $(hosts_of verify) $(hosts_of backup) \
	    $(hosts_of mkdir) $(hosts_of command); do
		case $host in
		drop-* | *-and-kept | bad-* | long-handle) continue ;;
		esac
		expect_no_temporaries "$(root "$host")"
	done
}

# --- refusals ----------------------------------------------------------------

@test "a refusal is told in the server's words, and the old files stay" {
	use main
	expect_rows <<-'END'
	disk-full transfer transfer /in/big: writing it: No space left on device
	full-and-kept transfer transfer /in/big: writing it: No space left
	write-fails transfer transfer /in/.*: writing it: .*no
	open-fails transfer transfer /in/.*: .*Permission denied.* by host
	close-fails transfer transfer /in/.*: closing it: Permission denied
	setstat-fails transfer transfer /in/.*: setting its mode: Permission denied
	fsync-fails transfer transfer /in/.*: fsync: Permission denied
	rename-fails transfer transfer /in/.*: renaming the new file to it: Permission
	symlink-fails transfer transfer /in/ln: making a symbolic link: Permission
	stat-fails transfer transfer ^/in: Permission denied
	END
	expect_old write-fails open-fails close-fails setstat-fails \
	    fsync-fails rename-fails stat-fails
	expect_same "$old/big" "$(root disk-full)/in/big"
	expect_same "$new/big" "$(root symlink-fails)/in/big"
	[ ! -L "$(root symlink-fails)/in/ln" ]
	expect_text "$err" 'writing it: \x1b[31mno\x1b[0m\x0amore' \
	    '\x1b[31mPermission denied\x1b[0m by host'
}

@test "what a put does not need may be refused" {
	use main
	expect_rows <<-'END'
	remove-fails ok -
	opendir-fails ok -
	readdir-fails ok -
	endless ok -
	slash ok -
	END
	expect_new remove-fails opendir-fails readdir-fails endless slash
}

@test "a server that stores less than it says is found by the size" {
	use main
	expect_rows <<-'END'
	lies-size transfer transfer ^2 of 3 .*the host has [0-9]+ of its [0-9]+ bytes
	END
	expect_old lies-size
}

@test "a directory that cannot be made is told" {
	use mkdir
	expect_rows <<-'END'
	honest4 ok -
	mkdir-no-ext ok -
	mkdir-fails transfer transfer ^/new/x: Permission denied
	END
	expect_same_tree "$new" "$(root honest4)/new/x"
	expect_same_tree "$new" "$(root mkdir-no-ext)/new/x"
	[ ! -e "$(root mkdir-fails)/new" ]
}

# --- what servers lack -------------------------------------------------------

@test "extensions, large packets, order and speed are no conditions" {
	use main
	expect_rows <<-'END'
	no-extensions ok -
	no-posix-rename ok -
	no-fsync ok -
	no-limits ok -
	short-read ok -
	shuffle ok -
	slow ok -
	END
	expect_new no-extensions no-posix-rename no-fsync no-limits \
	    short-read shuffle slow
}

@test "-backup works also without hard links, and without posix-rename" {
	use backup
	expect_rows <<-'END'
	honest3 ok -
	no-hardlink ok -
	no-rename ok -
	no-both ok -
	hardlink-fails ok -
	END
	local host
	for host in honest3 no-hardlink no-rename no-both hardlink-fails; do
		expect_same "$old/a" "$(root "$host")/in/a.bak"
		expect_same "$old/big" "$(root "$host")/in/big.bak"
		rm "$(root "$host")"/in/*.bak
		expect_new "$host"
	done
}

@test "a backup that cannot be made is told, and the old file stays" {
	use backup
	expect_rows <<-'END'
	rename-fails-too transfer transfer ^3 of 3 .*: making the backup: Permission
	END
	expect_old rename-fails-too
}

@test "without posix-rename a break leaves the old file, if aside, or the new" {
	use aside
	expect_rows <<-'END'
	aside1 lost transfer connection
	aside2 lost transfer connection
	aside3 lost transfer connection
	aside4 lost transfer connection
	aside5 lost transfer connection
	END
	local host
	for host in aside1 aside2 aside5; do
		expect_same "$old/a" "$(root "$host")/in/a"
	done
	[ ! -e "$(root aside3)/in/a" ]
	grep -rqx old "$(root aside3)/in"
	expect_same "$new/a" "$(root aside4)/in/a"
}

# --- -verify -----------------------------------------------------------------

@test "contents that are stored wrong are found by -verify" {
	use verify
	expect_rows <<-'END'
	corrupt transfer transfer ^2 of 3 .*: what arrived differs from what was sent
	corrupt-sha transfer transfer ^2 of 3 .*: what arrived differs
	corrupt-lies transfer transfer ^2 of 3 .*: what arrived differs
	END
	expect_old corrupt corrupt-sha corrupt-lies
	[ -L "$(root corrupt)/in/ln" ]
	# There is no other way to notice.
	use_own
	batch -h corrupt -action put -local "$new/a" -remote /
	expect_status 0
}

@test "a sum that lies is no proof, for or against" {
	use verify
	expect_rows <<-'END'
	no-exec ok -
	exec-sha ok -
	exec-lies ok -
	verify-short ok -
	END
	expect_new no-exec exec-sha exec-lies verify-short
}

@test "what can neither be read back nor summed is not told to be there" {
	use verify
	expect_rows <<-'END'
	unreadable transfer transfer ^2 of 3 .*: .*Permission denied
	unreadable-sha transfer transfer ^1 of 3 .*first: in/a: .*Permission denied
	END
	expect_old unreadable
	expect_same "$new/big" "$(root unreadable-sha)/in/big"
}

@test "a command for the sum that never ends is ended by -timeout" {
	use command
	expect_result exec-stall timeout '.stage == "transfer" and .files == 2'
	expect_same "$old/big" "$(root exec-stall)/in/big"
	expect_no_temporaries "$(root exec-stall)"
}

# --- nonsense ----------------------------------------------------------------

@test "a host that does not speak SFTP is told so, and keeps its files" {
	use main
	expect_rows <<-'END'
	no-sftp transfer channel the host has no SFTP server
	version2 transfer transfer SFTP version 2
	text-first transfer transfer it says "Welcome to host" first
	garbage lost transfer the SFTP server is broken: 
	huge-packet lost transfer the SFTP server is broken: 
	zero-packet lost transfer the SFTP server is broken: 
	bad-id lost transfer the SFTP server is broken: 
	bad-type lost transfer the SFTP server is broken: 
	long-handle lost transfer the SFTP server is broken: 
	many-attrs lost transfer the SFTP server is broken: 
	END
	expect_old no-sftp version2 text-first garbage huge-packet zero-packet \
	    bad-id many-attrs
}

@test "a connection that breaks off is lost, wherever it does" {
	use main
	expect_rows <<-'END'
	drop-init unreachable channel connection
	drop-stat lost transfer connection
	drop-open lost transfer connection
	drop-write lost transfer connection
	drop-write3 lost transfer connection
	drop-setstat lost transfer connection
	drop-fsync lost transfer connection
	drop-close lost transfer connection
	drop-rename lost transfer connection
	drop-rename2 lost transfer connection
	drop-symlink lost transfer connection
	END
	expect_old drop-init drop-stat drop-open
}

@test "a server that answers no more runs into a timeout, wherever it does" {
	use stall
	expect_status 3
	expect_rows <<-'END'
	stall-init timeout channel
	stall-limits timeout idle
	stall-stat timeout idle
	stall-open timeout idle
	stall-write timeout idle
	stall-setstat timeout idle
	stall-fsync timeout idle
	stall-close timeout idle
	stall-rename timeout idle
	stall-symlink timeout idle
	stall-opendir timeout idle
	END
	expect_old stall-init stall-limits stall-stat
}
