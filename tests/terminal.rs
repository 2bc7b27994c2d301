use std::{
    io::{Read, Write},
    num::NonZero,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::rig::{ENDLESS, RLDECK, Rig, signal};

fn sized(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).unwrap()
}

/// A real terminal with the console in it.
struct Terminal {
    screen: Arc<Mutex<vt100::Parser>>,
    /// Everything that was ever written to it.
    raw: Arc<Mutex<Vec<u8>>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    fn open(rig: &Rig, columns: u16, rows: u16, args: &[&str]) -> Terminal {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(RLDECK);
        command.args(args);
        command.env("RLDECK_HOME", rig.home());
        command.env("TERM", "xterm-256color");
        command.cwd(rig.home());
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(sized(rows), sized(columns), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let (to, all) = (Arc::clone(&screen), Arc::clone(&raw));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                to.lock().unwrap().process(&buffer[..read]);
                all.lock().unwrap().extend_from_slice(&buffer[..read]);
            }
        });
        Terminal { screen, raw, keys: pair.master.take_writer().unwrap(), child, master: pair.master }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        // A key that comes right after Esc is taken for a key with Alt.
        thread::sleep(Duration::from_millis(if keys == "\x1b" { 150 } else { 0 }));
    }

    fn until(&self, rig: &Rig, what: &str, patience: Duration, seen: impl Fn(&str) -> bool) {
        rig.until(&format!("on the screen: {what}"), patience, |_| seen(&self.text()).then_some(()));
    }

    /// The terminal is as it was before: main screen, cursor shown, no mouse.
    fn is_restored(&self) -> bool {
        let raw = self.raw.lock().unwrap();
        let last = |on: &[u8], off: &[u8]| {
            let at = |what: &[u8]| raw.windows(what.len()).rposition(|part| part == what);
            at(off) > at(on)
        };
        last(b"\x1b[?1049h", b"\x1b[?1049l") && last(b"\x1b[?25l", b"\x1b[?25h") && last(b"\x1b[?1006h", b"\x1b[?1006l")
    }
}

#[test]
fn start_see_reward_restart_by_key_see_attempt_two_quit_and_the_job_runs_on() {
    let rig = Rig::new();
    let job = rig.write("job.toml", ENDLESS);
    let mut terminal = Terminal::open(&rig, 120, 40, &["up", job.to_str().unwrap()]);
    terminal
        .until(&rig, "reward", Duration::from_secs(90), |text| text.contains("reward") && text.contains("rollout 2"));
    terminal.until(&rig, "it is running", Duration::from_secs(10), |text| {
        text.contains("running") && text.contains("attempt 1")
    });
    terminal.press("r");
    terminal.until(&rig, "what will die", Duration::from_secs(2), |text| {
        ["trainer", "rollout-0", "rollout-1", "node1"].iter().all(|name| text.contains(name))
            && text.to_lowercase().contains("restart")
    });
    terminal.press("\r");
    terminal.until(&rig, "attempt 2", Duration::from_secs(15), |text| {
        text.contains("attempt 2") && text.contains("running")
    });
    // The other views, then out.
    for (key, wanted) in [("5", "Logs"), ("6", "Tune"), ("9", "Events"), ("?", "keys"), ("\x1b", ""), ("1", "reward")] {
        terminal.press(key);
        terminal
            .until(&rig, wanted, Duration::from_secs(3), |text| text.to_lowercase().contains(&wanted.to_lowercase()));
    }
    terminal.press("q");
    let status = terminal.child.wait().unwrap();
    assert!(status.success(), "{status:?}");
    rig.until("the terminal is restored", Duration::from_secs(2), |_| terminal.is_restored().then_some(()));
    rig.rollouts(2);
    assert_eq!((&rig.status()["state"], &rig.status()["attempt"]), (&"running".into(), &2.into()));
}

#[test]
fn any_size_is_survived_and_sigterm_restores_the_terminal() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    let mut terminal = Terminal::open(&rig, 10, 3, &["attach"]);
    terminal.until(&rig, "anything", Duration::from_secs(5), |text| !text.trim().is_empty());
    for (columns, rows) in [(1, 1), (200, 60), (80, 24), (10, 3), (300, 5), (3, 100), (80, 24)] {
        terminal.screen.lock().unwrap().screen_mut().set_size(sized(rows), sized(columns));
        terminal.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        ["1", "5", "6", "9", "?", "\x1b", "r", "\x1b"].iter().for_each(|key| {
            terminal.press(key);
            thread::sleep(Duration::from_millis(20));
        });
    }
    terminal.press("1");
    terminal.until(&rig, "the run", Duration::from_secs(3), |text| text.contains("running"));
    signal(terminal.child.process_id().unwrap(), "-15");
    terminal.child.wait().unwrap();
    rig.until("the terminal is restored", Duration::from_secs(2), |_| terminal.is_restored().then_some(()));
    assert_eq!(rig.status()["state"], "running");
}
