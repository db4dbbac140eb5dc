#compdef @PROGRAM@
# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of @PROGRAM@ for zsh; @PROGRAM@ itself knows what is offered.

local text
local -a lines names

if ! text=$(${(Q)words[1]/#\~\//$HOME/} --complete \
    "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null); then
	_files
	return
fi
[[ -n $text ]] || return 1
lines=("${(@f)text}")
names=("${(@)lines%%$'\t'*}")
if [[ $text == *$'\t'* ]]; then
	lines=("${(@)lines/$'\t'/  -- }")
	compadd -l -d lines -a names
else
	compadd -a names
fi
