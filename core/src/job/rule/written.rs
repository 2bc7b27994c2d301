//! Where things are written, for findings.

use std::collections::{BTreeMap, BTreeSet};

use crate::{finding::Place, job::document::Document};

/// Where things are written, for findings.
#[derive(Debug, Default)]
pub(in crate::job) struct Written {
    /// The file itself; absent when there is none.
    pub(super) file: Option<Place>,
    /// Its table headers.
    pub(super) tables: BTreeMap<String, Place>,
    /// Arguments, and keys of other tables as `table.key`.
    pub(in crate::job) places: BTreeMap<String, Place>,
    /// What has a value that could not be read: nothing is said about it.
    pub(in crate::job) unclear: BTreeSet<String>,
    /// Keys of the file are missing from the job, which is reported: nothing is said about what is missing.
    pub(in crate::job) partial: bool,
}

impl Written {
    /// Knows the tables; arguments are added as they are read.
    pub(in crate::job) fn new(file: &str, document: &Document) -> Written {
        let tables = document.tables.iter().map(|table| (table.name.clone(), table.place.clone())).collect();
        Written { file: Some(Place::new(file, 1)), tables, ..Written::default() }
    }

    /// Whether a place is in the file itself and not in its recipe.
    pub(in crate::job) fn is_own(&self, place: &Place) -> bool {
        self.file.as_ref().is_some_and(|file| file.file == place.file)
    }

    /// The first of `names` that is written, in the file rather than in its recipe.
    pub(super) fn first(&self, names: &[&str]) -> Option<Place> {
        let mut places = names.iter().filter_map(|name| self.places.get(*name));
        let own = places.clone().find(|place| self.is_own(place));
        own.or_else(|| places.next()).cloned()
    }

    /// Whether all of `names` could be read.
    pub(super) fn clear(&self, names: &[&str]) -> bool {
        names.iter().all(|name| !self.unclear.contains(*name))
    }
}
