//! The terminal, borrowed and given back as it was: at the end, after an error, and after a panic.

use std::{
    io::{self, Stdout, Write},
    sync::{Mutex, Once, PoisonError},
    thread::ThreadId,
};

use crossterm::{
    cursor::{Hide, Show},
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute,
    style::ResetColor,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{Terminal, backend::CrosstermBackend};

/// The thread that draws, while the console has the screen.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);
/// Last words of other threads, to be said when the screen is given back.
static LATER: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The screen while the console has it.
pub(super) struct Screen {
    pub(super) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the screen, and sees to it that a panic gives it back.
    pub(super) fn take() -> io::Result<Screen> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                let owner = OWNER.lock().map(|owner| *owner).unwrap_or_default();
                if owner.is_some_and(|owner| owner != std::thread::current().id()) {
                    // The console goes on: what another thread says must not be written into its picture.
                    LATER.lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
                } else {
                    give_back();
                    before(info);
                }
            }));
        });
        *OWNER.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current().id());
        enter().inspect_err(|_| give_back())?;
        Ok(Screen { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))? })
    }

    /// Back to the shell until it is continued.
    #[cfg(unix)]
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        enter()?;
        self.terminal.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
        *OWNER.lock().unwrap_or_else(PoisonError::into_inner) = None;
        for said in LATER.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            eprintln!("{said}");
        }
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, Hide)
}

/// Undoes all of [`enter`], step by step: what fails does not keep the rest from being undone.
fn give_back() {
    let mut out = io::stdout();
    let _ = execute!(out, DisableBracketedPaste, DisableMouseCapture, ResetColor, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}
