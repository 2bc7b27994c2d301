use rldeck_core::shard::{Report, Severity};

use super::Trainer;
use crate::{
    checkpoint::{self, Checkpoint},
    device::Device,
    say,
};

impl Trainer {
    /// Saves the last trained rollout unless it is on disk already. A failure stops nothing.
    pub(super) fn save_if_newer(&mut self) {
        let (Some(root), Some(done)) = (self.config.save.clone(), self.done.clone()) else { return };
        if self.saved == Some(done.rollout) {
            return;
        }
        let learner = &self.learner;
        let moments = (learner.device.download(&learner.moments.0), learner.device.download(&learner.moments.1));
        let checkpoint = Checkpoint { progress: done, weights: learner.device.download(&learner.params), moments };
        let rollout = checkpoint.progress.rollout;
        match checkpoint::save(&root, &learner.model, &checkpoint) {
            Ok(saved) => {
                self.saved = Some(rollout);
                say!("saved checkpoint of rollout {rollout} to {} ({} bytes)", saved.path.display(), saved.bytes);
                let path = std::path::absolute(&saved.path).unwrap_or(saved.path).display().to_string();
                self.report.report(Report::Checkpoint { rollout, path, bytes: saved.bytes });
            }
            Err(error) => {
                let interval = self.config.step.save_interval;
                let text = format!(
                    "cannot save iter_{rollout:07} to {}: {error}; training goes on, next try in {interval} rollouts",
                    root.display()
                );
                self.report.notice(Severity::Error, text);
            }
        }
    }
}
