//! A model directory as Hugging Face's DeepSeek-V3 has it: `config.json`, `model.safetensors`, `tokenizer.json`.

use std::{collections::HashMap, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};

use super::file::{read, write};
use crate::{
    model::{Layout, Shape},
    task::{BOS, EOS, tokenizer_json},
};

pub(super) const WEIGHTS: &str = "model.safetensors";
pub(super) const CONFIG: &str = "config.json";
pub(super) const TOKENIZER: &str = "tokenizer.json";

pub(super) fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(super) fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// Named tensors as the bytes of a safetensors file.
pub(super) fn tensors(named: &[(String, Vec<usize>, Vec<u8>)]) -> Result<Vec<u8>, String> {
    let views: Result<Vec<_>, _> = named
        .iter()
        .map(|(name, shape, bytes)| TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view)))
        .collect();
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    views.and_then(|views| safetensors::serialize(views, Some(format))).map_err(|error| error.to_string())
}

fn config(shape: &Shape) -> Value {
    let mut config = json!({
        "architectures": ["DeepseekV3ForCausalLM"],
        "model_type": "deepseek_v3",
        "torch_dtype": "float32",
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_interleave": true,
        "max_position_embeddings": 4096,
        "num_key_value_heads": shape.num_attention_heads,
        "attention_bias": false,
        "tie_word_embeddings": false,
        "scoring_func": "sigmoid",
        "topk_method": "noaux_tc",
        "norm_topk_prob": true,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
    });
    if let (Value::Object(config), Ok(Value::Object(shape))) = (&mut config, serde_json::to_value(shape)) {
        config.extend(shape);
    }
    config
}

/// Writes the three files; returns their names.
pub(super) fn write_model(dir: &Path, layout: &Layout, weights: &[f32]) -> Result<[&'static str; 3], String> {
    let named: Vec<_> = layout
        .tensors
        .iter()
        .map(|tensor| {
            let shape = std::iter::once(tensor.rows).chain(tensor.cols).collect();
            (tensor.name.clone(), shape, to_bytes(&weights[tensor.range()]))
        })
        .collect();
    write(&dir.join(WEIGHTS), &tensors(&named)?)?;
    write(&dir.join(CONFIG), format!("{:#}\n", config(&layout.shape)).as_bytes())?;
    write(&dir.join(TOKENIZER), format!("{:#}\n", tokenizer_json()).as_bytes())?;
    Ok([WEIGHTS, CONFIG, TOKENIZER])
}

/// The weights of a directory, which must be of this layout.
pub(crate) fn read_model(dir: &Path, layout: &Layout) -> Result<Vec<f32>, String> {
    let path = dir.join(WEIGHTS);
    let at = path.display();
    let bytes = read(&path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| format!("{at}: {error}"))?;
    let mut weights = Vec::with_capacity(layout.len);
    for tensor in &layout.tensors {
        let found = file.tensor(&tensor.name).map_err(|_| format!("{at}: has no {}", tensor.name))?;
        let shape: Vec<usize> = std::iter::once(tensor.rows).chain(tensor.cols).collect();
        if found.dtype() != Dtype::F32 || found.shape() != shape {
            return Err(format!(
                "{at}: {} is {:?} {:?}, but this job's model has F32 {shape:?}",
                tensor.name,
                found.dtype(),
                found.shape()
            ));
        }
        weights.extend(from_bytes(found.data()));
    }
    Ok(weights)
}
