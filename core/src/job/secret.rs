//! What must not be shown: keys, tokens and passwords.

use super::{Job, Value};
use crate::argument;

/// Stands where a secret would.
const MASK: &str = "***";
/// Arguments of the catalogue that are secrets; the others there that are called so are not, like `input-key`.
const SECRETS: [&str; 2] = ["wandb-key", "sglang-api-key"];

/// Whether a variable of this name holds what must not be shown, nor stand in a file.
pub fn is_secret(name: &str) -> bool {
    // Whether tokenizers use threads is everybody's to see.
    let name = name.to_ascii_uppercase().replace("TOKENIZER", "");
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"].iter().any(|word| name.contains(word))
}

impl Job {
    /// The job as it may be shown: `***` stands for secrets in its environment and its arguments.
    #[must_use]
    pub fn masked(&self) -> Job {
        let mut job = self.clone();
        for (name, value) in &mut job.env {
            *value = if is_secret(name) { MASK.to_owned() } else { without_password(value) };
        }
        for set in &mut job.arguments {
            let known = argument::find(&set.name).is_some();
            let secret = SECRETS.contains(&set.name.as_str()) || (!known && is_secret(&set.name));
            let shown = |text: &String| if secret { MASK.to_owned() } else { without_password(text) };
            match &mut set.value {
                Value::Flag => {}
                Value::One(text) => *text = shown(text),
                Value::Many(texts) => texts.iter_mut().for_each(|text| *text = shown(text)),
            }
        }
        job
    }
}

/// `http://me:secret@proxy` to `http://me:***@proxy`.
fn without_password(text: &str) -> String {
    let masked = || {
        let (scheme, rest) = text.split_once("://")?;
        let (user, host) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:{MASK}@{host}{}", &rest[user.len() + 1 + host.len()..]))
    };
    masked().unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        let text = "recipe = \"deepseek-r1\"\n[env]\nHF_TOKEN = \"hf_x\"\nTOKENIZERS_PARALLELISM = \"false\"\n\
            MIRROR = \"http://me:pw@proxy:80/a@b\"\n[wandb]\nwandb-key = \"w\"\n[misc]\nmy-secret = \"s\"\n";
        let job = Job::read(text, "job.toml", &|_| None).unwrap().0;
        let masked = job.masked();
        let env = |name: &str| masked.env[name].as_str();
        assert_eq!((env("HF_TOKEN"), env("TOKENIZERS_PARALLELISM")), ("***", "false"));
        assert_eq!(env("MIRROR"), "http://me:***@proxy:80/a@b");
        let value = |name: &str| masked.value(name).unwrap();
        assert_eq!((value("wandb-key"), value("my-secret")), ("***".to_owned(), "***".to_owned()));
        let differs = |job: &Job| job.argv(&BTreeMap::new()).iter().filter(|word| *word == "***").count();
        assert_eq!((differs(&job), differs(&masked)), (0, 2));
        assert_eq!(value("input-key"), "prompt");
        assert_eq!(without_password("http://proxy:80/a:b@c"), "http://proxy:80/a:b@c");
    }
}
