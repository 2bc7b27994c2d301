//! The hosts of a cluster, as MPI hostfiles name them.
//!
//! One host a line, in the order in which they are counted: `10.0.0.1 slots=8`, `gpu1 slot=8`, `gpu2:8`, `root@gpu3`. What
//! stands after `#` is a comment. A file with a line that cannot be read is not used at all: a job on fewer machines than
//! somebody wrote down is another job.

use crate::{
    finding::{Finding, Place},
    nearest::nearest,
};

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name or address: how it is reached, and its name in the job.
    pub name: String,
    /// GPUs that the file says it has.
    pub slots: Option<u32>,
    /// Who to be there, when the file says so; else ssh knows.
    pub user: Option<String>,
    /// Where it is written.
    pub place: Place,
}

impl Host {
    /// What ssh is told.
    pub fn destination(&self) -> String {
        self.user.as_ref().map_or_else(|| self.name.clone(), |user| format!("{user}@{}", self.name))
    }
}

/// What stands after a host's name, besides its slots: known to MPI, of no use here.
const IGNORED: [&str; 3] = ["max_slots", "max-slots", "port"];
const SLOTS: [&str; 3] = ["slots", "slot", "cpus"];
/// No longer name is one.
const LONGEST: usize = 253;

/// Reads a hostfile, whose name is for findings; `Err` holds everything that is wrong with it.
pub fn read(text: &str, file: &str) -> Result<Vec<Host>, Vec<Finding>> {
    let lines = (1..).zip(text.trim_start_matches('\u{feff}').lines());
    let lines = lines.map(|(line, text)| (Place::new(file, line), text));
    let lines = lines.filter_map(|(place, text)| {
        let text = text.split('#').next().unwrap_or_default().trim();
        (!text.is_empty()).then(|| host(text, place))
    });
    collect(lines, file)
}

/// The hosts that a job names itself; `place` is where.
pub fn list(names: &[String], place: &Place) -> Result<Vec<Host>, Vec<Finding>> {
    collect(names.iter().map(|name| host(name.trim(), place.clone())), &place.file)
}

fn collect(read: impl Iterator<Item = Result<Host, Finding>>, file: &str) -> Result<Vec<Host>, Vec<Finding>> {
    let (mut hosts, mut findings) = (Vec::<Host>::new(), Vec::new());
    for host in read {
        match host {
            Ok(host) => match hosts.iter().find(|before| before.name == host.name) {
                Some(before) => {
                    let text = format!("{} stands here again, first in line {}", host.name, before.place.line);
                    findings.push(Finding::error(Some(host.place), format!("{text}: keep one of them")));
                }
                None => hosts.push(host),
            },
            Err(finding) => findings.push(finding),
        }
    }
    if hosts.is_empty() && findings.is_empty() {
        let text = "no host is named here: write one a line, as in `10.0.0.1 slots=8`";
        findings.push(Finding::error(Some(Place::new(file, 1)), text));
    }
    if findings.is_empty() { Ok(hosts) } else { Err(findings) }
}

fn host(text: &str, place: Place) -> Result<Host, Finding> {
    // `slots = 8` is one word as well.
    let text = text.replace('=', " = ");
    let mut words = text.split_whitespace().peekable();
    let first = words.next().unwrap_or_default();
    let refuse = |text: String| Err(Finding::error(Some(place.clone()), text));
    let (user, rest) = match first.split_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, first),
    };
    let (name, mut slots) = match count_after_name(rest) {
        Ok(split) => split,
        Err(count) => return refuse(format!("`{count}` is no number of slots: write {} slots=8", before_colon(rest))),
    };
    if let Err(why) = is_name(&name) {
        return refuse(format!("`{name}` is no name of a host: {why}"));
    }
    if user.as_deref().is_some_and(|user| !is_user(user)) {
        return refuse(format!("`{}` is no name of a user", user.unwrap_or_default()));
    }
    while let Some(word) = words.next() {
        if words.next_if_eq(&"=").is_none() {
            return refuse(format!(
                "`{word}` says nothing here: write {name} slots=8, and each host in a line of its own"
            ));
        }
        let value = words.next().unwrap_or_default();
        if SLOTS.contains(&word) {
            match value.parse() {
                Ok(count) if slots.is_none_or(|before| before == count) => slots = Some(count),
                Ok(_) => return refuse(format!("{name} has two numbers of slots: keep one of them")),
                Err(_) => return refuse(format!("`{value}` is no number of slots: write {name} slots=8")),
            }
        } else if !IGNORED.contains(&word) {
            let known = match nearest(word, ["slots"]) {
                Some(meant) => format!("did you mean {meant}=?"),
                None => "slots=8 is what is known".to_owned(),
            };
            return refuse(format!("{word}= is unknown in a hostfile: {known}"));
        }
    }
    Ok(Host { name, slots, user, place })
}

fn before_colon(text: &str) -> &str {
    text.split(':').next().unwrap_or_default()
}

/// Splits `host:8`; an address with several colons, or in brackets, is one of IPv6. `Err` holds a count that is none.
fn count_after_name(text: &str) -> Result<(String, Option<u32>), String> {
    let (name, count) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((name, count)) if !count.contains(':') => (name, Some(count)),
            _ => (text, None),
        },
    };
    let count = count.map(|count| count.parse().map_err(|_| count.to_owned())).transpose()?;
    Ok((name.to_owned(), count))
}

/// Whether this can name a host: it becomes the name of files and an argument of ssh, so it is taken narrowly.
///
/// # Errors
/// What is wrong with it.
pub fn is_name(name: &str) -> Result<(), &'static str> {
    let known = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_' | ':');
    match name.chars().next() {
        None => Err("it is empty"),
        Some(first) if !first.is_ascii_alphanumeric() && first != ':' => Err("it must begin with a letter or a digit"),
        Some(_) if name.len() > LONGEST => Err("it is too long"),
        Some(_) if !name.chars().all(known) => Err("letters, digits, `.`, `-`, `_` and `:` are all that it may hold"),
        Some(_) => Ok(()),
    }
}

fn is_user(user: &str) -> bool {
    let known = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    user.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_') && user.chars().all(known)
}

/// Whether the slots of the hosts are the GPUs that the job counts on.
pub fn check_slots(hosts: &[Host], gpus_per_node: u32) -> Vec<Finding> {
    let differ = hosts.iter().filter_map(|host| Some((host, host.slots.filter(|slots| *slots != gpus_per_node)?)));
    differ
        .map(|(host, slots)| {
            let text = format!("{} has slots={slots}, the job counts on gpus-per-node = {gpus_per_node}", host.name);
            match slots < gpus_per_node {
                true => Finding::error(
                    Some(host.place.clone()),
                    format!("{text}: set gpus-per-node, or leave the host out"),
                ),
                false => Finding::warning(Some(host.place.clone()), format!("{text}: its other GPUs stay idle")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(Finding::to_string).collect()
    }

    fn hosts(text: &str) -> Vec<(String, Option<u32>)> {
        let hosts = read(text, "hosts").unwrap_or_else(|findings| panic!("{:?}", told(&findings)));
        hosts.into_iter().map(|host| (host.destination(), host.slots)).collect()
    }

    fn wrong(text: &str) -> Vec<String> {
        told(&read(text, "hosts").unwrap_err())
    }

    #[test]
    fn all_the_ways_to_write_a_host() {
        let text = "\u{feff}# the cluster\n10.0.0.1 slots=8\n\n10.0.0.2 slot=8  # the guide writes it so\r\n  gpu3:8\n\
            gpu4 slots = 8 max_slots=16\nroot@gpu5\t slots=4\n::1\n[fe80::2]:8\ngpu-6.rack_1.example.org\n";
        let expected = [
            ("10.0.0.1", Some(8)),
            ("10.0.0.2", Some(8)),
            ("gpu3", Some(8)),
            ("gpu4", Some(8)),
            ("root@gpu5", Some(4)),
            ("::1", None),
            ("fe80::2", Some(8)),
            ("gpu-6.rack_1.example.org", None),
        ];
        assert_eq!(hosts(text), expected.map(|(name, slots)| (name.to_owned(), slots)));
    }

    #[test]
    fn every_line_that_cannot_be_read_is_told_with_its_number() {
        let text = "10.0.0.1 slots=eight\n10.0.0.2\n10.0.0.2 slots=8\n-oProxyCommand=x\n10.0.0.3 10.0.0.4\ngpu5:x\n\
            gpu6 slost=8\n../gpu7\na@b@c\ngpu8:8 slots=4\ngpu9 slots\ngpu10 slots=\n;rm slots=8\ngpu11 rank=3\n";
        let expected = [
            "hosts:1: error: `eight` is no number of slots: write 10.0.0.1 slots=8",
            "hosts:3: error: 10.0.0.2 stands here again, first in line 2: keep one of them",
            "hosts:4: error: `-oProxyCommand` is no name of a host: it must begin with a letter or a digit",
            "hosts:5: error: `10.0.0.4` says nothing here: write 10.0.0.3 slots=8, and each host in a line of its own",
            "hosts:6: error: `x` is no number of slots: write gpu5 slots=8",
            "hosts:7: error: slost= is unknown in a hostfile: did you mean slots=?",
            "hosts:8: error: `../gpu7` is no name of a host: it must begin with a letter or a digit",
            "hosts:9: error: `b@c` is no name of a host: letters, digits, `.`, `-`, `_` and `:` are all that it may hold",
            "hosts:10: error: gpu8 has two numbers of slots: keep one of them",
            "hosts:11: error: `slots` says nothing here: write gpu9 slots=8, and each host in a line of its own",
            "hosts:12: error: `` is no number of slots: write gpu10 slots=8",
            "hosts:13: error: `;rm` is no name of a host: it must begin with a letter or a digit",
            "hosts:14: error: rank= is unknown in a hostfile: slots=8 is what is known",
        ];
        assert_eq!(wrong(text), expected);
        assert_eq!(
            wrong("# nothing\n\n"),
            ["hosts:1: error: no host is named here: write one a line, as in `10.0.0.1 slots=8`"]
        );
    }

    #[test]
    fn a_list_is_read_as_a_file_is() {
        let place = Place::new("job.toml", 4);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(list(&names(&["a:8", "b"]), &place).unwrap()[0].slots, Some(8));
        let twice = "job.toml:4: error: a stands here again, first in line 4: keep one of them";
        assert_eq!(told(&list(&names(&["a", "a"]), &place).unwrap_err()), [twice]);
    }

    #[test]
    fn slots_are_the_gpus_that_the_job_counts_on() {
        let hosts = read("a slots=8\nb slots=4\nc\nd slots=16\n", "hosts").unwrap();
        let expected = [
            "hosts:2: error: b has slots=4, the job counts on gpus-per-node = 8: set gpus-per-node, or leave the host out",
            "hosts:4: warning: d has slots=16, the job counts on gpus-per-node = 8: its other GPUs stay idle",
        ];
        assert_eq!(told(&check_slots(&hosts, 8)), expected);
    }
}
