//! How the layers are dealt to the pipeline's stages.

use super::sizes::count;
use crate::job::Job;

/// Layers of each stage, the way Megatron deals them: `first` and `last` where they are given, the rest evenly over
/// the stages between. An `Err` says why it does not go.
pub fn deal(layers: u64, stages: u64, first: Option<u64>, last: Option<u64>) -> Result<Vec<u64>, String> {
    let given = u64::from(first.is_some()) + u64::from(last.is_some());
    if given == 0 {
        return match layers % stages {
            0 => Ok(vec![layers / stages; room(stages)]),
            rest => Err(format!(
                "{layers} layers over {stages} stages leave {rest}: write decoder-last-pipeline-num-layers{}",
                suggested(layers, stages).map(|last| format!(" = {last}")).unwrap_or_default()
            )),
        };
    }
    if stages == 1 {
        return Err("there is one stage, which has all layers: leave out decoder-first- and \
                    decoder-last-pipeline-num-layers"
            .to_owned());
    }
    let ends = first.unwrap_or(0).saturating_add(last.unwrap_or(0));
    let Some(rest) = layers.checked_sub(ends) else {
        return Err(format!("the first and last stage have {ends} layers, more than the {layers} of the model"));
    };
    let middle = stages - given.min(stages);
    let each = match (rest, middle) {
        (0, 0) => 0,
        (rest, 0) => return Err(format!("{rest} of {layers} layers are in no stage: the ends have {ends}")),
        (0, middle) => return Err(format!("the ends have all {layers} layers: nothing is left for {middle} stages")),
        (rest, middle) if rest % middle != 0 => {
            return Err(format!(
                "{layers} layers less {ends} are {rest}, which {middle} stages cannot share evenly{}",
                suggested(layers, stages)
                    .map(|last| format!(": decoder-last-pipeline-num-layers = {last} alone goes"))
                    .unwrap_or_default()
            ));
        }
        (rest, middle) => rest / middle,
    };
    let mut dealt: Vec<u64> = first.into_iter().collect();
    dealt.extend(std::iter::repeat_n(each, room(middle)));
    dealt.extend(last);
    Ok(dealt)
}

/// Layers of the last stage that leave the others equal and are nearest to them, from below.
fn suggested(layers: u64, stages: u64) -> Option<u64> {
    let each = layers.div_ceil(stages);
    let last = layers.checked_sub(each * (stages - 1)).filter(|last| *last > 0);
    last.or_else(|| layers.checked_sub((layers / stages) * (stages - 1)).filter(|last| *last < layers))
}

/// No job has more stages; a slip of the keyboard must not fill the memory.
fn room(stages: u64) -> usize {
    usize::try_from(stages.min(65_536)).unwrap_or(0)
}

/// Arguments that deal the layers in ways that are not known here.
pub(crate) const OTHER: [&str; 3] =
    ["pipeline-model-parallel-layout", "account-for-embedding-in-pipeline-split", "account-for-loss-in-pipeline-split"];

/// Layers of each stage of a job; `None` when it does not say how many there are, or deals them in a way of its own.
pub(crate) fn of(job: &Job) -> Option<Result<Vec<u64>, String>> {
    let layers = count(job, "num-layers")?;
    if OTHER.iter().any(|name| job.value(name).is_some()) {
        return None;
    }
    let (first, last) =
        (count(job, "decoder-first-pipeline-num-layers"), count(job, "decoder-last-pipeline-num-layers"));
    let stages = super::Sizes::of(job).pp;
    Some(deal(layers, stages, first, last))
}
