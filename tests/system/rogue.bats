#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
#
# rogue: what control makes of a worker that has been taken over. Every row is a
# run of its own over three hosts with two workers, rogue_worker.c; the one that
# has the host "rogue" does as it should up to a moment, and then what the row
# says. Many rows run at the same time. The columns, between bars:
#
#   what it does
#   the program, and further options
#   the moment and the acts, as rogue_worker.c and rogue_acts.c have them
#   hold: while another host is in flight; ended: after another one has ended
#   status and stage of the rogue's host in the report
#   the exit status
#   what is said of the worker: a regular expression; none if it is not ended
#
# In each row the other hosts are ok, and what was printed is what they sent;
# but where no worker gets as far as a host, none of them is started. Nothing is
# signed but honest requests, each password goes to its own host's worker, and
# stderr and report hold no byte that drives a terminal.

load helper

matrix() {
	sed -e 's/[[:blank:]]*|[[:blank:]]*/|/g' -e '/^#/d; /^[[:blank:]]*$/d' \
	    <<-'END'
	# These take half a minute and more.
	silent from the start      | run          | config linger             |       | cancelled       | 5 | hangs.*does not start
	it stops                   | run          | started stop              |       | lost command    | 3 | hangs
	it says nothing more       | run          | started linger            |       | lost command    | 3 | hangs
	its job pipe is closed     | run          | started close 3           |       | lost command    | 3 | hangs
	its child has the pipes    | run          | started orphan            |       | lost command    | 3 | hangs
	its child has left         | run          | started orphan-away       |       | lost command    | 3 | hangs
	its child goes on for it   | run -timeout 1s | started orphan-talks   |       | lost command    | 3 | beyond its time limit
	it answers, and never ends | run -timeout 1s | started nothing        |       | lost command    | 3 | beyond its time limit
	progress without end       | scp -timeout 1s | started flood progress |       | lost transfer   | 3 | beyond its time limit
	it talks, and never reads  | scp          | started chatter progress  |       | lost transfer   | 3 | not answered
	output without end         | run          | started chatter output 30000 |      | lost command    | 3 | not answered
	a frame that is never whole | run         | started raw 000010000c00000001 |       | lost command    | 3 | not answered
	words without end          | run          | started flood say         |       | lost command    | 3 | owned.*left out.*hangs

	output of another's job    | run          | started output@0          | hold  | lost command    | 3 | OUTPUT
	another's result           | run          | started result@0          | hold  | lost command    | 3 | RESULT
	another's host key         | run          | verdict hostkey@0         | hold  | lost command    | 3 | HOSTKEY
	another's request          | run          | verdict sign@0            | hold  | lost command    | 3 | SIGN
	another's login            | run          | verdict authenticated@0   | hold  | lost command    | 3 | AUTHENTICATED
	another's progress         | scp          | started progress@0 1 2    | hold  | lost transfer   | 3 | PROGRESS
	result of a queued job     | run          | started result@2          | hold  | lost command    | 3 | RESULT
	host key of a queued job   | run          | job hostkey@2             | hold  | error local     | 5 | HOSTKEY
	output of an ended job     | run          | started output@0          | ended | lost command    | 3 | OUTPUT
	result of an ended job     | run          | started result@0          | ended | lost command    | 3 | RESULT
	output of no such job      | run          | started output@77         |       | lost command    | 3 | OUTPUT
	output of no job           | run          | started output@4294967295 |       | lost command    | 3 | OUTPUT
	host key of no job         | run          | job hostkey@4294967295    |       | error local     | 5 | HOSTKEY

	a result twice             | run          | end result                |       | ok              | 0 | RESULT
	ok before the host key     | run          | job result                |       | error local     | 5 | RESULT
	ok before the login        | run          | verdict result            |       | lost command    | 3 | RESULT
	failed before the login    | run          | verdict result status=1   |       | lost command    | 3 | RESULT
	lost before the login      | run          | verdict result status=5   |       | lost command    | 3 | RESULT
	a refused login before the host key | run | job result status=3 stage=8 |  | error local     | 5 | RESULT
	a slow command before the login | run     | verdict result status=4 stage=10 | | lost command | 3 | RESULT
	cancelled by itself        | run          | started result status=8   |       | lost command    | 3 | RESULT
	skipped                    | run          | started result status=9   |       | lost command    | 3 | RESULT
	no such status             | run          | started result status=10  |       | lost command    | 3 | RESULT
	a status of 32 bits        | run          | started result status=4294967295 | | lost command   | 3 | RESULT
	no such stage              | run          | started result stage=14   |       | lost command    | 3 | RESULT
	ok with another exit status | run         | started result exit=3     |       | lost command    | 3 | RESULT
	a message that is too long | run          | started result message=*512 |     | lost command    | 3 | RESULT
	a message of 4 MB          | run          | started result message=*4000000 | | lost command    | 3 | RESULT
	a signal that is too long  | run          | started result signal=*64 |       | lost command    | 3 | RESULT
	an address that is too long | run         | started result peer=*64   |       | lost command    | 3 | RESULT
	an address that is none    | run          | started result peer=../x  |       | lost command    | 3 | RESULT
	a digest that is none      | scp          | started result sha256=*64 |       | lost transfer   | 3 | RESULT
	half a digest              | scp          | started result sha256=0123 |      | lost transfer   | 3 | RESULT
	more output than there is  | run          | started result stdout=18446744073709551615 | | lost command | 3 | RESULT
	a negative size            | run          | started result stderr=9223372036854775808 | | lost command | 3 | RESULT
	impossible bytes           | scp          | started result bytes=9007199254740993 | | lost transfer | 3 | RESULT
	impossible files           | scp          | started result files=18446744073709551615 | | lost transfer | 3 | RESULT
	more unchanged than there are | scp       | started result files=1 unchanged=2 | | lost transfer  | 3 | RESULT
	times that look negative   | run          | started result connect_ms=4294967295 auth_ms=2147483648 | | ok | 0 |
	the largest exit status    | run          | started result status=1 has_exit=1 exit=4294967295 | | failed    | 1 |

	signed for another user    | run          | verdict sign user         |       | lost command    | 3 | refused to sign.*user
	another session            | run          | verdict sign session; result status=3 stage=8 | | denied auth | 4 | no signature: not a session with the host
	no session                 | run          | verdict sign no-session; result status=3 stage=8 | | denied auth | 4 | no signature: not a session with the host
	a session of nobody        | run          | verdict sign unproved; result status=3 stage=8 | | denied auth | 4 | no signature: .*cannot tell whose session
	a session with another host | run          | verdict sign foreign; result status=3 stage=8 | | denied auth | 4 | no signature: not a session with the host
	another service            | run          | verdict sign service      |       | lost command    | 3 | refused to sign.*service
	another method             | run          | verdict sign method       |       | lost command    | 3 | refused to sign.*method
	a query only               | run          | verdict sign flag         |       | lost command    | 3 | refused to sign.*method
	another algorithm          | run          | verdict sign algorithm    |       | lost command    | 3 | refused to sign.*algorithm
	another public key         | run          | verdict sign key          |       | lost command    | 3 | refused to sign.*public key
	another message            | run          | verdict sign type         |       | lost command    | 3 | refused to sign.*message type
	bytes behind the request   | run          | verdict sign behind       |       | lost command    | 3 | refused to sign.*end
	a key that is none         | run          | verdict sign index        |       | lost command    | 3 | SIGN
	the same key again         | run          | signature sign            |       | lost command    | 3 | SIGN
	signed after the login     | run          | started sign              |       | lost command    | 3 | SIGN
	signed before the host key | run          | job sign                  |       | error local     | 5 | SIGN
	a second attempt, signed before the host key | run -retries 1 -retry-delay 10ms | again sign | | error local | 5 | SIGN
	a second attempt, logged in before the host key | run -retries 1 -retry-delay 10ms | again authenticated | | error local | 5 | AUTHENTICATED
	a second attempt, output before the host key | run -retries 1 -retry-delay 10ms | again output | | error local | 5 | OUTPUT
	a key that is not accepted, signed | run  | job hostkey other; sign   |       | error local     | 5 | SIGN
	a key that is not accepted, logged in | run | job hostkey other; authenticated | | error local   | 5 | AUTHENTICATED
	a key that is not accepted, ok | run      | job hostkey other; result |       | error local     | 5 | RESULT
	a key that is not accepted, then another | run | job hostkey other; hostkey | | error local     | 5 | HOSTKEY
	another key behind the accepted one | run | verdict hostkey other     |       | lost command    | 3 | HOSTKEY
	the accepted key again     | run          | verdict hostkey           |       | lost command    | 3 | HOSTKEY
	a host key from a strange address | run   | job hostkey peer          |       | error local     | 5 | HOSTKEY

	a login before the host key | run         | job authenticated         |       | error local     | 5 | AUTHENTICATED
	a start before the host key | run         | job started               |       | error local     | 5 | STARTED
	output before the host key | run          | job output                |       | error local     | 5 | OUTPUT
	a refusal before the host key | run       | job refused               |       | error local     | 5 | AUTH_REFUSED
	a start before the login   | run          | verdict started           |       | lost command    | 3 | STARTED
	output before the login    | run          | verdict output            |       | lost command    | 3 | OUTPUT
	progress before the login  | scp          | verdict progress          |       | lost transfer   | 3 | PROGRESS
	a login twice              | run          | started authenticated     |       | lost command    | 3 | AUTHENTICATED
	a start twice              | run          | started started           |       | lost command    | 3 | STARTED
	a refusal after the login  | run          | started refused           |       | lost command    | 3 | AUTH_REFUSED
	progress of a command      | run          | started progress          |       | lost command    | 3 | PROGRESS
	progress of too much       | scp          | started progress 18446744073709551615 1 | | lost transfer | 3 | PROGRESS
	progress to too much       | scp          | started progress 1 9007199254740993 | | lost transfer   | 3 | PROGRESS
	an answer to no question   | run          | started pong              |       | lost command    | 3 | PONG
	ready twice                | run          | started ready             |       | lost command    | 3 | READY
	ready for too much         | run          | config ready 1000         |       | cancelled       | 5 | READY.*does not start
	ready for a job            | run          | config raw 0000000a09000000010000000100 | | cancelled     | 5 | READY.*does not start
	ready, then nonsense       | run          | config ready; raw ffffffffffffffffff | | cancelled    | 5 | malformed frame.*does not start

	what it lacks, without end | run          | config ready 1 *4000000   |       | cancelled       | 5 | READY.*does not start
	what it lacks, a byte too long | run      | config ready 1 *512       |       | cancelled       | 5 | READY.*does not start
	what it lacks, as long as may be | run -debug | config ready 1 *511   |       | ok              | 0 |
	what it lacks drives a terminal | run -debug | config ready 1 evil    |       | ok              | 0 |
	last words that drive a terminal | run    | started say; die          |       | lost command    | 3 | owned.*killed by signal 9
	words, and a frame out of turn | run      | started say; pong         |       | lost command    | 3 | owned.*PONG
	its child keeps stderr, and says a lot | run | started orphan-says    |       | lost command    | 3 | killed by signal 9

	a length of all ones       | run          | started raw ffffffff0c00000001 |  | lost command    | 3 | malformed frame
	a length over the maximum  | run          | started raw 004000000c00000001 |  | lost command    | 3 | malformed frame
	a length of zero           | run          | started raw 000000000c00000001 |  | lost command    | 3 | malformed frame
	a length of half a header  | run          | started raw 000000040c00000001 |  | lost command    | 3 | malformed frame
	a type of zero             | run          | started raw 000000050000000001 |  | lost command    | 3 | malformed frame
	an unknown type            | run          | started raw 00000005ff00000001 |  | lost command    | 3 | malformed frame
	a CONFIG of control's      | run          | started raw 000000050100000001 |  | lost command    | 3 | malformed frame.*CONFIG
	a PING of control's        | run          | started raw 0000000507ffffffff |  | lost command    | 3 | malformed frame.*PING
	an ENTRY of a file         | run          | started raw 000000051300000001 |  | lost command    | 3 | malformed frame.*ENTRY
	a byte behind a frame's fields | run      | verdict authenticated; raw 00000006110000000100 | | lost command | 3 | malformed frame.*STARTED
	a string without end       | run          | verdict raw 0000000710000000016161 |  | lost command | 3 | malformed frame.*AUTHENTICATED
	bytes beyond the frame     | run          | started raw 0000000d0c0000000100000001ffffffff | | lost command | 3 | malformed frame.*OUTPUT
	its result pipe is closed  | run          | started close 4           |       | lost command    | 3 | killed by signal 9

	output frames that are too large | run    | started output 32769      |       | lost command    | 3 | OUTPUT
	output of a third stream   | run          | started output 1 3        |       | lost command    | 3 | OUTPUT
	output frames without output | run        | started flood output 0    |       | lost command    | 3 | OUTPUT
	refusals without end       | run          | verdict flood refused     |       | lost command    | 3 | AUTH_REFUSED
	answers without end        | run          | started flood pong        |       | lost command    | 3 | PONG
	texts that drive a terminal | run -debug  | verdict texts             |       | failed command  | 1 |

	it stops at the end        | run          | end stop                  |       | ok              | 0 |
	it does not go at the end  | run          | end linger                |       | ok              | 0 |
	its child does not go      | run          | end orphan                |       | ok              | 0 |
	a child that has left does not go | run   | end orphan-away           |       | ok              | 0 |
	END
}

setup_file() {
	export HOME=$BATS_FILE_TMPDIR/home dir=$BATS_FILE_TMPDIR/dir
	mkdir -p "$HOME" "$dir"
	matrix >"$dir/rows"
	local key
	for key in host_key other_key id; do
		ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/$key" </dev/null
	done
	echo "good1.test,rogue.test,good2.test" \
	    "$(cut -d' ' -f 1,2 "$dir/host_key.pub")" >"$dir/known_hosts"
	cat >"$dir/inventory.ini" <<-END
	[defaults]
	user = deploy
	identity_file = $dir/id
	[all]
	good1 = address=good1.test
	rogue = address=rogue.test
	good2 = address=good2.test
	[host good1]
	password = secret-of-good1
	[host rogue]
	password = secret-of-rogue
	[host good2]
	password = secret-of-good2
	END
	chmod 600 "$dir/inventory.ini"
	echo contents >"$dir/file"
}

# --- a run -------------------------------------------------------------------

# rogue_run FOLDER HOSTS PROGRAM SCRIPT SECOND OPTION...: run batch_PROGRAM over
# these hosts, in a folder of its own. Its files there are out, err, report; its
# exit status goes to the file status, 124 if it has hung; left is there if a
# process is, that should have ended with its worker.
rogue_run() (
	mkdir -p "$1/bin"
	cd "$1" || return
	local task=(-cmd true) file child
	[ "$3" = run ] || task=(-action put -local "$dir/file" -remote /tmp/)
	for file in src/batch_run src/batch_scp; do
		cp "$top_builddir/$file" bin/
	done
	cp "$top_builddir/tests/rogue_worker" bin/batch_worker
	cp "$dir/host_key" "$dir/other_key" bin/
	printf '%s\n' "$4" "$5" >bin/script
	set +e
	timeout -k 5 200 "bin/batch_$3" -i "$dir/inventory.ini" \
	    -known-hosts "$dir/known_hosts" -report report -workers 2 -f 2 \
	    -connect-timeout 1s -h "$2" "${@:6}" "${task[@]}" \
	    </dev/null >out 2>err 3>&-
	echo $? >status
	sed -n 's/^child //p' bin/log.* | while read -r child; do
		if alive "$child"; then
			echo "$child" >>left
		fi
	done
)

# The hosts in the order in which they are jobs 0, 1 and 2.
hosts_of() {
	case $1 in
	end*) echo good1,good2,rogue ;; # or one more job would wait for it
	*) echo good1,rogue,good2 ;;
	esac
}

# --- what holds of every run; in its folder ----------------------------------

# is_harmless FILE: it holds no byte that drives a terminal, and is UTF-8.
is_harmless() {
	! LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' \
	    "$1" && iconv -f UTF-8 -t UTF-8 "$1" >/dev/null
}

# Of HOSTS each has one record, with sizes and times that can be.
has_all_records() {
	jq -es --arg hosts "$1" '
	    (map(.host) | sort) == ($hosts / "," | sort) and
	    all(.connect_ms >= 0 and .auth_ms >= 0 and .stdout_bytes >= 0 and
	        .stderr_bytes >= 0 and .exit_code != -1)' report >/dev/null
}

# Workers got the passwords of their own jobs, and signatures of what is right.
are_secrets_kept() {
	! grep -q '^forged' bin/log.* &&
	    awk -v hosts="$1" '
	    BEGIN { split(hosts, host, ",") }
	    FNR == 1 { delete has }
	    $1 == "job" { has[$2] = 1 }
	    $1 == "password" && (!($2 in has) ||
	        $3 != "secret-of-" host[$2 + 1]) { wrong = 1 }
	    END { exit wrong }' bin/log.*
}

# check_run HOSTS: prints what does not hold.
check_run() {
	has_all_records "$1" || echo "records"
	are_secrets_kept "$1" || echo "secrets"
	is_harmless err || echo "stderr"
	[ "$(wc -l <err)" -lt 300 ] || echo "too much on stderr"
	# What a host printed stands in its record as it came.
	jq -c 'del(.stdout, .stderr)' report >records
	is_harmless records || echo "report"
	[ ! -e left ] || echo "a process"
	[ "$(cat status)" -lt 6 ] || echo "exit status $(cat status)"
}

# --- the table ---------------------------------------------------------------

row() {
	local what program options acts second
	IFS='|' read -r what program acts second _ < <(sed -n "$1p" "$dir/rows")
	read -r program options <<<"$program"
	# shellcheck disable=SC2086 # words
	rogue_run "$1" "$(hosts_of "$acts")" "$program" "$acts" "$second" \
	    $options
}

# status_of HOST: "STATUS STAGE" in the report.
status_of() {
	jq -r --arg host "$1" 'select(.host == $host) |
	    "\(.status) \(.stage)" | rtrimstr(" ")' report
}

# check_others RESULT: the hosts that no rogue has are as they should be.
check_others() {
	local host expected=ok
	[ "$1" != cancelled ] || expected=cancelled
	for host in good1 good2; do
		[ "$(status_of $host)" = $expected ] || echo "$host"
		[ $expected != ok ] || [ "$(grep -a "^$host: " out)" = "$host: fine" ] ||
		    echo "output of $host"
	done
}

# check_row N: print what came of it; fails if that is not what it should be.
check_row() {
	local what program acts second result exit regex wrong verdict="ok    "
	IFS='|' read -r what program acts second result exit regex < <(
		sed -n "$1p" "$dir/rows")
	cd "$1" || return
	wrong=$(
		check_run "$(hosts_of "$acts")"
		check_others "$result"
		[ "$(status_of rogue)" = "$result" ] || echo "status"
		[ "$(cat status)" = "$exit" ] || echo "exit"
		if [ -n "$regex" ]; then
			tr '\n' ' ' <err | grep -qE "$regex" || echo "message"
		elif grep -q 'is killed' err; then
			echo "it was killed"
		fi
	)
	[ -z "$wrong" ] || verdict="NOT ok"
	printf '# %s %-34s %-16s exit %-3s %s\n' "$verdict" "$what" \
	    "$(status_of rogue)" "$(cat status)" "${wrong//$'\n'/, }" >&3
	[ -z "$wrong" ] || {
		echo "$what: wrong: $wrong"
		head -n 20 err out report | cat -v | cut -c1-300
		return 1
	}
}

@test "a worker that breaks a rule is ended, and harms no other host" {
	local count wrong=0 n
	cd "$BATS_TEST_TMPDIR"
	count=$(wc -l <"$dir/rows")
	[ "$count" -ge 100 ]
	for ((n = 1; n <= count; n++)); do
		at_once 16 row "$n"
	done
	wait
	for ((n = 1; n <= count; n++)); do
		(check_row "$n") || wrong=$((wrong + 1))
	done
	echo "# $count rows, $wrong wrong" >&3
	[ "$wrong" -eq 0 ]
}

@test "more output than was granted ends it, though nobody reads stdout" {
	local row
	mkdir "$BATS_TEST_TMPDIR/row"
	cd "$BATS_TEST_TMPDIR/row"
	mkfifo out
	exec 4<>out
	rogue_run . good1,rogue,good2 run "started flood output 30000" "" 4>&- &
	row=$!
	wait_until grep -q 'is killed.*OUTPUT' err
	exec 5<out
	cat <&5 >/dev/null 3>&- 4>&- &
	exec 4>&- 5<&-
	wait "$row"
	[ "$(check_run good1,rogue,good2)" = "" ]
	[ "$(cat status)" -eq 3 ]
	[ "$(status_of rogue)" = "lost command" ]
	[ "$(status_of good1),$(status_of good2)" = ok,ok ]
}

# attempts FOLDER PROGRAM SCRIPT: how often its host was tried.
attempts() (
	rogue_run "$1" rogue "$2" "$3" "" -retries 1 -retry-delay 10ms
	jq .attempts "$1/report"
)

@test "what may have run is not sent again, whatever it says" {
	cd "$BATS_TEST_TMPDIR"
	local refused="result status=2 stage=9"
	# As of a server that runs no command.
	[ "$(attempts 1 run "started $refused")" -eq 2 ]
	[ "$(attempts 2 run "started output; $refused")" -eq 1 ]
	[ "$(attempts 3 run "started $refused stdout=1")" -eq 1 ]
	[ "$(attempts 4 run "started $refused stderr=1")" -eq 1 ]
	[ "$(attempts 5 run "started result status=2 stage=2")" -eq 1 ]
	[ "$(attempts 6 run "started result status=5 stage=9")" -eq 1 ]
	[ "$(attempts 7 scp "started progress 1 2; $refused")" -eq 1 ]
	[ "$(attempts 8 scp "started $refused bytes=1")" -eq 1 ]
	[ "$(attempts 9 scp "started $refused files=1")" -eq 1 ]
	# Nothing was sent, but it is given up at last.
	[ "$(attempts 10 run "job refused")" -eq 5 ]
}

@test "while a signature is waited for, no other one is made" {
	local agent waits
	cd "$BATS_TEST_TMPDIR"
	export SSH_AUTH_SOCK=$BATS_TEST_TMPDIR/agent
	"$python" "$test_dir/fakeagent.py" "$SSH_AUTH_SOCK" \
	    "$dir/other_key.pub" hang 3>&- &
	wait_until test -S "$SSH_AUTH_SOCK"
	agent=$!
	# That it waits for one gives it no more than its time.
	rogue_run waits rogue run "verdict sign; nothing" "" 4>&- &
	waits=$!
	rogue_run row rogue run "verdict sign; sign second" "" -debug
	wait "$waits"
	kill "$agent"
	grep -q 'is killed.*beyond its time limit' waits/err
	cd row
	grep -q 'is killed.*SIGN' err
	[ "$(check_run rogue)" = "" ]
	[ "$(status_of rogue)" = "lost command" ]
	[ "$(grep -c 'the server takes the key' err)" -eq 1 ]
	grep -q '^job' bin/log.*
	not grep -q '^signature' bin/log.*
}

@test "its texts drive no terminal" {
	mkdir "$BATS_TEST_TMPDIR/bin" && cd "$BATS_TEST_TMPDIR/bin"
	cp "$top_builddir/src/batch_run" "$dir/host_key" "$dir/other_key" .
	cp "$top_builddir/tests/rogue_worker" batch_worker
	printf 'verdict texts both\n\n' >script
	local mode
	for mode in live fold json; do
		on_terminal -- ./batch_run -i "$dir/inventory.ini" -debug \
		    -known-hosts "$dir/known_hosts" -h rogue,good1 -f 2 \
		    -workers 2 -color never -output $mode -cmd true
		expect_status 1
		expect_match "$out" 'owned' 'fine'
		tr -d '\r' <"$out" >lines
		is_harmless lines
	done
}

# --- anything ----------------------------------------------------------------

# fuzz SEED: prints the seed and what does not hold, if anything does not.
fuzz() {
	local hosts=good1,rogue,good2 program=run wrong
	[ $(($1 % 2)) -eq 0 ] || program=scp
	rogue_run "$1" $hosts $program "fuzz $1" "" -retries 1 \
	    -retry-delay 10ms -timeout 5s
	wrong=$(cd "$1" && check_run $hosts)
	if [ -n "$wrong" ]; then
		echo "seed $1: $wrong"
		head -n 20 "$1/err" | cat -v | cut -c1-300
	else
		rm -r "$1"
	fi
}

@test "frames that only look valid: 200 seeds" {
	local seed
	cd "$BATS_TEST_TMPDIR"
	for ((seed = 1; seed <= 200; seed++)); do
		at_once 4 fuzz "$seed" >"$seed.wrong"
	done
	wait
	cat ./*.wrong
	[ "$(cat ./*.wrong | wc -c)" -eq 0 ]
	[ "$(find . -name '*.wrong' | wc -l)" -eq 200 ]
}
