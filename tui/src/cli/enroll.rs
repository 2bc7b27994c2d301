use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use clap::Args;
use rldeck_agent::{
    bootstrap::UNREACHED,
    home::Home,
    identity::{self, Grant, Request},
};

use super::{Failure, say};

/// A grant is far smaller.
const MOST: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(super) struct Enroll {
    /// Name of this node in jobs
    #[arg(long)]
    node: String,
}

impl Enroll {
    /// Prints a request for a certificate, waits for it on stdin, keeps it, and looks whether the controller lets it in. The
    /// key is made here and stays here.
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        rldeck_core::host::is_name(&self.node).map_err(|why| format!("`{}` is no name of a node: {why}", self.node))?;
        let request = Request::new(&self.node)?;
        let mut out = io::stdout().lock();
        let printed = out.write_all(request.pem.as_bytes()).and_then(|()| out.flush());
        drop(out);
        printed.map_err(|error| format!("the request cannot be printed: {error}"))?;
        let mut answer = Vec::new();
        let read = io::stdin().take(MOST).read_to_end(&mut answer);
        read.map_err(|error| format!("no certificate has come: {error}"))?;
        if answer.is_empty() {
            return Err(
                "no certificate has come: this command is run by `rldeck up` on the controller's machine".to_owned()
            );
        }
        let grant: Grant =
            serde_json::from_slice(&answer).map_err(|error| format!("what came is no grant: {error}"))?;
        let member = request.accept(grant, &home)?;
        let mut whys = Vec::new();
        for address in member.controllers() {
            match identity::connect(&member, *address).await {
                Ok(_) => {
                    say(format!("{} is enrolled with the controller at {address}", self.node));
                    return Ok(ExitCode::SUCCESS);
                }
                Err(why) => whys.push(why),
            }
        }
        eprintln!("rldeck: {}", whys.join("; "));
        Ok(ExitCode::from(UNREACHED))
    }
}
