use std::time::Duration;

use rldeck_core::{
    run::ShardReport,
    shard::{EVENTS, LOG, ShardId},
};
use rldeck_proto::wire::{self, up};
use tokio::{sync::mpsc, time::sleep};

use super::session::send;
use crate::{
    now,
    shard::Held,
    tail::{RawLine, Tail, event_record, log_record},
};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_millis(100);
/// Between attempts to read files that cannot be read.
const RETRY: Duration = Duration::from_secs(1);
/// A log that nobody has read yet is taken up this far from its end, in bytes.
const LOG_BEFORE: u64 = 512 << 10;
/// One message holds so many records at most.
const BATCH: usize = 512;

/// Sends what a shard reports and prints, from the cursor on (events, log), and how it is; its end after its last line.
pub(super) async fn follow(mut held: Held, cursor: (u64, Option<u64>), up: mpsc::Sender<wire::Up>) {
    let (events, log) = (held.dir.join(EVENTS), held.dir.join(LOG));
    let mut events = Tail::new(events, cursor.0);
    let mut log = match cursor.1 {
        Some(offset) => Tail::new(log, offset),
        None => Tail::near_end(log, LOG_BEFORE),
    };
    let id = held.spec.id.clone();
    let mut told = None;
    loop {
        let (state, pid) = held.seen.borrow_and_update().clone();
        let ended = !state.alive();
        // The order matters: what a shard wrote before its end was seen is read after its end was seen.
        let read = match (events.read(ended), log.read(ended)) {
            (Ok(events), Ok(log)) => (events, log),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(shard = %id, %error, "its files cannot be read; trying again");
                sleep(RETRY).await;
                continue;
            }
        };
        let quiet = read.0.is_empty() && read.1.is_empty();
        let at = now();
        if !send_records(&up, &id, read.0, event_record).await
            || !send_records(&up, &id, read.1, |line| log_record(line, at)).await
        {
            return;
        }
        if quiet || !ended {
            let report = ShardReport { id: id.clone(), state, pid };
            if told.as_ref() != Some(&report) {
                told = Some(report.clone());
                if !send(&up, up::Message::Shard(report.into())).await {
                    return;
                }
            }
            if ended {
                return;
            }
        }
        if quiet {
            tokio::select! {
                () = sleep(EVERY) => {}
                _ = held.seen.changed() => {}
            }
        }
    }
}

async fn send_records(
    up: &mpsc::Sender<wire::Up>,
    id: &ShardId,
    lines: Vec<RawLine>,
    record: impl Fn(RawLine) -> wire::Record,
) -> bool {
    let mut lines = lines.into_iter().map(record);
    loop {
        let records: Vec<_> = lines.by_ref().take(BATCH).collect();
        if records.is_empty() {
            return true;
        }
        let message = wire::Records { shard: Some(id.clone().into()), records, ..Default::default() };
        if !send(up, up::Message::Records(message)).await {
            return false;
        }
    }
}
