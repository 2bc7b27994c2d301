//! What is learned from: advantages, clips, the distance from the reference model, the step size.

use super::{Law, law::Scope};

pub(super) const LAWS: &[Law] = &[
    Law::warning(
        Scope::Any,
        "loss.kl-without-reference",
        "a distance that has a weight has a reference model",
        &["kl-loss-coef", "use-kl-loss"],
        |case| {
            let weight = case.weight("kl-loss-coef").filter(|_| !case.flag("use-kl-loss"))?;
            Some(format!(
                "kl-loss-coef is {weight}, but no reference model is loaded: write use-kl-loss = true below [grpo]"
            ))
        },
    ),
    Law::error(
        Scope::Any,
        "loss.kl-twice",
        "the distance counts in the reward or in the loss, not in both",
        &["kl-coef", "kl-loss-coef"],
        |case| {
            (case.weight("kl-coef").is_some() && case.weight("kl-loss-coef").is_some())
                .then(|| "only one of kl-coef and kl-loss-coef can be other than 0".to_owned())
        },
    ),
    Law::error(
        Scope::Any,
        "loss.reference",
        "a reference model has weights",
        &["use-kl-loss", "kl-coef", "ref-load", "engine"],
        |case| {
            let reference = case.flag("use-kl-loss") || case.weight("kl-coef").is_some();
            (reference && case.slime() && !case.set("ref-load")).then(|| {
                "the reference model has no weights: write ref-load = \"DIRECTORY\" below [checkpoint]".to_owned()
            })
        },
    ),
    Law::warning(
        Scope::Any,
        "loss.clip-order",
        "probabilities may rise at least as far as fall",
        &["eps-clip-high", "eps-clip"],
        |case| {
            let (low, high) = (case.job.number("eps-clip")?, case.job.number("eps-clip-high")?);
            (high < low).then(|| {
                format!(
                    "eps-clip-high ({high}) is less than eps-clip ({low}): probabilities may fall further than rise"
                )
            })
        },
    ),
    Law::error(
        Scope::Any,
        "loss.min-lr",
        "the least step size is not above the step size",
        &["min-lr", "lr"],
        |case| {
            let (low, high) = (case.job.number("min-lr")?, case.job.number("lr")?);
            (high < low).then(|| format!("min-lr ({low}) is greater than lr ({high})"))
        },
    ),
    Law::warning(
        Scope::Megatron,
        "loss.dropout",
        "nothing is dropped in training, for nothing is dropped in sampling",
        &["attention-dropout", "hidden-dropout"],
        |case| {
            let dropped = |name: &str| {
                let share = case.text(name).unwrap_or_else(|| "0.1".to_owned());
                (share.parse() != Ok(0.0_f64)).then(|| match case.set(name) {
                    true => format!("{name} is {share}"),
                    false => format!("{name} is not given and so {share}"),
                })
            };
            let found: Vec<_> = ["attention-dropout", "hidden-dropout"].into_iter().filter_map(dropped).collect();
            (!found.is_empty()).then(|| {
                format!(
                    "{}: training then computes other probabilities than the engines; write 0.0 for both below [misc]",
                    found.join(", ")
                )
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "loss.importance",
        "probabilities of the engines are either taken as they are or weighed",
        &["use-tis", "use-rollout-logprobs"],
        |case| {
            (case.flag("use-tis") && case.flag("use-rollout-logprobs")).then(|| {
                "use-tis weighs trainer against engine probability, which use-rollout-logprobs makes the same: keep \
                 one of them"
                    .to_owned()
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "loss.mismatch",
        "the difference of trainer and engines is reported by a function",
        &["get-mismatch-metrics", "custom-tis-function-path"],
        |case| {
            (case.flag("get-mismatch-metrics") && !case.set("custom-tis-function-path"))
                .then(|| "get-mismatch-metrics needs custom-tis-function-path, the function that reports".to_owned())
        },
    ),
    Law::error(
        Scope::Slime,
        "loss.normalized",
        "REINFORCE++ has normalised advantages",
        &["advantage-estimator", "normalize-advantages"],
        |case| {
            let estimator = case.text("advantage-estimator").filter(|name| name.starts_with("reinforce_plus_plus"))?;
            (!case.flag("normalize-advantages"))
                .then(|| format!("{estimator} needs normalize-advantages = true below [grpo]"))
        },
    ),
    Law::warning(
        Scope::Slime,
        "loss.cispo",
        "CISPO clips the weight of samples, not the step, so eps-clip is 1 or more",
        &["eps-clip", "advantage-estimator"],
        |case| {
            let clip = case.text("eps-clip")?.parse::<f64>().ok()?;
            (case.holds("advantage-estimator", "cispo") && clip < 1.0).then(|| {
                format!("eps-clip is {clip}, but with cispo it bounds a weight from below: write 1.0, so that only eps-clip-high bounds it")
            })
        },
    ),
    Law::warning(
        Scope::Slime,
        "loss.sampling",
        "samples are drawn from the probabilities that are trained",
        &["rollout-top-p", "rollout-top-k"],
        |case| {
            let cut = case.job.number("rollout-top-p").is_some_and(|share| share < 1.0);
            let few = case.job.number("rollout-top-k").is_some_and(|count| count > 0.0);
            (cut || few).then(|| {
                "rollout-top-p below 1 and rollout-top-k draw from other probabilities than those that are trained: \
                 write 1.0 and -1"
                    .to_owned()
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "loss.custom",
        "a loss of one's own is a function",
        &["loss-type", "custom-loss-function-path"],
        |case| {
            (case.holds("loss-type", "custom_loss") && !case.set("custom-loss-function-path"))
                .then(|| "loss-type = \"custom_loss\" needs custom-loss-function-path".to_owned())
        },
    ),
    Law::error(
        Scope::Slime,
        "loss.teacher",
        "distillation says which kind of teacher it has and where",
        &["use-opd", "opd-type", "opd-teacher-load"],
        |case| {
            let teacher = case.set("opd-teacher-load");
            let text = match (case.flag("use-opd"), case.job.value("opd-type").as_deref()) {
                (false, _) => teacher.then_some("opd-teacher-load does nothing without use-opd = true"),
                (true, None) => Some("use-opd needs opd-type: write \"megatron\" or \"sglang\""),
                (true, Some("megatron")) => {
                    (!teacher).then_some("opd-type = \"megatron\" needs opd-teacher-load, the teacher's weights")
                }
                (true, Some(_)) => teacher
                    .then_some("opd-teacher-load is for opd-type = \"megatron\": another teacher is served elsewhere"),
            };
            text.map(str::to_owned)
        },
    ),
    Law::error(
        Scope::Slime,
        "loss.frozen",
        "the trained weights are named, or the frozen ones",
        &["only-train-params-name-list", "freeze-params-name-list"],
        |case| {
            (case.set("only-train-params-name-list") && case.set("freeze-params-name-list"))
                .then(|| "only-train-params-name-list and freeze-params-name-list exclude each other".to_owned())
        },
    ),
];
