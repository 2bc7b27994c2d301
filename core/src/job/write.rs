//! A job to a job file.

use super::{
    Job, Value,
    layer::short,
    settings::{Cluster, Paths, RestartPolicy, Ssh},
};
use crate::argument::Group;

impl Job {
    /// The job as a file that reads back equal and looks nothing up: no recipe is applied, no variable is left.
    pub fn to_toml(&self) -> String {
        let mut out = String::from("# Written by rldeck: the job as it runs, recipe and variables resolved.\n");
        line(&mut out, "name", &text(&self.name));
        if let Some(recipe) = &self.recipe {
            line(&mut out, "recipe", &text(recipe));
            out.push_str("resolved = true                 # the recipe is in here already\n");
        }
        line(&mut out, "engine", &text(self.engine.name()));
        if !self.allow.is_empty() {
            let ids: Vec<_> = self.allow.iter().map(|id| quote(id)).collect();
            line(&mut out, "allow", &format!("[{}]", ids.join(", ")));
        }
        self.write_settings(&mut out);
        for group in Group::ALL {
            let sets = self.arguments.iter().filter(|set| set.group == group);
            let rows = sets.map(|set| (short(group, &set.name).to_owned(), value(&set.value))).collect();
            table(&mut out, group.name(), rows);
        }
        out
    }

    fn write_settings(&self, out: &mut String) {
        let Cluster { hosts, hostfile, nodes, address, gpus_per_node, colocate, rollout_shards, ssh } = &self.cluster;
        let mut rows = Vec::new();
        if !hosts.is_empty() {
            rows.push(("hosts".to_owned(), value(&Value::Many(hosts.clone()))));
        }
        for (key, given) in [("hostfile", hostfile), ("address", address)] {
            rows.extend(given.iter().map(|given| (key.to_owned(), text(given))));
        }
        rows.extend(nodes.map(|nodes| ("nodes".to_owned(), nodes.to_string())));
        rows.push(("gpus-per-node".to_owned(), gpus_per_node.to_string()));
        rows.push(("colocate".to_owned(), colocate.to_string()));
        rows.push(("rollout-shards".to_owned(), rollout_shards.to_string()));
        let Ssh { user, port, config } = ssh;
        rows.extend(user.iter().map(|user| ("ssh-user".to_owned(), text(user))));
        rows.extend(port.map(|port| ("ssh-port".to_owned(), port.to_string())));
        rows.extend(config.iter().map(|path| ("ssh-config".to_owned(), text(path))));
        table(out, "cluster", rows);

        table(out, "env", self.env.iter().map(|(name, value)| (name.clone(), text(value))).collect());

        let Paths { dir, megatron_dir, python, ray, dashboard_host, dashboard_port, gcs_port, temp_dir, bridge } =
            &self.slime;
        let mut rows = vec![
            ("dir", text(dir)),
            ("megatron-dir", text(megatron_dir)),
            ("python", text(python)),
            ("ray", text(ray)),
            ("dashboard-host", text(dashboard_host)),
            ("dashboard-port", dashboard_port.to_string()),
            ("gcs-port", gcs_port.to_string()),
        ];
        rows.extend(temp_dir.iter().map(|dir| ("temp-dir", text(dir))));
        rows.push(("bridge", bridge.to_string()));
        table(out, "slime", rows.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());

        let RestartPolicy { max_restarts, window_minutes, backoff_seconds, early_restarts, shard_restarts } =
            self.restart;
        let rows = [
            ("max-restarts", max_restarts.to_string()),
            ("window-minutes", window_minutes.to_string()),
            ("backoff-seconds", backoff_seconds.to_string()),
            ("early-restarts", early_restarts.to_string()),
            ("shard-restarts", shard_restarts.to_string()),
        ];
        table(out, "restart", rows.map(|(key, number)| (key.to_owned(), number)).into());

        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        for alert in &self.alerts {
            match rows.last_mut() {
                Some((metric, conditions)) if *metric == alert.metric => conditions.push(alert.condition()),
                _ => rows.push((alert.metric.clone(), vec![alert.condition()])),
            }
        }
        table(out, "alert", rows.into_iter().map(|(metric, all)| (metric, value(&Value::Many(all)))).collect());
    }
}

fn table(out: &mut String, name: &str, rows: Vec<(String, String)>) {
    if rows.is_empty() {
        return;
    }
    out.push_str(&format!("\n[{name}]\n"));
    for (key, value) in rows {
        line(out, &key, &value);
    }
}

fn line(out: &mut String, key: &str, value: &str) {
    let bare = !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    let key = if bare { key.to_owned() } else { quote(key) };
    out.push_str(&format!("{key} = {value}\n"));
}

fn value(value: &Value) -> String {
    match value {
        Value::Flag => "true".to_owned(),
        Value::One(one) => scalar(one),
        Value::Many(texts) => format!("[{}]", texts.iter().map(|text| scalar(text)).collect::<Vec<_>>().join(", ")),
    }
}

/// A number bare, everything else in quotes.
fn scalar(value: &str) -> String {
    if is_number(value) { value.to_owned() } else { text(value) }
}

/// In quotes, a dollar sign doubled so that it is not looked up.
fn text(value: &str) -> String {
    quote(&value.replace('$', "$$"))
}

fn quote(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for letter in value.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            letter if letter.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// Whether TOML reads this as a number and gives it back letter by letter.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.len() < 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['-', '+']).unwrap_or(text)))
}
