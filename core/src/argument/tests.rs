use std::collections::BTreeSet;

use super::*;

#[test]
fn every_name_is_there_once_and_its_default_is_allowed() {
    let mut seen = BTreeSet::new();
    for argument in catalogue() {
        assert!(seen.insert(argument.name), "{} is there twice", argument.name);
        assert!(!argument.help.is_empty() && !argument.help.contains('\n'), "{}", argument.name);
        if let Some(default) = argument.default {
            assert_eq!(argument.check(default), Ok(()));
        }
        assert_eq!(find(argument.name), Some(argument));
        assert_eq!(nearest(argument.name), Some(argument.name));
    }
}

#[test]
fn groups_stand_in_the_order_of_a_launch_script() {
    let mut groups: Vec<Group> = catalogue().iter().map(|argument| argument.group).collect();
    groups.dedup();
    assert_eq!(groups, Group::ALL);
    for group in Group::ALL {
        assert_eq!(Group::from_name(group.name()), Some(group));
    }
}

#[test]
fn a_refusal_says_what_is_wrong_and_what_is_allowed() {
    let refused = |name: &str, value: &str| find(name).unwrap().check(value).unwrap_err();
    assert_eq!(refused("lr", "fast"), "lr is \"fast\": it must be a number from 0 to 10");
    assert_eq!(refused("lr", "nan"), "lr is \"nan\": it must be a number from 0 to 10");
    assert_eq!(
        refused("n-samples-per-prompt", "-1"),
        "n-samples-per-prompt is -1: it must be a whole number, at least 1"
    );
    assert_eq!(refused("norm-epsilon", "0"), "norm-epsilon is 0: it must be a number above 0");
    assert_eq!(refused("use-kl-loss", "yes"), "use-kl-loss is \"yes\": it must be true or false");
    assert_eq!(refused("save", " "), "save is \" \": it must be a path");
    assert_eq!(
        refused("kl-loss-type", "low_var"),
        "kl-loss-type is \"low_var\": it must be one of k1, k2, k3, low_var_kl"
    );
    assert_eq!(
        refused("advantage-estimator", "gpro"),
        "advantage-estimator is \"gpro\": it must be one of grpo, gspo, cispo, reinforce_plus_plus, \
         reinforce_plus_plus_baseline, ppo (did you mean grpo?)"
    );
    assert!(refused("lr", &"9x".repeat(5000)).len() < 200);
    assert!(!refused("lr", "\u{1b}[2J").contains('\u{1b}'));
}

#[test]
fn the_engines_differ_in_when_a_change_applies() {
    let applies = |name: &str| {
        let argument = find(name).unwrap();
        (argument.applies(Engine::Slime).label(), argument.applies(Engine::Embedded).label())
    };
    assert_eq!(applies("lr"), ("live", "live"));
    assert_eq!(applies("rollout-temperature"), ("next rollout", "next rollout"));
    assert_eq!(applies("save-interval"), ("restart", "next save"));
    assert_eq!(applies("eval-interval"), ("restart", "next rollout"));
    assert_eq!(applies("rollout-batch-size"), ("restart", "next rollout"));
    assert_eq!(applies("hidden-size"), ("restart", "restart"));
}

#[test]
fn the_tune_view_has_what_the_built_in_engine_reads() {
    let shown: Vec<&str> = catalogue().iter().filter(|argument| argument.tunable).map(|a| a.name).collect();
    for name in
        ["lr", "rollout-temperature", "eps-clip", "eps-clip-high", "kl-loss-coef", "entropy-coef", "save-interval"]
    {
        assert!(shown.contains(&name), "{name}");
    }
    assert!(catalogue().iter().filter(|argument| argument.tunable).all(|argument| argument.embedded));
    for argument in catalogue() {
        assert_eq!(argument.shown(Engine::Embedded), argument.tunable, "{}", argument.name);
    }
}

#[test]
fn with_slime_the_tune_view_has_all_that_needs_no_restart() {
    let shown = |name: &str| find(name).unwrap().shown(Engine::Slime);
    for argument in catalogue() {
        let soon = argument.applies(Engine::Slime) != Applies::Restart;
        assert!(!soon || shown(argument.name), "{}", argument.name);
        assert!(!(argument.built_in_only && shown(argument.name)), "{}", argument.name);
    }
    // Common changes are shown though slime must be restarted for them; the layout of the ranks is not.
    assert!(shown("save-interval") && shown("rollout-batch-size"));
    assert!(!shown("tensor-model-parallel-size") && !shown("cold-start"));
}

/// When slime takes a change in, argument by argument: what is live in it was read from its source.
#[test]
fn slime_takes_changes_in_at_these_moments() {
    let named = |applies: Applies| -> BTreeSet<&str> {
        let all = catalogue().iter().filter(|argument| argument.applies(Engine::Slime) == applies);
        all.map(|argument| argument.name).collect()
    };
    let list = |text: &'static str| text.split_whitespace().collect::<BTreeSet<&str>>();
    assert_eq!(
        named(Applies::Live),
        list(
            "lr min-lr weight-decay clip-grad adam-beta1 adam-beta2 adam-eps eps-clip eps-clip-high eps-clip-c entropy-coef \
             kl-loss-coef kl-loss-type tis-clip tis-clip-low opsm-delta value-clip ref-update-interval"
        )
    );
    assert_eq!(
        named(Applies::NextRollout),
        list(
            "kl-coef gamma lambd rollout-temperature rollout-top-k rollout-stop rollout-stop-token-ids \
             rollout-max-response-len over-sampling-batch-size dynamic-sampling-filter-path partial-rollout \
             global-batch-size max-tokens-per-gpu balance-data sglang-server-concurrency rm-type rm-url group-rm \
             reward-key custom-rm-path custom-reward-post-process-path reset-optimizer-states eval-prompt-data \
             eval-input-key eval-label-key eval-reward-key eval-tool-key n-samples-per-eval-prompt eval-temperature \
             eval-top-p eval-top-k eval-min-new-tokens eval-max-response-len eval-max-prompt-len eval-max-context-len"
        )
    );
    assert_eq!(
        named(Applies::NextSave),
        list("save-hf no-save-optim no-save-rng save-debug-rollout-data save-debug-train-data dump-details")
    );
}
