# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Completion of @PROGRAM@ for bash; @PROGRAM@ itself knows what is offered.

_@PROGRAM@() {
	local rest=$COMP_LINE part candidates is_path=false last i
	local -a words=()

	# bash also splits at "=", ":" and "@"; here only blanks part words.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		part=${COMP_WORDS[i]}
		if ((i == 0)) || [[ $rest == [[:blank:]]* ]]; then
			rest=${rest#"${rest%%[![:blank:]]*}"}
			words+=("$part")
		else
			words[-1]+=$part
		fi
		rest=${rest#"$part"}
	done
	words=("${words[@]//[\"\'\\]/}")
	# bash replaces only what follows the last "=" or ":", or begins with
	# the last "@".
	last=${words[-1]}
	last=${last%"${last##*[=:@]}"}
	last=${last%@}
	[[ $COMP_WORDBREAKS == *[=:@]* ]] || last=

	candidates=$("${1/#\~/$HOME}" --complete "${words[@]:1}" \
	    2>/dev/null) || is_path=true
	if [[ -n $candidates ]]; then
		mapfile -t COMPREPLY <<<"$candidates"
		COMPREPLY=("${COMPREPLY[@]%%$'\t'*}")
		COMPREPLY=("${COMPREPLY[@]#"$last"}")
	fi
	$is_path || return
	if [[ -z $candidates ]]; then
		compopt -o default
		return
	fi
	# Words, then files: those of "default" come only if there are no words.
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY \
	    < <(compgen -f -- "${words[-1]#"$last"}")
	[[ ${#COMPREPLY[@]} -eq $(wc -l <<<"$candidates") ]] ||
		compopt -o filenames
}

complete -F _@PROGRAM@ @PROGRAM@
