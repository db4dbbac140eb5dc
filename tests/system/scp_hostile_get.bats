#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_hostile_get: servers that lie, stall, break off or talk nonsense while
# files are fetched from them (see tests/simhost.c for what they do). Whatever
# they do: nothing outside of the local directory is touched, no worker dies,
# and the other hosts of the run are served.

load helper
load scp
load scp_get
load simhost
load scp_hostile

# Targets are in $guard/out; nothing else in $guard may change.
setup_file() {
	[ -x "$top_builddir/tests/simhost" ] || return 0
	export guard=$BATS_FILE_TMPDIR/guard
	mkdir -p "$guard/outside" "$guard/out"
	echo secret >"$guard/outside/secret"
	echo secret >"$guard/escape"
	hostile_up 1 <<-END
	main honest1
	main slash names=slash
	main dotdot names=dotdot
	main empty names=empty
	main absolute names=absolute
	main nul names=nul
	main long names=long
	main control names=control
	main twice names=twice
	main filethendir names=filethendir
	main endless names=endless
	main deep names=deep
	main passwd symlink=/etc/passwd
	main outside symlink=$guard/outside
	main upwards symlink=../../../outside
	main escapes symlink=\\e[31m\\nred
	main grows grows
	main shrinks shrinks
	main size63 size=9223372036854775808
	main size64 size=18446744073709551615
	main type-change type-change
	main short-read short-read
	main shuffle shuffle
	main slow slow=20
	main garbage garbage
	main huge-packet huge-packet
	main zero-packet zero-packet
	main bad-id bad-id
	main bad-type bad-type
	main bad-data bad-data
	main long-handle long-handle
	main more-data more-data
	main many-attrs many-attrs
	main version2 version=2
	main text-first text-first
	main no-sftp no-sftp
	main no-extensions no-extensions
	main no-limits no-limits
	main open-fails open-fails
	main read-fails read-fails
	main close-fails close-fails
	main stat-fails stat-fails
	main opendir-fails opendir-fails
	main readdir-fails readdir-fails
	main readlink-fails readlink-fails
	main drop-init drop=init
	main drop-stat drop=stat
	main drop-opendir drop=opendir
	main drop-readdir drop=readdir drop-after=2
	main drop-open drop=open drop-after=2
	main drop-read drop=read
	main drop-read3 drop=read drop-after=3
	main drop-close drop=close
	main drop-readlink drop=readlink
	main honest2
	stall honest3
	stall stall-init stall=init
	stall stall-limits stall=limits
	stall stall-stat stall=stat
	stall stall-opendir stall=opendir
	stall stall-readdir stall=readdir
	stall stall-readlink stall=readlink
	stall stall-open stall=open
	stall stall-read stall=read
	stall stall-close stall=close
	stall stall-realpath stall=realpath
	large huge size=1000000000000000000
	verify exec-sha exec-sha
	verify exec-lies exec-lies
	verify exec-stall exec-stall
	verify no-exec
	END
	mkdir -p "$BATS_FILE_TMPDIR/tree/sub"
	cd "$BATS_FILE_TMPDIR/tree" || return
	echo hello >a
	write_random b 100000
	echo see >sub/c
	ln -s a ln
	local host
	for host in $(hosts_of main) $(hosts_of stall) $(hosts_of large); do
		cp -R . "$(root "$host")/tree"
	done
	for host in $(hosts_of verify); do
		write_random "$(root "$host")/large" 300000
	done
	snapshot >"$BATS_FILE_TMPDIR/before"
	# The servers that say nothing are waited for meanwhile.
	run_shared stall -g stall -action get -remote /tree \
	    -local "$guard/out/stall" -connect-timeout 5 -idle-timeout 5 &
	local stall=$!
	# Commands see the path from where the login directory is.
	run_shared command -h exec-stall,exec-sha -action get -remote large \
	    -local "$guard/out/command" -verify -timeout 6 &
	local command=$!
	run_shared main -g main -action get -remote /tree \
	    -local "$guard/out" -max-files 500
	run_shared template -g main -action get -remote /tree/ \
	    -local "$guard/out/%h.t" -max-files 500
	run_shared glob -g main -action get -remote '/tree/*' \
	    -local "$guard/out/glob" -max-files 500
	run_shared follow -g main -action get -remote /tree \
	    -local "$guard/out/follow" -max-files 500 -follow
	# What is here by now may be a trap, too.
	for host in outside upwards; do
		rm -rf "$guard/out/$host/tree/link"
		ln -s "$guard/outside" "$guard/out/$host/tree/link"
	done
	run_shared again -g main -action get -remote /tree \
	    -local "$guard/out" -max-files 500 -resume -backup .old -preserve
	wait "$stall" "$command"
	snapshot >"$BATS_FILE_TMPDIR/after"
}

teardown_file() {
	simhost_down
}

setup() {
	[ -x "$top_builddir/tests/simhost" ] || skip "there is no simhost"
	scp_setup
	tree=$BATS_FILE_TMPDIR/tree
}

# All but what is in the targets.
snapshot() {
	find "$guard" -path "$guard/out/*" -prune -o ! -path "$guard/out" \
	    -printf '%P %y %m %s %T@ %i %l\n' | sort
	[ ! -e /tmp/inside ] || echo /tmp/inside
	[ ! -e /etc/evil ] || echo /etc/evil
}

# --- what holds for all ------------------------------------------------------

@test "nothing outside of the target directory is changed" {
	diff "$BATS_FILE_TMPDIR/before" "$BATS_FILE_TMPDIR/after"
	# Each host has its own directory, and no other.
	hosts_of main | sort >hosts
	find "$guard"/out "$guard"/out/{glob,follow} -mindepth 1 -maxdepth 1 \
	    -printf '%f\n' | sed 's/\.t$//' | sort -u |
	    grep -vxe glob -e follow -e stall -e command >made
	[ -z "$(comm -13 hosts made)" ]
}

@test "no worker dies, and no host's words drive a terminal" {
	local run
	for run in main template glob follow again stall command; do
		use "$run"
		expect_no_harm
	done
}

@test "every host has exactly one result" {
	local run
	for run in main template glob follow again; do
		use "$run"
		[ "$(jq -r .host "$report" | sort)" = "$(hosts_of main | sort)" ]
	done
	use stall
	[ "$(jq -r .host "$report" | sort)" = "$(hosts_of stall | sort)" ]
}

@test "the honest hosts are served" {
	local run
	for run in main template glob follow again; do
		use "$run"
		expect_result honest1 ok '.files == 4'
		expect_result honest2 ok '.files == 4'
	done
	expect_same_tree "$tree" "$guard/out/glob/honest1/tree"
	expect_same_tree "$tree" "$guard/out/honest1.t"
	diff -r "$tree" "$guard/out/follow/honest2/tree"
	rm "$guard"/out/honest?/tree/*.old "$guard"/out/honest?/tree/sub/*.old
	expect_same_tree "$tree" "$guard/out/honest1/tree"
	expect_same_tree "$tree" "$guard/out/honest2/tree"
	use stall
	expect_result honest3 ok '.files == 4'
	expect_same_tree "$tree" "$guard/out/stall/honest3/tree"
}

@test "no temporary is left, but of those that -resume keeps" {
	# The run called again: its parts of what broke off.
	temporaries "$guard/out" >left
	not grep -vE '/out/(drop-|shrinks|size|read|bad|more)[^/]*/tree/' left
}

@test "files of hosts that break off are whole, or not there" {
	local path
	while read -r path; do
		expect_same "$tree/${path#*/tree/}" "$path"
	done < <(find "$guard"/out/follow/{drop,bad,more,many,long-handle}* \
	    "$guard"/out/follow/{stat,read,open,close,garbage,huge,zero}* \
	    "$guard"/out/stall/* -type f 2>/dev/null)
}

# --- names -------------------------------------------------------------------

@test "unsafe names are refused and named, of a tree and of a glob" {
	use main
	expect_rows <<-'END'
	slash transfer transfer ^2 of 2 .*first: /tree/a/b: unsafe name from the server
	empty transfer transfer ^1 of 2 .*first: /tree/: unsafe name
	absolute transfer transfer ^/tree//etc/evil: unsafe name
	nul transfer transfer ^/tree/evil: unsafe name
	long transfer transfer ^/tree/n{50,}
	END
	expect_text "$err" 'slash: /tree/../../escape: unsafe name'
	use glob
	expect_rows <<-'END'
	slash transfer transfer /tree/a/b: unsafe name from the server
	absolute transfer transfer /tree//etc/evil: unsafe name
	nul transfer transfer /tree/evil: unsafe name
	END
	local host
	for host in slash absolute nul long; do
		[ -z "$(find "$guard/out/$host" "$guard/out/$host.t" -type f \
		    2>/dev/null)" ]
	done
	[ "$(cat "$guard/out/empty/tree/good")" = x ]
}

@test "the names . and .. are passed over" {
	use main
	expect_result dotdot ok '.files == 1'
	[ "$(find "$guard/out/dotdot" -printf '%P\n' | sort)" = "
tree
tree/good
tree/good.old" ]
}

@test "control characters in names are kept in files and escaped in words" {
	use main
	expect_result control ok '.files == 3'
	[ -f "$guard/out/control/tree/"$'title\e]0;evil\a' ]
	[ -f "$guard/out/control/tree/"$'line\nbreak' ]
	use_own
	batch -h control,slash -action get -remote /tree -local o -dry-run
	expect_text "$out" 'get /tree/title\x1b]0;evil\x07 -> o/control/tree/ti' \
	    'get /tree/line\x0abreak -> ' 'carriage\x0dreturn'
	expect_no_harm
	[ "$(grep -c . "$out")" -eq 5 ]
	# On a terminal, too.
	TERM=dumb on_terminal -- "$batch_run" -known-hosts "$known_hosts" \
	    -h control,open-fails -action get -remote /tree -local o \
	    -dry-run -color never
	expect_text "$out" 'get /tree/title\x1b]0;evil\x07 -> o/control/tree/ti'
	expect_no_bytes "$out" $'\e' $'\a'
}

@test "one name for several things is no way out" {
	use main
	expect_result twice ok '.files == 2'
	[ "$(cat "$guard/out/twice/tree/good")" = x ]
	expect_rows <<-'END'
	filethendir error local
	outside error local
	upwards error local
	passwd error local
	END
	local host
	for host in outside upwards passwd; do
		expect_match "$err" "$host: $guard/out/$host/tree/link: "
		# The rest was fetched.
		expect_same "$tree/b" "$guard/out/$host/tree/b"
	done
	# Neither through a link that stands there already.
	use again
	expect_rows <<-'END'
	filethendir error local
	outside error local
	upwards error local
	END
	[ "$(ls -A "$guard/outside")" = secret ]
	[ ! -e /tmp/inside ]
	[ "$(stat -c %F /etc/passwd)" = 'regular file' ]
}

@test "a directory without end is bounded by -max-files" {
	local run
	for run in main template glob follow again; do
		use "$run"
		expect_result endless transfer '.stage == "transfer" and
		    .files <= 500 and
		    (.message | test("more than 500 files .-max-files."))'
	done
	[ "$(find "$guard/out/endless.t" -type f | wc -l)" -le 500 ]
}

@test "directories without end in each other are bounded" {
	use main
	expect_result deep transfer '.stage == "transfer" and
	    (.message | test("too deep, not listed"))'
	expect_match "$err" '^deep: /tree(/d)+: too deep, not listed'
	use template
	expect_result deep transfer '.message | test("too deep")'
}

@test "a list of names without end takes no memory" {
	not is_sanitized || skip "a sanitizer's memory is its own"
	# No name matches, so -max-files does not count them.
	peak_kb "$batch_run" -known-hosts "$known_hosts" -report "$report" \
	    -h endless -action get -remote '/tree/x*' -local o -timeout 2
	expect_status 3
	echo "peak: $peak_kb kB"
	[ "$peak_kb" -lt 20000 ]
	peak_kb "$batch_run" -known-hosts "$known_hosts" -report "$report" \
	    -h endless -action get -remote /tree -local o -dry-run \
	    -max-files 60000 -output none -timeout 30
	echo "peak: $peak_kb kB"
	expect_result endless transfer '.message | test("-max-files")'
	[ "$peak_kb" -lt 20000 ]
}

# --- sizes and contents ------------------------------------------------------

@test "a file that grows for ever ends where its size was told" {
	use main
	expect_result grows ok '.files == 4 and .bytes == 30'
	expect_stat %s 10 "$guard/out/grows/tree/a"
	expect_stat %s 10 "$guard/out/grows/tree/sub/c"
}

@test "a file that is shorter than told is an error, and is not there" {
	use main
	expect_rows <<-'END'
	shrinks transfer transfer ^3 of 4 .*: became shorter while it was read
	END
	[ ! -e "$guard/out/shrinks/tree/a" ]
	[ ! -e "$guard/out/shrinks/tree/b" ]
}

@test "sizes that no disk has are refused by -max-size" {
	use main
	expect_rows <<-'END'
	size63 transfer transfer ^3 of 4 .*/tree/.*: with it .*-max-size
	size64 transfer transfer ^3 of 4 .*/tree/.*: with it .*-max-size
	END
	[ ! -e "$guard/out/size63/tree/a" ]
}

@test "a size near the end of numbers does no harm where -max-size allows it" {
	batch -h huge -action get -remote /tree -local o -max-size 1048576T
	expect_status 3
	expect_result huge transfer '.files <= 1'
	expect_no_harm
	[ ! -e o/huge/tree/a ]
	expect_no_temporaries o
	batch -h huge -action get -remote /tree/a -local o \
	    -max-size 1048576T -resume
	expect_result huge transfer '.message | test("became shorter")'
	expect_no_harm
}

@test "a special file that seems to be a regular one cannot be opened" {
	use main
	expect_rows <<-'END'
	type-change transfer transfer ^4 of 4 .*: opening it: 
	open-fails transfer transfer ^3 of 4 .*: opening it: 
	read-fails transfer transfer ^3 of 4 .*: reading it: 
	readlink-fails transfer transfer ^1 of 4 .*/tree/ln: reading the link: 
	stat-fails transfer transfer ^/tree: 
	opendir-fails transfer transfer ^/tree: listing it: 
	readdir-fails transfer transfer ^/tree: listing it: 
	close-fails ok -
	END
	expect_text "$err" 'opening it: \x1b[31mPermission denied\x1b[0m by host'
	use glob
	expect_rows <<-'END'
	opendir-fails transfer transfer /tree: listing it: 
	END
}

@test "short answers, slow ones, and those in another order are fine" {
	use main
	expect_rows <<-'END'
	short-read ok -
	shuffle ok -
	slow ok -
	no-extensions ok -
	no-limits ok -
	END
	local host
	for host in short-read shuffle slow no-extensions no-limits \
	    close-fails; do
		rm "$guard/out/$host/tree/"{a,b,ln,sub/c}.old
		expect_same_tree "$tree" "$guard/out/$host/tree"
	done
}

# --- nonsense ----------------------------------------------------------------

@test "a host that does not speak SFTP is told so" {
	use main
	expect_rows <<-'END'
	no-sftp transfer channel the host has no SFTP server
	version2 transfer transfer SFTP version 2
	text-first transfer transfer it says "Welcome to host" first
	garbage lost transfer the SFTP server is broken: 
	huge-packet lost transfer the SFTP server is broken: 
	zero-packet lost transfer the SFTP server is broken: 
	bad-id lost transfer the SFTP server is broken: a reply to no request
	bad-type lost transfer the SFTP server is broken: 
	bad-data lost transfer the SFTP server is broken: 
	more-data lost transfer the SFTP server is broken: 
	long-handle lost transfer the SFTP server is broken: 
	many-attrs lost transfer the SFTP server is broken: 
	END
}

@test "a connection that breaks off is lost, wherever it does" {
	use main
	expect_rows <<-'END'
	drop-init unreachable channel connection
	drop-stat lost transfer connection
	drop-opendir lost transfer connection
	drop-readdir lost transfer connection
	drop-open lost transfer connection
	drop-read lost transfer connection
	drop-read3 lost transfer connection
	drop-close lost transfer connection
	drop-readlink lost transfer connection
	END
}

@test "a server that answers no more runs into a timeout, wherever it does" {
	use stall
	expect_status 3
	expect_rows <<-'END'
	stall-init timeout channel
	stall-limits timeout idle
	stall-stat timeout idle
	stall-opendir timeout idle
	stall-readdir timeout idle
	stall-readlink timeout idle
	stall-open timeout idle
	stall-read timeout idle
	stall-close timeout idle
	stall-realpath ok -
	END
}

# --- sums --------------------------------------------------------------------

@test "-verify trusts no sum that the host tells, but what can be read" {
	# Of relative paths, which commands see as SFTP does.
	batch -h exec-sha,exec-lies,no-exec -action get -remote large \
	    -local o -verify
	expect_status 0
	local host
	for host in exec-sha exec-lies no-exec; do
		expect_same "$(root "$host")/large" "o/$host/large"
		expect_result "$host" ok \
		    ".sha256 == \"$(sha256 "o/$host/large")\""
	done
}

@test "a command for the sum that never ends is ended by -timeout" {
	use command
	expect_status 3
	expect_result exec-stall timeout '.stage == "transfer" and .files == 0'
	expect_result exec-sha ok
	[ ! -e "$guard/out/command/exec-stall/large" ]
	expect_same "$(root exec-sha)/large" \
	    "$guard/out/command/exec-sha/large"
}
