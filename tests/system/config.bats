#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# config: batch.conf, where it is found, what wins, and -print-config.

load helper

setup() {
	write_inventory <<-'END'
	[web]
	web01 = address=127.77.9.1
	web02 = address=127.77.9.2
	END
	conf=$BATS_TEST_TMPDIR/batch.conf
}

# write_conf [FILE] <<END
write_conf() {
	cat >"${1:-$conf}"
	chmod 600 "${1:-$conf}"
}

# expect_option NAME VALUE ORIGIN: a line of -print-config.
expect_option() {
	expect_match "$out" "^$1 += $2 +; $3\$"
}

@test "-print-config tells the value of each option and where it comes from" {
	write_conf <<-'END'
	[batch]
	fanout = 7

	retries = 2
	END
	batch_bare -config "$conf" -retries 3 -print-config
	expect_status 0
	expect_option fanout 7 "$conf:2"
	expect_option retries 3 'command line'
	expect_option output live default
	expect_match "$out" '^;user +=  +; not set$'
	expect_no_match "$out" '^;?(hosts|h|cmd|help|print-config|config) '
}

@test "what -print-config prints is a batch.conf that says the same" {
	write_conf <<-'END'
	[batch]
	known-hosts = /a b/kh, /c
	connect-timeout = 1.5
	verbose = 2
	[batch_run]
	env = A='1,2', "B=it's"
	END
	batch_bare -config "$conf" -user 'me;too' -print-config
	expect_status 0
	cp "$out" "$BATS_TEST_TMPDIR/printed"
	chmod 600 "$BATS_TEST_TMPDIR/printed"
	batch_bare -config "$BATS_TEST_TMPDIR/printed" -print-config
	expect_status 0
	diff <(sed 's/ *; [^;]*$//' "$BATS_TEST_TMPDIR/printed") \
	    <(sed 's/ *; [^;]*$//' "$out")
	grep -q "^user *= \"me;too\"" "$out"
}

@test "the user's file is found in ~/.config/batch" {
	mkdir -p "$HOME/.config/batch"
	write_conf "$HOME/.config/batch/batch.conf" <<<$'[batch]\nfanout = 3'
	batch_bare -print-config
	expect_option fanout 3 "$HOME/.config/batch/batch.conf:2"
}

@test "BATCH_CONFIG takes the place of the user's file, -config that of both" {
	mkdir -p "$HOME/.config/batch"
	write_conf "$HOME/.config/batch/batch.conf" \
	    <<<$'[batch]\nfanout = 3\nretries = 3'
	write_conf <<<$'[batch]\nfanout = 4'
	export BATCH_CONFIG=$conf
	batch_bare -print-config
	expect_option fanout 4 "$conf:2"
	expect_option retries 0 default
	write_conf "$conf.2" <<<$'[batch]\nfanout = 5'
	batch_bare -config "$conf.2" -print-config
	expect_option fanout 5 "$conf.2:2"
	batch_bare -config none -print-config
	expect_option fanout 64 default
}

@test "a file that is named must be there" {
	batch_bare -config "$conf" -h web01 -list
	expect_status 2
	expect_match "$err" 'batch\.conf: No such file'
}

@test "the section of a program is for that program alone" {
	write_conf <<-'END'
	[batch]
	fanout = 5
	[batch_scp]
	fanout = 6
	limit = 10M
	END
	batch_bare -config "$conf" -print-config
	expect_option fanout 5 "$conf:2"
	batch_run=$top_builddir/src/batch_scp
	batch_bare -config "$conf" -print-config
	expect_option fanout 6 "$conf:4"
	expect_option limit 10485760 "$conf:5"
}

@test "of a path in the file ~ is the home directory" {
	write_conf <<-'END'
	[batch]
	report = ~/run.jsonl
	metrics = ~/run.prom
	outdir = ~/out
	END
	batch_bare -config "$conf" -print-config
	expect_status 0
	expect_option report "$HOME/run.jsonl" "$conf:2"
	expect_option metrics "$HOME/run.prom" "$conf:3"
	expect_option outdir "$HOME/out" "$conf:4"
}

@test "a flag that a file sets is switched off by =false" {
	write_conf <<<$'[batch]\nno-prefix = true'
	batch_bare -config "$conf" -no-prefix=false -print-config
	expect_option no-prefix false 'command line'
}

@test "an error in the file names file, line, section and key" {
	write_conf <<<$'[batch]\nfanuot = 5'
	batch_bare -config "$conf" -h web01 -list
	expect_status 2
	expect_match "$err" 'batch\.conf:2: \[batch\] fanuot: .*mean "fanout"'
	write_conf <<<$'[batch]\n\nfanout = 0'
	batch_bare -config "$conf" -h web01 -list
	expect_status 2
	expect_match "$err" 'batch\.conf:3: \[batch\] fanout: "0" is not'
}

@test "what is about one call can't stand in a file" {
	local key
	for key in h g x hostfile list cmd script help config print-config \
	    diff; do
		write_conf <<<"[batch]"$'\n'"$key = true"
		batch_bare -config "$conf" -h web01 -list
		expect_status 2
		expect_match "$err" "\\] $key: .*command line only"
	done
}

@test "a file that others can write to is refused, with the remedy" {
	write_conf <<<$'[batch]\nhost-key = accept-new'
	chmod 620 "$conf"
	batch_bare -config "$conf" -h web01 -list
	expect_status 2
	expect_match "$err" 'batch\.conf: others .*chmod go-w'
}

@test "the inventory of the file is used, -i takes its place" {
	write_conf <<<"[batch]"$'\n'"inventory = $BATCH_INVENTORY"
	unset BATCH_INVENTORY
	batch_bare -config "$conf" -g web -list
	expect_status 0
	expect_lines web01 web02
	echo '[db]' >"$BATS_TEST_TMPDIR/db.ini"
	echo 'db01 =' >>"$BATS_TEST_TMPDIR/db.ini"
	batch_bare -config "$conf" -i "$BATS_TEST_TMPDIR/db.ini" -g all -list
	expect_lines db01
}

@test "what a file sets and a call has no use for is passed over, typed it is an error" {
	write_conf <<-'END'
	[batch]
	pause = 1
	[batch_scp]
	max-size = 1G
	END
	known_hosts=/dev/null
	batch -config "$conf" -h 127.0.0.1:1 -cmd true
	expect_status 3
	batch -h 127.0.0.1:1 -cmd true -pause 1
	expect_status 2
	expect_match "$err" 'pause goes with -batch'
	batch_run=$top_builddir/src/batch_scp
	batch -config "$conf" -h 127.0.0.1:1 -action put -local "$conf" -remote x
	expect_status 3
	batch -h 127.0.0.1:1 -action put -local "$conf" -remote x -max-size 1G
	expect_status 2
	expect_match "$err" 'belongs to -action get'
}

@test "the sample of batch.conf is good for both programs" {
	local program
	cp "$top_srcdir/conf/batch.conf" "$conf"
	chmod 644 "$conf"
	# Once as it is, once with all that is commented out.
	for program in batch_run batch_scp; do
		batch_run=$top_builddir/src/$program
		batch_bare -config "$conf" -print-config
		expect_status 0
		sed 's/^;//' "$conf" >"$conf.all"
		batch_bare -config "$conf.all" -print-config
		expect_status 0
		expect_option verbose 2 "$conf.all:[0-9]+"
	done
}
