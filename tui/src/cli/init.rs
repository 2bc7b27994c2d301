use std::process::ExitCode;

use clap::Args;
use rldeck_core::{job, nearest::nearest};

use super::{Failure, say};

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Name of the recipe; without it, the names of all
    recipe: Option<String>,
}

impl Init {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let names = || job::recipes().iter().map(|(name, _)| *name);
        match self.recipe {
            None => names().for_each(say),
            Some(name) => match job::recipe(&name) {
                Some(text) => say(text.trim_end()),
                None => {
                    let near =
                        nearest(&name, names()).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    return Err(format!("there is no recipe `{name}`{near}"));
                }
            },
        }
        Ok(ExitCode::SUCCESS)
    }
}
