#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# scp_put: where files go and what they are there, what is told of it, and what
# the far side may refuse. Trees are in scp_put_tree.

load helper
load scp

with_lab -n 3

setup() {
	scp_setup
	echo hello >a
}

teardown() {
	batch_kill
	if [ -n "${mounted:-}" ]; then
		umount "$mounted" || umount -l "$mounted"
	fi
}

# --- where to ----------------------------------------------------------------

@test "a file goes into a directory with a slash at its end" {
	put -local a -remote "$far/"
	expect_status 0
	expect_same a "$far/a"
	expect_no_temporaries "$far"
}

@test "a file goes into a directory that exists" {
	put -local ../here/a -remote "$far"
	expect_status 0
	expect_same a "$far/a"
}

@test "a file gets the name that is given, and replaces what has it" {
	put -local a -remote "$far/b"
	expect_status 0
	expect_same a "$far/b"
	echo again >a
	put -local a -remote "$far/b"
	expect_status 0
	expect_same a "$far/b"
	[ "$(ls -A "$far")" = b ]
}

@test "a directory that is not there is an error, and -mkdir makes it" {
	put -local a -remote "$far/x/y/"
	expect_status 3
	expect_result web01 transfer '.stage == "transfer" and
	    (.message | test("x/y: .*no such directory.*-mkdir"))'
	[ ! -e "$far/x" ]
	put -local a -remote "$far/x/y/" -mkdir
	expect_status 0
	expect_same a "$far/x/y/a"
	put -local a -remote "$far/x/y/" -mkdir
	expect_status 0
}

@test "-mkdir makes the directory of a new name" {
	put -local a -remote "$far/x/y/b"
	expect_status 3
	expect_result web01 transfer '.message | test("No such file")'
	put -local a -remote "$far/x/y/b" -mkdir
	expect_status 0
	expect_same a "$far/x/y/b"
}

@test "-mkdir makes a thousand directories in each other" {
	local deep
	deep=$far$(printf '/d%.0s' {1..1200})
	put -local a -remote "$deep/" -mkdir
	expect_status 0
	expect_same a "$deep/a"
}

@test "several files go into a directory" {
	echo one >one.conf
	echo two >two.conf
	put -local ./*.conf -local a -remote "$far"
	expect_status 0
	[ "$(cd "$far" && echo *)" = 'a one.conf two.conf' ]
	expect_same_tree . "$far"
	expect_result web01 ok '.files == 3 and .bytes == 14 and
	    .sha256 == null'
	expect_match "$out" "^web01: put 3 files -> $far \(3 files, 14 B, "
}

@test "several files go to no name, whether it is taken or not" {
	touch b
	put -local a b -remote "$far/new"
	expect_status 3
	expect_result web01 transfer '.message | test("no such directory")'
	[ ! -e "$far/new" ]
	echo old >"$far/old"
	put -local a b -remote "$far/old"
	expect_status 3
	expect_result web01 transfer '.message | test("no directory there")'
	[ "$(cat "$far/old")" = old ]
}

@test "two sources with one name are refused before any host" {
	mkdir x
	touch x/a
	put -local a x/a -remote "$far/"
	expect_status 2
	expect_match "$err" 'both would be "a"'
	[ ! -e "$far/a" ]
}

@test "every host gets it" {
	batch -g web,db -action put -local a -remote "$far/"
	expect_status 0
	expect_same a "$far/a"
	expect_no_temporaries "$far"
	expect_report 'length == 3 and all(.status == "ok" and .bytes == 6)'
	expect_match "$out" '^web01: put a ->' '^web02: put a ->' \
	    '^db01: put a ->'
	expect_match "$err" '^3 hosts: 3 ok; 18 B in 3 files'
}

# --- what it is there --------------------------------------------------------

@test "the mode of a file is kept" {
	local mode
	for mode in 600 644 755 444 4711 400; do
		install -m "$mode" a "m$mode"
	done
	put -local m* -remote "$far/"
	expect_status 0
	for mode in 600 644 755 444 4711 400; do
		expect_stat %a "$mode" "$far/m$mode"
	done
}

@test "the mode of a file that is replaced is the new one's" {
	install -m 600 a "$far/a"
	chmod 755 a
	put -local a -remote "$far/"
	expect_status 0
	expect_stat %a 755 "$far/a"
}

@test "-mode is the mode of all files, whatever theirs" {
	install -m 600 a b
	chmod 755 a
	put -local a b -remote "$far/" -mode 0640
	expect_status 0
	expect_stat %a 640 "$far/a"
	expect_stat %a 640 "$far/b"
	put -local a -remote "$far/" -mode 4755
	expect_status 0
	expect_stat %a 4755 "$far/a"
}

@test "the time of a file is kept with -preserve, and only then" {
	touch -d '2001-02-03 04:05:06 UTC' a
	put -local a -remote "$far/"
	expect_status 0
	[ "$far/a" -nt a ]
	put -local a -remote "$far/" -preserve
	expect_status 0
	expect_stat %Y 981173106 "$far/a"
}

@test "a symbolic link is sent as what it says, with -follow as its file" {
	ln -s a link
	ln -s /no/such/file dangling
	put -local link dangling -remote "$far/"
	expect_status 0
	[ "$(readlink "$far/link")" = a ]
	[ "$(readlink "$far/dangling")" = /no/such/file ]
	expect_no_temporaries "$far"
	put -local link -remote "$far/" -follow
	expect_status 0
	[ ! -L "$far/link" ]
	expect_same a "$far/link"
	put -local dangling -remote "$far/" -follow
	expect_status 2
	expect_match "$err" 'dangling: a symbolic link to nothing'
}

@test "a link in the target's place is replaced, not written through" {
	echo other >"$far/other"
	ln -s other "$far/a"
	put -local a -remote "$far/"
	expect_status 0
	[ ! -L "$far/a" ]
	expect_same a "$far/a"
	[ "$(cat "$far/other")" = other ]
	ln -s other "$far/b"
	put -local a -remote "$far/b"
	expect_status 0
	[ ! -L "$far/b" ]
	expect_same a "$far/b"
	[ "$(cat "$far/other")" = other ]
}

@test "a link to a directory is a directory for what goes into it" {
	mkdir "$far/real"
	ln -s real "$far/link"
	put -local a -remote "$far/link"
	expect_status 0
	expect_same a "$far/real/a"
	[ -L "$far/link" ]
}

@test "an empty file arrives empty, also over a full one" {
	: >none
	echo old >"$far/none"
	put -local none -remote "$far/" -verify
	expect_status 0
	[ -f "$far/none" ]
	[ ! -s "$far/none" ]
	expect_result web01 ok '.bytes == 0 and .files == 1 and .sha256 ==
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"'
	expect_match "$out" "^web01: put none -> $far/none \(0 B, "
}

@test "files of sizes around those of packets arrive as they are" {
	local size
	for size in 1 32767 32768 32769 65536 261120 1000003; do
		write_random "f$size" "$size"
	done
	put -local f* -remote "$far/"
	expect_status 0
	for size in 1 32767 32768 32769 65536 261120 1000003; do
		expect_same "f$size" "$far/f$size"
	done
}

@test "a sparse file arrives with zeros in its holes" {
	truncate -s 3M sparse
	printf middle | dd of=sparse bs=1 seek=1500000 conv=notrunc status=none
	truncate -s 4000000 sparse
	put -local sparse -remote "$far/"
	expect_status 0
	expect_same sparse "$far/sparse"
}

@test "names survive, whatever bytes they hold" {
	local name
	local -a names=('two words ' $'new\nline' $'\xff\xfe latin \xe9' \
	    -dash '~' '*' '[a]' "it's" '"quoted"' 'back\slash' '$HOME' \
	    $'\e[31mred' 'ä' '.hidden' ';' '#')
	for name in "${names[@]}"; do
		printf '%s' "$name" >"./$name"
	done
	rm a
	put -local "${names[@]/#/./}" -remote "$far/" -verify
	expect_status 0
	expect_same_tree . "$far"
	[ "$(find "$far" -type f -printf . | wc -c)" -eq ${#names[@]} ]
	name=$'it\'s "one"\n\xff *'
	put -local ./-dash -remote "$far/$name"
	expect_status 0
	[ "$(cat "$far/$name")" = -dash ]
}

@test "a name can't break the line that tells of it" {
	printf x >$'two\nlines\e[31m'
	put -local $'two\nlines\e[31m' -remote "$far/"
	expect_status 0
	[ "$(wc -l <"$out")" -eq 1 ]
	expect_text "$out" "put two\\x0alines\\x1b[31m -> $far/two\\x0alines\\x1b"
}

# --- what is told ------------------------------------------------------------

@test "a host that is done has a line, a record and its part in the summary" {
	write_random b 1234567
	put -local b -remote "$far/"
	expect_status 0
	grep -qE "^web01: put b -> $far/b \(1\.2 MB, [0-9.]+ s\)$" "$out" ||
	    { dump; return 1; }
	[ "$(wc -l <"$out")" -eq 1 ]
	expect_result web01 ok '.ok and .bytes == 1234567 and .files == 1 and
	    .unchanged == 0 and .stage == "" and
	    .sha256 == null and
	    .attempts == 1'
	expect_match "$err" '^1 host: 1 ok; 1\.2 MB in 1 file \('
}

@test "progress is shown on a terminal, and gone at the end" {
	write_random b 400000
	TERM=xterm on_terminal -- "$batch_run" -known-hosts "$known_hosts" \
	    -color never -h web01 -action put -local b -remote "$far/" \
	    -limit 300k
	expect_status 0
	expect_same b "$far/b"
	expect_match "$out" \
	    '\[#* *\] 0/1 done, 1 running  .*/s' 'B of 400 kB \([0-9]+ %\)'
	without_progress "$out" >"$out.kept"
	[[ $(sed -n 1p "$out.kept") == 'web01: put b -> '* ]]
	[[ $(sed -n 2p "$out.kept") == '1 host: 1 ok; 400 kB in 1 file ('* ]]
	[ "$(wc -l <"$out.kept")" -eq 2 ]
}

@test "-dry-run tells what would go where, and writes nothing" {
	touch b
	ln -s a link
	echo old >"$far/a"
	listing "$far" >../before
	put -local a b link -remote "$far/" -dry-run
	expect_status 0
	expect_output "web01: would put a -> $far/a" \
	    "web01: would put b -> $far/b" "web01: would put link -> $far/link"
	expect_result web01 ok '.files == 0 and .bytes == 0'
	put -local a -remote "$far/x/y" -mkdir -dry-run
	expect_status 0
	expect_output "web01: would put a -> $far/x/y"
	put -local a -remote "$far/x/y/" -mkdir -dry-run
	expect_status 0
	expect_output "web01: would put a -> $far/x/y/a"
	put -local a -remote "$far/" -dry-run -backup .old -verify
	expect_status 0
	listing "$far" | diff ../before -
}

@test "-dry-run tells of a destination that is not there, too" {
	put -local a -remote "$far/x/" -dry-run
	expect_status 3
	expect_result web01 transfer '.message | test("no such directory")'
}

# --- -backup -----------------------------------------------------------------

@test "-backup keeps what is replaced, the last one" {
	echo old >"$far/a"
	local inode
	inode=$(stat -c %i "$far/a")
	put -local a -remote "$far/" -backup .orig
	expect_status 0
	expect_same a "$far/a"
	[ "$(cat "$far/a.orig")" = old ]
	# It is the old file, no copy.
	expect_stat %i "$inode" "$far/a.orig"
	cp a first
	echo newer >a
	put -local a -remote "$far/" -backup .orig
	expect_status 0
	expect_same a "$far/a"
	expect_same first "$far/a.orig"
	expect_result web01 ok '.files == 1 and .bytes == 6'
	[ "$(cd "$far" && echo *)" = 'a a.orig' ]
	expect_no_temporaries "$far"
}

@test "-backup of what is not there makes none" {
	put -local a -remote "$far/b" -backup '~'
	expect_status 0
	[ "$(ls -A "$far")" = b ]
}

@test "-backup keeps a link as a link" {
	echo other >"$far/other"
	ln -s other "$far/a"
	put -local a -remote "$far/" -backup .old
	expect_status 0
	[ "$(readlink "$far/a.old")" = other ]
	expect_same a "$far/a"
	ln -sf elsewhere a
	put -local a -remote "$far/" -backup .old
	expect_status 0
	[ "$(readlink "$far/a")" = elsewhere ]
	[ "$(cat "$far/a.old")" = hello ]
}

# --- what is refused ---------------------------------------------------------

# expect_refused REGEX: result transfer, for that reason, and nothing left.
expect_refused() {
	expect_status 3
	expect_result web01 transfer ".stage == \"transfer\" and
	    .files == 0 and .bytes == 0 and (.message | test(\"$1\"))"
	expect_match "$err" "$1"
	expect_no_temporaries "$far"
}

@test "a directory in the target's place stays" {
	mkdir "$far/a"
	echo x >"$far/a/x"
	put -local a -remote "$far/"
	expect_refused 'far/a: is a directory there'
	put -local a -remote "$far/" -backup .old
	expect_refused 'far/a: '
	[ "$(cat "$far/a/x")" = x ]
	ln -sf nowhere a
	put -local a -remote "$far/"
	expect_refused 'far/a: is a directory there'
	[ "$(ls -A "$far")" = a ]
}

@test "a special file is no target" {
	mkfifo "$far/pipe"
	ln -s /dev/null "$far/null"
	put -local a -remote "$far/pipe"
	expect_refused 'pipe: is a special file there'
	put -local a -remote "$far/null"
	expect_refused 'null: is a special file there'
	[ -p "$far/pipe" ]
	[ -L "$far/null" ]
}

@test "a file where the directory should be is an error, also for -mkdir" {
	echo old >"$far/file"
	put -local a -remote "$far/file/"
	expect_refused 'file: '
	put -local a -remote "$far/file/" -mkdir
	expect_refused 'file: '
	put -local a -remote "$far/file/x/b" -mkdir
	expect_refused 'file/x'
	[ "$(cat "$far/file")" = old ]
}

@test "a full disk there is an error, and leaves the old file and no other" {
	mkdir "$far/disk"
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount a small disk"
	mount -t tmpfs -o size=1m batch_scp_test "$far/disk" ||
	    skip "cannot mount"
	mounted=$far/disk
	write_random big 3000000
	: >small
	echo old >"$far/disk/big"
	batch -h web01,web02 -action put -local big small -remote "$far/disk/"
	expect_status 3
	expect_report 'length == 2 and all(.status == "transfer" and
	    .files == 1 and (.message | test("disk/big: writing it: ")))'
	[ "$(cat "$far/disk/big")" = old ]
	[ "$(cd "$far/disk" && echo .[!.]* *)" = '.[!.]* big small' ]
	# All of its space is there again.
	head -c 900000 /dev/zero >"$far/disk/zeros"
}

@test "one file that is refused does not stop the others" {
	mkdir "$far/b"
	echo two >b
	echo three >c
	put -local a b c -remote "$far/"
	expect_status 3
	expect_same a "$far/a"
	expect_same c "$far/c"
	expect_result web01 transfer '.files == 2 and .bytes == 12 and
	    (.message | test("1 of 3 not transferred; first: .*far/b"))'
	expect_no_match "$out" 'put 3 files'
	expect_no_temporaries "$far"
}

@test "a host without SFTP does not stop the others" {
	local key
	key=$(forced_key 'exit 1')
	write_inventory < <(
		cat "$LAB_DIR/inventory.ini"
		printf '[host web02]\nidentity_file = %s\n' "$key"
	)
	batch -g web,db -action put -local a -remote "$far/"
	expect_status 3
	expect_result web01 ok
	expect_result db01 ok
	expect_report 'length == 3 and (.[] | select(.host == "web02") |
	    (.status | test("^(unreachable|transfer|lost)$")) and
	    .files == 0 and .message != "")'
	expect_same a "$far/a"
}

@test "a server that is read-only is an error" {
	put -local a -remote "$far/" -k "$(forced_key 'internal-sftp -R')"
	expect_refused 'far/a: Permission denied'
	mkdir tree
	put -local tree -remote "$far/" -k "$(forced_key 'internal-sftp -R')"
	expect_refused 'far/tree: Permission denied'
	[ -z "$(ls -A "$far")" ]
}

@test "a mode that the server does not set is an error" {
	echo old >"$far/a"
	put -local a -remote "$far/" \
	    -k "$(forced_key 'internal-sftp -P fsetstat')"
	expect_refused 'far/a: setting its mode: Permission denied'
	[ "$(cat "$far/a")" = old ]
}

# --- servers that can do less ------------------------------------------------

@test "without posix-rename a file is replaced, too" {
	local key
	key=$(forced_key 'internal-sftp -P posix-rename')
	echo old >"$far/a"
	put -local a -remote "$far/" -k "$key"
	expect_status 0
	expect_same a "$far/a"
	echo newer >a
	put -local a -remote "$far/" -k "$key" -backup .old
	expect_status 0
	expect_same a "$far/a"
	[ "$(cat "$far/a.old")" = hello ]
	ln -sf nowhere a
	put -local a -remote "$far/" -k "$key" -backup .old
	expect_status 0
	[ "$(readlink "$far/a")" = nowhere ]
	[ "$(cat "$far/a.old")" = newer ]
	expect_no_temporaries "$far"
	# Nothing steps aside for a file but a file.
	rm "$far/a"
	mkdir "$far/a"
	put -local a -remote "$far/" -k "$key"
	expect_refused 'far/a: is a directory there'
	[ -d "$far/a" ]
}

@test "without fsync and hard links files arrive, and backups are kept" {
	local key
	key=$(forced_key 'internal-sftp -P fsync,hardlink')
	echo old >"$far/a"
	put -local a -remote "$far/" -k "$key" -backup .old
	expect_status 0
	expect_same a "$far/a"
	[ "$(cat "$far/a.old")" = old ]
	put -local a -remote "$far/b" -k "$key" -backup .old
	expect_status 0
	[ "$(ls -A "$far")" = "a
a.old
b" ]
}

@test "a source that is a special file or cannot be read stops the put" {
	mkfifo pipe
	put -local pipe -remote "$far/"
	expect_status 2
	expect_match "$err" 'pipe: a fifo, not sent'
	put -local /dev/null -remote "$far/"
	expect_status 2
	expect_match "$err" 'null: a device, not sent'
	put -local a/ -remote "$far/"
	expect_status 2
	expect_match "$err" 'a/: Not a directory'
	[ -z "$(ls -A "$far")" ]
}

# --- limits ------------------------------------------------------------------

@test "-limit holds a put back so long that -timeout ends it" {
	truncate -s 100M big
	echo old >"$far/big"
	batch -h web01,web02 -action put -local big -remote "$far/" -limit 1M \
	    -timeout 1
	expect_status 3
	expect_report 'length == 2 and all(.status == "timeout" and
	    .stage == "transfer" and .files == 0)'
	[ "$(cat "$far/big")" = old ]
	expect_no_temporaries "$far"
}

@test "a put that its limit holds back is not idle" {
	# They all go after two seconds and a half.
	write_random b 12000
	put -local b -remote "$far/" -limit 5k -idle-timeout 2
	expect_status 0
	expect_same b "$far/b"
}

@test "memory does not grow with the size of the file" {
	not is_sanitized || skip "a sanitizer's memory is its own"
	truncate -s 100M big
	printf end >>big
	local peak
	"$python" -c '
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdin=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)' timeout -k 5 120 "$batch_run" -known-hosts "$known_hosts" \
	    -h web01 -action put -local big -remote "$far/" >"$out" 2>"$err"
	# The largest of all our processes, in kB.
	peak=$(tail -n 1 "$out")
	echo "peak: $peak kB"
	[ "$peak" -gt 1000 ]
	[ "$peak" -lt 40000 ]
	cmp big "$far/big"
	rm "$far/big"
}
