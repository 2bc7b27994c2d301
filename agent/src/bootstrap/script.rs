//! What is run on hosts: fixed texts for any POSIX shell. What differs comes as arguments, what is secret on no command line.

/// Where files can be, what is there, on what machine. `$1`: the home that was asked for, or nothing. `$2`: the pid of the
/// agent that is connected, or nothing. `umask` first: nobody else may look into what is made.
pub(super) const PROBE: &str = r#"
umask 077
home=$1
case $home in
  "") home=${RLDECK_HOME:-${XDG_STATE_HOME:-$HOME/.local/state}/rldeck} ;;
  "~/"*) home=$HOME/${home#??} ;;
esac
mkdir -p "$home/bin" || exit 1
probe="$home/bin/probe.$$"
: > "$probe" || exit 1
rm -f "$probe"
echo "rldeck-home $home"
echo "rldeck-machine $(uname -m)"
binary="$home/bin/rldeck"
if [ -x "$binary" ]; then
  echo "rldeck-size $(wc -c < "$binary")"
  hash=$(sha256sum < "$binary" 2>/dev/null) && echo "rldeck-hash ${hash%% *}"
  if [ -n "$2" ] && [ "/proc/$2/exe" -ef "$binary" ]; then echo "rldeck-runs $2"; fi
fi
exit 0
"#;

/// The binary comes on stdin. `$1`: the home. `$2`: the host, for several may share a file system. `$3`: how many bytes it
/// must be, for a broken connection looks like an end. It is put in its place when it has run there.
pub(super) const INSTALL: &str = r#"
umask 077
aside="$1/bin/rldeck.$2.$$"
trap 'rm -f "$aside"' EXIT
cat > "$aside" || exit 1
[ "$(wc -c < "$aside")" -eq "$3" ] || { echo "short of $3 bytes: $(wc -c < "$aside") have come" >&2; exit 1; }
chmod 700 "$aside" || exit 1
"$aside" --version || exit 126
mv -f "$aside" "$1/bin/rldeck"
"#;

/// Asks for a certificate on stdout, is given it on stdin.
pub(super) const ENROL: &str = r#"exec "$1/bin/rldeck" --home "$1" enroll --node "$2""#;

/// Sees to it that an agent of this binary runs.
pub(super) const START: &str = r#"exec "$1/bin/rldeck" --home "$1" agent --node "$2" --detach"#;

/// What the agent said last.
pub(super) const LOG: &str = r#"tail -n 3 "$1/$2.log""#;
