use std::process::ExitCode;

use clap::Args;
use rldeck_agent::home::Home;
use rldeck_core::{
    date::Date,
    deck::{CheckpointStatus, Deck},
    forecast::gigabytes,
};
use serde_json::{Value, json};

use super::{Failure, say, table::aligned};
use crate::link::Client;

/// The complete checkpoints of the run.
#[derive(Debug, Args)]
pub(super) struct Checkpoints {
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Checkpoints {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let deck = Client::connect(&home).await?.deck().await?;
        match self.json {
            true => say(json(&deck).to_string()),
            false => words(&deck).iter().for_each(say),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn json(deck: &Deck) -> Value {
    let checkpoints = deck.checkpoints.values().map(|CheckpointStatus { rollout, path, bytes, said, chosen }| {
        json!({ "rollout": rollout, "path": path, "bytes": bytes, "said": said, "chosen": chosen })
    });
    json!({ "run": deck.run.id, "checkpoints": checkpoints.collect::<Vec<_>>() })
}

/// One a line, the newest last.
fn words(deck: &Deck) -> Vec<String> {
    if deck.run.id.is_empty() {
        return vec!["no run".to_owned()];
    }
    if deck.checkpoints.is_empty() {
        return vec![format!("{} has no complete checkpoint yet", deck.run.id)];
    }
    let row = |CheckpointStatus { rollout, path, bytes, said, chosen }: &CheckpointStatus| {
        let size = if *bytes == 0 { "?".to_owned() } else { gigabytes(*bytes) };
        let mark = if *chosen { "<- the next attempt goes on from here" } else { "" };
        vec![
            format!("after rollout {rollout}"),
            size,
            format!("{} UTC", Date::utc(*said).text()),
            path.clone(),
            mark.to_owned(),
        ]
    };
    let mut lines = aligned(&deck.checkpoints.values().map(row).collect::<Vec<_>>(), &[0, 1]);
    if deck.checkpoints.len() > 1 {
        lines.push("`rldeck restart --from ROLLOUT` goes on from another one".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use rldeck_core::deck::{Change, RunStatus};

    use super::*;

    #[test]
    fn the_one_to_go_on_from_is_marked() {
        let mut deck = Deck::default();
        assert_eq!(words(&deck), ["no run"]);
        deck.apply(Change::Run(RunStatus { id: "r".into(), ..RunStatus::default() }));
        assert_eq!(words(&deck), ["r has no complete checkpoint yet"]);
        for (rollout, bytes, chosen) in [(9, 0, false), (119, 9_394_369_868_800, true)] {
            let path = format!("/s/iter_{rollout:07}");
            deck.apply(Change::Checkpoint(CheckpointStatus { rollout, path, bytes, said: 1_795_458_600_000, chosen }));
        }
        let expected = [
            "  after rollout 9        ?  2026-11-23 18:30:00 UTC  /s/iter_0000009",
            "after rollout 119  9.39 TB  2026-11-23 18:30:00 UTC  /s/iter_0000119  <- the next attempt goes on from here",
            "`rldeck restart --from ROLLOUT` goes on from another one",
        ];
        assert_eq!(words(&deck), expected);
        assert_eq!(json(&deck)["checkpoints"][1]["chosen"], true);
    }
}
