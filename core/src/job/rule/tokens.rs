//! Lengths of prompts and responses, and the passes that they are packed into.

use super::{Case, Law, law::Scope};

const CAP: &str = "max-tokens-per-gpu";
const PACKED: &str = "use-dynamic-batch-size";
const RESPONSE: &str = "rollout-max-response-len";
const PROMPT: &str = "rollout-max-prompt-len";
const CONTEXT: &str = "rollout-max-context-len";

/// The longest sample as far as it is bounded, and how that is written out.
fn longest(case: &Case<'_>) -> Option<(u64, String)> {
    let response = case.count(RESPONSE)?;
    let (mut longest, mut written) = match case.count(PROMPT) {
        Some(prompt) => (prompt.saturating_add(response), format!("prompt {prompt} + response {response}")),
        None => (response, format!("response {response}, and its prompt")),
    };
    if let Some(context) = case.count(CONTEXT).filter(|context| *context < longest) {
        (longest, written) = (context, format!("context {context}"));
    }
    Some((longest, written))
}

pub(super) const LAWS: &[Law] = &[
    Law::error(Scope::Any, "tokens.limit", "passes of packed samples have a limit", &[PACKED, CAP], |case| {
        (case.flag(PACKED) && !case.set(CAP))
            .then(|| "use-dynamic-batch-size needs a limit: write max-tokens-per-gpu below [perf]".to_owned())
    }),
    Law::error(
        Scope::Slime,
        "tokens.balance",
        "work is balanced by operations only where samples are packed",
        &["balance-by-flops", PACKED],
        |case| {
            (case.flag("balance-by-flops") && !case.flag(PACKED)).then(|| {
                "balance-by-flops needs packed passes: write use-dynamic-batch-size = true below [perf]".to_owned()
            })
        },
    ),
    Law::warning(
        Scope::Megatron,
        "tokens.cap",
        "the longest sample fits into a pass",
        &[CAP, RESPONSE, PROMPT, CONTEXT, "context-parallel-size", PACKED],
        |case| {
            let (cap, cp) = (case.count(CAP).filter(|_| case.flag(PACKED))?, case.sizes.cp);
            let (longest, written) = longest(case)?;
            let room = cap.saturating_mul(cp);
            (room < longest).then(|| {
                format!(
                    "a sample can have {longest} tokens ({written}), but a pass has room for max-tokens-per-gpu x \
                     context-parallel-size = {cap} x {cp} = {room}: a longer sample is a pass of its own and may not \
                     fit into memory; write max-tokens-per-gpu = {}",
                    longest.div_ceil(cp)
                )
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "tokens.prompt",
        "the longest prompt leaves room for a response",
        &[PROMPT, CONTEXT],
        |case| {
            let (prompt, context) = (case.count(PROMPT)?, case.count(CONTEXT)?);
            (prompt >= context).then(|| {
                format!(
                    "rollout-max-prompt-len is {prompt}, but rollout-max-context-len {context}: write at most {}",
                    context - 1
                )
            })
        },
    ),
    Law::warning(
        Scope::Slime,
        "tokens.response",
        "the longest response fits into the context",
        &[RESPONSE, CONTEXT],
        |case| {
            let (response, context) = (case.count(RESPONSE)?, case.count(CONTEXT)?);
            (response >= context).then(|| {
                format!(
                    "rollout-max-response-len ({response}) is never reached: rollout-max-context-len ({context}) holds \
                     prompt and response together"
                )
            })
        },
    ),
    Law::error(
        Scope::Sglang,
        "tokens.engine-context",
        "the engines take the longest sample",
        &["sglang-context-length", RESPONSE, PROMPT, CONTEXT],
        |case| {
            let (room, (longest, written)) = (case.count("sglang-context-length")?, longest(case)?);
            (room < longest).then(|| {
                format!("sglang-context-length is {room}, but a sample can have {longest} tokens ({written}): write at least {longest}")
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "tokens.sequence",
        "a sequence can be cut into 2 x context parallel parts",
        &["seq-length", "context-parallel-size"],
        |case| {
            let (length, cp) = (case.count("seq-length").unwrap_or(4096), case.sizes.cp);
            let parts = cp.saturating_mul(2);
            (cp > 1 && !length.is_multiple_of(parts)).then(|| {
                format!(
                    "seq-length ({length}) is not a multiple of 2 x context-parallel-size = 2 x {cp} = {parts}: write {}",
                    length.checked_next_multiple_of(parts).unwrap_or(parts)
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "tokens.positions",
        "there are positions for the whole sequence",
        &["max-position-embeddings", "seq-length"],
        |case| {
            let (positions, length) =
                (case.whole("max-position-embeddings")?, case.count("seq-length").unwrap_or(4096));
            (positions < length).then(|| {
                format!(
                    "max-position-embeddings ({positions}) is less than seq-length ({length}): write at least {length}"
                )
            })
        },
    ),
];
