//! Where the parts of a job lie: GPUs, engines, the router.

use std::borrow::Cow;

use super::{
    Record,
    cursor::{Cursor, whole},
    literal::{Items, Value},
    text,
};

/// The job waits for GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// GPUs that it needs.
    pub wanted: u64,
    /// Seconds it has waited.
    pub elapsed: u64,
    /// GPUs that have registered with Ray.
    pub registered: u64,
}

/// Where one logical GPU of the job lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle<'a> {
    /// Index in the job's order: the trainer's rank, when trainer and engines share the GPUs.
    pub index: u32,
    /// Index in Ray's placement group.
    pub actual: u32,
    /// Address of the node.
    pub node: Cow<'a, str>,
    /// GPU of that node.
    pub gpu: u32,
}

/// Behind `Waiting for placement group of `: `128 GPUs (elapsed 30s): 120 GPUs registered with Ray`.
pub(super) fn waiting(rest: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(rest);
    let wanted = cursor.number()?;
    cursor.until("(elapsed ")?;
    let elapsed = cursor.number()?;
    cursor.until("):")?;
    Some(Record::Waiting(Waiting { wanted, elapsed, registered: cursor.number()? }))
}

/// `bundle    0, actual_bundle_index:    5, node: 10.0.0.1, gpu: 0`, cut at `actual_bundle_index:`.
pub(super) fn bundle<'a>(head: &'a [u8], rest: &'a [u8]) -> Option<Record<'a>> {
    let small = |number| u32::try_from(number).ok();
    let head = head.trim_ascii_end().strip_suffix(b",")?;
    let digits = head.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (head, index) = head.split_at(head.len() - digits);
    if !head.trim_ascii_end().ends_with(b"bundle") {
        return None;
    }
    let mut cursor = Cursor(rest);
    let actual = small(cursor.number()?)?;
    cursor.until("node: ")?;
    let node = text(cursor.until(",")?);
    cursor.until("gpu:")?;
    Some(Record::Bundle(Bundle { index: small(whole(index)?)?, actual, node, gpu: small(cursor.number()?)? }))
}

/// Behind `Ports for engine `: `0: {'host': '10.0.0.1', 'port': 15000, ...}`.
pub(super) fn engine_port(rest: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(rest);
    let engine = u32::try_from(cursor.number()?).ok()?;
    cursor.until("{")?;
    let (mut host, mut port) = (None, None);
    for (key, value) in Items::new(cursor.0) {
        match (key, value) {
            (b"host", Value::Text(found)) => host = Some(text(found)),
            (b"port", Value::Number(found)) => port = Some(found as u16),
            _ => {}
        }
    }
    Some(Record::EnginePort { engine, host: host?, port: port? })
}

/// Behind `Router launched at `: `10.0.0.1:3456, Prometheus port: 4567`.
pub(super) fn router(rest: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(rest);
    let address = address(&mut cursor)?;
    let prometheus = cursor.until("port: ").and_then(|_| cursor.number()).and_then(|port| u16::try_from(port).ok());
    Some(Record::Router { address, prometheus })
}

/// Behind `Launch HttpServerEngineAdapter at: `.
pub(super) fn engine_at(rest: &[u8]) -> Option<Record<'_>> {
    address(&mut Cursor(rest)).map(Record::EngineAt)
}

fn address<'a>(cursor: &mut Cursor<'a>) -> Option<Cow<'a, str>> {
    let address = cursor.while_(|byte| !byte.is_ascii_whitespace() && byte != b',');
    address.contains(&b':').then(|| text(address))
}
