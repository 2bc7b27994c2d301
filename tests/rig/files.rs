use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

/// The metric lines that the shards of a run wrote, by shard directory: byte offset of the next line, and the values.
pub fn event_lines(run: &Path) -> BTreeMap<(String, u64), Value> {
    let mut lines = BTreeMap::new();
    for attempt in fs::read_dir(run).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        let Ok(shards) = fs::read_dir(attempt.path()) else { continue };
        for shard in shards.flatten() {
            let Ok(text) = fs::read(shard.path().join("events.jsonl")) else { continue };
            let name = format!("{}/{}", attempt.file_name().display(), shard.file_name().display());
            let mut next = 0;
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                next += line.len() as u64;
                match serde_json::from_slice::<Value>(line) {
                    Ok(event) if event["kind"] == "metrics" => {
                        lines.insert((name.clone(), next), event["values"].clone());
                    }
                    _ => {}
                }
            }
        }
    }
    lines
}

/// What the controller wrote of it; panics on a line that is there twice.
pub fn metric_lines(run: &Path) -> BTreeMap<(String, u64), Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let mut lines = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        // Lines that only say how far events were taken in.
        if line["values"].as_object().unwrap().is_empty() {
            continue;
        }
        let id: rldeck_core::shard::ShardId = serde_json::from_value(line["shard"].clone()).unwrap();
        let key = (id.dir(), line["next"].as_u64().unwrap());
        let twice = lines.insert(key.clone(), line["values"].clone());
        assert!(twice.is_none(), "twice in metrics.jsonl: {key:?}");
    }
    lines
}
