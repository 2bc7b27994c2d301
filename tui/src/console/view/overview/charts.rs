use ratatui::layout::Rect;
use rldeck_core::deck::{Deck, Series};

use crate::console::{
    app::App,
    theme::Meaning,
    widget::{
        chart::{Chart, Curve},
        pen::Pen,
    },
};

/// A chart of the overview: the series that are there of those named, each with its name in the chart.
#[derive(Debug, PartialEq)]
pub(super) struct Spec {
    title: &'static str,
    unit: &'static str,
    series: &'static [(&'static str, &'static str)],
    /// The chart is there even before its first value.
    always: bool,
    colour: usize,
}

const REWARD: &str = "reward";
const EVALUATION: &str = "evaluation";

/// The most important first.
#[rustfmt::skip]
static SPECS: [Spec; 9] = [
    Spec { title: "reward", unit: "rollout", series: &[(REWARD, ""), (EVALUATION, "eval")], always: true, colour: 0 },
    Spec { title: "response length", unit: "rollout", series: &[("rollout/response_len/mean", "")], always: true, colour: 0 },
    Spec { title: "kl", unit: "step", series: &[("train/kl_loss", "ref"), ("train/ppo_kl", "old")], always: false, colour: 2 },
    Spec { title: "clip fraction", unit: "step", series: &[("train/pg_clipfrac", "")], always: false, colour: 2 },
    Spec { title: "entropy", unit: "step", series: &[("train/entropy_loss", "")], always: false, colour: 2 },
    Spec { title: "train/rollout gap", unit: "step", series: &[("train/train_rollout_logprob_abs_diff", "")], always: false, colour: 1 },
    Spec { title: "tokens/s", unit: "rollout", series: &[("perf/tokens_per_gpu_per_sec", "gen"), ("perf/actor_train_tok_per_s", "train")], always: false, colour: 3 },
    Spec { title: "grad norm", unit: "step", series: &[("train/grad_norm", "")], always: false, colour: 1 },
    Spec { title: "truncated", unit: "rollout", series: &[("rollout/truncated_ratio", "")], always: false, colour: 1 },
];

/// Lines and what lies under them.
const COLOURS: [(Meaning, Meaning); 4] = [
    (Meaning::CurveA, Meaning::CurveASoft),
    (Meaning::CurveB, Meaning::CurveBSoft),
    (Meaning::CurveC, Meaning::CurveCSoft),
    (Meaning::CurveD, Meaning::CurveDSoft),
];

impl Spec {
    fn curves<'a>(&'a self, deck: &'a Deck) -> Vec<Curve<'a>> {
        let found = self.series.iter().filter_map(|(name, label)| Some((series(deck, name)?, *label)));
        found
            .enumerate()
            .map(|(i, (series, name))| {
                let (line, soft) = COLOURS[(self.colour + i) % COLOURS.len()];
                Curve { series, name, line, soft }
            })
            .collect()
    }
}

/// A series, by name; the reward and the evaluation are those of the deck.
fn series<'a>(deck: &'a Deck, name: &str) -> Option<&'a Series> {
    match name {
        REWARD => deck.reward(),
        EVALUATION => deck.evaluation(),
        _ => deck.series.get(name),
    }
}

/// The charts that have something to show, or will have.
pub(super) fn shown(deck: &Deck) -> impl Iterator<Item = &'static Spec> + '_ {
    let fresh = !deck.series.keys().any(|name| name.starts_with("train/"));
    SPECS
        .iter()
        .filter(move |spec| spec.always || fresh || spec.series.iter().any(|(name, _)| deck.series.contains_key(*name)))
}

pub(super) fn draw(app: &App, spec: &Spec, area: Rect, pen: &mut Pen<'_>) {
    Chart { title: spec.title, curves: spec.curves(app.deck()), unit: spec.unit, until: None }.draw(pen, area);
}

/// What the preparation measures.
pub(super) fn prepares(deck: &Deck) -> Option<(&str, &Series)> {
    let known = ["train/", "rollout/", "perf/", "eval/"];
    let mut own = deck.series.iter().filter(|(name, _)| !known.iter().any(|prefix| name.starts_with(prefix)));
    let loss = own.clone().find(|(name, _)| name.ends_with("loss"));
    loss.or_else(|| own.next()).map(|(name, series)| (name.as_str(), series))
}

/// The curve of the preparation, large, with room for what is still to come.
pub(super) fn prepare(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let deck = app.deck();
    let Some((name, series)) = prepares(deck) else { return };
    let curve = Curve { series, name: "", line: Meaning::CurveB, soft: Meaning::CurveBSoft };
    let steps = deck.lane.all_progress().find(|progress| progress.unit == "steps");
    Chart { title: name, curves: vec![curve], unit: "step", until: steps.map(|steps| steps.total) }.draw(pen, area);
}
