use std::io::{self, ErrorKind, Read, Write};

use super::{Job, ToShard, ToTrainer};

/// No message is longer: a stray length cannot make us allocate the machine.
const LONGEST: usize = 1 << 30;

/// A message as one frame: a kind byte and a body.
pub(crate) trait Message: Sized {
    fn encode(&self) -> (u8, Vec<u8>);
    fn decode(kind: u8, body: &[u8]) -> Option<Self>;
}

impl Message for ToShard {
    fn encode(&self) -> (u8, Vec<u8>) {
        match self {
            ToShard::Weights(bytes) => (b'w', bytes.clone()),
            ToShard::Work(job) => (b'j', serde_json::to_vec(job).unwrap_or_default()),
            ToShard::Abandon => (b'a', Vec::new()),
        }
    }

    fn decode(kind: u8, body: &[u8]) -> Option<ToShard> {
        match kind {
            b'w' => Some(ToShard::Weights(body.to_vec())),
            b'j' => serde_json::from_slice::<Job>(body).ok().map(ToShard::Work),
            b'a' => Some(ToShard::Abandon),
            _ => None,
        }
    }
}

impl Message for ToTrainer {
    fn encode(&self) -> (u8, Vec<u8>) {
        (b't', serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(kind: u8, body: &[u8]) -> Option<ToTrainer> {
        (kind == b't').then(|| serde_json::from_slice(body).ok()).flatten()
    }
}

/// Writes one frame with one call.
pub(crate) fn send(to: &mut impl Write, message: &impl Message) -> io::Result<()> {
    let (kind, body) = message.encode();
    let mut frame = Vec::with_capacity(body.len() + 5);
    frame.extend((body.len() as u32).to_le_bytes());
    frame.push(kind);
    frame.extend(body);
    to.write_all(&frame)
}

/// Reads frames from a stream that may have nothing for now.
#[derive(Default)]
pub(crate) struct Frames {
    buffer: Vec<u8>,
}

impl Frames {
    /// The next message; None when the stream has none for now (it timed out or would block).
    pub(crate) fn next<M: Message>(&mut self, from: &mut impl Read) -> io::Result<Option<M>> {
        let bad = |text| io::Error::new(ErrorKind::InvalidData, text);
        loop {
            if let Some(head) = self.buffer.first_chunk::<5>() {
                let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
                if length > LONGEST {
                    return Err(bad("a frame is too long"));
                }
                if self.buffer.len() >= 5 + length {
                    let message = M::decode(head[4], &self.buffer[5..5 + length]);
                    self.buffer.drain(..5 + length);
                    return message.map(Some).ok_or_else(|| bad("a frame makes no sense"));
                }
            }
            let start = self.buffer.len();
            self.buffer.resize(start + (1 << 16), 0);
            let read = from.read(&mut self.buffer[start..]);
            self.buffer.truncate(start + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_being_cut_anywhere() {
        let mut wire = Vec::new();
        send(&mut wire, &ToShard::Weights(vec![7; 1000])).unwrap();
        send(&mut wire, &ToShard::Abandon).unwrap();
        for cut in [1, 4, 5, 6, 500, 1004, 1005, 1006] {
            let mut frames = Frames::default();
            let (mut first, mut second) = (&wire[..cut], &wire[cut..]);
            let mut got = 0;
            while let Ok(Some(message)) = frames.next::<ToShard>(&mut first) {
                assert!(matches!((got, message), (0, ToShard::Weights(_)) | (1, ToShard::Abandon)));
                got += 1;
            }
            while let Ok(Some(message)) = frames.next::<ToShard>(&mut second) {
                assert!(matches!((got, message), (0, ToShard::Weights(_)) | (1, ToShard::Abandon)));
                got += 1;
            }
            assert_eq!(got, 2);
        }
        assert!(Frames::default().next::<ToTrainer>(&mut &wire[..]).is_err());
    }
}
