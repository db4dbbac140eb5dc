# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# helper: what the system tests share. They run the built programs (below
# $top_builddir) against SSH servers that they start on loopback, at free
# ports, in folders of their own, and stop by process id: any number of test
# files may run at the same time, from a read-only source tree.
#
# A run's stdout, stderr and report are files ($out, $err, $report), so that a
# test sees each byte.

bats_require_minimum_version 1.5.0

# automake sets these; without them: bats tests/system, programs in build/.
top_srcdir=$(cd "${top_srcdir:-$BATS_TEST_DIRNAME/../..}" && pwd)
top_builddir=$(cd "${top_builddir:-$top_srcdir/build}" && pwd)
PATH=$PATH:/usr/sbin:/sbin
test_dir=$top_srcdir/tests/system
batch_run=$top_builddir/src/batch_run
# Not a wrapper in somebody's home that takes longer than the test.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
unset SSH_AUTH_SOCK SSH_ASKPASS DISPLAY BATCH_CONFIG NO_COLOR
# Terminals are plain, with no colours and no progress, unless a test wants one.
export TERM=dumb

if [ -n "${BATS_TEST_TMPDIR:-}" ]; then
	out=$BATS_TEST_TMPDIR/out
	err=$BATS_TEST_TMPDIR/err
	report=$BATS_TEST_TMPDIR/report
	# No settings, keys or known hosts of the one who runs the tests.
	export HOME=$BATS_TEST_TMPDIR/home
	mkdir -p "$HOME"
	# What batch_start reads and what batch trusts; a test may change it.
	input=/dev/null
	known_hosts=${LAB_KNOWN_HOSTS:-$BATS_TEST_TMPDIR/known_hosts}
fi

# --- hosts -------------------------------------------------------------------

# lab_up FOLDER [OPTION]...: hosts as scripts/lab makes them. Sets and exports
# LAB_DIR, LAB_PORT, LAB_USER, LAB_KNOWN_HOSTS, BATCH_INVENTORY.
lab_up() {
	local dir=$1
	shift
	"$top_srcdir/scripts/lab" up -d "$dir" "$@" >/dev/null 3>&-
	# shellcheck disable=SC1091
	. "$dir/env"
	known_hosts=$LAB_KNOWN_HOSTS
}

lab_down() {
	"$top_srcdir/scripts/lab" down -d "$1" >/dev/null
}

# with_lab [OPTION]...: the tests of the file share hosts that lab_up makes. In
# the place of setup_file and teardown_file.
# shellcheck disable=SC2317 # bats calls them
with_lab() {
	lab_options=("$@")
	setup_file() {
		lab_up "$BATS_FILE_TMPDIR/lab" "${lab_options[@]}"
	}
	teardown_file() {
		lab_down "$BATS_FILE_TMPDIR/lab"
	}
}

# The host's own folder ($HOME there) is $LAB_DIR/home/HOST.
host_file() {
	echo "$LAB_DIR/home/$1/$2"
}

# What the lab's sshd logged since log_mark.
log_mark() {
	log_from=$(($(wc -c <"$LAB_DIR/sshd.log") + 1))
}

log_since_mark() {
	tail -c "+$log_from" "$LAB_DIR/sshd.log"
}

# fakehost NAME MODE [ARGUMENT]...: a server that is no real SSH server (see
# fakehost.py). Sets fake_port; its connections are lines in fake_log.
fakehost() {
	local name=$BATS_TEST_TMPDIR/fakehost.$1
	shift
	# shellcheck disable=SC2034 # used by the tests
	fake_log=$name.log
	: >"$fake_log"
	"$python" "$test_dir/fakehost.py" "$name" "$@" </dev/null \
	    >"$name.out" 2>&1 3>&- &
	echo $! >"$name.pid"
	disown $! # killed at the end, which is no news
	wait_until test -s "$name.port"
	# shellcheck disable=SC2034
	fake_port=$(cat "$name.port")
}

# The lab's web01 behind a proxy that tests can cut or stall (see
# fakehost.py): fakehost.proxy.cut, fakehost.proxy.stall.
proxied_inventory() {
	fakehost proxy proxy 127.77.0.1 "$LAB_PORT"
	write_inventory <<-END
	[web]
	web01 = address=127.0.0.1 port=$fake_port user=$LAB_USER
	[host web01]
	identity_file = $LAB_DIR/id_ed25519
	END
	known_hosts=$BATS_TEST_TMPDIR/known_hosts
	echo "127.0.0.1 $(cut -d' ' -f 1,2 "$LAB_DIR/ssh_host_ed25519_key.pub")" \
	    >"$known_hosts"
}

# To be called in teardown.
fakehosts_down() {
	local pid_file
	for pid_file in "$BATS_TEST_TMPDIR"/fakehost.*.pid; do
		[ ! -s "$pid_file" ] || kill -KILL "$(cat "$pid_file")" || true
	done
}

# A user with a password and a home of its own, for what sshd does only for
# users of the system. Sets and exports temp_user, temp_password, temp_home, or
# returns 1 with skip_reason, for skip_if_told in setup (bats cannot skip in
# setup_file).
temp_user_add() {
	if [ "$(id -u)" -ne 0 ]; then
		export skip_reason="needs root to add a user"
	elif ! command -v useradd >/dev/null; then
		export skip_reason="useradd is missing"
	fi
	[ -z "${skip_reason:-}" ] || return 1
	temp_user=batchtest$BASHPID
	temp_password="pass $RANDOM$RANDOM; it's #1"
	# The user must reach it, and may not reach our folders.
	temp_home=$(mktemp -d -p /tmp)
	local tries=0
	until useradd -M -d "$temp_home" -s /bin/sh \
	    -p "$(openssl passwd -6 "$temp_password")" "$temp_user"; do
		tries=$((tries + 1)) # another useradd may hold the lock
		[ $tries -lt 20 ]
		sleep 0.5
	done
	chown "$temp_user" "$temp_home"
	export temp_user temp_password temp_home
}

# A temporary user who can run batch_run and has in temp_home what it takes to
# log in to the lab: inventory.ini, known_hosts, the key. Skips where that cannot
# be.
temp_user_files() {
	temp_user_add || skip "$skip_reason"
	setpriv --reuid "$temp_user" --clear-groups --regid 0 \
	    test -x "$batch_run" || skip "others cannot reach the programs"
	cp "$LAB_DIR/id_ed25519" "$LAB_DIR/known_hosts" "$temp_home"
	sed "s,$LAB_DIR/id_ed25519,$temp_home/id_ed25519," \
	    "$LAB_DIR/inventory.ini" >"$temp_home/inventory.ini"
	chmod 600 "$temp_home/inventory.ini"
	chown -R "$temp_user" "$temp_home"
}

skip_if_told() {
	[ -z "${skip_reason:-}" ] || skip "$skip_reason"
}

temp_user_del() {
	[ -n "${temp_user:-}" ] || return 0
	local tries=0
	until userdel -f "$temp_user" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 20 ] || break
		sleep 0.5
	done
	rm -rf "$temp_home"
}

# --- runs --------------------------------------------------------------------

# write_inventory <<END: the inventory of the runs that follow; of all tests of
# the file, in setup_file.
write_inventory() {
	BATCH_INVENTORY=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/inventory.ini
	export BATCH_INVENTORY
	cat >"$BATCH_INVENTORY"
	chmod 600 "$BATCH_INVENTORY"
}

# batch ARGUMENT...: run batch_run with the lab's inventory and known_hosts;
# sets status. The limit only ends what hangs.
batch() {
	batch_bare -known-hosts "$known_hosts" -report "$report" "$@"
}

batch_bare() {
	status=0
	rm -f "$report"
	timeout -k 5 120 "$batch_run" "$@" <"$input" >"$out" 2>"$err" 3>&- ||
	    status=$?
}

# limited OPTION VALUE ARGUMENT...: as batch, under a limit of "ulimit OPTION".
limited() {
	status=0
	rm -f "$report"
	(
		ulimit "$1" "$2"
		exec timeout -k 5 120 "$batch_run" -known-hosts "$known_hosts" \
		    -report "$report" "${@:3}" <"$input" >"$out" 2>"$err" 3>&-
	) || status=$?
}

# option_names: of the -help-all in $out, the names of each option on a line,
# without dashes, the long one last.
option_names() {
	sed -nE 's/^  -(([^ ,]+, -)*[^ ,]+).*/\1/p' "$out" | sed 's/, -/ /g'
}

# batch_start ARGUMENT...: the same in the background; sets pid. A shell makes
# what it starts in the background ignore SIGINT: undone here.
batch_start() {
	rm -f "$report"
	env --default-signal=INT,QUIT,PIPE "$batch_run" \
	    -known-hosts "$known_hosts" -report "$report" "$@" \
	    <"$input" >"$out" 2>"$err" 3>&- &
	pid=$!
}

# batch_wait: until it ends; sets status.
batch_wait() {
	wait_until not alive "$pid" || {
		kill -KILL "$pid"
		dump
		return 1
	}
	status=0
	wait "$pid" || status=$?
}

# To be called in teardown by those who use batch_start.
batch_kill() {
	[ -z "${pid:-}" ] || kill -KILL "$pid" 2>/dev/null || true
}

# on_terminal [-e REGEX -s LINE]... -- COMMAND...: run COMMAND on a terminal
# of its own; what it shows goes to $out. When REGEX is shown, LINE is typed.
on_terminal() {
	status=0
	timeout -k 5 120 "$python" "$test_dir/terminal.py" "$@" \
	    </dev/null >"$out" 2>"$err" 3>&- || status=$?
}

# fakeworker_up PROGRAM: let batch_run be a copy of PROGRAM whose workers are
# fakeworker.py, which does what the lines of $fake/script say.
fakeworker_up() {
	fake=$BATS_TEST_TMPDIR/fake
	mkdir -p "$fake"
	cp "$top_builddir/src/$1" "$fake/$1"
	{ echo "#!$python"; cat "$test_dir/fakeworker.py"; } \
	    >"$fake/batch_worker"
	chmod +x "$fake/batch_worker"
	batch_run=$fake/$1
}

# without_progress FILE: what a terminal keeps of that, when each drawing of the
# progress has been erased; anything else to erase is left in.
without_progress() {
	sed -zE 's/[^\r\n]*(\r\r\n[^\r\n]*\x1b\[A)?\r\r\x1b\[J//g
	    s/\r\n/\n/g' "$1"
}

# The pids of the workers of the control process $1.
workers() {
	pgrep -P "$1" -x batch_worker
}

# Whether the run in the background has nothing to do: all is full.
is_at_rest() {
	local before after
	before=$(cut -d' ' -f 14,15 /proc/"$pid"/stat)
	sleep 0.5
	after=$(cut -d' ' -f 14,15 /proc/"$pid"/stat)
	[ "$before" = "$after" ]
}

# our_processes control|worker|both: their pids, of the run in the background.
our_processes() {
	case $1 in
	control) echo "$pid" ;;
	worker) workers "$pid" ;;
	both) echo "$pid" && workers "$pid" ;;
	esac
}

# apart NAME COMMAND...: do so in the background, with files of its own, so
# that what has to wait waits at the same time. together: until all are done.
apart() {
	mkdir "$BATS_TEST_TMPDIR/$1"
	in_folder "$BATS_TEST_TMPDIR/$1" "${@:2}" </dev/null \
	    >"$BATS_TEST_TMPDIR/$1/log" 2>&1 3>&- &
	apart+=("$1=$!")
}

in_folder() {
	trap 'batch_kill; fakehosts_down' EXIT
	BATS_TEST_TMPDIR=$1
	out=$1/out
	err=$1/err
	report=$1/report
	"${@:2}"
}

together() {
	local one failed=0
	for one in "${apart[@]}"; do
		wait "${one#*=}" || {
			failed=1
			echo "--- ${one%=*}:"
			cat "$BATS_TEST_TMPDIR/${one%=*}/log"
		}
	done
	[ "$failed" -eq 0 ]
}

# with_etc FILE=TEXT... -- COMMAND...: run COMMAND where that is in /etc/FILE.
with_etc() {
	local dir=$BATS_TEST_TMPDIR unshare=(unshare -m) file mounts=true
	[ "$(id -u)" -eq 0 ] || unshare=(unshare -r -m)
	while [ "$1" != -- ]; do
		file=${1%%=*}
		echo "${1#*=}" >"$dir/$file"
		mounts+=" && mount --bind \"\$0/$file\" /etc/$file"
		shift
	done
	shift
	"${unshare[@]}" sh -c "$mounts" "$dir" 2>/dev/null ||
	    skip "no mount namespaces here to change the look-up of names"
	status=0
	timeout -k 5 120 "${unshare[@]}" sh -c "$mounts && exec \"\$@\"" \
	    "$dir" "$@" </dev/null >"$out" 2>"$err" 3>&- || status=$?
}

# at_once NUMBER COMMAND...: do so in the background, as soon as fewer than
# that many are; "wait" is until all are done.
at_once() {
	while [ "$(jobs -rp | wc -l)" -ge "$1" ]; do
		wait -n || true
	done
	"${@:2}" 3>&- &
}

is_sanitized() {
	grep -q __asan_init "$batch_run"
}

# --- checks ------------------------------------------------------------------

not() {
	! "$@"
}

alive() {
	local state
	state=$(sed -n 's/^State:[^A-Z]*\([A-Z]\).*/\1/p' "/proc/$1/status" \
	    2>/dev/null) && [ -n "$state" ] && [ "$state" != Z ]
}

# wait_until COMMAND...: until it succeeds; fails after half a minute.
wait_until() {
	local tries=0
	until "$@"; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}

dump() {
	local file
	echo "exit status: ${status:-none}"
	for file in "$out" "$err" "$report"; do
		[ -f "$file" ] || continue
		echo "--- ${file##*/} ($(wc -c <"$file") bytes)"
		head -c 4000 "$file" | head -n 60 | cat -v
	done
}

expect_status() {
	[ "$status" -eq "$1" ] || {
		echo "expected exit status $1"
		dump
		return 1
	}
}

# expect_line FILE LINE: the file holds exactly this line.
expect_line() {
	grep -qFxe "$2" "$1" || {
		echo "no such line in ${1##*/}: $2"
		dump
		return 1
	}
}

# expect_match FILE REGEX...: each matches a line of the file, case aside.
expect_match() {
	local file=$1 regex
	shift
	for regex in "$@"; do
		grep -qiEe "$regex" "$file" || {
			echo "nothing in ${file##*/} matches: $regex"
			dump
			return 1
		}
	done
}

# expect_no_match FILE REGEX
expect_no_match() {
	! grep -qiEe "$2" "$1" || {
		echo "something in ${1##*/} matches: $2"
		dump
		return 1
	}
}

# expect_no_bytes FILE BYTES...: none of these strings, whatever the locale.
expect_no_bytes() {
	local file=$1 bytes
	shift
	for bytes in "$@"; do
		! LC_ALL=C grep -qaFe "$bytes" "$file" || {
			echo "found in ${file##*/}: $bytes" | cat -v
			dump
			return 1
		}
	done
}

# expect_few_lines: whoever reads stderr is not flooded.
expect_few_lines() {
	[ "$(wc -l <"$err")" -le 10 ] || {
		echo "too many lines"
		dump
		return 1
	}
}

# expect_output [LINE]...: stdout is these lines, in any order, no other.
expect_output() {
	local expected
	expected=$(if [ $# -gt 0 ]; then printf '%s\n' "$@"; fi | sort)
	[ "$(sort "$out")" = "$expected" ] || {
		printf 'expected on stdout, in any order:\n%s\n' "$expected"
		dump
		return 1
	}
}

# expect_lines LINE...: stdout is these lines, in this order.
expect_lines() {
	[ "$(cat "$out")" = "$(printf '%s\n' "$@")" ] || {
		printf 'expected on stdout:\n'
		printf '%s\n' "$@"
		dump
		return 1
	}
}

# expect_results HOST STATUS [JQ-FILTER]: the report holds one record of the
# host, with that status, and the filter is true of it.
expect_result() {
	jq -es --arg host "$1" --arg status "$2" '
	    map(select(.host == $host)) | length == 1 and
	    (.[0] | .status == $status and ('"${3:-true}"'))' \
	    "$report" >/dev/null || {
		echo "expected of $1: $2 ${3:-}"
		dump
		return 1
	}
}

# expect_report JQ-FILTER: true of the array of all records.
expect_report() {
	jq -es "$1" "$report" >/dev/null || {
		echo "expected of the report: $1"
		dump
		return 1
	}
}
