import type { ProgramName } from '../invocation.ts';
import type { Shell } from './shell.ts';

/*
 * What each shell is told once. The scripts know nothing of the commands: they ask the program at each Tab, so that
 * they are never out of date. It answers with a line that says what follows (`words`, `files`, `folders`) and then a
 * candidate a line. No script evaluates what it is given: names of processes are other people's words.
 */

/** bash 4.4 or newer keeps the order of candidates; older ones sort them. */
function bashScript(program: ProgramName): string {
  return `# bash completion for ${program}

_${program}_complete() {
  local -a answer
  mapfile -t answer < <(
    command ${program} __complete --shell bash -- "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null
  )
  case "\${answer[0]-}" in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
  esac
  COMPREPLY=("\${answer[@]:1}")
}

complete -o nosort -F _${program}_complete ${program} 2>/dev/null || complete -F _${program}_complete ${program}
`;
}

/** Good for `source` after compinit, and for a file \`_faultline\` in a folder of $fpath. */
function zshScript(program: ProgramName): string {
  return `#compdef ${program}

_${program}() {
  local -a answer described
  local line value tab=$'\\t'
  local -a typed=("\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}")
  answer=("\${(@f)$(command ${program} __complete --shell zsh -- "\${(@)typed}" 2>/dev/null)}")
  case "\${answer[1]}" in
    files) compset -P '--*='; _files; return ;;
    folders) compset -P '--*='; _files -/; return ;;
  esac
  # _describe takes value:description, and a backslash before a colon or backslash that is part of the value.
  for line in "\${(@)answer[2,-1]}"; do
    value="\${line%%\${tab}*}"
    described+=("\${\${value//\\\\/\\\\\\\\}//:/\\\\:}\${\${line#\${value}}/\${tab}/:}")
  done
  _describe -V ${program} described
}

if [[ "\${funcstack[1]}" == _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi
`;
}

function fishScript(program: ProgramName): string {
  return `# fish completion for ${program}

function __${program}_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (command ${program} __complete --shell fish -- $words[2..] "$current" 2>/dev/null)
    switch "$answer[1]"
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current"
        case words
            for line in $answer[2..]
                printf '%s\\n' $line
            end
    end
end

complete -c ${program} -f -k -a '(__${program}_complete)'
`;
}

/** The script that teaches a shell to complete a program's commands. */
export function completionScript(shell: Shell, program: ProgramName): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](program);
}
