#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154 # bats sets BATS_*
#
# Our verdict over a host key against that of the real ssh, on the same
# known_hosts file. ssh talks to a real sshd: as its ProxyCommand (sshd -i), so
# that it may believe in any host name and port, and once more over loopback.
# Authentication always fails; whether it came to that is ssh's verdict.
#
# A row: comment | verdict | host | port | key type | lines of known_hosts
# Where ours differs on purpose the verdict is "ssh's/ours". In the lines,
# {ed25519}, {ecdsa} and {rsa} are the server's keys, {other} and {other_rsa}
# keys of somebody else, {other_rsa-cert} a certificate, {=ed25519} the base64 text alone, {#name} is the name
# hashed by ssh-keygen, "\n" and "\t" and so on as in printf(1).

top_builddir=${top_builddir:-.}
PATH=$PATH:/usr/sbin:/sbin
# What runs the ProxyCommand; the user's own may take its time to start.
export SHELL=/bin/sh

setup_file() {
	export keys=$BATS_FILE_TMPDIR
	# sshd wants to be called by its full path.
	sshd=$(command -v sshd)
	export sshd
	for type in ed25519 ecdsa rsa; do
		ssh-keygen -q -t $type -N '' -C "$type" -f "$keys/$type"
	done
	ssh-keygen -q -t ed25519 -N '' -C other -f "$keys/other"
	ssh-keygen -q -t rsa -N '' -C other_rsa -f "$keys/other_rsa"
	ssh-keygen -q -s "$keys/other" -I id -h "$keys/other_rsa.pub"
	if [ "$(id -u)" = 0 ]; then
		# The empty folder that sshd locks its unprivileged half into.
		[ -d /run/sshd ] || mkdir -m 755 /run/sshd
	fi
	cat >"$keys/sshd_config" <<-END
	HostKey $keys/ed25519
	HostKey $keys/ecdsa
	HostKey $keys/rsa
	PidFile none
	AuthorizedKeysFile none
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	UsePAM no
	END
}

algorithm() {
	case $1 in
	ed25519) echo ssh-ed25519 ;;
	ecdsa) echo ecdsa-sha2-nistp256 ;;
	rsa) echo rsa-sha2-512 ;;
	esac
}

# ssh_verdict HOST PORT TYPE KNOWN_HOSTS [SSH OPTION]...
ssh_verdict() {
	local host=$1 port=$2 type=$3 known_hosts=$4 words
	shift 4
	words=$(ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes \
	    -o UserKnownHostsFile="$known_hosts" \
	    -o GlobalKnownHostsFile=/dev/null -o CheckHostIP=no \
	    -o HostKeyAlgorithms="$(algorithm "$type")" \
	    -o PreferredAuthentications=none -o IdentityAgent=none \
	    -o KexAlgorithms=curve25519-sha256 -o LogLevel=ERROR -o ConnectTimeout=20 \
	    -p "$port" "$@" "$host" true 2>&1 </dev/null) || true
	case $words in
	*"Permission denied"*) echo ok ;;
	*"REVOKED HOST KEY"*) echo revoked ;;
	*"IDENTIFICATION HAS CHANGED"*) echo mismatch ;;
	*"Host key verification failed"*) echo unknown ;;
	*) echo "error: $words" ;;
	esac
}

our_verdict() {
	"$top_builddir/tests/unit/host_keys_verdict" "$1" "$2" \
	    "$keys/$3.pub" "$4" 2>"$BATS_TEST_TMPDIR/reason"
}

hashed_name() {
	printf '%s %s\n' "$1" "$(cut -d' ' -f1,2 "$keys/other.pub")" \
	    >"$BATS_TEST_TMPDIR/to_hash"
	ssh-keygen -q -H -f "$BATS_TEST_TMPDIR/to_hash" >/dev/null 2>&1
	cut -d' ' -f1 "$BATS_TEST_TMPDIR/to_hash"
}

# Write the lines of a row to a file.
expand() {
	local text=$1 file=$2 token value
	while [[ $text =~ \{([^}]*)\} ]]; do
		token=${BASH_REMATCH[1]}
		case $token in
		'#'*) value=$(hashed_name "${token#\#}") ;;
		'='*) value=$(cut -d' ' -f2 "$keys/${token#=}.pub") ;;
		*) value=$(cut -d' ' -f1,2 "$keys/$token.pub") ;;
		esac
		text=${text/"{$token}"/"$value"}
	done
	printf '%b' "$text" >"$file"
}

trim() {
	local s=$1
	s=${s#"${s%%[! ]*}"}
	printf '%s' "${s%"${s##*[! ]}"}"
}

# compare [SSH OPTION]...: run the rows of stdin; @PORT@ is $port.
compare() {
	local comment want host at type text theirs ours file failures=0 rows=0
	file=$BATS_TEST_TMPDIR/known_hosts
	while IFS='|' read -r comment want host at type text; do
		[ -n "$comment" ] || continue
		comment=$(trim "$comment")
		want=$(trim "$want")
		host=$(trim "$host")
		at=$(trim "$at")
		type=$(trim "$type")
		text=${text# }
		expand "${text//@PORT@/${port:-}}" "$file"
		at=${at/@PORT@/${port:-}}
		theirs=$(ssh_verdict "$host" "$at" "$type" "$file" "$@")
		ours=$(our_verdict "$host" "$at" "$type" "$file")
		rows=$((rows + 1))
		if [ "$theirs" != "${want%/*}" ] || [ "$ours" != "${want#*/}" ]
		then
			echo "$comment: ssh $theirs, ours $ours, want $want"
			failures=$((failures + 1))
		fi
	done
	echo "$rows rows, $failures failures"
	# A table that was not read can't fail.
	[ "$rows" -ge "${rows_min:-1}" ] && [ "$failures" = 0 ]
}

@test "verdicts are those of ssh, or stricter where we say so" {
	rows_min=60
	compare -o ProxyCommand="'$sshd' -i -f '$keys/sshd_config' -E /dev/null" \
	    <<-'END'
	the key|ok|web1|22|ed25519|web1 {ed25519}\n
	ECDSA|ok|web1|22|ecdsa|web1 {ecdsa}\n
	RSA|ok|web1|22|rsa|web1 {rsa}\n
	RSA by the name of its signature|ok|web1|22|rsa|web1 rsa-sha2-512 {=rsa}\n
	empty|unknown|web1|22|ed25519|\n
	another key of the type|mismatch|web1|22|ed25519|web1 {other}\n
	a key of another type|mismatch|web1|22|ed25519|web1 {other_rsa}\n
	another host|unknown|web1|22|ed25519|web2 {ed25519}\n
	two keys, the second|ok|web1|22|ed25519|web1 {other}\nweb1 {ed25519}\n
	two keys, the first|ok|web1|22|ed25519|web1 {ed25519}\nweb1 {other}\n
	a list|ok|web1|22|ed25519|web3,web1,10.0.0.1 {ed25519}\n
	empty members of a list|ok|web1|22|ed25519|,,web1,, {ed25519}\n
	a blank in a list|unknown|web1|22|ed25519|web3, web1 {ed25519}\n
	an upper-case file|ok|web1|22|ed25519|WEB1 {ed25519}\n
	an upper-case name|ok|WEB1|22|ed25519|web1 {ed25519}\n
	a star|ok|web1.example.com|22|ed25519|*.example.com {ed25519}\n
	a star for nothing|ok|web1|22|ed25519|web1* {ed25519}\n
	several stars|ok|web1.example.com|22|ed25519|*e*.*c*m* {ed25519}\n
	a star not to the end|unknown|web1.example.com|22|ed25519|*.example {ed25519}\n
	an upper-case pattern|ok|web1|22|ed25519|WEB* {ed25519}\n
	a question mark|ok|web1|22|ed25519|web? {ed25519}\n
	a question mark too many|unknown|web1|22|ed25519|web1? {ed25519}\n
	a pattern with another key|mismatch|web1|22|ed25519|web* {other}\n
	negated, after|unknown|web1|22|ed25519|web*,!web1 {ed25519}\n
	negated, before|unknown|web1|22|ed25519|!web1,web* {ed25519}\n
	negated for another|ok|web2|22|ed25519|!web1,web* {ed25519}\n
	negated alone|unknown|web2|22|ed25519|!web1 {ed25519}\n
	negated, its line only|ok|web1|22|ed25519|*,!web1 {other}\nweb1 {ed25519}\n
	hashed|ok|web1|22|ed25519|{#web1} {ed25519}\n
	hashed, asked in upper case|ok|WEB1|22|ed25519|{#web1} {ed25519}\n
	hashed, another host|unknown|web1|22|ed25519|{#web2} {ed25519}\n
	hashed, another key|mismatch|web1|22|ed25519|{#web1} {other}\n
	hashed with a port|ok|web1|2222|ed25519|{#[web1]:2222} {ed25519}\n
	hashed and a name|unknown|web1|22|ed25519|{#web1},web1 {ed25519}\n
	hashed, damaged|unknown|web1|22|ed25519|\0174\0061\0174AAAA\0174AAAA {ed25519}\n
	a port|ok|web1|2222|ed25519|[web1]:2222 {ed25519}\n
	another port|unknown|web1|2222|ed25519|[web1]:2223 {ed25519}\n
	port 22 in brackets|unknown|web1|22|ed25519|[web1]:22 {ed25519}\n
	a pattern with a port|ok|web1|2222|ed25519|[web*]:2222 {ed25519}\n
	a pattern for the port|ok|web1|2222|ed25519|[web1]:* {ed25519}\n
	a star for all ports|ok|web1|2222|ed25519|* {ed25519}\n
	the bare name|ok|web1|2222|ed25519|web1 {ed25519}\n
	the bare name, hashed|ok|web1|2222|ed25519|{#web1} {ed25519}\n
	the bare name, another key|unknown|web1|2222|ed25519|web1 {other}\n
	a mismatch beats the bare name|mismatch|web1|2222|ed25519|[web1]:2222 {other}\nweb1 {ed25519}\n
	ok beats the bare name|ok|web1|2222|ed25519|[web1]:2222 {ed25519}\nweb1 {other}\n
	revoked|revoked|web1|22|ed25519|@revoked web1 {ed25519}\n
	revoked first|revoked|web1|22|ed25519|@revoked * {ed25519}\nweb1 {ed25519}\n
	revoked last|revoked|web1|22|ed25519|web1 {ed25519}\n@revoked * {ed25519}\n
	revoked, hashed|revoked|web1|22|ed25519|web1 {ed25519}\n@revoked {#web1} {ed25519}\n
	revoked and mismatched|revoked|web1|22|ed25519|web1 {other}\n@revoked web1 {ed25519}\n
	revoked for another host|ok|web1|22|ed25519|web1 {ed25519}\n@revoked web2 {ed25519}\n
	another key revoked|ok|web1|22|ed25519|web1 {ed25519}\n@revoked web1 {other}\n
	only another key revoked|unknown|web1|22|ed25519|@revoked web1 {other}\n
	a CA is no key|unknown|web1|22|ed25519|@cert-authority web1 {ed25519}\n
	a CA is no mismatch|unknown|web1|22|ed25519|@cert-authority * {other}\n
	a CA besides|ok|web1|22|ed25519|@cert-authority * {other}\nweb1 {ed25519}\n
	a certificate without a marker|mismatch|web1|22|ed25519|web1 {other_rsa-cert}\n
	no newline at the end|ok|web1|22|ed25519|web1 {ed25519}
	CRLF|ok|web1|22|ed25519|web1 {ed25519}\r\n
	CRLF after a comment|ok|web1|22|ed25519|web1 {ed25519} me\r\n
	leading blanks|ok|web1|22|ed25519| \t web1 {ed25519}\n
	tabs|ok|web1|22|ed25519|web1\tssh-ed25519\t{=ed25519}\tme\n
	comments|ok|web1|22|ed25519|\n# web1 {other}\n  #x\n \t\nweb1 {ed25519} # me\n
	no key|unknown|web1|22|ed25519|web1\nweb1 \nweb1 # {ed25519}\n
	a type and no key|unknown|web1|22|ed25519|web1 ssh-ed25519\n
	bad base64|unknown|web1|22|ed25519|web1 ssh-ed25519 AAAA!AAA\n
	a cut key|unknown|web1|22|ed25519|web1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n
	more behind the key|unknown|web1|22|ed25519|web1 {ed25519}AAAA\n
	the wrong type word|unknown|web1|22|ed25519|web1 ssh-rsa {=ed25519}\n
	a short type word|unknown|web1|22|ed25519|web1 ED25519 {=ed25519}\n
	SSH1|unknown|web1|22|ed25519|web1 1024 35 123456789\n
	an unknown key type|unknown|web1|22|ed25519|web1 ssh-new AAAAB3NzaC1uZXc=\n
	a bad line before|ok|web1|22|ed25519|web1 ssh-ed25519 !\nweb1 {ed25519}\n
	a marker not understood|ok/revoked|web1|22|ed25519|@trusted web1 {other}\nweb1 {ed25519}\n
	two markers|ok/revoked|web1|22|ed25519|@revoked @revoked web1 {other}\nweb1 {ed25519}\n
	a tab after a marker|ok/revoked|web1|22|ed25519|@revoked\tweb1 {ed25519}\nweb1 {ed25519}\n
	revoked by the bare name only|ok/revoked|web1|2222|ed25519|[web1]:2222 {ed25519}\n@revoked web1 {ed25519}\n
	revoked by the bare name, unknown|revoked|web1|2222|ed25519|@revoked web1 {ed25519}\n
	END
}

@test "an address on loopback is looked up as ssh does it" {
	local port pid tries=0
	# A port may be taken between the choice and the start: try another.
	while :; do
		tries=$((tries + 1))
		[ "$tries" -le 20 ]
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		"$sshd" -D -e -f "$keys/sshd_config" -p "$port" \
		    -o ListenAddress=127.0.0.1 3>&- \
		    2>"$BATS_TEST_TMPDIR/sshd.log" &
		pid=$!
		echo "$pid" >"$BATS_TEST_TMPDIR/sshd.pid"
		until grep -q 'Server listening' "$BATS_TEST_TMPDIR/sshd.log" ||
		    ! kill -0 "$pid" 2>/dev/null; do
			sleep 0.05
		done
		kill -0 "$pid" 2>/dev/null && break
	done
	rows_min=10
	compare <<-'END'
	the address and port|ok|127.0.0.1|@PORT@|ed25519|[127.0.0.1]:@PORT@ {ed25519}\n
	ECDSA|ok|127.0.0.1|@PORT@|ecdsa|[127.0.0.1]:@PORT@ {ecdsa}\n
	RSA|ok|127.0.0.1|@PORT@|rsa|[127.0.0.1]:@PORT@ {rsa}\n
	hashed|ok|127.0.0.1|@PORT@|ed25519|{#[127.0.0.1]:@PORT@} {ed25519}\n
	the bare address|ok|127.0.0.1|@PORT@|ed25519|127.0.0.1 {ed25519}\n
	a pattern|ok|127.0.0.1|@PORT@|ed25519|[127.*]:@PORT@ {ed25519}\n
	another key|mismatch|127.0.0.1|@PORT@|ed25519|[127.0.0.1]:@PORT@ {other}\n
	another address|unknown|127.0.0.1|@PORT@|ed25519|[127.0.0.2]:@PORT@ {ed25519}\n
	the bare address, another key|unknown|127.0.0.1|@PORT@|ed25519|127.0.0.1 {other}\n
	revoked|revoked|127.0.0.1|@PORT@|ed25519|[127.0.0.1]:@PORT@ {ed25519}\n@revoked [127.*]:* {ed25519}\n
	END
}

teardown() {
	if [ -s "$BATS_TEST_TMPDIR/sshd.pid" ]; then
		kill "$(cat "$BATS_TEST_TMPDIR/sshd.pid")" 2>/dev/null || true
	fi
}
