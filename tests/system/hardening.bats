#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154
#
# hardening: what configure asked of the compiler and the linker is in the
# programs, as readelf tells. Each test looks at all of them.

load helper

programs=(batch_run batch_scp batch_worker)

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	! is_sanitized || skip "built with sanitizers, which replace it"
	command -v readelf >/dev/null || skip "readelf is missing"
}

# of PROGRAM OPTION...: what readelf tells of it.
of() {
	LC_ALL=C readelf -W "${@:2}" "$top_builddir/src/$1"
}

# expect_of PROGRAM OPTION REGEX, expect_none_of: a line of that matches.
expect_of() {
	of "$1" "$2" | grep -qE -e "$3" || {
		echo "$1: nothing matches: $3"
		return 1
	}
}

expect_none_of() {
	! of "$1" "$2" | grep -E -e "$3" || {
		echo "$1: that matches: $3"
		return 1
	}
}

# symbols PROGRAM: the names that it takes from libraries.
symbols() {
	of "$1" --dyn-syms |
	    awk '$7 == "UND" && $8 != "" { sub(/@.*/, "", $8); print $8 }'
}

# Whether the makefile has the flag, so configure found that the compiler takes
# it.
is_asked_for() {
	grep -qE "^HARDEN_(C|LD)FLAGS = .*$1" "$top_builddir/Makefile"
}

@test "programs are no scripts, and can be loaded at any address" {
	local program
	for program in "${programs[@]}"; do
		expect_of "$program" -h 'Type: +DYN'
		expect_of "$program" -d '\(FLAGS_1\).* PIE'
	done
}

@test "what the loader fills in is filled in at the start, then read-only" {
	local program
	for program in "${programs[@]}"; do
		expect_of "$program" -l 'GNU_RELRO'
		expect_of "$program" -d '\(FLAGS_1\).* NOW'
	done
}

@test "no memory is writable and executable, the stack neither" {
	local program
	for program in "${programs[@]}"; do
		expect_of "$program" -l 'GNU_STACK .* RW +0x'
		expect_none_of "$program" -l ' RWE '
	done
}

@test "the loader neither changes code nor looks in folders of the build" {
	local program
	for program in "${programs[@]}"; do
		expect_none_of "$program" -d 'TEXTREL|RPATH|RUNPATH'
	done
}

@test "stacks are protected" {
	local program
	for program in "${programs[@]}"; do
		symbols "$program" | grep -qxF __stack_chk_fail
	done
}

# Those that print are checked wherever they are called; others, like memcpy,
# only where the size is known to the compiler and not to be enough.
@test "calls are checked for buffer sizes and formats" {
	local program unsafe
	case $(sed -n 's/^CFLAGS = //p' "$top_builddir/Makefile") in
	*-O0*) skip "not optimised" ;;
	esac
	unsafe='v?(f|d|s|as)?printf|vsnprintf|gets|st[rp]cpy|strcat'
	for program in "${programs[@]}"; do
		symbols "$program" | grep -qxE '__(memcpy|snprintf)_chk'
		symbols "$program" >taken
		not grep -xE "$unsafe" taken
	done
}

# The linker marks a program only if all its parts have the mark, those of the
# C library among them, which not every distribution gives them.
@test "where jumps can lead is marked, where the compiler can" {
	is_asked_for -fcf-protection || skip "not with this compiler"
	local library members
	for library in "$top_builddir"/lib{util,wire,inventory,report,control}.a \
	    "$top_builddir"/lib{cli,worker}.a; do
		members=$(ar t "$library" | wc -l)
		[ "$members" -gt 0 ]
		[ "$(LC_ALL=C readelf -nW "$library" |
		    grep -c 'x86 feature: IBT, SHSTK')" -eq "$members" ]
	done
}
