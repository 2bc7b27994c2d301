//! Who printed a line.

use std::{borrow::Cow, fmt};

use super::{
    cursor::{Cursor, whole},
    lines::behind_codes,
    text,
};

/// The process that a forwarded line comes from: `(MegatronTrainRayActor pid=123, ip=10.0.0.2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// Class of the actor; `raylet` for Ray itself.
    pub name: Cow<'a, str>,
    /// Its process id on its node.
    pub pid: Option<u32>,
    /// Its node; absent when that is the driver's own.
    pub ip: Option<Cow<'a, str>>,
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.pid.map_or(Ok(()), |pid| write!(f, " pid {pid}"))?;
        self.ip.as_ref().map_or(Ok(()), |ip| write!(f, " at {ip}"))
    }
}

/// The forwarding prefix at the start of a line, colours around it or not, and what follows it.
pub(super) fn source(line: &[u8]) -> Option<(Source<'_>, &[u8])> {
    /// No prefix is longer.
    const LONGEST: usize = 200;
    let inside = behind_codes(line).strip_prefix(b"(")?;
    let end = inside[..inside.len().min(LONGEST)].iter().position(|byte| *byte == b')')?;
    let (who, rest) = (&inside[..end], behind_codes(&inside[end + 1..]));
    let (who, ip) = {
        let mut cursor = Cursor(who);
        match cursor.until(", ip=") {
            Some(before) => (before, Some(text(cursor.0))),
            None => (who, None),
        }
    };
    let mut cursor = Cursor(who);
    let (name, pid) = match cursor.until("pid=") {
        Some(name) => (name.trim_ascii_end(), Some(u32::try_from(whole(cursor.0)?).ok()?)),
        None if who == b"raylet" => (who, None),
        None => return None,
    };
    Some((Source { name: text(name), pid, ip }, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// Which of an engine's processes printed a line: `[2025-12-17 14:07:56 DP0 TP3 EP3]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scheduler {
    /// Data-parallel rank.
    pub dp: Option<u32>,
    /// Pipeline stage.
    pub pp: Option<u32>,
    /// Tensor-parallel rank.
    pub tp: Option<u32>,
    /// Expert-parallel rank.
    pub ep: Option<u32>,
}

/// The tag behind the time in the bracket at the start of a line, and what follows the bracket.
pub(super) fn scheduler(line: &[u8]) -> Option<(Scheduler, &[u8])> {
    /// No bracket is longer.
    const LONGEST: usize = 80;
    let inside = line.strip_prefix(b"[")?;
    if !inside.first()?.is_ascii_digit() {
        return None;
    }
    let end = inside[..inside.len().min(LONGEST)].iter().position(|byte| *byte == b']')?;
    let mut tag = Scheduler::default();
    for word in inside[..end].split(|byte| *byte == b' ').skip(2) {
        let letters = word.iter().position(u8::is_ascii_digit).unwrap_or(word.len());
        let (letters, rank) = word.split_at(letters);
        let rank = whole(rank).and_then(|rank| u32::try_from(rank).ok());
        match letters {
            b"DP" => tag.dp = rank,
            b"PP" => tag.pp = rank,
            b"TP" => tag.tp = rank,
            b"EP" => tag.ep = rank,
            _ => {}
        }
    }
    Some((tag, &inside[end + 1..]))
}
