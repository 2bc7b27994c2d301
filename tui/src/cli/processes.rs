use std::process::ExitCode;

use clap::Args;
use rldeck_agent::home::Home;
use rldeck_core::{
    deck::{Deck, Node, Process},
    forecast::gigabytes,
};
use serde_json::{Value, json};

use super::{
    Failure, say,
    table::{aligned, plain},
};
use crate::link::Client;

/// The processes of the run, and the foreign ones beside them.
#[derive(Debug, Args)]
pub(super) struct Processes {
    /// Only of these nodes
    nodes: Vec<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Processes {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let deck = Client::connect(&home).await?.deck().await?;
        if let Some(unknown) = self.nodes.iter().find(|node| !deck.nodes.contains_key(*node)) {
            let known = deck.nodes.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(format!("there is no node {unknown}; there is {known}"));
        }
        let found = found(&deck, &self.nodes);
        match self.json {
            true => say(json(&found).to_string()),
            false => words(&found).iter().for_each(say),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Each process with its node; a node's own first, in the order of their GPUs, then the foreign ones.
fn found<'a>(deck: &'a Deck, only: &[String]) -> Vec<(&'a Node, Vec<&'a Process>)> {
    let mut nodes: Vec<_> = deck
        .nodes
        .values()
        .filter(|node| only.is_empty() || only.contains(&node.name))
        .map(|node| (node, of(node)))
        .collect();
    // Of `node10` and `node2` the second comes first, and so of addresses.
    nodes.sort_by_key(|(node, _)| counted(&node.name));
    nodes
}

fn of(node: &Node) -> Vec<&Process> {
    let mut processes: Vec<&Process> = node.frame.iter().flat_map(|frame| &frame.processes).collect();
    processes.sort_by_key(|process| (is_foreign(process), process.gpu.unwrap_or(u32::MAX), role(process), process.pid));
    processes
}

/// No shard of ours holds it.
fn is_foreign(process: &Process) -> bool {
    process.shard.is_none()
}

fn role(process: &Process) -> String {
    match &process.shard {
        _ if !process.role.is_empty() => process.role.clone(),
        Some(shard) => shard.label(),
        None => process.name.clone(),
    }
}

/// A name with its numbers as numbers.
fn counted(name: &str) -> Vec<(String, u64)> {
    let digit = |c: char| c.is_ascii_digit();
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(digit).unwrap_or(rest.len()));
        let (number, after) = after.split_at(after.find(|c| !digit(c)).unwrap_or(after.len()));
        parts.push((word.to_owned(), number.parse().unwrap_or(u64::MAX)));
        rest = after;
    }
    parts
}

fn json(found: &[(&Node, Vec<&Process>)]) -> Value {
    let processes = found.iter().flat_map(|(node, processes)| {
        processes.iter().map(|process| {
            json!({
                "node": node.name, "pid": process.pid, "name": process.name, "role": process.role, "rank": process.rank,
                "doing": process.doing, "shard": process.shard.as_ref().map(|shard| shard.label()),
                "foreign": is_foreign(process), "gpu": process.gpu, "gpu_memory": process.gpu_memory,
                "cpu": process.cpu, "memory": process.memory,
            })
        })
    });
    let unheard = found.iter().filter(|(node, _)| !node.connected).map(|(node, _)| &node.name);
    json!({ "processes": processes.collect::<Vec<_>>(), "not_heard": unheard.collect::<Vec<_>>() })
}

fn words(found: &[(&Node, Vec<&Process>)]) -> Vec<String> {
    let head = ["node", "pid", "what", "rank", "GPU", "GPU memory", "CPU", "memory", "doing"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    for (node, processes) in found {
        rows.extend(processes.iter().map(|process| row(&node.name, process)));
    }
    let mut lines = match rows.len() {
        1 => vec!["no process of a run, and none on a GPU".to_owned()],
        _ => aligned(&rows, &[1, 4, 5, 6, 7]),
    };
    for (node, _) in found.iter().filter(|(node, _)| !node.connected) {
        lines.push(format!("{} is not heard: what is listed of it is old", node.name));
    }
    lines
}

fn row(node: &str, process: &Process) -> Vec<String> {
    let foreign = is_foreign(process);
    let of_host = |text: String| if foreign { String::new() } else { text };
    // Its name, rank and method are foreign text.
    vec![
        node.to_owned(),
        process.pid.to_string(),
        if foreign { format!("FOREIGN {}", plain(&role(process), 30)) } else { plain(&role(process), 30) },
        plain(&process.rank, 60),
        process.gpu.map_or(String::new(), |gpu| gpu.to_string()),
        process.gpu.map_or(String::new(), |_| gigabytes(process.gpu_memory)),
        // Nobody measures what is not ours.
        of_host(format!("{:.0} %", process.cpu)),
        of_host(gigabytes(process.memory)),
        plain(&process.doing, 40),
    ]
}

#[cfg(test)]
mod tests {
    use rldeck_core::{
        deck::{Change, Frame},
        shard::ShardId,
    };

    use super::*;

    fn process(pid: u32, role: &str, rank: &str, doing: &str, gpu: Option<u32>) -> Process {
        let shard = (!role.is_empty()).then(|| ShardId { attempt: 1, name: "ray-3".into(), life: 0 });
        let (role, rank, doing) = (role.into(), rank.into(), doing.into());
        let gpu_memory = if gpu.is_some() { 61_000_000_000 } else { 0 };
        Process {
            pid,
            name: "python3".into(),
            shard,
            cpu: 99.6,
            memory: 12_000_000_000,
            gpu,
            gpu_memory,
            role,
            rank,
            doing,
        }
    }

    #[test]
    fn each_process_has_a_line_and_foreign_ones_are_marked() {
        let mut deck = Deck::default();
        let processes = vec![
            process(9, "", "", "", Some(3)),
            process(8, "scheduler", "dp3 tp27 ep27", "", Some(3)),
            process(7, "trainer", "rank 27 tp3 cp3 pp0 ep27", "train", Some(3)),
            process(5, "raylet", "", "", None),
        ];
        let frame = Some(Frame { processes, ..Frame::default() });
        deck.apply(Change::Node(Node { name: "10.0.0.10".into(), ..Node::default() }));
        deck.apply(Change::Node(Node { name: "10.0.0.4".into(), connected: true, frame, ..Node::default() }));
        let expected = [
            "node      pid  what             rank                      GPU  GPU memory    CPU   memory  doing",
            "10.0.0.4    8  scheduler        dp3 tp27 ep27               3     61.0 GB  100 %  12.0 GB",
            "10.0.0.4    7  trainer          rank 27 tp3 cp3 pp0 ep27    3     61.0 GB  100 %  12.0 GB  train",
            "10.0.0.4    5  raylet                                                      100 %  12.0 GB",
            "10.0.0.4    9  FOREIGN python3                              3     61.0 GB",
            "10.0.0.10 is not heard: what is listed of it is old",
        ];
        assert_eq!(words(&found(&deck, &[])), expected);
        let value = json(&found(&deck, &["10.0.0.4".to_owned()]));
        assert_eq!(value["processes"].as_array().unwrap().len(), 4);
        assert_eq!((&value["processes"][3]["foreign"], &value["not_heard"]), (&true.into(), &serde_json::json!([])));
        assert_eq!(words(&found(&Deck::default(), &[])), ["no process of a run, and none on a GPU"]);
    }
}
