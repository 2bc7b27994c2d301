//! Any bytes: never a panic, never much time, and cutting a line at `\r` changes nothing.

use super::{
    super::{Context, Reader},
    said_bytes,
};

/// A small generator: the same bytes in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

const PARTS: &[&str] = &[
    "\r",
    "\x1b[",
    "\x1b]",
    "\x1b[36m",
    "\x1b",
    "(",
    ")",
    " pid=",
    ", ip=",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "\\",
    ": {",
    ": ",
    ",",
    "step 3",
    "step 3: {'train/loss': ",
    "perf ",
    "rollout 7: {'rollout/x': ",
    "nan",
    "np.float64(",
    "tensor(",
    "0.25",
    "1e999",
    "-",
    "18446744073709551616",
    "99999999999999999999",
    "Timer ",
    " end (elapsed: ",
    "s)",
    " start",
    "%|",
    "| ",
    "█",
    "/",
    " [",
    "it [",
    "00:00<?",
    "9999999999999:99999999999:9999999999",
    "it/s]",
    "s/it]",
    "k",
    "Rollout generation",
    ":job_id:",
    ":actor_name:",
    "[Rank ",
    "Memory-Usage ",
    "Waiting for placement group of ",
    "(elapsed ",
    "bundle ",
    "actual_bundle_index:",
    "node: ",
    "gpu:",
    "saving checkpoint at iteration ",
    "successfully saved checkpoint from iteration ",
    "successfully loaded checkpoint from ",
    " to ",
    " in ",
    " [ t ",
    "at iteration ",
    "Ports for engine ",
    "'host': '",
    "'port': ",
    "Router launched at ",
    "Decode batch",
    "#running-req: ",
    "KV cache pool is full.",
    "#retracted_reqs:",
    "Job '",
    "' succeeded",
    "last available logs (truncated to",
    "CUDA out of memory",
    " requests after abort attempt ",
    "First rollout sample:",
    "[2026-11-23 16:29:51 DP0 TP1]",
    " ",
    "\n",
    "\0",
    "ü",
    "18",
];

fn line(dice: &mut Dice) -> Vec<u8> {
    let mut line = Vec::new();
    for _ in 0..dice.roll(24) {
        match dice.roll(12) {
            0 => line.extend((0..dice.roll(9)).map(|_| dice.0 as u8)),
            1 => line.push(dice.roll(256) as u8),
            _ => line.extend_from_slice(PARTS[dice.roll(PARTS.len())].as_bytes()),
        }
    }
    line
}

#[test]
fn any_bytes_are_taken() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut reader = Reader::new(Context { groups_per_rollout: u64::MAX, ..Context::default() });
    let mut records = 0;
    for now in 0..10_000 {
        let line = line(&mut dice);
        let first = said_bytes(&line);
        assert_eq!(first, said_bytes(&line));
        records += first.len();
        reader.line(&line, now, &mut |_| {});
        reader.settle(now, &mut |_| {});
        _ = reader.identity().label();
    }
    assert!(records > 2_000, "the generator makes lines that say something: {records}");
}

#[test]
fn what_stands_before_a_carriage_return_does_not_change_what_stands_after_it() {
    let mut dice = Dice(77);
    for _ in 0..10_000 {
        let (left, right) = (line(&mut dice), line(&mut dice));
        let whole = said_bytes(&[&left[..], b"\r", &right[..]].concat());
        let (left_said, right_said) = (said_bytes(&left), said_bytes(&right));
        if left_said.last().is_some_and(|said| said == "Data") {
            assert_eq!(whole, left_said, "what a model wrote goes to the end of the line");
        } else if !right_said.first().is_some_and(|said| said.starts_with("Source ")) {
            // A prefix of Ray counts at the start of a physical line alone.
            assert_eq!(whole, [left_said, right_said].concat());
        }
    }
}

#[test]
fn a_line_of_a_megabyte() {
    let long = |unit: &str| unit.repeat((1 << 20) / unit.len()).into_bytes();
    for unit in [
        "x",
        "ü",
        "\x1b",
        "\x1b[",
        "(",
        "[",
        "{",
        ": {",
        "'",
        "%|",
        "5%|",
        "it [",
        "0it [",
        "step 1: {'a/b': ",
        "Timer ",
        "[Rank ",
    ] {
        said_bytes(&long(unit));
    }
    // Its values are found to the end.
    let values: Vec<String> = (0..60_000).map(|at| format!("'train/value-{at}': {at}")).collect();
    let line = format!("step 1: {{{}}}", values.join(", "));
    assert!(line.len() > 1 << 20);
    assert_eq!(super::metrics(&line).1.len(), 60_000);
    // Bars too: a line without end of a worker file.
    let bars = "\ractor train:  50%|█████     | 4/8 [00:00<00:00, 19.74microbatch/s]".repeat(15_000);
    assert_eq!(said_bytes(bars.as_bytes()).len(), 15_000);
}

#[test]
fn bytes_that_are_no_text() {
    let said = said_bytes(b"\xff\xfe [2026-11-23 16:29:51] a.py:3 - step 3: {'train/\xff': 0.5, 'train/b': 1}");
    assert_eq!(said, ["Step 3 {\"train/b\": 1.0, \"train/\u{fffd}\": 0.5}"]);
    assert_eq!(said_bytes(b"saving checkpoint at iteration 3 to /data/\xff in torch_dist format").len(), 1);
    assert_eq!(
        said_bytes(b"\xff CUDA out of memory \xff")[0],
        "Fault cuda-memory: \u{fffd} CUDA out of memory \u{fffd}"
    );
}
