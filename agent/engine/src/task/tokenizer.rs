//! One token a character, and single tokens for what a reasoning model says in words.

use serde_json::{Map, Value, json};

const SPECIAL: [&str; 7] = ["<pad>", "<eos>", "<bos>", "<unk>", "<think>", "</think>", "\\boxed{"];
const CHARACTERS: &str = "}0123456789+-*= \n;?(),.:/";

/// End of a response.
pub(crate) const EOS: u32 = 1;
/// Begin of a sequence.
pub(crate) const BOS: u32 = 2;
const UNKNOWN: u32 = 3;
/// The prompt ends with it: every response begins by thinking.
pub(crate) const THINK: u32 = 4;
/// Number of tokens.
pub(crate) const VOCAB: usize = SPECIAL.len() + CHARACTERS.len();

/// Special tokens are recognised in text. A character that is not in the vocabulary becomes `<unk>`.
pub(crate) fn encode(text: &str) -> Vec<u32> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(id) = SPECIAL.iter().position(|special| rest.starts_with(special)) {
            tokens.push(id as u32);
            rest = &rest[SPECIAL[id].len()..];
        } else {
            tokens.push(CHARACTERS.find(first).map_or(UNKNOWN, |at| (SPECIAL.len() + at) as u32));
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

pub(crate) fn decode(tokens: &[u32]) -> String {
    let text = |token: &u32| {
        let id = *token as usize;
        SPECIAL.get(id).copied().or_else(|| CHARACTERS.get(id.checked_sub(SPECIAL.len())?..).map(|rest| &rest[..1]))
    };
    tokens.iter().map(|token| text(token).unwrap_or("<unk>")).collect()
}

/// The same vocabulary in the format of Hugging Face tokenizers.
pub(crate) fn tokenizer_json() -> Value {
    let special = SPECIAL.iter().map(|token| (*token).to_owned());
    let names = special.chain(CHARACTERS.chars().map(String::from));
    let vocab: Map<String, Value> = names.enumerate().map(|(id, name)| (name, json!(id))).collect();
    let added: Vec<Value> = SPECIAL
        .iter()
        .enumerate()
        .map(|(id, content)| {
            json!({"id": id, "content": content, "special": id < 4, "single_word": false,
                   "lstrip": false, "rstrip": false, "normalized": false})
        })
        .collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "[\\s\\S]"}, "behavior": "Isolated", "invert": false},
        "post_processor": null,
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives() {
        let text = "<think>7+5=12 \n(4*8)/2</think>\\boxed{132}<eos>";
        assert_eq!(decode(&encode(text)), text);
        assert_eq!(encode("</think>\\boxed{1}"), [5, 6, 9, 7]);
        assert_eq!(encode("é7"), [UNKNOWN, 15]);
        assert_eq!(decode(&[99]), "<unk>");
        assert_eq!(VOCAB, 32);
    }
}
