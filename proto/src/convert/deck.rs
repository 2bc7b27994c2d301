use rldeck_core::deck::{
    Alert, Bucket, Change, CheckpointStatus, Delta, Frame, Gpu, Host, LogLine, Node, Points, Process, Progress,
    RunStatus, Series, Setting, ShardStatus, Span,
};

use super::{alike, part};
use crate::{
    Malformed,
    wire::{self, change},
};

alike!(Points, Points { attempt, rollout, step, at, values });
alike!(Bucket, Bucket { from, to, attempt, min, max, sum, count, last });
alike!(CheckpointStatus, CheckpointStatus { rollout, path, bytes, said, chosen });
alike!(Setting, Setting { name, value, pending, refused });
alike!(
    Gpu,
    Gpu {
        index,
        name,
        utilisation,
        memory_used,
        memory_total,
        power,
        power_limit,
        temperature,
        sm_clock,
        memory_clock,
        error,
    }
);

impl From<Delta> for wire::Delta {
    fn from(Delta { epoch, seq, changes }: Delta) -> Self {
        wire::Delta { epoch, seq, changes: changes.into_iter().map(Into::into).collect(), more: false }
    }
}

impl TryFrom<wire::Delta> for Delta {
    type Error = Malformed;

    fn try_from(wire::Delta { epoch, seq, changes, .. }: wire::Delta) -> Result<Self, Malformed> {
        Ok(Delta { epoch, seq, changes: changes.into_iter().map(Change::try_from).collect::<Result<_, _>>()? })
    }
}

impl From<Change> for wire::Change {
    fn from(change: Change) -> Self {
        use change::Change as Wire;
        let change = match change {
            Change::Reset => Wire::Reset(wire::Reset {}),
            Change::Run(run) => Wire::Run(run.into()),
            Change::Node(node) => Wire::Node(node.into()),
            Change::Shard(shard) => Wire::Shard(shard.into()),
            Change::Points(points) => Wire::Points(points.into()),
            Change::Buckets { name, series: Series { buckets, stride, total } } => {
                let buckets = buckets.into_iter().map(Into::into).collect();
                Wire::Buckets(wire::Buckets { name, stride, total, buckets })
            }
            Change::Span(span) => Wire::Span(span.into()),
            Change::Progress(progress) => Wire::Progress(progress.into()),
            Change::Funnel(funnel) => Wire::Funnel(funnel.into()),
            Change::Sample(sample) => Wire::Sample(sample.into()),
            Change::Log(line) => Wire::Log(line.into()),
            Change::Journal(entry) => {
                Wire::Journal(wire::Entry { json: serde_json::to_string(&entry).unwrap_or_default() })
            }
            Change::Raise(alert) => Wire::Raise(alert.into()),
            Change::Clear(id) => Wire::Clear(id),
            Change::Setting(setting) => Wire::Setting(setting.into()),
            Change::Checkpoint(checkpoint) => Wire::Checkpoint(checkpoint.into()),
            Change::Dropped { place, count } => Wire::Dropped(wire::Dropped { place, count }),
        };
        wire::Change { change: Some(change) }
    }
}

impl TryFrom<wire::Change> for Change {
    type Error = Malformed;

    fn try_from(change: wire::Change) -> Result<Self, Malformed> {
        use change::Change as Wire;
        Ok(match change.change.ok_or(Malformed("a change"))? {
            Wire::Reset(_) => Change::Reset,
            Wire::Run(run) => Change::Run(run.try_into()?),
            Wire::Node(node) => Change::Node(node.try_into()?),
            Wire::Shard(shard) => Change::Shard(shard.try_into()?),
            Wire::Points(points) => Change::Points(points.try_into()?),
            Wire::Buckets(wire::Buckets { name, stride, total, buckets }) => {
                let buckets = buckets.into_iter().map(Bucket::try_from).collect::<Result<_, _>>()?;
                Change::Buckets { name, series: Series { buckets, stride: stride.max(1), total } }
            }
            Wire::Span(span) => Change::Span(span.try_into()?),
            Wire::Progress(progress) => Change::Progress(progress.try_into()?),
            Wire::Funnel(funnel) => Change::Funnel(funnel.try_into()?),
            Wire::Sample(sample) => Change::Sample(sample.try_into()?),
            Wire::Log(line) => Change::Log(line.try_into()?),
            Wire::Journal(wire::Entry { json }) => {
                Change::Journal(serde_json::from_str(&json).map_err(|_| Malformed("a journal entry"))?)
            }
            Wire::Raise(alert) => Change::Raise(alert.try_into()?),
            Wire::Clear(id) => Change::Clear(id),
            Wire::Setting(setting) => Change::Setting(setting.try_into()?),
            Wire::Checkpoint(checkpoint) => Change::Checkpoint(checkpoint.try_into()?),
            Wire::Dropped(wire::Dropped { place, count }) => Change::Dropped { place, count },
        })
    }
}

impl From<RunStatus> for wire::RunStatus {
    fn from(run: RunStatus) -> Self {
        wire::RunStatus {
            id: run.id,
            job: run.job,
            engine: run.engine,
            state: wire::State::from(run.state).into(),
            reason: run.reason,
            since: run.since,
            launched: run.launched,
            attempt: run.attempt,
            rollout: run.rollout,
            step: run.step,
            num_rollout: run.num_rollout,
            checkpoint: run.checkpoint,
        }
    }
}

impl TryFrom<wire::RunStatus> for RunStatus {
    type Error = Malformed;

    fn try_from(run: wire::RunStatus) -> Result<Self, Malformed> {
        Ok(RunStatus {
            state: run.state().into(),
            id: run.id,
            job: run.job,
            engine: run.engine,
            reason: run.reason,
            since: run.since,
            launched: run.launched,
            attempt: run.attempt,
            rollout: run.rollout,
            step: run.step,
            num_rollout: run.num_rollout,
            checkpoint: run.checkpoint,
        })
    }
}

impl From<Node> for wire::Node {
    fn from(Node { name, connected, seen, version, pid, frame }: Node) -> Self {
        wire::Node { name, connected, seen, version, pid, frame: frame.map(Into::into) }
    }
}

impl TryFrom<wire::Node> for Node {
    type Error = Malformed;

    fn try_from(wire::Node { name, connected, seen, version, pid, frame }: wire::Node) -> Result<Self, Malformed> {
        Ok(Node { name, connected, seen, version, pid, frame: frame.map(Frame::try_from).transpose()? })
    }
}

impl From<Frame> for wire::Frame {
    fn from(Frame { at, host: Host { cpus, memory_used, memory_total }, gpus, processes, note }: Frame) -> Self {
        wire::Frame {
            at,
            cpus,
            memory_used,
            memory_total,
            gpus: gpus.into_iter().map(Into::into).collect(),
            processes: processes.into_iter().map(Into::into).collect(),
            note,
        }
    }
}

impl TryFrom<wire::Frame> for Frame {
    type Error = Malformed;

    fn try_from(frame: wire::Frame) -> Result<Self, Malformed> {
        let wire::Frame { at, cpus, memory_used, memory_total, gpus, processes, note } = frame;
        Ok(Frame {
            at,
            host: Host { cpus, memory_used, memory_total },
            gpus: gpus.into_iter().map(Gpu::try_from).collect::<Result<_, _>>()?,
            processes: processes.into_iter().map(Process::try_from).collect::<Result<_, _>>()?,
            note,
        })
    }
}

impl From<Process> for wire::Process {
    fn from(Process { pid, name, shard, cpu, memory, gpu, gpu_memory, role, rank, doing }: Process) -> Self {
        wire::Process { pid, name, shard: shard.map(Into::into), cpu, memory, gpu, gpu_memory, role, rank, doing }
    }
}

impl TryFrom<wire::Process> for Process {
    type Error = Malformed;

    fn try_from(process: wire::Process) -> Result<Self, Malformed> {
        let wire::Process { pid, name, shard, cpu, memory, gpu, gpu_memory, role, rank, doing } = process;
        let shard = shard.map(TryInto::try_into).transpose()?;
        Ok(Process { pid, name, shard, cpu, memory, gpu, gpu_memory, role, rank, doing })
    }
}

impl From<ShardStatus> for wire::ShardStatus {
    fn from(ShardStatus { id, role, rank, node, state, pid, since }: ShardStatus) -> Self {
        let role = wire::Role::from(role).into();
        wire::ShardStatus { id: Some(id.into()), role, rank, node, state: Some(state.into()), pid, since }
    }
}

impl TryFrom<wire::ShardStatus> for ShardStatus {
    type Error = Malformed;

    fn try_from(shard: wire::ShardStatus) -> Result<Self, Malformed> {
        let role = shard.role().try_into()?;
        let wire::ShardStatus { id, rank, node, state, pid, since, .. } = shard;
        Ok(ShardStatus { id: part(id, "a shard")?, role, rank, node, state: part(state, "a state")?, pid, since })
    }
}

impl From<Span> for wire::Span {
    fn from(Span { shard, name, rollout, start, end }: Span) -> Self {
        wire::Span { shard: Some(shard.into()), name, rollout, start, end }
    }
}

impl TryFrom<wire::Span> for Span {
    type Error = Malformed;

    fn try_from(wire::Span { shard, name, rollout, start, end }: wire::Span) -> Result<Self, Malformed> {
        Ok(Span { shard: part(shard, "a shard")?, name, rollout, start, end })
    }
}

impl From<Progress> for wire::Progress {
    fn from(Progress { shard, unit, done, total, at }: Progress) -> Self {
        wire::Progress { shard: Some(shard.into()), unit, done, total, at }
    }
}

impl TryFrom<wire::Progress> for Progress {
    type Error = Malformed;

    fn try_from(wire::Progress { shard, unit, done, total, at }: wire::Progress) -> Result<Self, Malformed> {
        Ok(Progress { shard: part(shard, "a shard")?, unit, done, total, at })
    }
}

impl From<LogLine> for wire::LogLine {
    fn from(LogLine { shard, node, offset, at, severity, text }: LogLine) -> Self {
        let line = wire::Line { at, severity: wire::Severity::from(severity).into(), text };
        wire::LogLine { shard: Some(shard.into()), node, offset, line: Some(line) }
    }
}

impl TryFrom<wire::LogLine> for LogLine {
    type Error = Malformed;

    fn try_from(wire::LogLine { shard, node, offset, line }: wire::LogLine) -> Result<Self, Malformed> {
        let line = line.ok_or(Malformed("a line"))?;
        let severity = line.severity().into();
        Ok(LogLine { shard: part(shard, "a shard")?, node, offset, at: line.at, severity, text: line.text })
    }
}

impl From<Alert> for wire::Alert {
    fn from(Alert { id, severity, since, text }: Alert) -> Self {
        wire::Alert { id, severity: wire::Severity::from(severity).into(), since, text }
    }
}

impl TryFrom<wire::Alert> for Alert {
    type Error = Malformed;

    fn try_from(alert: wire::Alert) -> Result<Self, Malformed> {
        let severity = alert.severity().into();
        Ok(Alert { id: alert.id, severity, since: alert.since, text: alert.text })
    }
}
