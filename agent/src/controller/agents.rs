use std::collections::BTreeMap;

use rldeck_proto::wire;
use tokio::sync::{mpsc, oneshot};

/// Commands that wait for an agent; one that does not take them is cut off, and gets all anew when it joins again.
pub(super) const QUEUE: usize = 256;

/// The agents whose streams are open.
#[derive(Debug, Default)]
pub(super) struct Agents {
    open: BTreeMap<String, Open>,
    /// Who waits for which part of a log.
    reading: BTreeMap<u64, (String, oneshot::Sender<wire::LogChunk>)>,
    /// Who waits for what a node has found.
    looking: BTreeMap<u64, (String, oneshot::Sender<wire::Leftovers>)>,
    next: u64,
}

#[derive(Debug)]
struct Open {
    session: u64,
    down: mpsc::Sender<wire::Down>,
}

impl Agents {
    /// A stream was opened; an older one of the same node is cut off.
    pub(super) fn join(&mut self, node: String, session: u64, down: mpsc::Sender<wire::Down>) {
        self.cut_off(&node);
        self.open.insert(node, Open { session, down });
    }

    /// Who waits for something of this node waits no more.
    fn cut_off(&mut self, node: &str) {
        self.open.remove(node);
        self.reading.retain(|_, (of, _)| of != node);
        self.looking.retain(|_, (of, _)| of != node);
    }

    /// A stream has ended; `false` when it is not the present one of its node.
    pub(super) fn leave(&mut self, node: &str, session: u64) -> bool {
        let present = self.is_present(node, session);
        if present {
            self.cut_off(node);
        }
        present
    }

    pub(super) fn is_present(&self, node: &str, session: u64) -> bool {
        self.open.get(node).is_some_and(|open| open.session == session)
    }

    pub(super) fn send(&mut self, node: &str, down: wire::Down) {
        if let Some(open) = self.open.get(node)
            && open.down.try_send(down).is_err()
        {
            tracing::warn!(node, "takes no commands; cut off");
            self.cut_off(node);
        }
    }

    pub(super) fn send_all(&mut self, message: &wire::down::Message) {
        let nodes: Vec<String> = self.open.keys().cloned().collect();
        for node in nodes {
            self.send(&node, wire::Down { message: Some(message.clone()) });
        }
    }

    /// Asks a node for a part of a log.
    pub(super) fn read_log(&mut self, node: &str, request: wire::LogRequest, reply: oneshot::Sender<wire::LogChunk>) {
        if !self.open.contains_key(node) {
            let error = format!("{node} is not connected: its files cannot be read now");
            let _ = reply.send(wire::LogChunk { error, ..Default::default() });
            return;
        }
        self.next += 1;
        let id = self.next;
        self.reading.insert(id, (node.to_owned(), reply));
        let message = Some(wire::down::Message::ReadLog(wire::LogRequest { id, ..request }));
        self.send(node, wire::Down { message });
    }

    /// Asks every node to look around; a node that goes away meanwhile drops its answer.
    pub(super) fn look(&mut self) -> Vec<(String, oneshot::Receiver<wire::Leftovers>)> {
        let nodes: Vec<String> = self.open.keys().cloned().collect();
        let ask = |node: String| {
            self.next += 1;
            let (reply, answer) = oneshot::channel();
            self.looking.insert(self.next, (node.clone(), reply));
            let message = Some(wire::down::Message::Look(wire::Look { id: self.next }));
            self.send(&node, wire::Down { message });
            (node, answer)
        };
        nodes.into_iter().map(ask).collect()
    }

    /// A node has looked around.
    pub(super) fn found(&mut self, found: wire::Leftovers) {
        if let Some((_, reply)) = self.looking.remove(&found.id) {
            let _ = reply.send(found);
        }
    }

    /// A part of a log has come.
    pub(super) fn log_came(&mut self, chunk: wire::LogChunk) {
        if let Some((_, reply)) = self.reading.remove(&chunk.id) {
            let _ = reply.send(chunk);
        }
    }
}
