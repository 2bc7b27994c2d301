//! The words behind `train.py` to arguments, each in its group.

use super::{
    eval::{Launch, behind},
    value::{Field, Hole, Piece, Text},
};
use crate::{
    argument::{Group, find},
    finding::{Finding, Place},
    job::{Set, Value},
};

/// More errors than this help nobody.
const MOST: usize = 20;

/// One argument.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) group: Group,
    pub(super) name: String,
    pub(super) values: Vec<Text>,
    pub(super) place: Place,
}

/// The arguments of a launch.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// In the order of the groups, and within one in that of the script.
    pub(super) list: Vec<Argument>,
    /// `--actor-num-nodes`.
    pub(super) nodes: Option<(u32, Place)>,
    /// `--actor-num-gpus-per-node`.
    pub(super) gpus: Option<(u32, Place)>,
    /// `--colocate`.
    pub(super) colocate: Option<Place>,
}

impl Arguments {
    pub(super) fn new(launch: &Launch, findings: &mut Vec<Finding>) -> Arguments {
        let mut list: Vec<Argument> = Vec::new();
        let mut errors = Vec::new();
        for field in &launch.arguments {
            let field = spelt(field);
            if let Some(hole) = field.text.first_hole() {
                let name = list.last().map_or("an argument", |argument| &argument.name);
                errors.push(Finding::error(Some(field.place.clone()), open(name, hole)));
                if let Some(argument) = list.last_mut() {
                    argument.values.push(field.text);
                }
                continue;
            }
            match field.text.pieces().first() {
                Some(Piece::Plain(text)) if text.starts_with("--") && text.len() > 2 => {
                    let name = text[2..].split('=').next().unwrap_or_default().to_owned();
                    let value = text.contains('=').then(|| behind(&field, name.len() + 3).text);
                    let group = group(&field, &name);
                    list.push(Argument { group, name, values: value.into_iter().collect(), place: field.place });
                }
                _ => match list.last_mut() {
                    Some(argument) => argument.values.push(field.text),
                    None => {
                        let found = crate::argument::quoted(&field.text.seen().unwrap_or_default());
                        let text = format!("{found} stands before all arguments: arguments begin with --");
                        errors.push(Finding::error(Some(field.place), text));
                    }
                },
            }
        }
        errors.truncate(MOST);
        let mut arguments = Arguments::default();
        let list = arguments.cluster(list, &mut errors);
        findings.append(&mut errors);
        arguments.list = once(list, findings);
        arguments.list.sort_by_key(|argument| argument.group);
        arguments
    }

    /// Takes out what stands in `[cluster]`.
    fn cluster(&mut self, list: Vec<Argument>, errors: &mut Vec<Finding>) -> Vec<Argument> {
        let mut rest = Vec::new();
        for argument in list {
            let Argument { name, values, place, .. } = &argument;
            let count = match values.as_slice() {
                [value] => value.known().ok().and_then(|text| text.parse().ok()).filter(|count| *count > 0),
                _ => None,
            };
            match (name.as_str(), count) {
                ("actor-num-nodes", Some(count)) => self.nodes = Some((count, place.clone())),
                ("actor-num-gpus-per-node", Some(count)) => self.gpus = Some((count, place.clone())),
                // Reported already.
                ("actor-num-nodes" | "actor-num-gpus-per-node", None)
                    if values.iter().any(|value| value.first_hole().is_some()) => {}
                ("actor-num-nodes" | "actor-num-gpus-per-node", None) => {
                    errors.push(Finding::error(Some(place.clone()), format!("--{name} must be a whole number")));
                }
                ("colocate", _) => self.colocate = Some(place.clone()),
                _ => rest.push(argument),
            }
        }
        rest
    }

    /// As a job holds them.
    pub(super) fn sets(&self) -> Vec<Set> {
        let set = |argument: &Argument| {
            let mut texts: Vec<String> = argument.values.iter().filter_map(|text| text.known().ok()).collect();
            let value = match texts.len() {
                0 => Value::Flag,
                1 => Value::One(texts.remove(0)),
                _ => Value::Many(texts),
            };
            Set { group: argument.group, name: argument.name.clone(), value }
        };
        self.list.iter().map(set).collect()
    }
}

/// What to say about a hole in a value.
pub(super) fn open(name: &str, hole: &Hole) -> String {
    let place = if hole.unset { String::new() } else { format!(" ({})", hole.place) };
    let give = match &hole.give {
        Some(name) => format!("give it with --set {name}=VALUE"),
        None => "rldeck runs nothing of the script: write the value there".to_owned(),
    };
    let name = if name.contains(' ') { name.to_owned() } else { format!("--{name}") };
    format!("{name} uses {}{place}: {give}", hole.why)
}

/// A given variable may hold the name of an argument.
fn spelt(field: &Field) -> Field {
    match (field.text.pieces().first(), field.text.known()) {
        (Some(Piece::Given { value, .. }), Ok(text)) if value.starts_with('-') => {
            Field { text: Text::plain(text), ..field.clone() }
        }
        _ => field.clone(),
    }
}

/// The group of the array that an argument stands in, or else that of the catalogue.
fn group(field: &Field, name: &str) -> Group {
    let own = match field.from.as_deref() {
        Some("MODEL_ARGS") => Some(Group::Model),
        Some("CKPT_ARGS" | "CHECKPOINT_ARGS") => Some(Group::Checkpoint),
        Some("ROLLOUT_ARGS") => Some(Group::Rollout),
        Some("OPTIMIZER_ARGS") => Some(Group::Optimizer),
        Some("GRPO_ARGS") => Some(Group::Grpo),
        Some("WANDB_ARGS") => Some(Group::Wandb),
        Some("PERF_ARGS") => Some(Group::Perf),
        Some("EVAL_ARGS") => Some(Group::Eval),
        Some("SGLANG_ARGS") => Some(Group::Sglang),
        Some("MISC_ARGS") => Some(Group::Misc),
        _ => None,
    };
    // SGLang's names are full ones in the script; below [sglang] a name without the prefix would be given one.
    own.or_else(|| Some(find(name)?.group)).filter(|group| fits(*group, name)).unwrap_or(Group::Misc)
}

/// Whether a name keeps its meaning in the table of a group.
fn fits(group: Group, name: &str) -> bool {
    group != Group::Sglang || name.starts_with("sglang-") || find(name).is_some()
}

/// What stands twice: the later holds, and it must still be the later one where the groups are put in order.
fn once(list: Vec<Argument>, findings: &mut Vec<Finding>) -> Vec<Argument> {
    let mut kept: Vec<Argument> = Vec::new();
    for argument in list.into_iter().rev() {
        let later: Vec<&Argument> = kept.iter().filter(|later| later.name == argument.name).collect();
        // Only [misc] may repeat what another table says, and then it holds.
        let may = match later.as_slice() {
            [] => true,
            [one] => one.group == Group::Misc && argument.group != Group::Misc,
            _ => false,
        };
        if may {
            kept.push(argument);
        } else {
            let holds = later.iter().find(|later| later.group == argument.group).or(later.first());
            let holds = holds.map_or_else(String::new, |later| later.place.to_string());
            let text = format!("--{} stands again at {holds}, which holds: this one is left out", argument.name);
            findings.push(Finding::warning(Some(argument.place), text));
        }
    }
    kept.reverse();
    kept
}
