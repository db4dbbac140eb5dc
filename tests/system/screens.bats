#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# screens: lines, progress, colours and summary as they look on a terminal. The
# worker is fakeworker.py: two of eight hosts end, the next three are in flight
# until the file "go" is there.

load helper
load screens

setup() {
	command -v tmux >/dev/null || skip "tmux is missing"
	fakeworker_up batch_run
	cat >"$fake/script" <<-'END'
	authenticated
	@web01 output Filesystem      Size  Used Avail Use% Mounted on
	@web01 output /dev/vda1        40G   12G   26G  32% /
	@web01 result ok none 0 0 0
	@web02 output df: /srv: Transport endpoint is not connected
	@web02 result failed command 0 0 0  exit 1
	@db-primary wait go
	@db-primary output late
	@db-primary result ok none 0 0 0
	@web03 result ok none 0 0 0
	@web04 result ok none 0 0 0
	@web05 result ok none 0 0 0
	@web06 result failed command 0 0 0  exit 1
	@web07 result ok none 0 0 0
	END
	write_inventory <<-'END'
	[all]
	web[01-02] =
	db-primary =
	web[03-07] =
	END
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	screen_down
}

# screen_run [OPTION]...: batch_run on 80 columns.
screen_run() {
	screen_up 80 20 "$batch_run" -known-hosts /dev/null -host-key \
	    accept-new -g all -f 3 -workers 1 -cmd 'df -h' "$@"
}

# screen_put: batch_scp on 80 columns, with the bytes that two hosts have by now.
screen_put() {
	fakeworker_up batch_scp
	sed -i -e 's/ok none 0 0 0/ok none 1500000 1 0/' \
	    -e '1a @db-primary progress 400000 0' "$fake/script"
	truncate -s 1500000 app.tar
	screen_up 80 20 "$batch_run" -known-hosts /dev/null \
	    -host-key accept-new -g all -f 3 -workers 1 -action put \
	    -local app.tar -remote /opt/ -color never
}

@test "commands in flight, 80 and 200 columns" {
	screen_run -color never
	expect_screen commands-80
	screen_size 200 20
	expect_screen commands-200
}

@test "transfers, 80 and 200 columns" {
	screen_put
	expect_screen transfers-80
	screen_size 200 20
	expect_screen transfers-200
}

@test "colours, 80 columns" {
	screen_run
	expect_screen colors-80 -e
}

@test "lines and a summary are what stays" {
	screen_run
	wait_until screen_shows slowest
	touch "$fake/go"
	expect_screen end-80 -e
}

@test "a narrower terminal loses no line, and gets no line that wraps" {
	screen_run -color never
	wait_until screen_shows slowest
	screen_size 40 20
	expect_screen narrow-40 -S -
	screen_size 80 20
	expect_screen commands-80 -S -
}

@test "SIGUSR1 prints the state above the progress" {
	screen_run -color never
	wait_until screen_shows slowest
	kill -USR1 "$(pgrep -x -P "$(pgrep -P "$screen_pid")" batch_run)"
	expect_screen state-80
}

is_bar_gone() {
	not screen_shows '/8 done'
}

@test "Ctrl-Z clears the progress, and it is back after fg" {
	screen_up 80 20 env PS1='$ ' bash --norc --noprofile -i
	wait_until screen_shows '$'
	screen_type "fake/batch_run -known-hosts /dev/null -g all -f 3 \
-host-key accept-new -workers 1 -color never -cmd df" Enter
	wait_until screen_shows slowest
	screen_type C-z
	wait_until screen_shows Stopped
	is_bar_gone
	# Nothing is drawn over what others type meanwhile.
	screen_type 'bg; sleep 0.5; echo not $((60 + 6))' Enter
	wait_until screen_shows 'not 66'
	is_bar_gone
	screen_type fg Enter
	wait_until screen_shows '/8 done, 1 failed, 3 running, 3 waiting'
	touch "$fake/go"
	wait_until screen_shows '8 hosts: 6 ok, 2 failed'
	is_bar_gone
}

@test "Ctrl-\\ clears the progress and ends all" {
	screen_up 80 20 env PS1='$ ' bash --norc --noprofile -i
	wait_until screen_shows '$'
	screen_type "fake/batch_run -known-hosts /dev/null -g all -f 3 \
-host-key accept-new -workers 1 -color never -cmd df" Enter
	wait_until screen_shows slowest
	screen_type "C-\\"
	wait_until screen_shows Quit
	is_bar_gone
	screen_type 'echo status $?' Enter
	wait_until screen_shows 'status 131'
}

@test "a question stands alone, and the answer brings the progress back" {
	screen_run -color never -batch 2,100% -confirm
	wait_until screen_shows 'Go on with the next 6 (yes/no)?'
	sleep 0.5
	is_bar_gone
	screen_type yes Enter
	wait_until screen_shows '2/8 done, 1 failed, 3 running, 3 waiting'
}
