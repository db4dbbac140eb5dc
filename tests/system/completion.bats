#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# completion: what bash, zsh and fish make of a line when TAB is pressed.

load helper

setup() {
	write_inventory <<-'END'
	[web_clusters]
	web01 = address=127.77.9.1
	web02 = address=127.77.9.2
	[db_servers]
	db01 = address=127.77.9.3
	[gateways]
	gate.example.com = address=127.77.9.4
	END
	PATH=$top_builddir/src:$PATH
	lines=$BATS_TEST_TMPDIR/lines
	cd "$BATS_TEST_TMPDIR" || return
}

# type_lines COMMAND...: on a terminal, type what stands on stdin into the
# shell, a TAB behind each line. What the lines became goes to $lines. The
# prompt of the shell is READY, the number of the line and ">", as it shows the
# prompt again with a line that is noted.
type_lines() {
	local line number=1
	local -a keys=()
	while IFS= read -r line; do
		# ^T notes the line, ^U forgets it.
		keys+=(-e "READY$number>" -s "$line"$'\t\x14\x15')
		number=$((number + 1))
	done
	: >"$lines"
	TERM=vt100 on_terminal "${keys[@]}" -e "READY$number>" -s exit -- "$@"
	expect_status 0
}

bash_lines() {
	cat >rc <<-END
	PROMPT_COMMAND='number=\$((number + 1))'
	PS1='READY\$number> '
	HISTFILE=
	note() { printf '%s\n' "\$READLINE_LINE" >>'$lines'; }
	bind -x '"\\C-t": note'
	bind 'set bell-style none'
	. '$top_builddir/completion/batch_run.bash'
	. '$top_builddir/completion/batch_scp.bash'
	END
	type_lines bash --noprofile --rcfile rc -i
}

zsh_lines() {
	cat >.zshrc <<-END
	setopt prompt_subst
	precmd() { number=\$((number + 1)); }
	PS1='READY\$number> '
	note() { print -r -- "\$BUFFER" >>'$lines'; }
	zle -N note
	bindkey '^T' note
	fpath=('$top_builddir/completion' \$fpath)
	autoload -Uz compinit
	compinit -u -D
	END
	ZDOTDIR=$PWD type_lines zsh -d -i
}

# fish LINE: the candidates of the line's end, without descriptions.
fish_candidates() {
	fish --no-config -c '
	    source $argv[1]/completion/batch_run.fish
	    source $argv[1]/completion/batch_scp.fish
	    complete -C $argv[2]' "$top_builddir" "$1" 2>"$err" |
	    cut -f 1 >"$out"
	[ ! -s "$err" ] || { dump; return 1; }
}

# offers WORD...: what batch_run prints for them, without descriptions.
offers() {
	batch_bare --complete "$@"
	[ ! -s "$err" ] || { dump; return 1; }
	sed -i 's/	.*//' "$out"
}

expect_completed() {
	diff <(printf '%s\n' "$@") "$lines" || {
		dump
		return 1
	}
}

@test "options are offered with what they do" {
	batch_bare --complete -fan
	expect_status 0
	expect_match "$out" '^-fanout	hosts at once'
	offers --conn
	expect_output --connect-timeout
	offers ''
	expect_line "$out" -g
	expect_line "$out" -print-config
}

@test "every option of --help-all is offered" {
	batch_bare -help-all
	option_names | sed 's/.* //; s/^/-/' | sort >expected
	[ "$(wc -l <expected)" -gt 40 ]
	offers -
	diff expected <(sort "$out")
}

@test "words, hosts, groups and lists of them are offered" {
	offers -color a
	expect_output auto always
	offers -h=w
	expect_output -h=web01 -h=web02
	offers -h 'web01,db01!g'
	expect_output 'web01,db01!gate.example.com'
	offers -h 'root@db'
	expect_output root@db01
	offers -h 'web01,@w'
	expect_output 'web01,@web_clusters'
	offers -g 'web_clusters,d'
	expect_output web_clusters,db_servers
	offers -x WEB
	expect_output web01 web02
	offers -output live
	expect_output live live,fold
	offers -output f
	expect_output fold
	offers -diff WEB
	expect_output web01 web02
	offers -diff=d
	expect_output -diff=db01
}

@test "-rerun is offered statuses, then files" {
	batch_bare --complete -rerun fail
	expect_status 1
	expect_output failed
	offers -rerun failed,un
	expect_output failed,unreachable
	offers -rerun=m
	expect_output -rerun=missing
	# What follows them is the report.
	batch_bare --complete -rerun failed fail
	expect_status 1
	expect_output
}

@test "nothing is offered inside of a range, or where anything may stand" {
	offers -h 'web[01,0'
	expect_output
	offers -cmd w
	expect_output
	offers -nonsense=w
	expect_output
}

@test "an option is offered where the one before needs no value" {
	offers -diff -fano
	expect_output -fanout
	offers -diff -g we
	expect_output web_clusters
}

@test "a path is left to the shell" {
	local option
	for option in -report -metrics -outdir; do
		batch_bare --complete $option x
		expect_status 1
		expect_output
	done
	batch_bare --complete -script x -- y
	expect_status 1
}

@test "the inventory on the line counts, and that of batch.conf" {
	printf '[other]\nhidden =\n' >other.ini
	offers -i other.ini -h ''
	expect_output hidden
	printf '[batch]\ninventory = other.ini\n' >batch.conf
	chmod 600 batch.conf
	offers -config batch.conf -g o
	expect_output other
}

@test "what is broken has no candidates and no message" {
	echo 'no section' >"$BATCH_INVENTORY"
	offers -h ''
	expect_output
	offers -h '' -nonsense -i absent.ini -fanout many -h w
	expect_output
}

@test "groups that a shell would not take as they are are not offered" {
	write_inventory <<-'END'
	[a$(reboot)]
	web01 =
	[b;reboot]
	web01 =
	[web]
	web01 =
	END
	offers -g ''
	expect_output all web
	offers -h @
	expect_output @all @web
}

@test "each host of a large inventory is offered" {
	{ echo '[big]'; seq -f 'node%05.0f =' 10000; } >"$BATCH_INVENTORY"
	offers -h 'web01,node'
	[ "$(grep -c '^web01,node[0-9]*$' "$out")" -eq 10000 ]
}

@test "bash completes options, words, hosts, groups and files" {
	touch site.tar lost.jsonl
	bash_lines <<-'END'
	batch_run -rerun fail
	batch_run -rerun failed,unr
	batch_run -rerun lost.
	batch_run -rerun failed lo
	batch_run -connect-t
	batch_run -host-key acc
	batch_run --color=nev
	batch_run -g web_clusters -h db
	batch_run -g db_servers,web
	batch_run -h root@db
	batch_run -h web01,gate
	batch_run -cmd "df -h
	batch_scp -action put -local si
	batch_run -report=si
	batch_scp -acti
	END
	expect_completed 'batch_run -rerun failed ' \
	    'batch_run -rerun failed,unreachable ' \
	    'batch_run -rerun lost.jsonl ' \
	    'batch_run -rerun failed lost.jsonl ' \
	    'batch_run -connect-timeout ' \
	    'batch_run -host-key accept-new ' 'batch_run --color=never ' \
	    'batch_run -g web_clusters -h db01 ' \
	    'batch_run -g db_servers,web_clusters ' \
	    'batch_run -h root@db01 ' 'batch_run -h web01,gate.example.com ' \
	    'batch_run -cmd "df -h' 'batch_scp -action put -local site.tar ' \
	    'batch_run -report=site.tar ' 'batch_scp -action '
}

@test "zsh completes options, words, hosts, groups and files" {
	command -v zsh >/dev/null || skip "zsh is missing"
	touch site.tar lost.jsonl
	zsh_lines <<-'END'
	batch_run -rerun fail
	batch_run -rerun failed lo
	batch_run -connect-t
	batch_run -host-key acc
	batch_run --color=nev
	batch_run -g web_clusters -h db
	batch_run -g db_servers,web
	batch_run -h root@db
	batch_run -h web01,gate
	batch_scp -action put -local si
	batch_scp -acti
	END
	expect_completed 'batch_run -rerun failed ' \
	    'batch_run -rerun failed lost.jsonl ' \
	    'batch_run -connect-timeout ' \
	    'batch_run -host-key accept-new ' 'batch_run --color=never ' \
	    'batch_run -g web_clusters -h db01 ' \
	    'batch_run -g db_servers,web_clusters ' \
	    'batch_run -h root@db01 ' 'batch_run -h web01,gate.example.com ' \
	    'batch_scp -action put -local site.tar ' 'batch_scp -action '
}

@test "fish completes options, words, hosts, groups and files" {
	command -v fish >/dev/null || skip "fish is missing"
	touch site.tar lost.jsonl
	fish_candidates 'batch_run -rerun failed,unr'
	expect_output failed,unreachable
	fish_candidates 'batch_run -rerun failed lo'
	expect_output lost.jsonl
	fish_candidates 'batch_run -connect-t'
	expect_output -connect-timeout
	fish_candidates 'batch_run -host-key acc'
	expect_output accept-new
	fish_candidates 'batch_run --color=nev'
	expect_output --color=never
	fish_candidates 'batch_run -g web_clusters -h db'
	expect_output db01
	fish_candidates 'batch_run -g db_servers,web'
	expect_output db_servers,web_clusters
	fish_candidates 'batch_run -h root@db'
	expect_output root@db01
	fish_candidates 'batch_scp -action put -local si'
	expect_output site.tar
	fish_candidates 'batch_scp -acti'
	expect_output -action
}
