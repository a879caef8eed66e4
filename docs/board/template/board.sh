#!/bin/sh
# The two programs of the board. Both read submissions from git, never from the working tree.
#
#   sh board.sh check BASE HEAD   check the submission that HEAD adds or changes since BASE:
#                                 exit code 0 accepted, 1 a rule is broken, 5 damaged or hostile
#   sh board.sh build OUT [REV]   write the site of all submissions of REV, with their history
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
word='[A-Za-z0-9][A-Za-z0-9_-]*'

# take REV NAME: the files of a submission as they are in a commit, below $work/taken.
take() {
  rm -rf "$work/taken"
  mkdir "$work/taken"
  git archive "$1" "submissions/$2" | tar -x -f - -C "$work/taken"
}

# gather REV RESULTS [NAME]: every version of every submission but NAME's, oldest first, as one
# results folder.
gather() {
  git ls-tree -d --name-only "$1" submissions/ | sed 's|^submissions/||' | while read -r name; do
    [ "$name" != "${3:-}" ] || continue
    git log --reverse --format=%H "$1" -- "submissions/$name" | while read -r commit; do
      git cat-file -e "$commit:submissions/$name/bundle.json" 2>/dev/null || continue
      take "$commit" "$name"
      bench import benchbench "$work/taken/submissions/$name" --source "$name" --results "$2" < /dev/null
    done
  done
}

check() {
  changed=$(git diff --name-only --no-renames "$1...$2")
  others=$(printf '%s\n' "$changed" | grep -v "^submissions/$word/[^.]" || true)
  hidden=$(printf '%s\n' "$changed" | grep '/\.' || true)
  names=$(printf '%s\n' "$changed" | sed -n "s|^submissions/\($word\)/.*|\1|p" | sort -u)
  if [ -n "$others$hidden" ]; then
    echo "A submission changes files below submissions/NAME/ only. It changes also:" >&2
    printf '%s\n' "$others" "$hidden" >&2
    return 1
  fi
  if [ "$(printf '%s\n' "$names" | wc -l)" -ne 1 ]; then
    echo "One submission at a time, please: $names" >&2
    return 1
  fi
  git show "$1:board.toml" > "$work/board.toml"
  git show "$1:allowed_signers" > "$work/allowed_signers"
  gather "$1" "$work/board" "$names"
  take "$2" "$names"
  set -- "$work/taken/submissions/$names" --rules "$work/board.toml" --junit check.xml --html check.html
  [ -d "$work/board" ] && set -- "$@" --board "$work/board"
  [ -s "$work/allowed_signers" ] && set -- "$@" --allowed-signers "$work/allowed_signers"
  bench check "$@"
}

build() {
  gather "${2:-HEAD}" "$work/results"
  bench report "$work/results" --out "$1" --audio none
}

command=$1
shift
"$command" "$@"
