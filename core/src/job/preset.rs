//! Models by name: the `[model]` table of a file, written once.
//!
//! Megatron reads the shape of a model from arguments, never from a checkpoint. A file names it above its tables,
//! `model = "deepseek-v3"`, or, where it changes something, `preset = "deepseek-v3"` below `[model]`.

use super::{
    document::{self, Item, Raw},
    layer::Layer,
};
use crate::{argument::quoted, finding::Finding, nearest::nearest};

const PRESETS: [(&str, &str); 2] =
    [("deepseek-v3", include_str!("presets/deepseek-v3.toml")), ("qwen3-4b", include_str!("presets/qwen3-4b.toml"))];

/// All models: name and text, a `[model]` table with comments.
pub fn presets() -> &'static [(&'static str, &'static str)] {
    &PRESETS
}

/// The text of a model.
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The layer of the model that a file names; an empty one when the name is wrong, which is reported.
pub(super) fn layer(item: &Item, findings: &mut Vec<Finding>) -> Layer {
    let text = match &item.raw {
        Raw::Text(name) => match preset(name) {
            Some(text) => match document::parse(text, &format!("model {name}")) {
                Ok(document) => return Layer::new(document, findings),
                Err(errors) => {
                    findings.extend(errors);
                    return Layer::default();
                }
            },
            None => unknown(name),
        },
        // No preset, whatever is below.
        Raw::Bool(false) => return Layer::default(),
        other => format!("{} is {}: write {} = \"deepseek-v3\"", item.key, other.described(), item.key),
    };
    findings.push(Finding::error(Some(item.place.clone()), text));
    Layer::default()
}

fn unknown(name: &str) -> String {
    let names = PRESETS.iter().map(|(name, _)| *name);
    let quoted = quoted(name);
    match nearest(name, names.clone()) {
        Some(meant) => format!("the model {quoted} is unknown: did you mean {meant}?"),
        None => {
            let names = names.collect::<Vec<_>>().join(", ");
            format!("the model {quoted} is unknown: there is {names}; write others out below [model]")
        }
    }
}
