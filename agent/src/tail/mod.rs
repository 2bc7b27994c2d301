//! Files that grow, read line by line from a byte offset. The file is the queue: whoever knows the offset loses nothing.

mod record;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
};

pub(crate) use record::{event_record, log_record};

/// At most so much is read at once, in bytes.
const CHUNK: usize = 256 << 10;
/// A line that is longer is taken in pieces.
const LONGEST: usize = 4 << 20;

/// A line of a file: where it begins, where the next one begins, its bytes without the line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawLine {
    pub(crate) offset: u64,
    pub(crate) next: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ending: Ending,
}

/// What stands behind a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// `\n`; or nothing, at the end of a file or of a line that is too long.
    Line,
    /// `\r`: the next line takes its place on a terminal.
    Return,
}

/// Reads a file that grows.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    file: Option<File>,
    /// Where the first byte not yet given out lies.
    offset: u64,
    partial: Vec<u8>,
    /// Lines end at `\r` too.
    returns: bool,
}

impl Tail {
    pub(crate) fn new(path: PathBuf, offset: u64) -> Tail {
        Tail { path, file: None, offset, partial: Vec::new(), returns: false }
    }

    /// As for a terminal: progress bars end at `\r`, and would make one line of an hour.
    pub(crate) fn of_terminal(self) -> Tail {
        Tail { returns: true, ..self }
    }

    /// From the first whole line among the last bytes of the file.
    pub(crate) fn near_end(path: PathBuf, bytes: u64) -> Tail {
        let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        let mut tail = Tail::new(path, size.saturating_sub(bytes + 1));
        if tail.offset > 0
            && let Ok(lines) = tail.read(false)
        {
            let start = lines.first().map_or(size, |first| first.next);
            tail = Tail::new(tail.path, start);
        }
        tail
    }

    /// Where the first byte not yet given out lies.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The lines that came since; at the `end` of the file's life also a last one without line end. Empty when there is nothing.
    pub(crate) fn read(&mut self, end: bool) -> io::Result<Vec<RawLine>> {
        let file = match &mut self.file {
            Some(file) => file,
            None => match File::open(&self.path) {
                Ok(file) => self.file.insert(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            },
        };
        let begun = self.partial.len();
        if !end && file.metadata()?.len() <= self.offset + begun as u64 {
            return Ok(Vec::new());
        }
        file.seek(SeekFrom::Start(self.offset + begun as u64))?;
        let read = file.take(CHUNK as u64).read_to_end(&mut self.partial)?;
        let mut lines = Vec::new();
        let mut taken = 0;
        let mut searched = begun;
        let ends = |byte: &u8| *byte == b'\n' || (self.returns && *byte == b'\r');
        while let Some(at) = self.partial[searched..].iter().position(ends) {
            let stop = searched + at;
            // A terminal takes "\r\n" for one end.
            let end = stop + 1 + usize::from(self.partial[stop..].starts_with(b"\r\n"));
            lines.push(self.line(taken, stop, end));
            taken = end;
            searched = taken;
        }
        let left = self.partial.len() - taken;
        if left > LONGEST || (end && read == 0 && left > 0) {
            lines.push(self.line(taken, taken + left, taken + left));
            taken += left;
        }
        self.partial.drain(..taken);
        self.offset += taken as u64;
        Ok(lines)
    }

    fn line(&self, from: usize, to: usize, next: usize) -> RawLine {
        let returns = self.partial.get(to) == Some(&b'\r') && next == to + 1;
        let ending = if returns { Ending::Return } else { Ending::Line };
        RawLine {
            offset: self.offset + from as u64,
            next: self.offset + next as u64,
            bytes: self.partial[from..to].to_vec(),
            ending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, io::Write};

    use super::*;

    fn texts(lines: &[RawLine]) -> Vec<String> {
        lines.iter().map(|line| String::from_utf8_lossy(&line.bytes).into_owned()).collect()
    }

    #[test]
    fn lines_come_once_however_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut tail = Tail::new(path.clone(), 0);
        assert!(tail.read(false).unwrap().is_empty(), "no file yet");
        let mut file = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(texts(&tail.read(false).unwrap()), ["one"]);
        file.write_all(b"o\n\nthree").unwrap();
        let lines = tail.read(false).unwrap();
        assert_eq!(texts(&lines), ["two", ""]);
        assert!(tail.read(false).unwrap().is_empty());
        assert_eq!(texts(&tail.read(true).unwrap()), ["three"]);
        // Another reader from an offset that was given goes on without gap or repeat.
        assert_eq!(texts(&Tail::new(path, lines[0].next).read(false).unwrap()), [""]);
    }

    #[test]
    fn a_bar_is_read_while_it_moves() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "one\r\n\rbar 1\rbar 2").unwrap();
        let mut tail = Tail::new(path.clone(), 0).of_terminal();
        let lines = tail.read(false).unwrap();
        assert_eq!(texts(&lines), ["one", "", "bar 1"]);
        assert_eq!((lines[0].ending, lines[2].ending), (Ending::Line, Ending::Return));
        assert_eq!(texts(&Tail::new(path, 0).read(false).unwrap()), ["one\r"]);
    }

    #[test]
    fn a_line_of_a_megabyte_is_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, [vec![b'x'; 1 << 20], b"\nnext\n".to_vec()].concat()).unwrap();
        let mut tail = Tail::new(path, 0);
        let mut lines = Vec::new();
        while lines.len() < 2 {
            lines.extend(tail.read(false).unwrap());
        }
        assert_eq!(lines[0].bytes.len(), 1 << 20);
        assert_eq!(lines[1].bytes, b"next");
    }

    #[test]
    fn near_the_end_begins_with_a_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "aaaa\nbbbb\ncccc\n").unwrap();
        assert_eq!(texts(&Tail::near_end(path.clone(), 7).read(false).unwrap()), ["cccc"]);
        assert_eq!(texts(&Tail::near_end(path.clone(), 5).read(false).unwrap()), ["cccc"]);
        assert_eq!(texts(&Tail::near_end(path, 500).read(false).unwrap()), ["aaaa", "bbbb", "cccc"]);
    }
}
