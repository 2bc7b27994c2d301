//! One training process: where it runs and which part it has.

use serde::Serialize;

/// A rank of training. Nodes are counted in the order of their addresses, as slime places them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Rank {
    /// Its number in the whole of training.
    pub rank: u32,
    /// Its node.
    pub node: u32,
    /// Its GPU on that node.
    pub gpu: u32,
    /// Its part of each matrix.
    pub tp: u32,
    /// Its part of each sequence.
    pub cp: u32,
    /// Its replica of what is not an expert.
    pub dp: u32,
    /// Its stage.
    pub pp: u32,
    /// Its part of each expert's matrices.
    pub etp: u32,
    /// Its share of the experts.
    pub ep: u32,
    /// Its replica of the experts.
    pub edp: u32,
    /// There is more than one replica, which the label then tells apart.
    #[serde(skip)]
    pub(super) replicas: bool,
}

impl Rank {
    /// How the console writes it: `r96 pp3 tp0 cp0 ep0`, with `dp` where there are several.
    pub fn label(&self) -> String {
        let Rank { rank, pp, tp, cp, ep, dp, .. } = self;
        let replica = if self.replicas { format!(" dp{dp}") } else { String::new() };
        format!("r{rank} pp{pp} tp{tp} cp{cp}{replica} ep{ep}")
    }

    /// Its parts alone, the way processes are listed: `tp3 cp3 pp0 ep27`, with `dp` where there are several.
    pub fn parts(&self) -> String {
        let Rank { pp, tp, cp, ep, dp, .. } = self;
        let replica = if self.replicas { format!(" dp{dp}") } else { String::new() };
        format!("tp{tp} cp{cp}{replica} pp{pp} ep{ep}")
    }
}
