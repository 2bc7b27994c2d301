use std::collections::BTreeMap;

use rldeck_core::{
    argument::{self, Applies},
    job::Engine,
};
use rldeck_engine::{ARGUMENTS, Applies as Takes};

/// What the catalogue says of the built-in engine is what the engine does.
#[test]
fn the_catalogue_and_the_built_in_engine_agree() {
    let said: BTreeMap<&str, Applies> = argument::catalogue()
        .iter()
        .filter(|argument| argument.embedded)
        .map(|argument| (argument.name, argument.applies(Engine::Embedded)))
        .collect();
    for argument in ARGUMENTS {
        // These name the shard and its place, not the job.
        if ["rank", "exchange", "rollout-shards"].contains(&argument.name) {
            continue;
        }
        let Some(applies) = said.get(argument.name) else { panic!("`{}` is not in the catalogue", argument.name) };
        let agree = match argument.applies {
            Takes::Step => matches!(applies, Applies::Live | Applies::NextSave | Applies::NextRollout),
            Takes::Rollout => *applies == Applies::NextRollout,
            Takes::Restart => *applies == Applies::Restart,
        };
        assert!(
            agree,
            "`{}` applies at the {}, the engine takes it at {:?}",
            argument.name,
            applies.label(),
            argument.applies
        );
    }
    for name in said.keys() {
        assert!(ARGUMENTS.iter().any(|argument| argument.name == *name), "the engine does not know `{name}`");
    }
}
