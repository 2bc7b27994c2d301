//! `rldeck`: the console, the command line, the agent, all in one binary.

mod cli;
mod console;
mod link;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
