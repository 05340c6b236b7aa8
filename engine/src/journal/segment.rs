//! One segment being read: its file on disk, and behind that its hot file, as if they were one.
//!
//! It knows nothing of the segments beside it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::JournalError;
use super::format::{SEGMENT_HEADER_BYTES, SegmentHeader};
use super::place::Place;
use super::source::{Found, Medium, Source};

/// A segment as far as it was read.
pub(super) struct Extent {
    pub(super) index: u64,
    /// Up to here the disk is whole.
    pub(super) disk_end: u64,
    /// Up to here the segment is whole.
    pub(super) end: u64,
    /// The hot file, where there is one.
    pub(super) hot: Option<PathBuf>,
}

/// A segment being read.
pub(super) struct Segment {
    pub(super) index: u64,
    disk: Option<Source>,
    pub(super) hot: Option<Source>,
    /// The disk has no more; what follows is read from the hot file.
    on_hot: bool,
    disk_end: u64,
    pub(super) offset: u64,
}

/// What there is at an index.
pub(super) enum Next {
    /// Nothing.
    Absent,
    /// A file without a header, of this many bytes.
    Torn(u64),
    /// A segment, and what it says of itself.
    Begun(Box<Segment>, SegmentHeader),
}

impl Segment {
    /// In place of a segment that never began.
    pub(super) fn none() -> Self {
        Segment { index: 0, disk: None, hot: None, on_hot: false, disk_end: 0, offset: 0 }
    }

    /// Opens what there is of a segment. The hot file first: once it is gone, the disk has it all.
    pub(super) fn open(place: &Place, index: u64) -> Result<Next, JournalError> {
        let hot = open_hot(place, index)?;
        let disk = Source::open(place.disk(index), Medium::Disk)?;
        let (disk, on_disk) = match disk {
            None => (None, None),
            Some(mut disk) => match begun(&mut disk, place, index)? {
                None if hot.is_none() => return Ok(Next::Torn(disk.len())),
                None => (None, None),
                Some(header) => (Some(disk), Some(header)),
            },
        };
        if let (Some((hot, header)), Some(on_disk)) = (&hot, on_disk) {
            same_journal(hot, header, on_disk.id)?;
        }
        let Some(header) = on_disk.or(hot.as_ref().map(|(_, header)| *header)) else {
            return Ok(Next::Absent);
        };
        let offset = SEGMENT_HEADER_BYTES as u64;
        let disk_end = if disk.is_some() { offset } else { 0 };
        let hot = hot.map(|(hot, _)| hot);
        let segment = Segment { index, on_hot: disk.is_none(), disk, hot, disk_end, offset };
        Ok(Next::Begun(Box::new(segment), header))
    }

    /// What stands here: on disk, or else in the hot file.
    pub(super) fn judge(&mut self, expected: u64) -> Result<Found, JournalError> {
        let mut found = Found::End;
        if let Some(disk) = self.disk.as_mut().filter(|_| !self.on_hot) {
            found = disk.judge(self.offset, expected)?;
            if matches!(found, Found::Record { .. }) {
                return Ok(found);
            }
        }
        let Some(hot) = &mut self.hot else { return Ok(found) };
        match hot.judge(self.offset, expected)? {
            // An empty hot file does not mend a torn disk.
            Found::End => Ok(found),
            hot => {
                self.on_hot = true;
                Ok(hot)
            }
        }
    }

    pub(super) fn pass(&mut self, bytes: u64) {
        self.offset += bytes;
        if !self.on_hot {
            self.disk_end = self.offset;
        }
    }

    pub(super) fn source(&self) -> Option<&Source> {
        if self.on_hot { self.hot.as_ref() } else { self.disk.as_ref() }
    }

    pub(super) fn source_mut(&mut self) -> Option<&mut Source> {
        if self.on_hot { self.hot.as_mut() } else { self.disk.as_mut() }
    }

    /// Looks at the files again. A hot file that is still not there is on disk by then.
    pub(super) fn refresh(&mut self, place: &Place, id: u64) -> Result<(), JournalError> {
        if self.hot.is_none()
            && let Some((hot, header)) = open_hot(place, self.index)?
        {
            same_journal(&hot, &header, id)?;
            self.hot = Some(hot);
        }
        let mut both = self.disk.iter_mut().chain(&mut self.hot);
        both.try_for_each(Source::refresh)
    }

    pub(super) fn extent(&self) -> Extent {
        let hot = self.hot.as_ref().map(|hot| hot.path().to_owned());
        Extent { index: self.index, disk_end: self.disk_end, end: self.offset, hot }
    }
}

/// The hot file of a segment, if the writer has begun it.
fn open_hot(place: &Place, index: u64) -> Result<Option<(Source, SegmentHeader)>, JournalError> {
    for home in place.hot_homes() {
        let medium = if home == place.dir { Medium::HotOnDisk } else { Medium::Memory };
        if let Some(mut hot) = Source::open(place.hot(home, index), medium)?
            && let Some(header) = begun(&mut hot, place, index)?
        {
            return Ok(Some((hot, header)));
        }
    }
    Ok(None)
}

/// The header of a file, checked against the file's place. `None`: never begun.
fn begun(
    source: &mut Source,
    place: &Place,
    index: u64,
) -> Result<Option<SegmentHeader>, JournalError> {
    let Some(header) = source.header()? else { return Ok(None) };
    if header.name != place.name {
        let (found, expected) = (header.name.as_str(), place.name.as_str());
        return Err(foreign(source.path(), "stream", &found, &expected));
    }
    if header.index != index {
        return Err(foreign(source.path(), "segment index", &header.index, &index));
    }
    Ok(Some(header))
}

fn same_journal(hot: &Source, header: &SegmentHeader, id: u64) -> Result<(), JournalError> {
    if header.id == id {
        return Ok(());
    }
    Err(foreign(hot.path(), "journal id", &header.id, &id))
}

/// The error for a file that stands where it does not belong.
pub(super) fn foreign(
    path: &Path,
    field: &'static str,
    found: &dyn fmt::Display,
    expected: &dyn fmt::Display,
) -> JournalError {
    let (found, expected) = (found.to_string(), expected.to_string());
    JournalError::Foreign { path: path.to_owned(), field, found, expected }
}
