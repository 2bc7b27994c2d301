use super::{Record, cursor::Cursor, text};

/// What became of a submitted job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Ray has it.
    Submitted,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// Somebody stopped it.
    Stopped,
}

/// Behind `Job '`: `raysubmit_MNMh6TuwLJHtbb3U' succeeded`.
pub(super) fn job(rest: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(rest);
    let name = text(cursor.while_(|byte| byte != b'\'' && !byte.is_ascii_whitespace()));
    cursor.literal("' ")?;
    let state = match cursor.0.trim_ascii_end() {
        b"submitted successfully" => JobState::Submitted,
        b"succeeded" => JobState::Succeeded,
        b"failed" => JobState::Failed,
        b"was stopped" => JobState::Stopped,
        _ => return None,
    };
    Some(Record::Job { name, state })
}
