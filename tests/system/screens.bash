# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# screens: what a person sees, through a tmux server of the test's own. To be
# loaded after helper. What a screen must show is a file in golden/, with M:SS,
# N s and RATE in the place of times and rates, and without ETA, which comes and
# goes.

# screen_up COLUMNS ROWS COMMAND...: run it on such a terminal, which stays when
# it has ended. Sets screen_pid, of the server.
screen_up() {
	local columns=$1 rows=$2
	shift 2
	screen_tmux -f /dev/null new-session -d -x "$columns" -y "$rows" -- \
	    sh -c '"$@"; echo "exit status $?"; exec sleep 300' sh "$@" 3>&-
	screen_pid=$(screen_tmux display-message -p '#{pid}')
}

# To be called in teardown.
screen_down() {
	[ -n "${screen_pid:-}" ] || return 0
	kill -KILL "$screen_pid"
	screen_pid=
}

screen_tmux() {
	tmux -S "$BATS_TEST_TMPDIR/tmux" "$@"
}

# screen_type KEY...: as tmux names them.
screen_type() {
	screen_tmux send-keys "$@"
}

# screen_size COLUMNS ROWS
screen_size() {
	screen_tmux resize-window -x "$1" -y "$2"
}

# screen_text [OPTION]...: what is on it, less empty lines at the end; -S -:
# with what was scrolled off, -e: with escape sequences, ESC as ^[. Where a
# colour lasts to the end of a line, some versions of tmux end it on the next.
screen_text() {
	screen_tmux capture-pane -p "$@" | cat -v | sed -E '
	    s/[0-9]+(\.[0-9])?(\/s|\/min| [kMG]?B\/s)/RATE/g
	    s/  ETA [0-9:]+//
	    s/[0-9]+:[0-9]{2}/M:SS/g
	    s/[0-9]+\.[0-9] s/N s/g
	    s/ +$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' | awk '
	    lasts { sub(/^\^\[\[39m/, "") }
	    {
		lasts = match($0, /.*\^\[\[[0-9]+m/) &&
		    substr($0, RSTART + RLENGTH - 6, 6) != "^[[39m"
		print $0 (lasts ? "^[[39m" : "")
	    }'
}

# screen_shows TEXT
screen_shows() {
	screen_text | grep -qFe "$1"
}

screen_is() {
	local golden=$1
	shift
	screen_text "$@" | cmp -s - "$test_dir/golden/$golden"
}

# expect_screen GOLDEN [OPTION]...: it gets to be what that file holds.
expect_screen() {
	local golden=$1
	wait_until screen_is "$@" || {
		shift
		screen_text "$@" | diff -u "$test_dir/golden/$golden" -
		return 1
	}
}
