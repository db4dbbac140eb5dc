#compdef @PROGRAM@
# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of @PROGRAM@ for zsh; @PROGRAM@ itself knows what is offered.

local text is_path=false
local -a lines names

text=$(${(Q)words[1]/#\~\//$HOME/} --complete \
    "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null) || is_path=true
if [[ -z $text ]]; then
	$is_path && _files
	return
fi
lines=("${(@f)text}")
names=("${(@)lines%%$'\t'*}")
if [[ $text == *$'\t'* ]]; then
	lines=("${(@)lines/$'\t'/  -- }")
	compadd -l -d lines -a names
else
	compadd -a names
fi
$is_path && _files
return 0
