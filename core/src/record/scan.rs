//! All literals that tell a line of interest, searched in one pass.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::fault::{FAULTS, HARMLESS, Sign};

/// What a literal announces.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Data,
    Metrics,
    Timer,
    Bar,
    Counter,
    Rank,
    Memory,
    Waiting,
    Bundle,
    Saving,
    Saved,
    Loaded,
    Released,
    Missing,
    EnginePort,
    EngineAt,
    EngineReady,
    Router,
    Decode,
    Prefill,
    CacheFull,
    Job,
    Dump,
    Harmless,
    /// A sign of the fault with this index.
    Fault(usize, &'static Sign),
}

const MARKS: &[(&str, Mark)] = &[
    ("First rollout sample:", Mark::Data),
    ("Finish rollout:", Mark::Data),
    ("eval_rollout_single_dataset example data:", Mark::Data),
    ("Receive: obj=", Mark::Data),
    ("Finish: obj=", Mark::Data),
    (": {", Mark::Metrics),
    ("Timer ", Mark::Timer),
    ("%|", Mark::Bar),
    ("it [", Mark::Counter),
    ("[Rank ", Mark::Rank),
    ("Memory-Usage ", Mark::Memory),
    ("Waiting for placement group of ", Mark::Waiting),
    ("actual_bundle_index:", Mark::Bundle),
    ("saving checkpoint at iteration", Mark::Saving),
    ("successfully saved checkpoint from iteration", Mark::Saved),
    ("successfully loaded checkpoint from ", Mark::Loaded),
    ("loading release distributed checkpoint from ", Mark::Released),
    ("could not find the metadata file ", Mark::Missing),
    ("Ports for engine ", Mark::EnginePort),
    ("Launch HttpServerEngineAdapter at: ", Mark::EngineAt),
    ("The server is fired up and ready to roll!", Mark::EngineReady),
    ("Router launched at ", Mark::Router),
    ("Decode batch", Mark::Decode),
    ("Prefill batch", Mark::Prefill),
    ("KV cache pool is full.", Mark::CacheFull),
    ("Job '", Mark::Job),
    ("last available logs (truncated to", Mark::Dump),
];

/// What tells a line stands this early in it, in bytes; what stands later was written by a model or is a dump.
const EARLY: usize = 16 << 10;

struct Scanner {
    automaton: AhoCorasick,
    marks: Vec<Mark>,
}

static SCANNER: LazyLock<Option<Scanner>> = LazyLock::new(|| {
    let (mut words, mut marks): (Vec<&str>, Vec<Mark>) = MARKS.iter().copied().unzip();
    for text in HARMLESS {
        words.push(text);
        marks.push(Mark::Harmless);
    }
    for (index, fault) in FAULTS.iter().enumerate() {
        for sign in fault.signs {
            words.push(sign.words);
            marks.push(Mark::Fault(index, sign));
        }
    }
    // Of literals that begin at the same byte the longest tells most. A table of states costs 2 MB and is the fastest.
    let automaton =
        AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(Some(AhoCorasickKind::DFA)).build(words);
    // It fails only for literals by the gigabyte.
    Some(Scanner { automaton: automaton.ok()?, marks })
});

/// A literal found: where it begins, where it ends, what it announces.
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) mark: Mark,
}

/// The literals in `line`, from left to right, none overlapping.
pub(super) fn marks(line: &[u8]) -> impl Iterator<Item = Found> {
    let early = &line[..line.len().min(EARLY)];
    SCANNER.as_ref().into_iter().flat_map(move |scanner| {
        scanner.automaton.find_iter(Input::new(early)).map(|found| Found {
            start: found.start(),
            end: found.end(),
            mark: scanner.marks[found.pattern().as_usize()],
        })
    })
}
