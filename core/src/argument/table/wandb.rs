use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Wandb, name, kind, default, help)
}

const MODES: Kind = Kind::Choice(&["online", "offline", "disabled"]);

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("use-wandb",         FLAG,  "", "send metrics to Weights & Biases"),
    arg("wandb-mode",        MODES, "", "online, offline or disabled"),
    arg("wandb-dir",         PATH,  "", "where its files go"),
    arg("wandb-key",         TEXT,  "", "key of the account"),
    arg("wandb-host",        TEXT,  "", "address of the server"),
    arg("wandb-team",        TEXT,  "", "team"),
    arg("wandb-project",     TEXT,  "", "project"),
    arg("wandb-group",       TEXT,  "", "group of runs"),
    arg("wandb-run-id",      TEXT,  "", "run to go on with"),
    arg("disable-wandb-random-suffix", FLAG, "", "names of runs as given"),
    arg("wandb-always-use-train-step", FLAG, "", "count optimizer steps in every chart"),
    arg("use-tensorboard",   FLAG,  "", "write TensorBoard files"),
    arg("tb-project-name",   TEXT,  "", "their directory"),
    arg("tb-experiment-name", TEXT, "", "their run"),
];
