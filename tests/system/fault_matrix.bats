#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# fault_matrix: what a user sees of each fault. Every row is a run of its own,
# on one host, with one retry allowed; many rows run at the same time. The
# columns, between bars:
#
#   where the fault is, and what it is
#   the behaviour of the host (simhost.c)
#   the run: options of batch_run and its command; "put" and "get" stand for
#     such a run of batch_scp; "@NAME ..." for the function run_NAME
#   the host's status and stage in the report
#   how many attempts there were
#   the exit status
#   what its message, or where there is no record an error, is like: regular
#     expressions, ";" between alternatives

load helper
load simhost
scp=$top_builddir/src/batch_scp

matrix() {
	sed -e 's/[[:blank:]]*|[[:blank:]]*/|/g' -e '/^#/d; /^[[:blank:]]*$/d' \
	    <<-'END'
	dns: no such name          || @dns files                                  | unreachable dns | 1 | 3 | no such host name
	dns: no server             || @dns dns nothing                            | unreachable dns | 2 | 3 | Temporary failure in name resolution
	dns: a silent server       || @dns dns silent-dns                         | timeout dns     | 2 | 3 | no login after

	connect: no route          || @netns nothing                              | unreachable connect | 2 | 3 | Network is unreachable
	connect: refused           | refuse            | -cmd true                | unreachable connect | 2 | 3 | Connection refused
	connect: dropped           | blackhole         | -connect-timeout 1s -cmd true | timeout connect | 2 | 3 | no login after 1 s
	connect: refused at first  | reset=connect only=1 | -cmd true             | ok             | 2 | 0 | ^$
	connect: reset             | reset=connect     | -cmd true                | unreachable connect | 2 | 3 | reset by peer
	connect: closed            | hangup=connect    | -cmd true                | unreachable connect | 2 | 3 | closed by the host before the SSH banner
	connect: silent            | silent=connect    | -connect-timeout 1s -cmd true | timeout banner | 2 | 3 | no login after 1 s
	connect: late              | delay=connect:300 | -cmd true                | ok             | 1 | 0 | ^$

	banner: half               | silent=banner     | -connect-timeout 1s -cmd true | timeout banner | 2 | 3 | no login after 1 s
	banner: reset in it        | reset=banner      | -cmd true                | unreachable connect | 2 | 3 | reset by peer
	banner: closed in it       | hangup=banner     | -cmd true                | unreachable connect | 2 | 3 | closed by the host before the SSH banner
	banner: garbage            | banner=garbage    | -cmd true                | unreachable protocol | 1 | 3 | no SSH 2 server. it said
	banner: HTTP               | banner=http       | -cmd true                | unreachable protocol | 1 | 3 | no SSH 2 server; it said "HTTP/1.1 400
	banner: SSH 1              | banner=ssh1       | -cmd true                | unreachable protocol | 1 | 3 | SSH-1.5
	banner: one endless line   | banner=endless    | -cmd true                | unreachable protocol | 1 | 3 | no SSH 2 server
	banner: endless lines      | banner=lines      | -cmd true                | unreachable protocol | 1 | 3 | no SSH 2 server
	banner: nothing but a line | banner=empty      | -cmd true                | unreachable connect | 2 | 3 | before the SSH banner
	banner: text before it     | banner=preamble   | -cmd true                | ok             | 1 | 0 | ^$
	banner: an empty line before it | banner=blank | -cmd true                | ok             | 1 | 0 | ^$
	banner: MaxStartups        | banner=maxstartups | -cmd true               | unreachable throttled | 2 | 3 | takes no more connections now: Exceeded MaxStartups
	banner: a penalty          | banner=penalty    | -cmd true                | unreachable throttled | 2 | 3 | Not allowed at this time
	banner: MaxStartups, once  | banner=maxstartups only=1 | -cmd true        | ok             | 2 | 0 | ^$
	banner: late               | delay=banner:300  | -cmd true                | ok             | 1 | 0 | ^$

	kex: silent                | silent=kex        | -connect-timeout 1s -cmd true | timeout kex | 2 | 3 | no login after 1 s
	kex: reset                 | reset=kex         | -cmd true                | unreachable connect | 2 | 3 | reset by peer in the key exchange
	kex: closed                | hangup=kex        | -cmd true                | unreachable connect | 2 | 3 | closed by the host in the key exchange
	kex: disconnect            | disconnect=kex    | -cmd true                | unreachable connect | 2 | 3 | in the key exchange
	kex: late                  | delay=kex:300     | -cmd true                | ok             | 1 | 0 | ^$

	host key: another one      | other-key         | -cmd true                | denied hostkey | 1 | 4 | mismatch;changed;differ
	host key: not known        ||  -known-hosts /dev/null -cmd true           | denied hostkey | 1 | 4 | unknown;not known
	host key: changes between attempts | changing-key no-channel | -cmd true | denied hostkey | 2 | 4 | mismatch;changed;differ

	login: every key refused   | deny              | -cmd true                | denied auth    | 1 | 4 | refused
	login: refused, then closed | deny hangup-denied | -cmd true              | denied auth    | 1 | 4 | tried 1 key; the server takes
	login: "none" is enough    | open deny         | -cmd true                | ok             | 1 | 0 | ^$
	login: nothing that we have | methods=password | -cmd true                | denied auth    | 1 | 4 | password
	login: wrong password      | methods=password password=right | @password wrong -cmd true | denied auth | 1 | 4 | refused
	login: a second factor     | partial           | -cmd true                | denied auth    | 1 | 4 | tried 1 key; the server also wants one of password
	login: key, then password  | partial password=right | @password right -cmd true | ok        | 1 | 0 | ^$
	login: password expired    | change-password methods=password | @password any -cmd true | denied auth | 1 | 4 | expired;change
	login: silent              | silent=auth       | -connect-timeout 1s -cmd true | timeout auth | 2 | 3 | no login after 1 s
	login: reset               | reset=auth        | -cmd true                | unreachable auth | 1 | 3 | reset by peer
	login: closed              | hangup=auth       | -cmd true                | unreachable auth | 1 | 3 | closed by the host
	login: disconnect          | disconnect=auth   | -cmd true                | denied auth    | 1 | 4 | refused:
	login: late                | delay=auth:300    | -cmd true                | ok             | 1 | 0 | ^$

	channel: refused           | no-channel        | -cmd true                | unreachable channel | 2 | 3 | channel
	channel: refused at first  | no-channel only=1 | -cmd true                | ok             | 2 | 0 | ^$
	channel: silent            | silent=channel    | -connect-timeout 1s -cmd true | timeout channel | 2 | 3 | 1 s
	channel: reset             | reset=channel     | -cmd true                | unreachable channel | 2 | 3 | reset by peer
	channel: closed            | hangup=channel    | -cmd true                | unreachable channel | 2 | 3 | closed by the host
	channel: late              | delay=channel:300 | -cmd true                | ok             | 1 | 0 | ^$

	command: refused           | no-exec           | -cmd true                | unreachable channel | 2 | 3 | refused
	command: silent            | silent=exec       | -connect-timeout 1s -cmd true | timeout command | 1 | 3 | 1 s
	command: reset             | reset=exec        | -cmd true                | lost command   | 1 | 3 | reset by peer
	command: closed            | hangup=exec       | -cmd true                | lost command   | 1 | 3 | closed by the host
	command: disconnect        | disconnect=exec   | -cmd true                | lost command   | 1 | 3 | lost:
	command: not found         || -cmd sim exit=127                           | failed command | 1 | 1 | 127;not found
	command: fails             || -cmd sim exit=3                             | failed command | 1 | 1 | ^exit 3$
	command: killed            || -cmd sim signal=KILL                        | failed command | 1 | 1 | KILL
	command: takes too long    || -timeout 1s -cmd sim sleep=60000            | timeout command | 1 | 3 | 1 s

	output: silence in it      | silent=stream     | -idle-timeout 1s -cmd sim out=2000 | timeout idle | 1 | 3 | 1 s
	output: too long           | silent=stream     | -timeout 1s -cmd sim out=2000 | timeout command | 1 | 3 | 1 s
	output: too slow           || -timeout 1s -cmd sim out=100000 rate=1000   | timeout command | 1 | 3 | 1 s
	output: reset in it        | reset=stream      | -cmd sim out=2000        | lost command   | 1 | 3 | connection lost: Connection reset
	output: closed in it       | hangup=stream     | -cmd sim out=2000        | lost command   | 1 | 3 | connection lost: connection closed
	output: the server dies    || @dying                                      | lost command   | 1 | 3 | connection lost

	exit status: silent        | silent=exit       | -timeout 1s -cmd sim out=2000 | timeout command | 1 | 3 | 1 s
	exit status: reset         | reset=exit        | -cmd sim out=2000        | lost command   | 1 | 3 | connection lost
	exit status: closed        | hangup=exit       | -cmd sim out=2000        | lost command   | 1 | 3 | connection lost
	exit status: none          || -cmd sim out=2000 no-status                 | lost command   | 1 | 3 | without;no exit status
	close: a child holds on    || -timeout 2s -cmd sim out=2000 hold          | ok             | 1 | 0 | its output was still open after 2 s
	close: closed              | hangup=close      | -cmd sim out=2000        | ok             | 1 | 0 | connection lost: connection closed
	close: closed after failure | hangup=close     | -cmd sim out=2000 exit=3 | failed command | 1 | 1 | exit 3. connection lost
	close: disconnect          | disconnect=close  | -cmd true                | ok             | 1 | 0 | connection lost: This host ends

	sftp init: refused         | no-sftp           | put                      | transfer channel | 1 | 3 | no SFTP server
	sftp init: silent          | stall=init        | -connect-timeout 1s put  | timeout channel | 2 | 3 | does not answer, after 1 s
	sftp init: closed          | drop=init         | put                      | unreachable channel | 2 | 3 | closed by the host
	sftp open: refused         | open-fails        | put                      | transfer transfer | 1 | 3 | denied
	sftp open: silent          | stall=open        | -idle-timeout 1s put     | timeout idle   | 1 | 3 | not a byte for 1 s
	sftp write: disk full      | disk-full=1000    | put                      | transfer transfer | 1 | 3 | .
	sftp write: closed         | drop=write        | put                      | lost transfer  | 1 | 3 | connection lost
	sftp write: silent         | stall=write       | -idle-timeout 1s put     | timeout idle   | 1 | 3 | not a byte for 1 s
	sftp write: not stored     | lies-size         | -verify put              | transfer transfer | 1 | 3 | .
	sftp close: refused        | close-fails       | put                      | transfer transfer | 1 | 3 | denied
	sftp close: closed         | drop=close        | put                      | lost transfer  | 1 | 3 | connection lost
	sftp rename: refused       | rename-fails      | put                      | transfer transfer | 1 | 3 | denied
	sftp rename: closed        | drop=rename       | put                      | lost transfer  | 1 | 3 | connection lost
	sftp rename: silent        | stall=rename      | -idle-timeout 1s put     | timeout idle   | 1 | 3 | not a byte for 1 s
	sftp read: refused         | read-fails        | get                      | transfer transfer | 1 | 3 | denied
	sftp read: closed          | drop=read         | get                      | lost transfer  | 1 | 3 | connection lost
	sftp read: garbage         | garbage           | get                      | lost transfer  | 1 | 3 | the SFTP server is broken
	sftp: channel refused      | no-channel only=1 | put                      | ok             | 2 | 0 | ^$

	job pipe: no sense in it   || @fake output x; result ok none 5 1 2        | lost command   | 1 | 3 | worker
	job pipe: a frame of another job || @fake as 7; output x                  | lost command   | 1 | 3 | worker
	worker: killed before the host key | silent=kex only=1 | @killed_silent    | ok             | 2 | 0 | ^$
	worker: killed in the login | silent=auth       | @killed_silent           | lost command   | 1 | 3 | worker killed by signal 9
	worker: killed in the command || @killed_in sim echo=up silent              | lost command   | 1 | 3 | worker killed by signal 9
	worker: not there          || @worker none                                | none           | 0 | 5 | is the installation complete
	worker: ends at once       || @worker ends                                | cancelled      | 0 | 5 | no worker can be started

	stdout: nobody reads it    || @stdout_gone                                | cancelled command | 1 | 141 | reader of stdout is gone
	stdout: disk full          || @stdout_full                                | cancelled command | 1 | 5 | stdout
	report: disk full          || @report_full                                | none           | 0 | 5 | No space left on device
	signal: SIGINT             || @signal INT                                 | cancelled command | 1 | 130 | SIGINT
	signal: SIGTERM            || @signal TERM                                | cancelled command | 1 | 143 | SIGTERM
	signal: SIGHUP             || @signal HUP                                 | cancelled command | 1 | 129 | SIGHUP
	descriptors: few           || @limit 32                                   | ok             | 1 | 0 | ^$
	descriptors: none to speak of || @limit 8                                 | none           | 0 | 5 | at least 32 are needed
	disk: no room for a get    || @get_full                                   | error local    | 1 | 5 | No space left on device
	disk: a local file is gone || @put_gone                                   | none           | 0 | 2 | No such file
	END
}

setup_file() {
	export HOME=$BATS_FILE_TMPDIR/home rows=$BATS_FILE_TMPDIR/rows
	mkdir -p "$HOME"
	matrix >"$rows"
	awk -F'|' '{ print "127.91.0." NR, $2 }' "$rows" >"$BATS_FILE_TMPDIR/script"
	simhost_up <"$BATS_FILE_TMPDIR/script"
	export file=$BATS_FILE_TMPDIR/file
	head -c 100000 /dev/zero | tr '\0' x >"$file"
}

teardown_file() {
	simhost_down
}

# --- runs of a row: in a shell of its own, in the row's folder ---------------

# Sets what all runs have in common. The host is "sim".
row_begin() {
	local known=(-known-hosts "$simhost_known_hosts")
	mkdir -p "$1"
	cd "$1" || return
	address=127.91.0.$1
	{
		echo "[all]"
		echo "sim = address=$address port=$simhost_port user=tester"
		echo "[host sim]"
		echo "identity_file = $simhost_key"
	} >inventory.ini
	chmod 600 inventory.ini
	[[ $run != *-known-hosts* && $run != @fake* ]] || known=()
	options=(-i inventory.ini -report report "${known[@]}" -retries 1
	    -retry-delay 20ms -h sim)
}

# run_limited COMMAND...: the limit only ends what hangs.
run_limited() {
	timeout -k 5 100 "$@" </dev/null >out 2>err 3>&-
}

# OPTION... -cmd COMMAND, or OPTION... put|get
run_plain() {
	local extra=()
	case ${*: -1} in
	put)
		set -- "${@:1:$#-1}" -action put -local "$file" -remote /
		run_limited "$scp" "${options[@]}" "$@"
		;;
	get)
		mkdir -p "$simhost_root/$address" got
		cp "$file" "$simhost_root/$address/file"
		set -- "${@:1:$#-1}" -action get -remote /file -local got
		run_limited "$scp" "${options[@]}" "$@"
		;;
	*)
		while [ "$1" != -cmd ]; do
			extra+=("$1")
			shift
		done
		shift
		run_limited "$batch_run" "${options[@]}" "${extra[@]}" \
		    -cmd "$*"
		;;
	esac
}

run_@password() {
	echo "password = $1" >>inventory.ini
	run_plain "${@:2}"
}

# In a network namespace with this fault (netns.py).
run_@netns() {
	unshare -r -n true 2>/dev/null || return 77
	run_limited unshare -r -n "$python" "$test_dir/netns.py" "$1" \
	    "$batch_run" "${options[@]}" -connect-timeout 1s -cmd true
}

# run_@dns SOURCE [MODE]: look up a name in this source of nsswitch.conf, in a
# network with this fault.
run_@dns() {
	local mounts='mount --bind nsswitch.conf /etc/nsswitch.conf &&
	    mount --bind resolv.conf /etc/resolv.conf'
	unshare -r -n -m true 2>/dev/null || return 77
	echo "hosts: $1" >nsswitch.conf
	echo "nameserver 127.0.0.53" >resolv.conf
	echo "options timeout:9 attempts:1" >>resolv.conf
	sed -i "s/address=[^ ]*/address=some.invalid/" inventory.ini
	run_limited unshare -r -n -m sh -c "$mounts && exec \"\$@\"" sh \
	    "$python" "$test_dir/netns.py" "${2:-nothing}" "$batch_run" \
	    "${options[@]}" -connect-timeout 1s -cmd true
}

# The server kills itself, so it is one of its own.
run_@dying() {
	simhost_up <<<"$address"
	sed -i "s/port=[0-9]*/port=$simhost_port/" inventory.ini
	options+=(-known-hosts "$simhost_known_hosts" -k "$simhost_key")
	run_plain -cmd sim out=2000 die
}

# With a worker that does what is said, ";" between lines (fakeworker.py).
run_@fake() {
	BATS_TEST_TMPDIR=$PWD fakeworker_up batch_run
	tr ';' '\n' <<<"$*" | sed 's/^ *//' >fake/script
	options+=(-host-key accept-new -known-hosts new)
	run_plain -cmd true
}

# run_@worker none|ends: one that can't be started, or does nothing.
run_@worker() {
	mkdir fake
	cp "$batch_run" fake/batch_run
	echo "#!/bin/false" >fake/batch_worker
	[ "$1" = none ] || chmod +x fake/batch_worker
	batch_run=$PWD/fake/batch_run run_plain -cmd true
}

# start ARGUMENT...: in the background; sets pid.
start() {
	env --default-signal=INT,HUP "$batch_run" "${options[@]}" "$@" \
	    </dev/null >out 2>err 3>&- &
	pid=$!
}

finish() {
	wait_until not alive "$pid" || kill -KILL "$pid"
	wait "$pid"
}

is_connected() {
	simhost_counts
	[ "$(simhost_count "$address" connections)" -ge 1 ]
}

# The worker is killed while the host is silent.
run_@killed_silent() {
	start -workers 1 -cmd true
	wait_until is_connected
	sleep 0.3 # until it is as far as it will come
	kill -KILL "$(workers "$pid")"
	finish
}

run_@killed_in() {
	start -workers 1 -cmd "$*"
	wait_until grep -q up out
	kill -KILL "$(workers "$pid")"
	finish
}

run_@signal() {
	start -cmd "sim echo=up silent"
	wait_until grep -q up out
	kill -s "$1" "$pid"
	finish
}

run_@stdout_gone() {
	timeout -k 5 100 "$batch_run" "${options[@]}" \
	    -cmd "sim out=100000000" </dev/null 2>err 3>&- | head -n 1 >out
	return "${PIPESTATUS[0]}"
}

run_@stdout_full() {
	timeout -k 5 100 "$batch_run" "${options[@]}" -cmd "sim out=2000 silent" \
	    </dev/null >/dev/full 2>err 3>&-
}

run_@report_full() {
	run_plain -report /dev/full -cmd true
}

run_@limit() {
	ulimit -n "$1"
	run_plain -cmd true
}

# The local directory is a file system that is too small.
run_@get_full() {
	unshare -r -m true 2>/dev/null || return 77
	mkdir -p "$simhost_root/$address" got
	cp "$file" "$simhost_root/$address/file"
	run_limited unshare -r -m sh -c \
	    'mount -t tmpfs -o size=20k none got && exec "$@"' sh "$scp" \
	    "${options[@]}" -action get -remote /file -local got
}

run_@put_gone() {
	file=$PWD/nosuch run_plain put
}

# --- the table ---------------------------------------------------------------

# row N: run it, in a folder of its own; its exit status goes to N/status.
row() (
	set +e
	IFS='|' read -r what behaviour run _ < <(sed -n "$1p" "$rows")
	row_begin "$1"
	# shellcheck disable=SC2086 # words
	set -- $run
	if [[ $1 == @* ]]; then
		"run_$1" "${@:2}"
	else
		run_plain "$@"
	fi
	echo $? >status
)

# row_seen N: "STATUS STAGE|ATTEMPTS|EXIT|MESSAGE", as the table has them.
row_seen() {
	local record
	record=$(jq -r '"\(.status) \(.stage)|\(.attempts)|\(.message)"' \
	    "$1/report" 2>/dev/null) || true
	[ -n "$record" ] || record="none|0|$(cat "$1/err")"
	record=${record/ |/|}
	echo "${record%|*}|$(cat "$1/status")|${record##*|}"
}

# row_check N: print what came of it; fails if that is not what it should be.
row_check() {
	local what behaviour run result attempts exit regex seen_message
	local seen_result seen_attempts seen_exit verdict="ok    "
	IFS='|' read -r what behaviour run result attempts exit regex < <(
		sed -n "$1p" "$rows")
	if [ "$(cat "$1/status")" = 77 ]; then
		echo "# skip   $what: no namespaces here" >&3
		return 0
	fi
	IFS='|' read -r -d '' seen_result seen_attempts seen_exit \
	    seen_message < <(row_seen "$1") || true
	if [ "$seen_result|$seen_attempts|$seen_exit" != \
	    "$result|$attempts|$exit" ] ||
	    ! [[ ${seen_message%$'\n'} =~ ${regex//;/|} ]]; then
		verdict="NOT ok"
	fi
	printf '# %s %-34s %-22s attempts %s, exit %-3s %s\n' "$verdict" \
	    "$what" "$seen_result" "$seen_attempts" "$seen_exit" \
	    "$(head -n 1 <<<"$seen_message" | cut -c1-80)" >&3
	[ "$verdict" != "NOT ok" ] || {
		echo "$what: expected $result, $attempts attempts, exit $exit," \
		    "like $regex; got $(row_seen "$1")"
		return 1
	}
}

@test "each fault ends as the table says" {
	local count=0 wrong=0 n
	cd "$BATS_TEST_TMPDIR"
	count=$(wc -l <"$rows")
	[ "$count" -ge 48 ]
	for ((n = 1; n <= count; n++)); do
		at_once 12 row "$n"
	done
	wait
	for ((n = 1; n <= count; n++)); do
		row_check "$n" || wrong=$((wrong + 1))
	done
	echo "# $count rows, $wrong wrong" >&3
	[ "$wrong" -eq 0 ]
}
