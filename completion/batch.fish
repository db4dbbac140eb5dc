# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of @PROGRAM@ for fish; @PROGRAM@ itself knows what is offered.

function __@PROGRAM@_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l candidates ($words[1] --complete $words[2..-1] "$last" 2>/dev/null)
    set -l result $status
    if set -q candidates[1]
        printf '%s\n' $candidates
    end
    if test $result -ne 0
        __fish_complete_path "$last"
    end
end

complete -c @PROGRAM@ -f -a '(__@PROGRAM@_complete)'
