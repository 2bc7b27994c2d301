//! The terminal is given back, whatever happens: seen from the other end of a pty.

use std::io::Read;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::console::terminal::Screen;

const CHILD: &str = "RLDECK_PANICS_WITH_THE_SCREEN";

/// Does nothing by itself: the test below runs it in a terminal of its own.
#[test]
fn panics_with_the_screen() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let screen = Screen::take().unwrap();
    let other = std::thread::spawn(|| panic!("from another thread"));
    assert!(other.join().is_err());
    let _screen = screen;
    panic!("from the console itself");
}

#[test]
fn a_panic_gives_the_terminal_back() {
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "console::tests::hygiene::panics_with_the_screen", "--nocapture"]);
    command.env("RUST_BACKTRACE", "0");
    command.env(CHILD, "1");
    command.env("TERM", "xterm-256color");
    command.cwd(std::env::temp_dir());
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut raw = Vec::new();
    // Linux ends a pty with an error; what came before it counts.
    let _ = reader.read_to_end(&mut raw);
    assert!(!child.wait().unwrap().success());
    let said = String::from_utf8_lossy(&raw);
    let last = |what: &str| said.rfind(what).unwrap_or_else(|| panic!("no {what:?} in {said:?}"));
    for (on, off) in [("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?25l", "\x1b[?25h"), ("\x1b[?1006h", "\x1b[?1006l")] {
        assert!(last(on) < last(off), "{said:?}");
    }
    let left = said.find("\x1b[?1049l").unwrap();
    assert!(left < last("from the console itself"), "{said:?}");
    assert!(left < last("from another thread"), "{said:?}");
}
