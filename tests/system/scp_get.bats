#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_get: where what is fetched goes and what it is here, what is told of it,
# and what this side may refuse. Trees are in scp_get_tree.

load helper
load scp
load scp_get

with_lab -n 3

setup() {
	scp_setup
	scp_get_setup
	echo hello >"$far/a"
}

teardown() {
	batch_kill
	if [ -n "${mounted:-}" ]; then
		umount "$mounted" || umount -l "$mounted"
	fi
}

# --- where to ----------------------------------------------------------------

@test "a file goes below the host's directory, with its full path" {
	get -remote "$far/a" -local out
	expect_status 0
	expect_same "$far/a" "$got/a"
	[ "$(ls -A out)" = web01 ]
	[ "$(ls -A "$got")" = a ]
}

@test "without -local the host's directory is in the working directory" {
	get -remote "$far/a"
	expect_status 0
	[ "$(ls -A)" = web01 ]
	expect_same "$far/a" "web01$far/a"
}

@test "two hosts never share a file" {
	batch -g web,db -action get -remote "$far/a" -local new/out/
	expect_status 0
	local host
	for host in web01 web02 db01; do
		expect_same "$far/a" "new/out/$host$far/a"
		expect_result "$host" ok '.bytes == 6 and .files == 1'
	done
	expect_no_temporaries new
	[ "$(find new -type f | wc -l)" -eq 3 ]
	expect_match "$err" '^3 hosts: 3 ok; 18 B in 3 files'
}

@test "several sources each have their path" {
	mkdir "$far/x" "$far/y"
	echo other >"$far/x/a"
	echo more >"$far/y/a"
	get -remote "$far/a" -remote "$far/x/a" -remote "$far//./y/./" \
	    -local out
	expect_status 0
	expect_same_tree "$far" "$got"
	expect_result web01 ok '.files == 3'
}

@test "what several sources lead to is fetched once" {
	mkdir "$far/x"
	echo other >"$far/x/a"
	get -remote "$far/x/a" -remote "$far/x/" -remote "$far/x" \
	    -remote "$far/x/a" -local out
	expect_status 0
	expect_same_tree "$far/x" "$got/x"
	expect_result web01 ok '.files == 1'
	get -remote "$far/x/absent" -remote "$far/x" -local out
	expect_status 3
	expect_result web01 transfer '.files == 1 and
	    (.message | test("x/absent: No such file"))'
}

@test "sources of one name are refused by a template before any host" {
	mkdir "$far/x"
	echo other >"$far/x/a"
	get -remote "$far/a" -remote "$far/x/a" -local 'out/%h/'
	expect_status 2
	expect_match "$err" 'far/a" and .*far/x/a" would both go to'
	[ ! -e out ]
}

@test "one source that is not there does not stop the others" {
	get -remote "$far/absent" -remote "$far/a" -local out
	expect_status 3
	expect_same "$far/a" "$got/a"
	expect_result web01 transfer '.stage == "transfer" and .files == 1 and
	    (.message | test("1 of 2 .*/far/absent: .*No such file"))'
	expect_match "$err" 'web01: .*/far/absent: .*No such file'
	[ "$(ls -A "$got")" = a ]
}

@test "a path with .. is refused, for where would it go?" {
	get -remote "$far/../far/a" -local out
	expect_status 2
	expect_match "$err" '-remote .*/a": a path to get must not hold'
	# A pattern's escapes are taken away on the host's side.
	get -remote "$far/\\.\\./far/[a]" -local out
	expect_status 3
	expect_result web01 transfer '.message | test("must not hold")'
	[ ! -e out ]
}

@test "where nothing is fetched no directory is left, but those there before" {
	mkdir there
	get -remote "$far/absent" -local there/x/y/
	expect_status 3
	[ -z "$(ls -A there)" ]
	get -remote "$far/absent" -local 'there/x/%h'
	expect_status 3
	[ -z "$(ls -A there)" ]
	get -remote "$far/a" -local there/x/y/
	expect_status 0
	expect_same "$far/a" "there/x/y/web01$far/a"
}

@test "a template names the file" {
	batch -g web,db -action get -remote "$far/a" -local 'out/%h-%%.txt'
	expect_status 0
	[ "$(cd out && echo *)" = 'db01-%.txt web01-%.txt web02-%.txt' ]
	expect_same "$far/a" out/db01-%.txt
	expect_match "$out" "^web02: get $far/a -> out/web02-%.txt \(6 B, "
}

@test "a template's %n is the host's place in the run" {
	batch -h db01,web02 -action get -remote "$far/a" -local '%n-%h'
	expect_status 0
	expect_same "$far/a" 1-db01
	expect_same "$far/a" 2-web02
	[ "$(echo *)" = '1-db01 2-web02' ]
}

@test "with a slash at its end, or if it is there, a template is a directory" {
	get -remote "$far/a" -local 'out/%h/'
	expect_status 0
	expect_same "$far/a" out/web01/a
	mkdir -p there/web01
	get -remote "$far/a" -local 'there/%h'
	expect_status 0
	expect_same "$far/a" there/web01/a
}

@test "several sources and globs make a template a directory" {
	echo two >"$far/b"
	get -remote "$far/a" -remote "$far/b" -local 'out/%h'
	expect_status 0
	expect_same_tree "$far" out/web01
	get -remote "$far/[a]" -local 'glob/%h'
	expect_status 0
	[ "$(ls -A glob/web01)" = a ]
	get -remote "$far/a" -remote "$far/b" -local 'out/%h/a'
	expect_status 5
	expect_result web01 error '.files == 0'
	expect_same "$far/a" out/web01/a
}

@test "a directory goes into a template under its name, or what is in it" {
	mkdir "$far/dir"
	echo x >"$far/dir/x"
	get -remote "$far/dir" -local 'name/%h'
	expect_status 0
	expect_same_tree "$far/dir" name/web01/dir
	[ "$(ls -A name/web01)" = dir ]
	get -remote "$far/dir/" -local 'in/%h'
	expect_status 0
	expect_same_tree "$far/dir" in/web01
}

@test "a slash at a source's end means a directory" {
	ln -s . "$far/link"
	get -remote "$far/a/" -local out
	expect_status 3
	expect_result web01 transfer '.message | test("not a directory")'
	[ ! -e "$got/a" ]
	rm "$far/link"
	mkdir "$far/dir"
	cp "$far/a" "$far/dir/"
	ln -s dir "$far/link"
	get -remote "$far/link/" -local out
	expect_status 0
	expect_same "$far/a" "$got/link/a"
}

# --- globs -------------------------------------------------------------------

@test "*, ? and [] are matched on the host" {
	touch "$far"/{one.log,two.log,x1,x2,x3,x10,log}
	get -remote "$far/*.log" -remote "$far/x?" -local out
	expect_status 0
	[ "$(cd "$got" && echo *)" = 'one.log two.log x1 x2 x3' ]
	get -remote "$far/x[23]" -remote "$far/[!a-w]10" -local second
	expect_status 0
	[ "$(cd "second/web01$far" && echo *)" = 'x10 x2 x3' ]
}

@test "a hidden file is matched only by a pattern with a dot" {
	touch "$far/.hidden"
	get -remote "$far/*" -local out
	expect_status 0
	[ "$(ls -A "$got")" = a ]
	get -remote "$far/.h*" -local out
	expect_status 0
	[ -e "$got/.hidden" ]
}

@test "a glob may stand in the middle, and match directories" {
	mkdir -p "$far"/{d1,d2,other}/sub "$far/d3"
	local dir
	for dir in d1 d2 other; do
		echo "$dir" >"$far/$dir/file"
		echo "$dir" >"$far/$dir/sub/file"
	done
	touch "$far/d4"
	get -remote "$far/d*/file" -local out
	expect_status 0
	[ "$(cd "$got" && echo */*)" = 'd1/file d2/file' ]
	get -remote "$far/d?/s*" -local trees
	expect_status 0
	[ "$(cd "trees/web01$far" && echo */*/*)" = \
	    'd1/sub/file d2/sub/file' ]
	expect_match "$out" 'web01: get .*/far/d\?/s\* -> trees/web01 \(2 files'
}

@test "a glob with a slash at its end matches directories only" {
	mkdir "$far/adir"
	touch "$far/adir/x"
	get -remote "$far/a*/" -local out
	expect_status 0
	[ "$(ls -A "$got")" = adir ]
	[ -e "$got/adir/x" ]
}

@test "a glob without a match is an error, and the others go on" {
	get -remote "$far/*.none" -remote "$far/no*/a" -remote "$far/a" \
	    -local out
	expect_status 3
	expect_result web01 transfer '.files == 1 and
	    (.message | test("2 of 3 .*/far/\\*\\.none: no match"))'
	expect_same "$far/a" "$got/a"
	expect_match "$err" '/far/no\*/a: no match'
}

@test "a backslash takes the meaning from a pattern's character" {
	touch "$far/*" "$far/x*y" "$far/xzy" "$far/[b]" "$far/b" "$far/back\\x"
	get -remote "$far/\\*" -remote "$far/x\\*y" -remote "$far/\\[b]" \
	    -local out
	expect_status 0
	[ "$(cd "$got" && printf '%s ' *)" = '* [b] x*y ' ]
	# Where there is no pattern, it is a character itself.
	get -remote "$far/back\\x" -local out
	expect_status 0
	[ -e "$got/back\\x" ]
}

# --- what it is here ---------------------------------------------------------

@test "the mode of a file is kept, but for what the host has no say in" {
	local mode
	for mode in 600 644 755 444 711; do
		install -m "$mode" "$far/a" "$far/m$mode"
	done
	install -m 6755 "$far/a" "$far/suid"
	install -m 1777 "$far/a" "$far/sticky"
	get -remote "$far/[ms]*" -local out
	expect_status 0
	for mode in 600 644 755 444 711; do
		expect_stat %a "$mode" "$got/m$mode"
	done
	expect_stat %a 755 "$got/suid"
	expect_stat %a 775 "$got/sticky"
}

@test "-mode is the mode of all files, whatever theirs" {
	install -m 755 "$far/a" "$far/b"
	get -remote "$far/a" -remote "$far/b" -local out -mode 0640
	expect_status 0
	expect_stat %a 640 "$got/a"
	expect_stat %a 640 "$got/b"
}

@test "the time of a file is kept with -preserve, and only then" {
	touch -d '2001-02-03 04:05:06 UTC' "$far/a"
	get -remote "$far/a" -local out
	expect_status 0
	[ "$got/a" -nt "$far/a" ]
	get -remote "$far/a" -local out -preserve
	expect_status 0
	expect_stat %Y 981173106 "$got/a"
}

@test "a symbolic link is fetched as what it says, with -follow as its file" {
	ln -s a "$far/link"
	ln -s /no/such/file "$far/dangling"
	get -remote "$far/link" -remote "$far/dangling" -local out
	expect_status 0
	[ "$(readlink "$got/link")" = a ]
	[ "$(readlink "$got/dangling")" = /no/such/file ]
	expect_no_temporaries out
	expect_result web01 ok '.files == 2 and .bytes == 0'
	get -remote "$far/link" -remote "$far/dangling" -local out2 -follow
	expect_status 3
	expect_result web01 transfer '.files == 1 and
	    (.message | test("dangling: .*No such file"))'
	[ ! -L "out2/web01$far/link" ]
	expect_same "$far/a" "out2/web01$far/link"
	[ ! -L "out2/web01$far/dangling" ]
}

@test "a link in the target's place is replaced, not written through" {
	mkdir -p "$got"
	echo other >other
	ln -s "$PWD/other" "$got/a"
	get -remote "$far/a" -local out
	expect_status 0
	[ ! -L "$got/a" ]
	expect_same "$far/a" "$got/a"
	[ "$(cat other)" = other ]
	ln -s other web01.txt
	get -remote "$far/a" -local '%h.txt'
	expect_status 0
	[ ! -L web01.txt ]
	[ "$(cat other)" = other ]
}

@test "an empty file arrives empty, also over a full one" {
	: >"$far/none"
	mkdir -p "$got"
	echo old >"$got/none"
	get -remote "$far/none" -local out -verify
	expect_status 0
	[ -f "$got/none" ]
	[ ! -s "$got/none" ]
	expect_result web01 ok '.bytes == 0 and .files == 1 and .sha256 ==
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"'
	expect_match "$out" "^web01: get $far/none -> $got/none \(0 B, "
}

@test "files of sizes around those of packets arrive as they are" {
	local size
	for size in 1 32767 32768 32769 65536 261120 1000003; do
		write_random "$far/f$size" "$size"
	done
	get -remote "$far/f*" -local out
	expect_status 0
	for size in 1 32767 32768 32769 65536 261120 1000003; do
		expect_same "$far/f$size" "$got/f$size"
	done
}

@test "a sparse file arrives with zeros in its holes" {
	truncate -s 3M "$far/sparse"
	printf middle | dd of="$far/sparse" bs=1 seek=1500000 conv=notrunc \
	    status=none
	truncate -s 3000000 "$far/sparse"
	get -remote "$far/sparse" -local out
	expect_status 0
	expect_same "$far/sparse" "$got/sparse"
	# A size that is no more than a hole.
	truncate -s 2000000 "$far/hole"
	get -remote "$far/hole" -local out -verify
	expect_status 0
	expect_same "$far/hole" "$got/hole"
}

@test "names survive, whatever bytes they hold" {
	local name
	local -a names=('two words ' $'new\nline' $'\xff\xfe latin \xe9' \
	    -dash '~' "it's" '"quoted"' 'back\slash' '$HOME' $'\e[31mred' 'ä' \
	    '.hidden' ';' '#' '%h' a) sources=()
	for name in "${names[@]}"; do
		printf '%s' "$name" >"$far/$name"
		sources+=(-remote "$far/$name")
	done
	get "${sources[@]}" -local out -verify
	expect_status 0
	expect_same_tree "$far" "$got"
	# By their directory, and by a glob.
	get -remote "$far" -local tree
	expect_status 0
	expect_same_tree "$far" "tree/web01$far"
	get -remote "$far/*" -remote "$far/.h*" -local glob
	expect_status 0
	expect_same_tree "$far" "glob/web01$far"
}

@test "a name can't break the line that tells of it" {
	printf x >"$far/"$'two\nlines\e(x'
	get -remote "$far/"$'two\nlines\e(x' -local out
	expect_status 0
	[ "$(wc -l <"$out")" -eq 1 ]
	expect_text "$out" "two\\x0alines\\x1b(x -> $got/two\\x0alines\\x1b(x"
	expect_no_bytes "$out" $'\e'
}

@test "a special file is not fetched, and not opened" {
	mkfifo "$far/pipe"
	get -remote "$far/pipe" -local out
	expect_status 3
	expect_result web01 transfer '.message | test("pipe: a fifo")'
	get -remote /dev/zero -local out
	expect_status 3
	expect_result web01 transfer '.message | test("/dev/zero: a device")'
	[ ! -e out ]
}

@test "a file of /proc arrives though its size is told as 0" {
	get -remote /proc/version -local out -verify
	expect_status 0
	expect_same /proc/version out/web01/proc/version
	expect_result web01 ok ".bytes == $(wc -c </proc/version) and
	    .sha256 == \"$(sha256 /proc/version)\""
}

@test "of a file that grows what was there when it was opened arrives" {
	write_random "$far/log" 300000
	cp "$far/log" before
	get_start -remote "$far/log" -local out -limit 250k
	wait_until has_temporary out +15k
	write_random more 100000
	cat more >>"$far/log"
	batch_wait
	expect_status 0
	expect_same before "$got/log"
	expect_no_temporaries out
}

@test "a file that becomes shorter is an error, and the old one stays" {
	write_random "$far/log" 300000
	mkdir -p "$got"
	echo old >"$got/log"
	get_start -remote "$far/log" -local out -limit 250k
	wait_until has_temporary out +15k
	truncate -s 1000 "$far/log"
	batch_wait
	expect_status 3
	expect_result web01 transfer '.message | test("log: became shorter")'
	[ "$(cat "$got/log")" = old ]
	expect_no_temporaries out
}

# --- what is there already ---------------------------------------------------

@test "a file is replaced as a whole" {
	write_random "$far/b" 300000
	mkdir -p "$got"
	echo old >"$got/b"
	ln "$got/b" old
	get_start -remote "$far/b" -local out -limit 250k
	wait_until has_temporary out +15k
	[ "$(cat "$got/b")" = old ]
	batch_wait
	expect_status 0
	expect_same "$far/b" "$got/b"
	# It is a new file.
	[ "$(cat old)" = old ]
	[ "$(ls -A "$got")" = b ]
}

@test "-backup keeps what is replaced, the last one" {
	mkdir -p "$got"
	echo old >"$got/a"
	local inode
	inode=$(stat -c %i "$got/a")
	get -remote "$far/a" -local out -backup .orig
	expect_status 0
	expect_same "$far/a" "$got/a"
	[ "$(cat "$got/a.orig")" = old ]
	# It is the old file, no copy.
	expect_stat %i "$inode" "$got/a.orig"
	cp "$far/a" first
	echo newer >"$far/a"
	get -remote "$far/a" -local out -backup .orig
	expect_status 0
	expect_same "$far/a" "$got/a"
	expect_same first "$got/a.orig"
	[ "$(cd "$got" && echo *)" = 'a a.orig' ]
	expect_no_temporaries out
	# A link, too.
	ln -sf elsewhere "$far/a"
	get -remote "$far/a" -local out -backup .link
	expect_status 0
	[ "$(readlink "$got/a")" = elsewhere ]
	[ "$(cat "$got/a.link")" = newer ]
}

@test "a directory in the target's place stays, and the others go on" {
	mkdir -p "$got/a"
	echo x >"$got/a/x"
	echo two >"$far/b"
	get -remote "$far/a" -remote "$far/b" -local out
	expect_status 5
	expect_result web01 error '.stage == "local" and .files == 1 and
	    (.message | test("1 of 2 .*/far/a: is a directory"))'
	[ "$(cat "$got/a/x")" = x ]
	expect_same "$far/b" "$got/b"
	expect_no_temporaries out
	ln -sf nowhere "$far/a"
	get -remote "$far/a" -local out -backup .old
	expect_status 5
	[ "$(cat "$got/a/x")" = x ]
}

@test "a link where the host's directory should be is refused" {
	mkdir out elsewhere
	ln -s ../elsewhere out/web01
	batch -h web01,web02 -action get -remote "$far/a" -local out
	expect_status 5
	expect_result web01 error '.stage == "local" and .files == 0 and
	    (.message | test("out/web01: .*(symbolic link|Not a directory)"))'
	expect_result web02 ok
	[ -z "$(ls -A elsewhere)" ]
	expect_same "$far/a" "out/web02$far/a"
}

@test "a link on the way to the file is refused" {
	mkdir -p "${got%/far}" elsewhere
	ln -s "$PWD/elsewhere" "$got"
	get -remote "$far/a" -local out
	expect_status 5
	expect_result web01 error
	[ -z "$(ls -A elsewhere)" ]
}

@test "the directory that the user names may be a link" {
	mkdir elsewhere
	ln -s elsewhere out
	get -remote "$far/a" -local out
	expect_status 0
	expect_same "$far/a" "elsewhere/web01$far/a"
	get -remote "$far/a" -local 'out/%h.txt'
	expect_status 0
	expect_same "$far/a" elsewhere/web01.txt
}

@test "a full disk is an error, and leaves the old file and no other" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount a small disk"
	mkdir disk
	mount -t tmpfs -o size=1m batch_scp_test disk || skip "cannot mount"
	mounted=$PWD/disk
	mkdir disk/web01 disk/web02
	echo old >disk/web01/big
	echo old >disk/web02/big
	write_random "$far/big" 3000000
	batch -h web01,web02 -action get -remote "$far/big" -local 'disk/%h/big'
	expect_status 5
	expect_report 'length == 2 and all(.status == "error" and
	    .stage == "local" and .files == 0 and
	    (.message | test("disk/web0./big: No space left on device")))'
	[ "$(cat disk/web01/big disk/web02/big)" = "old
old" ]
	[ "$(find disk -type f | wc -l)" -eq 2 ]
	# All of its space is there again.
	head -c 900000 /dev/zero >disk/zeros
}

@test "a directory that may not be written to is an error" {
	without_powers
	mkdir -p "$got" "out/web02$far"
	chmod 555 "$got"
	batch -h web01,web02 -action get -remote "$far/a" -local out
	chmod 755 "$got"
	expect_status 5
	expect_result web01 error '.stage == "local" and .files == 0 and
	    (.message | test("/far/a: Permission denied"))'
	expect_result web02 ok
	mkdir locked
	chmod 555 locked
	get -remote "$far/a" -local locked/new
	expect_status 5
	expect_result web01 error '.message | test("locked.*: Permission denied")'
	[ -z "$(ls -A locked)" ]
	[ -z "$(ls -A "$got")" ]
}

# --- what is told ------------------------------------------------------------

@test "a host that is done has a line, a record and its part in the summary" {
	write_random "$far/b" 1234567
	get -remote "$far/b" -local out
	expect_status 0
	grep -qE "^web01: get $far/b -> $got/b \(1\.2 MB, [0-9.]+ s\)$" \
	    "$out" || { dump; return 1; }
	[ "$(wc -l <"$out")" -eq 1 ]
	expect_result web01 ok '.ok and .bytes == 1234567 and .files == 1 and
	    .unchanged == 0 and .stage == "" and .sha256 == null and
	    .attempts == 1'
	expect_match "$err" '^1 host: 1 ok; 1\.2 MB in 1 file \('
}

@test "progress is shown while files are fetched" {
	write_random "$far/b" 300000
	get -remote "$far/b" -local out -limit 300k -progress always
	expect_status 0
	expect_same "$far/b" "$got/b"
	expect_match "$err" '\] 0/1 done, 1 running  .*/s' '^[0-9.]+ kB'
}

@test "-dry-run tells what would go where, and writes nothing" {
	ln -s a "$far/link"
	mkdir "$far/dir"
	: >"$far/dir/x"
	get -remote "$far/a" -remote "$far/link" -remote "$far/dir" \
	    -local out -dry-run
	expect_status 0
	expect_output "web01: would get $far/a -> $got/a" \
	    "web01: would get $far/link -> $got/link" \
	    "web01: would get $far/dir -> $got/dir" \
	    "web01: would get $far/dir/x -> $got/dir/x"
	expect_result web01 ok '.files == 0 and .bytes == 0'
	[ ! -e out ]
	get -remote "$far/a" -local '%h/x' -dry-run -backup .old -verify
	expect_status 0
	expect_output "web01: would get $far/a -> web01/x"
	[ -z "$(ls -A)" ]
	get -remote "$far/absent" -local out -dry-run
	expect_status 3
	expect_result web01 transfer '.message | test("No such file")'
}

@test "the worst of all hosts is the exit status" {
	write_inventory < <(
		cat "$LAB_DIR/inventory.ini"
		printf '[other]\ngone = address=127.77.9.1 port=1\n'
	)
	mkdir -p "out/web02$far/a"
	batch -h web01,gone -action get -remote "$far/a" -local out
	expect_status 3
	expect_result web01 ok
	expect_result gone unreachable
	batch -h web01,web02,gone -action get -remote "$far/a" -local out
	expect_status 5
	expect_result web02 error
	expect_match "$err" '^3 hosts: 1 ok, 1 unreachable, 1 error'
}

# --- limits ------------------------------------------------------------------

@test "-max-size bounds what a host may send" {
	write_random "$far/big" 5000
	get -remote "$far/big" -remote "$far/a" -local out -max-size 4k
	expect_status 3
	expect_result web01 transfer '.stage == "transfer" and .files == 1 and
	    (.message | test("/far/big: .*4096 bytes \\(-max-size\\)"))'
	expect_match "$err" 'web01: .*/far/big: .*-max-size'
	[ "$(ls -A "$got")" = a ]
	# All files together, and each host has it for itself.
	write_random "$far/b" 4000
	batch -h web01,web02 -action get -remote "$far/a" -remote "$far/b" \
	    -local all -max-size 4000
	expect_status 3
	expect_report 'length == 2 and all(.status == "transfer" and
	    .files == 1 and (.message | test("-max-size")))'
	batch -h web01,web02 -action get -remote "$far/a" -remote "$far/b" \
	    -local all -max-size 4006
	expect_status 0
}

@test "-max-size holds for files whose size is not told" {
	get -remote /proc/version -local out -max-size 10
	expect_status 3
	expect_result web01 transfer \
	    '.message | test("/proc/version: .*-max-size")'
	[ ! -e out/web01/proc/version ]
	expect_no_temporaries out
}

@test "-max-files bounds how many files a host may have" {
	touch "$far"/f{1..9}
	batch -h web01,web02 -action get -remote "$far" -local out -max-files 5
	expect_status 3
	expect_report 'length == 2 and all(.status == "transfer" and
	    .files <= 5 and
	    (.message | test("more than 5 files \\(-max-files\\)")))'
	expect_match "$err" 'web01: .*/far: more than 5 files \(-max-files\)'
	[ "$(find out/web01 -type f | wc -l)" -le 5 ]
	# The directory, a and nine more.
	get -remote "$far" -local all -max-files 11
	expect_status 0
	get -remote "$far/*" -local glob -max-files 9
	expect_status 3
	expect_result web01 transfer '.message | test("-max-files")'
}

@test "-limit holds a get back so long that -timeout ends it" {
	truncate -s 100M "$far/big"
	mkdir -p "$got"
	echo old >"$got/big"
	batch -h web01,web02 -action get -remote "$far/big" -local out \
	    -limit 1M -timeout 1
	expect_status 3
	expect_report 'length == 2 and all(.status == "timeout" and
	    .stage == "transfer" and .files == 0)'
	[ "$(cat "$got/big")" = old ]
	expect_no_temporaries out
}

@test "memory does not grow with the size of the file" {
	not is_sanitized || skip "a sanitizer's memory is its own"
	truncate -s 300M "$far/big"
	printf end >>"$far/big"
	peak_kb "$batch_run" -known-hosts "$known_hosts" -h web01 -action get \
	    -remote "$far/big" -local out
	expect_status 0
	echo "peak: $peak_kb kB"
	[ "$peak_kb" -gt 1000 ]
	[ "$peak_kb" -lt 40000 ]
	cmp "$far/big" "$got/big"
	# The holes are holes here, too.
	[ "$(du -k "$got/big" | cut -f 1)" -lt 10000 ]
}
