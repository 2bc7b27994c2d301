//! A rule as data: what it asks for, of which jobs, and the function that judges.

use super::Case;
use crate::{finding::Rule, shard::Severity};

/// Which jobs a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All.
    Any,
    /// Those of the built-in engine.
    BuiltIn,
    /// Those of slime.
    Slime,
    /// Those of slime that train.
    Megatron,
    /// Those of slime that have engines of their own.
    Sglang,
}

/// A rule and its judge.
#[derive(Clone, Copy)]
pub(super) struct Law {
    pub(super) rule: Rule,
    pub(super) scope: Scope,
    /// All that the judge looks at, what is most to blame first: a finding stands at the first that is written, and
    /// nothing is said when one of them could not be read.
    pub(super) names: &'static [&'static str],
    /// What is wrong and what to write instead, if anything.
    pub(super) judge: fn(&Case<'_>) -> Option<String>,
}

/// What [`Law::judge`] is.
pub(super) type Judge = fn(&Case<'_>) -> Option<String>;

impl Law {
    const fn new(
        severity: Severity,
        scope: Scope,
        id: &'static str,
        about: &'static str,
        names: &'static [&'static str],
        judge: Judge,
    ) -> Law {
        Law { rule: Rule { id, severity, about }, scope, names, judge }
    }

    /// A rule that keeps a job from being launched.
    pub(super) const fn error(
        scope: Scope,
        id: &'static str,
        about: &'static str,
        names: &'static [&'static str],
        judge: Judge,
    ) -> Law {
        Law::new(Severity::Error, scope, id, about, names, judge)
    }

    /// A rule that is broken at the operator's own risk.
    pub(super) const fn warning(
        scope: Scope,
        id: &'static str,
        about: &'static str,
        names: &'static [&'static str],
        judge: Judge,
    ) -> Law {
        Law::new(Severity::Warning, scope, id, about, names, judge)
    }

    /// Something that is good to know.
    pub(super) const fn info(
        scope: Scope,
        id: &'static str,
        about: &'static str,
        names: &'static [&'static str],
        judge: Judge,
    ) -> Law {
        Law::new(Severity::Info, scope, id, about, names, judge)
    }
}
