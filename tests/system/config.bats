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
	expect_match "$out" "^;?$1 += $2 +; $3\$"
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
	expect_match "$out" '^;report +=  +; not set$'
	expect_no_match "$out" '^;?(hosts|h|cmd|help|print-config|config) '
}

@test "-print-config has each option of the program, but for those of one call" {
	local program option
	cd "$BATS_TEST_TMPDIR"
	for program in batch_run batch_scp; do
		batch_run=$top_builddir/src/$program
		batch_bare -help-all
		option_names | awk '{ print $NF }' | sort >options
		batch_bare -print-config
		expect_status 0
		sed -nE 's/^;?([A-Za-z-]+) +=.*/\1/p' "$out" | sort >printed
		[ "$(wc -l <printed)" -gt 30 ]
		[ -z "$(comm -23 printed options)" ]
		# A file with any other is refused.
		for option in $(comm -13 printed options); do
			write_conf <<<"[$program]"$'\n'"$option = 1"
			batch_bare -config "$conf" -list -h web01
			expect_match "$err" \
			    "$option: -$option is for the command line only"
		done
	done
}

@test "the defaults that -help-all tells are those of -print-config" {
	local program option value count=0
	for program in batch_run batch_scp; do
		batch_run=$top_builddir/src/$program
		batch_bare -help-all
		cp "$out" "$BATS_TEST_TMPDIR/help"
		batch_bare -print-config
		while read -r option value; do
			expect_option "$option" "$value" \
			    'default(, or as the inventory has it)?'
			count=$((count + 1))
		done < <(sed -nE 's/^  (-[^ ]+, )?-([^ ]+) .*default ([0-9][^; )]*)[; )].*/\2 \3/p' \
		    "$BATS_TEST_TMPDIR/help" | sed 's/ 2m$/ 120s/')
	done
	[ "$count" -ge 14 ]
}

@test "-print-config shows nothing that a terminal acts on" {
	batch_bare -report $'a\033[31m' -log $'b\377 c' -print-config
	expect_status 0
	expect_no_bytes "$out" $'\033'
	expect_match "$out" '^;report +=.*not to be written in a file, command'
}

@test "-v and -debug add up to no more than there is" {
	batch_bare -v -debug -print-config
	expect_option verbose 3 'command line'
	batch_bare -debug -v=false -print-config
	expect_option verbose 0 'command line'
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

@test "what -print-config prints can be read wherever it came from" {
	conf="$BATS_TEST_TMPDIR/it's \"mine\""
	write_conf "$conf" <<-'END'
	[batch]
	report = a='b
	log = c="d
	END
	batch_bare -config "$conf" -print-config
	expect_status 0
	expect_option report "a='b" "$BATS_TEST_TMPDIR/it\\\\x27s \\\\x22mine\\\\x22:2"
	cp "$out" "$BATS_TEST_TMPDIR/printed"
	chmod 600 "$BATS_TEST_TMPDIR/printed"
	batch_bare -config "$BATS_TEST_TMPDIR/printed" -print-config
	expect_status 0
	expect_match "$out" "^report += a='b +;"
	expect_match "$out" "^log += c=\"d +;"
}

@test "-print-config tells which files were looked for" {
	batch_bare -print-config
	expect_line "$out" "; $HOME/.config/batch/batch.conf: not there"
	mkdir -p "$HOME/.config/batch"
	write_conf "$HOME/.config/batch/batch.conf" </dev/null
	batch_bare -print-config
	expect_line "$out" "; $HOME/.config/batch/batch.conf: read"
	write_conf </dev/null
	batch_bare -config "$conf" -print-config
	expect_line "$out" "; $conf: read, named by option -config"
	expect_no_match "$out" 'not there'
	BATCH_CONFIG=$conf batch_bare -print-config
	expect_line "$out" "; $conf: read, named by \$BATCH_CONFIG"
	batch_bare -config none -print-config
	expect_line "$out" '; no batch.conf (option -config)'
}

@test "-print-config tells what the environment and the folder say" {
	batch_bare -print-config
	expect_option inventory "$BATCH_INVENTORY" '\$BATCH_INVENTORY'
	expect_line "$out" "; \$BATCH_INVENTORY: $BATCH_INVENTORY"
	expect_option color auto default
	NO_COLOR=1 batch_bare -print-config
	expect_option color never '\$NO_COLOR'
	NO_COLOR=1 batch_bare -color always -print-config
	expect_option color always 'command line'
	unset BATCH_INVENTORY
	cd "$BATS_TEST_TMPDIR"
	batch_bare -print-config
	expect_option inventory ./inventory.ini 'found here'
	# It is no setting: what is found elsewhere has to be looked at.
	expect_match "$out" '^;inventory '
	batch_bare -i other.ini -print-config
	expect_option inventory other.ini 'command line'
}

@test "-print-config tells defaults that the inventory may replace" {
	batch_bare -print-config
	expect_match "$out" '^;connect-timeout = 10s +; default, or as the inv' \
	    '^;port +=  *22 ' '^;workers +=  *\(by CPUs\) +; default$'
}

@test "what one program alone has is refused elsewhere, with its place" {
	local program option count=0
	for program in batch_run batch_scp; do
		batch_run=$top_builddir/src/$program
		batch_bare -print-config
		sed -nE 's/^;?([A-Za-z-]+) +=.*/\1/p' "$out" | sort \
		    >"$BATS_TEST_TMPDIR/$program"
	done
	for option in $(comm -3 "$BATS_TEST_TMPDIR"/batch_{run,scp}); do
		write_conf <<<"[batch]"$'\n'"$option = 1"
		program=batch_run
		! grep -qx -e "$option" "$BATS_TEST_TMPDIR/batch_scp" ||
			program=batch_scp
		for batch_run in "$top_builddir"/src/batch_{run,scp}; do
			batch_bare -config "$conf" -h web01 -list
			expect_status 2
			expect_match "$err" "$option: this is $program's: put it under \[$program\]"
		done
		count=$((count + 1))
	done
	[ "$count" -ge 15 ]
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
	expect_match "$err" 'option -config: .*batch\.conf: No such file'
	BATCH_CONFIG=$conf batch_bare -h web01 -list
	expect_match "$err" '\$BATCH_CONFIG: .*batch\.conf: No such file'
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
	expect_option limit 10M "$conf:5"
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
	local value
	for value in 'capture = 65M' 'batch = 1,x' 'max-fail = many' \
	    'env = "A B"' 'fold-ignore = (' 'report ='; do
		write_conf <<<$'[batch_run]\n\n'"$value"
		batch_bare -config "$conf" -h web01 -list
		expect_status 2
		expect_match "$err" "batch\\.conf:3: \\[batch_run\\] ${value%% *}: "
	done
	batch_run=$top_builddir/src/batch_scp
	for value in 'mode = 999' 'backup = a/b'; do
		write_conf <<<$'[batch_scp]\n\n'"$value"
		batch_bare -config "$conf" -h web01 -list
		expect_status 2
		expect_match "$err" "batch\\.conf:3: \\[batch_scp\\] ${value%% *}: "
	done
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

@test "a pipe that others can write to is refused, one of our own is read" {
	mkfifo -m 622 "$BATS_TEST_TMPDIR/pipe"
	timeout 60 sh -c 'echo "[batch]" >"$1"' - "$BATS_TEST_TMPDIR/pipe" 3>&- &
	batch_bare -config "$BATS_TEST_TMPDIR/pipe" -h web01 -list
	wait $!
	expect_status 2
	expect_match "$err" 'pipe: others .*chmod go-w'
	batch_bare -config <(printf '[batch]\nfanout = 9\n') -print-config
	expect_option fanout 9 '/dev/fd/[0-9]+:2'
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
		grep -v '^; ' "$out" >"$BATS_TEST_TMPDIR/with"
		batch_bare -config none -print-config
		diff "$BATS_TEST_TMPDIR/with" <(grep -v '^; ' "$out")
		sed 's/^;//' "$conf" >"$conf.all"
		batch_bare -config "$conf.all" -print-config
		expect_status 0
		expect_option verbose 2 "$conf.all:[0-9]+"
	done
}
