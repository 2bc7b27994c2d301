use rldeck_core::shard::{Event, Funnel, Report, Sample};

use super::{alike, part};
use crate::{
    Malformed,
    wire::{self, event},
};

alike!(Funnel, Funnel { rollout, sampled, dropped, kept });
alike!(Sample, Sample { rollout, group, prompt, response, label, reward, tokens, truncated, dropped });

impl From<Event> for wire::Event {
    fn from(Event { at, report }: Event) -> Self {
        use event::Report as Wire;
        let report = match report {
            Report::Ready => Wire::Ready(wire::Ready {}),
            Report::Metrics { rollout, step, values } => Wire::Metrics(wire::Metrics { rollout, step, values }),
            Report::Phase { name, rollout } => Wire::Phase(wire::Phase { name, rollout }),
            Report::Progress { unit, done, total } => Wire::Progress(wire::ShardProgress { unit, done, total }),
            Report::Funnel(funnel) => Wire::Funnel(funnel.into()),
            Report::Sample(sample) => Wire::Sample(sample.into()),
            Report::Checkpoint { rollout, path, bytes } => Wire::Checkpoint(wire::Checkpoint { rollout, path, bytes }),
            Report::Tuned { version, step, rollout, set, refused } => {
                Wire::Tuned(wire::Tuned { version, step, rollout, set, refused })
            }
            Report::Notice { severity, text } => {
                Wire::Notice(wire::Notice { severity: wire::Severity::from(severity).into(), text })
            }
            Report::Finished { rollout } => Wire::Finished(wire::Finished { rollout }),
        };
        wire::Event { at, report: Some(report) }
    }
}

impl TryFrom<wire::Event> for Event {
    type Error = Malformed;

    fn try_from(wire::Event { at, report }: wire::Event) -> Result<Self, Malformed> {
        use event::Report as Wire;
        let report = match report.ok_or(Malformed("a report"))? {
            Wire::Ready(_) => Report::Ready,
            Wire::Metrics(wire::Metrics { rollout, step, values }) => Report::Metrics { rollout, step, values },
            Wire::Phase(wire::Phase { name, rollout }) => Report::Phase { name, rollout },
            Wire::Progress(wire::ShardProgress { unit, done, total }) => Report::Progress { unit, done, total },
            Wire::Funnel(funnel) => Report::Funnel(part(Some(funnel), "a funnel")?),
            Wire::Sample(sample) => Report::Sample(part(Some(sample), "a sample")?),
            Wire::Checkpoint(wire::Checkpoint { rollout, path, bytes }) => Report::Checkpoint { rollout, path, bytes },
            Wire::Tuned(wire::Tuned { version, step, rollout, set, refused }) => {
                Report::Tuned { version, step, rollout, set, refused }
            }
            Wire::Notice(notice) => Report::Notice { severity: notice.severity().into(), text: notice.text },
            Wire::Finished(wire::Finished { rollout }) => Report::Finished { rollout },
        };
        Ok(Event { at, report })
    }
}
