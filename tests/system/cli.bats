#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# cli: options, help, and what a call must have to be run at all.

load helper

setup() {
	write_inventory <<-'END'
	[web]
	web01 = address=127.77.9.1
	END
}

# expect_usage_error REGEX...: exit status 2, nothing on stdout, and a message
# that matches.
expect_usage_error() {
	expect_status 2
	[ ! -s "$out" ] || { dump; return 1; }
	expect_match "$err" "$@"
}

@test "--help fits a screen of 80x24, for both programs" {
	local program option
	for program in batch_run batch_scp; do
		batch_run=$top_builddir/src/$program
		batch_bare --help
		expect_status 0
		[ ! -s "$err" ]
		# The next prompt takes a line, too.
		[ "$(wc -l <"$out")" -le 23 ] || { dump; return 1; }
		expect_no_match "$out" '.{80}'
		expect_match "$out" "^usage: $program " '^Hosts +-h HOSTS ' \
		    ' -help-all ' ' -rerun .*FILE ' ' 130 Ctrl-C' '/skipped|^skipped'
		for option in diff ordered ask-pass k q list; do
			expect_match "$out" " -${option}[,;]"
		done
	done
}

@test "-help-all lists every option on stdout and exits 0" {
	batch_bare -help-all
	expect_status 0
	[ ! -s "$err" ]
	local option
	for option in i h g x hostfile list list-folded user port identity \
	    ask-pass known-hosts host-key fanout workers connect-timeout \
	    timeout idle-timeout cmd script stdin env output no-prefix color \
	    progress report report-html metrics q S help version rerun retries \
	    retry-delay rate max-startups auth-fail-limit batch pause confirm \
	    max-fail shuffle seed ordered fold-ignore diff capture outdir v \
	    verbose vv debug log sandbox config print-config help-all; do
		grep -qE -- "(^|[ ,|])--?$option([ ,=[]|\$)" "$out" || {
			echo "no -$option"
			dump
			return 1
		}
	done
}

@test "-help-all fits into 80 columns, for both programs" {
	local program
	for program in batch_run batch_scp; do
		batch_run=$top_builddir/src/$program
		batch_bare -help-all
		expect_no_match "$out" '.{80}'
	done
}

@test "the manual page has each option of -help-all, and no other" {
	command -v mandoc >/dev/null || skip "mandoc is missing"
	local program
	cd "$BATS_TEST_TMPDIR"
	for program in batch_run batch_scp; do
		batch_run=$top_builddir/src/$program
		batch_bare -help-all
		option_names | tr ' ' '\n' | sort >options
		mandoc -T ascii -O width=999 "$top_srcdir/src/$program.1" |
		    col -b | grep -E '^ {5}-' | grep -oE '(^ +|, )-[A-Za-z-]+' |
		    sed -E 's/^[ ,]+-//' | sort -u >described
		[ "$(wc -l <options)" -gt 40 ]
		diff options described
	done
}

@test "--version prints the program's name and version" {
	batch_bare -V
	expect_status 0
	batch_bare --version
	expect_status 0
	expect_match "$out" '^batch_run .*[0-9]+\.[0-9]+'
}

@test "an option may have one dash or two" {
	batch_bare --h 'a,b' --list
	expect_status 0
	expect_lines a b
	batch_bare -h 'a,b' -list
	expect_status 0
	expect_lines a b
	batch_bare --h=a,b --list-folded
	expect_status 0
	expect_lines 'a,b'
}

@test "an unknown option is a usage error that names it" {
	batch_bare -h web01 -cmd true -nonsense
	expect_usage_error nonsense
}

@test "a mistyped option is told with the one that was meant" {
	batch_bare -h web01 -cmd true -fanuot 3
	expect_usage_error 'unknown option -fanuot; did you mean -fanout\?'
}

@test "a long word for an option is told with the option" {
	batch_bare -h web01 -comand true
	expect_usage_error 'unknown option -comand; did you mean -cmd\?'
}

@test "an abbreviation is told in full when its value is wrong or missing" {
	batch_bare -w web01 -cmd true
	expect_usage_error 'option -workers \(-w for short\): "web01" is not'
	batch_bare -h web01 -cmd true -b
	expect_usage_error 'option -batch needs a value: LIST'
}

@test "an option where a value should be is not taken for it" {
	cd "$BATS_TEST_TMPDIR"
	batch_bare -h web01 -cmd true -report -q
	expect_usage_error 'option -report needs a value, and -q is an option'
	[ ! -e ./-q ]
	batch_bare -h web01 -report=-q -list
	expect_status 0
	batch_bare -x -v -h web01 -list
	expect_usage_error 'option -x needs a value'
}

@test "-output takes fold,live as it takes live,fold" {
	batch_bare -output fold,live -h web01 -list
	expect_status 0
	batch_bare -output fold,live -print-config
	expect_match "$out" '^output += live,fold +; command line$'
}

@test "a file that can't be read is told with its option" {
	local option absent=$BATS_TEST_TMPDIR/absent
	for option in i hostfile rerun script stdin k report report-html \
	    metrics log config; do
		set -- -h web01 -known-hosts /dev/null
		[ "$option" = script ] || set -- "$@" -cmd true
		batch_bare "$@" "-$option" "$absent/file"
		[ "$status" -eq 2 ] || [ "$option" = k ] || { dump; return 1; }
		expect_match "$err" "^batch_run: option -$option: $absent/file: "
	done
	BATCH_INVENTORY=$absent batch_bare -h web01 -list
	expect_match "$err" "^batch_run: .BATCH_INVENTORY: $absent: No such"
}

@test "a report that can't be emptied is told with its option" {
	status=0
	timeout -k 5 120 "$python" - "$batch_run" <<-'END' >"$out" 2>"$err" ||
	import fcntl, os, sys
	report = os.memfd_create("report", os.MFD_ALLOW_SEALING)
	os.write(report, b"earlier")
	fcntl.fcntl(report, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
	os.set_inheritable(report, True)
	os.execv(sys.argv[1], [sys.argv[1], "-h", "web01", "-cmd", "true",
	    "-known-hosts", "/dev/null", "-report", f"/dev/fd/{report}"])
	END
		status=$?
	expect_status 5
	expect_match "$err" '^batch_run: option -report: /dev/fd/[0-9]+: Oper'
}

@test "a group that is not there is told with the inventory that lacks it" {
	batch_bare -g wbe -list
	expect_usage_error "$BATCH_INVENTORY: undefined group \"wbe\" \(did you"
	batch_bare -g 'd*' -list
	expect_usage_error "$BATCH_INVENTORY: no group matches \"d\*\""
}

@test "where no inventory is, the places to put one are told" {
	cd "$BATS_TEST_TMPDIR/home"
	unset BATCH_INVENTORY
	batch_bare -g web -list
	expect_usage_error '"web": there is no inventory .*-i FILE, .BATCH_INVENTORY, ./inventory.ini, ~/.config/batch/inventory.ini, /'
	batch_bare -h @web -list
	expect_usage_error '"@web": there is no inventory'
}

@test "an abbreviation of several options names them" {
	batch_bare -h web01 -cmd true -co never
	expect_usage_error 'option -co is ambiguous: .*-color.*-config'
}

@test "a flag takes true and false behind =, and nothing else" {
	batch_bare -h web01 -list=false -list-folded=true
	expect_status 0
	expect_lines web01
	batch_bare -h web01 -list=maybe
	expect_usage_error 'option -list: "maybe" is neither true nor false'
}

@test "an empty path is a usage error that names the option" {
	local option
	for option in i hostfile rerun k known-hosts script stdin report \
	    report-html outdir metrics log config; do
		batch_bare -h web01 -cmd true "-$option" ''
		expect_usage_error "option -$option: (the path is empty|has no)"
	done
}

@test "an option without its value is a usage error" {
	batch_bare -h web01 -cmd
	expect_usage_error cmd
}

@test "without any host there is nothing to do: a usage error" {
	batch_bare -cmd true
	expect_usage_error host
	expect_no_match "$err" '--help'
	batch_bare
	expect_usage_error host '^See batch_run --help\.$'
}

@test "without a command there is nothing to do: a usage error" {
	batch_bare -h web01
	expect_usage_error '-cmd'
}

@test "-cmd and -script exclude each other" {
	echo true >"$BATS_TEST_TMPDIR/script"
	batch_bare -h web01 -cmd true -script "$BATS_TEST_TMPDIR/script"
	expect_usage_error script
}

@test "a choice that leaves no host is a usage error" {
	batch_bare -h web01 -x web01 -cmd true
	expect_usage_error 'of 1 chosen by -h web01 none is left by -x web01'
	batch_bare -h '' -hostfile /dev/null -cmd true
	expect_usage_error "nothing is chosen by -h '' -hostfile /dev/null"
	# What can be read once only is read once.
	batch_bare -h web01,web02 -x web1 -x 'wbe*' -list
	expect_status 0
	expect_match "$err" 'no chosen host is left out by -x web1 -x .*wbe'
	batch_bare -h web01,web02 -x web1,web02 -list
	expect_status 0
	[ ! -s "$err" ]
	batch_bare -hostfile <(echo web01) -x web01 -cmd true
	expect_usage_error 'of 1 chosen by -hostfile /dev/fd/[0-9]* none is left'
}

@test "a number that is none is a usage error that names the option" {
	local option
	for option in fanout workers port connect-timeout timeout \
	    idle-timeout; do
		batch_bare -h web01 -cmd true "-$option" many
		expect_usage_error "$option"
		batch_bare -h web01 -cmd true "-$option" -1
		expect_usage_error "$option"
	done
}

@test "a fanout of 0 is a usage error" {
	batch_bare -h web01 -cmd true -fanout 0
	expect_usage_error fanout
}

@test "an unknown word for an option that takes a few is a usage error" {
	local option
	for option in output color progress host-key sandbox; do
		batch_bare -h web01 -cmd true "-$option" sometimes
		expect_usage_error "$option"
	done
}

@test "an -env without = is a usage error" {
	batch_bare -h web01 -cmd true -env NOVALUE
	expect_usage_error env
}

@test "a script that cannot be read stops the run before any host" {
	batch_bare -h web01 -script "$BATS_TEST_TMPDIR/absent.sh" \
	    -report "$report"
	[ "$status" -eq 2 ] || [ "$status" -eq 5 ] || { dump; return 1; }
	expect_match "$err" 'absent\.sh'
	[ ! -s "$report" ]
}

@test "a file for -stdin that cannot be read stops the run before any host" {
	batch_bare -h web01 -cmd cat -stdin "$BATS_TEST_TMPDIR/absent.txt" \
	    -report "$report"
	[ "$status" -eq 2 ] || [ "$status" -eq 5 ] || { dump; return 1; }
	expect_match "$err" 'absent\.txt'
	[ ! -s "$report" ]
}

@test "a report that cannot be written stops the run before any host" {
	batch_bare -h web01 -cmd true -report "$BATS_TEST_TMPDIR/no/report"
	[ "$status" -eq 2 ] || [ "$status" -eq 5 ] || { dump; return 1; }
	expect_match "$err" 'no/report'
}
