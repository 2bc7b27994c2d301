//! What the model learns: prompts with labels, the rule that judges an answer, and the built-in arithmetic set.

mod arithmetic;
mod data;
mod reward;
mod tokenizer;

pub(crate) use arithmetic::{Problem, VERSION, write_missing};
pub(crate) use data::{Order, Prompt, read};
pub(crate) use reward::{RULES, reward};
pub(crate) use tokenizer::{BOS, EOS, THINK, VOCAB, decode, encode, tokenizer_json};
