/// An argument group of a slime launch script, and a table of the job file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Architecture.
    Model,
    /// Where weights come from and go to.
    Checkpoint,
    /// Prompts, sampling, reward.
    Rollout,
    /// The step size and what goes with it.
    Optimizer,
    /// The loss.
    Grpo,
    /// Weights & Biases.
    Wandb,
    /// Parallel layout, recomputation, batching.
    Perf,
    /// Evaluation.
    Eval,
    /// The inference engines.
    Sglang,
    /// Everything else, and what overrides another group: it comes last.
    Misc,
}

impl Group {
    /// All of them, in the order of a slime launch script.
    pub const ALL: [Group; 10] = [
        Group::Model,
        Group::Checkpoint,
        Group::Rollout,
        Group::Optimizer,
        Group::Grpo,
        Group::Wandb,
        Group::Perf,
        Group::Eval,
        Group::Sglang,
        Group::Misc,
    ];

    /// Its table in the job file.
    pub fn name(self) -> &'static str {
        match self {
            Group::Model => "model",
            Group::Checkpoint => "checkpoint",
            Group::Rollout => "rollout",
            Group::Optimizer => "optimizer",
            Group::Grpo => "grpo",
            Group::Wandb => "wandb",
            Group::Perf => "perf",
            Group::Eval => "eval",
            Group::Sglang => "sglang",
            Group::Misc => "misc",
        }
    }

    /// The group with this [`Group::name`].
    pub fn from_name(name: &str) -> Option<Group> {
        Group::ALL.into_iter().find(|group| group.name() == name)
    }
}
