use rldeck_core::{
    deck::{Change, CheckpointStatus, Delta, Frame, Gpu, Host, Node, Process},
    run::{Action, Entry, Fact, Request, ShardState},
    shard::{Event, Report, Role, ShardId, Spec},
};

use crate::{Malformed, wire};

fn id(name: &str) -> ShardId {
    ShardId { attempt: 2, name: name.into(), life: 1 }
}

#[test]
fn a_delta_goes_over_and_back() {
    let node = Node {
        name: "node0".into(),
        frame: Some(Frame {
            host: Host { cpus: vec![1.0, 2.0], memory_used: 3, memory_total: 4 },
            gpus: vec![Gpu { utilisation: Some(0), ..Gpu::default() }],
            processes: vec![Process { shard: Some(id("trainer")), ..Process::default() }],
            ..Frame::default()
        }),
        ..Node::default()
    };
    let fact = Fact::Shard {
        asked: false,
        id: id("rollout-1"),
        role: Role::Rollout,
        rank: 1,
        node: "node1".into(),
        state: ShardState::Killed { signal: 9 },
        pid: 5,
    };
    let changes = vec![
        Change::Reset,
        Change::Node(node),
        Change::Journal(Entry { seq: 1, at: 2, who: "node1".into(), fact }),
        Change::Checkpoint(CheckpointStatus { rollout: 19, path: "/c".into(), bytes: 5, said: 3, chosen: true }),
        Change::Dropped { place: "x".into(), count: 7 },
    ];
    let delta = Delta { epoch: 1, seq: 2, changes };
    assert_eq!(Delta::try_from(wire::Delta::from(delta.clone())), Ok(delta));
}

#[test]
fn an_event_goes_over_and_back() {
    for report in [
        Report::Ready,
        Report::Metrics { rollout: 1, step: None, values: [("a".to_owned(), 1.5)].into() },
        Report::Tuned { version: 1, step: 2, rollout: 3, set: [("lr".into(), "0".into())].into(), refused: [].into() },
        Report::Finished { rollout: 9 },
    ] {
        let event = Event { at: 4, report };
        assert_eq!(Event::try_from(wire::Event::from(event.clone())), Ok(event));
    }
}

#[test]
fn a_shard_name_cannot_leave_its_run() {
    for name in ["../x", "a/b", "", "..", "a~1"] {
        let wire = wire::ShardId { attempt: 1, name: name.into(), life: 0 };
        assert!(ShardId::try_from(wire).is_err(), "{name}");
    }
    assert!(Spec::try_from(wire::Spec::default()).is_err());
}

#[test]
fn a_request_needs_an_id() {
    let request = Request { id: String::new(), who: "me".into(), action: Action::Stop };
    assert_eq!(Request::try_from(wire::ActRequest::from(request)), Err(Malformed("a request id")));
}
