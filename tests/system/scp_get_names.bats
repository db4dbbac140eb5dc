#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_get_names: a get never leaves the folder that it was given, whatever
# earlier runs have put there, and sources may overlap.

load helper
load scp
load scp_get

with_lab -n 3

setup() {
	scp_setup
	scp_get_setup
	echo hello >"$far/a"
}

@test "a link that an earlier run has made for a template is not followed" {
	mkdir victim
	ln -s "$PWD/victim" "$far/web01"
	get -remote "$far/web01" -local 'keys/%h'
	expect_status 0
	[ -L keys/web01 ]
	rm "$far/web01"
	get -remote "$far/a" -local 'keys/%h/'
	expect_status 5
	expect_match "$err" 'keys/web01: is a symbolic link'
	get -remote "$far/a" -remote "$far" -local 'keys/%h'
	expect_status 5
	get -remote "$far" -local 'keys/%h'
	expect_status 5
	get -remote "$far/" -local 'keys/%h' -preserve -update
	expect_status 5
	get -remote "$far/a" -local 'keys/%h/x/y'
	expect_status 5
	[ -z "$(ls -A victim)" ]
	get -remote "$far/a" -local 'keys/%h'
	expect_status 0
	[ ! -L keys/web01 ]
	expect_same "$far/a" keys/web01
}

@test "the user's own part of the path may be behind a link" {
	mkdir real
	ln -s real link
	get -remote "$far/a" -local 'link/sub/%h/x'
	expect_status 0
	expect_same "$far/a" real/sub/web01/x
	get -remote "$far/a" -local 'link/./%h.d//x/./y'
	expect_status 0
	expect_same "$far/a" real/web01.d/x/y
}

@test "the root of a template's tree is made, with its mode and time" {
	mkdir -m 750 "$far/empty"
	touch -d '2002-02-03 04:05:06 UTC' "$far/empty"
	get -remote "$far/empty/" -local 'x/%h' -preserve
	expect_status 0
	[ "$(stat -c %a x/web01)" = 750 ]
	[ "$(stat -c %Y x/web01)" = "$(stat -c %Y "$far/empty")" ]
}

@test "a file of 1970 keeps its time" {
	touch -d @0 "$far/a"
	get -remote "$far/a" -local 'y/%h' -update
	[ "$(stat -c %Y y/web01)" = 0 ]
	get -remote "$far/a" -local 'y/%h' -update
	expect_result web01 ok '.unchanged == 1'
}

@test "a file that two sources hold is fetched once" {
	mkdir -p "$far/d/sub" "$got/d/sub" t/web01
	echo new >"$far/d/sub/f"
	echo old >"$got/d/sub/f"
	get -remote "$far/d" -remote "$far/d/sub/f" -backup .old -local out
	expect_status 0
	[ "$(cat "$got/d/sub/f.old")" = old ]
	echo old >t/web01/f
	get -remote "$far/d/sub/" -remote "$far/d/sub/f" -backup .old \
	    -local 't/%h'
	expect_status 0
	[ "$(cat t/web01/f.old)" = old ]
}

@test "the times of many directories are kept" {
	local i
	for ((i = 1; i <= 300; i++)); do
		mkdir -p "$far/many/$i"
		echo "$i" >"$far/many/$i/f"
	done
	touch -d '2002-02-03 04:05:06 UTC' "$far"/many/*
	get -remote "$far/many" -local out -preserve
	expect_status 0
	expect_result web01 ok '.files == 300'
	[ -z "$(find "$got/many" -mindepth 1 -type d -newermt 2003-01-01)" ]
}

@test "many long lines at once hold nothing up" {
	local name i
	name=$(printf 'x%.0s' {1..200})
	mkdir "$far/long" long
	for ((i = 0; i < 600; i++)); do
		: >"$far/long/$name$i"
		: >"long/$name$i"
	done
	get -remote "$far/long" -dry-run -idle-timeout 20s
	expect_status 0
	[ "$(wc -l <"$out")" -ge 600 ]
	batch -h web01 -action put -local long -remote "$far/" -dry-run \
	    -idle-timeout 20s
	expect_status 0
	[ "$(wc -l <"$out")" -ge 600 ]
}
