#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# commands: point 6, what runs on the hosts, with which input, and what comes
# back of its end.

load helper

with_lab -n 4

teardown() {
	batch_kill
	fakehosts_down
}

# write_script <<END: $script
write_script() {
	script=$BATS_TEST_TMPDIR/script.sh
	cat >"$script"
}

# --- -cmd --------------------------------------------------------------------

@test "-cmd reaches the host's shell unchanged: quotes, spaces, \$, newlines" {
	batch -h web01 -cmd 'printf "<%s>\n" "a  b" '\''$HOME'\'' "$LAB_HOST" \
	"two
lines" '\''"'\'' "it'\''s" `echo back` \\ "*"; echo "äöü"'
	expect_status 0
	expect_lines 'web01: <a  b>' 'web01: <$HOME>' 'web01: <web01>' \
	    'web01: <two' 'web01: lines>' 'web01: <">' "web01: <it's>" \
	    'web01: <back>' 'web01: <\>' 'web01: <*>' 'web01: äöü'
}

@test "a command of 30,000 bytes arrives" {
	batch -h web01 -no-prefix \
	    -cmd "printf %s '$(printf '%029950d' 0)' | wc -c"
	expect_status 0
	[ "$(tr -d ' ' <"$out")" = 29950 ]
}

@test "a longer command is refused before any host, or arrives" {
	batch -h web01 -no-prefix \
	    -cmd "printf %s '$(printf '%0100000d' 0)' | wc -c"
	if [ "$status" -eq 0 ]; then
		[ "$(tr -d ' ' <"$out")" = 100000 ]
	else
		expect_status 2
		[ ! -s "$out" ]
		expect_match "$err" 'script'
	fi
}

@test "without -stdin the command reads the end of its input at once" {
	echo "not for the hosts" >"$BATS_TEST_TMPDIR/stdin"
	input=$BATS_TEST_TMPDIR/stdin
	batch -g web -cmd 'cat; echo "end of input"'
	expect_status 0
	expect_output 'web01: end of input' 'web02: end of input' \
	    'web03: end of input'
}

# --- exit status -------------------------------------------------------------

@test "exit statuses from 1 to 255 come back as they are" {
	local code
	for code in 1 2 126 127 128 254 255; do
		batch -h web01 -cmd "exit $code"
		expect_status 1
		expect_result web01 failed ".exit_code == $code"
	done
}

@test "a command that is not found has failed with 127" {
	batch -h web01 -cmd 'no-such-command-here'
	expect_status 1
	expect_result web01 failed '.exit_code == 127'
}

@test "a command killed by a signal has failed, the signal is named" {
	batch -g web -cmd 'kill -9 $$'
	expect_status 1
	[ "$(wc -l <"$report")" -eq 3 ]
	expect_result web01 failed '(.signal | test("KILL")) and
	    .exit_code != 0'
	expect_match "$err" 'failed.*KILL.*web\[01-03\]'
	batch -h web01 -cmd 'kill -TERM $$'
	expect_result web01 failed '.signal | test("TERM")'
}

@test "what was printed before a command failed is there" {
	batch -h web01 -cmd 'echo before; echo err >&2; exit 4'
	expect_status 1
	expect_output 'web01: before'
	expect_line "$err" 'web01: err'
}

@test "a command that closes its output and runs on is waited for" {
	batch -h web01 -cmd 'exec >&- 2>&-; sleep 1; exit 5'
	expect_status 1
	expect_result web01 failed '.exit_code == 5'
}

@test "a connection that breaks under the command is lost, never ok" {
	batch -h web01 -cmd 'echo before; sleep 1; kill -9 $PPID; sleep 2'
	expect_status 3
	expect_output 'web01: before'
	expect_result web01 lost '.ok == false'
}

@test "a server that goes away under the command is lost, never ok" {
	proxied_inventory
	batch_start -h web01 -cmd 'echo ready; sleep 60; echo late'
	wait_until grep -q ready "$out"
	touch "$BATS_TEST_TMPDIR/fakehost.proxy.cut"
	batch_wait
	expect_status 3
	expect_result web01 lost
}

# --- -script -----------------------------------------------------------------

@test "-script runs a local file on every host" {
	write_script <<-'END'
	#!/bin/sh
	echo "hello from $LAB_HOST"
	exit 6
	END
	batch -g web -script "$script"
	expect_status 1
	expect_output 'web01: hello from web01' 'web02: hello from web02' \
	    'web03: hello from web03'
	expect_report 'all(.exit_code == 6)'
}

@test "-script passes its arguments as they are" {
	write_script <<-'END'
	printf '%s' "$#"
	printf '<%s>' "$@"
	echo
	END
	batch -h web01 -script "$script" -- one 'two words' '' "it's" '"q"' \
	    '$HOME' '`id`' '*' 'back\slash' '-n' '; exit 3' '!x' 'a=b'
	expect_status 0
	expect_lines 'web01: 13<one><two words><><it'\''s><"q"><$HOME><`id`><*><back\slash><-n><; exit 3><!x><a=b>'
}

@test "a newline in a -script argument stays one argument" {
	write_script <<-'END'
	printf '%s\n' "$#" "$1"
	END
	batch -h web01 -script "$script" -- 'first
second'
	expect_status 0
	expect_lines 'web01: 1' 'web01: first' 'web01: second'
}

@test "-script leaves no file on the host" {
	write_script <<-'END'
	# A shell that reads a file has it open.
	ls -l /proc/$$/fd
	case $0 in
	*script*) exit 1 ;;
	esac
	END
	batch -h web01 -script "$script"
	expect_status 0
	expect_no_match "$out" '-> .*script\.sh'
	[ -z "$(find "$LAB_DIR/home/web01" -name '*script*')" ]
}

@test "a script of a megabyte without a last newline runs whole" {
	script=$BATS_TEST_TMPDIR/script.sh
	{
		echo 'n=0'
		yes 'n=$((n + 1)) # fill fill fill fill fill fill fill fill' |
		    head -n 20000
		printf 'echo "$n"'
	} >"$script"
	batch -g web -script "$script"
	expect_status 0
	expect_output 'web01: 20000' 'web02: 20000' 'web03: 20000'
}

@test "a script that ends before its last line is no error" {
	script=$BATS_TEST_TMPDIR/script.sh
	{
		echo 'echo early; exit 0'
		yes '# fill' | head -c 5000000
	} >"$script"
	batch -h web01 -script "$script"
	expect_status 0
	expect_output 'web01: early'
}

# --- -stdin ------------------------------------------------------------------

@test "-stdin gives the same bytes to every host" {
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	batch -g web,db -stdin "$BATS_TEST_TMPDIR/data" \
	    -cmd 'sha256sum | cut -d" " -f 1'
	expect_status 0
	local sum
	sum=$(sha256sum <"$BATS_TEST_TMPDIR/data" | cut -d' ' -f 1)
	expect_output "web01: $sum" "web02: $sum" "web03: $sum" "db01: $sum"
}

@test "-stdin with an empty file is an empty input" {
	: >"$BATS_TEST_TMPDIR/data"
	batch -h web01 -stdin "$BATS_TEST_TMPDIR/data" -cmd 'wc -c'
	expect_status 0
	[ "$(tr -d ' ' <"$out")" = web01:0 ]
}

@test "a command that does not read its -stdin is not in trouble" {
	head -c 20000000 /dev/zero >"$BATS_TEST_TMPDIR/data"
	batch -g web -stdin "$BATS_TEST_TMPDIR/data" -cmd 'echo done; exit 3'
	expect_status 1
	expect_report 'length == 3 and all(.exit_code == 3)'
}

@test "a command that closes its output still gets all of its input" {
	head -c 10000000 /dev/zero >"$BATS_TEST_TMPDIR/data"
	batch -h web01 -stdin "$BATS_TEST_TMPDIR/data" \
	    -cmd 'exec >/dev/null 2>&1; sleep 1; cat >"$HOME/copy"; exit 7'
	expect_status 1
	expect_report '.[0].exit_code == 7'
	cmp "$BATS_TEST_TMPDIR/data" "$(host_file web01 copy)"
}

@test "a command that copies its input back gets and gives all of it" {
	head -c 5000000 /dev/urandom | base64 -w 0 >"$BATS_TEST_TMPDIR/data"
	batch -h web01 -no-prefix -stdin "$BATS_TEST_TMPDIR/data" -cmd cat
	expect_status 0
	# The missing last newline is added.
	echo >>"$BATS_TEST_TMPDIR/data"
	cmp "$BATS_TEST_TMPDIR/data" "$out"
}

# --- -env --------------------------------------------------------------------

@test "-env sets variables, whatever their values hold" {
	# shellcheck disable=SC1003 # a backslash is meant
	batch -h web01 -env 'LAB_ONE=a b' -env 'LAB_TWO=$x "y" '\''z'\'' \' \
	    -env LAB_THREE= -env 'LAB_FOUR=k=v' \
	    -cmd 'printf "<%s>" "$LAB_ONE" "$LAB_TWO" "${LAB_THREE-unset}" "$LAB_FOUR"; echo'
	expect_status 0
	expect_lines 'web01: <a b><$x "y" '\''z'\'' \><><k=v>'
}

@test "a command and variables too large for a packet are a local error" {
	local value
	value=$(printf '%015000d' 0)
	batch -h web01 -env "OTHER_ONE=$value" -env "OTHER_TWO=$value" \
	    -cmd ": $value"
	expect_status 5
	expect_result web01 error
}

@test "-env works for -script too" {
	write_script <<-'END'
	echo "$LAB_ONE, $1"
	END
	batch -h web01 -env 'LAB_ONE=a b' -script "$script" -- 'c d'
	expect_status 0
	expect_lines 'web01: a b, c d'
}
