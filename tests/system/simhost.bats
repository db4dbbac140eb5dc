#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
#
# simhost: what tests/simhost does on TCP and as an SSH server is what its head
# comment promises, seen by clients that are not ours: sockets and OpenSSH.

load helper
load simhost

setup() {
	[ -x "$top_builddir/tests/simhost" ] || skip "there is no simhost"
	cd "$BATS_TEST_TMPDIR" || return 1
	printf '#!/bin/sh\necho secret\n' >askpass
	chmod +x askpass
	ssh_pids=()
}

# Without its server each ssh ends, too.
teardown() {
	simhost_down
	wait
}

# table_up <<END: a host for each line "BEHAVIOURS ; COLUMN...", 127.90.1.1 and
# on, and an honest one, 127.90.0.1.
table_up() {
	cat >table
	simhost_up < <(
		echo 127.90.0.1
		awk -F ';' '{ print "127.90.1." NR, $1 }' table
	)
}

# each_row COMMAND: with the address and the columns of each line of the table.
each_row() {
	local line columns number=0
	while IFS= read -r line; do
		number=$((number + 1))
		line=${line//; /;}
		IFS=';' read -ra columns <<<"${line// ;/;}"
		"$1" "127.90.1.$number" "${columns[@]}"
	done <table
}

# ssh_to ADDRESS COMMAND [OPTION]...: in the background; what comes of it is in
# ADDRESS.out, .err and .status. When asked for a password it says "secret".
ssh_to() {
	local address=$1 command=$2 input=/dev/null
	shift 2
	[ ! -e stdin ] || input=stdin
	(
		status=0
		SSH_ASKPASS=$PWD/askpass SSH_ASKPASS_REQUIRE=force \
		    timeout -k 5 30 ssh -F none -T -p "$simhost_port" -i "$simhost_key" \
		    -o IdentitiesOnly=yes -o NumberOfPasswordPrompts=1 \
		    -o StrictHostKeyChecking=yes \
		    -o UserKnownHostsFile="$known_hosts" "$@" \
		    "tester@$address" "$command" <"$input" \
		    >"$address.out" 2>"$address.err" || status=$?
		echo "$status" >"$address.status"
	) 3>&- &
	ssh_pids+=($!)
}

# ssh_run ADDRESS COMMAND [OPTION]...: the same until it ends; sets status.
ssh_run() {
	rm -f "$1.status"
	ssh_to "$@"
	wait_until test -s "$1.status"
	status=$(cat "$1.status")
}

# complain ADDRESS BEHAVIOURS WHAT: a row is wrong.
complain() {
	echo "$1 $2: $3"
	tail -n 5 "$1.err" | cat -v
	is_wrong=1
}

# check_bytes ADDRESS BEHAVIOURS COUNT: stdout has so many ("-": any number;
# ssh may end before it has written what came).
check_bytes() {
	local bytes
	bytes=$(wc -c <"$1.out")
	[ "$3" = - ] || [ "$bytes" -eq "$3" ] ||
	    complain "$1" "$2" "$bytes bytes on stdout"
}

@test "what comes before the keys are agreed is what the script says" {
	# BEHAVIOURS ; what the client sends, and reads at most ; END COUNT TEXT
	table_up <<-'END'
	; kexinit 9 ; more 9 SSH-2\.0-l
	refuse ; - 1 ; refused 0
	blackhole ; - 1 ; syn 0
	silent=connect ; banner 0 ; open 0
	reset=connect ; - 1 ; reset 0
	hangup=connect ; banner 1 ; eof 0
	delay=connect:600000 ; banner 0 ; open 0
	silent=banner ; banner 11 ; open 11 SSH-2\.0-sim$
	reset=banner ; - 12 ; reset 11 SSH-2\.0-sim$
	hangup=banner ; banner 12 ; eof 11 SSH-2\.0-sim$
	delay=banner:600000 ; banner 0 ; open 0
	delay=banner:1 reset=banner ; - 12 ; reset 11 SSH-2\.0-sim$
	reset=kex ; kexinit 99 ; reset [0-9]+ SSH-2\.0-[^ ]*\\r\\n$
	hangup=kex ; kexinit 99 ; eof [0-9]+ SSH-2\.0-[^ ]*\\r\\n$
	disconnect=kex ; kexinit 999 ; eof [0-9]+ SSH-2\.0-[^ ]*\\r\\n.*\\x01\\x00\\x00\\x00\\x0b.*This
	banner=garbage ; banner 256 ; open 256 [^S]
	banner=http ; banner 999 ; eof [0-9]+ HTTP/1\.1 400 Bad Request\\r\\n
	banner=ssh1 ; banner 13 ; open 13 SSH-1\.5-old\\r\\n$
	banner=endless ; - 300000 ; more 300000 There is no end of it\.
	banner=lines ; - 300000 ; more 300000 This is no banner\.\\r\\n
	banner=preamble ; - 50 ; more 50 [^S].*\\r\\n.*SSH-2\.0-
	banner=blank ; - 10 ; more 10 \\r\\nSSH-2\.0-
	banner=maxstartups ; banner 999 ; eof 22 Exceeded MaxStartups\\r\\n$
	banner=penalty ; banner 999 ; eof 26 Not allowed at this time\\r\\n$
	banner=empty ; banner 999 ; eof 2 \\r\\n$
	END
	each_row probe_line >probes
	timeout 30 "$python" "$test_dir/rawclient.py" "$simhost_port" \
	    127.90.0.1 <probes >results
	is_wrong=0
	each_row check_probe
	[ "$is_wrong" -eq 0 ]
}

probe_line() {
	echo "$1 $3"
}

check_probe() {
	local result
	result=$(sed -n "s/^$1 //p" results)
	[[ $result =~ ^$4 ]] || {
		echo "$2: $result"
		is_wrong=1
	}
}

# silent=kex and delay=kex send the banner, whose length is libssh's.
@test "nothing comes after the banner if it ends or waits there" {
	local length
	table_up <<-'END'
	silent=kex
	delay=kex:600000
	silent=kex
	END
	echo "127.90.0.1 kexinit 4096" |
	    timeout 30 "$python" "$test_dir/rawclient.py" "$simhost_port" \
	        127.90.0.1 >results
	length=$(sed -n 's/.*SSH-2\.0-\([^\\]*\).*/\1/p' results)
	length=$((${#length} + 10))
	timeout 30 "$python" "$test_dir/rawclient.py" "$simhost_port" \
	    127.90.0.1 >results <<-END
	127.90.1.1 kexinit $length
	127.90.1.2 kexinit $length
	127.90.1.3 banner $length
	END
	cat results
	[ "$(grep -cE "^127\.90\.1\.[123] open $length SSH-2" results)" -eq 3 ]
}

@test "authentication, channels and commands are what the script says" {
	# BEHAVIOURS ; COMMAND ; status ; bytes on stdout ; on stderr ; options
	table_up <<-'END'
	; true ; 0 ; 0 ;
	; uptime ; 255 ; 0 ; exec request failed
	; sim out ; 255 ; 0 ; exec request failed
	; sim exit=9 ; 9 ; 0 ;
	; sim out=5000 err=3000 ; 0 ; 5000 ; err 000000000045 abc
	; sim echo=x out=20 rate=100 ; 0 ; 22 ;
	; sim sleep=10 no-status ; 255 ; 0 ;
	; sim out=99 signal=KILL ; 255 ; 99 ; exit-signal ; -v
	; sim out=99 reset ; 255 ; - ; reset by|Broken pipe
	; sim out=99 hangup ; 255 ; 99 ; closed by
	; sim out=99 no-eof exit=4 ; 4 ; 99 ; rcvd close ; -vv
	exec=echo=a\sexit=7 ; uptime ; 7 ; 2 ;
	exec-stall no-exec ; true ; 255 ; 0 ; exec request failed
	no-channel ; true ; 255 ; 0 ; administratively prohibited
	reset=auth ; true ; 255 ; 0 ; reset by|Broken pipe
	hangup=auth ; true ; 255 ; 0 ; closed by
	disconnect=auth ; true ; 255 ; 0 ; disconnect from .*:11: This host ends
	hangup=channel ; true ; 255 ; 0 ; closed by
	disconnect=channel ; true ; 255 ; 0 ; disconnect from .*:11: This host ends
	reset=exec ; true ; 255 ; 0 ; reset by|Broken pipe
	disconnect=exec ; true ; 255 ; 0 ; disconnect from .*:11: This host ends
	hangup=stream ; sim out=1000 ; 255 ; 500 ; closed by
	disconnect=stream ; sim out=1000 err=1000 ; 255 ; - ; disconnect from
	hangup=exit ; sim out=1000 ; 255 ; 1000 ; closed by
	hangup=close ; sim out=1000 exit=3 ; 3 ; 1000 ; closed by
	delay=auth:1,channel:1 delay=exec:1,stream:1,exit:1,close:1 ; sim out=9 ; 0 ; 9 ;
	delay=connect:1,banner:1,kex:1 banner=preamble ; true ; 0 ; 0 ;
	banner=blank ; true ; 0 ; 0 ;
	other-key ; true ; 255 ; 0 ; host key .* has changed
	deny ; true ; 255 ; 0 ; denied \(publickey,keyboard-interactive,password\)
	deny=publickey password=secret ; sim exit=3 ; 3 ; 0 ; keyboard-interactive.*\n.*Authenticated ; -v
	deny=publickey,keyboard-interactive password=secret ; sim exit=3 ; 3 ; 0 ; "password" ; -v
	methods=password password=secret ; true ; 0 ; 0 ;
	methods=password password=other ; true ; 255 ; 0 ; denied \(password\)
	methods=publickey deny=publickey ; true ; 255 ; 0 ; denied \(publickey\)
	partial password=secret ; true ; 0 ; 0 ; partial success ; -v
	partial password=other ; true ; 255 ; 0 ; denied \(password\)
	methods=password change-password ; true ; 255 ; 0 ; expired
	deny no-auths=1 ; true ; 255 ; 0 ; Too many authentication failures
	deny no-auths=9 ; true ; 255 ; 0 ; denied
	open deny ; true ; 0 ; 0 ;
	deny hangup-denied ; true ; 255 ; 0 ; closed by
	END
	each_row start_row
	wait "${ssh_pids[@]}"
	is_wrong=0
	each_row check_row
	[ "$is_wrong" -eq 0 ]
}

start_row() {
	# shellcheck disable=SC2086 # options are words
	ssh_to "$1" "$3" ${7:-}
}

check_row() {
	local status err
	status=$(cat "$1.status")
	[ "$status" -eq "$4" ] || complain "$1" "$2 $3" "status $status"
	check_bytes "$1" "$2 $3" "$5"
	err=$(tr -d '\r' <"$1.err")
	[[ $err =~ ${6:-} ]] || complain "$1" "$2 $3" "no $6 in stderr"
}

# A connection that has fallen silent is looked at last, after others of the
# same simhost came and went.
@test "what is silent or waits stays so, and its connection stays open" {
	# BEHAVIOURS ; COMMAND ; bytes on stdout ; what came last ; what did not
	table_up <<-'END'
	silent=auth ; true ; 0 ; send packet: type 50 ; receive packet: type 5[1-9]
	delay=auth:600000 ; true ; 0 ; send packet: type 50 ; receive packet: type 5[1-9]
	silent=channel ; true ; 0 ; send packet: type 90 ; receive packet: type 91
	silent=exec ; true ; 0 ; send packet: type 98 ; receive packet: type 99
	delay=exec:600000 ; true ; 0 ; send packet: type 98 ; receive packet: type 99
	silent=stream ; sim out=1000 ; 500 ; receive packet: type 99 ; rtype exit
	silent=exit ; sim out=1000 ; 1000 ; receive packet: type 99 ; rtype exit
	silent=close ; sim out=1000 ; 1000 ; rtype exit-status ; rcvd (eof|close)
	exec-stall ; sim out=1000 ; 0 ; receive packet: type 99 ; rtype exit
	; sim out=1000 silent ; 1000 ; receive packet: type 99 ; rtype exit
	; sim out=1000 hold ; 1000 ; rtype exit-status ; rcvd (eof|close)
	; sim sleep=600000 out=1 ; 0 ; receive packet: type 99 ; rtype exit
	END
	each_row start_verbose
	each_row wait_row
	ssh_run 127.90.0.1 "sim exit=5"
	[ "$status" -eq 5 ]
	simhost_counts
	is_wrong=0
	each_row check_silence
	[ "$is_wrong" -eq 0 ]
	[ "$(simhost_count 127.90.1.4 execs)" -eq 1 ]
	[ "$(simhost_count 127.90.1.4 started)" -eq 0 ]
	[ "$(simhost_count 127.90.1.6 started)" -eq 1 ]
	[ "$(simhost_count 127.90.1.2 startups)" -eq 1 ]
}

start_verbose() {
	ssh_to "$1" "$3" -vvv
}

wait_row() {
	wait_until grep -qwE "$5" "$1.err"
	wait_until has_bytes "$1.out" "$4"
}

has_bytes() {
	[ "$(wc -c <"$1")" -eq "$2" ]
}

check_silence() {
	check_bytes "$1" "$2 $3" "$4"
	! grep -qwE "$6" "$1.err" || complain "$1" "$2 $3" "there is $6"
	[ ! -e "$1.status" ] || complain "$1" "$2 $3" "ssh has ended"
	[ "$(simhost_count "$1" open)" -eq 1 ] ||
	    complain "$1" "$2 $3" "the connection is not open"
}

@test "a sim writes what its words say, the same each time" {
	simhost_up <<<127.90.0.1
	ssh_run 127.90.0.1 "sim out=1000000 err=200000"
	[ "$status" -eq 0 ]
	awk 'length != 63 || $1 != "out" || $2 + 0 != NR - 1 { exit 1 }' \
	    127.90.0.1.out
	has_bytes 127.90.0.1.out 1000000
	has_bytes 127.90.0.1.err 200000
	mv 127.90.0.1.out first
	ssh_run 127.90.0.1 "sim out=1000000"
	cmp first 127.90.0.1.out

	ssh_run 127.90.0.1 "sim out=9999 no-newline"
	has_bytes 127.90.0.1.out 9999
	[ "$(wc -l <127.90.0.1.out)" -eq 0 ]
	ssh_run 127.90.0.1 "sim out=9999 escapes"
	[ "$(tr -cd '\033\r\377' <127.90.0.1.out | od -An -c | wc -l)" -gt 1 ]
	not iconv -f UTF-8 -t UTF-8 127.90.0.1.out >/dev/null 2>&1
	ssh_run 127.90.0.1 "sim out=256 binary"
	[ "$(od -An -v -t u1 -w1 127.90.0.1.out | sort -un | wc -l)" -eq 256 ]

	head -c 3000000 first first first >stdin
	ssh_run 127.90.0.1 "sim echo=begin cat exit=6"
	[ "$status" -eq 6 ]
	{ echo begin; cat stdin; } | cmp - 127.90.0.1.out
}

# runs ADDRESS COMMAND COUNT: the exit statuses, one after another.
runs() {
	local number
	for ((number = 0; number < $3; number++)); do
		ssh_run "$1" "$2"
		echo "$status"
	done | xargs
}

@test "faults can be of the first or the later connections only" {
	simhost_up <<-'END'
	127.90.1.1 reset=auth only=2 exec=exit=8
	127.90.1.2 hangup=exec after=1
	127.90.1.3 changing-key
	127.90.1.4 other-key only=1
	127.90.1.5 no-exec only=3 after=2
	END
	[ "$(runs 127.90.1.1 uptime 4)" = "255 255 8 8" ]
	[ "$(runs 127.90.1.2 true 3)" = "0 255 255" ]
	[ "$(runs 127.90.1.3 true 3)" = "0 255 255" ]
	[ "$(runs 127.90.1.4 true 2)" = "255 0" ]
	[ "$(runs 127.90.1.5 true 4)" = "0 0 255 0" ]
	# The other key is the one that was made for it.
	awk -v key="$(cat "$simhost_other_key.pub")" '{ print $1, key }' \
	    "$known_hosts" >"$simhost_dir/other_known_hosts"
	known_hosts=$simhost_dir/other_known_hosts
	[ "$(runs 127.90.1.3 true 1)" = 0 ]
}

@test "what happens is counted exactly" {
	simhost_up <<-'END'
	127.90.1.1 silent=auth
	127.90.1.2 partial
	127.90.1.3 deny
	127.90.1.4 no-channel
	127.90.1.5
	127.90.1.6 hangup=exec
	END
	ssh_to 127.90.1.1 true -v
	wait_until grep -q 'SSH2_MSG_NEWKEYS received' 127.90.1.1.err
	rm 127.90.1.1.err
	ssh_to 127.90.1.1 true -v
	wait_until grep -qs 'SSH2_MSG_NEWKEYS received' 127.90.1.1.err
	runs 127.90.1.2 true 1
	runs 127.90.1.3 true 1
	runs 127.90.1.4 true 1
	runs 127.90.1.5 true 3
	runs 127.90.1.5 uptime 1
	runs 127.90.1.6 true 2
	simhost_counts
	expect_counts 127.90.1.1 connections 2 open 2 max-open 2 startups 2 \
	    max-startups 2 auth-tries 0 auths 0 channels 0
	# The key is offered, then used; then comes the password.
	expect_counts 127.90.1.2 auth-tries 3 auths 1 startups 0 max-startups 1
	# The key, keyboard-interactive, the password.
	expect_counts 127.90.1.3 auth-tries 3 auths 0 startups 0
	expect_counts 127.90.1.4 auths 1 channels 0 execs 0
	expect_counts 127.90.1.5 connections 4 max-open 1 open 0 auths 4 \
	    channels 4 execs 3 started 3 sftps 0
	expect_counts 127.90.1.6 execs 2 started 0
}

# expect_counts ADDRESS [NAME COUNT]...
expect_counts() {
	local address=$1 count
	shift
	while [ $# -gt 0 ]; do
		count=$(simhost_count "$address" "$1")
		[ "$count" = "$2" ] || {
			echo "$address: $1 is $count, not $2"
			return 1
		}
		shift 2
	done
}

@test "a range is that many hosts, with directories when they are needed" {
	simhost_up <<-'END'
	127.90.2.254-127.90.3.1 exec-sha exec=exit=4
	127.90.4.1
	END
	[ "$(xargs <<<"$simhost_addresses")" = \
	    "127.90.2.254 127.90.2.255 127.90.3.0 127.90.3.1 127.90.4.1" ]
	[ "$(ls "$simhost_root")" = 127.90.4.1 ]
	[ "$(runs 127.90.2.254 true 1)" = 4 ]
	[ "$(runs 127.90.3.1 true 1)" = 4 ]
	[ "$(ls "$simhost_root")" = 127.90.4.1 ]
	mkdir "$simhost_root/127.90.3.0"
	echo there >"$simhost_root/127.90.3.0/before"
	printf 'get before\nput before after\n' >commands
	timeout 30 sftp -F none -P "$simhost_port" -i "$simhost_key" \
	    -o IdentitiesOnly=yes -o UserKnownHostsFile="$known_hosts" \
	    -b commands tester@127.90.3.0
	[ "$(cat before)" = there ]
	[ "$(cat "$simhost_root/127.90.3.0/after")" = there ]
	simhost_counts
	expect_counts 127.90.2.255 connections 0
	expect_counts 127.90.3.0 sftps 1
	expect_counts 127.90.3.1 execs 1
}

@test "a sim can kill the server" {
	simhost_up <<<127.90.0.1
	ssh_run 127.90.0.1 "sim out=3000 die"
	[ "$status" -eq 255 ]
	has_bytes 127.90.0.1.out 3000
	wait_until not alive "$simhost_pid"
	simhost_pid=
}

@test "a script that makes no sense is refused, with file and line" {
	local line message is_wrong=0
	ssh-keygen -q -t ed25519 -N '' -f key
	while IFS=';' read -r line message; do
		printf '127.90.0.1\n%s\n' "$line" >script
		status=0
		timeout 10 "$top_builddir/tests/simhost" -k key -p 0 \
		    -s script -r root >err 2>&1 || status=$?
		if [ "$status" -ne 2 ] || ! grep -qFe "$message" err; then
			echo "$line: status $status, $(cat err)"
			is_wrong=1
		fi
	done <<-'END'
	127.90.0.2 silent;script:2: 'silent' needs a value
	127.90.0.2 silent=never;script:2: 'silent': unknown word 'never'
	127.90.0.2 silent=kex silent=auth;script:2: 'silent' twice
	127.90.0.2 delay=kex;'kex' is no STAGE:MS
	127.90.0.2 delay=kex:1 delay=auth:1,kex:2;'delay': 'kex:2': twice
	127.90.0.2 disconnect=banner;'disconnect': only from kex on
	127.90.0.2 deny=gssapi;'deny': unknown word 'gssapi'
	127.90.0.2 refuse only=1;do not go with 'refuse'
	127.90.0.2 exec=sleep\q;bad escape
	127.90.0.2 changing-key;127.90.0.2: there is no other key
	127.90.0.2 sim;unknown behaviour 'sim'
	127.90.0.0-127.90.0.9;'127.90.0.0' twice
	127.90.0.9-127.90.0.2;the range ends before it begins
	10.0.0.1;'10.0.0.1' is no loopback address
	127.90.0.2-x;is no address
	END
	[ "$is_wrong" -eq 0 ]
}
