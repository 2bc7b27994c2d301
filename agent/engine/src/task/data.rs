use std::{fs, path::Path};

use serde_json::Value;

use super::{BOS, THINK, encode};
use crate::random::{Purpose, Random};

/// A question and its right answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prompt {
    pub(crate) text: String,
    pub(crate) label: String,
}

impl Prompt {
    /// What the model is given: it is to go on thinking.
    pub(crate) fn tokens(&self) -> Vec<u32> {
        let mut tokens = vec![BOS];
        tokens.extend(encode(&self.text));
        tokens.push(THINK);
        tokens
    }
}

/// Reads JSONL.
pub(crate) fn read(path: &Path, input_key: &str, label_key: &str) -> Result<Vec<Prompt>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let field = |value: &Value, key: &str| match value.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let mut prompts = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = format!("{}:{}", path.display(), index + 1);
        let value: Value = serde_json::from_str(line).map_err(|error| format!("{at}: not JSON: {error}"))?;
        let missing = |key: &str| format!("{at}: no text under {key:?} (see --input-key, --label-key)");
        prompts.push(Prompt {
            text: field(&value, input_key).ok_or_else(|| missing(input_key))?,
            label: field(&value, label_key).ok_or_else(|| missing(label_key))?,
        });
    }
    if prompts.is_empty() {
        return Err(format!("{} holds no prompts", path.display()));
    }
    Ok(prompts)
}

/// The order in which prompts are taken: every epoch in a new shuffle. A position names a prompt; nothing else is saved.
pub(crate) struct Order {
    seed: u64,
    epoch: u64,
    shuffled: Vec<usize>,
}

impl Order {
    pub(crate) fn new(seed: u64, prompts: usize) -> Order {
        let mut order = Order { seed, epoch: 0, shuffled: (0..prompts).collect() };
        order.shuffle();
        order
    }

    fn shuffle(&mut self) {
        self.shuffled.sort_unstable();
        Random::new(Purpose::Order, &[self.seed, self.epoch]).shuffle(&mut self.shuffled);
    }

    /// Index of the prompt at this position of the endless sequence.
    pub(crate) fn at(&mut self, position: u64) -> usize {
        let len = self.shuffled.len() as u64;
        if position / len != self.epoch {
            self.epoch = position / len;
            self.shuffle();
        }
        self.shuffled[(position % len) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_takes_each_prompt_once_and_can_be_entered_anywhere() {
        let mut order = Order::new(7, 10);
        let all: Vec<usize> = (0..30).map(|position| order.at(position)).collect();
        for epoch in all.chunks(10) {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(all[..10], all[10..20]);
        assert_eq!(Order::new(7, 10).at(23), all[23]);
    }

    #[test]
    fn a_bad_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.jsonl");
        std::fs::write(&path, "{\"prompt\":\"1+1=?\",\"label\":2}\n\n{\"prompt\":\"1\"}\n").unwrap();
        assert!(read(&path, "prompt", "label").unwrap_err().contains("data.jsonl:3: no text under \"label\""));
        std::fs::write(&path, "{\"prompt\":\"1+1=?\",\"label\":2}\n").unwrap();
        assert_eq!(read(&path, "prompt", "label").unwrap()[0].label, "2");
    }
}
