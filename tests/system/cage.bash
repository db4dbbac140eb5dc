# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
#
# cage: what tests share whose workers do what one that was taken over would.
# To be loaded after helper.

# lacks WHAT: the run said that it has to do without.
lacks() {
	grep -qE "^worker 0 sandbox: this system lacks (.*$1|all)" "$err"
}

# taken_over ACT...: what workers of with_acts do, see tests/taken_over.c.
taken_over() {
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir -p "$TMPDIR"
	printf '%s\n' "$@" >"$TMPDIR/taken_over"
}

with_acts() {
	local -x LD_PRELOAD=$top_builddir/tests/taken_over.so
	local -x ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
	"$@"
}

# expect_forbidden CALL [RESULT]: of all hosts, or those that jq selects so.
expect_forbidden() {
	expect_line "$err" "batch_${batch_run##*_}: worker 0: forbidden system\
 call $1: an attack, or a case for -sandbox off"
	expect_report "map(select(${2:-true})) | length > 0 and
	    all(.message | test(\"killed by signal 31.*system call $1:\"))"
}
