//! Paths as texts: no file is looked at.

use super::{
    super::value::{Piece, Text},
    Shell,
};

impl Shell<'_> {
    /// A path from where the script stands.
    pub(super) fn absolute(&self, path: &Text) -> Text {
        let mut whole = Text::default();
        let rooted = match path.pieces().first() {
            Some(Piece::Plain(text)) => text.starts_with('/'),
            Some(Piece::Given { value, .. }) => value.starts_with('/'),
            Some(Piece::Hole(_)) => true,
            None => false,
        };
        if !rooted {
            whole.extend(self.dir());
            whole.push_str("/");
        }
        whole.extend(path.clone());
        clean(whole)
    }
}

/// Without `.`, `..` and double slashes, where all of it is plain; a given variable stays one.
fn clean(path: Text) -> Text {
    let plain = path.pieces().iter().all(|piece| matches!(piece, Piece::Plain(_)));
    match path.known() {
        Ok(text) if plain || text.split('/').any(|name| name == "..") => Text::plain(tidy(&text)),
        _ => path,
    }
}

/// A path without `.`, `..` and double slashes.
pub(super) fn tidy(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => _ = names.pop(),
            ".." if path.starts_with('/') => {}
            name => names.push(name),
        }
    }
    let joined = names.join("/");
    match path.starts_with('/') {
        true => format!("/{joined}"),
        false if joined.is_empty() => ".".to_owned(),
        false => joined,
    }
}

/// What `dirname` prints.
pub(super) fn dir_name(path: &str) -> String {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit_once('/') {
        _ if trimmed.is_empty() && !path.is_empty() => "/".to_owned(),
        None => ".".to_owned(),
        Some((dir, _)) => match dir.trim_end_matches('/') {
            "" => "/".to_owned(),
            dir => dir.to_owned(),
        },
    }
}

/// What `basename` prints.
pub(super) fn base_name<'p>(path: &'p str, suffix: &str) -> &'p str {
    let trimmed = path.trim_end_matches('/');
    let name = match trimmed.rsplit('/').next() {
        Some("") | None => "/",
        Some(name) => name,
    };
    if suffix.is_empty() || name == suffix { name } else { name.strip_suffix(suffix).unwrap_or(name) }
}
