//! Memory of a node that trains: the optimizer where it is offloaded, and copies of the weights.

use super::{
    Group, Parameters, Term,
    gpu::width,
    number::grouped,
    share::{Replicas, Share},
};
use crate::{job::Job, layout::Layout};

/// What the GPUs of one node have together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Node {
    weights: u64,
    optimizer: u64,
    pairs: u64,
}

/// The node that has most of the optimizer.
fn fullest(layout: &Layout, shares: &[Share]) -> Node {
    let replicas = Replicas::of(layout);
    let mut nodes: Vec<Node> = Vec::new();
    for rank in layout.ranks() {
        let Some(share) = shares.get(rank.pp as usize) else { continue };
        let at = rank.node as usize;
        if nodes.len() <= at {
            nodes.resize(at + 1, Node::default());
        }
        nodes[at].weights += share.total();
        nodes[at].optimizer += share.optimizer(replicas);
        nodes[at].pairs += share.pairs;
    }
    nodes.into_iter().max_by_key(|node| (node.optimizer, node.weights)).unwrap_or_default()
}

/// All terms.
pub(super) fn terms(job: &Job, parameters: &Parameters, layout: &Layout, shares: &[Share]) -> Vec<Term> {
    let node = fullest(layout, shares);
    let (weights, optimizer) = (grouped(node.weights), grouped(node.optimizer));
    let mut terms = Vec::new();
    let mut host = |name: &str, bytes: u64, formula: String| terms.push(Term::new(Group::Host, name, bytes, formula));
    let offloaded = job.flag("optimizer-cpu-offload");
    let reference = job.flag("use-kl-loss") || job.number("kl-coef").is_some_and(|weight| weight != 0.0);
    let gradients = width(job, "main-params-dtype");
    if offloaded {
        let mut state = |name: &str, dtype: &str| {
            let bytes = width(job, dtype);
            host(name, node.optimizer * bytes, format!("{optimizer} parameters x {bytes} bytes"));
        };
        state("master weights, pinned", "main-params-dtype");
        state("first moment", "exp-avg-dtype");
        state("second moment", "exp-avg-sq-dtype");
        host(
            "gradients for the optimizer, pinned",
            node.optimizer * gradients,
            format!("{optimizer} parameters x {gradients} bytes"),
        );
        // The master weights are made of a pinned copy, whose memory PyTorch keeps for later.
        host(
            "first copy of the weights, kept by PyTorch",
            node.optimizer * 2,
            format!("{optimizer} parameters x 2 bytes"),
        );
    }
    host("weights of the actor, pinned", node.weights * 2, format!("{weights} parameters x 2 bytes"));
    if reference {
        host("weights of the reference model, pinned", node.weights * 2, format!("{weights} parameters x 2 bytes"));
    }
    if job.flag("keep-old-actor") {
        host("weights of the old actor, pinned", node.weights * 2, format!("{weights} parameters x 2 bytes"));
    }
    let copies = 1 + u64::from(reference) + u64::from(job.flag("keep-old-actor"));
    terms.extend(rounding(parameters, layout, node, if offloaded { Some(gradients) } else { None }, copies));
    let leaves = job.cluster.colocate || job.flag("offload") || job.flag("offload-train");
    if leaves {
        let each = 2 + width(job, "main-grads-dtype");
        terms.push(Term::new(
            Group::HostOffload,
            "weights and gradients while the engines have the GPUs",
            node.weights * each,
            format!(
                "{weights} parameters x (2 + {}) bytes, unless slime leaves these copies out (disable-param- and \
                 disable-grad-buffers-cpu-backup, which 0.3.1 sets)",
                each - 2
            ),
        ));
    }
    if job.value("save").is_some() {
        terms.push(Term::new(
            Group::HostSave,
            "weights on their way to a checkpoint",
            node.weights * 2,
            format!("{weights} parameters x 2 bytes"),
        ));
    }
    terms
}

/// PyTorch gives pinned memory in powers of two: what is lost on the matrices of experts, which are nearly all.
/// Where replicas share the optimizer its pieces have other sizes, and only the copies of the weights are counted.
fn rounding(parameters: &Parameters, layout: &Layout, node: Node, optimizer: Option<u64>, copies: u64) -> Option<Term> {
    let third = parameters.expert / layout.sizes().etp / 3;
    if node.pairs == 0 || third == 0 {
        return None;
    }
    let lost = |bytes: u64| bytes.next_power_of_two() - bytes;
    // A gated expert has two thirds of its weights in one matrix and one in the other.
    let pair = |each: u64| lost(2 * third * each) + lost(third * each);
    let optimizer = optimizer.filter(|_| layout.replicas().1 == 1);
    let states = optimizer.map_or(0, |each| 2 * pair(each) + pair(2));
    let bytes = node.pairs * (states + copies * pair(2));
    let formula = format!(
        "{} experts x (2 x {} for master weights and gradients + {} x {} for copies of 2 bytes)",
        grouped(node.pairs),
        grouped(optimizer.map_or(0, pair)),
        copies + u64::from(optimizer.is_some()),
        grouped(pair(2))
    );
    Some(Term::new(Group::Host, "pinned memory rounded up to powers of two", bytes, formula))
}
