#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# inventory: point 2, which hosts a run chooses and with which settings.

load helper

with_lab -n 6

# All of the syntax in one inventory; none of these hosts exists.
choice_inventory() {
	write_inventory <<-'END'
	[defaults]
	user = nobody

	[web]
	web[01-20] =
	web21 = address=192.0.2.21 port=2222

	[db]
	db1 =
	db2 =

	[rack]
	rack[1-2]-node[01-02] =

	[production]
	@web =
	@db =
	END
}

# expect_choice LINE... -- ARGUMENT...: -list prints these lines.
expect_choice() {
	local lines=()
	while [ "$1" != -- ]; do
		lines+=("$1")
		shift
	done
	shift
	batch_bare "$@" -list
	expect_status 0
	expect_lines "${lines[@]}"
}

# expect_folded SET ARGUMENT...
expect_folded() {
	local set=$1
	shift
	batch_bare "$@" -list-folded
	expect_status 0
	expect_lines "$set"
}

# expect_rejected REGEX... <inventory: exit status 2 and such a message.
expect_rejected() {
	write_inventory
	batch -g web -list
	expect_status 2
	[ ! -s "$out" ] || { dump; return 1; }
	expect_match "$err" 'inventory\.ini' "$@"
}

# --- choosing ----------------------------------------------------------------

@test "-list prints the choice one host a line, -list-folded as one set" {
	choice_inventory
	expect_choice db1 db2 -- -g db
	expect_folded 'web[01-21]' -g web
}

@test "-list and -list-folded run nothing" {
	batch -g web -list -cmd 'touch "$HOME/ran"'
	expect_status 0
	expect_lines web01 web02 web03 web04
	batch -g web -list-folded -cmd 'touch "$HOME/ran"'
	expect_status 0
	expect_lines 'web[01-04]'
	[ ! -e "$(host_file web01 ran)" ]
}

@test "the order is the order given, duplicates once" {
	choice_inventory
	expect_choice web03 db2 web01 db1 -- -h web03,db2 -h web01,web03 -g db
}

@test "ranges keep their padding and take steps" {
	expect_choice n08 n09 n10 n11 -- -h 'n[08-11]'
	expect_choice n8 n9 n10 -- -h 'n[8-10]'
	expect_choice n0 n2 n4 n5 -- -h 'n[0-5/2,5]'
	expect_choice n007 n100 -- -h 'n[007,100]'
}

@test "several ranges in one name expand in all combinations" {
	expect_choice rack1-node01 rack1-node02 rack2-node01 rack2-node02 -- \
	    -h 'rack[1-2]-node[01-02]'
}

@test "union, difference, intersection and symmetric difference" {
	choice_inventory
	expect_choice web01 web02 db1 -- -h 'web[01-02],db1'
	expect_choice web01 web03 -- -h 'web[01-03]!web02'
	expect_choice web02 web03 -- -h 'web[01-03]&web[02-05]'
	expect_choice web01 web04 -- -h 'web[01-03]^web[02-04]'
}

@test "@group and globs refer to the inventory" {
	choice_inventory
	expect_choice db1 db2 -- -h '@db'
	expect_choice web20 web21 -- -h 'web2*'
	expect_choice web01 web11 web21 -- -h 'web?1'
	expect_folded 'web[01-20]' -h '@web!web21'
}

@test "-g takes several groups, also nested ones" {
	choice_inventory
	expect_folded 'db[1-2],web[01-21]' -g web,db
	expect_folded 'db[1-2],web[01-21]' -g production
}

@test "-x takes hosts out, wherever it stands and whatever adds them" {
	choice_inventory
	expect_choice db2 -- -x db1 -g db
	expect_choice web21 -- -g web -x 'web[01-20]'
	expect_choice web01 -- -h 'web01,db1' -x @db
}

@test "an -x that matches no chosen host is no error" {
	choice_inventory
	expect_choice db1 db2 -- -g db -x web01
}

@test "-hostfile reads sets line by line, with comments" {
	choice_inventory
	cat >"$BATS_TEST_TMPDIR/hosts" <<-'END'
	# the first ones
	web[01-02]

	  db1   # the database
	@rack
	END
	expect_choice web01 web02 db1 rack1-node01 rack1-node02 \
	    rack2-node01 rack2-node02 -- -hostfile "$BATS_TEST_TMPDIR/hosts"
}

@test "-hostfile - reads from stdin" {
	choice_inventory
	printf 'db2\nweb01 # comment\n' >"$BATS_TEST_TMPDIR/hosts"
	input=$BATS_TEST_TMPDIR/hosts
	expect_choice db2 web01 -- -hostfile -
}

@test "a hostfile that is absent is an error that names it" {
	batch -hostfile "$BATS_TEST_TMPDIR/absent.txt" -list
	expect_status 2
	expect_match "$err" 'absent\.txt'
}

@test "names are case-insensitive" {
	batch -h WEB01 -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web01: web01'
}

@test "a set past 1,000,000 hosts is an error, at once and without memory" {
	local set
	if ! is_sanitized; then
		ulimit -v 1000000
	fi
	for set in 'n[0-1000000]' 'n[1-999999999]' 'a[1-1001]b[1-1001]' \
	    'a[0-9999]b[0-9999]c[0-9999]d[0-9999]e[0-9999]f[0-9999]' \
	    'n[0-18446744073709551615]'; do
		batch_bare -h "$set" -list
		expect_status 2
		[ ! -s "$out" ]
		expect_match "$err" '1[,.]?000[,.]?000|too (many|large|big)|digits'
	done
}

@test "a set of 100,000 hosts is listed and folded" {
	batch_bare -h 'n[00001-99999],m' -list
	expect_status 0
	[ "$(wc -l <"$out")" -eq 100000 ]
	expect_folded 'm,n[00001-99999]' -h 'n[00001-99999],m'
}

@test "an unknown group is an error with a proposal" {
	choice_inventory
	batch_bare -g prodution -list
	expect_status 2
	expect_match "$err" prodution 'did you mean.*production'
}

@test "a reversed range, an empty range and an open bracket are errors" {
	local set
	for set in 'n[9-1]' 'n[]' 'n[1-3' 'n[a-c]' 'n[1-3/0]' 'n1]'; do
		batch_bare -h "$set" -list
		expect_status 2
		[ ! -s "$out" ]
	done
}

# --- the file ----------------------------------------------------------------

@test "the sample inventory loads" {
	local file found=
	for file in "$top_srcdir"/conf/*.ini; do
		[ -f "$file" ] || continue
		cp "$file" "$BATS_TEST_TMPDIR/sample.ini"
		chmod 600 "$BATS_TEST_TMPDIR/sample.ini"
		batch_bare -i "$BATS_TEST_TMPDIR/sample.ini" -h '*' -list
		expect_status 0
		[ -s "$out" ]
		found=yes
	done
	[ -n "$found" ]
}

@test "an inventory is found by \$BATCH_INVENTORY, in ., in ~/.config" {
	printf '[g]\nfrom-env =\n' >"$BATS_TEST_TMPDIR/env.ini"
	mkdir -p "$HOME/.config/batch" "$BATS_TEST_TMPDIR/cwd"
	printf '[g]\nfrom-home =\n' >"$HOME/.config/batch/inventory.ini"
	printf '[g]\nfrom-cwd =\n' >"$BATS_TEST_TMPDIR/cwd/inventory.ini"
	cd "$BATS_TEST_TMPDIR/cwd"
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/env.ini
	expect_choice from-env -- -g g
	unset BATCH_INVENTORY
	expect_choice from-cwd -- -g g
	# Somebody else could have put it there for us to find.
	chmod 666 inventory.ini
	batch_bare -g g -list
	expect_status 2
	expect_match "$err" 'inventory.ini: found here, .*name it with -i'
	batch_bare -i inventory.ini -g g -list
	expect_status 0
	if [ "$(id -u)" -eq 0 ]; then
		chmod 600 inventory.ini
		mv inventory.ini ours.ini
		ln -s ours.ini inventory.ini
		chown -h nobody inventory.ini
		batch_bare -g g -list
		expect_status 2
		expect_match "$err" 'inventory.ini: found here, '
	fi
	rm inventory.ini
	expect_choice from-home -- -g g
}

@test "several -i merge" {
	printf '[one]\na =\n[both]\nb1 =\n' >"$BATS_TEST_TMPDIR/1.ini"
	printf '[two]\nc =\n[both]\nb2 =\n' >"$BATS_TEST_TMPDIR/2.ini"
	expect_choice a c b1 b2 -- -i "$BATS_TEST_TMPDIR/1.ini" \
	    -i "$BATS_TEST_TMPDIR/2.ini" -g one,two,both
}

@test "an inventory that is absent is an error that names it" {
	batch -i "$BATS_TEST_TMPDIR/absent.ini" -h a -list
	expect_status 2
	expect_match "$err" 'absent\.ini'
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/absent2.ini
	batch -h a -list
	expect_status 2
	expect_match "$err" 'absent2\.ini'
}

@test "hosts that are in no inventory can be given with user and port" {
	write_inventory <<-END
	[defaults]
	identity_file = $LAB_DIR/id_ed25519
	END
	batch -h "$LAB_USER@127.77.0.1:$LAB_PORT" -cmd 'echo "$LAB_HOST"'
	expect_status 0
	[ "$(cut -d' ' -f 2- "$out")" = web01 ]
}

# expect_runs_on LAB-HOST: "web01" of the inventory on stdin is that lab host.
expect_runs_on() {
	write_inventory
	batch -h web01 -cmd 'echo "$LAB_HOST"' -connect-timeout 20
	expect_status 0
	expect_output "web01: $1"
}

@test "precedence: [host] over member line over group * over [defaults]" {
	local base="[defaults]
user = $LAB_USER
port = $LAB_PORT
identity_file = $LAB_DIR/id_ed25519"
	printf '%s\n' "$base" 'address = 127.77.0.1' '[web]' 'web01 =' |
	    expect_runs_on web01
	printf '%s\n' "$base" 'address = 127.77.0.1' '[web]' \
	    '* = address=127.77.0.2' 'web01 =' | expect_runs_on web02
	printf '%s\n' "$base" 'address = 127.77.0.1' '[web]' \
	    '* = address=127.77.0.2' 'web01 = address=127.77.0.3' |
	    expect_runs_on web03
	printf '%s\n' "$base" 'address = 127.77.0.1' '[web]' \
	    '* = address=127.77.0.2' 'web01 = address=127.77.0.3' \
	    '[host web01]' 'address = 127.77.0.4' | expect_runs_on web04
}

@test "precedence: the command line is above all" {
	write_inventory <<-END
	[defaults]
	identity_file = $LAB_DIR/absent
	[web]
	web01 = address=127.77.0.1 port=1 user=nobody
	[host web01]
	port = 2
	END
	batch -h web01 -port "$LAB_PORT" -user "$LAB_USER" \
	    -identity "$LAB_DIR/id_ed25519" -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web01: web01'
}

@test "the group * of a group that contains groups reaches their members" {
	write_inventory <<-END
	[inner]
	web01 = address=127.77.0.1
	[outer]
	* = port=$LAB_PORT user=$LAB_USER identity_file=$LAB_DIR/id_ed25519
	@inner =
	END
	batch -g outer -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web01: web01'
}

@test "two groups that disagree over a host: an error that names both" {
	expect_rejected web01 alpha beta port <<-'END'
	[alpha]
	* = port=22
	web01 =
	[beta]
	* = port=2222
	web01 =
	[web]
	web01 =
	END
}

@test "two groups may disagree over what the host sets itself" {
	write_inventory <<-'END'
	[alpha]
	* = port=22
	web01 =
	[beta]
	* = port=2222
	web01 =
	[host web01]
	port = 22022
	END
	expect_choice web01 -- -g alpha
}

@test "an unknown setting is an error with file, section, key and proposal" {
	expect_rejected web01 adress 'did you mean.*address' <<-'END'
	[web]
	web01 = adress=10.0.0.1
	END
	expect_rejected '\[?defaults' usr 'did you mean.*user' <<-'END'
	[defaults]
	usr = root
	[web]
	web01 =
	END
	expect_rejected 'host web01' prot 'did you mean.*port' <<-'END'
	[web]
	web01 =
	[host web01]
	prot = 22
	END
}

@test "a bad port is an error that names it" {
	local port
	for port in 0 65536 -1 ssh 22x ''; do
		expect_rejected web01 port <<-END
		[web]
		web01 = port=$port
		END
	done
}

@test "an empty or reversed range in a group is an error" {
	expect_rejected 'web\[20-01\]' <<-'END'
	[web]
	web[20-01] =
	END
	expect_rejected 'web\[\]' <<-'END'
	[web]
	web[] =
	END
}

@test "an undefined group in a group is an error" {
	expect_rejected nosuch '\[?web' <<-'END'
	[web]
	web01 =
	@nosuch =
	END
}

@test "a cycle of groups is an error that names them" {
	expect_rejected web loop <<-'END'
	[web]
	@loop =
	web01 =
	[loop]
	@web =
	END
}

@test "a line without = is an error" {
	expect_rejected web01 <<-'END'
	[web]
	web01
	END
}

@test "a line too long for the parser is an error, not a cut value" {
	expect_rejected . <<-END
	[web]
	web01 = user=$(printf '%02000d' 0)
	END
	# Nor by continuation lines.
	expect_rejected . <<-END
	[web]
	web01 = user=$(printf '%0900d' 0) \\
	  identity_file=$(printf '%0900d' 0)
	END
}

@test "a : in a section name is an error or works, but hides nothing" {
	write_inventory <<-'END'
	[web]
	web01 =
	[a:b]
	web02 =
	END
	batch -h '*' -list
	if [ "$status" -eq 0 ]; then
		expect_lines web01 web02
	else
		expect_status 2
		expect_match "$err" 'a:b'
	fi
}

@test "a quoted value may hold ; and #" {
	write_inventory <<-END
	[web]
	web01 =
	[host web01]
	address = 127.77.0.1
	port = $LAB_PORT
	user = $LAB_USER
	identity_file = "$BATS_TEST_TMPDIR/a;b #c"
	END
	cp "$LAB_DIR/id_ed25519" "$BATS_TEST_TMPDIR/a;b #c"
	batch -h web01 -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'web01: web01'
}

@test "an inventory with passwords that others may read is refused" {
	write_inventory <<-'END'
	[web]
	web01 =
	[host web01]
	password = secret
	END
	chmod 644 "$BATCH_INVENTORY"
	batch -g web -list
	expect_status 2
	expect_match "$err" 'chmod 600'
	expect_no_match "$err" secret
	chmod 600 "$BATCH_INVENTORY"
	expect_choice web01 -- -g web
}

@test "a host needs no group" {
	write_inventory <<-END
	[host lonely]
	address = 127.77.0.1
	port = $LAB_PORT
	user = $LAB_USER
	identity_file = $LAB_DIR/id_ed25519
	END
	batch -h lonely -cmd 'echo "$LAB_HOST"'
	expect_status 0
	expect_output 'lonely: web01'
}

@test "the report names a host's groups" {
	write_inventory <<-END
	[defaults]
	user = $LAB_USER
	port = $LAB_PORT
	identity_file = $LAB_DIR/id_ed25519
	[web]
	web01 = address=127.77.0.1
	[all]
	@web =
	END
	batch -g all -cmd true
	expect_status 0
	expect_result web01 ok '.groups | tostring | test("web") and test("all")'
}

@test "10,000 hosts in an inventory are listed" {
	{
		echo '[many]'
		seq -f 'n%05g = port=2200' 10000
	} | write_inventory
	export BATCH_INVENTORY=$BATS_TEST_TMPDIR/inventory.ini
	expect_folded 'n[00001-10000]' -g many
}
