# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
#
# scp: what the tests of batch_scp share. To be loaded after helper.
#
# The hosts are this machine, so what is sent can be looked at: tests send from
# the working directory, a new one, to $far.

batch_run=$top_builddir/src/batch_scp

# To be called in setup.
scp_setup() {
	far=$BATS_TEST_TMPDIR/far
	mkdir "$far" "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here" || return
}

# A lab whose login is no root: a user of its own if we are root, with its home
# in login_home. To be called in setup_file; setup calls skip_if_told.
scp_user_up() {
	if [ "$(id -u)" -ne 0 ]; then
		lab_up "$BATS_FILE_TMPDIR/lab" -n 2
		login_home=$(getent passwd "$(id -u)" | cut -d: -f 6)
		export login_home
		return
	fi
	temp_user_add || return 0
	export login_home=$temp_home
	local keys=$temp_home/authorized_keys
	lab_up "$BATS_FILE_TMPDIR/lab" -n 2 -o "AllowUsers $temp_user" \
	    -o "AuthorizedKeysFile $keys"
	cp "$LAB_DIR/authorized_keys" "$keys"
	chown "$temp_user" "$keys"
	sed -i "s/^user .*/user = $temp_user/" "$LAB_DIR/inventory.ini"
}

# To be called in teardown_file.
scp_user_down() {
	[ ! -d "$BATS_FILE_TMPDIR/lab" ] || lab_down "$BATS_FILE_TMPDIR/lab"
	temp_user_del
}

put() {
	batch -h web01 -action put "$@"
}

put_start() {
	batch_start -h web01 -action put "$@"
}

# forced_key COMMAND: a key whose logins all get that command, for -k.
forced_key() {
	local key
	key=$(mktemp -u "$BATS_TEST_TMPDIR/key.XXXXXX")
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$key" </dev/null
	echo "command=\"$1\" $(cat "$key.pub")" >>"$LAB_DIR/authorized_keys"
	echo "$key"
}

sha256() {
	sha256sum <"$1" | cut -d' ' -f 1
}

# write_random FILE BYTES
write_random() {
	head -c "$2" /dev/urandom >"$1"
}

# Our temporaries below the directory $1, those of size bytes or more that find
# takes, such as +64k.
temporaries() {
	find "$1" -name '.batch_scp.*' ${2:+-size "$2"}
}

has_temporary() {
	[ -n "$(temporaries "$@")" ]
}

# expect_no_temporaries DIRECTORY
expect_no_temporaries() {
	not has_temporary "$1" || {
		echo "left behind:"
		temporaries "$1"
		dump
		return 1
	}
}

# expect_same FILE COPY
expect_same() {
	cmp "$1" "$2" || {
		dump
		return 1
	}
}

# expect_same_tree TREE COPY: names, contents, links; not modes.
expect_same_tree() {
	diff -r --no-dereference "$1" "$2" || {
		dump
		return 1
	}
}

# expect_old_or_new OLD NEW FILE: the file is the one or the other.
expect_old_or_new() {
	cmp -s "$1" "$3" || cmp -s "$2" "$3" || {
		echo "neither old nor new: $(ls -l "$3")"
		dump
		return 1
	}
}

# expect_stat FORMAT VALUE FILE
expect_stat() {
	[ "$(stat -c "$1" "$3")" = "$2" ] || {
		echo "expected $1 of $3: $2, is $(stat -c "$1" "$3")"
		dump
		return 1
	}
}

# expect_text FILE TEXT...: each stands in it, whatever it holds.
expect_text() {
	local file=$1 text
	shift
	for text in "$@"; do
		LC_ALL=C grep -qaFe "$text" "$file" || {
			echo "not in ${file##*/}: $text"
			dump
			return 1
		}
	done
}

# listing DIRECTORY: all in it, with what would tell of a change.
listing() {
	find "$1" -printf '%P %y %m %s %T@ %i %l\n' | sort
}

# The processes of the lab's sshd that serve connections, not those that listen.
session_pids() {
	local pids
	pids=$(cat "$LAB_DIR"/sshd.*.pid | paste -sd, -)
	while pids=$(pgrep -d, -P "$pids"); do
		echo "${pids//,/ }"
	done
}
