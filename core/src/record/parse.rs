use super::{
    Items, Record, Values,
    bar::{bar, counter},
    checkpoint,
    cursor::Cursor,
    engine::{self, BatchKind},
    fault::{FAULTS, Sign},
    head::{Scheduler, scheduler, source},
    job::job,
    lines, metric, place,
    scan::{Found, Mark, marks},
    text,
    timer::timer,
};

/// Longest text of a fault or of the occasion of a memory line, in bytes.
const LONGEST_TEXT: usize = 320;

/// So much of a line is shown before the words that tell a fault: who and where often stands there.
const BEFORE_FAULT: usize = 160;

/// How far behind its words a line of another kind than values tells the rest, in bytes. With it the work for a line
/// grows no faster than the line, whatever stands in it.
const NEAR: usize = 4 << 10;

/// Says what is in one physical line, given without its `\n`. The parts between `\r` are taken one after the other.
/// Nothing is found in a line that says nothing; nothing is allocated for it unless it is coloured in its middle.
pub fn parse(line: &[u8], found: &mut impl FnMut(Record<'_>)) {
    let behind = match source(line) {
        Some((source, behind)) => {
            found(Record::Source(source));
            behind
        }
        None => line,
    };
    if lines::is_plain(behind) {
        piece(behind, found);
        return;
    }
    for part in lines::pieces(behind) {
        if piece(&lines::without_codes(lines::behind_codes(part)), found) == Rest::IsData {
            return;
        }
    }
}

/// What the rest of a physical line is.
#[derive(PartialEq)]
enum Rest {
    IsData,
    MaySpeak,
}

fn piece(line: &[u8], found: &mut impl FnMut(Record<'_>)) -> Rest {
    if line.first() == Some(&b':') {
        if let Some(record) = file_head(line) {
            found(record);
        }
        return Rest::MaySpeak;
    }
    let message = match scheduler(line) {
        Some((tag, message)) => {
            if tag != Scheduler::default() {
                found(Record::Scheduler(tag));
            }
            message
        }
        None => line,
    };
    // The commonest line of all: an engine answered a request.
    if message.trim_ascii_start().starts_with(b"INFO:  ") && message.ends_with(b"\" 200 OK") {
        return Rest::MaySpeak;
    }
    let mut rank = None;
    let mut fault: Option<(usize, usize)> = None;
    let mut harmless = false;
    let mut behind_bar = 0;
    for Found { start, end, mark } in marks(line) {
        if start < behind_bar {
            continue;
        }
        let rest = &line[end..line.len().min(end + NEAR)];
        let record = match mark {
            Mark::Data => {
                found(Record::Data);
                return Rest::IsData;
            }
            Mark::Harmless => {
                harmless = true;
                continue;
            }
            Mark::Fault(index, sign) => {
                if is_first(fault, index) && Sign::holds(sign, rest) {
                    fault = Some((index, start));
                }
                continue;
            }
            Mark::Rank => {
                rank = rank_in(rest).or(rank);
                if let Some(rank) = rank {
                    found(Record::Rank(rank));
                }
                continue;
            }
            Mark::Bar | Mark::Counter => {
                let drawn = if matches!(mark, Mark::Bar) { bar(line, start) } else { counter(line, start) };
                if let Some((bar, end)) = drawn {
                    found(Record::Bar(bar));
                    behind_bar = end;
                }
                // A log line is often glued behind it.
                continue;
            }
            Mark::Timer if !is_word_end(&line[..start]) => timer(rest),
            Mark::Timer => None,
            Mark::Metrics => metric::metrics(line, start),
            Mark::Memory => memory(&line[end..], rank),
            Mark::Waiting => place::waiting(rest),
            Mark::Bundle => place::bundle(&line[..start], rest),
            Mark::Saving => checkpoint::saving(rest),
            Mark::Saved => checkpoint::saved(rest),
            Mark::Loaded => checkpoint::loaded(rest),
            Mark::Released => checkpoint::released(rest),
            Mark::Missing => checkpoint::missing(rest),
            Mark::EnginePort => place::engine_port(rest),
            Mark::EngineAt => place::engine_at(rest),
            Mark::EngineReady => Some(Record::EngineReady),
            Mark::Router => place::router(rest),
            Mark::Decode => engine::batch(BatchKind::Decode, rest),
            Mark::Prefill => engine::batch(BatchKind::Prefill, rest),
            Mark::CacheFull => engine::cache_full(rest),
            Mark::Job => job(rest),
            Mark::Dump => Some(Record::Dump),
        };
        // A line says one thing.
        if let Some(record) = record {
            found(record);
            return Rest::MaySpeak;
        }
    }
    if let (Some((index, start)), false) = (fault, harmless) {
        found(Record::Fault {
            fault: &FAULTS[index],
            text: text(around(line, start, behind_bar.max(line.len() - message.len()).min(start))),
        });
    }
    Rest::MaySpeak
}

fn is_first(before: Option<(usize, usize)>, index: usize) -> bool {
    before.is_none_or(|(before, _)| index < before)
}

fn is_word_end(before: &[u8]) -> bool {
    before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\'' | b'"'))
}

/// `:job_id:02000000`, `:actor_name:MegatronTrainRayActor`.
fn file_head(line: &[u8]) -> Option<Record<'_>> {
    let line = line.trim_ascii_end();
    let name = |bytes: &[u8]| !bytes.is_empty() && bytes.len() < 200;
    if let Some(id) = line.strip_prefix(b":job_id:") {
        return name(id).then(|| Record::JobId(text(id)));
    }
    let actor = line.strip_prefix(b":actor_name:")?;
    name(actor).then(|| Record::Actor(text(actor)))
}

/// Behind `[Rank `: `5] ...`.
fn rank_in(rest: &[u8]) -> Option<u32> {
    let mut cursor = Cursor(rest);
    let rank = u32::try_from(cursor.number()?).ok()?;
    cursor.literal("]").map(|()| rank)
}

/// Behind `Memory-Usage `: `after wake_up model: {'gpu': '5', ...}`.
fn memory(rest: &[u8], rank: Option<u32>) -> Option<Record<'_>> {
    let mut near = Cursor(&rest[..rest.len().min(LONGEST_TEXT)]);
    let when = near.until(": {")?;
    let values = Values(Items::new(&rest[when.len() + ": {".len()..]));
    Some(Record::Memory { when: text(when), rank, values })
}

/// The part of a line around the words at `start`: not before `from`, and no character torn.
fn around(line: &[u8], start: usize, from: usize) -> &[u8] {
    let is_torn = |at: usize| line.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let mut from = start.saturating_sub(BEFORE_FAULT).max(from);
    let mut to = line.len().min(from + LONGEST_TEXT);
    while from < start && is_torn(from) {
        from += 1;
    }
    while to > start && is_torn(to) {
        to -= 1;
    }
    &line[from..to]
}
